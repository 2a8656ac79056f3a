/* Logits against PyTorch's own, on every line of each checkpoint's golden.jsonl (text, ids, logits
 * in float32; truncation at the model's length), with every kernel table this machine runs. Prints
 * the worst difference. The texts hold every kind of oddity, so the ids are compared too. */
#include "base/json.h"
#include "base/lines.h"
#include "nlp/kernels/cpu.h"
#include "nlp/kernels/kernels.h"
#include "nlp/scorer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_MAX = 1024, LINE_BYTES_MAX = 1 << 20, LINES_MIN = 50 };

/* Under sanitizers, which look for bad memory and are some fifty times slower, every tenth line of
 * the default model; the optimised run takes all. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { DEFAULT_MODEL_STRIDE = 10 };
#else
enum { DEFAULT_MODEL_STRIDE = 1 };
#endif

static const double TOLERANCE = 1e-4;

struct model {
    const char *directory;
    size_t lines_min;
    size_t stride;
};

static void compare_ids(const struct scorer *scorer, struct scorer_scratch *scratch,
                        struct scorer_text text, const struct json *expected, size_t line)
{
    uint32_t ids[IDS_MAX];
    size_t count = scorer_tokens(scorer, scratch, text, SCORER_LONG_TRUNCATE, ids, IDS_MAX);
    if (count != json_size(expected)) {
        fail_msg("line %zu: %zu ids, expected %zu", line, count, json_size(expected));
    }
    for (size_t i = 0; i < count; i++) {
        int64_t id = -1;
        assert_true(json_as_integer(json_at(expected, i), &id));
        if (id != (int64_t)ids[i]) {
            fail_msg("line %zu: id %zu is %u, expected %lld", line, i, (unsigned)ids[i],
                     (long long)id);
        }
    }
}

/* The largest difference of one line's logits. */
static double compare_line(const struct scorer *scorer, struct scorer_scratch *scratch,
                           const struct json *golden, size_t line)
{
    struct scorer_text text = {0};
    struct scorer_result result;
    struct error err = {0};
    text.bytes = json_as_string(json_get(golden, "text"), &text.size);
    assert_non_null(text.bytes);
    compare_ids(scorer, scratch, text, json_get(golden, "ids"), line);
    if (scorer_run(scorer, scratch, &text, 1, SCORER_LONG_TRUNCATE, &result, &err) != 0) {
        fail_msg("line %zu: %s", line, err.message);
    }
    assert_int_equal(result.chunk_count, 1);
    assert_int_equal(result.token_count, json_size(json_get(golden, "ids")));
    const struct json *logits = json_get(golden, "logits");
    assert_int_equal(json_size(logits), scorer_label_count(scorer));
    double worst = 0;
    for (size_t i = 0; i < json_size(logits); i++) {
        double expected = NAN;
        assert_true(json_as_number(json_at(logits, i), &expected));
        double off = fabs((double)result.logits[i] - expected);
        if (!(off <= TOLERANCE)) {
            fail_msg("line %zu: logit %zu is %.7f, expected %.7f", line, i, result.logits[i],
                     expected);
        }
        worst = fmax(worst, off);
    }
    return worst;
}

static void compare_model(const struct model *model, const char *kernels)
{
    struct scorer *scorer;
    struct scorer_scratch *scratch;
    struct lines *lines;
    struct error err = {0};
    const struct scorer_options options = {.kernels = kernels};
    char path[512];
    const char *line;
    size_t bytes;
    double worst = 0;

    if (scorer_open(&scorer, model->directory, &options, &err) != 0 ||
        scorer_scratch_create(scorer, 0, &scratch, &err) != 0) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(scorer_kernels_name(scorer), kernels);
    (void)snprintf(path, sizeof path, "%s/golden.jsonl", model->directory);
    assert_int_equal(lines_open(&lines, path, LINE_BYTES_MAX, &err), 0);
    while (lines_next(lines, &line, &bytes, &err) == 1) {
        struct json_document *document;
        if (lines_number(lines) % model->stride != 0) {
            continue;
        }
        assert_int_equal(json_parse(line, bytes, &document, &err), 0);
        worst =
            fmax(worst, compare_line(scorer, scratch, json_root(document), lines_number(lines)));
        json_free(document);
    }
    assert_true(lines_number(lines) >= model->lines_min);
    print_message("%s, %s: worst logit difference %.2g over %zu texts\n", model->directory, kernels,
                  worst, lines_number(lines));
    lines_close(lines);
    scorer_scratch_destroy(scratch);
    scorer_close(scorer);
}

static void compare_with_each_table(const struct model *model)
{
    const struct kernels *table;
    for (size_t i = 0; (table = kernels_at(i)) != NULL; i++) {
        if ((table->cpu_flags & ~cpu_flags()) == 0) {
            compare_model(model, table->name);
        }
    }
}

static void the_default_model_gives_pytorchs_logits(void **state)
{
    (void)state;
    const struct model model = {UNDERTONE_SOURCE_DIR "/models/undertone-minilm-l6", 400,
                                DEFAULT_MODEL_STRIDE};
    compare_with_each_table(&model);
}

static void compare_fixture(const char *name)
{
    char directory[256];
    (void)snprintf(directory, sizeof directory, "%s/tests/fixtures/%s", UNDERTONE_SOURCE_DIR, name);
    const struct model model = {directory, LINES_MIN, 1};
    compare_with_each_table(&model);
}

static void a_sharded_float_checkpoint_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-bert");
}

static void a_bfloat16_checkpoint_with_tanh_gelu_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-bert-bf16");
}

static void distilbert_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-distilbert");
}

static void roberta_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-roberta");
}

static void a_half_precision_roberta_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-roberta-fp16");
}

static void a_pickled_roberta_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-roberta-bin");
}

static void xlm_roberta_gives_pytorchs_logits(void **state)
{
    (void)state;
    compare_fixture("tiny-xlm-roberta");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_model_gives_pytorchs_logits),
        cmocka_unit_test(a_sharded_float_checkpoint_gives_pytorchs_logits),
        cmocka_unit_test(a_bfloat16_checkpoint_with_tanh_gelu_gives_pytorchs_logits),
        cmocka_unit_test(distilbert_gives_pytorchs_logits),
        cmocka_unit_test(roberta_gives_pytorchs_logits),
        cmocka_unit_test(a_half_precision_roberta_gives_pytorchs_logits),
        cmocka_unit_test(a_pickled_roberta_gives_pytorchs_logits),
        cmocka_unit_test(xlm_roberta_gives_pytorchs_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
