/* call_save.c - see call_save.h. The sums along the history are not kept, they are carried along
 * again; the trends are, because those near what was folded away cannot be computed again. */
#include "mood/call_save.h"

#include "mood/call_internal.h"
#include "mood/fold.h"

#include <stdlib.h>

/* Form 1, without tiers, is still read. */
enum { CALL_SAVE_VERSION = 2 };

/* Slot, flags, revision, ordinal, score, start, end, key, form. */
enum { CALL_RECORD_BYTES = 1 + 1 + 2 + 2 + 4 + 8 + 8 + 8 + 8 };
_Static_assert(CALL_PAGE_BYTES_MAX == CALL_PAGE_UTTERANCES * CALL_RECORD_BYTES, "as promised");

/* Beyond any use, and far from where sums could overflow. */
static const int64_t time_max = INT64_C(1) << 53;
static const int64_t sum_max = INT64_C(1) << 60;

enum {
    RECORD_SPEAKER = 0x03,
    RECORD_TREND = 0x0c,
    RECORD_TREND_SHIFT = 2,
    RECORD_SCORED = 0x10,
    RECORD_WITHHELD = 0x20,
};

/* --- saving ---------------------------------------------------------------------------------- */

struct call_pages call_save_pages(const struct call *call)
{
    uint32_t numbers = call->transcript.numbers;
    uint32_t end = numbers / CALL_PAGE_UTTERANCES + (numbers % CALL_PAGE_UTTERANCES != 0);
    uint32_t unsaved = call->transcript.unsaved / CALL_PAGE_UTTERANCES;
    return (struct call_pages){.unsaved = unsaved < end ? unsaved : end, .end = end};
}

void call_save_done(struct call *call)
{
    call->transcript.unsaved = UINT32_MAX;
}

void call_save_reading(const struct call_reading *reading, struct buf *out)
{
    pack_i64(out, reading->score);
    pack_u8(out, (uint8_t)reading->trend);
    pack_i64(out, reading->difference);
    pack_u32(out, reading->samples);
    pack_u32(out, reading->utterances);
    pack_i64(out, reading->as_of_ms);
    pack_i64(out, reading->sustained);
    pack_i64(out, reading->score_before);
    pack_u32(out, reading->samples_before);
}

void call_save_age(struct mono when, struct mono now, struct buf *out)
{
    int64_t age_ms = mono_ms_between(when, now);
    pack_i64(out, age_ms > 0 ? age_ms : 0);
}

static void pack_masks(struct buf *out, const struct masks *masks)
{
    pack_u8(out, (uint8_t)masks->count);
    for (uint32_t i = 0; i < masks->count; i++) {
        pack_i64(out, masks->items[i].from_ms);
        pack_i64(out, masks->items[i].to_ms);
    }
    pack_i64(out, masks->closed_to_ms);
}

void call_save_alert(const struct call_alert *alert, struct buf *out)
{
    pack_u8(out, (uint8_t)alert->path);
    pack_u8(out, (uint8_t)alert->tier);
    pack_u32(out, alert->rule);
    pack_i64(out, alert->confidence);
    pack_i64(out, alert->slope);
}

static void pack_episode(struct buf *out, const struct episode *episode, struct mono now)
{
    pack_u32(out, episode->number);
    pack_u8(out, episode->is_open);
    pack_u8(out, episode->is_delivered);
    pack_u8(out, episode->is_cooling);
    pack_u8(out, episode->is_above);
    pack_i64(out, episode->above_since_ms);
    call_save_age(episode->cooling_from, now, out);
    pack_u32(out, episode->numbers);
    pack_i64(out, episode->opened_ms);
    pack_i64(out, episode->told_ms);
    call_save_alert(&episode->alert, out);
}

