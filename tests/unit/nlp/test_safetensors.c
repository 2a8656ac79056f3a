/* Good files give exact values; every kind of damage gives a message that names file and tensor. */
#include "nlp/weights.h"

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

enum { PATH_BYTES = 256, FILES_MAX = 8 };

/* A temporary directory that forgets its files at the end. */
struct place {
    char directory[64];
    char files[FILES_MAX][PATH_BYTES];
    size_t file_count;
};

static int place_setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    (void)snprintf(place->directory, sizeof place->directory, "/tmp/undertone-st-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    *state = place;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *place = *state;
    for (size_t i = 0; i < place->file_count; i++) {
        (void)unlink(place->files[i]);
    }
    assert_int_equal(rmdir(place->directory), 0);
    free(place);
    return 0;
}

static void write_bytes(struct place *place, const char *name, const void *bytes, size_t size)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", place->directory, name);
    bool known = false;
    for (size_t i = 0; i < place->file_count; i++) {
        known = known || strcmp(place->files[i], path) == 0;
    }
    if (!known) {
        assert_true(place->file_count < FILES_MAX);
        (void)snprintf(place->files[place->file_count++], PATH_BYTES, "%s", path);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Length, header, data. */
static void write_file(struct place *place, const char *name, const char *header, const void *data,
                       size_t data_bytes)
{
    size_t header_bytes = strlen(header);
    unsigned char *bytes = calloc(1, 8 + header_bytes + data_bytes);
    assert_non_null(bytes);
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((uint64_t)header_bytes >> (8 * i));
    }
    memcpy(bytes + 8, header, header_bytes);
    if (data_bytes > 0) {
        memcpy(bytes + 8 + header_bytes, data, data_bytes);
    }
    write_bytes(place, name, bytes, 8 + header_bytes + data_bytes);
    free(bytes);
}

static void expect_failure(const struct place *place, int code, const char *part)
{
    struct weights *opened = NULL;
    struct error err = {0};
    int got = weights_open(&opened, place->directory, &err);
    if (got != code || !strstr(err.message, part)) {
        fail_msg("code %d, expected %d with \"%s\": %s", got, code, part, err.message);
    }
    assert_null(opened);
    assert_non_null(strstr(err.message, place->directory));
}

static void values_of_every_type_are_exact(void **state)
{
    struct place *place = *state;
    /* an odd header length, so that all data is unaligned */
    static const char header[] =
        "{\"half\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]},"
        "\"brain\":{\"dtype\":\"BF16\",\"shape\":[2,1],"
        "\"data_offsets\":[16,20]},"
        "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[20,24]},"
        "\"wide\":{\"dtype\":\"F64\",\"shape\":[1],"
        "\"data_offsets\":[24,32]},"
        "\"ids\":{\"dtype\":\"I64\",\"shape\":[1],"
        "\"data_offsets\":[32,40]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[0,7],"
        "\"data_offsets\":[40,40]},"
        "\"__metadata__\":{\"format\":\"pt\"}} ";
    static const unsigned char data[40] = {
        0x00, 0x3C,             /* 1 */
        0x00, 0xC0,             /* -2 */
        0xFF, 0x7B,             /* 65504, the largest */
        0x01, 0x00,             /* 2^-24, the smallest subnormal */
        0xFF, 0x83,             /* -1023 * 2^-24, the largest subnormal, negated */
        0x00, 0x80,             /* -0 */
        0x00, 0x7C,             /* infinity */
        0x01, 0x7E,             /* not a number */
        0x80, 0x3F,             /* 1 */
        0x49, 0x40,             /* 3.140625 */
        0x00, 0x00, 0x40, 0x40, /* 3 */
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xD0, 0x3F, /* 0.25 */
    };
    write_file(place, "model.safetensors", header, data, sizeof data);
    struct weights *opened;
    struct error err = {0};
    assert_int_equal(weights_open(&opened, place->directory, &err), 0);
    float out[8];

    const struct tensor *half = weights_find(opened, "half");
    assert_non_null(half);
    assert_int_equal(half->elements, 8);
    tensor_widen(half->dtype, half->bytes, 8, out);
    assert_true(out[0] == 1.0f && out[1] == -2.0f && out[2] == 65504.0f);
    assert_true(out[3] == 0x1p-24f && out[4] == -1023 * 0x1p-24f);
    assert_true(out[5] == 0.0f && signbit(out[5]));
    assert_true(isinf(out[6]) && isnan(out[7]));

    const struct tensor *brain = weights_find(opened, "brain");
    assert_non_null(brain);
    assert_int_equal(brain->rank, 2);
    assert_true(brain->shape[0] == 2 && brain->shape[1] == 1);
    tensor_widen(brain->dtype, brain->bytes, 2, out);
    assert_true(out[0] == 1.0f && out[1] == 3.140625f);

    const struct tensor *one = weights_find(opened, "one");
    assert_non_null(one);
    assert_int_equal(one->rank, 0);
    tensor_widen(one->dtype, one->bytes, 1, out);
    assert_true(out[0] == 3.0f);

    const struct tensor *wide = weights_find(opened, "wide");
    assert_non_null(wide);
    tensor_widen(wide->dtype, wide->bytes, 1, out);
    assert_true(out[0] == 0.25f);

    assert_int_equal(weights_find(opened, "ids")->dtype, TENSOR_OTHER);
    assert_int_equal(weights_find(opened, "none")->elements, 0);
    assert_null(weights_find(opened, "__metadata__"));
    assert_null(weights_find(opened, "absent"));
    weights_close(opened);
    weights_close(NULL);
}

