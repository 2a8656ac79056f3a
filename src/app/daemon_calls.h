/* app/daemon_calls.h - calls that are followed because they are named one by one: the configured
 * list, the file of calls, a request to the API, the vendor's webhook. The vendor's list
 * (daemon_effects.c) stands beside it.
 *
 * A call is followed from the first of these that names it, and is over when the last no longer
 * does: then its last words are swept and it is closed, as if the vendor had said so. */
#ifndef APP_DAEMON_CALLS_H
#define APP_DAEMON_CALLS_H

#include "app/daemon_internal.h"

struct daemon_calls;

int daemon_calls_create(struct daemon *daemon, struct error *err);
void daemon_calls_destroy(struct daemon_calls *calls); /* accepts NULL */

/* Follows what the configuration and its file name now, and watches the file. Called at the start
 * and after each reload. */
void daemon_calls_refresh(struct daemon *daemon);

/* Whether one of these names the call. */
bool daemon_calls_names(const struct daemon *daemon, const char *interaction_id);

enum daemon_calls_answer {
    DAEMON_CALLS_DONE,
    DAEMON_CALLS_ALREADY, /* followed before; it is kept alive by this request too */
    DAEMON_CALLS_FULL,    /* discover.max */
    DAEMON_CALLS_BUSY,    /* it is being closed, or was a moment ago: ask again */
    DAEMON_CALLS_UNKNOWN, /* not followed */
    DAEMON_CALLS_LISTED,  /* another source names it, so it cannot be ended here */
};

/* By request. The texts have been checked; master_id may be NULL. What is said of a call that is
 * followed already counts from now on. */
enum daemon_calls_answer daemon_calls_add(struct daemon *daemon, const char *interaction_id,
                                          const char *master_id,
                                          const struct session_traits *traits);
enum daemon_calls_answer daemon_calls_remove(struct daemon *daemon, const char *interaction_id);

/* By the vendor's webhook: a call that is being closed is followed again afterwards. Of its
 * queue and language ("" for none) is taken what can be used. */
enum daemon_calls_answer daemon_calls_announce(struct daemon *daemon, const char *interaction_id,
                                               const char *master_id,
                                               const struct session_traits *traits);

/* The vendor says that it is over, which holds whoever else names it; false if it was not live. */
bool daemon_calls_end(struct daemon *daemon, const char *interaction_id);

/* A call was closed: a request for it is fulfilled. */
void daemon_calls_closed(struct daemon *daemon, const char *interaction_id);

#endif
