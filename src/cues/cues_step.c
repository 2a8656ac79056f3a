/* cues_step.c - one step of one call: takes in what a reply holds, says which rules begin to hold.
 * See cues.h. Does not know what becomes of a firing. */
#include "cues/cues_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- a state --- */

struct cues_state *cues_state_create(struct cues_rules *rules,
                                     const unsigned char key[KEYHASH_SHORT_KEY_BYTES])
{
    struct cues_state *state = calloc(1, sizeof *state);
    if (!state) {
        return NULL;
    }
    state->rules = cues_hold(rules);
    state->quiet_from_ms = INT64_MIN;
    state->seen_ms = INT64_MIN;
    memcpy(state->identity_key, key, sizeof state->identity_key);
    state->standings = calloc(rules->rule_count ? rules->rule_count : 1, sizeof *state->standings);
    if (!state->standings || !history_init(&state->history, rules->family_count)) {
        cues_state_destroy(state);
        return NULL;
    }
    return state;
}

void cues_state_destroy(struct cues_state *state)
{
    if (state) {
        history_done(&state->history);
        free(state->standings);
        cues_release(state->rules);
        free(state);
    }
}

size_t cues_state_bytes(const struct cues_state *state)
{
    const struct history *history = &state->history;
    return sizeof *state + state->rules->rule_count * sizeof *state->standings +
           history->capacity * (sizeof *history->items + history->words * sizeof *history->masks) +
           history->families * sizeof *history->totals;
}

const struct cues_counts *cues_counts(const struct cues_state *state)
{
    return &state->counts;
}

bool cues_holds(const struct cues_state *state, uint32_t rule)
{
    return state->standings[rule].holds;
}

/* --- identity --- */

static uint64_t key_of(const struct cues_state *state, const struct cues_utterance *utterance)
{
    if (utterance->id) {
        return keyhash_short(state->identity_key, utterance->id, utterance->id_bytes);
    }
    int64_t place[2] = {utterance->begin_ms, (int64_t)utterance->speaker};
    return keyhash_short(state->identity_key, place, sizeof place);
}

static uint64_t form_of(const struct cues_state *state, const struct cues_utterance *utterance)
{
    uint64_t text = keyhash_short(state->identity_key, utterance->text, utterance->text_bytes);
    uint64_t both[2] = {text, (uint64_t)utterance->end_ms};
    return keyhash_short(state->identity_key, both, sizeof both);
}

static struct history_record *find_form(struct history *history, uint64_t key, uint64_t form)
{
    for (size_t i = history->count; i-- > 0;) {
        if (history->items[i].key == key && history->items[i].form == form) {
            return &history->items[i];
        }
    }
    return NULL;
}

/* A record of this key that the reply no longer holds. */
static size_t find_superseded(const struct history *history, uint64_t key)
{
    size_t place = history->count;
    while (place > 0) {
        place--;
        if (history->items[place].key == key && !history->items[place].served) {
            return place;
        }
    }
    return SIZE_MAX;
}

/* --- taking in --- */

/* Which families the text holds, as far as they listen to this speaker. */
static bool mark(struct cues_state *state, const struct cues_utterance *utterance, uint64_t *mask)
{
    struct cues_rules *rules = state->rules;
    size_t bytes = utterance->text_bytes;
    if (bytes > CUES_TEXT_BYTES_MAX) {
        bytes = CUES_TEXT_BYTES_MAX;
        state->counts.cut++;
    }
    memset(mask, 0, rules->mask_words * sizeof *mask);
    buf_clear(&rules->scratch);
    if (!words_normalize(utterance->text, bytes, &rules->scratch)) {
        return false;
    }
    words_mark(&rules->words, buf_string(&rules->scratch), rules->scratch.size, mask);
    keyhash_wipe(rules->scratch.bytes, rules->scratch.size);
    const uint64_t *heard = rules->heard[utterance->speaker];
    for (size_t i = 0; i < rules->expression_count; i++) {
        const struct cues_expression *expression = &rules->expressions[i];
        uint64_t bit = UINT64_C(1) << (expression->family % 64);
        uint64_t *word = &mask[expression->family / 64];
        if (!(heard[expression->family / 64] & bit) || (*word & bit)) {
            continue;
        }
        enum pattern_answer answer = pattern_match(expression->pattern, utterance->text, bytes);
        *word |= answer == PATTERN_FOUND ? bit : 0;
        state->counts.given_up += answer == PATTERN_GIVEN_UP ? 1 : 0;
    }
    for (size_t i = 0; i < rules->mask_words; i++) {
        mask[i] &= heard[i];
    }
    return true;
}

