/* What the tutorial's code misses by construction and undertone does not: the same calls, the same
 * answers of the model, both judgements. docs/FROM-THE-TUTORIAL.md names these tests. The model is
 * a table, so that each test shows a flaw of the rule and not of a classifier. */
#include "commands/literal_replay.h"
#include "commands/replay.h"
#include "mood/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN_MS INT64_C(1765000000000)

enum { LINES_MAX = 128, TEXT_BYTES = 1024 };

/* One thing said, and what the model answers to its whole text and to what the tutorial shows of
 * it. Labels are in lower case, as published models have them. */
struct said {
    struct recording_line line;
    struct segment segment;
    char text[TEXT_BYTES];
    double score;
    const char *label;
};

struct stage {
    struct said said[LINES_MAX];
    struct recording_line lines[LINES_MAX];
    size_t count;
    struct config config;
    /* The outcome. */
    unsigned suggestions;
    unsigned suggestions_at_first_word;
    unsigned not_neutral; /* attribute values written other than 0.5 */
    unsigned alerts;
    unsigned recoveries;
};

static int set_up(void **state)
{
    static struct stage stage;
    struct error err;
    const struct config_sources sources = {0};
    memset(&stage, 0, sizeof stage);
    *state = &stage;
    return config_load(&stage.config, &sources, &err);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    config_free(&stage->config);
    return 0;
}

/* Seconds from the call's begin. Each text is made unique so that the table can tell them apart. */
static struct said *say(struct stage *stage, enum speaker speaker, double start, double end,
                        const char *label, double score)
{
    struct said *said = &stage->said[stage->count];
    assert_true(stage->count < LINES_MAX);
    (void)snprintf(said->text, sizeof said->text, "utterance %zu", stage->count);
    said->label = label;
    said->score = score;
    said->segment = (struct segment){
        .start_ms = BEGIN_MS + (int64_t)(start * 1000),
        .end_ms = BEGIN_MS + (int64_t)(end * 1000),
        .speaker = speaker,
        .is_final = true,
    };
    said->line = (struct recording_line){.sequence = stage->count,
                                         .visible_ms = said->segment.end_ms + RECORDING_DELAY_MS,
                                         .parsed = {.segments = &said->segment, .count = 1}};
    stage->count++;
    return said;
}

/* The tutorial sees the beginning of a text, undertone all of it, cleaned. */
static const struct said *find(const struct stage *stage, const char *text, size_t size)
{
    for (size_t i = 0; i < stage->count; i++) {
        if (size > 0 && strlen(stage->said[i].text) >= size &&
            strncmp(stage->said[i].text, text, size) == 0 &&
            (size == strlen(stage->said[i].text) || size == LITERAL_REPLAY_TEXT_MAX)) {
            return &stage->said[i];
        }
    }
    fail_msg("a text that nobody said");
    return NULL;
}

static int look_up_label(void *user, const char *text, size_t size, const char **label,
                         struct error *err)
{
    (void)err;
    *label = find(user, text, size)->label;
    return 0;
}

static int look_up_score(void *user, const char *text, size_t size, struct scorer_result *result,
                         struct error *err)
{
    (void)err;
    *result = (struct scorer_result){.score = find(user, text, size)->score, .chunk_count = 1};
    return 0;
}

static void note_step(void *user, const struct literal_replay_step *step)
{
    struct stage *stage = user;
    stage->suggestions += step->suggested;
    stage->suggestions_at_first_word += step->suggested && step->line->sequence == 0;
    stage->not_neutral += strcmp(step->written, "0.5") != 0;
}

static void note_effect(void *user, const struct replay_moment *moment)
{
    struct stage *stage = user;
    stage->alerts += moment->effect->kind == CALL_EFFECT_ALERT;
    stage->recoveries += moment->effect->kind == CALL_EFFECT_RECOVERED;
}

/* Everybody's lines by when they are visible, as recording_sort would have them. */
static void line_up(struct stage *stage)
{
    for (size_t i = 0; i < stage->count; i++) {
        struct said *said = &stage->said[i];
        said->segment.text = said->text;
        said->segment.text_bytes = strlen(said->text);
        size_t to = i;
        for (; to > 0 && stage->lines[to - 1].visible_ms > said->line.visible_ms; to--) {
            stage->lines[to] = stage->lines[to - 1];
        }
        stage->lines[to] = said->line;
    }
}

