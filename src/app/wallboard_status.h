/* app/wallboard_status.h - the page's header: counts, and what is wrong, in words. Pure. */
#ifndef APP_WALLBOARD_STATUS_H
#define APP_WALLBOARD_STATUS_H

#include "app/wallboard.h"

struct wallboard_health {
    struct cxone_status vendor;
    bool discovers;         /* live calls come from the vendor's list or webhook */
    int64_t discovery_pace; /* ms between two readings of the list */
    bool discovered;        /* it was read at least once */
    int64_t discovered_ago; /* ms since it was last read */
    size_t fixed_calls;     /* named in the configuration instead */
    bool shadow;            /* judges, writes nothing back */
    bool attributes_off;    /* by key or switch */
    bool suggestions_off;
    bool fuse_blown;
    bool scorer_behind; /* polling pauses for it */
    bool stopping;
    bool takes_feedback; /* there are an API and a log of decisions to keep it in */
    double alert_below; /* the line in every small chart, 0..1 */
};

/* Appends one JSON object; members are those of docs/WALLBOARD.md. */
void wallboard_status_write(const struct wallboard *board, const struct wallboard_health *health,
                            struct call_now now, struct buf *out);

#endif
