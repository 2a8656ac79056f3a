/* calls.c - see calls.h.
 *
 * A call's id, conversation, entry point and timeline depend on the seed and its ordinal alone.
 * The list is walked on each tick; a request brings only its own call up to date, so that the
 * ledger has an utterance before any reply that shows it. Nothing is archived: an expired call
 * is gone.
 */
#include "sim/calls.h"

#include "base/rand.h"
#include "sim/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_KEPT_MAX = 1 << 20, TRANSFER_MS = 2000 };

static const uint64_t CALL_SALT = 0x63616c6c;
static const uint64_t LIFE_SALT = 0x6c696665;
static const uint64_t ODD_SALT = 0x6f6464;
static const uint64_t CONTACT_FIRST = 453000000000;

void calls_init(struct calls *calls, const struct options *options, const struct corpus *corpus,
                struct ledger *ledger)
{
    *calls = (struct calls){.options = options, .corpus = corpus, .ledger = ledger};
    map_init(&calls->by_id, CALLS_KEPT_MAX);
}

static void call_destroy(struct call *call)
{
    if (call != NULL) {
        timeline_done(&call->timeline);
        conversation_done(&call->rest);
        attributes_done(&call->attributes);
        free(call);
    }
}

const char *calls_uuid(uint64_t seed, uint64_t ordinal, char out[CALLS_UUID_BYTES])
{
    struct rand rand;
    rand_seed(&rand, rand_mix(rand_mix(seed) + ordinal));
    uint64_t high = rand_u64(&rand);
    uint64_t low = rand_u64(&rand);
    high = (high & ~(uint64_t)0xf000) | 0x4000;             /* version 4 */
    low = (low & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62; /* variant 10 */
    snprintf(out, CALLS_UUID_BYTES,
             "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, high >> 32,
             (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffff);
    return out;
}

void calls_odd_id(uint64_t seed, uint64_t ordinal, char out[OPTIONS_ID_BYTES_MAX + 1])
{
    static const char *const forms[] = {
        "call %llu / north wing",
        "%%2F%llu%%00%%zz",
        "../%llu/transcripts",
        "a?b=%llu&c#d;e",
        "\u0437\u0432\u043e\u043d\u043e\u043a-%llu \u260e",
        " %llu leading and trailing ",
        "\"quoted\" \\%llu\\",
        "+%llu+\u00a0\U0001f4de",
        "{%llu}[]|^`~<>:@!$'()*,=",
    };
    enum { FORMS = sizeof forms / sizeof forms[0] };
    uint64_t form = rand_mix(rand_mix(seed ^ ODD_SALT) + ordinal) % (FORMS + 1);
    unsigned long long number = (unsigned long long)ordinal;
    if (form == FORMS) { /* as long as an id may be */
        int bytes = snprintf(out, OPTIONS_ID_BYTES_MAX + 1, "long-%llu-", number);
        memset(out + bytes, '%', (size_t)(OPTIONS_ID_BYTES_MAX - bytes));
        out[OPTIONS_ID_BYTES_MAX] = '\0';
        return;
    }
    size_t at = 0;
    for (const char *from = forms[form]; *from != '\0'; from++) {
        if (strncmp(from, "%llu", 4) == 0) {
            at += (size_t)snprintf(out + at, OPTIONS_ID_BYTES_MAX + 1 - at, "%llu", number);
            from += 3;
        } else if (from[0] == '%' && from[1] == '%') {
            out[at++] = *from++;
        } else {
            out[at++] = *from;
        }
    }
    out[at] = '\0';
}

/* What a call begins with. */
struct beginning {
    int64_t offset_ms;
    uint64_t seed;
    struct call *before; /* whose conversation it takes over, or NULL */
};

static void record_call(struct calls *calls, const struct call *call, const char *conversation,
                        const struct beginning *beginning)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_STARTED);
    if (w == NULL) {
        return;
    }
    json_write_member_text(w, "call", call->id);
    json_write_member_text(w, "source", corpus_source_name(call->source));
    json_write_member_text(w, "conversation", conversation);
    json_write_member_text(w, "master", call->master);
    json_write_member_text(w, "continues",
                           beginning->before == NULL ? NULL : beginning->before->id);
    json_write_member_text(w, "queue", call->queue);
    json_write_member_text(w, "language", call->language);
    json_write_member_integer(w, "mid_call_offset_ms", beginning->offset_ms);
    json_write_member_integer(w, "origin", call->origin_ms);
    json_write_member_integer(w, "utterances", (int64_t)call->timeline.count);
    json_write_member_integer(w, "last_end", call->timeline.last_end_ms);
    ledger_end(calls->ledger);
}

