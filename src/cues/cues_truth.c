/* cues_truth.c - whether a condition holds at a moment: computed anew each time from the known
 * utterances, never kept up to date by adding and subtracting, so that late and revised words need
 * no special care. See cues.h for the two times. */
#include "cues/cues_internal.h"

#include <string.h>

bool cues_moment_of(const struct cues_state *state, int64_t now_ms, const struct cues_mood *mood,
                    struct cues_moment *out)
{
    const struct history *history = &state->history;
    if (history->count == 0 && history->begun_ms == INT64_MAX) {
        return false;
    }
    int64_t begun = history->begun_ms;
    for (size_t i = 0; i < history->count; i++) {
        begun = history->items[i].begin_ms < begun ? history->items[i].begin_ms : begun;
    }
    int64_t speech =
        history->count ? history->items[history->count - 1].end_ms : history->horizon_ms;
    int64_t settled = now_ms - state->rules->settle_ms;
    *out = (struct cues_moment){
        .rules = state->rules,
        .state = state,
        .speech_ms = speech,
        .clock_ms = settled > speech ? settled : speech,
        .begun_ms = begun,
        .mood = mood,
    };
    return true;
}

/* --- windows --- */

/* The first record of the newest `turns` turns. */
static size_t first_of_turns(const struct history *history, uint32_t turns)
{
    size_t place = history->count;
    uint32_t seen = 0;
    while (place > 0) {
        bool begins = place == history->count ||
                      history->items[place - 1].speaker != history->items[place].speaker;
        seen += begins ? 1 : 0;
        if (seen > turns) {
            break;
        }
        place--;
    }
    return place;
}

/* The first record in the condition's window. */
static size_t window_begin(const struct cues_moment *moment, const struct cues_condition *is)
{
    const struct history *history = &moment->state->history;
    if (is->span == CUES_SPAN_TURNS) {
        return first_of_turns(history, is->turns);
    }
    size_t place = is->span == CUES_SPAN_CALL ? 0 : history->count;
    while (place > 0 && history->items[place - 1].end_ms > moment->speech_ms - is->within_ms) {
        place--;
    }
    return place;
}

/* How many utterances in the window hold the family; the place of the newest. */
static uint32_t count_said(const struct cues_moment *moment, const struct cues_condition *is,
                           size_t *newest)
{
    const struct history *history = &moment->state->history;
    uint32_t count = is->span == CUES_SPAN_CALL ? history->totals[is->family].count : 0;
    for (size_t i = window_begin(moment, is); i < history->count; i++) {
        if (history_has(history, i, is->family)) {
            count++;
            *newest = i;
        }
    }
    return count;
}

/* --- what was not said --- */

static int64_t first_said_ms(const struct history *history, uint32_t family)
{
    int64_t first = history->totals[family].first_begin_ms;
    for (size_t i = 0; i < history->count; i++) {
        if (history_has(history, i, family) && history->items[i].begin_ms < first) {
            first = history->items[i].begin_ms;
        }
    }
    return first;
}

static bool missed_turns(const struct cues_moment *moment, const struct cues_condition *is)
{
    const struct history *history = &moment->state->history;
    uint32_t turns[3];
    memcpy(turns, history->turns, sizeof turns);
    uint8_t last = history->last_speaker;
    uint32_t said_in = history->totals[is->family].first_turn;
    for (size_t i = 0; i < history->count; i++) {
        uint8_t speaker = history->items[i].speaker;
        if (speaker != last || turns[0] == 0) {
            turns[0]++;
            turns[speaker] += speaker > 0 ? 1 : 0;
            last = speaker;
        }
        if (said_in == 0 && history_has(history, i, is->family)) {
            said_in = turns[is->by];
        }
    }
    uint32_t over = turns[is->by] - (turns[is->by] > 0 && history_is_by(last, (uint8_t)is->by));
    return over >= is->turns && (said_in == 0 || said_in > is->turns);
}

static bool was_not_said(const struct cues_moment *moment, const struct cues_condition *is)
{
    const struct history *history = &moment->state->history;
    switch (is->span) {
    case CUES_SPAN_TURNS:
        return missed_turns(moment, is);
    case CUES_SPAN_CALL:
        return moment->state->ended && first_said_ms(history, is->family) == INT64_MAX;
    default:
        return moment->clock_ms >= moment->begun_ms + is->within_ms &&
               first_said_ms(history, is->family) > moment->begun_ms + is->within_ms;
    }
}

/* Whether what should have followed record `cause` in time did. */
static bool was_answered(const struct history *history, const struct cues_condition *is,
                         size_t cause)
{
    const struct history_record *from = &history->items[cause];
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *record = &history->items[i];
        if (i != cause && history_has(history, i, is->family) && record->end_ms >= from->begin_ms &&
            record->begin_ms <= from->end_ms + is->within_ms) {
            return true;
        }
    }
    return false;
}

