/* commands/compare.h - several judgements of the same recorded calls, side by side: a time line for
 * each call and a table for each source. */
#ifndef COMMANDS_COMPARE_H
#define COMMANDS_COMPARE_H

#include "commands/judge.h"

#include <stdbool.h>
#include <stddef.h>

enum { COMPARE_JUDGES_MAX = 4 };

struct compare {
    struct judge judges[COMPARE_JUDGES_MAX];
    size_t judge_count;
    bool json;
    bool summary_only;
    struct compare_source *sources; /* owned; in the order of appearance */
    size_t source_count;
};

/* `names` are separated by commas and must outlive the comparison; its commas are overwritten.
 * ERROR_USAGE unless there are two to COMPARE_JUDGES_MAX of them. Zeroed but for json and
 * summary_only before. */
int compare_open(struct compare *compare, char *names, const struct command_line_config *line,
                 enum literal_replay_filter filter, struct error *err);
void compare_close(struct compare *compare); /* accepts a zeroed object */

/* Judges all calls and prints to standard output. */
int compare_run(struct compare *compare, const struct recording *recording, struct error *err);

/* Segments with impossible times that undertone did not judge: the most that one judge met. */
uint64_t compare_quarantined(const struct compare *compare);

#endif
