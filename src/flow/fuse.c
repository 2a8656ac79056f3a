/* fuse.c - see fuse.h. The minute slides in steps of a second. */
#include "flow/fuse.h"

#include <string.h>

void fuse_init(struct fuse *fuse, const struct fuse_limits *limits)
{
    *fuse = (struct fuse){.limits = *limits};
}

void fuse_set_limits(struct fuse *fuse, const struct fuse_limits *limits)
{
    fuse->limits = *limits;
}

/* Forgets the seconds that have left the minute. */
static void slide(struct fuse *fuse, struct mono now)
{
    int64_t second = now.us / 1000000;
    if (second - fuse->second >= FUSE_SECONDS) {
        memset(fuse->sent, 0, sizeof fuse->sent);
        fuse->sum = 0;
        fuse->second = second;
    }
    while (fuse->second < second) {
        fuse->second++;
        fuse->sum -= fuse->sent[fuse->second % FUSE_SECONDS];
        fuse->sent[fuse->second % FUSE_SECONDS] = 0;
    }
}

static void blow(struct fuse *fuse, enum fuse_reason reason, struct mono now)
{
    if (fuse->reason == FUSE_WHOLE) {
        fuse->reason = reason;
        fuse->blown = now;
    }
}

static void end_in_time(struct fuse *fuse, struct mono now)
{
    int64_t after_ms = fuse->limits.reset_after_ms;
    if (fuse->reason != FUSE_WHOLE && after_ms > 0 &&
        mono_reached(now, mono_after_ms(fuse->blown, after_ms))) {
        fuse_reset(fuse);
    }
}

bool fuse_allow(struct fuse *fuse, struct mono now)
{
    end_in_time(fuse, now);
    slide(fuse, now);
    if (fuse->limits.per_minute > 0 && fuse->sum >= fuse->limits.per_minute) {
        blow(fuse, FUSE_TOO_MANY, now);
    }
    if (fuse->reason != FUSE_WHOLE) {
        return false;
    }
    fuse->sent[fuse->second % FUSE_SECONDS]++;
    fuse->sum++;
    return true;
}

void fuse_watch(struct fuse *fuse, size_t calls, size_t alerting, struct mono now)
{
    const struct fuse_limits *limits = &fuse->limits;
    end_in_time(fuse, now);
    if (limits->share > 0 && calls >= limits->calls_min &&
        (double)alerting >= limits->share * (double)calls) {
        blow(fuse, FUSE_TOO_LARGE_A_SHARE, now);
    }
}

void fuse_reset(struct fuse *fuse)
{
    struct fuse_limits limits = fuse->limits;
    fuse_init(fuse, &limits);
}

const char *fuse_reason_name(enum fuse_reason reason)
{
    static const char *const names[] = {"whole", "too_many", "too_large_a_share"};
    return names[reason];
}
