/* judge.c - see judge.h. */
#include "commands/judge.h"

#include "cxone/cxone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)CXONE_SCORE_BYTES <= (int)LITERAL_REPLAY_SCORE_BYTES, "a score must fit");

/* A new event at the end of the list, or NULL. */
static struct judge_event *append(struct judge *judge, enum judge_event_kind kind, int64_t at_ms)
{
    if (judge->event_count == judge->event_capacity) {
        size_t capacity = judge->event_capacity ? judge->event_capacity * 2 : 64;
        struct judge_event *events = realloc(judge->events, capacity * sizeof *events);
        if (!events) {
            judge->failed = true;
            return NULL;
        }
        judge->events = events;
        judge->event_capacity = capacity;
    }
    struct judge_event *event = &judge->events[judge->event_count++];
    *event = (struct judge_event){.kind = kind, .at_ms = at_ms, .rule = JUDGE_BY_MOOD};
    return event;
}

/* --- undertone --- */

static void take_effect(void *user, const struct replay_moment *moment)
{
    struct judge *judge = user;
    const struct call_effect *effect = moment->effect;
    static const enum judge_event_kind kinds[] = {
        [CALL_EFFECT_READING] = JUDGE_EVENT_READING,
        [CALL_EFFECT_ALERT] = JUDGE_EVENT_ALERT,
        [CALL_EFFECT_RAISED] = JUDGE_EVENT_RAISED,
        [CALL_EFFECT_RECOVERED] = JUDGE_EVENT_RECOVERED,
    };
    if (effect->kind == CALL_EFFECT_REMINDED) {
        return;
    }
    enum judge_event_kind kind = kinds[effect->kind];
    struct judge_event *event = append(judge, kind, moment->at_ms);
    if (event) {
        event->score = (double)effect->reading.score / MOOD_ONE;
        event->trend = effect->reading.trend;
        event->tier = effect->alert.tier;
        event->confidence = (double)effect->alert.confidence / MOOD_ONE;
        event->rule = moment->firing ? moment->firing->rule : JUDGE_BY_MOOD;
        cxone_format_score(effect->reading.score, event->written);
    }
}

/* --- the tutorial --- */

static const struct judge_event *last_reading(const struct judge *judge)
{
    for (size_t i = judge->event_count; i > 0; i--) {
        if (judge->events[i - 1].kind == JUDGE_EVENT_READING) {
            return &judge->events[i - 1];
        }
    }
    return NULL;
}

static void take_literal(struct judge *judge, enum judge_event_kind kind,
                         const struct literal_replay_step *step)
{
    struct judge_event *event = append(judge, kind, step->at_ms);
    if (event) {
        event->score = step->mean;
        event->trend = step->trend;
        (void)snprintf(event->written, sizeof event->written, "%s", step->written);
    }
}

static void take_step(void *user, const struct literal_replay_step *step)
{
    struct judge *judge = user;
    const struct judge_event *last = last_reading(judge);
    if (!last || strcmp(last->written, step->written) != 0 || last->trend != step->trend) {
        take_literal(judge, JUDGE_EVENT_READING, step);
    }
    if (step->suggested) {
        take_literal(judge, JUDGE_EVENT_ALERT, step);
    }
}

/* The pipeline cuts nothing off by itself: what the scorer has to chunk makes it raise. */
static int label_with_model(void *user, const char *text, size_t size, const char **label,
                            struct error *err)
{
    struct replay *replay = user;
    struct scorer_result answer;
    int result = replay->score(replay->score_user, text, size, &answer, err);
    if (!result) {
        *label = answer.chunk_count == 1 ? scorer_label_name(replay->scorer, answer.label) : NULL;
    }
    return result;
}

/* --- both --- */

int judge_open(struct judge *judge, const char *name, const struct command_line_config *line,
               enum literal_replay_filter filter, struct error *err)
{
    bool repaired = strcmp(name, JUDGE_LITERAL_REPAIRED) == 0;
    struct command_line_config own = *line;
    *judge =
        (struct judge){.name = name, .is_literal = repaired || strcmp(name, JUDGE_LITERAL) == 0};
    if (!judge->is_literal && strcmp(name, JUDGE_UNDERTONE) != 0) {
        own.file = name;
    }
    int result = command_line_load_config(&own, &judge->config, err);
    if (result) {
        return result;
    }
    result = replay_open(&judge->replay, &judge->config, err);
    if (result) {
        config_free(&judge->config);
        return result;
    }
    judge->literal = (struct literal_replay){
        .labels_repaired = repaired,
        .filter = filter,
        .round_trip_ms = LITERAL_REPLAY_ROUND_TRIP_MS,
        .label = label_with_model,
        .label_user = &judge->replay,
        .on_step = take_step,
        .step_user = judge,
    };
    return 0;
}

void judge_close(struct judge *judge)
{
    replay_close(&judge->replay);
    config_free(&judge->config);
    free(judge->events);
    *judge = (struct judge){0};
}

const char *judge_event_rule(const struct judge *judge, const struct judge_event *event)
{
    return event->rule == JUDGE_BY_MOOD ? NULL : cues_rule_name(judge->replay.rules, event->rule);
}

int judge_call(struct judge *judge, const struct recording_line *lines, size_t count,
               struct error *err)
{
    judge->event_count = 0;
    int result = judge->is_literal
                     ? literal_replay_call(&judge->literal, lines, count, err)
                     : replay_call(&judge->replay, lines, count, take_effect, judge, err);
    if (!result && judge->failed) {
        result = error_set(err, ERROR_MEMORY, "no memory to replay a call");
    }
    return result;
}
