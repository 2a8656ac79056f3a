/* Hostile pickles and archives: nothing is run, nothing is read outside the file, and a refusal
 * says why. That good files give the right numbers is golden.variants' to show. */
#include "base/lines.h"
#include "nlp/pickle.h"
#include "nlp/torch_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIANTS UNDERTONE_SOURCE_DIR "/tests/fixtures/variants/"

enum { FILE_BYTES_MAX = 1 << 20 };

/* ---- pickles ---- */

struct bytes {
    const char *bytes;
    size_t size;
};

#define BYTES(text)           \
    {                         \
        text, sizeof text - 1 \
    }

static void expect_refused(struct bytes pickled, int code, const char *part)
{
    struct pickle *pickle = NULL;
    struct error err = {0};
    size_t used;
    int got = pickle_load(&pickle, (const unsigned char *)pickled.bytes, pickled.size, "x.bin",
                          &used, &err);
    if (got != code || !strstr(err.message, part) || !strstr(err.message, "x.bin")) {
        fail_msg("code %d, expected %d with \"%s\": %s", got, code, part, err.message);
    }
    assert_null(pickle);
}

static void a_pickle_that_would_run_something_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        struct bytes pickled;
        const char *name;
    } cases[] = {
        {BYTES("\x80\x02"
               "cos\nsystem\nX\x02\0\0\0id\x85R."),
         "\"os.system\""},
        {BYTES("\x80\x02"
               "cbuiltins\neval\nX\x01\0\0\0"
               "1\x85R."),
         "\"builtins.eval\""},
        {BYTES("\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."), "\"posix.system\""},
        {BYTES("\x80\x02"
               "ctorch\nload\n)R."),
         "\"torch.load\""},
        {BYTES("\x80\x02"
               "ccollections\nOrderedDict.__init__\n)R."),
         "OrderedDict.__init__"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refused(cases[i].pickled, ERROR_UNSUPPORTED, cases[i].name);
    }
}

static void a_pickle_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct bytes pickled;
        const char *message;
    } cases[] = {
        {BYTES(""), "ends without a result"},
        {BYTES("\x80"), "ends in the middle"},
        {BYTES("\x80\x09."), "protocol"},
        {BYTES("."), "stops without one result"},
        {BYTES("NN."), "stops without one result"},
        {BYTES("(."), "stops without one result"},
        {BYTES("X\xff\xff\xff\xff."), "longer than the file"},
        {BYTES("X\x05\0\0\0hi."), "longer than the file"},
        {BYTES("\x8a\xff."), "longer than the file"},
        {BYTES("J\x01\x02."), "ends in the middle"},
        {BYTES("cos"), "middle of a name"},
        {BYTES("Nq\x05."), "out of order"},
        {BYTES("Nr\xff\xff\xff\xff."), "out of order"},
        {BYTES("h\0."), "never remembered"},
        {BYTES("q\0."), "out of order"},
        {BYTES("0."), "nothing to drop"},
        {BYTES("(0."), "nothing to drop"},
        {BYTES("1."), "no mark"},
        {BYTES("2."), "nothing to repeat"},
        {BYTES("t."), "no mark"},
        {BYTES("N\x86."), "tuple of nothing"},
        {BYTES("(N\x86."), "tuple of nothing"},
        {BYTES("NNNs."), "holds none"},
        {BYTES("NNs."), "holds none"},
        {BYTES("}(Nu."), "holds none"},
        {BYTES("(NNu."), "holds none"},
        {BYTES("}Na."), "holds none"},
        {BYTES("(]e."), "holds none"},
        {BYTES("NNb."), "attributes"},
        {BYTES("NQ."), "no storage"},
        {BYTES(")Q."), "no storage"},
        {BYTES("N)R."), "no name"},
        {BYTES("ctorch\nFloatStorage\n)R."), "a storage inside"},
        {BYTES("ctorch._utils\n_rebuild_tensor_v2\n)R."), "without storage"},
        {BYTES("ctorch._utils\n_rebuild_parameter\n)R."), "no tensor"},
        {BYTES("ccollections\nOrderedDict\nN\x85R."), "made of arguments"},
        {BYTES("NN\x93."), "no text"},
        {BYTES("(ios\nsystem\n."), "torch.save does not use"}, /* INST */
        {BYTES("(N\x6f."), "torch.save does not use"},         /* OBJ */
        {BYTES("N)\x81."), "torch.save does not use"},         /* NEWOBJ */
        {BYTES("\x82\x01."), "torch.save does not use"},       /* EXT1 */
        {BYTES("P12\n."), "torch.save does not use"},          /* PERSID */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refused(cases[i].pickled, ERROR_FORMAT, cases[i].message);
    }
}

