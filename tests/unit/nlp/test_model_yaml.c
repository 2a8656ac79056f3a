/* model.yaml is read or refused at its place; labels get their meaning from it or from their names;
 * logits become scores by the rules of transformers' pipeline (expected values are torch's). */
#include "nlp/checkpoint_labels.h"
#include "nlp/model_yaml.h"
#include "nlp/output.h"
#include "nlp/tweet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static int folder_setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/undertone-my-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/model.yaml", folder);
    return 0;
}

static int folder_teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static int read_text(const char *text, struct model_yaml *model, struct error *err)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return model_yaml_read(model, folder, err);
}

/* ---- the file ---- */

static void every_key_is_read(void **state)
{
    (void)state;
    struct model_yaml m;
    struct error err = {0};
    assert_int_equal(read_text("labels: {LABEL_0: positive, anger: 0.125}\npreprocess: tweet\n"
                               "temperature: 1.5\noutput: sigmoid\nrange: [5, 1]\nlanguage: de\n",
                               &m, &err),
                     0);
    assert_true(m.is_there && m.preprocess_tweets && m.has_range);
    assert_int_equal(m.label_count, 2);
    assert_string_equal(m.labels[0].name, "LABEL_0");
    assert_true(m.labels[0].polarity == 1 && m.labels[1].polarity == 0.125);
    assert_true(m.temperature == 1.5f && m.range[0] == 5 && m.range[1] == 1);
    assert_int_equal(m.output, MODEL_YAML_OUTPUT_SIGMOID);
    assert_string_equal(m.language, "de");
}

static void no_file_and_an_empty_one_mean_the_defaults(void **state)
{
    (void)state;
    struct model_yaml m;
    struct error err = {0};
    assert_int_equal(model_yaml_read(&m, "/nonexistent", &err), 0);
    assert_false(m.is_there);
    assert_int_equal(read_text("# nothing\n", &m, &err), 0);
    assert_true(m.is_there && m.temperature == 1 && m.label_count == 0 && !m.preprocess_tweets);
    assert_int_equal(m.output, MODEL_YAML_OUTPUT_UNSAID);
}

static void mistakes_are_refused_at_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *place;
        const char *message;
    } cases[] = {
        {"- a\n", ":1:1: ", "keys and values"},
        {"temprature: 2\n", ":1:1: ", "unknown key"},
        {"[a]: 2\n", ":1:1: ", "unknown key"},
        {"temperature: hot\n", ":1:14: ", "from 0.01 to 100"},
        {"temperature: 0\n", ":1:14: ", "from 0.01 to 100"},
        {"temperature: nan\n", ":1:14: ", "from 0.01 to 100"},
        {"temperature: 1\ntemperature: 1\n", ":2:1: ", "given before"},
        {"temperature:\n", "", "one word or number"},
        {"labels: [a]\n", ":1:9: ", "what each label"},
        {"labels: {a: maybe}\n", ":1:13: ", "a label means"},
        {"labels: {a: 1.5}\n", ":1:13: ", "a label means"},
        {"labels: {a: 1, a: 0}\n", ":1:16: ", "given before"},
        {"labels: {a: [1]}\n", ":1:13: ", "one word"},
        {"labels: {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0}\n",
         ":1:58: ", "more than 8"},
        {"labels: {'': 1}\n", ":1:10: ", "1 to 31 bytes"},
        {"preprocess: twitter\n", ":1:13: ", "none, tweet"},
        {"output: logits\n", ":1:9: ", "softmax, sigmoid or none"},
        {"range: 5\n", ":1:8: ", "two different numbers"},
        {"range: [1]\n", "", "two different numbers"},
        {"range: [1, 1]\n", "", "two different numbers"},
        {"range: [1, 2, 3]\n", ":1:15: ", "two different numbers"},
        {"language: 'a language of more than thirty-six letters'\n", ":1:11: ", "a tag"},
        {"language: en\n---\nlanguage: de\n", ":2:1: ", "more than one document"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model_yaml m;
        struct error err = {0};
        char place[160];
        (void)snprintf(place, sizeof place, "%s%s", path, cases[i].place);
        if (read_text(cases[i].text, &m, &err) != ERROR_CONFIG || !strstr(err.message, place) ||
            !strstr(err.message, cases[i].message)) {
            fail_msg("case %zu: %s", i, err.message);
        }
    }
}

