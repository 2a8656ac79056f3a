/* The command line: what is understood, and that nothing is understood in part. */
#include "sim/options.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 8 };

static int parse(struct options *options, struct error *err, const char *const *words)
{
    char *argv[WORDS_MAX + 2] = {(char *)(uintptr_t) "undertone-sim"};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    return options_parse(options, argc, argv, err);
}

#define PARSE(options, err, ...) parse(options, err, (const char *const[]){__VA_ARGS__, NULL})

static void defaults_are_those_of_the_help(void **unused)
{
    (void)unused;
    struct options o;
    assert_int_equal(parse(&o, NULL, (const char *const[]){NULL}), 0);
    assert_int_equal(o.calls, 4);
    assert_int_equal(o.seed, 1);
    assert_true(o.mid_call && o.disorder.partials);
    assert_int_equal(o.linger_s, 120);
    assert_int_equal(o.expires_in_s, 3600);
    assert_string_equal(o.client_id, "demo-client");
    assert_int_equal(o.port, 8080);
    assert_int_equal(o.filter, TIMELINE_FILTER_START_AT_LEAST);
    assert_int_equal(o.source_weights[CORPUS_SOURCE_CUCOM], 2);
    assert_int_equal(PARSE(&o, NULL, "--tls", "dir"), 0);
    assert_int_equal(o.port, 8443);
}

static void values_are_set(void **unused)
{
    (void)unused;
    struct options o;
    assert_int_equal(PARSE(&o, NULL, "--calls=7", "--late", "0.25", "--sources", "harper=3,ms=0",
                           "--filter", "end>="),
                     0);
    assert_int_equal(o.calls, 7);
    assert_true(o.disorder.late > 0.2499 && o.disorder.late < 0.2501);
    assert_int_equal(o.source_weights[CORPUS_SOURCE_HARPER], 3);
    assert_int_equal(o.source_weights[CORPUS_SOURCE_CUCOM], 0);
    assert_int_equal(o.filter, TIMELINE_FILTER_END_AT_LEAST);
    assert_int_equal(PARSE(&o, NULL, "--deny", "transcripts,attributes", "--mid-call", "off"), 0);
    assert_int_equal(o.deny, OPTIONS_DENY_TRANSCRIPTS | OPTIONS_DENY_ATTRIBUTES);
    assert_false(o.mid_call);
}

static void wrong_words_are_usage_errors(void **unused)
{
    (void)unused;
    static const char *const cases[][3] = {
        {"--call", "3"},
        {"--nonsense"},
        {"-c"},
        {"word"},
        {"--calls"},
        {"--calls", ""},
        {"--calls", "3x"},
        {"--calls", "-1"},
        {"--calls", "1.5"},
        {"--calls", "10001"},
        {"--calls", " 1"},
        {"--late", "1.01"},
        {"--late", "nan"},
        {"--late", "1e-1"},
        {"--late", "0.1.1"},
        {"--late", "."},
        {"--speed", "0"},
        {"--port", "65536"},
        {"--partials", "yes"},
        {"--filter", "start"},
        {"--sources", "harper"},
        {"--sources", "other=1"},
        {"--sources", "ms=0"},
        {"--sources", "ms=1,"},
        {"--sources", "ms=-1"},
        {"--deny", "all"},
        {"--deny", ""},
        {"--ids", "a,,b"},
        {"--ids", "a b"},
        {"--queues", "a,,b"},
        {"--ids", "a,a"},
        {"--data", ""},
        {"--print-env=1"},
        {"--expires-in", "0"},
        {"--profile", "real"},
        {"--profile=cxone-real", "--revised=0.1"}, /* a chat's message is never revised */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options o;
        struct error err = {0};
        assert_int_equal(parse(&o, &err, cases[i]), ERROR_USAGE);
        assert_int_equal(error_exit_status(err.code), 64);
        assert_true(err.message[0] != '\0');
    }
}

static void lingering_must_outlast_late_finals(void **unused)
{
    (void)unused;
    struct options o;
    assert_int_equal(PARSE(&o, NULL, "--linger", "44", "--late", "0.1"), ERROR_USAGE);
    assert_int_equal(PARSE(&o, NULL, "--linger", "45", "--late", "0.1"), 0);
    assert_int_equal(PARSE(&o, NULL, "--linger", "5", "--late", "0.1", "--speed", "10"), 0);
    assert_int_equal(PARSE(&o, NULL, "--linger", "0"), 0);
}

static void a_secret_is_never_shown(void **unused)
{
    (void)unused;
    struct options o;
    struct error err = {0};
    assert_int_equal(PARSE(&o, &err, "--client-secret", "hush-hush", "--client-id", "someone"), 0);
    struct buf out;
    buf_init(&out, 1 << 16);
    struct json_writer writer;
    json_writer_init(&writer, &out);
    options_write(&o, &writer);
    assert_null(strstr(buf_string(&out), "hush"));
    assert_null(strstr(buf_string(&out), "secret"));
    struct json_document *document;
    assert_int_equal(json_parse(out.bytes, out.size, &document, NULL), 0);
    const struct json *root = json_root(document);
    assert_string_equal(json_as_string(json_get(root, "client-id"), NULL), "someone");
    assert_string_equal(json_as_string(json_get(root, "filter"), NULL), "start>=");
    int64_t weight = 0;
    assert_true(json_as_integer(json_pointer(root, "/sources/cucom"), &weight));
    assert_int_equal(weight, 2);
    json_free(document);
    buf_done(&out);
}

static void queues_and_languages_take_turns(void **unused)
{
    (void)unused;
    struct options o;
    char out[OPTIONS_ID_BYTES_MAX + 1];
    assert_int_equal(PARSE(&o, NULL, "--queues", "a,bc", "--languages", "es-US"), 0);
    assert_string_equal(options_turn(o.queues, 0, out), "a");
    assert_string_equal(options_turn(o.queues, 1, out), "bc");
    assert_string_equal(options_turn(o.queues, 4, out), "a");
    assert_string_equal(options_turn(o.languages, 7, out), "es-US");
    assert_int_equal(PARSE(&o, NULL, "--calls", "1"), 0);
    assert_string_equal(options_turn(o.queues, 3, out), "");
}

static void ids_are_given_out_in_order(void **unused)
{
    (void)unused;
    struct options o;
    char id[OPTIONS_ID_BYTES_MAX + 1];
    assert_int_equal(PARSE(&o, NULL, "--ids", "one,2,a/b%20"), 0);
    assert_true(options_id(&o, 0, id));
    assert_string_equal(id, "one");
    assert_true(options_id(&o, 2, id));
    assert_string_equal(id, "a/b%20");
    assert_false(options_id(&o, 3, id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_help),
        cmocka_unit_test(values_are_set),
        cmocka_unit_test(wrong_words_are_usage_errors),
        cmocka_unit_test(lingering_must_outlast_late_finals),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(queues_and_languages_take_turns),
        cmocka_unit_test(ids_are_given_out_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
