/* The wallboard's model, without a socket: what a reader is told, and when, held against
 * the text that was written for it. */
#include "app/wallboard.h"
#include "app/wallboard_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS_MAX = 5000, GONE_MAX = 8, CHUNK = 16 * 1024 };

static const int64_t epoch_ms = 1700000000000;

static struct call_now at(int64_t ms)
{
    return (struct call_now){.mono = {ms * 1000}, .vendor_ms = epoch_ms + ms};
}

static struct session_view view_of(const char *id, int64_t ms, double score)
{
    return (struct session_view){
        .interaction_id = id,
        .live = true,
        .state = CXONE_CALL_HELD,
        .transferred_from = "call-0",
        .queue = "north wing",
        .language = "en-AU",
        .judged = true,
        .has_reading = true,
        .reading = {.score = (int64_t)(score * MOOD_ONE),
                    .trend = CALL_TREND_DECLINING,
                    .difference = -210000,
                    .samples = 3,
                    .utterances = 7,
                    .as_of_ms = epoch_ms + ms,
                    .score_before = 520000,
                    .samples_before = 4},
        .refreshed = {ms * 1000},
        .attribute_state = ATTRIBUTE_WRITTEN,
    };
}

static struct effect note_of(enum note_kind kind, const char *id, uint32_t episode)
{
    return (struct effect){
        .kind = EFFECT_NOTE,
        .note = kind,
        .interaction_id = id,
        .episode = episode,
        .alert.path = CALL_ALERT_SUSTAINED_LOW,
        .reading = {.score = 120000, .as_of_ms = epoch_ms + 900},
        .evidence = {{.start_ms = epoch_ms + 100,
                      .end_ms = epoch_ms + 900,
                      .speaker = SPEAKER_CUSTOMER,
                      .score = 20000,
                      .contribution = -147000}},
        .evidence_count = 1,
    };
}

static void note(struct wallboard *board, int64_t ms, enum note_kind kind, const char *id,
                 uint32_t episode)
{
    struct effect effect = note_of(kind, id, episode);
    wallboard_note(board, at(ms), &effect);
}

static void refresh(struct wallboard *board, int64_t ms, const struct session_view *view)
{
    wallboard_refresh(board, at(ms), view);
}

/* What a reader that knows up to *revision is told, all chunks as one text. */
static char *news(const struct wallboard *board, uint64_t *revision)
{
    struct buf out;
    buf_init(&out, 64 * 1024 * 1024);
    while (wallboard_write_items(board, revision, CHUNK, &out)) {
        assert_false(out.failed);
    }
    assert_false(out.failed);
    return out.bytes; /* the caller frees it */
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *found = strstr(text, part); found; found = strstr(found + 1, part)) {
        count++;
    }
    return count;
}

#define ASSERT_NEWS(board, revision, expected) \
    do {                                       \
        char *text_ = news(board, revision);   \
        assert_string_equal(text_, expected);  \
        free(text_);                           \
    } while (0)

static void assert_news_holds(const struct wallboard *board, uint64_t *revision, const char *part)
{
    char *text = news(board, revision);
    if (!strstr(text, part)) {
        fail_msg("%s\nis not in\n%s", part, text);
    }
    free(text);
}

static void test_call_is_told_with_both_windows_and_its_line(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct session_view view = view_of("call-1", 1500, 0.31);
    uint64_t revision = 0;
    note(board, 1000, NOTE_CALL_OPENED, "call-1", 0);
    refresh(board, 2000, &view);
    ASSERT_NEWS(board, &revision,
                "[{\"kind\":\"call\",\"id\":\"call-1\",\"live\":true,"
                "\"state\":\"held\",\"transferred_from\":\"call-0\","
                "\"queue\":\"north wing\",\"language\":\"en-AU\",\"judged\":true,"
                "\"followed_ms\":1700000001000,\"late_ms\":0,\"attributes\":\"written\","
                "\"alert\":0,\"has_reading\":true,\"score\":0.31,\"trend\":\"declining\","
                "\"difference\":-0.21,\"samples\":3,\"score_before\":0.52,\"samples_before\":4,"
                "\"utterances\":7,\"as_of_ms\":1700000001500,"
                "\"points\":[[1700000001500,0.31]]}]");
    wallboard_destroy(board);
}

