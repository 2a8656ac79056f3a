/* session_save.c - a followed call as bytes for the store, and back in a later process. See
 * session.h and mood/call_save.h.
 *
 * What only this process can know is not kept: requests under way, quota, when to poll next.
 * Unclear outcomes stay on the safe side: a suggestion that was under way may have been shown and
 * is never sent again; an attribute write that was under way is made again, which does no harm. */
#include "flow/session_internal.h"

#include "mood/call_save.h"

#include <stdlib.h>
#include <string.h>

/* Form 1, without tiers, form 2, without rules, and form 3, without queue and language, are still
 * read. */
enum { SESSION_SAVE_VERSION = 4, HEAD_BYTES_MAX = 1 << 16, PAGES_BYTES_MAX = 1 << 24 };

static const char in_flight_text[] = "undertone ended while it was on its way";

/* Writes the number's digits, at most ten, without an end; returns how many. */
static size_t decimal(uint32_t number, char *out)
{
    uint32_t unit = 1;
    while (number / unit >= 10) {
        unit *= 10;
    }
    size_t size = 0;
    for (; unit > 0; unit /= 10) {
        out[size++] = (char)('0' + number / unit % 10);
    }
    return size;
}

void session_suggestion_key(const struct session *session, const struct session_options *options,
                            uint32_t episode, char out[KEYHASH_TEXT_BYTES])
{
    char identity[STORE_ID_BYTES + 16];
    size_t size = strnlen(session->interaction_id, STORE_ID_BYTES);
    memcpy(identity, session->interaction_id, size);
    identity[size++] = '\n';
    size += decimal(episode, identity + size);
    keyhash_text(&options->effect_key, identity, size, out);
}

void session_record(const struct session *session, struct store_call *record, bool closed)
{
    int64_t newest_ms = session->cursor.newest_end_ms;
    *record = (struct store_call){
        .newest_end_ms = newest_ms > session->floor_ms ? newest_ms : session->floor_ms,
        .episodes = session->episode_base + session->episodes,
        .closed = closed,
    };
    memcpy(record->interaction_id, session->interaction_id, STORE_ID_BYTES);
}

static enum store_suggestion_state kept_state(enum suggestion_state state)
{
    switch (state) {
    case SUGGESTION_IN_FLIGHT:
        return STORE_SUGGESTION_INTENDED;
    case SUGGESTION_SENT:
        return STORE_SUGGESTION_SENT;
    case SUGGESTION_UNKNOWN:
        return STORE_SUGGESTION_UNKNOWN;
    case SUGGESTION_DROPPED:
        return STORE_SUGGESTION_DROPPED;
    case SUGGESTION_NONE:
    case SUGGESTION_WAITING:
        break;
    }
    return STORE_SUGGESTION_WAITING;
}

bool session_suggestion(const struct session *session, const struct session_options *options,
                        struct store_suggestion *suggestion)
{
    const struct suggestion_outbox *outbox = &session->suggestions;
    if (outbox->state == SUGGESTION_NONE) {
        return false;
    }
    *suggestion = (struct store_suggestion){
        .episode = session->episode_base + outbox->episode,
        .state = kept_state(outbox->state),
    };
    session_suggestion_key(session, options, suggestion->episode, suggestion->idempotency_key);
    return true;
}

/* --- saving ---------------------------------------------------------------------------------- */

static void pack_family(const struct session *session, struct mono now, struct buf *out)
{
    const struct family *family = session->family;
    pack_text(out, family ? family->master_id : "");
    pack_u8(out, family && family->has_delivered);
    call_save_age(family && family->has_delivered ? family->delivered : now, now, out);
}

static void pack_attributes(const struct attribute_outbox *outbox, struct buf *out)
{
    pack_u8(out, outbox->has_wanted);
    call_save_reading(&outbox->wanted, out);
    pack_u8(out, outbox->has_sent && !outbox->in_flight);
    call_save_reading(&outbox->sent, out);
    pack_u8(out, outbox->abandoned);
}

static void pack_suggestion(const struct session *session, struct buf *out)
{
    pack_u8(out, (uint8_t)session->suggestions.state);
    pack_u32(out, session->suggestions.episode);
    pack_u32(out, session->suggestions.tries);
    call_save_reading(&session->alert_reading, out);
    call_save_alert(&session->alert, out);
}