static struct literal_replay play_literal(struct stage *stage, bool repaired)
{
    struct error err = {0};
    struct literal_replay replay = {
        .labels_repaired = repaired,
        .filter = LITERAL_REPLAY_FILTER_START_AFTER,
        .round_trip_ms = LITERAL_REPLAY_ROUND_TRIP_MS,
        .label = look_up_label,
        .label_user = stage,
        .on_step = note_step,
        .step_user = stage,
    };
    line_up(stage);
    stage->suggestions = 0;
    stage->suggestions_at_first_word = 0;
    stage->not_neutral = 0;
    assert_int_equal(literal_replay_call(&replay, stage->lines, stage->count, &err), 0);
    return replay;
}

static void play_undertone(struct stage *stage)
{
    struct error err = {0};
    struct replay replay;
    line_up(stage);
    replay_init(&replay, &stage->config, look_up_score, stage);
    assert_int_equal(replay_call(&replay, stage->lines, stage->count, note_effect, stage, &err), 0);
    replay_close(&replay);
}

static void assert_missed_by_both_forms(struct stage *stage)
{
    play_literal(stage, false);
    assert_int_equal(stage->suggestions, 0);
    play_literal(stage, true);
    assert_int_equal(stage->suggestions, 0);
}

static void assert_caught_once(struct stage *stage)
{
    play_undertone(stage);
    assert_int_equal(stage->alerts, 1);
}

/* A fury that both would catch, if nothing else were in the way. */
static void test_the_repaired_form_can_alert_at_all(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 8; i++) {
        say(stage, SPEAKER_CUSTOMER, i * 8.0, i * 8.0 + 4, i < 4 ? "positive" : "negative",
            i < 4 ? 0.9 : 0.1);
    }
    play_literal(stage, true);
    assert_int_equal(stage->suggestions, 1);
    assert_caught_once(stage);
}

static void test_labels_in_lower_case_are_all_neutral(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 12; i++) {
        say(stage, SPEAKER_CUSTOMER, i * 8.0, i * 8.0 + 4, "negative", 0.05);
    }
    struct literal_replay replay = play_literal(stage, false);
    assert_int_equal(replay.scored, 12);
    assert_int_equal(stage->not_neutral, 0);
    assert_int_equal(stage->suggestions, 0);
    play_literal(stage, true);
    assert_int_equal(stage->not_neutral, 12);
    assert_caught_once(stage);
}

/* 0.04 an utterance, from content to miserable. "Neutral" stays the likeliest label as long as
 * P(negative) stays below one half. */
static void test_a_slow_slide_is_missed(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 16; i++) {
        say(stage, SPEAKER_CUSTOMER, i * 8.0, i * 8.0 + 4, "neutral",
            i < 10 ? 0.62 - 0.04 * i : 0.26);
    }
    assert_missed_by_both_forms(stage);
    assert_caught_once(stage);
}

/* Nor would scores with decimals help it: no step of the mean is ever larger than 0.05. */
static void test_a_slow_slide_never_declines_even_in_graded_scores(void **state)
{
    struct literal_window window;
    enum call_trend trend;
    double mean = 1.0;
    (void)state;
    literal_window_init(&window);
    for (int i = 0; i < 24; i++) {
        assert_true(literal_window_add(&window, i * 6.0, 0.96 - 0.04 * i));
        mean = literal_window_read(&window, i * 6.0 + 4.7, &trend);
        assert_int_not_equal(trend, CALL_TREND_DECLINING);
    }
    assert_true(mean < 0.15);
    literal_window_done(&window);
}

/* Two minutes of complaint after an agent's notice in short pieces: each "negative" that enters the
 * window pushes one "neutral" out of it, a step of less than 0.05 down to a mean of nothing. */
static void test_an_always_negative_customer_is_missed(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 76; i++) {
        bool notice = i < 16;
        say(stage, notice ? SPEAKER_AGENT : SPEAKER_CUSTOMER, i * 2.0, i * 2.0 + 1.6,
            notice ? "neutral" : "negative", notice ? 0.5 : 0.1);
    }
    assert_missed_by_both_forms(stage);
    assert_true(stage->not_neutral > 50); /* it saw the mood sink */
    assert_caught_once(stage);
}

/* Without a notice: one suggestion, on the evidence of a single word, and silence for the next
 * three minutes. Were that one request refused, there would be none. */
static void test_an_always_negative_customer_gets_one_chance_at_the_first_word(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 24; i++) {
        say(stage, SPEAKER_CUSTOMER, i * 8.0, i * 8.0 + 4, "negative", 0.1);
    }
    play_literal(stage, false);
    assert_int_equal(stage->suggestions, 0);
    play_literal(stage, true);
    assert_int_equal(stage->suggestions, 1);
    assert_int_equal(stage->suggestions_at_first_word, 1);
    assert_caught_once(stage);
    assert_int_equal(stage->recoveries, 0); /* the episode stays open as long as the mood is low */
}

