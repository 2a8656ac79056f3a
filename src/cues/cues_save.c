/* cues_save.c - a call's state under another rule set, and as bytes for a later process. Rules are
 * known by name, families by what they look for, so both outlive the numbers they had. Reading
 * trusts nothing. See cues.h. */
#include "cues/cues_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SAVE_VERSION = 1 };

/* --- another rule set --- */

static uint32_t find_id(const uint64_t *ids, size_t count, uint64_t id)
{
    uint32_t i = 0;
    while (i < count && ids[i] != id) {
        i++;
    }
    return i;
}

static void carry_history(const struct cues_state *from, const struct cues_rules *rules,
                          struct history *to)
{
    const struct history *old = &from->history;
    for (uint32_t family = 0; family < rules->family_count; family++) {
        uint32_t before =
            find_id(from->rules->family_ids, from->rules->family_count, rules->family_ids[family]);
        if (before == from->rules->family_count) {
            continue;
        }
        to->totals[family] = old->totals[before];
        for (size_t i = 0; i < old->count; i++) {
            if (history_has(old, i, before)) {
                to->masks[i * to->words + family / 64] |= UINT64_C(1) << (family % 64);
            }
        }
    }
}

static bool copy_history(const struct cues_state *from, const struct cues_rules *rules,
                         struct history *to)
{
    static const uint64_t nothing[CUES_FAMILIES_MAX / 64];
    const struct history *old = &from->history;
    if (!history_init(to, rules->family_count)) {
        return false;
    }
    for (size_t i = 0; i < old->count; i++) {
        if (!history_reserve(to, rules->family_by)) {
            return false;
        }
        history_insert(to, &old->items[i], nothing);
    }
    carry_history(from, rules, to);
    to->horizon_ms = old->horizon_ms;
    to->begun_ms = old->begun_ms;
    to->last_speaker = old->last_speaker;
    memcpy(to->turns, old->turns, sizeof to->turns);
    return true;
}

bool cues_rebind(struct cues_state *state, struct cues_rules *rules)
{
    struct history history = {0};
    struct cues_standing *standings =
        calloc(rules->rule_count ? rules->rule_count : 1, sizeof *standings);
    if (!standings || !copy_history(state, rules, &history)) {
        free(standings);
        history_done(&history);
        return false;
    }
    for (size_t i = 0; i < rules->rule_count; i++) {
        for (size_t j = 0; j < state->rules->rule_count; j++) {
            if (state->rules->rules[j].id == rules->rules[i].id) {
                standings[i] = state->standings[j];
            }
        }
    }
    history_done(&state->history);
    free(state->standings);
    state->history = history;
    state->standings = standings;
    struct cues_rules *before = state->rules;
    state->rules = cues_hold(rules);
    cues_release(before);
    return true;
}

/* --- to bytes --- */

static void save_history(const struct history *history, struct buf *out)
{
    pack_i64(out, history->horizon_ms);
    pack_i64(out, history->begun_ms);
    for (size_t i = 0; i < 3; i++) {
        pack_u32(out, history->turns[i]);
    }
    pack_u8(out, history->last_speaker);
    pack_u16(out, (uint16_t)history->count);
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *record = &history->items[i];
        pack_i64(out, record->begin_ms);
        pack_i64(out, record->end_ms);
        pack_u64(out, record->key);
        pack_u64(out, record->form);
        pack_u8(out, record->speaker);
        for (size_t word = 0; word < history->words; word++) {
            pack_u64(out, history->masks[i * history->words + word]);
        }
    }
}

static void save_rules(const struct cues_state *state, struct buf *out)
{
    const struct cues_rules *rules = state->rules;
    pack_u16(out, (uint16_t)rules->family_count);
    for (size_t i = 0; i < rules->family_count; i++) {
        pack_u64(out, rules->family_ids[i]);
        pack_u32(out, state->history.totals[i].count);
        pack_u32(out, state->history.totals[i].first_turn);
        pack_i64(out, state->history.totals[i].first_begin_ms);
    }
    pack_u16(out, (uint16_t)rules->rule_count);
    for (size_t i = 0; i < rules->rule_count; i++) {
        pack_u64(out, rules->rules[i].id);
        pack_u8(out, state->standings[i].holds);
        pack_u32(out, state->standings[i].fired);
        pack_i64(out, state->standings[i].fired_ms);
    }
}

void cues_save(const struct cues_state *state, struct buf *out)
{
    const struct history *history = &state->history;
    struct cues_state copy = *state;
    copy.history = (struct history){0};
    if (!copy_history(state, state->rules, &copy.history)) {
        out->failed = true;
        history_done(&copy.history);
        return;
    }
    if (history->count > CUES_SAVED_UTTERANCES) {
        history_fold(&copy.history, history->count - CUES_SAVED_UTTERANCES,
                     state->rules->family_by);
    }
    pack_u8(out, SAVE_VERSION);
    pack_u8(out, state->held);
    pack_u8(out, state->ended);
    pack_i64(out, state->quiet_from_ms);
    pack_i64(out, state->seen_ms);
    save_rules(&copy, out);
    save_history(&copy.history, out);
    history_done(&copy.history);
}

