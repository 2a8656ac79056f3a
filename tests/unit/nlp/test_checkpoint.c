/* A small real checkpoint, changed in one place at a time: what is tolerated opens, what is not
 * gives a message that names file and key or tensor. */
#include "base/lines.h"
#include "nlp/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIXTURE UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-bert-bf16"

enum { PATH_BYTES = 256, FILE_BYTES_MAX = 1 << 20, LENGTH_BYTES = 8 };

/* A copy of the fixture's configuration and weights that tests may change. */
struct copy {
    char directory[64];
    char config_path[PATH_BYTES];
    char weights_path[PATH_BYTES];
    char *config; /* as in the fixture, NUL-terminated */
    size_t config_bytes;
    char *weights;
    size_t weights_bytes;
};

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static int copy_setup(void **state)
{
    struct error err = {0};
    struct copy *copy = calloc(1, sizeof *copy);
    assert_non_null(copy);
    (void)snprintf(copy->directory, sizeof copy->directory, "/tmp/undertone-cp-XXXXXX");
    assert_non_null(mkdtemp(copy->directory));
    (void)snprintf(copy->config_path, PATH_BYTES, "%s/config.json", copy->directory);
    (void)snprintf(copy->weights_path, PATH_BYTES, "%s/model.safetensors", copy->directory);
    assert_int_equal(lines_read_file(FIXTURE "/config.json", FILE_BYTES_MAX, &copy->config,
                                     &copy->config_bytes, &err),
                     0);
    assert_int_equal(lines_read_file(FIXTURE "/model.safetensors", FILE_BYTES_MAX, &copy->weights,
                                     &copy->weights_bytes, &err),
                     0);
    write_file(copy->config_path, copy->config, copy->config_bytes);
    write_file(copy->weights_path, copy->weights, copy->weights_bytes);
    *state = copy;
    return 0;
}

static int copy_teardown(void **state)
{
    struct copy *copy = *state;
    (void)unlink(copy->config_path);
    (void)unlink(copy->weights_path);
    assert_int_equal(rmdir(copy->directory), 0);
    free(copy->config);
    free(copy->weights);
    free(copy);
    return 0;
}

/* text with each `from` replaced; fails the test when there is none. The caller frees it. */
static char *replaced(const char *text, const char *from, const char *to)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, from)) != NULL; at += strlen(from)) {
        found++;
    }
    assert_true(found > 0);
    char *out = calloc(1, strlen(text) + found * strlen(to) + 1);
    assert_non_null(out);
    char *end = out;
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        memcpy(end, text, (size_t)(at - text));
        end += at - text;
        memcpy(end, to, strlen(to));
        end += strlen(to);
    }
    memcpy(end, text, strlen(text));
    return out;
}

static void change_config(const struct copy *copy, const char *from, const char *to)
{
    char *config = replaced(copy->config, from, to);
    write_file(copy->config_path, config, strlen(config));
    free(config);
}

/* Changes the JSON header and appends bytes to the data. */
static void change_weights(const struct copy *copy, const char *from, const char *to,
                           const char *more, size_t more_bytes)
{
    size_t header_bytes = (unsigned char)copy->weights[0] | (size_t)(unsigned char)copy->weights[1]
                                                                << 8;
    size_t data_bytes = copy->weights_bytes - LENGTH_BYTES - header_bytes;
    char *header = calloc(1, header_bytes + 1);
    assert_non_null(header);
    memcpy(header, copy->weights + LENGTH_BYTES, header_bytes);
    char *changed = replaced(header, from, to);
    size_t changed_bytes = strlen(changed);
    char *all = calloc(1, LENGTH_BYTES + changed_bytes + data_bytes + more_bytes);
    assert_non_null(all);
    all[0] = (char)(changed_bytes & 0xFF);
    all[1] = (char)(changed_bytes >> 8);
    memcpy(all + LENGTH_BYTES, changed, changed_bytes);
    memcpy(all + LENGTH_BYTES + changed_bytes, copy->weights + LENGTH_BYTES + header_bytes,
           data_bytes);
    if (more_bytes > 0) {
        memcpy(all + LENGTH_BYTES + changed_bytes + data_bytes, more, more_bytes);
    }
    write_file(copy->weights_path, all, LENGTH_BYTES + changed_bytes + data_bytes + more_bytes);
    free(header);
    free(changed);
    free(all);
}

