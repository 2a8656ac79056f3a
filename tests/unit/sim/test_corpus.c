/* Sources: the shipped conversations load, and drawing follows seed and weights. */
#include "sim/corpus.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char DATA[] = UNDERTONE_SOURCE_DIR "/sim/data";

static struct corpus *load(const unsigned weights[CORPUS_SOURCE_COUNT], uint64_t seed)
{
    struct corpus *corpus;
    struct error err = {0};
    int rc = corpus_create(&corpus, DATA, weights, seed, &err);
    if (rc != 0) {
        print_message("%s\n", err.message);
    }
    assert_int_equal(rc, 0);
    return corpus;
}

static void every_shipped_source_can_be_played(void **unused)
{
    (void)unused;
    for (int i = 0; i < CORPUS_SOURCE_COUNT; i++) {
        unsigned weights[CORPUS_SOURCE_COUNT] = {0};
        weights[i] = 1;
        struct corpus *corpus = load(weights, 1);
        struct rand rand;
        rand_seed(&rand, 1);
        for (int draw = 0; draw < 20; draw++) {
            enum corpus_source source;
            struct conversation c;
            assert_int_equal(corpus_draw(corpus, &rand, &source, &c, NULL), 0);
            assert_int_equal(source, i);
            assert_true(c.turn_count >= 4);
            conversation_done(&c);
        }
        corpus_destroy(corpus);
    }
}

static void the_same_seed_draws_the_same(void **unused)
{
    (void)unused;
    static const unsigned weights[CORPUS_SOURCE_COUNT] = {1, 2, 1, 1};
    struct corpus *a = load(weights, 5);
    struct corpus *b = load(weights, 5);
    struct rand rand_a, rand_b;
    rand_seed(&rand_a, 3);
    rand_seed(&rand_b, 3);
    unsigned counts[CORPUS_SOURCE_COUNT] = {0};
    for (int draw = 0; draw < 1000; draw++) {
        enum corpus_source source_a, source_b;
        struct conversation ca, cb;
        assert_int_equal(corpus_draw(a, &rand_a, &source_a, &ca, NULL), 0);
        assert_int_equal(corpus_draw(b, &rand_b, &source_b, &cb, NULL), 0);
        assert_int_equal(source_a, source_b);
        assert_string_equal(ca.name, cb.name);
        counts[source_a]++;
        conversation_done(&ca);
        conversation_done(&cb);
    }
    /* Weights 1, 2, 1, 1: expect 200, 400, 200, 200; five standard deviations are below 80. */
    assert_in_range(counts[CORPUS_SOURCE_HARPER], 120, 280);
    assert_in_range(counts[CORPUS_SOURCE_CUCOM], 320, 480);
    corpus_destroy(a);
    corpus_destroy(b);
}

static void a_missing_directory_is_named(void **unused)
{
    (void)unused;
    static const unsigned weights[CORPUS_SOURCE_COUNT] = {1, 0, 0, 0};
    struct corpus *corpus;
    struct error err = {0};
    assert_int_not_equal(corpus_create(&corpus, "/nowhere/at/all", weights, 1, &err), 0);
    assert_null(corpus);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

static void the_environment_names_the_directory(void **unused)
{
    (void)unused;
    setenv("UNDERTONE_SIM_DATA", "/from/env", 1);
    char *directory = corpus_find_directory(NULL);
    assert_string_equal(directory, "/from/env");
    free(directory);
    directory = corpus_find_directory("/asked");
    assert_string_equal(directory, "/asked");
    free(directory);
    unsetenv("UNDERTONE_SIM_DATA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shipped_source_can_be_played),
        cmocka_unit_test(the_same_seed_draws_the_same),
        cmocka_unit_test(a_missing_directory_is_named),
        cmocka_unit_test(the_environment_names_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