void call_save_head(const struct call *call, struct call_now now, struct buf *out)
{
    const struct transcript *transcript = &call->transcript;
    pack_u8(out, CALL_SAVE_VERSION);
    pack_i64(out, now.vendor_ms);
    pack_u32(out, transcript->numbers);
    pack_i64(out, transcript->horizon_ms);
    pack_i64(out, transcript->base.sum);
    pack_i64(out, transcript->base.sustained);
    pack_u32(out, transcript->base.rank);
    pack_u8(out, (uint8_t)transcript->base.trend);
    pack_masks(out, &call->masks);
    pack_episode(out, &call->episode, now.mono);
    pack_u8(out, call->has_published);
    if (call->has_published) {
        call_save_reading(&call->published, out);
    }
    pack_u8(out, call->ended);
    pack_u8(out, call->held);
    pack_i64(out, call->first_start_ms);
    pack_i64(out, call->origin_ms);
    pack_i64(out, call->newest_ms);
    call_save_age(call->newest_since, now.mono, out);
}

static void pack_utterance(struct buf *out, const struct utterance *utterance)
{
    bool unanswered = utterance->pending || utterance->withheld;
    pack_u8(out, (uint8_t)(utterance->number % CALL_PAGE_UTTERANCES));
    pack_u8(out, (uint8_t)(utterance->speaker | utterance->trend << RECORD_TREND_SHIFT |
                           (utterance->scored ? RECORD_SCORED : 0) |
                           (unanswered ? RECORD_WITHHELD : 0)));
    pack_u16(out, utterance->revision);
    pack_u16(out, utterance->ordinal);
    pack_u32(out, utterance->score);
    pack_i64(out, utterance->start_ms);
    pack_i64(out, utterance->end_ms);
    pack_u64(out, utterance->key);
    pack_u64(out, utterance->form);
}

void call_save_page(const struct call *call, uint32_t number, struct buf *out)
{
    for (size_t i = 0; i < call->transcript.count; i++) {
        if (call->transcript.items[i].number / CALL_PAGE_UTTERANCES == number) {
            pack_utterance(out, &call->transcript.items[i]);
        }
    }
}

/* --- restoring ------------------------------------------------------------------------------- */

/* What a restored call is made of, as it is read. */
struct restoring {
    struct unpack in;
    struct call *call;
    struct call_now now;
    int64_t passed_ms; /* since the save */
    uint8_t version;
};

static int64_t unpack_number(struct unpack *in, int64_t least, int64_t most)
{
    int64_t value = unpack_i64(in);
    if (value < least || value > most) {
        in->failed = true;
        return 0;
    }
    return value;
}

struct mono call_save_take_age(struct unpack *in, struct mono now, int64_t passed_ms)
{
    int64_t age_ms = unpack_number(in, 0, INT64_MAX);
    int64_t total_ms;
    if (__builtin_add_overflow(age_ms, passed_ms, &total_ms)) {
        total_ms = INT64_MAX;
    }
    return mono_after_ms(now, -total_ms);
}

int64_t call_save_take_passed(struct unpack *in, struct call_now now)
{
    int64_t saved_ms = unpack_number(in, -time_max, time_max);
    return now.vendor_ms > saved_ms ? now.vendor_ms - saved_ms : 0;
}

void call_save_take_reading(struct unpack *in, struct call_reading *reading)
{
    reading->score = unpack_number(in, 0, MOOD_ONE);
    reading->trend = (enum call_trend)unpack_upto(in, CALL_TREND_DECLINING);
    reading->difference = unpack_number(in, -MOOD_ONE, MOOD_ONE);
    reading->samples = unpack_u32(in);
    reading->utterances = unpack_u32(in);
    reading->as_of_ms = unpack_number(in, -time_max, time_max);
    reading->sustained = unpack_number(in, 0, sum_max);
    reading->score_before = unpack_number(in, 0, MOOD_ONE);
    reading->samples_before = unpack_u32(in);
}

void call_save_take_alert(struct unpack *in, struct call_alert *alert)
{
    alert->path = (enum call_alert_path)unpack_upto(in, CALL_ALERT_RULE);
    alert->tier = (enum call_tier)unpack_upto(in, CALL_TIER_SUPERVISOR);
    alert->rule = unpack_u32(in);
    alert->confidence = unpack_number(in, 0, MOOD_ONE);
    alert->slope = unpack_number(in, -sum_max, sum_max);
}

