/* What the scorer promises beyond right logits (tests/golden/test_logits.c holds those): answers
 * that do not depend on batch-mates, order, batch size, scratch history or thread, bit for bit;
 * long text in chunks; odd input. */
#include "base/json.h"
#include "base/lines.h"
#include "nlp/scorer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TINY    UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-bert"
#define DEFAULT UNDERTONE_SOURCE_DIR "/models/undertone-minilm-l6"

enum { TEXTS_MAX = 128, TINY_TOKENS_MAX = 128, LINE_BYTES_MAX = 1 << 20 };

/* A scorer and the texts of the fixture's golden file: empty, long, every script. */
struct bench {
    struct scorer *scorer;
    struct scorer_text texts[TEXTS_MAX];
    struct json_document *documents[TEXTS_MAX]; /* own the texts */
    size_t count;
};

static struct scorer *open_scorer(const char *directory, const char *kernels)
{
    struct scorer *scorer;
    struct error err = {0};
    const struct scorer_options options = {.kernels = kernels};
    if (scorer_open(&scorer, directory, &options, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return scorer;
}

static struct scorer_scratch *make_scratch(const struct scorer *scorer, size_t batch_tokens)
{
    struct scorer_scratch *scratch;
    struct error err = {0};
    if (scorer_scratch_create(scorer, batch_tokens, &scratch, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return scratch;
}

static void run(const struct scorer *scorer, struct scorer_scratch *scratch,
                const struct scorer_text *texts, size_t count, enum scorer_long long_text,
                struct scorer_result *results)
{
    struct error err = {0};
    if (scorer_run(scorer, scratch, texts, count, long_text, results, &err) != 0) {
        fail_msg("%s", err.message);
    }
}

static int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct lines *lines;
    struct error err = {0};
    const char *line;
    size_t bytes;
    assert_non_null(bench);
    bench->scorer = open_scorer(TINY, NULL);
    assert_int_equal(lines_open(&lines, TINY "/golden.jsonl", LINE_BYTES_MAX, &err), 0);
    while (lines_next(lines, &line, &bytes, &err) == 1) {
        assert_true(bench->count < TEXTS_MAX);
        struct json_document **document = &bench->documents[bench->count];
        struct scorer_text *text = &bench->texts[bench->count++];
        assert_int_equal(json_parse(line, bytes, document, &err), 0);
        text->bytes = json_as_string(json_get(json_root(*document), "text"), &text->size);
    }
    assert_true(bench->count > 50);
    lines_close(lines);
    *state = bench;
    return 0;
}

static int bench_teardown(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < bench->count; i++) {
        json_free(bench->documents[i]);
    }
    scorer_close(bench->scorer);
    free(bench);
    return 0;
}

static void assert_same(const struct scorer_result *a, const struct scorer_result *b)
{
    assert_memory_equal(a->logits, b->logits, sizeof a->logits);
    assert_memory_equal(a->probabilities, b->probabilities, sizeof a->probabilities);
    assert_memory_equal(&a->score, &b->score, sizeof a->score);
    assert_int_equal(a->label, b->label);
    assert_int_equal(a->token_count, b->token_count);
    assert_int_equal(a->chunk_count, b->chunk_count);
}

/* Each text alone, with fresh scratch for each: what every other way must equal. */
static void score_alone(const struct bench *bench, struct scorer_result *alone)
{
    for (size_t i = 0; i < bench->count; i++) {
        struct scorer_scratch *scratch = make_scratch(bench->scorer, 0);
        run(bench->scorer, scratch, &bench->texts[i], 1, SCORER_LONG_CHUNK, &alone[i]);
        scorer_scratch_destroy(scratch);
    }
}

/* ---- independence ---- */

static void an_answer_does_not_depend_on_batch_mates_order_or_scratch(void **state)
{
    const struct bench *bench = *state;
    struct scorer_result alone[TEXTS_MAX];
    struct scorer_result results[TEXTS_MAX];
    score_alone(bench, alone);
    static const size_t batch_tokens[] = {0, 129, 200, 1000, 20000};
    for (size_t b = 0; b < sizeof batch_tokens / sizeof batch_tokens[0]; b++) {
        struct scorer_scratch *scratch = make_scratch(bench->scorer, batch_tokens[b]);
        run(bench->scorer, scratch, bench->texts, bench->count, SCORER_LONG_CHUNK, results);
        for (size_t i = 0; i < bench->count; i++) {
            assert_same(&results[i], &alone[i]);
        }
        struct scorer_text shuffled[TEXTS_MAX]; /* the same scratch again, another order */
        for (size_t i = 0; i < bench->count; i++) {
            shuffled[i] = bench->texts[(i * 37 + 11) % bench->count];
        }
        run(bench->scorer, scratch, shuffled, bench->count, SCORER_LONG_CHUNK, results);
        for (size_t i = 0; i < bench->count; i++) {
            assert_same(&results[i], &alone[(i * 37 + 11) % bench->count]);
        }
        scorer_scratch_destroy(scratch);
    }
}

struct worker {
    const struct bench *bench;
    struct scorer_scratch *scratch;
    struct scorer_result results[TEXTS_MAX];
    int code;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct bench *bench = worker->bench;
    worker->code = scorer_run(bench->scorer, worker->scratch, bench->texts, bench->count,
                              SCORER_LONG_CHUNK, worker->results, NULL);
    return NULL;
}

static void threads_share_a_scorer_and_agree(void **state)
{
    const struct bench *bench = *state;
    enum { WORKERS = 3 };
    struct worker *workers = calloc(WORKERS, sizeof *workers);
    pthread_t threads[WORKERS];
    assert_non_null(workers);
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].bench = bench;
        workers[i].scratch = make_scratch(bench->scorer, 256);
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    struct scorer_result alone[TEXTS_MAX];
    score_alone(bench, alone);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].code, 0);
        for (size_t t = 0; t < bench->count; t++) {
            assert_same(&workers[i].results[t], &alone[t]);
        }
        scorer_scratch_destroy(workers[i].scratch);
    }
    free(workers);
}