static void record_utterance(struct calls *calls, const struct call *call,
                             const struct timeline_event *event)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_UTTERANCE);
    if (w == NULL) {
        return;
    }
    const struct timeline_utterance *utterance = &call->timeline.utterances[event->n];
    const struct timeline_form *form = &utterance->forms[event->version - 1];
    json_write_member_text(w, "call", call->id);
    json_write_member_integer(w, "n", event->n);
    json_write_member_text(w, "speaker", conversation_speaker_name(utterance->speaker));
    json_write_member_integer(w, "start", utterance->start_ms);
    json_write_member_integer(w, "end", form->end_ms);
    json_write_member_integer(w, "version", event->version);
    json_write_member_integer(w, "final_version", utterance->form_count);
    json_write_key(w, "text");
    json_write_string(w, utterance->text, form->bytes);
    json_write_member_integer(w, "visible", form->visible_ms);
    json_write_member_boolean(w, "late", utterance->late);
    json_write_member_boolean(w, "masked", utterance->masked);
    json_write_member_boolean(w, "displaced", utterance->displaced);
    ledger_end(calls->ledger);
}

static void record_state(struct calls *calls, const struct call *call, int64_t at_ms)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_STATE);
    if (w != NULL) {
        int64_t since_ms;
        enum lifecycle_state state = lifecycle_at(&call->lifecycle, at_ms, &since_ms);
        json_write_member_text(w, "call", call->id);
        json_write_member_text(w, "state", lifecycle_state_name(state));
        json_write_member_integer(w, "since", call->origin_ms + since_ms);
        ledger_end(calls->ledger);
    }
}

static void record_end(struct calls *calls, const struct call *call)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_ENDED);
    if (w != NULL) {
        json_write_member_text(w, "call", call->id);
        json_write_member_integer(w, "end", timeline_ended_ms(&call->timeline));
        ledger_end(calls->ledger);
    }
}

static void record_expiry(struct calls *calls, const struct call *call)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_EXPIRED);
    if (w != NULL) {
        json_write_member_text(w, "call", call->id);
        json_write_key(w, "attributes");
        attributes_write(&call->attributes, w);
        ledger_end(calls->ledger);
    }
}

enum lifecycle_state calls_state(const struct call *call, struct calls_now now, int64_t *since_ms)
{
    if (call->ended) {
        *since_ms = timeline_ended_ms(&call->timeline);
        return LIFECYCLE_ENDED;
    }
    enum lifecycle_state state =
        lifecycle_at(&call->lifecycle, now.vendor_ms - call->origin_ms, since_ms);
    *since_ms = call->origin_ms + (*since_ms == INT64_MIN ? 0 : *since_ms);
    return state;
}

static void advance_state(struct calls *calls, struct call *call, struct calls_now now)
{
    int64_t end_ms = timeline_ended_ms(&call->timeline) - call->origin_ms;
    for (;;) {
        int64_t next_ms = lifecycle_next(&call->lifecycle, call->state_known_ms);
        if (next_ms > now.vendor_ms - call->origin_ms || next_ms >= end_ms) {
            return;
        }
        record_state(calls, call, next_ms);
        call->state_known_ms = next_ms;
    }
}

