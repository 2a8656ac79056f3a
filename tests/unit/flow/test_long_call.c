/* test_long_call.c - one call of 24 hours over the real store: what is kept of it stops growing.
 *
 * Every five seconds the customer says something, and by turns for some minutes angrily, so that
 * alerts open and recover, and suggestions leave, hundreds of times. All requests are answered at
 * once. */
#include "../store/files.h"
#include "options.h"

#include "base/keyhash.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    SAY_MS = 5000,
    HOURS = 24,
    HOUR_MS = 3600000,
    MOODS_MS = 300000, /* a bad and a good one */
    COMMIT_MS = 15000,
    PAGE_UTTERANCES = 32,
    ANSWERS_MAX = 64,
};

static const int64_t epoch_ms = 1700000000000;

struct answer {
    struct pipeline_event event;
    struct cxone_result result;
    struct segment segments[PAGE_UTTERANCES];
    char texts[PAGE_UTTERANCES][24];
};

struct day {
    struct files files;
    struct store *store;
    struct pipeline *pipeline;
    struct answer answers[ANSWERS_MAX];
    size_t answer_count;
    int64_t now_ms;
    unsigned scored;
    unsigned suggestions;
};

/* The most of two halves of the day. */
struct most {
    int64_t pages;
    int64_t suggestions;
    int64_t file_bytes;
};

static struct call_now now_of(const struct day *day)
{
    return (struct call_now){.mono = {day->now_ms * 1000}, .vendor_ms = epoch_ms + day->now_ms};
}

static struct answer *add_answer(struct day *day, enum pipeline_event_kind kind,
                                 const struct effect *effect)
{
    assert_true(day->answer_count < ANSWERS_MAX);
    struct answer *answer = &day->answers[day->answer_count++];
    *answer = (struct answer){
        .event = {.kind = kind, .call = effect->call, .episode = effect->episode},
        .result = {.outcome = CXONE_OK, .status = 200, .retry_after_ms = -1, .reason = ""}};
    answer->event.result = &answer->result;
    return answer;
}

/* Utterance n ends at n times SAY_MS; the newest that fit are served. */
static void serve(struct day *day, const struct effect *effect)
{
    struct answer *answer = add_answer(day, PIPELINE_POLLED, effect);
    struct cxone_result *result = &answer->result;
    result->segments = answer->segments;
    for (int64_t n = day->now_ms / SAY_MS; n > 0 && result->segment_count < PAGE_UTTERANCES; n--) {
        int64_t end_ms = epoch_ms + n * SAY_MS;
        if (end_ms < effect->start_ms) {
            break;
        }
        char *text = answer->texts[result->segment_count];
        (void)snprintf(text, sizeof answer->texts[0], "utterance %lld", (long long)n);
        answer->segments[result->segment_count++] = (struct segment){.start_ms = end_ms - 2000,
                                                                     .end_ms = end_ms,
                                                                     .speaker = SPEAKER_CUSTOMER,
                                                                     .is_final = true,
                                                                     .text = text,
                                                                     .text_bytes = strlen(text)};
    }
    result->outcome = result->segment_count > 0 ? CXONE_OK : CXONE_EMPTY;
}

static void carry_out(struct day *day, const struct effect *effect)
{
    struct answer *answer;
    switch (effect->kind) {
    case EFFECT_POLL:
        serve(day, effect);
        break;
    case EFFECT_SCORE:
        answer = add_answer(day, PIPELINE_SCORED, effect);
        answer->event.utterance = effect->utterance;
        answer->event.revision = effect->revision;
        answer->event.scorable = true;
        answer->event.score = (effect->segment.end_ms - epoch_ms) % MOODS_MS < MOODS_MS / 2
                                  ? MOOD_ONE / 20
                                  : MOOD_ONE * 9 / 10;
        day->scored++;
        break;
    case EFFECT_ATTRIBUTES:
        add_answer(day, PIPELINE_ATTRIBUTES_DONE, effect);
        break;
    case EFFECT_SUGGEST:
        add_answer(day, PIPELINE_SUGGESTED, effect);
        day->suggestions++;
        break;
    case EFFECT_NOTE:
    case EFFECT_CLOSED:
        break;
    }
}