static void memory_is_bounded_by_instructions(void **state)
{
    (void)state;
    enum { COUNT = PICKLE_BYTES_MAX };
    char *nones = malloc(COUNT);
    assert_non_null(nones);
    memset(nones, 'N', COUNT);
    expect_refused((struct bytes){nones, COUNT}, ERROR_LIMIT, "too large");
    memset(nones, '(', COUNT);
    expect_refused((struct bytes){nones, COUNT}, ERROR_LIMIT, "too large");
    nones[0] = 'N';
    memset(nones + 1, '2', COUNT - 1);
    expect_refused((struct bytes){nones, COUNT}, ERROR_LIMIT, "too large");
    free(nones);
}

static void a_cycle_is_only_a_reference(void **state)
{
    (void)state;
    static const char text[] = "}q\0X\x01\0\0\0ah\0s."; /* a dict that holds itself */
    struct pickle *pickle;
    struct error err = {0};
    size_t used;
    int32_t position = PICKLE_NO_VALUE;
    int32_t key;
    int32_t item;
    assert_int_equal(
        pickle_load(&pickle, (const unsigned char *)text, sizeof text - 1, "x.bin", &used, &err),
        0);
    assert_int_equal(used, sizeof text - 1);
    assert_true(pickle_next(pickle, pickle_root(pickle), &position, &key, &item));
    assert_int_equal(item, pickle_root(pickle));
    assert_false(pickle_next(pickle, pickle_root(pickle), &position, &key, &item));
    pickle_free(pickle);
    pickle_free(NULL);
}

/* ---- whole files ---- */

struct spoiled {
    char path[64];
    char *bytes;
    size_t size;
};

static void spoiled_open(struct spoiled *spoiled, const char *name)
{
    struct error err = {0};
    (void)snprintf(spoiled->path, sizeof spoiled->path, "/tmp/undertone-tf-XXXXXX");
    int fd = mkstemp(spoiled->path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(lines_read_file(name, FILE_BYTES_MAX, &spoiled->bytes, &spoiled->size, &err),
                     0);
}

static void spoiled_close(struct spoiled *spoiled)
{
    (void)unlink(spoiled->path);
    free(spoiled->bytes);
}

static int try_bytes(const struct spoiled *spoiled, const char *bytes, size_t size,
                     struct error *err)
{
    struct torch_file *opened;
    FILE *file = fopen(spoiled->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    int code = torch_file_open(&opened, spoiled->path, err);
    if (code == 0) {
        /* whatever was accepted must be readable to its last byte */
        size_t count;
        unsigned sum = 0;
        const struct tensor *tensors = torch_file_tensors(opened, &count);
        for (size_t i = 0; i < count; i++) {
            for (size_t at = 0; at < tensors[i].size; at++) {
                sum += tensors[i].bytes[at];
            }
        }
        (void)sum;
    }
    torch_file_close(opened);
    return code;
}

static void no_spoiled_file_is_read_outside(void **state)
{
    (void)state;
    static const char *const names[] = {VARIANTS "roberta-views-bin/pytorch_model.bin",
                                        VARIANTS "roberta-legacy-bin/pytorch_model.bin"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct spoiled spoiled;
        struct error err = {0};
        spoiled_open(&spoiled, names[i]);
        assert_int_equal(try_bytes(&spoiled, spoiled.bytes, spoiled.size, &err), 0);
        size_t refused = 0;
        for (size_t at = 0; at < spoiled.size; at += 3) {
            spoiled.bytes[at] = (char)~spoiled.bytes[at];
            refused += try_bytes(&spoiled, spoiled.bytes, spoiled.size, &err) != 0;
            spoiled.bytes[at] = (char)~spoiled.bytes[at];
        }
        assert_true(refused > 100);
        for (size_t size = 0; size < spoiled.size; size += 5) {
            if (try_bytes(&spoiled, spoiled.bytes, size, &err) == 0) {
                fail_msg("%s cut to %zu bytes was accepted", names[i], size);
            }
            assert_non_null(strstr(err.message, spoiled.path));
        }
        spoiled_close(&spoiled);
    }
}

static void what_is_no_checkpoint_says_so(void **state)
{
    (void)state;
    struct spoiled spoiled;
    struct error err = {0};
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
    spoiled_open(&spoiled, VARIANTS "roberta-pad-3/config.json");
    assert_int_equal(try_bytes(&spoiled, pointer, sizeof pointer - 1, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "Git LFS pointer"));
    assert_int_equal(try_bytes(&spoiled, spoiled.bytes, spoiled.size, &err), ERROR_FORMAT);
    assert_int_equal(try_bytes(&spoiled, "", 0, &err), ERROR_FORMAT);
    spoiled_close(&spoiled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pickle_that_would_run_something_is_refused_by_name),
        cmocka_unit_test(a_pickle_that_makes_no_sense_is_refused),
        cmocka_unit_test(memory_is_bounded_by_instructions),
        cmocka_unit_test(a_cycle_is_only_a_reference),
        cmocka_unit_test(no_spoiled_file_is_read_outside),
        cmocka_unit_test(what_is_no_checkpoint_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
