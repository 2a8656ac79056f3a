/* flow/attribute_outbox.h - what the vendor should show for one call, and when to say so. Pure.
 *
 * Latest wins: a newer reading replaces one that has not left yet. Writes are at least
 * min_interval apart, an unchanged reading writes nothing (so silence writes nothing), and the
 * final reading is always flushed. A write is the full value of our keys, so repeating one after
 * an unclear outcome is harmless.
 */
#ifndef FLOW_ATTRIBUTE_OUTBOX_H
#define FLOW_ATTRIBUTE_OUTBOX_H

#include "base/backoff.h"
#include "base/clock.h"
#include "cxone/cxone.h"
#include "mood/call.h"

#include <stdbool.h>

struct attribute_limits {
    int64_t min_interval_ms;
    int64_t min_delta;      /* fixed point: a smaller change of score alone is not worth a write */
    bool summarise;         /* what is written of a call that is over holds its summary */
    bool counts_matter;     /* the count of utterances is written too, so its change is a change */
    int64_t denied_wait_ms; /* after a 403, or a refusal, until the next try */
    unsigned final_tries_max; /* attempts for the last value of a call that is over */
    struct backoff_limits backoff;
};

struct attribute_outbox {
    struct call_reading wanted;
    struct call_reading sent;
    bool has_wanted;
    bool has_sent;
    bool final; /* the call is over: flush exactly */
    bool owes_summary;
    bool writes_summary; /* the write under way holds it */
    bool in_flight;      /* a write of `writing` is under way */
    bool abandoned;      /* the vendor no longer knows the call, or the last tries failed */
    unsigned failures;
    struct call_reading writing;
    struct mono not_before;
};

void attribute_outbox_want(struct attribute_outbox *outbox, const struct call_reading *reading);

/* Nothing is wanted any more; what is under way cannot be stopped. */
void attribute_outbox_forget(struct attribute_outbox *outbox);

/* The call is over: whatever is wanted goes out exactly, then nothing more. */
void attribute_outbox_finish(struct attribute_outbox *outbox);

/* The call is over, not just this process: a summary is owed, if there is a reading at all, and
 * what is under way does not hold it. */
void attribute_outbox_summarise(struct attribute_outbox *outbox);

/* Whether a write is owed; then *due is the earliest time for it. */
bool attribute_outbox_due(const struct attribute_outbox *outbox,
                          const struct attribute_limits *limits, struct mono *due);

/* A write leaves now; the value to send. */
const struct call_reading *attribute_outbox_send(struct attribute_outbox *outbox,
                                                 const struct attribute_limits *limits,
                                                 struct mono now);

void attribute_outbox_done(struct attribute_outbox *outbox, const struct attribute_limits *limits,
                           const struct cxone_result *result, struct mono now, struct rand *rand);

/* For display. */
enum attribute_state {
    ATTRIBUTE_NONE,     /* nothing to write so far */
    ATTRIBUTE_WRITTEN,  /* the vendor has a reading, and a newer one goes out in its turn */
    ATTRIBUTE_RETRYING, /* the last try failed */
    ATTRIBUTE_LOST,     /* given up */
};
enum attribute_state attribute_outbox_state(const struct attribute_outbox *outbox);
const char *attribute_state_name(enum attribute_state state); /* "none", "written", ... */

/* Nothing is under way and nothing is owed. */
bool attribute_outbox_settled(const struct attribute_outbox *outbox,
                              const struct attribute_limits *limits);

#endif