static void unpack_masks(struct unpack *in, struct masks *masks)
{
    masks->count = unpack_upto(in, MASKS_MAX);
    int64_t least_ms = -time_max;
    for (uint32_t i = 0; i < masks->count; i++) {
        struct mask *mask = &masks->items[i];
        mask->from_ms = unpack_number(in, least_ms, time_max);
        mask->to_ms = unpack_number(in, mask->from_ms, INT64_MAX);
        bool last = i + 1 == masks->count;
        if (mask->to_ms > time_max && (mask->to_ms != INT64_MAX || !last)) {
            in->failed = true;
            return;
        }
        least_ms = mask->to_ms;
    }
    masks->closed_to_ms = unpack_number(in, INT64_MIN, time_max);
}

static void unpack_episode(struct restoring *restoring)
{
    struct unpack *in = &restoring->in;
    struct episode *episode = &restoring->call->episode;
    episode->number = unpack_u32(in);
    episode->is_open = unpack_bool(in);
    episode->is_delivered = unpack_bool(in);
    episode->is_cooling = unpack_bool(in);
    episode->is_above = unpack_bool(in);
    if (restoring->version == 1) {
        episode->alert.path = (enum call_alert_path)unpack_upto(in, CALL_ALERT_SUSTAINED_LOW);
    }
    episode->above_since_ms = unpack_number(in, -time_max, time_max);
    episode->cooling_from = call_save_take_age(in, restoring->now.mono, restoring->passed_ms);
    episode->numbers = episode->number;
    if (restoring->version > 1) {
        episode->numbers = unpack_u32(in);
        episode->opened_ms = unpack_number(in, -time_max, time_max);
        episode->told_ms = unpack_number(in, -time_max, time_max);
        call_save_take_alert(in, &episode->alert);
    }
    in->failed = in->failed || episode->numbers < episode->number;
}

static void unpack_head(struct restoring *restoring)
{
    struct unpack *in = &restoring->in;
    struct call *call = restoring->call;
    struct transcript *transcript = &call->transcript;
    restoring->passed_ms = call_save_take_passed(in, restoring->now);
    transcript->numbers = unpack_u32(in);
    transcript->horizon_ms = unpack_number(in, -time_max, time_max);
    transcript->base.sum = unpack_number(in, 0, sum_max);
    transcript->base.sustained = unpack_number(in, 0, sum_max);
    transcript->base.rank = unpack_u32(in);
    transcript->base.trend = (enum call_trend)unpack_upto(in, CALL_TREND_DECLINING);
    in->failed = in->failed || transcript->base.rank > transcript->numbers;
    unpack_masks(in, &call->masks);
    unpack_episode(restoring);
    call->has_published = unpack_bool(in);
    if (call->has_published) {
        call_save_take_reading(in, &call->published);
    }
    call->ended = unpack_bool(in);
    call->held = unpack_bool(in);
    call->first_start_ms = unpack_number(in, -time_max, time_max);
    call->origin_ms = unpack_number(in, -time_max, time_max);
    call->newest_ms = unpack_number(in, -time_max, time_max);
    call->newest_since = call_save_take_age(in, restoring->now.mono, restoring->passed_ms);
    in->failed = in->failed || in->left > 0;
}

/* In statements: the order in which an initialiser's values are made is not defined. */
static struct utterance unpack_utterance(struct unpack *in, uint32_t page)
{
    const uint32_t known = RECORD_SPEAKER | RECORD_TREND | RECORD_SCORED | RECORD_WITHHELD;
    struct utterance utterance = {0};
    utterance.number = page * CALL_PAGE_UTTERANCES + unpack_upto(in, CALL_PAGE_UTTERANCES - 1);
    uint32_t flags = unpack_u8(in);
    utterance.speaker = flags & RECORD_SPEAKER;
    utterance.trend = (flags & RECORD_TREND) >> RECORD_TREND_SHIFT & 3u;
    utterance.scored = (flags & RECORD_SCORED) != 0;
    utterance.withheld = (flags & RECORD_WITHHELD) != 0;
    utterance.revision = unpack_u16(in);
    utterance.ordinal = unpack_u16(in);
    uint32_t score = unpack_u32(in);
    utterance.score = score & 0xfffffu;
    utterance.start_ms = unpack_number(in, -time_max, time_max);
    utterance.end_ms = unpack_number(in, -time_max, time_max);
    utterance.key = unpack_u64(in);
    utterance.form = unpack_u64(in);
    in->failed = in->failed || (flags & ~known) != 0 || score > MOOD_ONE ||
                 utterance.trend > CALL_TREND_DECLINING || utterance.speaker > SPEAKER_AGENT;
    return utterance;
}