static void test_unchanged_call_is_told_once(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct session_view view = view_of("call-1", 1500, 0.31);
    uint64_t revision = 0;
    refresh(board, 2000, &view);
    free(news(board, &revision));
    for (int64_t ms = 3000; ms < 12000; ms += 1000) {
        view.refreshed.us = ms * 1000; /* polled again, nothing new in it */
        refresh(board, ms, &view);
    }
    ASSERT_NEWS(board, &revision, "[]");
    wallboard_destroy(board);
}

/* However many states pass between two looks, a reader gets the last one, with all its points. */
static void test_slow_reader_gets_the_latest_state_once_and_the_points_it_missed(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    struct session_view view = view_of("call-1", 1000, 0.9);
    refresh(board, 1000, &view);
    free(news(board, &revision));
    static const double scores[] = {0.8, 0.7, 0.6};
    for (int i = 0; i < 3; i++) {
        view = view_of("call-1", 2000 + i * 1000, scores[i]);
        refresh(board, 2500 + i * 1000, &view);
    }
    char *text = news(board, &revision);
    assert_int_equal(count_of(text, "\"kind\":\"call\""), 1);
    assert_non_null(strstr(text, "\"score\":0.6,"));
    assert_non_null(strstr(text, "\"points\":[[1700000002000,0.8],[1700000003000,0.7],"
                                 "[1700000004000,0.6]]"));
    free(text);
    wallboard_destroy(board);
}

static void test_revised_reading_takes_the_place_of_its_point(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    struct session_view view = view_of("call-1", 1000, 0.9);
    refresh(board, 1000, &view);
    view = view_of("call-1", 1000, 0.4);
    refresh(board, 2000, &view);
    assert_news_holds(board, &revision, "\"points\":[[1700000001000,0.4]]}");
    wallboard_destroy(board);
}

static void test_line_keeps_three_minutes_and_the_point_before_them(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    for (int64_t ms = 0; ms <= 400000; ms += 10000) {
        struct session_view view = view_of("call-1", ms, 0.5);
        refresh(board, ms, &view);
    }
    char *text = news(board, &revision);
    assert_non_null(strstr(text, "\"points\":[[1700000210000,"));
    assert_int_equal(count_of(text, "[17000"), 20);
    free(text);
    wallboard_destroy(board);
}

static void test_line_is_bounded_however_fast_readings_come(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    for (int64_t ms = 0; ms < 100000; ms += 100) {
        struct session_view view = view_of("call-1", ms, 0.5);
        refresh(board, ms, &view);
    }
    char *text = news(board, &revision);
    assert_int_equal(count_of(text, "[17000"), WALLBOARD_POINTS);
    assert_non_null(strstr(text, "[1700000099900,"));
    free(text);
    wallboard_destroy(board);
}

static void test_alert_is_told_with_its_evidence_and_what_became_of_it(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    struct session_view view = view_of("call-1", 900, 0.12);
    refresh(board, 1000, &view);
    note(board, 1000, NOTE_ALERT_OPENED, "call-1", 3);
    char *text = news(board, &revision);
    assert_non_null(strstr(text, "\"kind\":\"alert\",\"number\":1,\"id\":\"call-1\",\"episode\":3,"
                                 "\"path\":\"sustained_low\",\"tier\":\"agent\",\"confidence\":0,"
                                 "\"opened_ms\":1700000001000,"
                                 "\"closed_ms\":0,\"recovered\":false,\"suggestion\":\"none\""));
    assert_non_null(strstr(text, "\"evidence\":[{\"start_ms\":1700000000100,"
                                 "\"end_ms\":1700000000900,\"speaker\":\"customer\","
                                 "\"score\":0.02,\"contribution\":-0.147}]"));
    assert_non_null(strstr(text, "\"alert\":1,"));
    free(text);
    view.suggestion_episode = 3;
    view.suggestion_state = SUGGESTION_SENT;
    refresh(board, 2000, &view);
    assert_news_holds(board, &revision, "\"suggestion\":\"sent\"");
    note(board, 3000, NOTE_ALERT_RECOVERED, "call-1", 3);
    assert_news_holds(board, &revision, "\"closed_ms\":1700000003000,\"recovered\":true");
    wallboard_destroy(board);
}