static struct checkpoint *expect_open(const struct copy *copy)
{
    struct checkpoint *checkpoint = NULL;
    struct error err = {0};
    if (checkpoint_open(&checkpoint, copy->directory, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return checkpoint;
}

static void expect_failure(const struct copy *copy, int code, const char *file, const char *part)
{
    struct checkpoint *checkpoint = NULL;
    struct error err = {0};
    int got = checkpoint_open(&checkpoint, copy->directory, &err);
    if (got != code || !strstr(err.message, part) || !strstr(err.message, file)) {
        fail_msg("code %d, expected %d with %s and %s: %s", got, code, file, part, err.message);
    }
    assert_null(checkpoint);
}

/* ---- what is read ---- */

static void the_configuration_is_read(void **state)
{
    struct checkpoint *checkpoint = expect_open(*state);
    const struct checkpoint_config *c = checkpoint_config(checkpoint);
    assert_int_equal(c->layer_count, 2);
    assert_int_equal(c->hidden, 48);
    assert_int_equal(c->head_count, 3);
    assert_int_equal(c->ffn, 96);
    assert_int_equal(c->vocab_count, 1500);
    assert_int_equal(c->position_count, 128);
    assert_int_equal(c->type_count, 2);
    assert_int_equal(c->activation, CHECKPOINT_ACTIVATION_GELU_TANH);
    assert_true(c->layer_norm_epsilon == 1e-12f);
    assert_int_equal(c->label_count, 3);
    assert_string_equal(c->labels[0].name, "negative");
    assert_true(c->labels[0].polarity == 0 && c->labels[1].polarity == 0.5);
    assert_true(c->labels[2].polarity == 1);
    checkpoint_close(checkpoint);
    checkpoint_close(NULL);
}

static void labels_go_by_integer_key_and_any_case(void **state)
{
    const struct copy *copy = *state;
    char *other = replaced(copy->config, "\"0\": \"negative\"", "\"2\": \"Neutral\"");
    char *config = replaced(other, "\"1\": \"neutral\"", "\"0\": \"POSITIVE\"");
    free(other);
    other = replaced(config, "\"2\": \"positive\"", "\"1\": \"negative\"");
    free(config);
    write_file(copy->config_path, other, strlen(other));
    free(other);
    struct checkpoint *checkpoint = expect_open(copy);
    const struct checkpoint_config *c = checkpoint_config(checkpoint);
    assert_string_equal(c->labels[0].name, "POSITIVE");
    assert_string_equal(c->labels[1].name, "negative");
    assert_string_equal(c->labels[2].name, "Neutral");
    assert_true(c->labels[0].polarity == 1 && c->labels[1].polarity == 0);
    assert_true(c->labels[2].polarity == 0.5);
    checkpoint_close(checkpoint);
}

static void keys_with_known_defaults_may_be_missing(void **state)
{
    const struct copy *copy = *state;
    static const char *const keys[] = {"\"hidden_act\"", "\"layer_norm_eps\"",
                                       "\"type_vocab_size\"", "\"position_embedding_type\"",
                                       "\"architectures\""};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        change_config(copy, keys[i], "\"ignored\"");
        struct checkpoint *checkpoint = expect_open(copy);
        assert_int_equal(checkpoint_config(checkpoint)->activation,
                         i == 0 ? CHECKPOINT_ACTIVATION_GELU : CHECKPOINT_ACTIVATION_GELU_TANH);
        checkpoint_close(checkpoint);
    }
}

static void other_spellings_of_tensors_are_found(void **state)
{
    const struct copy *copy = *state;
    float norm[48];
    float renamed[48];
    struct error err = {0};
    const char *name = "output.LayerNorm";
    struct checkpoint *checkpoint = expect_open(copy);
    assert_int_equal(checkpoint_read_gain(checkpoint, 1, name, 48, norm, &err), 0);
    assert_true(norm[0] == 9.0f); /* planted by the fixture's maker */
    checkpoint_close(checkpoint);

    static const char *const spellings[][2] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                               {"LayerNorm.bias", "LayerNorm.beta"},
                                               {"\"bert.", "\""}};
    for (size_t i = 0; i < 3; i++) {
        change_weights(copy, spellings[i][0], spellings[i][1], NULL, 0);
        checkpoint = expect_open(copy);
        assert_int_equal(checkpoint_read_gain(checkpoint, 1, name, 48, renamed, &err), 0);
        assert_memory_equal(norm, renamed, sizeof norm);
        checkpoint_close(checkpoint);
    }
}

