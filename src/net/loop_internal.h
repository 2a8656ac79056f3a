/* net/loop_internal.h - watching file descriptors, for the other files of net/ only.
 *
 * The HTTP libraries bring their own sockets and ask to be called when one is ready. No libuv type
 * appears here either, so that loop.c is the only file that knows libuv.
 */
#ifndef NET_LOOP_INTERNAL_H
#define NET_LOOP_INTERNAL_H

#include "net/loop.h"

#include <stdbool.h>

struct loop_poll;

struct loop_ready {
    bool readable;
    bool writable;
    bool failed; /* the watch itself failed; the owner finds the reason by using the descriptor */
};

typedef void loop_poll_fn(void *user, int fd, struct loop_ready ready);

/* Watches nothing until loop_poll_set. The descriptor stays the caller's and must outlive the
 * watch. Level-triggered. */
int loop_poll_create(struct loop *loop, int fd, loop_poll_fn *fn, void *user,
                     struct loop_poll **poll, struct error *err);

/* Replaces what is watched for. */
void loop_poll_set(struct loop_poll *poll, bool readable, bool writable);

/* The descriptor may be closed right afterwards. Accepts NULL; fn does not run afterwards. */
void loop_poll_destroy(struct loop_poll *poll);

#endif