static void test_what_people_say_is_told_with_their_alert_only(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    note(board, 1000, NOTE_ALERT_OPENED, "call-1", 3);
    note(board, 1000, NOTE_ALERT_OPENED, "call-2", 3);
    note(board, 2000, NOTE_ALERT_RECOVERED, "call-1", 3);
    note(board, 3000, NOTE_ALERT_OPENED, "call-1", 4); /* the first is a past one now */
    char *text = news(board, &revision);
    assert_int_equal(count_of(text, "\"feedback\":\"\""), 3);
    free(text);
    wallboard_feedback(board, "call-1", 3, "useful");
    text = news(board, &revision);
    assert_int_equal(count_of(text, "\"kind\""), 1);
    assert_non_null(strstr(text, "\"id\":\"call-1\",\"episode\":3,"));
    assert_non_null(strstr(text, "\"feedback\":\"useful\""));
    free(text);
    wallboard_feedback(board, "call-1", 3, "dismissed"); /* somebody thinks again */
    assert_news_holds(board, &revision, "\"feedback\":\"dismissed\"");
    wallboard_feedback(board, "call-1", 5, "useful");
    wallboard_feedback(board, "call-3", 3, "useful");
    ASSERT_NEWS(board, &revision, "[]");
    wallboard_destroy(board);
}

static void test_suggestion_of_another_episode_is_not_this_alerts(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    struct session_view view = view_of("call-1", 900, 0.12);
    view.suggestion_episode = 2;
    view.suggestion_state = SUGGESTION_SENT;
    note(board, 1000, NOTE_ALERT_OPENED, "call-1", 3);
    refresh(board, 2000, &view);
    assert_news_holds(board, &revision, "\"suggestion\":\"none\"");
    wallboard_destroy(board);
}

static void test_gone_call_is_told_as_gone_and_its_alert_stays(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct wallboard_counts counts;
    uint64_t revision = 0;
    note(board, 1000, NOTE_CALL_OPENED, "call-1", 0);
    note(board, 1000, NOTE_ALERT_OPENED, "call-1", 1);
    free(news(board, &revision));
    note(board, 5000, NOTE_CALL_CLOSED, "call-1", 0);
    char *text = news(board, &revision);
    assert_non_null(strstr(text, "{\"kind\":\"gone\",\"id\":\"call-1\"}"));
    assert_non_null(strstr(text, "\"closed_ms\":1700000005000,\"recovered\":false"));
    free(text);
    wallboard_count(board, at(6000), &counts);
    assert_int_equal(counts.calls_live, 0);
    assert_int_equal(counts.alerts_open, 0);
    assert_int_equal(counts.alerts, 1);
    /* Who comes new need not hear of it. */
    revision = 0;
    text = news(board, &revision);
    assert_null(strstr(text, "gone"));
    assert_non_null(strstr(text, "\"kind\":\"alert\""));
    free(text);
    wallboard_destroy(board);
}

static void test_reader_that_missed_more_than_is_remembered_begins_anew(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    char id[16];
    note(board, 0, NOTE_CALL_OPENED, "stays", 0);
    uint64_t early = wallboard_revision(board);
    for (int i = 0; i < GONE_MAX; i++) {
        (void)snprintf(id, sizeof id, "call-%d", i);
        note(board, i, NOTE_CALL_OPENED, id, 0);
        note(board, i, NOTE_CALL_CLOSED, id, 0);
    }
    assert_true(wallboard_remembers(board, early));
    uint64_t later = wallboard_revision(board);
    note(board, 100, NOTE_CALL_OPENED, "one more", 0);
    note(board, 100, NOTE_CALL_CLOSED, "one more", 0);
    assert_false(wallboard_remembers(board, early));
    assert_true(wallboard_remembers(board, later));
    assert_true(wallboard_remembers(board, 0));
    assert_false(wallboard_remembers(board, wallboard_revision(board) + 1)); /* of another run */
    wallboard_destroy(board);
}

static void test_past_alerts_are_bounded_and_open_ones_are_never_dropped(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    char id[16];
    uint64_t revision = 0;
    note(board, 0, NOTE_ALERT_OPENED, "open", 1);
    for (int i = 0; i < WALLBOARD_ALERTS_PAST + 50; i++) {
        (void)snprintf(id, sizeof id, "call-%d", i);
        note(board, i, NOTE_ALERT_OPENED, id, 1);
        note(board, i, NOTE_CALL_CLOSED, id, 0);
    }
    char *text = news(board, &revision);
    assert_int_equal(count_of(text, "\"kind\":\"alert\""), WALLBOARD_ALERTS_PAST + 1);
    assert_non_null(strstr(text, "\"kind\":\"alert\",\"number\":1,\"id\":\"open\""));
    assert_null(strstr(text, "\"number\":2,"));
    free(text);
    wallboard_destroy(board);
}