static void tensors_nobody_needs_are_ignored(void **state)
{
    const struct copy *copy = *state;
    char entry[160];
    (void)snprintf(entry, sizeof entry,
                   "{\"bert.embeddings.position_ids\":{\"dtype\":\"I64\",\"shape\":[1,1],"
                   "\"data_offsets\":[237510,237518]},\"__metadata__\"");
    change_weights(copy, "{\"__metadata__\"", entry, "\0\0\0\0\0\0\0\0", 8);
    checkpoint_close(expect_open(copy));
}

/* ---- what is refused ---- */

static void a_bad_configuration_is_refused(void **state)
{
    const struct copy *copy = *state;
    static const struct {
        const char *from;
        const char *to;
        int code;
        const char *message;
    } cases[] = {
        {"\"model_type\": \"bert\"", "\"model_type\": \"gpt2\"", ERROR_UNSUPPORTED,
         "\"model_type\" is \"gpt2\""},
        {"\"model_type\": \"bert\"", "\"model_type\": \"roberta\"", ERROR_UNSUPPORTED,
         "\"architectures\" lacks \"RobertaForSequenceClassification\""},
        {"\"model_type\": \"bert\"", "\"model_type\": 3", ERROR_FORMAT,
         "\"model_type\" is missing"},
        {"BertForSequenceClassification", "BertForMaskedLM", ERROR_UNSUPPORTED,
         "\"architectures\" lacks \"BertForSequenceClassification\""},
        {"gelu_new", "prelu", ERROR_UNSUPPORTED, "\"hidden_act\" is \"prelu\""},
        {"\"gelu_new\"", "[]", ERROR_UNSUPPORTED, "\"hidden_act\" is \"not a string\""},
        {"\"absolute\"", "\"relative_key\"", ERROR_UNSUPPORTED,
         "\"position_embedding_type\" is \"relative_key\""},
        {"\"use_cache\": true", "\"is_decoder\": true", ERROR_UNSUPPORTED,
         "\"is_decoder\" is true"},
        {"\"use_cache\": true", "\"problem_type\": \"ranking\"", ERROR_UNSUPPORTED,
         "\"problem_type\" is \"ranking\""},
        {"\"use_cache\": true", "\"problem_type\": \"regression\"", ERROR_UNSUPPORTED,
         "a regression of 3 numbers"},
        {"\"pad_token_id\": 0", "\"pad_token_id\": 1500", ERROR_FORMAT, "\"pad_token_id\" must be"},
        {"\"pad_token_id\": 0", "\"pad_token_id\": -1", ERROR_FORMAT, "\"pad_token_id\" must be"},
        {"\"hidden_size\": 48", "\"hidden_size\": \"48\"", ERROR_FORMAT, "\"hidden_size\" must be"},
        {"\"hidden_size\": 48", "\"hidden_size\": -48", ERROR_FORMAT, "\"hidden_size\" must be"},
        {"\"hidden_size\": 48", "\"hidden_size\": 0", ERROR_FORMAT, "\"hidden_size\" must be"},
        {"\"hidden_size\": 48", "\"hidden_size\": 4000000000", ERROR_FORMAT,
         "\"hidden_size\" must be"},
        {"\"hidden_size\": 48", "\"hidden_size\": 48.5", ERROR_FORMAT, "\"hidden_size\" must be"},
        {"\"hidden_size\"", "\"gone\"", ERROR_FORMAT, "\"hidden_size\" must be"},
        {"\"num_attention_heads\": 3", "\"num_attention_heads\": 5", ERROR_FORMAT,
         "not a multiple of \"num_attention_heads\" 5"},
        {"\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": \"small\"", ERROR_FORMAT,
         "\"layer_norm_eps\" must be"},
        {"\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": -1", ERROR_FORMAT,
         "\"layer_norm_eps\" must be"},
        {"\"vocab_size\": 1500", "\"vocab_size\": null", ERROR_FORMAT, "\"vocab_size\" must be"},
        {"\"id2label\"", "\"gone\"", ERROR_CONFIG, "\"LABEL_0\""},
        {"\"id2label\": {", "\"id2label\": [], \"gone\": {", ERROR_CONFIG,
         "\"id2label\" must name"},
        {"\"0\": \"negative\"", "\"0\": \"LABEL_0\"", ERROR_CONFIG,
         "\"id2label\" does not say what this label means: \"LABEL_0\"; say what"},
        {"\"0\": \"negative\"", "\"0\": \"very negative\"", ERROR_CONFIG, "\"very negative\""},
        {"\"0\": \"negative\"", "\"0\": \"1 star\"", ERROR_CONFIG, "\"1 star\""},
        {"\"0\": \"negative\"", "\"0\": \"positive\"", ERROR_CONFIG, "repeats \"positive\""},
        {"\"0\": \"negative\"", "\"7\": \"negative\"", ERROR_CONFIG, "none under the key \"0\""},
        {"\"0\": \"negative\"", "\"0\": 0", ERROR_CONFIG, "none under the key \"0\""},
        {"\"0\": \"negative\",", "", ERROR_CONFIG, "none under the key \"0\""},
        {"{", "[", ERROR_FORMAT, "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        change_config(copy, cases[i].from, cases[i].to);
        expect_failure(copy, cases[i].code, copy->config_path, cases[i].message);
    }
    write_file(copy->config_path, "", 0);
    expect_failure(copy, ERROR_FORMAT, copy->config_path, "");
    (void)unlink(copy->config_path);
    expect_failure(copy, ERROR_IO, copy->config_path, "");
}

static void two_labels_are_enough_but_not_any_two(void **state)
{
    const struct copy *copy = *state;
    char *two = replaced(copy->config, "\"1\": \"neutral\",\n    \"2\": \"positive\"",
                         "\"1\": \"positive\"");
    write_file(copy->config_path, two, strlen(two));
    /* the labels are fine now, the classifier's three rows are not */
    expect_failure(copy, ERROR_FORMAT, copy->weights_path, "tensor \"classifier.weight\"");
    char *odd = replaced(two, "\"1\": \"positive\"", "\"1\": \"neutral\"");
    write_file(copy->config_path, odd, strlen(odd));
    expect_failure(copy, ERROR_CONFIG, copy->config_path,
                   "the 2 labels in \"id2label\" are no whole scale");
    free(two);
    free(odd);
}

static void sizes_that_the_tensors_do_not_have_are_refused(void **state)
{
    const struct copy *copy = *state;
    static const char *const cases[][3] = {
        {"\"intermediate_size\": 96", "\"intermediate_size\": 65536", "intermediate.dense.weight"},
        {"\"vocab_size\": 1500", "\"vocab_size\": 8000000", "word_embeddings.weight"},
        {"\"max_position_embeddings\": 128", "\"max_position_embeddings\": 512",
         "position_embeddings.weight"},
        {"\"type_vocab_size\": 2", "\"type_vocab_size\": 1", "token_type_embeddings.weight"},
        {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
         "\"encoder.layer.2.attention.self.query.weight\" is missing"},
        {"\"hidden_size\": 48", "\"hidden_size\": 60", "word_embeddings.weight"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        change_config(copy, cases[i][0], cases[i][1]);
        expect_failure(copy, ERROR_FORMAT, copy->weights_path, cases[i][2]);
    }
}

static void missing_and_unusable_tensors_are_refused(void **state)
{
    const struct copy *copy = *state;
    change_weights(
        copy, "{\"__metadata__\"",
        "{\"bert.encoder.layer.1.attention.self.query.lora_A.weight\":{\"dtype\":\"I64\","
        "\"shape\":[1,1],\"data_offsets\":[237510,237518]},\"__metadata__\"",
        "\0\0\0\0\0\0\0\0", 8);
    expect_failure(copy, ERROR_UNSUPPORTED, copy->weights_path, "query.lora_A.weight");
    change_weights(copy, "{\"__metadata__\"",
                   "{\"embeddings.entity_embeddings.weight\":{\"dtype\":\"I64\",\"shape\":[1,1],"
                   "\"data_offsets\":[237510,237518]},\"__metadata__\"",
                   "\0\0\0\0\0\0\0\0", 8);
    expect_failure(copy, ERROR_UNSUPPORTED, copy->weights_path, "entity_embeddings");
    change_weights(copy, "classifier.bias", "classifier.bjas", NULL, 0);
    expect_failure(copy, ERROR_FORMAT, copy->weights_path, "tensor \"classifier.bias\" is missing");
    change_weights(copy, "layer.1.output.dense.bias", "layer.9.output.dense.bias", NULL, 0);
    expect_failure(copy, ERROR_FORMAT, copy->weights_path,
                   "tensor \"encoder.layer.1.output.dense.bias\" is missing");
    change_weights(copy, "\"BF16\"", "\"I16\"", NULL, 0);
    expect_failure(copy, ERROR_UNSUPPORTED, copy->weights_path, "has dtype I16");
    change_weights(copy, "\"shape\":[3,48]", "\"shape\":[48,3]", NULL, 0);
    expect_failure(copy, ERROR_FORMAT, copy->weights_path, "classifier.weight");
    change_weights(copy, "\"shape\":[3,48]", "\"shape\":[144]", NULL, 0);
    expect_failure(copy, ERROR_FORMAT, copy->weights_path, "classifier.weight");
}

static void a_value_that_is_not_finite_is_refused(void **state)
{
    const struct copy *copy = *state;
    size_t last = copy->weights_bytes - 1; /* the high byte of the last classifier weight */
    copy->weights[last] = 0x7F;
    copy->weights[last - 1] = (char)0xC0; /* 0x7FC0 is not a number */
    write_file(copy->weights_path, copy->weights, copy->weights_bytes);
    struct checkpoint *checkpoint = expect_open(copy);
    float weights[3 * 48];
    struct error err = {0};
    assert_int_equal(
        checkpoint_read_weight(checkpoint, CHECKPOINT_NO_LAYER, "classifier", 3, 48, weights, &err),
        ERROR_FORMAT);
    assert_non_null(strstr(err.message, "\"classifier.weight\""));
    assert_non_null(strstr(err.message, "element 143"));
    checkpoint_close(checkpoint);
}

#define WITH_COPY(test) cmocka_unit_test_setup_teardown(test, copy_setup, copy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COPY(the_configuration_is_read),
        WITH_COPY(labels_go_by_integer_key_and_any_case),
        WITH_COPY(keys_with_known_defaults_may_be_missing),
        WITH_COPY(other_spellings_of_tensors_are_found),
        WITH_COPY(tensors_nobody_needs_are_ignored),
        WITH_COPY(a_bad_configuration_is_refused),
        WITH_COPY(two_labels_are_enough_but_not_any_two),
        WITH_COPY(sizes_that_the_tensors_do_not_have_are_refused),
        WITH_COPY(missing_and_unusable_tensors_are_refused),
        WITH_COPY(a_value_that_is_not_finite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
