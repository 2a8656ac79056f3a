/* replay.c - see replay.h.
 *
 * Time is the recording's: each segment arrives when it becomes visible, the clock ticks once a
 * second between arrivals, an answer from the scorer takes no time and a suggestion is delivered at
 * once. What late, duplicate and repeated replies do to a call is tested elsewhere and not acted
 * out here.
 */
#include "commands/replay.h"

#include "config/wire.h"
#include "flow/session_cues.h"
#include "model/model_cache.h"
#include "model/model_path.h"
#include "nlp/clean.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { TICK_MS = 1000, TICKS_MAX = 600, REPLY_MAX = 256 };

struct run {
    struct replay *replay;
    struct call *call;
    struct call_effects effects;
    struct cues_state *cues;          /* NULL without rules */
    const struct cues_firing *firing; /* while it is being judged */
    const struct recording_line *lines;
    size_t count;
    replay_effect_fn *on_effect;
    void *user;
    bool has_told;
    struct call_reading told;
    int64_t origin_ms;
    int64_t now_ms;
};

static int score_with_model(void *user, const char *text, size_t size, struct scorer_result *result,
                            struct error *err)
{
    struct replay *replay = user;
    return scorer_run(replay->scorer, replay->scratch,
                      &(struct scorer_text){.bytes = text, .size = size}, 1, SCORER_LONG_CHUNK,
                      result, err);
}

void replay_init(struct replay *replay, const struct config *config, replay_score_fn *score,
                 void *score_user)
{
    *replay = (struct replay){.score = score, .score_user = score_user};
    buf_init(&replay->cleaned, RECORDING_LINE_BYTES_MAX * 3);
    wire_mood(config, &replay->policy);
}

int replay_open(struct replay *replay, const struct config *config, struct error *err)
{
    struct scorer_options options;
    struct buf path;
    wire_scorer(config, &options);
    buf_init(&path, PATH_MAX);
    replay_init(replay, config, score_with_model, replay);
    int result = model_path_find(config->model_dir, &path, err);
    result = result ? result
                    : model_cache_open(&replay->scorer, config->model_cache, buf_string(&path),
                                       &options, err);
    result = result ? result : scorer_scratch_create(replay->scorer, 0, &replay->scratch, err);
    if (!result && config->rules_path[0]) {
        result = cues_load(config->rules_path, &replay->rules, err);
    }
    buf_done(&path);
    if (result) {
        replay_close(replay);
    }
    return result;
}

void replay_close(struct replay *replay)
{
    scorer_scratch_destroy(replay->scratch);
    scorer_close(replay->scorer);
    cues_release(replay->rules);
    buf_done(&replay->cleaned);
    *replay = (struct replay){0};
}

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory to replay a call");
}

static bool step(struct run *run, const struct call_event *event)
{
    const struct call_now now = {
        .mono = mono_after_ms((struct mono){0}, run->now_ms - run->origin_ms + TICK_MS),
        .vendor_ms = run->now_ms};
    return call_step(run->call, now, event, &run->effects);
}

/* Cleans and scores one text as a worker would, and hands the answer back. */
static int score(struct run *run, const struct call_effect *effect, struct error *err)
{
    struct replay *replay = run->replay;
    struct call_event answer = {.kind = CALL_EVENT_UNSCORABLE,
                                .utterance = effect->utterance,
                                .revision = effect->revision};
    buf_clear(&replay->cleaned);
    if (!buf_reserve(&replay->cleaned, effect->segment.text_bytes * 3)) {
        return no_memory(err);
    }
    struct scorer_text text = {.bytes = replay->cleaned.bytes};
    text.size = clean_text(effect->segment.text, effect->segment.text_bytes, replay->cleaned.bytes);
    if (text.size > 0) {
        struct scorer_result result;
        int failed = replay->score(replay->score_user, text.bytes, text.size, &result, err);
        if (failed) {
            return failed;
        }
        answer.kind = CALL_EVENT_SCORED;
        answer.score = (int64_t)llround(result.score * MOOD_ONE);
    }
    return step(run, &answer) ? 0 : no_memory(err);
}