/* Its length, then the rules' state; a process without rules passes over it. */
static void pack_cues(const struct session *session, struct buf *out)
{
    struct buf state;
    buf_init(&state, HEAD_BYTES_MAX);
    if (session->cues) {
        cues_save(session->cues, &state);
    }
    pack_u32(out, (uint32_t)state.size);
    buf_append(out, state.bytes, state.size);
    out->failed = out->failed || state.failed;
    buf_done(&state);
}

static void pack_session(const struct session *session, struct call_now now, struct buf *out)
{
    pack_u8(out, SESSION_SAVE_VERSION);
    pack_family(session, now.mono, out);
    pack_i64(out, now.vendor_ms);
    pack_text(out, session->transferred_from);
    pack_u8(out, session->phase == PHASE_ENDING);
    pack_u8(out, (uint8_t)session->end_reason);
    call_save_age(session->opened, now.mono, out);
    call_save_age(session->ending_since, now.mono, out);
    call_save_age(session->refreshed, now.mono, out);
    call_save_age(session->last_voice, now.mono, out);
    pack_u8(out, (uint8_t)session->sweeps_done);
    pack_u8(out, session->ended_told);
    pack_u8(out, (uint8_t)session->state);
    pack_i64(out, session->unmasked_ms);
    pack_i64(out, session->masked_from_ms);
    pack_u8(out, session->had_reply);
    pack_u8(out, session->listed);
    pack_i64(out, session->first_ms);
    pack_i64(out, session->floor_ms);
    pack_u32(out, session->episode_base);
    pack_u32(out, session->episodes);
    pack_i64(out, session->cursor.newest_end_ms);
    pack_i64(out, session->cursor.open_start_ms);
    pack_attributes(&session->attributes, out);
    pack_suggestion(session, out);
    pack_cues(session, out);
    pack_text(out, session->queue);
    pack_text(out, session->language);
    pack_u8(out, session->heard_language);
    call_save_head(session->call, now, out);
}

/* The pages one after the other in `bytes`; false without memory. */
static bool pack_pages(const struct call *call, struct buf *bytes, struct store_page **pages,
                       size_t *count)
{
    struct call_pages range = call_save_pages(call);
    size_t number = range.end - range.unsaved;
    *count = 0;
    *pages = calloc(number ? number : 1, sizeof **pages);
    for (uint32_t i = range.unsaved; *pages && i < range.end; i++) {
        size_t before = bytes->size;
        call_save_page(call, i, bytes);
        (*pages)[(*count)++] =
            (struct store_page){.number = i, .size = (uint32_t)(bytes->size - before)};
    }
    const char *at = bytes->bytes;
    for (size_t i = 0; i < *count && !bytes->failed; i++) {
        (*pages)[i].bytes = at;
        at += (*pages)[i].size;
    }
    return *pages && !bytes->failed;
}

bool session_save(struct session *session, const struct session_options *options,
                  struct call_now now, struct store_batch *batch)
{
    struct store_change change = {0};
    struct store_suggestion suggestion;
    struct store_page *pages = NULL;
    struct buf head;
    struct buf bytes;
    buf_init(&head, HEAD_BYTES_MAX);
    buf_init(&bytes, PAGES_BYTES_MAX);
    session_record(session, &change.call, false);
    pack_session(session, now, &head);
    bool packed = pack_pages(session->call, &bytes, &pages, &change.page_count) && !head.failed;
    change.head = head.bytes;
    change.head_bytes = head.size;
    change.pages = pages;
    if (session_suggestion(session, options, &suggestion)) {
        change.suggestion = &suggestion;
    }
    bool saved = packed && store_batch_add(batch, &change);
    if (saved) {
        call_save_done(session->call);
        session->unsaved = false;
    }
    free(pages);
    buf_done(&head);
    buf_done(&bytes);
    return saved;
}

/* --- restoring ------------------------------------------------------------------------------- */

