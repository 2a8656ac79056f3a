/* app/daemon_rules.h - the rules beside the mood that are in force, and their file.
 *
 * The file is looked at every two seconds and after each reload, and read when it has changed; one
 * that cannot be used is told and the rules in force stay. Running calls keep what their rules know
 * of them (cues/cues.h). */
#ifndef APP_DAEMON_RULES_H
#define APP_DAEMON_RULES_H

#include "app/daemon_internal.h"

struct daemon_rules;

/* Fails when `rules.path` names a file that cannot be used: at the start that is a mistake. */
int daemon_rules_create(struct daemon *daemon, struct error *err);
void daemon_rules_destroy(struct daemon_rules *self); /* accepts NULL */

/* The configuration has been read again. To be called before the pipeline is given its options. */
void daemon_rules_refresh(struct daemon *daemon);

/* Those in force, borrowed; NULL for none. */
struct cues_rules *daemon_rules_in_force(const struct daemon *daemon);

#endif