struct helper {
    struct scorer_scratch *own;
    struct scorer_scratch *other;
    atomic_bool over;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    while (!atomic_load(&helper->over)) {
        scorer_help(helper->own, helper->other, NULL);
    }
    return NULL;
}

/* Every precision this CPU has, of a model of few heads and of one of twelve. */
static void an_answer_does_not_depend_on_help(void **state)
{
    const struct bench *bench = *state;
    static const char *const models[] = {TINY, DEFAULT};
    static const char *const precisions[] = {"fp32", "int8", "bf16"};
    for (size_t c = 0; c < 6; c++) {
        struct scorer_options options = {0};
        struct scorer_result alone[TEXTS_MAX], helped[TEXTS_MAX];
        struct scorer *scorer;
        struct helper helper;
        pthread_t thread;
        assert_true(scorer_precision_parse(precisions[c % 3], &options.precision));
        int code = scorer_open(&scorer, models[c / 3], &options, NULL);
        if (code == ERROR_UNSUPPORTED && c % 3 == 2) {
            continue;
        }
        assert_int_equal(code, 0);
        helper.own = make_scratch(scorer, 0);
        helper.other = make_scratch(scorer, 0);
        atomic_init(&helper.over, false);
        run(scorer, helper.other, bench->texts, bench->count, SCORER_LONG_CHUNK, alone);
        assert_int_equal(pthread_create(&thread, NULL, help, &helper), 0);
        scorer_invite(helper.other);
        for (size_t i = 0; i < bench->count; i++) {
            run(scorer, helper.other, &bench->texts[i], 1, SCORER_LONG_CHUNK, &helped[i]);
            assert_same(&helped[i], &alone[i]);
        }
        run(scorer, helper.other, bench->texts, bench->count, SCORER_LONG_CHUNK, helped);
        scorer_dismiss(helper.other);
        atomic_store(&helper.over, true);
        assert_int_equal(pthread_join(thread, NULL), 0);
        for (size_t i = 0; i < bench->count; i++) {
            assert_same(&helped[i], &alone[i]);
        }
        scorer_scratch_destroy(helper.own);
        scorer_scratch_destroy(helper.other);
        scorer_close(scorer);
    }
}

/* ---- results ---- */