static void take_family(struct unpack *in, struct session_kin *kin)
{
    unpack_text(in, kin->master_id, sizeof kin->master_id);
    kin->has_delivered = unpack_bool(in);
    kin->delivered_age_ms = unpack_i64(in);
    in->failed = in->failed || kin->delivered_age_ms < 0;
}

static void take_attributes(struct unpack *in, struct attribute_outbox *outbox)
{
    outbox->has_wanted = unpack_bool(in);
    call_save_take_reading(in, &outbox->wanted);
    outbox->has_sent = unpack_bool(in);
    call_save_take_reading(in, &outbox->sent);
    outbox->abandoned = unpack_bool(in);
}

static void take_suggestion(struct unpack *in, struct session *session, uint8_t version)
{
    session->suggestions.state = (enum suggestion_state)unpack_upto(in, SUGGESTION_DROPPED);
    session->suggestions.episode = unpack_u32(in);
    session->suggestions.tries = unpack_u32(in);
    call_save_take_reading(in, &session->alert_reading);
    if (version == 1) {
        session->alert.path = (enum call_alert_path)unpack_upto(in, CALL_ALERT_SUSTAINED_LOW);
    } else {
        call_save_take_alert(in, &session->alert);
    }
}

/* A state that cannot be used is none: the call goes on, its rules begin anew. */
static void take_cues(struct unpack *in, struct session *session, struct session_context *context)
{
    struct cues_rules *rules = context->options->rules;
    size_t size = unpack_u32(in);
    if (in->failed || size > in->left) {
        in->failed = true;
        return;
    }
    if (size > 0 && rules) {
        struct unpack state = unpack_from(in->at, size);
        session->cues = cues_restore(rules, context->options->mood.identity_key, &state, NULL);
        session->cues_begun = session->cues != NULL;
        session->next_cues = context->now.mono;
    }
    in->at += size;
    in->left -= size;
}

static int64_t take_time(struct unpack *in)
{
    const int64_t time_max = INT64_C(1) << 53;
    int64_t value = unpack_i64(in);
    in->failed = in->failed || value < -time_max || value > time_max;
    return in->failed ? 0 : value;
}

static void take_session(struct unpack *in, struct session *session,
                         struct session_context *context, struct session_kin *kin, uint8_t version)
{
    struct mono now = context->now.mono;
    take_family(in, kin);
    int64_t passed_ms = call_save_take_passed(in, context->now);
    kin->passed_ms = passed_ms;
    unpack_text(in, session->transferred_from, sizeof session->transferred_from);
    session->phase = unpack_bool(in) ? PHASE_ENDING : PHASE_LIVE;
    session->end_reason = (enum end_reason)unpack_upto(in, END_REASON_REMOVED);
    session->opened = call_save_take_age(in, now, passed_ms);
    session->ending_since = call_save_take_age(in, now, passed_ms);
    session->refreshed = call_save_take_age(in, now, passed_ms);
    session->last_voice = call_save_take_age(in, now, passed_ms);
    session->sweeps_done = unpack_upto(in, SESSION_SWEEPS);
    session->ended_told = unpack_bool(in);
    session->state = (enum cxone_call_state)unpack_upto(in, CXONE_CALL_ENDED);
    session->unmasked_ms = take_time(in);
    session->masked_from_ms = take_time(in);
    session->had_reply = unpack_bool(in);
    session->listed = unpack_bool(in);
    session->first_ms = take_time(in);
    session->floor_ms = take_time(in);
    session->episode_base = unpack_u32(in);
    session->episodes = unpack_u32(in);
    session->cursor.newest_end_ms = take_time(in);
    session->cursor.open_start_ms = take_time(in);
    take_attributes(in, &session->attributes);
    take_suggestion(in, session, version);
    if (version >= 3) {
        take_cues(in, session, context);
    }
    if (version >= 4) {
        unpack_text(in, session->queue, sizeof session->queue);
        unpack_text(in, session->language, sizeof session->language);
        session->heard_language = unpack_bool(in);
    }
}

