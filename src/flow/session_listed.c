/* session_listed.c - what the vendor's list says of one call: that it lives, is held, muted or
 * masked. See session.h.
 *
 * What is promised of masking: once a list that says "masked" has been read, no utterance that
 * ended in the mask reaches the scorer, a reading, an alert or a log line; before that, nobody told
 * us. Between two lists (discover.interval) an utterance may be scored; it is taken back when the
 * list comes. privacy.mask_hold waits with the newest words instead, until a list has had its
 * chance. A mask begun and ended between two lists is never seen. Of unclear times the one is taken
 * that masks more: without a beginning, the last time the call was listed as not masked. */
#include "flow/session_internal.h"

#include <string.h>

static int64_t earlier_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void take_mask(struct session *session, struct session_context *context,
                      const struct session_listing *listing)
{
    bool dated = listing->since_ms > 0;
    int64_t from_ms = dated ? listing->since_ms : session->unmasked_ms;
    if (from_ms > context->now.vendor_ms + context->options->mood.future_tolerance_ms) {
        from_ms = context->now.vendor_ms; /* more than two clocks can differ by */
    }
    bool is_news =
        session->state != CXONE_CALL_MASKED || (dated && from_ms < session->masked_from_ms);
    if (is_news) {
        struct call_event event = {.kind = CALL_EVENT_MASKED, .at_ms = from_ms};
        session->masked_from_ms = from_ms;
        session_judge(session, context, &event);
        session_cues_tell(session, context, CUES_MASKED, from_ms);
        session_mask_words(session, context, from_ms);
    }
}

static void end_mask(struct session *session, struct session_context *context,
                     const struct session_listing *listing)
{
    int64_t now_ms = context->now.vendor_ms;
    bool dated = listing->since_ms > session->masked_from_ms;
    int64_t latest_ms = now_ms + context->options->mood.future_tolerance_ms;
    struct call_event event = {
        .kind = CALL_EVENT_UNMASKED,
        .at_ms = dated ? earlier_ms(listing->since_ms, latest_ms) : now_ms,
    };
    session_judge(session, context, &event);
}

/* Silence on hold is nobody's: afterwards it counts from the resumption. */
static void end_hold(struct session *session, struct session_context *context)
{
    struct call_event event = {.kind = CALL_EVENT_RESUMED};
    session->last_voice = context->now.mono;
    if (session->phase == PHASE_LIVE) {
        session->next_poll = context->now.mono;
    }
    session_judge(session, context, &event);
    session_cues_tell(session, context, CUES_RESUMED, 0);
}

static void take_state(struct session *session, struct session_context *context,
                       const struct session_listing *listing)
{
    enum cxone_call_state before = session->state;
    if (listing->state == CXONE_CALL_UNSAID || listing->state == CXONE_CALL_ENDED) {
        return;
    }
    if (listing->state == CXONE_CALL_MASKED) {
        take_mask(session, context, listing);
    } else {
        if (before == CXONE_CALL_MASKED) {
            end_mask(session, context, listing);
        }
        session->unmasked_ms = listing->asked_ms;
    }
    session->state = listing->state;
    if (session->state == before) {
        return;
    }
    if (session->state == CXONE_CALL_HELD) {
        struct call_event event = {.kind = CALL_EVENT_HELD};
        session_judge(session, context, &event);
        session_cues_tell(session, context, CUES_HELD, 0);
    } else if (before == CXONE_CALL_HELD) {
        end_hold(session, context);
    }
    struct effect *note = session_note(session, context, NOTE_CALL_STATE);
    if (note) {
        note->state = session->state;
    }
}

void session_on_listed(struct session *session, struct session_context *context,
                       const struct session_listing *listing)
{
    session->listed = true;
    if (session->phase == PHASE_ENDING && !session->ended_told) {
        session->phase = PHASE_LIVE; /* it was only gone for a moment */
        session->attributes.owes_summary = false;
        session->next_cues = context->now.mono;
        session->not_found = 0;
        session_join_schedule(session, context);
        session->next_poll = context->now.mono;
        session_note(session, context, NOTE_CALL_RETURNED);
    }
    take_state(session, context, listing);
}

/* --- family ---------------------------------------------------------------------------------- */

void session_join(struct session *session, struct family *family)
{
    if (session->family && session->family->has_delivered) {
        family_deliver(family, session->family->delivered);
    }
    session->family = family;
    memcpy(family->newest_id, session->interaction_id, STORE_ID_BYTES);
}

void session_heed_family(struct session *session, struct session_context *context)
{
    const struct family *family = session->family;
    if (!family || !family->has_delivered || family->delivered.us <= session->cooled_from.us) {
        return;
    }
    session->cooled_from = family->delivered;
    struct call_event event = {.kind = CALL_EVENT_COOL, .delivered = family->delivered};
    if (!call_step(session->call, context->now, &event, context->call_effects)) {
        context->effects->failed = true;
    }
    suggestion_outbox_postpone(
        &session->suggestions,
        mono_after_ms(family->delivered, context->options->mood.cooldown_ms));
}