static struct history_record record_of(const struct cues_state *state,
                                       const struct cues_utterance *utterance, int64_t now_ms)
{
    struct history_record record = {
        .begin_ms = utterance->begin_ms,
        .end_ms = utterance->end_ms,
        .key = key_of(state, utterance),
        .form = form_of(state, utterance),
        .speaker = (uint8_t)utterance->speaker,
        .served = true,
    };
    if (record.end_ms > now_ms + CUES_FUTURE_MS) {
        record.end_ms = now_ms;
    }
    if (record.end_ms < record.begin_ms) {
        record.begin_ms = record.end_ms;
    }
    return record;
}

static bool take_utterance(struct cues_state *state, const struct cues_utterance *utterance,
                           int64_t now_ms)
{
    struct history *history = &state->history;
    uint64_t mask[CUES_FAMILIES_MAX / 64];
    if (!cues_is_time(utterance->begin_ms) || !cues_is_time(utterance->end_ms)) {
        state->counts.forgotten++;
        return true;
    }
    struct history_record record = record_of(state, utterance, now_ms);
    if (find_form(history, record.key, record.form)) {
        state->counts.duplicates++;
        return true;
    }
    if (record.end_ms <= history->horizon_ms) {
        state->counts.forgotten++;
        return true;
    }
    if (!mark(state, utterance, mask) || !history_reserve(history, state->rules->family_by)) {
        return false;
    }
    size_t superseded = find_superseded(history, record.key);
    if (superseded != SIZE_MAX) {
        history_remove(history, superseded);
        state->counts.revisions++;
    } else {
        state->counts.utterances++;
    }
    history_insert(history, &record, mask);
    return true;
}

/* Two passes: what of a key the reply still holds is no longer open to revision. */
static bool take_reply(struct cues_state *state, const struct cues_event *event)
{
    struct history *history = &state->history;
    for (size_t i = 0; i < history->count; i++) {
        history->items[i].served = false;
    }
    for (size_t i = 0; i < event->count; i++) {
        const struct cues_utterance *utterance = &event->utterances[i];
        struct history_record *known =
            find_form(history, key_of(state, utterance), form_of(state, utterance));
        if (known) {
            known->served = true;
        }
    }
    for (size_t i = 0; i < event->count; i++) {
        if (!take_utterance(state, &event->utterances[i], event->now_ms)) {
            return false;
        }
    }
    return true;
}

static void withdraw(struct cues_state *state, int64_t from_ms)
{
    struct history *history = &state->history;
    while (history->count > 0 && history->items[history->count - 1].end_ms >= from_ms) {
        history_remove(history, history->count - 1);
        state->counts.withdrawn++;
    }
}

/* --- judging --- */

static void fire(const struct cues_moment *moment, uint32_t rule,
                 const struct cues_settings *settings, struct cues_firings *firings)
{
    if (firings->count == sizeof firings->items / sizeof *firings->items) {
        firings->dropped++;
        return;
    }
    struct cues_firing *firing = &firings->items[firings->count++];
    *firing = (struct cues_firing){
        .rule = rule,
        .tier = settings->tier,
        .number = moment->state->standings[rule].fired,
        .call_ms = moment->clock_ms - moment->begun_ms,
        .silence_ms = moment->clock_ms - moment->speech_ms,
        .mood = *moment->mood,
    };
    cues_truth_explain(moment, moment->rules->rules[rule].root, firing);
}