static struct call *take_call(const struct unpack *in, const struct session_context *context,
                              const struct store_saved *saved, struct error *err)
{
    struct call_page *pages = calloc(saved->page_count ? saved->page_count : 1, sizeof *pages);
    if (!pages) {
        error_set(err, ERROR_MEMORY, "no memory to restore a call");
        return NULL;
    }
    for (size_t i = 0; i < saved->page_count; i++) {
        const struct store_page *page = &saved->pages[i];
        pages[i] = (struct call_page){page->number, page->bytes, page->size};
    }
    struct call *call = call_restore(&context->options->mood, context->now, in->at, in->left, pages,
                                     saved->page_count, err);
    free(pages);
    return call;
}

/* How long nobody ran is known by the clock on the wall alone, which may have been set meanwhile.
 * So a sweep that seems due is made at once, but the one that counts comes no sooner after the
 * restart than it would have come after the sweep before it. */
static void take_up_sweeps(struct session *session, const struct session_options *options,
                           struct mono now)
{
    unsigned done = session->sweeps_done;
    struct mono due = mono_after_ms(session->ending_since, options->sweep_after_ms[done]);
    struct mono latest = mono_after_ms(now, done > 0 ? -options->sweep_after_ms[done - 1] : 0);
    session->next_poll = due.us > now.us ? due : now;
    if (session->ending_since.us < latest.us) {
        session->ending_since = latest;
    }
}

/* When to look next, and what became of a suggestion that was on its way. */
static void go_on(struct session *session, struct session_context *context)
{
    const struct session_options *options = context->options;
    struct mono now = context->now.mono;
    session->next_tick = call_episode_open(session->call) ? now : session_never;
    if (session->phase == PHASE_LIVE) {
        session_join_schedule(session, context);
    }
    session->attributes.not_before = now;
    session->suggestions.not_before = now;
    session->attributes.final = session->ended_told;
    session->attributes.owes_summary = session->ended_told;
    /* A stop gives up soon; this process may have more luck. */
    session->attributes.abandoned = session->attributes.abandoned && session->ended_told;
    session->asked = true;
    session->unasked_ms = INT64_MAX;
    if (call_unasked(session->call, &session->unasked_ms) > 0) {
        session->had_reply = false; /* what it brings is judged when all of it is known */
        if (session->sweeps_done == SESSION_SWEEPS) {
            session->sweeps_done--; /* once more, for the words that were still being scored */
        }
    }
    if (session->phase == PHASE_ENDING && session->sweeps_done < SESSION_SWEEPS) {
        take_up_sweeps(session, options, now);
    }
    if (session->suggestions.state == SUGGESTION_IN_FLIGHT) {
        session->suggestions.state = SUGGESTION_UNKNOWN;
        struct effect *note = session_note(session, context, NOTE_SUGGESTION);
        if (note) {
            note->episode = session->episode_base + session->suggestions.episode;
            note->suggestion_state = SUGGESTION_UNKNOWN;
            note->reason = in_flight_text;
        }
        struct call_event event = {.kind = CALL_EVENT_DELIVERED,
                                   .episode = session->suggestions.episode};
        session_judge(session, context, &event);
    }
}

struct session *session_restore(struct session_context *context, uint64_t handle,
                                const struct store_saved *saved, uint64_t seed,
                                struct session_kin *kin, struct error *err)
{
    struct unpack in = unpack_from(saved->head, saved->head_bytes);
    *kin = (struct session_kin){0};
    uint8_t version = unpack_u8(&in);
    if (version == 0 || version > SESSION_SAVE_VERSION) {
        error_set(err, ERROR_UNSUPPORTED,
                  "a call was saved in form %u, this undertone knows those up to %u",
                  (unsigned)version, (unsigned)SESSION_SAVE_VERSION);
        return NULL;
    }
    struct session *session = session_blank(context, handle, saved->call.interaction_id, seed);
    if (!session) {
        error_set(err, ERROR_MEMORY, "no memory to restore a call");
        return NULL;
    }
    take_session(&in, session, context, kin, version);
    if (in.failed) {
        error_set(err, ERROR_FORMAT, "a saved call is not what a call can be");
    } else {
        session->unjudged = !language_set_knows(&context->options->languages, session->language);
        session->attributes.has_wanted = session->attributes.has_wanted && !session->unjudged;
        session->call = take_call(&in, context, saved, err);
    }
    if (!session->call) {
        session_destroy(session);
        return NULL;
    }
    go_on(session, context);
    return session;
}
