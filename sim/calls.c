/* calls.c - see calls.h.
 *
 * A call's id, conversation, entry point and timeline depend on the seed and its ordinal alone.
 * The list is walked on each tick; a request brings only its own call up to date, so that the
 * ledger has an utterance before any reply that shows it. Nothing is archived: an expired call
 * is gone.
 */
#include "sim/calls.h"

#include "base/rand.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_KEPT_MAX = 1 << 20 };

static const uint64_t CALL_SALT = 0x63616c6c;

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

static void record_call(struct calls *calls, const struct call *call, enum corpus_source source,
                        const char *conversation, int64_t offset_ms, int64_t origin_ms)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_STARTED);
    if (w == NULL) {
        return;
    }
    json_write_key(w, "call");
    json_write_cstring(w, call->id);
    json_write_key(w, "source");
    json_write_cstring(w, corpus_source_name(source));
    json_write_key(w, "conversation");
    json_write_cstring(w, conversation);
    json_write_key(w, "mid_call_offset_ms");
    json_write_integer(w, offset_ms);
    json_write_key(w, "origin");
    json_write_integer(w, origin_ms);
    json_write_key(w, "utterances");
    json_write_integer(w, (int64_t)call->timeline.count);
    json_write_key(w, "last_end");
    json_write_integer(w, call->timeline.last_end_ms);
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
    json_write_key(w, "call");
    json_write_cstring(w, call->id);
    json_write_key(w, "n");
    json_write_integer(w, event->n);
    json_write_key(w, "speaker");
    json_write_cstring(w, conversation_speaker_name(utterance->speaker));
    json_write_key(w, "start");
    json_write_integer(w, utterance->start_ms);
    json_write_key(w, "end");
    json_write_integer(w, form->end_ms);
    json_write_key(w, "version");
    json_write_integer(w, event->version);
    json_write_key(w, "final_version");
    json_write_integer(w, utterance->form_count);
    json_write_key(w, "text");
    json_write_string(w, utterance->text, form->bytes);
    json_write_key(w, "visible");
    json_write_integer(w, form->visible_ms);
    json_write_key(w, "late");
    json_write_boolean(w, utterance->late);
    ledger_end(calls->ledger);
}

static void record_end(struct calls *calls, const struct call *call)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_ENDED);
    if (w != NULL) {
        json_write_key(w, "call");
        json_write_cstring(w, call->id);
        json_write_key(w, "end");
        json_write_integer(w, timeline_ended_ms(&call->timeline));
        ledger_end(calls->ledger);
    }
}

static void record_expiry(struct calls *calls, const struct call *call)
{
    struct json_writer *w = ledger_begin(calls->ledger, LEDGER_KIND_CALL_EXPIRED);
    if (w != NULL) {
        json_write_key(w, "call");
        json_write_cstring(w, call->id);
        json_write_key(w, "attributes");
        attributes_write(&call->attributes, w);
        ledger_end(calls->ledger);
    }
}

static void advance(struct calls *calls, struct call *call, struct calls_now now)
{
    const struct timeline *timeline = &call->timeline;
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

/* Gives the call its conversation and adds it to the list; on failure the caller destroys it. */
static int set_up(struct calls *calls, struct call *call, uint64_t ordinal, struct calls_now now,
                  struct error *err)
{
    const struct options *options = calls->options;
    struct rand rand;
    rand_seed(&rand, rand_mix(rand_mix((uint64_t)options->seed ^ CALL_SALT) + ordinal));
    enum corpus_source source;
    struct conversation conversation;
    int rc = corpus_draw(calls->corpus, &rand, &source, &conversation, err);
    if (rc != 0) {
        return rc;
    }
    int64_t length_ms = 0;
    for (size_t i = 0; i < conversation.turn_count; i++) {
        int64_t end_ms = conversation.turns[i].end_ms;
        length_ms = end_ms > length_ms ? end_ms : length_ms;
    }
    int64_t offset_ms = (int64_t)rand_below(&rand, (uint64_t)length_ms);
    if (!options->mid_call || ordinal >= (uint64_t)options->calls) {
        offset_ms = 0;
    }
    int64_t origin_ms = now.vendor_ms - offset_ms;
    rc = timeline_create(&call->timeline, &conversation, &options->disorder, rand_u64(&rand),
                         origin_ms, err);
    if (rc == 0 && !list_add(calls, call)) {
        rc = error_set(err, ERROR_MEMORY, "no memory for another call");
    }
    if (rc == 0) {
        record_call(calls, call, source, conversation.name, offset_ms, origin_ms);
    }
    conversation_done(&conversation);
    return rc;
}

static int start_call(struct calls *calls, struct calls_now now, struct error *err)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return error_set(err, ERROR_MEMORY, "no memory for another call");
    }
    uint64_t ordinal = calls->started;
    if (!options_id(calls->options, ordinal, call->id)) {
        calls_uuid((uint64_t)calls->options->seed, ordinal, call->id);
    }
    double rate = calls->options->call_quota_per_s;
    limiter_init(&call->limiter, rate, rate > 1 ? rate : 1, now.mono);
    int rc = set_up(calls, call, ordinal, now, err);
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
        rc = start_call(calls, now, err);
    }
    return rc;
}

void calls_advance(struct calls *calls, struct calls_now now)
{
    for (size_t i = 0; i < calls->count;) {
        struct call *call = calls->list[i];
        advance(calls, call, now);
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