static void test_late_call_is_told_when_it_gets_late_and_when_it_is_read_again(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct wallboard_counts counts;
    uint64_t revision = 0;
    struct session_view view = view_of("call-1", 1000, 0.5);
    refresh(board, 1000, &view);
    free(news(board, &revision));
    refresh(board, 15999, &view);
    ASSERT_NEWS(board, &revision, "[]");
    refresh(board, 16000, &view);
    assert_news_holds(board, &revision, "\"late_ms\":1700000001000,");
    refresh(board, 20000, &view);
    ASSERT_NEWS(board, &revision, "[]");
    wallboard_count(board, at(20000), &counts);
    assert_int_equal(counts.oldest_data_ms, 19000);
    view.refreshed.us = 20500000;
    refresh(board, 21000, &view);
    assert_news_holds(board, &revision, "\"late_ms\":0,");
    wallboard_destroy(board);
}

static void test_promptness_counts_a_quarter_of_an_hour_and_not_what_was_said_before(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct wallboard_counts counts;
    note(board, 60000, NOTE_CALL_OPENED, "call-1", 0);
    wallboard_scored(board, at(61000), "call-1", epoch_ms + 59000); /* before we followed */
    wallboard_scored(board, at(64000), "call-1", epoch_ms + 61000); /* 3 s: prompt */
    wallboard_scored(board, at(65000), "call-1", epoch_ms + 61999); /* 3.001 s */
    wallboard_scored(board, at(65000), "unknown", epoch_ms + 64000);
    note(board, 65000, NOTE_ALERT_OPENED, "call-1", 1);
    wallboard_count(board, at(65000), &counts);
    assert_int_equal(counts.scored, 2);
    assert_int_equal(counts.scored_prompt, 1);
    assert_int_equal(counts.alerts, 1);
    wallboard_count(board, at(60000 + 14 * 60000 + 59999), &counts);
    assert_int_equal(counts.scored, 2);
    wallboard_count(board, at(60000 + 15 * 60000), &counts);
    assert_int_equal(counts.scored, 0);
    assert_int_equal(counts.alerts, 0);
    wallboard_destroy(board);
}

/* Five thousand calls: a new reader gets each once, in bounded pieces, also while they change. */
static void test_board_of_5000_calls_is_told_in_bounded_pieces_each_call_once(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct buf out;
    char id[16];
    for (int i = 0; i < CALLS_MAX; i++) {
        (void)snprintf(id, sizeof id, "call-%d", i);
        struct session_view view = view_of(id, 1000, 0.5);
        refresh(board, 1000, &view);
    }
    buf_init(&out, 2 * CHUNK);
    uint64_t revision = 0;
    size_t told = 0;
    size_t pieces = 0;
    for (bool more = true; more; pieces++) {
        buf_clear(&out);
        more = wallboard_write_items(board, &revision, CHUNK, &out);
        assert_false(out.failed);
        told += count_of(out.bytes, "\"kind\":\"call\"");
        if (pieces < 10) { /* the last call changes: it was not told yet, and is told once */
            struct session_view view = view_of(id, 2000 + (int64_t)pieces, 0.4);
            refresh(board, 2000, &view);
        }
    }
    assert_int_equal(told, CALLS_MAX);
    assert_true(pieces > 50);
    assert_int_equal(revision, wallboard_revision(board));
    buf_done(&out);
    wallboard_destroy(board);
}

static char *status_of(const struct wallboard_health *health)
{
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    struct buf out;
    buf_init(&out, 64 * 1024);
    wallboard_status_write(board, health, at(1000), &out);
    assert_false(out.failed);
    wallboard_destroy(board);
    return out.bytes;
}

static void assert_trouble(const struct wallboard_health *health, const char *code)
{
    char *text = status_of(health);
    char part[64];
    (void)snprintf(part, sizeof part, "\"code\":\"%s\"", code);
    assert_int_equal(count_of(text, "\"code\":"), code[0] ? 1 : 0);
    assert_true(code[0] == '\0' || strstr(text, part));
    free(text);
}