static void a_damaged_header_is_refused(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *header;
        size_t data_bytes;
        int code;
        const char *message;
    } cases[] = {
        {"[]", 0, ERROR_FORMAT, "length of a JSON header"},
        {"{", 0, ERROR_FORMAT, "in the header"},
        {"{} {}", 0, ERROR_FORMAT, "in the header"},
        {"{\"a\":3}", 0, ERROR_FORMAT, "tensor \"a\" has no \"dtype\""},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, ERROR_UNSUPPORTED,
         "unknown dtype \"F4\""},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, ERROR_FORMAT, "no \"shape\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         ERROR_FORMAT, "no \"shape\" of at most 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, ERROR_FORMAT,
         "impossible \"shape\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", 4, ERROR_FORMAT,
         "impossible \"shape\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4,
         ERROR_FORMAT, "impossible \"shape\""},
        /* 2^62 elements of 4 bytes: 0 modulo 2^64 */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
         ERROR_FORMAT, "which its shape and dtype F32"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, ERROR_FORMAT, "no \"data_offsets\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, ERROR_FORMAT,
         "no \"data_offsets\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, ERROR_FORMAT,
         "no \"data_offsets\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, ERROR_FORMAT,
         "no \"data_offsets\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, ERROR_FORMAT,
         "tensor \"a\" ends at byte 4 of the data, but the file holds only 3"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9223372036854775800,"
         "9223372036854775804]}}",
         4, ERROR_FORMAT, "ends at byte 9223372036854775804"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, ERROR_FORMAT,
         "tensor \"a\" takes 4 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, ERROR_FORMAT,
         "tensor \"a\" has unused bytes in front"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, ERROR_FORMAT, "tensor \"b\" overlaps"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, ERROR_FORMAT,
         "1 bytes at the end belong to no tensor"},
        /* the same name twice: the last wins, and leaves a hole */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, ERROR_FORMAT, "tensor \"a\" has unused bytes"},
    };
    static const unsigned char zeros[16] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(place, "model.safetensors", cases[i].header, zeros, cases[i].data_bytes);
        expect_failure(place, cases[i].code, cases[i].message);
    }
}

