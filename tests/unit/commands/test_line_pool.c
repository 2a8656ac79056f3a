/* Blocks of lines through threads: answers in order, nothing lost before a failure. */
#include "commands/bench_team.h"
#include "commands/line_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 5000, THREADS = 4 };

static char input[] = "/tmp/undertone-pool-in-XXXXXX";
static char output[] = "/tmp/undertone-pool-out-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int in = mkstemp(input);
    int out = mkstemp(output);
    if (in < 0 || out < 0) {
        return -1;
    }
    close(out);
    FILE *file = fdopen(in, "w");
    for (int i = 0; i < LINES; i++) {
        (void)fprintf(file, "%d\n", i);
    }
    return fclose(file);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(input) | unlink(output);
}

struct worker {
    const char *fails_on; /* a line that makes its block fail, or NULL */
    atomic_uint blocks;
};

static int echo_block(void *context, const struct scorer_text *texts, size_t count, struct buf *out,
                      struct error *err)
{
    struct worker *worker = context;
    atomic_fetch_add(&worker->blocks, 1);
    if (count == 0 || count > LINE_POOL_BLOCK_TEXTS) {
        return error_set(err, ERROR_INTERNAL, "a block of %zu lines", count);
    }
    for (size_t i = 0; i < count; i++) {
        if (worker->fails_on && texts[i].size == strlen(worker->fails_on) &&
            memcmp(texts[i].bytes, worker->fails_on, texts[i].size) == 0) {
            return error_set(err, ERROR_INTERNAL, "told to fail");
        }
        buf_append(out, texts[i].bytes, texts[i].size);
        buf_append_char(out, '\n');
        for (volatile unsigned spin = (unsigned)i * 97 % 1000; spin > 0; spin--) {
        }
    }
    return 0;
}

/* Runs the pool with standard output in a file; how many lines came, all of them in order. */
static int run(struct worker *worker, int *result, struct error *err)
{
    void *workers[THREADS] = {worker, worker, worker, worker};
    struct utterances *utterances;
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int out = open(output, O_RDWR | O_TRUNC);
    assert_true(saved >= 0 && out >= 0 && dup2(out, STDOUT_FILENO) >= 0);
    *result = utterances_open(&utterances, input, false, err);
    if (!*result) {
        *result = line_pool_run(utterances, echo_block, workers, THREADS, err);
        utterances_close(utterances);
    }
    (void)fflush(stdout);
    (void)dup2(saved, STDOUT_FILENO);
    close(saved);
    close(out);
    FILE *file = fopen(output, "r");
    int count = 0;
    int value;
    while (fscanf(file, "%d", &value) == 1) {
        assert_int_equal(value, count);
        count++;
    }
    (void)fclose(file);
    return count;
}

static void answers_come_in_the_order_of_the_lines(void **state)
{
    (void)state;
    struct worker worker = {0};
    struct error err;
    int result;
    assert_int_equal(run(&worker, &result, &err), LINES);
    assert_int_equal(result, 0);
    assert_int_equal(worker.blocks, (LINES + LINE_POOL_BLOCK_TEXTS - 1) / LINE_POOL_BLOCK_TEXTS);
}

static void a_failing_block_ends_it_after_all_before(void **state)
{
    (void)state;
    struct worker worker = {.fails_on = "1000"};
    struct error err;
    int result;
    int block = 1000 / LINE_POOL_BLOCK_TEXTS * LINE_POOL_BLOCK_TEXTS;
    assert_int_equal(run(&worker, &result, &err), block);
    assert_int_equal(result, ERROR_INTERNAL);
    assert_string_equal(err.message, "told to fail");
}

static atomic_uint turns[BENCH_TEAM_MAX];

static void count_turn(void *user, unsigned member)
{
    (void)user;
    atomic_fetch_add(&turns[member], 1);
}

static void each_member_of_a_team_takes_each_turn_once(void **state)
{
    (void)state;
    for (unsigned members = 1; members <= 5; members++) {
        struct bench_team *team;
        struct error err;
        memset(turns, 0, sizeof turns);
        assert_int_equal(bench_team_create(&team, members, &err), 0);
        for (unsigned round = 1; round <= 200; round++) {
            bench_team_run(team, count_turn, NULL);
            for (unsigned i = 0; i < members; i++) {
                assert_int_equal(turns[i], round); /* all are back when run returns */
            }
        }
        assert_int_equal(turns[members], 0);
        bench_team_destroy(team);
    }
    bench_team_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_the_order_of_the_lines),
        cmocka_unit_test(a_failing_block_ends_it_after_all_before),
        cmocka_unit_test(each_member_of_a_team_takes_each_turn_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
