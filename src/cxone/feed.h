/* cxone/feed.h - the vendor's transcript socket behind the face of polls. Loop thread only.
 * EXPERIMENTAL, and off unless an address is configured.
 *
 * What the socket pushes is kept for some minutes per call, and a poll of that call is answered
 * from there: so nothing above knows whether a transcript was pushed or fetched. Polls go out as
 * usual while the socket is not open, and once for each call after it was subscribed to, because
 * what was said before then is never pushed.
 */
#ifndef CXONE_FEED_H
#define CXONE_FEED_H

#include "base/error.h"
#include "cxone/cxone.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;

/* The token to log in with, borrowed, or NULL while there is none. */
typedef const char *feed_token_fn(void *user);

struct feed_options {
    const struct cxone_socket *socket; /* borrowed */
    int64_t connect_ms;
    uint64_t seed;
    feed_token_fn *token;
    cxone_event_fn *on_event; /* may be NULL */
    void *event_user;
    void *user; /* for token */
};

int feed_create(struct feed **feed, struct loop *loop, const struct feed_options *options,
                struct error *err);
void feed_destroy(struct feed *feed); /* accepts NULL */

enum feed_answer {
    FEED_ANSWERS, /* feed_read has what the call said */
    FEED_MISSES,  /* a poll must say what was said before the socket told it */
    FEED_WAITS,   /* the socket is not open, or not subscribed to this call */
};

/* Subscribes to a call that is asked about for the first time. */
enum feed_answer feed_ask(struct feed *feed, const char *interaction_id);

/* The segments that end at start_ms or later, into the result of a poll; borrowed until the loop's
 * next turn. */
void feed_read(struct feed *feed, const char *interaction_id, int64_t start_ms,
               struct cxone_result *result);

/* A poll that left at `sent` was answered. */
void feed_polled(struct feed *feed, const char *interaction_id, struct mono sent);

#endif
