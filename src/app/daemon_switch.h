/* app/daemon_switch.h - what stops writes while running: the switch, by request or signal, and the
 * fuse (flow/fuse.h). Calls are judged and shown all the same. */
#ifndef APP_DAEMON_SWITCH_H
#define APP_DAEMON_SWITCH_H

#include "app/daemon_internal.h"
#include "app/switch_file.h"

struct daemon_switch;

/* What an earlier run was told is in force again, with store.path. */
int daemon_switch_create(struct daemon *daemon, struct error *err);
void daemon_switch_destroy(struct daemon_switch *self); /* accepts NULL */

/* Signals for it: SIGUSR1 switches all writes off, SIGUSR2 on. */
int daemon_switch_listen(struct daemon *daemon, struct error *err);

/* The switch as it was set. */
struct switch_state daemon_switch_state(const struct daemon *daemon);

/* In force at once; ERROR_IO if it cannot be kept for the next run. `by` is for the log. */
int daemon_switch_set(struct daemon *daemon, const struct switch_state *state, const char *by,
                      struct error *err);

/* What leaves in the end: mode, keys and switch together; the fuse apart. */
struct switch_state daemon_switch_effective(const struct daemon *daemon);

/* Tells the connection and the pipeline; after a reload too. */
void daemon_switch_apply(struct daemon *daemon);

/* Tells of a fuse that has blown or is whole again; after each step. */
void daemon_switch_watch_fuse(struct daemon *daemon);
void daemon_switch_reset_fuse(struct daemon *daemon);

#endif