static void advance(struct calls *calls, struct call *call, struct calls_now now)
{
    const struct timeline *timeline = &call->timeline;
    advance_state(calls, call, now);
    while (call->next_event < timeline->event_count &&
           timeline->events[call->next_event].visible_ms <= now.vendor_ms) {
        record_utterance(calls, call, &timeline->events[call->next_event]);
        call->next_event++;
    }
    if (!call->ended && now.vendor_ms >= timeline_ended_ms(timeline)) {
        call->ended = true;
        call->expires = mono_after_ms(now.mono, calls->options->linger_s * 1000);
        calls->live--;
        record_end(calls, call);
    }
}

static bool list_add(struct calls *calls, struct call *call)
{
    if (calls->count == calls->capacity) {
        size_t capacity = calls->capacity == 0 ? 64 : calls->capacity * 2;
        struct call **list = realloc(calls->list, capacity * sizeof(*list));
        if (list == NULL) {
            return false;
        }
        calls->list = list;
        calls->capacity = capacity;
    }
    if (!map_put(&calls->by_id, call->id, strlen(call->id), call)) {
        return false;
    }
    calls->list[calls->count++] = call;
    return true;
}

/* Plays a conversation from origin_ms: first what happens on the line, then the transcript of it.
 */
static int play(const struct calls *calls, struct call *call, struct conversation *conversation,
                const struct beginning *beginning, struct error *err)
{
    int64_t from_ms = beginning->offset_ms;
    const struct lifecycle_odds *odds = &calls->options->lifecycle;
    struct rand rand;
    rand_seed(&rand, rand_mix(beginning->seed ^ LIFE_SALT));
    if (calls->options->profile == OPTIONS_PROFILE_REAL) {
        conversation_make_chat(conversation);
    }
    schedule_overlap(conversation, calls->options->disorder.overlap, rand_u64(&rand));
    bool transferred = strcmp(call->id, call->master) != 0;
    size_t turn =
        lifecycle_draw_transfer(conversation, from_ms, transferred ? 0 : odds->transfer, &rand);
    int rc = turn == 0 ? 0 : conversation_split(conversation, turn, &call->rest, err);
    if (rc != 0) {
        return rc;
    }
    lifecycle_plan(&call->lifecycle, conversation, from_ms, odds, &rand);
    return timeline_create(&call->timeline, conversation, &call->lifecycle,
                           &calls->options->disorder, beginning->seed, call->origin_ms, err);
}

/* Draws what a new call plays, and from where. */
static int draw_conversation(const struct calls *calls, struct call *call, uint64_t ordinal,
                             struct conversation *conversation, struct beginning *beginning,
                             struct error *err)
{
    struct rand rand;
    rand_seed(&rand, rand_mix(rand_mix((uint64_t)calls->options->seed ^ CALL_SALT) + ordinal));
    int rc = corpus_draw(calls->corpus, &rand, &call->source, conversation, err);
    if (rc != 0) {
        return rc;
    }
    int64_t length_ms = 0;
    for (size_t i = 0; i < conversation->turn_count; i++) {
        int64_t end_ms = conversation->turns[i].end_ms;
        length_ms = end_ms > length_ms ? end_ms : length_ms;
    }
    beginning->offset_ms = (int64_t)rand_below(&rand, (uint64_t)length_ms);
    if (!calls->options->mid_call || ordinal >= (uint64_t)calls->options->calls) {
        beginning->offset_ms = 0;
    }
    beginning->seed = rand_u64(&rand);
    return 0;
}

