/* Every kernel table this machine runs, in every precision it has, on the texts of golden.jsonl:
 * tables must agree with each other, fast precisions with PyTorch's logits, and a text's answer
 * must be the same bits alone and in a batch. The fixtures' weights have outlier columns planted,
 * so that careless quantisation shows. */
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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under sanitizers, which look for bad memory and are some fifty times slower, fewer texts. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TEXTS_MAX = 10 };
#else
enum { TEXTS_MAX = 60 };
#endif

enum { LINE_BYTES_MAX = 1 << 20, BATCH_TOKENS = 512 };

/* The model's golden texts and logits, with PyTorch in float32. */
struct golden {
    struct json_document *documents[TEXTS_MAX];
    struct scorer_text texts[TEXTS_MAX];
    float logits[TEXTS_MAX][SCORER_LABELS_MAX];
    size_t count;
};

struct limits {
    double from_ref;    /* most that a logit may differ from the portable table's */
    double across;      /* the same between any two other tables */
    double mean;        /* most that logits may differ from PyTorch's, on average */
    double labels_part; /* least part of labels that agree with PyTorch's */
};

static const struct limits fp32_limits = {2e-5, 0, 1e-5, 1};
static const struct limits bf16_limits = {4e-2, 4e-2, 1e-2, 0.96};
static const struct limits int8_limits = {1e-5, 0, 3e-2, 0.96};

static void read_golden(struct golden *golden, const char *directory)
{
    struct lines *lines;
    struct error err = {0};
    char path[1024];
    const char *line;
    size_t bytes;
    *golden = (struct golden){0};
    (void)snprintf(path, sizeof path, "%s/golden.jsonl", directory);
    assert_int_equal(lines_open(&lines, path, LINE_BYTES_MAX, &err), 0);
    while (golden->count < TEXTS_MAX && lines_next(lines, &line, &bytes, &err) == 1) {
        size_t at = golden->count++;
        assert_int_equal(json_parse(line, bytes, &golden->documents[at], &err), 0);
        const struct json *root = json_root(golden->documents[at]);
        const struct json *logits = json_get(root, "logits");
        struct scorer_text *text = &golden->texts[at];
        text->bytes = json_as_string(json_get(root, "text"), &text->size);
        assert_non_null(text->bytes);
        for (size_t i = 0; i < json_size(logits); i++) {
            double value = NAN;
            assert_true(json_as_number(json_at(logits, i), &value));
            golden->logits[at][i] = (float)value;
        }
    }
    lines_close(lines);
    assert_true(golden->count >= TEXTS_MAX * 5 / 6);
}

static void golden_free(struct golden *golden)
{
    for (size_t i = 0; i < golden->count; i++) {
        json_free(golden->documents[i]);
    }
}

/* All texts in one go, then some of them alone, which must not show. False when the table has no
 * such precision. */
static bool score_all(const char *directory, const struct scorer_options *options,
                      const struct golden *golden, struct scorer_result *results,
                      unsigned *label_count)
{
    struct scorer *scorer;
    struct scorer_scratch *scratch;
    struct error err = {0};
    int code = scorer_open(&scorer, directory, options, &err);
    if (code == ERROR_UNSUPPORTED && options->precision == SCORER_PRECISION_BF16) {
        assert_non_null(strstr(err.message, "AVX512_BF16"));
        return false;
    }
    if (code != 0 || scorer_scratch_create(scorer, BATCH_TOKENS, &scratch, &err) != 0 ||
        scorer_run(scorer, scratch, golden->texts, golden->count, SCORER_LONG_TRUNCATE, results,
                   &err) != 0) {
        fail_msg("%s", err.message);
    }
    *label_count = scorer_label_count(scorer);
    for (size_t i = 0; i < golden->count; i += 3) {
        struct scorer_result alone;
        assert_int_equal(
            scorer_run(scorer, scratch, &golden->texts[i], 1, SCORER_LONG_TRUNCATE, &alone, &err),
            0);
        assert_memory_equal(alone.logits, results[i].logits, *label_count * sizeof(float));
    }
    scorer_scratch_destroy(scratch);
    scorer_close(scorer);
    return true;
}

