/* replay.c - see replay.h.
 *
 * Time is the recording's: each segment arrives when it becomes visible, the clock ticks once a
 * second between arrivals, an answer from the scorer takes no time and a suggestion is delivered at
 * once. What late, duplicate and repeated replies do to a call is tested elsewhere and not acted
 * out here.
 */
#include "commands/replay.h"

#include "config/wire.h"
#include "model/model_cache.h"
#include "model/model_path.h"
#include "nlp/clean.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { TICK_MS = 1000, TICKS_MAX = 600 };

struct run {
    struct replay *replay;
    struct call *call;
    struct call_effects effects;
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
    run->on_effect(run->user, run->now_ms, run->lines, run->count, effect);
}

/* Carries out what the last step asked for, and what that asks for in turn. */
static int settle(struct run *run, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < run->effects.count && !result; i++) {
        const struct call_effect effect = run->effects.items[i];
        if (effect.kind == CALL_EFFECT_SCORE) {
            result = score(run, &effect, err);
            continue;
        }
        tell(run, &effect);
        if (effect.kind == CALL_EFFECT_ALERT) {
            run->replay->alerts++;
            const struct call_event delivered = {.kind = CALL_EVENT_DELIVERED,
                                                 .episode = effect.episode};
            result = step(run, &delivered) ? 0 : no_memory(err);
        }
    }
    call_effects_clear(&run->effects);
    return result;
}

static int take(struct run *run, const struct call_event *event, struct error *err)
{
    return step(run, event) ? settle(run, err) : no_memory(err);
}

/* Lets time pass. In a very long silence nothing changes any more, so it is cut short. */
static int advance(struct run *run, int64_t to_ms, struct error *err)
{
    const struct call_event tick = {.kind = CALL_EVENT_TICK};
    int result = 0;
    for (int i = 0; i < TICKS_MAX && to_ms - run->now_ms > TICK_MS && !result; i++) {
        run->now_ms += TICK_MS;
        result = take(run, &tick, err);
    }
    run->now_ms = to_ms > run->now_ms ? to_ms : run->now_ms;
    return result;
}

/* Segments that are seen in the same instant come in one reply, as the vendor would serve them. */
static int take_reply(struct run *run, size_t first, size_t *next, struct error *err)
{
    enum { REPLY_MAX = 256 };
    struct segment segments[REPLY_MAX];
    size_t count = 0;
    int64_t visible_ms = run->lines[first].visible_ms;
    while (first + count < run->count && count < REPLY_MAX &&
           run->lines[first + count].visible_ms == visible_ms) {
        segments[count] = *recording_segment(&run->lines[first + count]);
        count++;
    }
    *next = first + count;
    const struct call_event reply = {
        .kind = CALL_EVENT_REPLY, .segments = segments, .segment_count = count};
    return take(run, &reply, err);
}

static int play(struct run *run, struct error *err)
{
    int result = 0;
    for (size_t at = 0; at < run->count && !result;) {
        result = advance(run, run->lines[at].visible_ms, err);
        result = result ? result : take_reply(run, at, &at, err);
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
    if (!run.call) {
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
    call_destroy(run.call);
    return result;
}
