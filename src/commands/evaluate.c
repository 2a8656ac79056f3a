/* evaluate.c - see evaluate.h. Judging is here, printing in evaluate_print.c; what is measured, and
 * how, is in the room eval. */
#include "commands/evaluate.h"

#include "commands/evaluate_print.h"
#include "nlp/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory to evaluate");
}

/* --- the judges ------------------------------------------------------------------------------ */

/* The first judge that scores as this one does: they share what was scored. */
static size_t find_same_model(const struct evaluate *evaluate, const struct judge *judge)
{
    size_t at = 0;
    for (; at < evaluate->judge_count; at++) {
        const struct config *other = &evaluate->judges[at].config;
        if (strcmp(other->model_dir, judge->config.model_dir) == 0 &&
            strcmp(other->model_precision, judge->config.model_precision) == 0 &&
            strcmp(other->model_kernels, judge->config.model_kernels) == 0) {
            break;
        }
    }
    return at;
}

static int open_judge(struct evaluate *evaluate, const char *name,
                      const struct command_line_config *line, enum literal_replay_filter filter,
                      struct error *err)
{
    size_t at = evaluate->judge_count;
    struct judge *judge = &evaluate->judges[at];
    if (at == EVALUATE_JUDGES_MAX) {
        return error_set(err, ERROR_USAGE, "too many judgements: at most %d with the tutorial's",
                         EVALUATE_JUDGES_MAX);
    }
    int result = judge_open(judge, name, line, filter, err);
    if (!result) {
        score_memo_init(&evaluate->memos[at], judge->replay.score, judge->replay.score_user);
        judge->replay.score = score_memo_run;
        judge->replay.score_user = &evaluate->memos[find_same_model(evaluate, judge)];
        evaluate->judge_count++;
    }
    return result;
}

int evaluate_open(struct evaluate *evaluate, char *names, const struct command_line_config *line,
                  enum literal_replay_filter filter, struct error *err)
{
    static char undertone[] = JUDGE_UNDERTONE;
    static const char *const always[] = {JUDGE_LITERAL, JUDGE_LITERAL_REPAIRED};
    int result = 0;
    for (char *name = names ? names : undertone, *next; name && !result; name = next) {
        char *comma = strchr(name, ',');
        next = comma ? comma + 1 : NULL;
        if (comma) {
            *comma = '\0';
        }
        if (strcmp(name, always[0]) != 0 && strcmp(name, always[1]) != 0) {
            result = open_judge(evaluate, name, line, filter, err);
        }
    }
    for (size_t i = 0; i < sizeof always / sizeof always[0] && !result; i++) {
        result = open_judge(evaluate, always[i], line, filter, err);
    }
    if (result) {
        evaluate_close(evaluate);
    }
    return result;
}

void evaluate_close(struct evaluate *evaluate)
{
    for (size_t i = 0; i < evaluate->judge_count; i++) {
        score_memo_done(&evaluate->memos[i]);
        judge_close(&evaluate->judges[i]);
    }
    free(evaluate->calls);
    free(evaluate->turn_calibrations);
    free(evaluate->fired);
    *evaluate = (struct evaluate){0};
}

/* --- turns ----------------------------------------------------------------------------------- */

/* 0 negative, 1 neutral, 2 positive. */
static int class_of_label(const char *name)
{
    for (const char *at = name; *at; at++) {
        if (strncasecmp(at, "neg", 3) == 0) {
            return 0;
        }
        if (strncasecmp(at, "pos", 3) == 0) {
            return 2;
        }
    }
    return 1;
}

/* What nothing is left of after cleaning was said by nobody: it is left out. */
static int judge_turn(struct evaluate *evaluate, struct judge *judge, struct evaluate_call *call,
                      const struct segment *segment, size_t ordinal, int mood, struct error *err)
{
    struct replay *replay = &judge->replay;
    buf_clear(&replay->cleaned);
    if (!buf_reserve(&replay->cleaned, segment->text_bytes * 3)) {
        return no_memory(err);
    }
    size_t size = clean_text(segment->text, segment->text_bytes, replay->cleaned.bytes);
    struct scorer_result answer;
    if (mood == TURN_MOOD_NONE || size == 0) {
        return 0;
    }
    int result = replay->score(replay->score_user, replay->cleaned.bytes, size, &answer, err);
    if (result) {
        return result;
    }
    int taken = class_of_label(scorer_label_name(replay->scorer, answer.label));
    double probability = (double)answer.probabilities[answer.label];
    call->turns.counts[mood + 1][taken]++;
    if (call->labelled) {
        calibration_add(&evaluate->turn_calibrations[call->source], probability, taken == mood + 1);
    }
    if (evaluate->json) {
        evaluate_print_turn(judge, evaluate->sources[call->source], call->line, ordinal, mood,
                            taken - 1, probability);
    }
    return 0;
}

