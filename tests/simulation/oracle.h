/* oracle.h - the rules of judgement written a third time, from docs/GUARANTEES.md: shares nothing
 * with src/mood. */
#ifndef TESTS_SIMULATION_ORACLE_H
#define TESTS_SIMULATION_ORACLE_H

#include <stddef.h>
#include <stdint.h>

struct judged {
    int64_t end_ms;
    int32_t score;
};

struct verdict {
    double mean; /* millionths */
    const char *trend;
    uint32_t count;
};

/* Sorts the utterances by their ends. None: count 0. */
void oracle_judge(struct judged *judged, size_t count, struct verdict *verdict);

#endif
