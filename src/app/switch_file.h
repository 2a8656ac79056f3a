/* app/switch_file.h - which writes are switched on, kept over restarts in a small file of its own:
 * the switch must work when the store does not. */
#ifndef APP_SWITCH_FILE_H
#define APP_SWITCH_FILE_H

#include "base/error.h"

#include <stdbool.h>

struct switch_state {
    bool attributes;
    bool suggestions;
};

/* Both on if there is no such file. One that cannot be read or is not understood is an error, and
 * then both are off: whoever switched them off had a reason. */
int switch_file_read(const char *path, struct switch_state *state, struct error *err);

/* Wholly or not at all; durable when it returns 0. */
int switch_file_write(const char *path, const struct switch_state *state, struct error *err);

#endif