static void tell(struct run *run, const struct call_effect *effect)
{
    const struct call_reading *now = &effect->reading;
    if (effect->kind == CALL_EFFECT_READING) {
        if (run->has_told && run->told.score == now->score && run->told.trend == now->trend) {
            return;
        }
        run->told = *now;
        run->has_told = true;
    }
    const struct replay_moment moment = {
        .at_ms = run->now_ms,
        .lines = run->lines,
        .count = run->count,
        .effect = effect,
        .rules = run->replay->rules,
        .firing = effect->kind == CALL_EFFECT_ALERT ? run->firing : NULL,
    };
    run->on_effect(run->user, &moment);
}

/* Whether an alert would have gone to the agent, and so have been delivered. */
static bool is_hint(const struct call_alert *alert)
{
    return alert->path != CALL_ALERT_RULE || alert->tier == CALL_TIER_AGENT;
}

/* Carries out what the last step asked for, and what that asks for in turn; says whether the
 * reading is another now. */
static int settle(struct run *run, bool *is_new_mood, struct error *err)
{
    int result = 0;
    *is_new_mood = false;
    for (size_t i = 0; i < run->effects.count && !result; i++) {
        const struct call_effect effect = run->effects.items[i];
        if (effect.kind == CALL_EFFECT_SCORE) {
            result = score(run, &effect, err);
            continue;
        }
        tell(run, &effect);
        *is_new_mood = *is_new_mood || effect.kind == CALL_EFFECT_READING;
        run->replay->alerts += effect.kind == CALL_EFFECT_ALERT;
        if (effect.kind == CALL_EFFECT_ALERT && is_hint(&effect.alert)) {
            const struct call_event delivered = {.kind = CALL_EVENT_DELIVERED,
                                                 .episode = effect.episode};
            result = step(run, &delivered) ? 0 : no_memory(err);
        }
    }
    call_effects_clear(&run->effects);
    return result;
}

/* An alert for each of the firings; they change no reading. */
static int fire(struct run *run, const struct cues_firings *firings, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < firings->count && !result; i++) {
        const struct cues_firing *firing = &firings->items[i];
        const struct call_event event = {
            .kind = CALL_EVENT_RULE,
            .rule = cues_rule_number(run->replay->rules, firing->rule),
            .tier = session_cues_tier(firing->tier),
        };
        bool is_new_mood;
        run->firing = firing;
        result = step(run, &event) ? settle(run, &is_new_mood, err) : no_memory(err);
        run->firing = NULL;
    }
    return result;
}

/* What the rules say of an event. */
static int cue(struct run *run, struct cues_event *event, struct error *err)
{
    struct cues_firings firings = {0};
    if (!run->cues) {
        return 0;
    }
    event->now_ms = run->now_ms;
    event->mood = session_cues_mood(run->call);
    return cues_step(run->cues, run->replay->rules, event, &firings) ? fire(run, &firings, err)
                                                                     : no_memory(err);
}

static int cue_tick(struct run *run, struct error *err)
{
    struct cues_event event = {.kind = CUES_TICK};
    return cue(run, &event, err);
}

/* Rules are asked again when the mood has changed. */
static int take(struct run *run, const struct call_event *event, struct error *err)
{
    bool is_new_mood;
    int result = step(run, event) ? settle(run, &is_new_mood, err) : no_memory(err);
    return !result && is_new_mood ? cue_tick(run, err) : result;
}

/* Lets rules have what they wait for up to then, each thing at its moment. */
static int wake_cues(struct run *run, int64_t to_ms, struct error *err)
{
    int result = 0;
    for (int i = 0; i < TICKS_MAX && run->cues && cues_due(run->cues) <= to_ms && !result; i++) {
        int64_t due_ms = cues_due(run->cues);
        run->now_ms = due_ms > run->now_ms ? due_ms : run->now_ms;
        result = cue_tick(run, err);
    }
    return result;
}