static void test_transcripts_45_s_late_are_missed(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 20; i++) {
        struct said *said = say(stage, SPEAKER_CUSTOMER, i * 8.0, i * 8.0 + 4,
                                i < 6 ? "positive" : "negative", i < 6 ? 0.9 : 0.1);
        said->line.visible_ms = said->segment.end_ms + 45000;
    }
    assert_missed_by_both_forms(stage);
    assert_int_equal(stage->not_neutral, 0); /* one value for ever */
    assert_caught_once(stage);
}

static void test_an_angry_customer_with_a_cheerful_agent_is_missed(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 24; i++) {
        bool agent = i % 2 == 0;
        say(stage, agent ? SPEAKER_AGENT : SPEAKER_CUSTOMER, i * 5.0, i * 5.0 + 4,
            agent ? "positive" : "negative", agent ? 0.95 : 0.05);
    }
    assert_missed_by_both_forms(stage);
    assert_caught_once(stage);
}

/* The anger comes after the 512th character. */
static void test_the_end_of_a_long_text_is_missed(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 8; i++) {
        struct said *said =
            say(stage, SPEAKER_CUSTOMER, i * 30.0, i * 30.0 + 25, "neutral", i < 2 ? 0.5 : 0.1);
        (void)snprintf(said->text, sizeof said->text, "%d %0600d angry", i, 0);
    }
    assert_missed_by_both_forms(stage);
    assert_caught_once(stage);
}

/* Polls once a second with undertone's cursor against the same filter; marks what it is shown. */
static size_t count_seen_by_cursor(struct stage *stage)
{
    const struct cursor_limits limits = {30000, 180000, 20000};
    bool seen[LINES_MAX] = {false};
    size_t count = 0;
    struct cursor_delays delays;
    struct cursor cursor;
    cursor_delays_init(&delays);
    cursor_init(&cursor);
    for (int64_t t = 0; t < 300000; t += 1000) {
        struct segment reply[LINES_MAX];
        size_t reply_count = 0;
        const struct mono now = {.us = (t + 1000) * 1000};
        int64_t since_ms = cursor_next_start_ms(&cursor, &limits, &delays, BEGIN_MS - 1, now);
        for (size_t i = 0; i < stage->count; i++) {
            const struct said *said = &stage->said[i];
            if (said->line.visible_ms <= BEGIN_MS + t && said->segment.start_ms > since_ms) {
                reply[reply_count++] = said->segment;
                count += !seen[i];
                seen[i] = true;
            }
        }
        cursor_observe(&cursor, reply, reply_count);
    }
    return count;
}

/* The customer answers before the agent has finished, so the cursor is past every answer. */
static void test_overlapping_speech_is_lost_to_the_cursor(void **state)
{
    struct stage *stage = *state;
    for (int i = 0; i < 10; i++) {
        double at = i * 12.0;
        say(stage, SPEAKER_AGENT, at, at + 10, "neutral", 0.5);
        say(stage, SPEAKER_CUSTOMER, at + 8, at + 11, i < 3 ? "neutral" : "negative",
            i < 3 ? 0.5 : 0.05);
    }
    assert_missed_by_both_forms(stage);
    struct literal_replay replay = play_literal(stage, true);
    assert_int_equal(replay.finals, 10);
    assert_int_equal(replay.finals_missed, 10);
    assert_int_equal(count_seen_by_cursor(stage), stage->count);
    assert_caught_once(stage);
}

/* Noise that speech recognition gives as empty finals counts as neutral. */
static void test_blank_segments_dilute_the_mean(void **state)
{
    static const char *const blanks[] = {"", " ", "\t", "\xC2\xA0"};
    struct stage *stage = *state;
    for (int i = 0; i < 60; i++) {
        bool angry = i % 5 == 4;
        struct said *said = say(stage, SPEAKER_CUSTOMER, i * 2.0, i * 2.0 + 1.5, "negative", 0.05);
        if (!angry) {
            (void)snprintf(said->text, sizeof said->text, "%s", blanks[i % 4]);
        }
    }
    assert_missed_by_both_forms(stage);
    assert_true(stage->not_neutral > 20);
    assert_caught_once(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_repaired_form_can_alert_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_labels_in_lower_case_are_all_neutral, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_slow_slide_is_missed, set_up, tear_down),
        cmocka_unit_test(test_a_slow_slide_never_declines_even_in_graded_scores),
        cmocka_unit_test_setup_teardown(test_an_always_negative_customer_is_missed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_an_always_negative_customer_gets_one_chance_at_the_first_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transcripts_45_s_late_are_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_angry_customer_with_a_cheerful_agent_is_missed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_end_of_a_long_text_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overlapping_speech_is_lost_to_the_cursor, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_blank_segments_dilute_the_mean, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("literal misses", tests, NULL, NULL);
}