/* --- calls ----------------------------------------------------------------------------------- */

/* Where a call's customer turns are. */
struct hearing {
    const struct recording_line *lines;
    size_t count;
};

/* The ordinal of the newest customer turn visible at this time; 0 before the first. */
static uint32_t turn_at(const struct hearing *hearing, int64_t at_ms)
{
    uint32_t heard = 0;
    for (size_t i = 0; i < hearing->count; i++) {
        heard += hearing->lines[i].visible_ms <= at_ms &&
                 recording_segment(&hearing->lines[i])->speaker == SPEAKER_CUSTOMER;
    }
    return heard > 0 ? heard - 1 : 0;
}

/* When a customer turn had become visible. */
static int64_t visible_at(const struct hearing *hearing, int32_t ordinal)
{
    int32_t at = -1;
    for (size_t i = 0; i < hearing->count; i++) {
        at += recording_segment(&hearing->lines[i])->speaker == SPEAKER_CUSTOMER;
        if (at == ordinal) {
            return hearing->lines[i].visible_ms;
        }
    }
    return 0;
}

static void place_alert(struct evaluate_call *call, const struct turns_label *label,
                        const struct hearing *hearing, int64_t at_ms, int64_t start_ms)
{
    struct outcome *outcome = &call->outcome;
    outcome->told = true;
    outcome->turn = turn_at(hearing, at_ms);
    outcome->told_ms = at_ms - start_ms;
    if (!outcome->wanted) {
        return;
    }
    int32_t turn = (int32_t)outcome->turn;
    int32_t nearest = turn < label->alert_first  ? label->alert_first
                      : turn > label->alert_last ? label->alert_last
                                                 : turn;
    outcome->turns_off = turn - nearest;
    outcome->off_ms = at_ms - visible_at(hearing, nearest);
}

static void take_events(struct evaluate_call *call, const struct judge *judge,
                        const struct turns_label *label, const struct hearing *hearing,
                        int64_t start_ms)
{
    struct outcome *outcome = &call->outcome;
    for (size_t i = 0; i < judge->event_count; i++) {
        const struct judge_event *event = &judge->events[i];
        if (event->kind == JUDGE_EVENT_ALERT) {
            if (!outcome->told) {
                place_alert(call, label, hearing, event->at_ms, start_ms);
                call->confidence = event->confidence;
            }
            outcome->alerts++;
        }
        outcome->supervisor = outcome->supervisor || (event->kind != JUDGE_EVENT_READING &&
                                                      event->kind != JUDGE_EVENT_RECOVERED &&
                                                      event->tier == CALL_TIER_SUPERVISOR);
        outcome->recovered = outcome->recovered || event->kind == JUDGE_EVENT_RECOVERED;
    }
}

static size_t count_rules(const struct judge *judge)
{
    return judge->replay.rules && !judge->is_literal ? cues_rule_count(judge->replay.rules) : 0;
}

/* How often each rule fired in a call; count_rules of them. */
static uint32_t *fired_in(const struct evaluate *evaluate, const struct judge *judge,
                          const struct evaluate_call *call)
{
    return &evaluate->fired[(size_t)(call - evaluate->calls) * count_rules(judge)];
}

static void count_firings(uint32_t *fired, const struct judge *judge)
{
    for (size_t i = 0; i < judge->event_count; i++) {
        if (judge->events[i].rule != JUDGE_BY_MOOD) {
            fired[judge->events[i].rule]++;
        }
    }
}

static const struct turns_label *find_label(const struct turns_labels *labels, size_t call)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (labels->items[i].call == call) {
            return &labels->items[i];
        }
    }
    return NULL;
}

static bool find_source(struct evaluate *evaluate, const char *path, size_t *source)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (*source = 0; *source < evaluate->source_count; ++*source) {
        if (strcmp(evaluate->sources[*source], name) == 0) {
            return true;
        }
    }
    if (evaluate->source_count == sizeof evaluate->sources / sizeof evaluate->sources[0]) {
        return false;
    }
    evaluate->sources[evaluate->source_count++] = name;
    return true;
}