/* Lets time pass. In a very long silence the mood does not change any more, so that it is cut
 * short; a rule may still wait for its end. */
static int advance(struct run *run, int64_t to_ms, struct error *err)
{
    const struct call_event tick = {.kind = CALL_EVENT_TICK};
    int result = 0;
    for (int i = 0; i < TICKS_MAX && to_ms - run->now_ms > TICK_MS && !result; i++) {
        int64_t next_ms = run->now_ms + TICK_MS;
        result = wake_cues(run, next_ms, err);
        run->now_ms = next_ms;
        result = result ? result : take(run, &tick, err);
    }
    result = result ? result : wake_cues(run, to_ms, err);
    run->now_ms = to_ms > run->now_ms ? to_ms : run->now_ms;
    return result;
}

/* Segments that are seen in the same instant come in one reply, as the vendor would serve them. */
static int take_reply(struct run *run, size_t first, size_t *next, struct error *err)
{
    struct segment segments[REPLY_MAX];
    struct cues_utterance utterances[REPLY_MAX];
    struct cues_event said = {.kind = CUES_REPLY, .utterances = utterances};
    size_t count = 0;
    int64_t visible_ms = run->lines[first].visible_ms;
    while (first + count < run->count && count < REPLY_MAX &&
           run->lines[first + count].visible_ms == visible_ms) {
        segments[count] = *recording_segment(&run->lines[first + count]);
        if (segments[count].is_final) {
            session_cues_utterance(&segments[count], &utterances[said.count++]);
        }
        count++;
    }
    *next = first + count;
    const struct call_event reply = {
        .kind = CALL_EVENT_REPLY, .segments = segments, .segment_count = count};
    int result = take(run, &reply, err);
    return result ? result : cue(run, &said, err);
}

static int play(struct run *run, struct error *err)
{
    int result = 0;
    for (size_t at = 0; at < run->count && !result;) {
        result = advance(run, run->lines[at].visible_ms, err);
        result = result ? result : take_reply(run, at, &at, err);
    }
    if (!result) {
        struct cues_event over = {.kind = CUES_ENDED};
        result = cue(run, &over, err);
        cues_state_destroy(run->cues);
        run->cues = NULL;
    }
    /* Long enough for a recovery that is being held to be told. */
    int64_t end_ms = run->now_ms + run->replay->policy.recover_hold_ms + 2 * (int64_t)TICK_MS;
    const struct call_event ended = {.kind = CALL_EVENT_ENDED};
    result = result ? result : advance(run, end_ms, err);
    return result ? result : take(run, &ended, err);
}

int replay_call(struct replay *replay, const struct recording_line *lines, size_t count,
                replay_effect_fn *on_effect, void *user, struct error *err)
{
    int64_t origin_ms = lines[0].visible_ms;
    struct run run = {.replay = replay,
                      .call = call_create(&replay->policy),
                      .lines = lines,
                      .count = count,
                      .on_effect = on_effect,
                      .user = user,
                      .origin_ms = origin_ms,
                      .now_ms = origin_ms};
    if (run.call && replay->rules) {
        run.cues = cues_state_create(replay->rules, replay->policy.identity_key);
    }
    if (!run.call || (replay->rules && !run.cues)) {
        call_destroy(run.call);
        return no_memory(err);
    }
    call_effects_init(&run.effects);
    int result = play(&run, err);
    struct call_reading reading;
    if (call_reading(run.call, &reading)) {
        replay->judged += reading.utterances;
    }
    replay->quarantined += call_counts(run.call)->quarantined;
    call_effects_done(&run.effects);
    cues_state_destroy(run.cues);
    call_destroy(run.call);
    return result;
}
