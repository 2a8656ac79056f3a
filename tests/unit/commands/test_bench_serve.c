/* Serving under random arrivals: every text is answered, waiting is part of the whole, and a load
 * that is a quarter of the capacity does not pile up. */
#include "base/keyhash.h"
#include "commands/bench_serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TINY   UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-bert"
#define STREAM UNDERTONE_SOURCE_DIR "/bench/stream.txt"

static void check_load(const struct bench_serve_load *load, double capacity)
{
    assert_true(load->offered > 0 && load->offered < capacity);
    assert_true(load->answered > 0);
    assert_true(load->queued_max > 0);
    for (size_t i = 0; i < 3; i++) {
        assert_true(load->wait_ms[i] >= 0);
        assert_true(load->total_ms[i] > load->wait_ms[i]);
        assert_true(i == 0 || load->total_ms[i] >= load->total_ms[i - 1]);
        assert_true(i == 0 || load->wait_ms[i] >= load->wait_ms[i - 1]);
    }
}

static void each_load_is_served_and_waiting_is_part_of_it(void **state)
{
    (void)state;
    struct scorer *scorer;
    struct bench_texts texts;
    struct bench_serve_figures figures;
    struct error err = {0};
    assert_int_equal(scorer_open(&scorer, TINY, NULL, &err), 0);
    assert_int_equal(bench_texts_read(&texts, STREAM, 64, scorer, &err), 0);
    assert_int_equal(bench_serve_measure(scorer, &texts, 2, 1, 7, &figures, &err), 0);
    assert_int_equal(figures.seed, 7);
    assert_true(figures.capacity > 0);
    for (size_t i = 0; i < BENCH_SERVE_LOADS; i++) {
        check_load(&figures.loads[i], figures.capacity);
    }
    bench_texts_done(&texts);
    scorer_close(scorer);
}

int main(void)
{
    assert_int_equal(keyhash_library_init(), 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_load_is_served_and_waiting_is_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