static void judge(struct cues_state *state, const struct cues_event *event,
                  struct cues_firings *firings)
{
    struct cues_moment moment;
    if (!cues_moment_of(state, event->now_ms, &event->mood, &moment)) {
        return;
    }
    uint32_t queue = cues_find_queue(state->rules, event->queue);
    for (uint32_t i = 0; i < state->rules->rule_count; i++) {
        const struct cues_rule *rule = &state->rules->rules[i];
        const struct cues_settings *settings = cues_settings_of(rule, queue);
        struct cues_standing *standing = &state->standings[i];
        bool held_before = standing->holds;
        standing->holds = settings->enabled && cues_truth(&moment, rule->root);
        if (!standing->holds || held_before || event->backlog ||
            standing->fired >= settings->max_per_call) {
            continue;
        }
        if (standing->fired > 0 && event->now_ms < standing->fired_ms) {
            standing->fired_ms = event->now_ms; /* the vendor's clock was set back */
        }
        if (standing->fired == 0 || event->now_ms - standing->fired_ms >= settings->cooldown_ms) {
            standing->fired++;
            standing->fired_ms = event->now_ms;
            fire(&moment, i, settings, firings);
        }
    }
}

bool cues_step(struct cues_state *state, struct cues_rules *rules, const struct cues_event *event,
               struct cues_firings *firings)
{
    bool taken = true;
    if (rules != state->rules && !cues_rebind(state, rules)) {
        return false;
    }
    switch (event->kind) {
    case CUES_REPLY:
        taken = take_reply(state, event);
        break;
    case CUES_HELD:
        state->held = true;
        break;
    case CUES_RESUMED:
        state->held = false;
        state->quiet_from_ms = event->now_ms;
        break;
    case CUES_MASKED:
        withdraw(state, event->at_ms);
        break;
    case CUES_ENDED:
        state->ended = true;
        break;
    case CUES_TICK:
        break;
    }
    state->seen_ms = event->now_ms;
    judge(state, event, firings);
    return taken;
}

/* --- when to look again --- */

static int64_t earliest(int64_t due, int64_t at, int64_t after)
{
    return at > after && at < due ? at : due;
}

int64_t cues_due(const struct cues_state *state)
{
    static const struct cues_mood unknown = {0};
    const struct cues_rules *rules = state->rules;
    const struct history *history = &state->history;
    struct cues_moment moment;
    int64_t due = INT64_MAX;
    if (state->seen_ms == INT64_MIN || !cues_moment_of(state, state->seen_ms, &unknown, &moment)) {
        return due;
    }
    int64_t settle = rules->settle_ms;
    int64_t quiet =
        moment.speech_ms > state->quiet_from_ms ? moment.speech_ms : state->quiet_from_ms;
    for (size_t i = 1; i < rules->condition_count; i++) {
        const struct cues_condition *is = &rules->conditions[i];
        if (is->kind == CUES_SILENCE && !state->held) {
            due = earliest(due, quiet + is->longer_ms + settle, state->seen_ms);
        } else if (is->kind == CUES_CALL_TIME) {
            due = earliest(due, moment.begun_ms + is->longer_ms + settle, state->seen_ms);
        } else if (is->kind == CUES_NOT_SAID && is->span == CUES_SPAN_TIME) {
            due = earliest(due, moment.begun_ms + is->within_ms + settle, state->seen_ms);
        } else if (is->kind == CUES_NOT_SAID_AFTER) {
            for (size_t j = 0; j < history->count; j++) {
                if (history_has(history, j, is->after)) {
                    due = earliest(due, history->items[j].end_ms + is->within_ms + settle,
                                   state->seen_ms);
                }
            }
        }
    }
    return due;
}