/* Each number once; `seen` has a bit for each slot. */
static void unpack_page(struct restoring *restoring, const struct call_page *page)
{
    struct transcript *transcript = &restoring->call->transcript;
    uint32_t seen = 0;
    restoring->in = unpack_from(page->bytes, page->size);
    struct unpack *in = &restoring->in;
    while (in->left > 0 && !in->failed) {
        struct utterance utterance = unpack_utterance(in, page->number);
        uint32_t bit = UINT32_C(1) << utterance.number % CALL_PAGE_UTTERANCES;
        in->failed = in->failed || (seen & bit) || utterance.number >= transcript->numbers ||
                     utterance.end_ms <= transcript->horizon_ms ||
                     transcript->count == transcript->count_max;
        if (!in->failed) {
            uint32_t trend = utterance.trend;
            size_t place = transcript_insert(transcript, &utterance);
            transcript->items[place].trend = trend & 3u;
            seen |= bit;
        }
    }
}

/* How many utterances the pages can hold. */
static size_t count_records(const struct call_page *pages, size_t page_count)
{
    size_t count = 0;
    for (size_t i = 0; i < page_count && count <= MOOD_UTTERANCES_MAX; i++) {
        size_t room = MOOD_UTTERANCES_MAX + 1 - count;
        size_t more = pages[i].size / CALL_RECORD_BYTES;
        count += more < room ? more : room;
    }
    return count;
}

/* Room for all of them, even if the policy now allows fewer. */
static bool make_room(struct transcript *transcript, size_t count)
{
    if (transcript->count_max < count) {
        transcript->count_max = count;
    }
    return transcript_reserve(transcript, count);
}

static void unpack_pages(struct restoring *restoring, const struct call_page *pages,
                         size_t page_count)
{
    for (size_t i = 0; i < page_count && !restoring->in.failed; i++) {
        if (pages[i].size > CALL_PAGE_BYTES_MAX ||
            (i > 0 && pages[i].number <= pages[i - 1].number) ||
            pages[i].number > UINT32_MAX / CALL_PAGE_UTTERANCES) {
            restoring->in.failed = true;
            return;
        }
        unpack_page(restoring, &pages[i]);
    }
}

struct call *call_restore(const struct mood_policy *policy, struct call_now now, const void *head,
                          size_t head_bytes, const struct call_page *pages, size_t page_count,
                          struct error *err)
{
    struct restoring restoring = {.in = unpack_from(head, head_bytes), .now = now};
    restoring.version = unpack_u8(&restoring.in);
    if (restoring.version == 0 || restoring.version > CALL_SAVE_VERSION) {
        error_set(err, ERROR_UNSUPPORTED,
                  "a call was saved in form %u, this undertone knows those up to %u",
                  (unsigned)restoring.version, (unsigned)CALL_SAVE_VERSION);
        return NULL;
    }
    size_t records = count_records(pages, page_count);
    if (records > MOOD_UTTERANCES_MAX) {
        error_set(err, ERROR_FORMAT, "a saved call has more utterances than are ever remembered");
        return NULL;
    }
    restoring.call = call_create(policy);
    if (!restoring.call || !make_room(&restoring.call->transcript, records)) {
        error_set(err, ERROR_MEMORY, "no memory to restore a call");
        call_destroy(restoring.call);
        return NULL;
    }
    unpack_head(&restoring);
    unpack_pages(&restoring, pages, page_count);
    const struct transcript *transcript = &restoring.call->transcript;
    if (restoring.in.failed || transcript->count > transcript->numbers - transcript->base.rank) {
        error_set(err, ERROR_FORMAT, "a saved call is not what a call can be");
        call_destroy(restoring.call);
        return NULL;
    }
    fold_sums(&restoring.call->transcript, &restoring.call->policy, restoring.call->origin_ms);
    call_save_done(restoring.call);
    return restoring.call;
}