static void step(struct day *day, const struct pipeline_event *event)
{
    struct effects *effects = pipeline_step(day->pipeline, now_of(day), event);
    assert_false(effects->failed);
    for (size_t i = 0; i < effects->count; i++) {
        carry_out(day, &effects->items[i]);
    }
}

/* Answers may ask for more, which is answered too. */
static void run_moment(struct day *day)
{
    const struct pipeline_event tick = {.kind = PIPELINE_TICK};
    step(day, &tick);
    for (size_t i = 0; i < day->answer_count; i++) {
        struct pipeline_event event = day->answers[i].event;
        step(day, &event);
    }
    day->answer_count = 0;
}

static void commit(struct day *day)
{
    struct store_batch *batch = make_batch();
    struct error err;
    assert_true(pipeline_save(day->pipeline, now_of(day), batch));
    if (keep(day->store, batch, epoch_ms + day->now_ms, &err)) {
        fail_msg("%s", err.message);
    }
    store_batch_destroy(batch);
}

static int64_t ask(const struct day *day, const char *sql)
{
    sqlite3 *handle;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(day->files.path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    return number;
}

static int64_t higher(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void look(struct day *day, struct most *most)
{
    store_tend(day->store, (struct wall){epoch_ms + day->now_ms}); /* as every minute */
    commit(day);
    most->pages = higher(most->pages, ask(day, "SELECT count(*) FROM page"));
    most->suggestions = higher(most->suggestions, ask(day, "SELECT count(*) FROM suggestion"));
    most->file_bytes = higher(most->file_bytes,
                              ask(day, "SELECT page_count * page_size FROM pragma_page_count, "
                                       "pragma_page_size")); /* not the log: it grows and shrinks */
}

static void begin(struct day *day)
{
    struct pipeline_options options = plain_options(2);
    options.keep_state = true;
    options.session.mood.cooldown_ms = 15000;
    options.session.mood.remind_ms = 60000;
    options.session.send_suggestions = true;
    options.session.write_attributes = true;
    options.session.attributes =
        (struct attribute_limits){.min_interval_ms = 2000, .backoff = {250, 30000}};
    options.session.suggestions = (struct suggestion_limits){
        .tries_max = 9, .denied_wait_ms = 30000, .backoff = {250, 30000}};
    files_make(&day->files);
    day->store = files_open(&day->files);
    day->pipeline = pipeline_create(&options);
    assert_non_null(day->pipeline);
    struct pipeline_event event = {.kind = PIPELINE_CALL_LISTED, .interaction_id = "long"};
    step(day, &event);
}

static void what_is_kept_of_a_call_stops_growing(void **state)
{
    (void)state;
    struct most halves[2] = {{0}};
    struct day *day = calloc(1, sizeof *day);
    assert_non_null(day);
    begin(day);
    for (day->now_ms = 0; day->now_ms < (int64_t)HOURS * HOUR_MS; day->now_ms += 1000) {
        run_moment(day);
        if (day->now_ms % COMMIT_MS == 0) {
            commit(day);
        }
        if (day->now_ms % (HOUR_MS / 6) == 0) {
            look(day, &halves[day->now_ms >= HOURS / 2 * (int64_t)HOUR_MS]);
        }
    }
    printf("# %u scored, %u suggestions; at most %lld and %lld pages, %lld and %lld suggestions, "
           "%lld and %lld bytes in the two halves of the day\n",
           day->scored, day->suggestions, (long long)halves[0].pages, (long long)halves[1].pages,
           (long long)halves[0].suggestions, (long long)halves[1].suggestions,
           (long long)halves[0].file_bytes, (long long)halves[1].file_bytes);
    /* Five hours and a half fill what is remembered: the first half has seen the most there is. */
    assert_in_range(day->scored, HOURS * HOUR_MS / SAY_MS - 2, HOURS * HOUR_MS / SAY_MS);
    assert_true(halves[0].pages > 3072 / PAGE_UTTERANCES);
    assert_true(halves[1].pages <= 4096 / PAGE_UTTERANCES + 1);
    assert_true(day->suggestions > 100);
    assert_true(halves[1].suggestions <= 64);
    assert_true(halves[1].file_bytes <= halves[0].file_bytes + halves[0].file_bytes / 20);
    pipeline_destroy(day->pipeline);
    store_close(day->store);
    files_remove(&day->files);
    free(day);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_of_a_call_stops_growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
