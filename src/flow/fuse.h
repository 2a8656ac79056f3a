/* flow/fuse.h - stops all suggestions when there are far too many of them; pure.
 *
 * A model gone wrong, a field mapped to the wrong speaker, a crisis that everybody is on the phone
 * about: hints that every agent gets help nobody. The fuse blows when more suggestions are about to
 * leave within a minute than the limit says, or when too large a share of the calls is under an
 * alert at once. It holds until it is reset, or for reset_after_ms. */
#ifndef FLOW_FUSE_H
#define FLOW_FUSE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUSE_SECONDS = 60 };

struct fuse_limits {
    uint32_t per_minute;    /* 0: no limit */
    double share;           /* of the calls under an alert, 0..1; 0: no limit */
    size_t calls_min;       /* with fewer a share says nothing */
    int64_t reset_after_ms; /* 0: only by fuse_reset */
};

enum fuse_reason { FUSE_WHOLE, FUSE_TOO_MANY, FUSE_TOO_LARGE_A_SHARE };

struct fuse {
    struct fuse_limits limits;
    enum fuse_reason reason;     /* FUSE_WHOLE: not blown */
    struct mono blown;           /* when */
    uint32_t sent[FUSE_SECONDS]; /* by the second they left in */
    int64_t second;              /* the newest of them */
    uint32_t sum;                /* of sent */
};

void fuse_init(struct fuse *fuse, const struct fuse_limits *limits);
void fuse_set_limits(struct fuse *fuse, const struct fuse_limits *limits);

/* A suggestion is about to leave: whether it may. It is counted if so. */
bool fuse_allow(struct fuse *fuse, struct mono now);

/* So many calls are followed, so many of them under an alert. Also ends a blown fuse's time. */
void fuse_watch(struct fuse *fuse, size_t calls, size_t alerting, struct mono now);

/* Suggestions may leave again, and counting begins anew. */
void fuse_reset(struct fuse *fuse);

const char *fuse_reason_name(enum fuse_reason reason); /* "whole", "too_many", ... */

#endif