static void probabilities_score_and_label_follow_from_logits(void **state)
{
    const struct bench *bench = *state;
    struct scorer_result results[TEXTS_MAX];
    struct scorer_scratch *scratch = make_scratch(bench->scorer, 512);
    run(bench->scorer, scratch, bench->texts, bench->count, SCORER_LONG_TRUNCATE, results);
    for (size_t i = 0; i < bench->count; i++) {
        const float *logits = results[i].logits;
        double sum = exp(logits[0]) + exp(logits[1]) + exp(logits[2]);
        double score = (0.5 * exp(logits[1]) + exp(logits[2])) / sum;
        for (size_t label = 0; label < 3; label++) {
            assert_true(fabs(results[i].probabilities[label] - exp(logits[label]) / sum) < 1e-6);
            assert_true(logits[label] <= logits[results[i].label]);
        }
        assert_true(fabs(results[i].score - score) < 1e-6);
        assert_int_equal(results[i].chunk_count, 1);
        assert_true(results[i].token_count <= TINY_TOKENS_MAX);
    }
    scorer_scratch_destroy(scratch);
}

static void labels_and_limits_are_told(void **state)
{
    const struct bench *bench = *state;
    assert_int_equal(scorer_label_count(bench->scorer), 3);
    assert_string_equal(scorer_label_name(bench->scorer, 0), "negative");
    assert_string_equal(scorer_label_name(bench->scorer, 2), "positive");
    assert_null(scorer_label_name(bench->scorer, 3));
    assert_int_equal(scorer_tokens_max(bench->scorer), TINY_TOKENS_MAX);
    assert_true(scorer_weight_bytes(bench->scorer) >= 137715 * 4); /* the index's parameter count */
}

/* ---- long text ---- */

/* count times "word", which is one token of this vocabulary. The caller frees it. */
static char *words(size_t count, struct scorer_text *text)
{
    char *bytes = calloc(count, 5);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + i * 5, "word ", 5);
    }
    *text = (struct scorer_text){bytes, count * 5};
    return bytes;
}

static void long_text_is_the_mean_of_its_chunks_by_tokens(void **state)
{
    const struct bench *bench = *state;
    enum { ROOM = TINY_TOKENS_MAX - 2 };
    static const size_t lengths[] = {ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 2 * ROOM + 7, 20 * ROOM};
    struct scorer_scratch *scratch = make_scratch(bench->scorer, 0);
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        struct scorer_text text;
        struct scorer_text whole = {0};
        struct scorer_text rest = {0};
        size_t rest_count = lengths[l] % ROOM;
        size_t whole_count = lengths[l] / ROOM;
        char *bytes = words(lengths[l], &text);
        char *whole_bytes = words(ROOM, &whole);
        char *rest_bytes = words(rest_count + 1, &rest);
        struct scorer_result result, whole_result, rest_result;
        rest.size = rest_count * 5;
        run(bench->scorer, scratch, &text, 1, SCORER_LONG_CHUNK, &result);
        run(bench->scorer, scratch, &whole, 1, SCORER_LONG_TRUNCATE, &whole_result);
        run(bench->scorer, scratch, &rest, 1, SCORER_LONG_TRUNCATE, &rest_result);
        size_t chunks = whole_count + (rest_count > 0 ? 1 : 0);
        assert_int_equal(result.chunk_count, chunks);
        assert_int_equal(result.token_count, lengths[l] + 2 * chunks);
        double whole_weight = (double)(whole_count * TINY_TOKENS_MAX);
        double rest_weight = rest_count > 0 ? (double)rest_count + 2 : 0;
        for (size_t label = 0; label < 3; label++) {
            double expected = (whole_weight * (double)whole_result.probabilities[label] +
                               rest_weight * (double)rest_result.probabilities[label]) /
                              (whole_weight + rest_weight);
            assert_true(fabs(result.probabilities[label] - expected) < 1e-6);
        }
        run(bench->scorer, scratch, &text, 1, SCORER_LONG_TRUNCATE, &result);
        assert_int_equal(result.chunk_count, 1);
        assert_int_equal(result.token_count, lengths[l] < ROOM ? lengths[l] + 2 : TINY_TOKENS_MAX);
        free(bytes);
        free(whole_bytes);
        free(rest_bytes);
    }
    scorer_scratch_destroy(scratch);
}