static int judge_turns(struct evaluate *evaluate, struct judge *judge, struct evaluate_call *call,
                       const struct turns_label *label, const struct hearing *hearing,
                       struct error *err)
{
    int result = 0;
    size_t ordinal = 0;
    for (size_t i = 0; i < hearing->count && !result; i++) {
        const struct segment *segment = recording_segment(&hearing->lines[i]);
        if (segment->speaker == SPEAKER_CUSTOMER && ordinal < label->turn_count) {
            result =
                judge_turn(evaluate, judge, call, segment, ordinal, label->moods[ordinal], err);
            ordinal++;
        }
    }
    return result;
}

static int judge_one(struct evaluate *evaluate, struct judge *judge, struct evaluate_call *call,
                     const struct turns_label *label, const struct hearing *hearing,
                     int64_t start_ms, struct error *err)
{
    const struct recording_line *last = &hearing->lines[hearing->count - 1];
    *call = (struct evaluate_call){
        .line = hearing->lines,
        .labelled = label->agreed,
        .outcome = {.wanted = label->wanted,
                    .length_ms = recording_segment(last)->end_ms - start_ms,
                    .recovery_wanted = label->recovered != TURN_NOT_LABELLED,
                    .supervisor_wanted = label->supervisor},
    };
    if (!find_source(evaluate, hearing->lines->source, &call->source)) {
        return error_set(err, ERROR_LIMIT, "more sources than can be told apart");
    }
    int result = judge_call(judge, hearing->lines, hearing->count, err);
    if (result) {
        return result;
    }
    take_events(call, judge, label, hearing, start_ms);
    count_firings(fired_in(evaluate, judge, call), judge);
    result = judge->is_literal ? 0 : judge_turns(evaluate, judge, call, label, hearing, err);
    if (!result && evaluate->json) {
        evaluate_print_call(judge, evaluate->sources[call->source], call, count_rules(judge),
                            fired_in(evaluate, judge, call));
    }
    return result;
}

int evaluate_judge(struct evaluate *evaluate, size_t judge, const struct recording *recording,
                   const struct turns_labels *labels, struct error *err)
{
    const size_t sources_max = sizeof evaluate->sources / sizeof evaluate->sources[0];
    free(evaluate->calls);
    free(evaluate->turn_calibrations);
    free(evaluate->fired);
    evaluate->call_count = 0;
    evaluate->fired = calloc(recording->call_count + 1,
                             (count_rules(&evaluate->judges[judge]) + 1) * sizeof(uint32_t));
    evaluate->calls = calloc(recording->call_count + 1, sizeof *evaluate->calls);
    evaluate->turn_calibrations = calloc(sources_max, sizeof *evaluate->turn_calibrations);
    if (!evaluate->calls || !evaluate->turn_calibrations || !evaluate->fired) {
        return no_memory(err);
    }
    int result = 0;
    for (size_t first = 0, next; first < recording->count && !result; first = next) {
        int64_t start_ms = recording_call_span(recording, first, &next);
        const struct hearing hearing = {&recording->lines[first], next - first};
        const struct turns_label *label = find_label(labels, hearing.lines->call);
        if (label) {
            result =
                judge_one(evaluate, &evaluate->judges[judge],
                          &evaluate->calls[evaluate->call_count++], label, &hearing, start_ms, err);
        }
    }
    return result;
}

/* --- measures -------------------------------------------------------------------------------- */

/* The calls of a row, as the bootstrap draws them. */
struct drawing {
    const struct evaluate_call **calls;
    struct outcome *outcomes;
    double *scratch;
    size_t count;
    uint64_t support_min;
};

static void measure_turns(const struct drawing *drawing, const size_t *chosen, size_t count,
                          struct confusion *out)
{
    *out = (struct confusion){0};
    for (size_t i = 0; i < count; i++) {
        confusion_merge(out, &drawing->calls[chosen ? chosen[i] : i]->turns);
    }
}

static void measure_drawn(void *user, const size_t *chosen, size_t count,
                          double values[BOOTSTRAP_MEASURES_MAX])
{
    const struct drawing *drawing = user;
    struct outcome_measures alerts;
    struct confusion turns;
    outcome_measure(drawing->outcomes, chosen, count, drawing->scratch, &alerts);
    measure_turns(drawing, chosen, count, &turns);
    values[EVALUATE_PRECISION] = alerts.precision;
    values[EVALUATE_RECALL] = alerts.recall;
    values[EVALUATE_F1] = alerts.f1;
    values[EVALUATE_CALM_TOLD] = alerts.calm_told;
    values[EVALUATE_MACRO_F1] = confusion_macro_f1(&turns, drawing->support_min, NULL);
    values[EVALUATE_KAPPA] = confusion_kappa(&turns);
}