static void test_each_trouble_is_said_once_and_health_says_nothing(void **state)
{
    (void)state;
    struct wallboard_health good = {
        .vendor = {.token_held = true}, .discovers = true, .discovered = true};
    assert_trouble(&good, "");
    struct wallboard_health health = good;
    health.vendor.token_held = false;
    health.discovered_ago = 60000; /* follows from the other: not said */
    assert_trouble(&health, "token_missing");
    health.vendor.credentials_rejected = true;
    assert_trouble(&health, "credentials_rejected");
    health = good;
    health.vendor.suspended[CXONE_SUGGESTIONS] = true;
    assert_trouble(&health, "suggestions_denied");
    health = good;
    health.vendor.breaker[CXONE_TRANSCRIPTS] = 1; /* open */
    assert_trouble(&health, "transcripts_failing");
    health = good;
    health.discovered_ago = 30000;
    assert_trouble(&health, "discovery_late");
    health = good;
    health.scorer_behind = true;
    assert_trouble(&health, "scorer_behind");
    health = good;
    health.shadow = true;
    assert_trouble(&health, "shadow");
    health = good;
    health.stopping = true;
    assert_trouble(&health, "stopping");
}

static const char *some_words(void *user, const struct effect *note, const struct segment *said)
{
    (void)note;
    return said->end_ms == epoch_ms + 900 ? user : NULL;
}

static void test_words_are_shown_with_the_latest_alert_only(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    char words[] = "my card is [CARD]";
    note(board, 1000, NOTE_CALL_OPENED, "call-1", 0);
    note(board, 1500, NOTE_ALERT_OPENED, "call-1", 1);
    char *text = news(board, &revision);
    assert_null(strstr(text, "words")); /* none are asked for */
    free(text);
    wallboard_show_words(board, some_words, words);
    note(board, 2000, NOTE_ALERT_OPENED, "call-1", 2);
    memset(words, 'x', sizeof words - 1); /* they were copied */
    assert_news_holds(board, &revision, "\"words\":\"my card is [CARD]\"}]");
    note(board, 2500, NOTE_ALERT_OPENED, "call-1", 3);
    text = news(board, &revision);
    assert_int_equal(count_of(text, "\"words\":null"), 1);
    assert_int_equal(count_of(text, "\"words\":\"xxx"), 1);
    free(text);
    wallboard_destroy(board);
}

static void test_words_that_are_dropped_are_taken_back(void **state)
{
    (void)state;
    struct wallboard *board = wallboard_create(CALLS_MAX, GONE_MAX);
    uint64_t revision = 0;
    char words[] = "said";
    struct effect dropped = {.kind = EFFECT_NOTE,
                             .note = NOTE_WORDS_DROPPED,
                             .interaction_id = "call-1",
                             .start_ms = epoch_ms + 901};
    wallboard_show_words(board, some_words, words);
    note(board, 1000, NOTE_CALL_OPENED, "call-1", 0);
    note(board, 2000, NOTE_ALERT_OPENED, "call-1", 1);
    wallboard_note(board, at(3000), &dropped);
    assert_news_holds(board, &revision, "\"words\":\"said\"");
    dropped.start_ms = epoch_ms + 900;
    wallboard_note(board, at(3000), &dropped);
    assert_news_holds(board, &revision, "\"words\":null");
    wallboard_destroy(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_is_told_with_both_windows_and_its_line),
        cmocka_unit_test(test_unchanged_call_is_told_once),
        cmocka_unit_test(test_slow_reader_gets_the_latest_state_once_and_the_points_it_missed),
        cmocka_unit_test(test_revised_reading_takes_the_place_of_its_point),
        cmocka_unit_test(test_line_keeps_three_minutes_and_the_point_before_them),
        cmocka_unit_test(test_line_is_bounded_however_fast_readings_come),
        cmocka_unit_test(test_alert_is_told_with_its_evidence_and_what_became_of_it),
        cmocka_unit_test(test_what_people_say_is_told_with_their_alert_only),
        cmocka_unit_test(test_suggestion_of_another_episode_is_not_this_alerts),
        cmocka_unit_test(test_gone_call_is_told_as_gone_and_its_alert_stays),
        cmocka_unit_test(test_reader_that_missed_more_than_is_remembered_begins_anew),
        cmocka_unit_test(test_past_alerts_are_bounded_and_open_ones_are_never_dropped),
        cmocka_unit_test(test_late_call_is_told_when_it_gets_late_and_when_it_is_read_again),
        cmocka_unit_test(test_promptness_counts_a_quarter_of_an_hour_and_not_what_was_said_before),
        cmocka_unit_test(test_board_of_5000_calls_is_told_in_bounded_pieces_each_call_once),
        cmocka_unit_test(test_each_trouble_is_said_once_and_health_says_nothing),
        cmocka_unit_test(test_words_are_shown_with_the_latest_alert_only),
        cmocka_unit_test(test_words_that_are_dropped_are_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
