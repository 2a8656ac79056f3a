/* mood/episode.h - when an alert opens, and when it has ended well.
 *
 *            low, and declining or long so            above for the hold
 *   calm  ------------------------------->  open  ------------------------->  calm
 *     ^                                                                        |
 *     +---- not before cooldown_ms after the delivery, or after the opening ---+
 *
 * Nor before cooldown_ms after a delivery elsewhere to the same customer (episode_cool).
 *
 * Low: the mean below the threshold, so many of the newest utterances low (recent.h), and the
 * newest not so good that a recovery may be under way. Declining: the trend (trend.h), and
 * confidently so (falling.h). Long so: the CUSUM past its limit (sustained.h).
 *
 * The condition is a level, not an edge: what opens an episode may have come true while a cooldown
 * or a missing score held it back.
 */
#ifndef MOOD_EPISODE_H
#define MOOD_EPISODE_H

#include "mood/reading.h"

enum episode_change {
    EPISODE_UNCHANGED,
    EPISODE_OPENED,
    EPISODE_RAISED,   /* open, and bad enough for a supervisor now */
    EPISODE_REMINDED, /* open, low, and not told of for remind_ms */
    EPISODE_RECOVERED,
};

struct episode {
    uint32_t number;  /* of the open or last one; 0 before the first */
    uint32_t numbers; /* given out so far, to rules too */
    bool is_open;
    bool is_delivered;
    bool is_cooling; /* cooling_from is set; whether it is over is a matter of the clock */
    bool is_above;   /* open, and the mean is above recover_above since above_since_ms */
    struct call_alert alert;
    int64_t above_since_ms;   /* event time, as are the next two */
    int64_t opened_ms;        /* of the open or last one */
    int64_t told_ms;          /* its opening, or the last reminder of it */
    struct mono cooling_from; /* the delivery, here or elsewhere, or until then the opening */
};

/* Decides once about a complete judgement of this transcript. event_now_ms is the newest judged
 * end, advanced by the time since it became known. */
enum episode_change episode_judge(struct episode *episode, const struct mood_policy *policy,
                                  const struct transcript *transcript,
                                  const struct judgement *judgement, struct call_now now,
                                  int64_t event_now_ms);

/* The next number, for an alert that is not an episode. */
uint32_t episode_take_number(struct episode *episode);

/* The suggestion of this alert was confirmed. Of episodes only the first confirmation of the open
 * or last one counts; a later number is a rule's, which cools down the same. */
void episode_deliver(struct episode *episode, uint32_t number, struct mono now);

/* A suggestion about the same customer was delivered at that time by another call. */
void episode_cool(struct episode *episode, struct mono delivered);

#endif