static uint32_t largest(const float *logits, unsigned count)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    return best;
}

/* What one table's answers are from PyTorch's. */
static void expect_near_golden(const struct golden *golden, const struct scorer_result *results,
                               unsigned label_count, const char *what, const struct limits *limits)
{
    double sum = 0;
    size_t same = 0;
    for (size_t i = 0; i < golden->count; i++) {
        for (unsigned label = 0; label < label_count; label++) {
            sum += fabs((double)results[i].logits[label] - (double)golden->logits[i][label]);
        }
        same += results[i].label == largest(golden->logits[i], label_count);
    }
    double mean = sum / (double)(golden->count * label_count);
    print_message("%s: logits off by %.2g on average, %zu of %zu labels the same\n", what, mean,
                  same, golden->count);
    assert_true(mean <= limits->mean);
    assert_true((double)same >= limits->labels_part * (double)golden->count);
}

static double largest_difference(const struct golden *golden, const struct scorer_result *one,
                                 const struct scorer_result *two, unsigned label_count)
{
    double worst = 0;
    for (size_t i = 0; i < golden->count; i++) {
        for (unsigned label = 0; label < label_count; label++) {
            worst = fmax(worst, fabs((double)one[i].logits[label] - (double)two[i].logits[label]));
        }
    }
    return worst;
}

static void compare_tables(const char *directory, const struct golden *golden,
                           enum scorer_precision precision, const struct limits *limits)
{
    static struct scorer_result first[TEXTS_MAX];
    static struct scorer_result results[TEXTS_MAX];
    const char *first_name = NULL;
    const struct kernels *table;
    for (size_t t = 0; (table = kernels_at(t)) != NULL; t++) {
        const struct scorer_options options = {.kernels = table->name, .precision = precision};
        unsigned labels = 0;
        if ((table->cpu_flags & ~cpu_flags()) != 0 ||
            !score_all(directory, &options, golden, first_name ? results : first, &labels)) {
            continue;
        }
        if (!first_name) {
            expect_near_golden(golden, first, labels, table->name, limits);
            first_name = table->name;
            continue;
        }
        double worst = largest_difference(golden, first, results, labels);
        print_message("%s and %s differ by %.2g at most\n", first_name, table->name, worst);
        bool portable = strcmp(table->name, "ref") == 0;
        assert_true(worst <= (portable ? limits->from_ref : limits->across));
    }
    assert_non_null(first_name);
}

static void compare_model(const char *name, enum scorer_precision precision,
                          const struct limits *limits)
{
    struct golden golden;
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s/%s", UNDERTONE_SOURCE_DIR, name);
    read_golden(&golden, directory);
    print_message("%s\n", name);
    compare_tables(directory, &golden, precision, limits);
    golden_free(&golden);
}

static void compare_all_models(enum scorer_precision precision, const struct limits *limits)
{
    static const char *const names[] = {
        "models/undertone-minilm-l6",       "tests/fixtures/tiny-bert",
        "tests/fixtures/tiny-bert-bf16",    "tests/fixtures/tiny-distilbert",
        "tests/fixtures/tiny-roberta-fp16", "tests/fixtures/tiny-xlm-roberta"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        compare_model(names[i], precision, limits);
    }
}

static void fp32_is_the_same_on_every_table(void **state)
{
    (void)state;
    compare_all_models(SCORER_PRECISION_FP32, &fp32_limits);
}

static void int8_is_the_same_on_every_table(void **state)
{
    (void)state;
    compare_all_models(SCORER_PRECISION_INT8, &int8_limits);
}

static void bf16_is_nearly_the_same_on_every_table(void **state)
{
    (void)state;
    compare_all_models(SCORER_PRECISION_BF16, &bf16_limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fp32_is_the_same_on_every_table),
        cmocka_unit_test(int8_is_the_same_on_every_table),
        cmocka_unit_test(bf16_is_nearly_the_same_on_every_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
