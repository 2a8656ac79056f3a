/* attribute_outbox.c - see attribute_outbox.h. */
#include "flow/attribute_outbox.h"

enum { BLAMELESS_SPREAD_MS = 2000 };

void attribute_outbox_want(struct attribute_outbox *outbox, const struct call_reading *reading)
{
    outbox->wanted = *reading;
    outbox->has_wanted = true;
}

void attribute_outbox_forget(struct attribute_outbox *outbox)
{
    outbox->has_wanted = false;
}

void attribute_outbox_finish(struct attribute_outbox *outbox)
{
    outbox->final = true;
    outbox->failures = 0;
}

void attribute_outbox_summarise(struct attribute_outbox *outbox)
{
    outbox->owes_summary = true;
    outbox->writes_summary = false; /* not this one */
}

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static bool differs(const struct attribute_outbox *outbox, const struct attribute_limits *limits)
{
    const struct call_reading *wanted = &outbox->wanted;
    const struct call_reading *sent = &outbox->sent;
    if (!outbox->has_wanted) {
        return false;
    }
    if (limits->summarise && outbox->owes_summary) {
        return true;
    }
    if (!outbox->has_sent || wanted->trend != sent->trend ||
        (limits->counts_matter && wanted->utterances != sent->utterances)) {
        return true;
    }
    int64_t change = magnitude(wanted->score - sent->score);
    return change > 0 && (outbox->final || change >= limits->min_delta);
}

bool attribute_outbox_due(const struct attribute_outbox *outbox,
                          const struct attribute_limits *limits, struct mono *due)
{
    if (outbox->in_flight || outbox->abandoned || !differs(outbox, limits)) {
        return false;
    }
    *due = outbox->not_before;
    return true;
}

const struct call_reading *attribute_outbox_send(struct attribute_outbox *outbox,
                                                 const struct attribute_limits *limits,
                                                 struct mono now)
{
    outbox->writing = outbox->wanted;
    outbox->writes_summary = limits->summarise && outbox->owes_summary;
    outbox->in_flight = true;
    outbox->not_before = mono_after_ms(now, limits->min_interval_ms);
    return &outbox->writing;
}

static void note_failure(struct attribute_outbox *outbox, const struct attribute_limits *limits,
                         int64_t wait_ms, struct mono now)
{
    outbox->failures++;
    outbox->not_before = mono_later(outbox->not_before, mono_after_ms(now, wait_ms));
    if (outbox->final && outbox->failures >= limits->final_tries_max) {
        outbox->abandoned = true;
    }
}

void attribute_outbox_done(struct attribute_outbox *outbox, const struct attribute_limits *limits,
                           const struct cxone_result *result, struct mono now, struct rand *rand)
{
    outbox->in_flight = false;
    switch (result->outcome) {
    case CXONE_OK:
    case CXONE_EMPTY:
        outbox->sent = outbox->writing;
        outbox->has_sent = true;
        outbox->failures = 0;
        outbox->owes_summary = outbox->owes_summary && !outbox->writes_summary;
        return;
    case CXONE_ENDED: /* of a call that is not over it may be a mistake, as with polls */
        if (outbox->final) {
            outbox->abandoned = true;
        } else {
            note_failure(outbox, limits, limits->denied_wait_ms, now);
        }
        return;
    case CXONE_REFUSED: /* the same value would be refused again: wait for another one */
        outbox->sent = outbox->writing;
        outbox->has_sent = true;
        note_failure(outbox, limits, limits->denied_wait_ms, now);
        return;
    case CXONE_DENIED:
        note_failure(outbox, limits, limits->denied_wait_ms, now);
        return;
    case CXONE_THROTTLED:
    case CXONE_FAILED:
    case CXONE_UNKNOWN:
    case CXONE_MALFORMED:
    case CXONE_CANCELLED:
        break;
    }
    if (result->blameless && result->retry_after_ms >= 0) { /* not this value's turn to fail */
        int64_t spread_ms = (int64_t)rand_below(rand, BLAMELESS_SPREAD_MS);
        outbox->not_before =
            mono_later(outbox->not_before, mono_after_ms(now, result->retry_after_ms + spread_ms));
        return;
    }
    int64_t wait_ms = backoff_wait_ms(&limits->backoff, outbox->failures, rand);
    note_failure(outbox, limits,
                 result->retry_after_ms > wait_ms ? result->retry_after_ms : wait_ms, now);
}

bool attribute_outbox_settled(const struct attribute_outbox *outbox,
                              const struct attribute_limits *limits)
{
    return !outbox->in_flight && (outbox->abandoned || !differs(outbox, limits));
}

enum attribute_state attribute_outbox_state(const struct attribute_outbox *outbox)
{
    if (outbox->abandoned) {
        return ATTRIBUTE_LOST;
    }
    if (outbox->failures > 0) {
        return ATTRIBUTE_RETRYING;
    }
    return outbox->has_sent ? ATTRIBUTE_WRITTEN : ATTRIBUTE_NONE;
}

const char *attribute_state_name(enum attribute_state state)
{
    static const char *const names[] = {"none", "written", "retrying", "lost"};
    return names[state];
}