static bool drawing_open(struct drawing *drawing, const struct evaluate *evaluate, size_t source)
{
    size_t room = evaluate->call_count + 1;
    *drawing = (struct drawing){
        .calls = calloc(room, sizeof(struct evaluate_call *)),
        .outcomes = calloc(room, sizeof *drawing->outcomes),
        .scratch = calloc(room, sizeof *drawing->scratch),
        .support_min = source == SIZE_MAX ? 1 : EVALUATE_SUPPORT_MIN,
    };
    if (!drawing->calls || !drawing->outcomes || !drawing->scratch) {
        return false;
    }
    for (size_t i = 0; i < evaluate->call_count; i++) {
        const struct evaluate_call *call = &evaluate->calls[i];
        if (call->labelled && (source == SIZE_MAX || call->source == source)) {
            drawing->calls[drawing->count] = call;
            drawing->outcomes[drawing->count++] = call->outcome;
        }
    }
    return true;
}

static void drawing_close(struct drawing *drawing)
{
    free(drawing->calls);
    free(drawing->outcomes);
    free(drawing->scratch);
}

static void calibration_merge(struct calibration *into, const struct calibration *from)
{
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        into->counts[i] += from->counts[i];
        into->right[i] += from->right[i];
        into->sums[i] += from->sums[i];
    }
}

static void measure_row(const struct drawing *drawing, const struct evaluate *evaluate,
                        size_t source, struct evaluate_row *row)
{
    outcome_measure(drawing->outcomes, NULL, drawing->count, drawing->scratch, &row->alerts);
    measure_turns(drawing, NULL, drawing->count, &row->turns);
    row->macro_f1 = confusion_macro_f1(&row->turns, drawing->support_min, &row->classes);
    for (size_t i = 0; i < drawing->count; i++) {
        const struct evaluate_call *call = drawing->calls[i];
        if (call->outcome.told && call->confidence > 0) {
            calibration_add(&row->alert_calibration, call->confidence, call->outcome.wanted);
        }
    }
    for (size_t i = 0; i < evaluate->source_count; i++) {
        if (source == SIZE_MAX || source == i) {
            calibration_merge(&row->turn_calibration, &evaluate->turn_calibrations[i]);
        }
    }
}

bool evaluate_measure(const struct evaluate *evaluate, size_t source, struct evaluate_row *row)
{
    struct drawing drawing;
    bool ok = drawing_open(&drawing, evaluate, source);
    if (ok) {
        measure_row(&drawing, evaluate, source, row);
    }
    drawing_close(&drawing);
    return ok;
}

static void report_rules(const struct evaluate *evaluate, const struct judge *judge, size_t source,
                         const char *source_name)
{
    for (uint32_t rule = 0; rule < count_rules(judge); rule++) {
        struct evaluate_rule row = {
            .source = source_name,
            .judgement = judge->name,
            .name = cues_rule_name(judge->replay.rules, rule),
        };
        for (size_t i = 0; i < evaluate->call_count; i++) {
            const struct evaluate_call *call = &evaluate->calls[i];
            uint32_t fired = fired_in(evaluate, judge, call)[rule];
            if (fired > 0 && call->labelled && (source == SIZE_MAX || call->source == source)) {
                row.fired += fired;
                row.right += call->outcome.wanted;
                row.wrong += !call->outcome.wanted;
            }
        }
        evaluate_print_rule(evaluate->json, &row);
    }
}

static bool report(const struct evaluate *evaluate, const struct judge *judge, size_t source)
{
    struct drawing drawing;
    struct evaluate_row row = {
        .source = source == SIZE_MAX ? "all" : evaluate->sources[source],
        .judgement = judge->name,
    };
    bool ok = drawing_open(&drawing, evaluate, source);
    if (ok) {
        measure_row(&drawing, evaluate, source, &row);
        ok = bootstrap_intervals(measure_drawn, &drawing, drawing.count, EVALUATE_ROUNDS,
                                 EVALUATE_SEED, row.intervals);
    }
    drawing_close(&drawing);
    if (ok) {
        evaluate_print_row(evaluate->json, !judge->is_literal, &row);
        report_rules(evaluate, judge, source, row.source);
    }
    return ok;
}

int evaluate_run(struct evaluate *evaluate, const struct recording *recording,
                 const struct turns_labels *labels, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < evaluate->judge_count && !result; i++) {
        result = evaluate_judge(evaluate, i, recording, labels, err);
        for (size_t source = 0; source < evaluate->source_count && !result; source++) {
            result = report(evaluate, &evaluate->judges[i], source) ? 0 : no_memory(err);
        }
        if (!result && !report(evaluate, &evaluate->judges[i], SIZE_MAX)) {
            result = no_memory(err);
        }
    }
    return result;
}