/* ---- labels ---- */

static int read_labels(const char *config_json, const char *labels, enum checkpoint_output output,
                       struct checkpoint_config *config, struct error *err)
{
    struct json_document *document;
    *config = (struct checkpoint_config){.output = output};
    assert_int_equal(read_text(labels, &config->extra, err), 0);
    assert_int_equal(json_parse(config_json, strlen(config_json), &document, err), 0);
    int code = checkpoint_labels_count("c.json", json_root(document), config, err);
    code = code ? code : checkpoint_labels_read("c.json", json_root(document), config, err);
    json_free(document);
    return code;
}

static void scales_are_known_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        double polarity[5];
    } cases[] = {
        {"{\"id2label\": {\"0\": \"NEGATIVE\", \"1\": \"POSITIVE\"}}", {0, 1}},
        {"{\"id2label\": {\"1\": \"NEG\", \"0\": \"POS\"}}", {1, 0}},
        {"{\"id2label\": {\"0\": \"Positive\", \"1\": \"neutral\", \"2\": \"negative\"}}",
         {1, 0.5, 0}},
        {"{\"id2label\": {\"0\": \"1 star\", \"1\": \"2 stars\", \"2\": \"3 stars\", \"3\": \"4 "
         "stars\", \"4\": \"5 stars\"}}",
         {0, 0.25, 0.5, 0.75, 1}},
        {"{\"id2label\": {\"0\": \"Very Negative\", \"1\": \"Negative\", \"2\": \"Neutral\", "
         "\"3\": \"Positive\", \"4\": \"Very Positive\"}}",
         {0, 0.25, 0.5, 0.75, 1}},
        {"{\"id2label\": {\"0\": \"positive\"}}", {1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct checkpoint_config config;
        struct error err = {0};
        if (read_labels(cases[i].config, "", CHECKPOINT_OUTPUT_SOFTMAX, &config, &err)) {
            fail_msg("case %zu: %s", i, err.message);
        }
        for (size_t id = 0; id < config.label_count; id++) {
            assert_true(config.labels[id].polarity == cases[i].polarity[id]);
        }
    }
}

static void labels_without_a_meaning_get_it_from_the_file(void **state)
{
    (void)state;
    struct checkpoint_config config;
    struct error err = {0};
    static const char numbered[] =
        "{\"id2label\": {\"0\": \"LABEL_0\", \"1\": \"LABEL_1\", \"2\": \"LABEL_2\"}}";
    assert_int_equal(read_labels(numbered, "", CHECKPOINT_OUTPUT_SOFTMAX, &config, &err),
                     ERROR_CONFIG);
    assert_non_null(strstr(err.message, "\"LABEL_0\"; say what each label means in model.yaml"));
    assert_int_equal(read_labels(numbered,
                                 "labels: {LABEL_2: positive, LABEL_0: negative, LABEL_1: neutral}",
                                 CHECKPOINT_OUTPUT_SOFTMAX, &config, &err),
                     0);
    assert_true(config.labels[0].polarity == 0 && config.labels[2].polarity == 1);
    /* "id2label" may be missing altogether */
    assert_int_equal(read_labels("{\"num_labels\": 2}", "labels: {LABEL_0: 0.9, LABEL_1: 0.1}",
                                 CHECKPOINT_OUTPUT_SOFTMAX, &config, &err),
                     0);
    assert_string_equal(config.labels[1].name, "LABEL_1");
    static const char *const wrong[][2] = {
        {"labels: {LABEL_0: 0, LABEL_1: 1}", "nothing about the label \"LABEL_2\""},
        {"labels: {LABEL_0: 0, LABEL_1: 1, LABEL_2: 1, LABEL_3: 1}", "has 4 labels"},
        {"labels: {LABEL_0: 1, LABEL_1: 1, LABEL_2: 1}", "one meaning"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(
            read_labels(numbered, wrong[i][0], CHECKPOINT_OUTPUT_SOFTMAX, &config, &err),
            ERROR_CONFIG);
        assert_non_null(strstr(err.message, wrong[i][1]));
    }
}

static void a_regression_needs_its_range(void **state)
{
    (void)state;
    struct checkpoint_config config;
    struct error err = {0};
    static const char one[] = "{\"id2label\": {\"0\": \"LABEL_0\"}}";
    assert_int_equal(read_labels(one, "", CHECKPOINT_OUTPUT_RAW, &config, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "range: [1, 5]"));
    assert_int_equal(read_labels(one, "range: [1, 5]", CHECKPOINT_OUTPUT_RAW, &config, &err), 0);
    const float stars[] = {4};
    float same[1];
    output_probabilities(&config, &kernels_ref, stars, same);
    assert_true(same[0] == 4 && output_score(&config, same) == 0.75);
    const float beyond[] = {7};
    assert_true(output_score(&config, beyond) == 1);
    assert_int_equal(read_labels(one, "range: [5, 1]", CHECKPOINT_OUTPUT_RAW, &config, &err), 0);
    assert_true(output_score(&config, stars) == 0.25);
}

/* ---- outputs ---- */

static void expect_near(double got, double expected)
{
    if (!(fabs(got - expected) < 1e-6)) {
        fail_msg("%.9f, expected %.9f", got, expected);
    }
}

static void outputs_follow_the_pipeline(void **state)
{
    (void)state;
    struct checkpoint_config config = {
        .label_count = 3,
        .labels = {{"negative", 0}, {"neutral", 0.5}, {"positive", 1}},
        .extra = {.temperature = 1.4f},
    };
    const float logits[] = {1.5f, -0.25f, 0.75f};
    float p[3];
    output_probabilities(&config, &kernels_ref, logits, p);
    expect_near((double)p[0], 0.534257709980011);
    expect_near((double)p[1], 0.15306739509105682);
    expect_near(output_score(&config, p), 0.5 * 0.15306739509105682 + 0.3126749098300934);

    config.output = CHECKPOINT_OUTPUT_SIGMOID;
    output_probabilities(&config, &kernels_ref, logits, p);
    expect_near((double)p[0], 0.7448685169219971);
    expect_near((double)p[2], 0.6308149099349976);
    expect_near(output_score(&config, p),
                (0.5 * 0.455475389957428 + 0.6308149099349976) /
                    (0.7448685169219971 + 0.455475389957428 + 0.6308149099349976));
    const float none[] = {0, 0, 0};
    assert_true(output_score(&config, none) == 0.5);

    struct checkpoint_config one = {.label_count = 1,
                                    .output = CHECKPOINT_OUTPUT_SIGMOID,
                                    .labels = {{"positive", 1}},
                                    .extra = {.temperature = 1}};
    const float logit[] = {0.8f};
    output_probabilities(&one, &kernels_ref, logit, p);
    expect_near(output_score(&one, p), 0.6899744868278503);
    one.labels[0].polarity = 0;
    expect_near(output_score(&one, p), 1 - 0.6899744868278503);
}

/* ---- tweets ---- */

static void tweets_lose_names_and_addresses(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"hello", "hello"},
        {"@bob hi @ @a", "@user hi @ @user"},
        {"see http://x.y and https://z httpx", "see http and http http"},
        {"a@b xhttp  two  ", "a@b xhttp  two  "},
        {" @x\n@y", " @user"}, /* only spaces part words */
        {"Http @@", "Http @user"},
    };
    struct buf out;
    buf_init(&out, 64);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(tweet_prepare(&out, cases[i][0], strlen(cases[i][0])));
        assert_string_equal(buf_string(&out), cases[i][1]);
        assert_int_equal(out.size, strlen(cases[i][1]));
    }
    buf_done(&out);
    buf_init(&out, 8);
    assert_false(tweet_prepare(&out, "@a @b @c", 8));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(no_file_and_an_empty_one_mean_the_defaults),
        cmocka_unit_test(mistakes_are_refused_at_their_place),
        cmocka_unit_test(scales_are_known_by_their_names),
        cmocka_unit_test(labels_without_a_meaning_get_it_from_the_file),
        cmocka_unit_test(a_regression_needs_its_range),
        cmocka_unit_test(outputs_follow_the_pipeline),
        cmocka_unit_test(tweets_lose_names_and_addresses),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