/* --- from bytes --- */

/* What the bytes were laid out for: numbers then to numbers now (or the count for none). */
struct layout {
    uint32_t families[CUES_FAMILIES_MAX];
    size_t family_count;
};

/* A time, or the bound that stands for none. */
static int64_t take_time(struct unpack *in, int64_t none)
{
    int64_t ms = unpack_i64(in);
    in->failed = in->failed || (ms != none && !cues_is_time(ms));
    return ms;
}

static void take_families(struct cues_state *state, struct unpack *in, struct layout *layout)
{
    const struct cues_rules *rules = state->rules;
    layout->family_count = unpack_u16(in);
    if (layout->family_count > CUES_FAMILIES_MAX) {
        in->failed = true;
        layout->family_count = 0;
    }
    for (size_t i = 0; i < layout->family_count && !in->failed; i++) {
        layout->families[i] = find_id(rules->family_ids, rules->family_count, unpack_u64(in));
        struct history_total total;
        total.count = unpack_u32(in);
        total.first_turn = unpack_u32(in);
        total.first_begin_ms = take_time(in, INT64_MAX);
        if (layout->families[i] < rules->family_count) {
            state->history.totals[layout->families[i]] = total;
        }
    }
}

static void take_standings(struct cues_state *state, struct unpack *in)
{
    size_t count = unpack_u16(in);
    in->failed = in->failed || count > CUES_RULES_MAX;
    for (size_t i = 0; i < count && !in->failed; i++) {
        uint64_t id = unpack_u64(in);
        struct cues_standing standing;
        standing.holds = unpack_bool(in);
        standing.fired = unpack_u32(in);
        standing.fired_ms = take_time(in, 0);
        for (size_t j = 0; j < state->rules->rule_count; j++) {
            if (state->rules->rules[j].id == id) {
                state->standings[j] = standing;
            }
        }
    }
}

static bool take_record(struct cues_state *state, struct unpack *in, const struct layout *layout)
{
    uint64_t mask[CUES_FAMILIES_MAX / 64] = {0};
    struct history_record record = {0};
    record.begin_ms = take_time(in, 0);
    record.end_ms = take_time(in, 0);
    record.key = unpack_u64(in);
    record.form = unpack_u64(in);
    record.speaker = unpack_upto(in, CUES_AGENT);
    for (size_t word = 0; word < (layout->family_count + 63) / 64; word++) {
        uint64_t bits = unpack_u64(in);
        for (size_t bit = 0; bit < 64 && word * 64 + bit < layout->family_count; bit++) {
            uint32_t family = layout->families[word * 64 + bit];
            if (((bits >> bit) & 1) && family < state->rules->family_count) {
                mask[family / 64] |= UINT64_C(1) << (family % 64);
            }
        }
    }
    in->failed = in->failed || record.begin_ms > record.end_ms;
    if (in->failed) {
        return true;
    }
    if (!history_reserve(&state->history, state->rules->family_by)) {
        return false;
    }
    history_insert(&state->history, &record, mask);
    return true;
}

/* False without memory; what cannot be read sets in->failed. */
static bool take_history(struct cues_state *state, struct unpack *in, const struct layout *layout)
{
    struct history *history = &state->history;
    history->horizon_ms = take_time(in, INT64_MIN);
    history->begun_ms = take_time(in, INT64_MAX);
    for (size_t i = 0; i < 3; i++) {
        history->turns[i] = unpack_u32(in);
    }
    history->last_speaker = unpack_upto(in, CUES_AGENT);
    size_t count = unpack_u16(in);
    bool none_folded = history->horizon_ms == INT64_MIN;
    in->failed = in->failed || count > CUES_SAVED_UTTERANCES ||
                 none_folded != (history->begun_ms == INT64_MAX);
    for (size_t i = 0; i < count && !in->failed; i++) {
        if (!take_record(state, in, layout)) {
            return false;
        }
    }
    return true;
}

struct cues_state *cues_restore(struct cues_rules *rules,
                                const unsigned char key[KEYHASH_SHORT_KEY_BYTES], struct unpack *in,
                                struct error *err)
{
    struct layout layout;
    uint8_t version = unpack_u8(in);
    if (!in->failed && version != SAVE_VERSION) {
        error_set(err, ERROR_UNSUPPORTED, "rules' state of version %u", (unsigned)version);
        return NULL;
    }
    struct cues_state *state = cues_state_create(rules, key);
    if (!state) {
        error_set(err, ERROR_MEMORY, "no memory for the rules' state of a call");
        return NULL;
    }
    state->held = unpack_bool(in);
    state->ended = unpack_bool(in);
    state->quiet_from_ms = take_time(in, INT64_MIN);
    state->seen_ms = take_time(in, INT64_MIN);
    take_families(state, in, &layout);
    take_standings(state, in);
    bool taken = take_history(state, in, &layout);
    if (!taken || in->failed) {
        cues_state_destroy(state);
        error_set(err, taken ? ERROR_FORMAT : ERROR_MEMORY, "%s",
                  taken ? "the rules' state of a call cannot be read"
                        : "no memory for the rules' state of a call");
        return NULL;
    }
    return state;
}
