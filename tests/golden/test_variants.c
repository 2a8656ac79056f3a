/* Every variation of a checkpoint the engine claims to run: activations, position rules, heads,
 * spellings, number formats and file formats, against PyTorch's logits (tests/fixtures/README.md).
 * There is no tokenizer in between: ids go in. */
#include "base/json.h"
#include "base/lines.h"
#include "nlp/classifier.h"
#include "nlp/encoder.h"
#include "nlp/kernels/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER UNDERTONE_SOURCE_DIR "/tests/fixtures/variants/"

enum { IDS_MAX = 64, LINE_BYTES_MAX = 1 << 16, PATH_BYTES = 512, FLOATS_MAX = 256 };

static const double TOLERANCE = 1e-5; /* these are small; the promise is 1e-4 */

struct engine {
    struct checkpoint *checkpoint;
    struct encoder *encoder;
    struct encoder_scratch *scratch;
    struct classifier *classifier;
};

static void engine_open(struct engine *engine, const char *name, const struct kernels *kernels)
{
    struct error err = {0};
    char directory[PATH_BYTES];
    (void)snprintf(directory, sizeof directory, FOLDER "%s", name);
    if (checkpoint_open(&engine->checkpoint, directory, &err) ||
        encoder_open(&engine->encoder, engine->checkpoint, kernels, ENCODER_PRECISION_FP32, &err) ||
        encoder_scratch_create(engine->encoder, IDS_MAX, 1, &engine->scratch, &err) ||
        classifier_open(&engine->classifier, engine->checkpoint, kernels, &err)) {
        fail_msg("%s: %s", name, err.message);
    }
}

static void engine_close(struct engine *engine)
{
    encoder_scratch_destroy(engine->scratch);
    classifier_close(engine->classifier);
    encoder_close(engine->encoder);
    checkpoint_close(engine->checkpoint);
}

static void compare_line(const struct engine *engine, const struct json *golden, const char *name,
                         size_t line)
{
    uint32_t ids[IDS_MAX];
    float dense[FLOATS_MAX];
    float logits[CHECKPOINT_LABELS_MAX];
    const struct json *given = json_get(golden, "ids");
    const struct json *expected = json_get(golden, "logits");
    uint32_t starts[] = {0, (uint32_t)json_size(given)};
    assert_in_range(json_size(given), 1, encoder_tokens_max(engine->encoder));
    for (size_t i = 0; i < json_size(given); i++) {
        int64_t id = -1;
        assert_true(json_as_integer(json_at(given, i), &id));
        ids[i] = (uint32_t)id;
    }
    assert_in_range(classifier_scratch_floats(engine->classifier, 1), 1, FLOATS_MAX);
    const float *first = encoder_run(engine->encoder, engine->scratch, ids, starts, 1);
    classifier_run(engine->classifier, first, 1, dense, logits);
    assert_int_equal(json_size(expected), checkpoint_config(engine->checkpoint)->label_count);
    for (size_t i = 0; i < json_size(expected); i++) {
        double value = NAN;
        assert_true(json_as_number(json_at(expected, i), &value));
        if (!(fabs((double)logits[i] - value) <= TOLERANCE * fmax(1, fabs(value)))) {
            fail_msg("%s, line %zu: logit %zu is %.7f, expected %.7f", name, line, i,
                     (double)logits[i], value);
        }
    }
}

static void compare_variant(const char *name, const struct kernels *kernels)
{
    struct engine engine = {0};
    struct error err = {0};
    struct lines *lines;
    const char *line;
    size_t bytes;
    char path[PATH_BYTES];
    engine_open(&engine, name, kernels);
    (void)snprintf(path, sizeof path, FOLDER "%s/golden.jsonl", name);
    assert_int_equal(lines_open(&lines, path, LINE_BYTES_MAX, &err), 0);
    while (lines_next(lines, &line, &bytes, &err) == 1) {
        struct json_document *document;
        assert_int_equal(json_parse(line, bytes, &document, &err), 0);
        compare_line(&engine, json_root(document), name, lines_number(lines));
        json_free(document);
    }
    assert_true(lines_number(lines) >= 4);
    lines_close(lines);
    engine_close(&engine);
}

static void compare_all(const char *const *names)
{
    const struct kernels *kernels;
    for (size_t i = 0; (kernels = kernels_at(i)) != NULL; i++) {
        for (size_t at = 0; names[at] && (kernels->cpu_flags & ~cpu_flags()) == 0; at++) {
            compare_variant(names[at], kernels);
        }
    }
}

static void every_activation_is_pytorchs(void **state)
{
    (void)state;
    static const char *const names[] = {"bert-gelu",
                                        "bert-gelu_new",
                                        "bert-gelu_pytorch_tanh",
                                        "bert-gelu_fast",
                                        "bert-quick_gelu",
                                        "bert-relu",
                                        "bert-silu",
                                        "bert-swish",
                                        "bert-mish",
                                        "bert-tanh",
                                        NULL};
    compare_all(names);
}

static void positions_and_heads_are_each_familys(void **state)
{
    (void)state;
    static const char *const names[] = {"roberta-pad-3", "roberta-stars", "distilbert-relu", NULL};
    compare_all(names);
}

static void old_names_and_doubles_are_read(void **state)
{
    (void)state;
    static const char *const names[] = {"bert-gamma-beta", "bert-f64", NULL};
    compare_all(names);
}

static void every_form_of_pickled_weights_is_read(void **state)
{
    (void)state;
    static const char *const names[] = {"roberta-legacy-bin", "roberta-views-bin",
                                        "roberta-sharded-bin", NULL};
    compare_all(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_is_pytorchs),
        cmocka_unit_test(positions_and_heads_are_each_familys),
        cmocka_unit_test(old_names_and_doubles_are_read),
        cmocka_unit_test(every_form_of_pickled_weights_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