/* Gives the call its conversation and adds it to the list; on failure the caller destroys it. */
static int set_up(struct calls *calls, struct call *call, uint64_t ordinal, struct call *before,
                  struct calls_now now, struct error *err)
{
    struct conversation conversation = {0};
    struct beginning beginning = {
        .seed = rand_mix(rand_mix((uint64_t)calls->options->seed ^ CALL_SALT) + ordinal),
        .before = before,
    };
    int rc = 0;
    if (before != NULL) {
        conversation = before->rest;
        before->rest = (struct conversation){0};
        call->source = before->source;
        memcpy(call->language, before->language, sizeof call->language);
        call->origin_ms = now.vendor_ms + TRANSFER_MS;
        memcpy(call->master, before->master, sizeof call->master);
    } else {
        rc = draw_conversation(calls, call, ordinal, &conversation, &beginning, err);
        call->origin_ms = now.vendor_ms - beginning.offset_ms;
        memcpy(call->master, call->id, sizeof call->master);
    }
    call->state_known_ms = INT64_MIN;
    rc = rc != 0 ? rc : play(calls, call, &conversation, &beginning, err);
    if (rc == 0 && !list_add(calls, call)) {
        rc = error_set(err, ERROR_MEMORY, "no memory for another call");
    }
    if (rc == 0) {
        record_call(calls, call, conversation.name, &beginning);
    }
    conversation_done(&conversation);
    return rc;
}

static void name_call(const struct calls *calls, struct call *call, uint64_t ordinal)
{
    const struct options *options = calls->options;
    if (options_id(options, ordinal, call->id)) {
        return;
    }
    if (options->profile == OPTIONS_PROFILE_REAL) { /* real contact ids are whole numbers */
        snprintf(call->id, sizeof call->id, "%" PRIu64, CONTACT_FIRST + ordinal);
        return;
    }
    struct rand rand;
    rand_seed(&rand, rand_mix(rand_mix((uint64_t)options->seed ^ ODD_SALT) + ordinal));
    if (rand_uniform(&rand) < options->odd_ids) {
        calls_odd_id((uint64_t)options->seed, ordinal, call->id);
    } else {
        calls_uuid((uint64_t)options->seed, ordinal, call->id);
    }
}

/* A new call, or with `before` the one that goes on after its transfer. */
static int start_call(struct calls *calls, struct call *before, struct calls_now now,
                      struct error *err)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return error_set(err, ERROR_MEMORY, "no memory for another call");
    }
    uint64_t ordinal = calls->started;
    name_call(calls, call, ordinal);
    (void)options_turn(calls->options->queues, ordinal, call->queue);
    (void)options_turn(calls->options->languages, ordinal, call->language);
    double rate = calls->options->call_quota_per_s;
    limiter_init(&call->limiter, rate, rate > 1 ? rate : 1, now.mono);
    int rc = set_up(calls, call, ordinal, before, now, err);
    if (rc != 0) {
        call_destroy(call);
        return rc;
    }
    calls->started++;
    calls->live++;
    advance(calls, call, now);
    return 0;
}

int calls_fill(struct calls *calls, struct calls_now now, struct error *err)
{
    int rc = 0;
    while (rc == 0 && calls->live < (size_t)calls->options->calls) {
        rc = start_call(calls, NULL, now, err);
    }
    return rc;
}

void calls_advance(struct calls *calls, struct calls_now now)
{
    for (size_t i = 0; i < calls->count;) {
        struct call *call = calls->list[i];
        advance(calls, call, now);
        if (call->ended && call->rest.turn_count > 0) {
            /* Without memory the conversation simply ends here: set_up has taken the rest. */
            (void)start_call(calls, call, now, NULL);
        }
        if (call->ended && mono_reached(now.mono, call->expires)) {
            record_expiry(calls, call);
            map_remove(&calls->by_id, call->id, strlen(call->id));
            call_destroy(call);
            calls->list[i] = calls->list[--calls->count];
        } else {
            i++;
        }
    }
}

struct call *calls_find(struct calls *calls, const char *id, size_t id_bytes, struct calls_now now)
{
    struct call *call = map_get(&calls->by_id, id, id_bytes);
    if (call == NULL) {
        return NULL;
    }
    advance(calls, call, now);
    return call->ended && mono_reached(now.mono, call->expires) ? NULL : call;
}

void calls_done(struct calls *calls)
{
    for (size_t i = 0; i < calls->count; i++) {
        record_expiry(calls, calls->list[i]);
        call_destroy(calls->list[i]);
    }
    free(calls->list);
    map_done(&calls->by_id);
    *calls = (struct calls){0};
}
