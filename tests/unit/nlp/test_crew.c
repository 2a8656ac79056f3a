/* A crew does every part of every piece exactly once, however many threads help and whenever they
 * come and go, and a helper never touches a piece that is over. */
#include "nlp/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HELPERS = 3, PIECES = 3000, PARTS_MAX = 40 };

struct piece {
    unsigned times[PARTS_MAX]; /* each part has its own: no atomics needed if nobody else writes */
    size_t parts;
};

static void count_part(void *user, size_t part, size_t parts, void *own)
{
    struct piece *piece = user;
    size_t *mine = own;
    assert_true(part < parts);
    assert_int_equal(parts, piece->parts);
    piece->times[part]++;
    ++*mine;
}

static size_t lead(struct crew *crew)
{
    size_t mine = 0;
    for (size_t i = 0; i < PIECES; i++) {
        struct piece piece = {.parts = i % PARTS_MAX}; /* on the stack: gone when the piece is */
        crew_run(crew, count_part, &piece, piece.parts, &mine);
        for (size_t part = 0; part < PARTS_MAX; part++) {
            assert_int_equal(piece.times[part], part < piece.parts ? 1 : 0);
        }
    }
    return mine;
}

static size_t parts_of_all_pieces(void)
{
    size_t parts = 0;
    for (size_t i = 0; i < PIECES; i++) {
        parts += i % PARTS_MAX;
    }
    return parts;
}

struct helper {
    struct crew *crew;
    atomic_bool *over;
    size_t did;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    while (!atomic_load(helper->over)) {
        crew_help(helper->crew, &helper->did, helper->over);
    }
    return NULL;
}

static void every_part_is_done_once_whoever_helps(void **state)
{
    (void)state;
    struct crew crew;
    atomic_bool over = false;
    struct helper helpers[HELPERS];
    pthread_t threads[HELPERS];
    crew_init(&crew);
    for (size_t i = 0; i < HELPERS; i++) {
        helpers[i] = (struct helper){&crew, &over, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, help, &helpers[i]), 0);
    }
    size_t all = 0;
    for (int session = 0; session < 4; session++) {
        crew_open(&crew);
        all += lead(&crew);
        crew_close(&crew);
        all += lead(&crew); /* closed: nobody helps */
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < HELPERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        all += helpers[i].did;
    }
    assert_int_equal(all, 8 * parts_of_all_pieces());
}

static void record_order(void *user, size_t part, size_t parts, void *own)
{
    size_t *next = user;
    (void)parts;
    (void)own;
    assert_int_equal(part, *next);
    ++*next;
}

static void alone_parts_are_done_in_order(void **state)
{
    (void)state;
    struct crew crew;
    crew_init(&crew);
    for (int open = 0; open < 2; open++) {
        size_t next = 0;
        crew_run(&crew, record_order, &next, PARTS_MAX, NULL);
        assert_int_equal(next, PARTS_MAX);
        if (!open) {
            crew_open(&crew); /* and nobody comes */
        }
    }
    crew_close(&crew);
}

static void a_helper_leaves_when_told(void **state)
{
    (void)state;
    struct crew crew;
    atomic_bool leave = true;
    crew_init(&crew);
    crew_open(&crew);
    crew_help(&crew, NULL, &leave); /* returns, though nobody closes it */
    crew_close(&crew);
}

static void a_closed_crew_takes_no_help(void **state)
{
    (void)state;
    struct crew crew;
    crew_init(&crew);
    crew_help(&crew, NULL, NULL); /* returns */
    assert_false(crew_is_open(&crew));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_done_once_whoever_helps),
        cmocka_unit_test(alone_parts_are_done_in_order),
        cmocka_unit_test(a_closed_crew_takes_no_help),
        cmocka_unit_test(a_helper_leaves_when_told),
    };
    return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
