/* commands/replay_print.h - what happened in a replayed call, for people or as JSON lines, on
 * standard output. */
#ifndef COMMANDS_REPLAY_PRINT_H
#define COMMANDS_REPLAY_PRINT_H

#include "commands/replay.h"

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_PRINT_BYTES_MAX = 1 << 20 };

struct replay_output {
    bool json;
    bool text;        /* show the words of the evidence, and rules' messages */
    int64_t start_ms; /* of the call being printed */
    struct buf line;  /* initialised by the caller, at most REPLAY_PRINT_BYTES_MAX */
};

/* A replay_effect_fn with a struct replay_output as its user. */
void replay_print(void *user, const struct replay_moment *moment);

#endif
