/* app/daemon_wallboard.h - serves the supervisors' page and keeps its model up to date.
 *
 *     /                       the page, with /wallboard.css, /wallboard.js and /icon.svg
 *     /events                 server-sent events: items as they change, the status each second
 *     /api/calls              the same as one JSON object
 */
#ifndef APP_DAEMON_WALLBOARD_H
#define APP_DAEMON_WALLBOARD_H

#include "app/daemon_internal.h"

struct daemon_wallboard;

/* The daemon must outlive it, its loop and pipeline with it. */
int daemon_wallboard_create(struct daemon_wallboard **wallboard, struct daemon *daemon,
                            struct error *err);
void daemon_wallboard_destroy(struct daemon_wallboard *wallboard); /* accepts NULL */

/* What the pipeline notes, each utterance scored, and what people say of alerts. Accept NULL. */
void daemon_wallboard_note(struct daemon_wallboard *wallboard, const struct effect *note);
void daemon_wallboard_answer(struct daemon_wallboard *wallboard, const struct score_answer *answer);
/* The word outlives the daemon. */
void daemon_wallboard_feedback(struct daemon_wallboard *wallboard, const char *interaction_id,
                               uint32_t alert, const char *word);

/* Answers the exchange if its path is one of the above; false otherwise. */
bool daemon_wallboard_serve(struct daemon_wallboard *wallboard, struct http_exchange *exchange);

#endif