static void tokens_are_framed_and_cut_only_on_request(void **state)
{
    const struct bench *bench = *state;
    struct scorer_scratch *scratch = make_scratch(bench->scorer, 0);
    struct scorer_text text;
    char *bytes = words(200, &text);
    uint32_t ids[256];
    const uint32_t cls = 2, sep = 3; /* lines 3 and 4 of the fixture's vocab.txt */
    memset(ids, 0xEE, sizeof ids);
    assert_int_equal(scorer_tokens(bench->scorer, scratch, text, SCORER_LONG_CHUNK, ids, 256), 202);
    assert_true(ids[0] == cls && ids[201] == sep && ids[202] == 0xEEEEEEEE);
    assert_true(ids[1] == ids[200]);
    memset(ids, 0xEE, sizeof ids);
    assert_int_equal(scorer_tokens(bench->scorer, scratch, text, SCORER_LONG_TRUNCATE, ids, 256),
                     TINY_TOKENS_MAX);
    assert_true(ids[0] == cls && ids[TINY_TOKENS_MAX - 1] == sep);
    memset(ids, 0xEE, sizeof ids);
    assert_int_equal(scorer_tokens(bench->scorer, scratch, text, SCORER_LONG_TRUNCATE, ids, 3),
                     TINY_TOKENS_MAX);
    assert_true(ids[0] == cls && ids[2] == ids[1] && ids[3] == 0xEEEEEEEE);
    assert_int_equal(scorer_tokens(bench->scorer, scratch, text, SCORER_LONG_CHUNK, NULL, 0), 202);
    free(bytes);
    scorer_scratch_destroy(scratch);
}

/* ---- odd input ---- */

static void empty_and_malformed_text_has_an_answer(void **state)
{
    const struct bench *bench = *state;
    static const char malformed[] = "ok \xC3\x28 \xF0\x9F \xED\xA0\x80 \xFF";
    static const char nuls[] = "ok\0ok";
    const struct scorer_text texts[] = {
        {"", 0}, {NULL, 0}, {malformed, sizeof malformed - 1}, {nuls, sizeof nuls - 1}};
    struct scorer_result results[4];
    struct scorer_scratch *scratch = make_scratch(bench->scorer, 0);
    run(bench->scorer, scratch, texts, 4, SCORER_LONG_CHUNK, results);
    assert_int_equal(results[0].token_count, 2); /* [CLS] [SEP] */
    assert_int_equal(results[0].chunk_count, 1);
    assert_same(&results[0], &results[1]);
    for (size_t i = 0; i < 4; i++) {
        assert_true(results[i].score > 0 && results[i].score < 1);
    }
    run(bench->scorer, scratch, NULL, 0, SCORER_LONG_CHUNK, NULL);
    scorer_scratch_destroy(scratch);
    scorer_scratch_destroy(NULL);
    scorer_close(NULL);
}

static void a_scorer_that_cannot_open_says_why(void **state)
{
    (void)state;
    struct scorer *scorer;
    struct error err = {0};
    const struct scorer_options options = {.kernels = "abacus"};
    assert_int_equal(scorer_open(&scorer, TINY, &options, &err), ERROR_CONFIG);
    assert_null(scorer);
    assert_non_null(strstr(err.message, "\"abacus\""));
    assert_int_not_equal(scorer_open(&scorer, "/nowhere", NULL, &err), 0);
    assert_null(scorer);
    assert_non_null(strstr(err.message, "/nowhere"));
}

static void self_test_tells_a_model_that_works_from_one_that_does_not(void **state)
{
    const struct bench *bench = *state;
    struct error err = {0};
    struct scorer *trained = open_scorer(DEFAULT, NULL);
    assert_int_equal(scorer_self_test(trained, &err), 0);
    scorer_close(trained);
    assert_int_equal(scorer_self_test(bench->scorer, &err), ERROR_CONFIG); /* random weights */
    assert_non_null(strstr(err.message, "id2label"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_does_not_depend_on_batch_mates_order_or_scratch),
        cmocka_unit_test(threads_share_a_scorer_and_agree),
        cmocka_unit_test(an_answer_does_not_depend_on_help),
        cmocka_unit_test(probabilities_score_and_label_follow_from_logits),
        cmocka_unit_test(labels_and_limits_are_told),
        cmocka_unit_test(long_text_is_the_mean_of_its_chunks_by_tokens),
        cmocka_unit_test(tokens_are_framed_and_cut_only_on_request),
        cmocka_unit_test(empty_and_malformed_text_has_an_answer),
        cmocka_unit_test(a_scorer_that_cannot_open_says_why),
        cmocka_unit_test(self_test_tells_a_model_that_works_from_one_that_does_not),
    };
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
