/* suggestion_outbox.c - see suggestion_outbox.h. */
#include "flow/suggestion_outbox.h"

void suggestion_outbox_open(struct suggestion_outbox *outbox, uint32_t episode, struct mono now)
{
    *outbox = (struct suggestion_outbox){
        .state = SUGGESTION_WAITING, .episode = episode, .not_before = now};
}

bool suggestion_outbox_withdraw(struct suggestion_outbox *outbox)
{
    if (outbox->state != SUGGESTION_WAITING) {
        return false;
    }
    outbox->state = SUGGESTION_DROPPED;
    return true;
}

void suggestion_outbox_postpone(struct suggestion_outbox *outbox, struct mono until)
{
    if (outbox->not_before.us < until.us) {
        outbox->not_before = until;
    }
}

bool suggestion_outbox_due(const struct suggestion_outbox *outbox, struct mono *due)
{
    *due = outbox->not_before;
    return outbox->state == SUGGESTION_WAITING;
}

void suggestion_outbox_send(struct suggestion_outbox *outbox)
{
    outbox->state = SUGGESTION_IN_FLIGHT;
    outbox->tries++;
}

enum suggestion_state suggestion_outbox_done(struct suggestion_outbox *outbox,
                                             const struct suggestion_limits *limits,
                                             const struct cxone_result *result, struct mono now,
                                             struct rand *rand)
{
    int64_t wait_ms = backoff_wait_ms(&limits->backoff, outbox->tries - 1, rand);
    switch (result->outcome) {
    case CXONE_OK:
    case CXONE_EMPTY:
        outbox->state = SUGGESTION_SENT;
        return outbox->state;
    case CXONE_UNKNOWN:
    case CXONE_CANCELLED:
    case CXONE_MALFORMED:
        outbox->state = SUGGESTION_UNKNOWN;
        return outbox->state;
    case CXONE_ENDED:
    case CXONE_REFUSED:
        outbox->state = SUGGESTION_DROPPED;
        return outbox->state;
    case CXONE_DENIED:
        wait_ms = limits->denied_wait_ms;
        break;
    case CXONE_THROTTLED:
    case CXONE_FAILED:
        break;
    }
    if (outbox->tries >= limits->tries_max) {
        outbox->state = SUGGESTION_DROPPED;
        return outbox->state;
    }
    if (wait_ms < result->retry_after_ms) {
        wait_ms = result->retry_after_ms;
    }
    outbox->state = SUGGESTION_WAITING;
    outbox->not_before = mono_after_ms(now, wait_ms);
    return outbox->state;
}

bool suggestion_outbox_settled(const struct suggestion_outbox *outbox)
{
    return outbox->state != SUGGESTION_WAITING && outbox->state != SUGGESTION_IN_FLIGHT;
}

const char *suggestion_state_name(enum suggestion_state state)
{
    switch (state) {
    case SUGGESTION_NONE:
        return "none";
    case SUGGESTION_WAITING:
        return "waiting";
    case SUGGESTION_IN_FLIGHT:
        return "in_flight";
    case SUGGESTION_SENT:
        return "sent";
    case SUGGESTION_UNKNOWN:
        return "unknown";
    case SUGGESTION_DROPPED:
        return "dropped";
    }
    return "none";
}
