/* test_masks.c - which ends lie in a mask, against a timeline of plain booleans. */
#include "harness.h"

#include "base/rand.h"
#include "mood/masks.h"

enum { TIMELINE = 400 };

static void test_a_mask_covers_its_beginning_and_not_its_end(void **state)
{
    (void)state;
    struct masks masks = {0};
    masks_open(&masks, 100);
    masks_close(&masks, 200);
    assert_false(masks_cover(&masks, 99));
    assert_true(masks_cover(&masks, 100));
    assert_true(masks_cover(&masks, 199));
    assert_false(masks_cover(&masks, 200));
}

static void test_an_open_mask_covers_all_that_ends_later(void **state)
{
    (void)state;
    struct masks masks = {0};
    assert_false(masks_is_open(&masks));
    masks_open(&masks, 100);
    assert_true(masks_is_open(&masks));
    assert_false(masks_cover(&masks, 99));
    assert_true(masks_cover(&masks, INT64_MAX - 1));
    masks_open(&masks, 150); /* told again, with a later time: it is one mask all the same */
    assert_true(masks_cover(&masks, 100));
    masks_open(&masks, 50); /* or an earlier one */
    assert_true(masks_cover(&masks, 50));
    assert_int_equal(masks.count, 1);
}

static void test_closing_without_a_mask_changes_nothing(void **state)
{
    (void)state;
    struct masks masks = {0};
    masks_close(&masks, 100);
    assert_int_equal(masks.count, 0);
    masks_open(&masks, 100);
    masks_close(&masks, 200);
    masks_close(&masks, 300);
    assert_false(masks_cover(&masks, 250));
}

static void test_a_mask_that_ends_before_it_began_is_none(void **state)
{
    (void)state;
    struct masks masks = {0};
    masks_open(&masks, 100);
    masks_close(&masks, 100);
    assert_int_equal(masks.count, 0);
}

static void test_what_was_masked_stays_so_when_a_later_mask_claims_to_begin_before(void **state)
{
    (void)state;
    struct masks masks = {0};
    masks_open(&masks, 100);
    masks_close(&masks, 200);
    masks_open(&masks, 50);
    masks_close(&masks, 60);
    for (int64_t ms = 50; ms < 60; ms++) {
        assert_true(masks_cover(&masks, ms));
    }
    for (int64_t ms = 100; ms < 200; ms++) {
        assert_true(masks_cover(&masks, ms));
    }
}

/* Up to MASKS_MAX in order, the list is exact; beyond, it may cover more and never less. */
static void test_random_masks_agree_with_a_timeline(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rand rand;
        struct masks masks = {0};
        bool masked[TIMELINE] = {false};
        int64_t now = 0;
        int opened = 0;
        rand_seed(&rand, seed);
        while (now < TIMELINE - 40) {
            int64_t from = now + 1 + (int64_t)rand_below(&rand, 20);
            int64_t to = from + 1 + (int64_t)rand_below(&rand, 15);
            masks_open(&masks, from);
            masks_close(&masks, to);
            for (int64_t ms = from; ms < to; ms++) {
                masked[ms] = true;
            }
            now = to;
            opened++;
            for (int64_t ms = 0; ms < TIMELINE; ms++) {
                if (opened <= MASKS_MAX ? masks_cover(&masks, ms) != masked[ms]
                                        : masked[ms] && !masks_cover(&masks, ms)) {
                    fail_msg("seed %d, at %d", (int)seed, (int)ms);
                }
            }
        }
        assert_true(opened > MASKS_MAX);
        assert_true(masks.count <= MASKS_MAX);
        assert_false(masks_cover(&masks, now)); /* nor does it swallow the time after */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mask_covers_its_beginning_and_not_its_end),
        cmocka_unit_test(test_an_open_mask_covers_all_that_ends_later),
        cmocka_unit_test(test_closing_without_a_mask_changes_nothing),
        cmocka_unit_test(test_a_mask_that_ends_before_it_began_is_none),
        cmocka_unit_test(test_what_was_masked_stays_so_when_a_later_mask_claims_to_begin_before),
        cmocka_unit_test(test_random_masks_agree_with_a_timeline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