static void a_wrong_header_length_is_refused(void **state)
{
    struct place *place = *state;
    static const unsigned char cases[][10] = {
        {0},                                                        /* no header */
        {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'},                         /* one byte too long */
        {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, '{', '}'}, /* as long as can be */
        {0xFA, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, '{', '}'}, /* overflows with its place */
        {0, 0xE1, 0xF5, 5, 0, 0, 0, 0, '{', '}'},                   /* 100 MB in ten bytes */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_bytes(place, "model.safetensors", cases[i], sizeof cases[i]);
        expect_failure(place, ERROR_FORMAT, "length of a JSON header");
    }
    write_bytes(place, "model.safetensors", cases[0], 7);
    expect_failure(place, ERROR_FORMAT, "at least 8 bytes");
    write_bytes(place, "model.safetensors", cases[0], 0);
    expect_failure(place, ERROR_FORMAT, "at least 8 bytes");
}

static void every_truncation_of_a_good_file_is_refused(void **state)
{
    struct place *place = *state;
    static const char good[] = "\x38\0\0\0\0\0\0\0"
                               "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  "
                               "12345678";
    struct weights *opened;
    struct error err = {0};
    write_bytes(place, "model.safetensors", good, sizeof good - 1);
    assert_int_equal(weights_open(&opened, place->directory, &err), 0);
    weights_close(opened);
    for (size_t size = 0; size < sizeof good - 1; size++) {
        write_bytes(place, "model.safetensors", good, size);
        expect_failure(place, ERROR_FORMAT, "model.safetensors");
    }
}

static void a_directory_without_weights_says_what_to_do(void **state)
{
    struct place *place = *state;
    expect_failure(place, ERROR_IO, "pytorch_model.bin");
}

#define INDEX  "model.safetensors.index.json"
#define HEADER "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

static void write_index(struct place *place, const char *json)
{
    write_bytes(place, INDEX, json, strlen(json));
}

static void shards_are_found_through_the_index(void **state)
{
    struct place *place = *state;
    write_file(place, "x.safetensors", HEADER, "\0\0\x80\x3F", 4);
    write_file(place, "y.safetensors",
               "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
               "\"c\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
               "\0\0\0\x40\0\0\x40\x40", 8);
    write_index(place, "{\"weight_map\":{\"a\":\"x.safetensors\",\"c\":\"y.safetensors\"}}");
    struct weights *opened;
    struct error err = {0};
    assert_int_equal(weights_open(&opened, place->directory, &err), 0);
    float value;
    const struct tensor *tensor = weights_find(opened, "a");
    assert_non_null(tensor);
    tensor_widen(tensor->dtype, tensor->bytes, 1, &value);
    assert_true(value == 1.0f);
    tensor = weights_find(opened, "c");
    assert_non_null(tensor);
    tensor_widen(tensor->dtype, tensor->bytes, 1, &value);
    assert_true(value == 3.0f);
    assert_non_null(strstr(tensor->file, "/y.safetensors"));
    assert_null(weights_find(opened, "b")); /* not listed */
    weights_close(opened);
}

static void a_bad_index_is_refused(void **state)
{
    struct place *place = *state;
    write_file(place, "x.safetensors", HEADER, "\0\0\x80\x3F", 4);
    static const struct {
        const char *index;
        int code;
        const char *message;
    } cases[] = {
        {"", ERROR_FORMAT, INDEX},
        {"[]", ERROR_FORMAT, "no \"weight_map\""},
        {"{\"weight_map\":[]}", ERROR_FORMAT, "no \"weight_map\""},
        {"{\"weight_map\":{\"a\":7}}", ERROR_FORMAT, "gives \"a\" a file outside"},
        {"{\"weight_map\":{\"a\":\"\"}}", ERROR_FORMAT, "gives \"a\" a file outside"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", ERROR_FORMAT, "gives \"a\" a file outside"},
        {"{\"weight_map\":{\"a\":\"../x.safetensors\"}}", ERROR_FORMAT, "a file outside"},
        {"{\"weight_map\":{\"a\":\"..\"}}", ERROR_FORMAT, "a file outside"},
        {"{\"weight_map\":{\"a\":\".\"}}", ERROR_FORMAT, "a file outside"},
        {"{\"weight_map\":{\"a\":\"z.safetensors\"}}", ERROR_IO, "z.safetensors"},
        {"{\"weight_map\":{\"b\":\"x.safetensors\"}}", ERROR_FORMAT, "places tensor \"b\" in"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_index(place, cases[i].index);
        expect_failure(place, cases[i].code, cases[i].message);
    }
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(values_of_every_type_are_exact),
        WITH_PLACE(a_damaged_header_is_refused),
        WITH_PLACE(a_wrong_header_length_is_refused),
        WITH_PLACE(every_truncation_of_a_good_file_is_refused),
        WITH_PLACE(a_directory_without_weights_says_what_to_do),
        WITH_PLACE(shards_are_found_through_the_index),
        WITH_PLACE(a_bad_index_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
