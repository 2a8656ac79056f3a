/* app/daemon_decisions.h - what is written to the log of decisions (decisions/decision_log.h): each
 * alert with all that led to it, what became of it, what people said of it, and what was in force.
 * Calls are named by the same keyed hashes as in the log; nothing that was said is in it. */
#ifndef APP_DAEMON_DECISIONS_H
#define APP_DAEMON_DECISIONS_H

#include "app/daemon_internal.h"

struct daemon_decisions;

/* Once the model is loaded. Without decisions.path nothing is kept, and all below do nothing. */
int daemon_decisions_create(struct daemon *daemon, struct error *err);
void daemon_decisions_destroy(struct daemon_decisions *self); /* accepts NULL */

bool daemon_decisions_is_on(const struct daemon *daemon);

/* Once the calls of an earlier run are followed on: writes the lines that it was killed before. */
void daemon_decisions_restore(struct daemon *daemon);

/* Another configuration is in force: by whom it was changed, and how. */
void daemon_decisions_configured(struct daemon *daemon, const char *changed);

/* What the pipeline notes, when it is durable. */
void daemon_decisions_note(struct daemon *daemon, const struct effect *note);

/* The switch or the fuse has changed. */
void daemon_decisions_switched(struct daemon *daemon, const char *by);

/* What somebody says of an alert; `by` may be NULL and is hashed. False if it could not be kept. */
bool daemon_decisions_feedback(struct daemon *daemon, const char *interaction_id, uint32_t alert,
                               const char *feedback, const char *by);

#endif