static bool was_left_unanswered(const struct cues_moment *moment, const struct cues_condition *is,
                                size_t *cause)
{
    const struct history *history = &moment->state->history;
    for (size_t i = history->count; i-- > 0;) {
        int64_t deadline = history->items[i].end_ms + is->within_ms;
        if (moment->clock_ms >= deadline + CUES_AFTER_HOLDS_MS) {
            break; /* and so are all before it */
        }
        if (moment->clock_ms >= deadline && history_has(history, i, is->after) &&
            !was_answered(history, is, i)) {
            *cause = i;
            return true;
        }
    }
    return false;
}

/* --- times --- */

static int64_t quiet_since(const struct cues_moment *moment)
{
    int64_t from = moment->state->quiet_from_ms;
    return moment->speech_ms > from ? moment->speech_ms : from;
}

/* Silence under way, or the one that the newest utterance has ended. */
static bool is_silent(const struct cues_moment *moment, const struct cues_condition *is)
{
    const struct history *history = &moment->state->history;
    if (moment->state->held) {
        return false;
    }
    if (moment->clock_ms - quiet_since(moment) >= is->longer_ms) {
        return true;
    }
    if (history->count < 2) {
        return false;
    }
    int64_t before = history->items[history->count - 2].end_ms;
    int64_t from = moment->state->quiet_from_ms;
    before = before > from ? before : from;
    return history->items[history->count - 1].begin_ms - before >= is->longer_ms;
}

/* Whether record i began while the other side was speaking, and both went on. */
static bool talks_over(const struct history *history, size_t i, int64_t longer_ms)
{
    const struct history_record *own = &history->items[i];
    for (size_t j = history->count; j-- > 0;) {
        const struct history_record *other = &history->items[j];
        if (other->end_ms < own->begin_ms + longer_ms) {
            break;
        }
        bool both = own->speaker != CUES_UNKNOWN && other->speaker != CUES_UNKNOWN &&
                    own->speaker != other->speaker;
        if (both && other->begin_ms <= own->begin_ms && own->end_ms >= own->begin_ms + longer_ms) {
            return true;
        }
    }
    return false;
}

static bool is_talk_over(const struct cues_moment *moment, const struct cues_condition *is)
{
    const struct history *history = &moment->state->history;
    uint32_t count = 0;
    for (size_t i = window_begin(moment, is); i < history->count && count < is->count; i++) {
        if (history_is_by(history->items[i].speaker, (uint8_t)is->by) &&
            talks_over(history, i, is->longer_ms)) {
            count++;
        }
    }
    return count >= is->count;
}

static bool is_mood(const struct cues_mood *mood, const struct cues_condition *is)
{
    return mood->known && (!is->has_below || mood->mean < is->below) &&
           (!is->has_above || mood->mean > is->above) &&
           (!is->has_drop || mood->difference <= -is->drop) &&
           (!is->has_trend || mood->trend == is->trend);
}

/* --- combinations --- */

/* ALL, ANY and NOT; nested at most CUES_NESTING_MAX deep. */
static bool combine(const struct cues_moment *moment, const struct cues_condition *is)
{
    for (uint32_t child = is->child; child != 0; child = moment->rules->conditions[child].next) {
        bool holds = cues_truth(moment, child);
        if (is->kind == CUES_NOT) {
            return !holds;
        }
        if (holds == (is->kind == CUES_ANY)) {
            return holds;
        }
    }
    return is->kind == CUES_ALL;
}

bool cues_truth(const struct cues_moment *moment, uint32_t condition)
{
    const struct cues_condition *is = &moment->rules->conditions[condition];
    size_t place;
    switch (is->kind) {
    case CUES_SAID:
        return count_said(moment, is, &place) > 0;
    case CUES_REPEATED:
        return count_said(moment, is, &place) >= is->count;
    case CUES_NOT_SAID:
        return was_not_said(moment, is);
    case CUES_NOT_SAID_AFTER:
        return was_left_unanswered(moment, is, &place);
    case CUES_SILENCE:
        return is_silent(moment, is);
    case CUES_TALK_OVER:
        return is_talk_over(moment, is);
    case CUES_CALL_TIME:
        return moment->clock_ms - moment->begun_ms >= is->longer_ms;
    case CUES_MOOD:
        return is_mood(moment->mood, is);
    default:
        return combine(moment, is);
    }
}

void cues_truth_explain(const struct cues_moment *moment, uint32_t condition,
                        struct cues_firing *firing)
{
    const struct cues_condition *is = &moment->rules->conditions[condition];
    const struct history *history = &moment->state->history;
    size_t place = SIZE_MAX;
    if (is->kind == CUES_SAID || is->kind == CUES_REPEATED) {
        firing->count = count_said(moment, is, &place);
    } else if (is->kind == CUES_NOT_SAID_AFTER) {
        (void)was_left_unanswered(moment, is, &place);
    } else if (is->kind == CUES_ALL || is->kind == CUES_ANY) {
        for (uint32_t child = is->child; child != 0 && !firing->has_evidence;
             child = moment->rules->conditions[child].next) {
            cues_truth_explain(moment, child, firing);
        }
    }
    if (place != SIZE_MAX) {
        firing->has_evidence = true;
        firing->speaker = (enum cues_speaker)history->items[place].speaker;
        firing->begin_ms = history->items[place].begin_ms;
        firing->end_ms = history->items[place].end_ms;
    }
}
