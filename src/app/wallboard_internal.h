/* app/wallboard_internal.h - the board's items, shared by wallboard.c (keeping them) and
 * wallboard_items.c (writing them). */
#ifndef APP_WALLBOARD_INTERNAL_H
#define APP_WALLBOARD_INTERNAL_H

#include "app/wallboard.h"
#include "base/map.h"

enum wallboard_kind { WALLBOARD_CALL, WALLBOARD_ALERT, WALLBOARD_GONE };

/* The head of every item, and its place in the list of changes. */
struct wallboard_item {
    enum wallboard_kind kind;
    uint64_t revision;
    struct wallboard_item *older;
    struct wallboard_item *newer;
};

struct wallboard_point {
    int64_t as_of_ms;
    int64_t score;
    uint64_t revision; /* of its call when it was added */
};

struct wallboard_alert {
    struct wallboard_item item;
    struct wallboard_call *call; /* whose latest alert this is; NULL for a past one */
    char id[STORE_ID_BYTES];
    uint64_t number; /* of this board, 1, 2, ... */
    uint32_t episode;
    struct call_alert alert;
    char rule[CUES_NAME_BYTES_MAX + 1]; /* its name, or "" */
    int64_t opened_ms;
    int64_t closed_ms; /* 0 while open */
    bool recovered;    /* closed because the mood did, not because the call ended */
    struct call_reading reading;
    struct call_evidence evidence[CALL_EVIDENCE_MAX];
    uint32_t evidence_count;
    struct segment said;            /* what a rule fired on: speaker and times, or zeroed */
    bool shows_words;               /* policy wants them, held or not */
    char *words[CALL_EVIDENCE_MAX]; /* of each evidence, owned; NULL: not held */
    char *said_words;               /* the same */
    enum suggestion_state suggestion;
    const char *feedback; /* the last word of somebody, or NULL */
};

struct wallboard_call {
    struct wallboard_item item;
    char id[STORE_ID_BYTES];
    int64_t followed_ms;
    struct mono refreshed;
    bool live;
    enum cxone_call_state state;
    char transferred_from[STORE_ID_BYTES]; /* the call it continues, or "" */
    char queue[SESSION_QUEUE_BYTES];       /* or "" */
    char language[LANGUAGE_BYTES];         /* or "" */
    bool judged;                           /* false: the model does not know its language */
    bool has_reading;
    struct call_reading reading;
    enum attribute_state attributes;
    int64_t late_ms;               /* when it was last read, if that is long ago; otherwise 0 */
    struct wallboard_alert *alert; /* its latest, or NULL */
    struct wallboard_point points[WALLBOARD_POINTS];
    size_t point_count;
};

struct wallboard_gone {
    struct wallboard_item item;
    char id[STORE_ID_BYTES];
};

struct wallboard_minute {
    int64_t minute; /* of the monotonic clock */
    uint64_t alerts;
    uint64_t scored;
    uint64_t scored_prompt;
};

struct wallboard {
    wallboard_words_fn *words; /* NULL: none are shown */
    void *words_user;
    struct map calls; /* id -> struct wallboard_call */
    struct wallboard_item *oldest;
    struct wallboard_item *newest;
    uint64_t revision;
    uint64_t forgotten; /* the newest revision of a gone call that is no longer remembered */
    size_t gone_count;
    size_t gone_max;
    uint64_t alert_count; /* ever */
    size_t past_count;    /* past alerts remembered */
    struct wallboard_minute minutes[WALLBOARD_MINUTES];
};

#endif
