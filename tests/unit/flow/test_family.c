/* Calls under one master: who was last, when one was last told, and what is forgotten when. */
#include "flow/family.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mono at(int64_t ms)
{
    return (struct mono){ms * 1000};
}

static void one_master_is_one_family(void **state)
{
    (void)state;
    struct family_set set;
    family_set_init(&set, 8);
    struct family *first = family_set_join(&set, "m", at(0));
    assert_non_null(first);
    assert_string_equal(first->newest_id, "");
    assert_false(first->has_delivered);
    assert_ptr_equal(family_set_join(&set, "m", at(1)), first);
    assert_ptr_not_equal(family_set_join(&set, "n", at(1)), first);
    family_set_done(&set);
}

static void a_family_is_remembered_for_ten_minutes_after_its_last_call(void **state)
{
    (void)state;
    struct family_set set;
    family_set_init(&set, 8);
    struct family *family = family_set_join(&set, "m", at(0));
    memcpy(family->newest_id, "a", 2);
    family_deliver(family, at(500));
    family_set_leave(&set, family, at(1000));
    family = family_set_join(&set, "m", at(1000 + 599999));
    assert_string_equal(family->newest_id, "a");
    assert_true(family->has_delivered);
    family_set_leave(&set, family, at(700000));
    family = family_set_join(&set, "m", at(700000 + 600000));
    assert_string_equal(family->newest_id, "");
    assert_false(family->has_delivered);
    family_set_done(&set);
}

static void a_family_with_a_call_is_never_forgotten(void **state)
{
    (void)state;
    struct family_set set;
    family_set_init(&set, 8);
    struct family *family = family_set_join(&set, "m", at(0));
    family_set_join(&set, "m", at(0));
    family_deliver(family, at(500));
    family_set_leave(&set, family, at(1000));
    (void)family_set_join(&set, "other", at(100000000));
    assert_ptr_equal(family_set_join(&set, "m", at(100000000)), family);
    assert_true(family->has_delivered);
    family_set_done(&set);
}

static void when_full_the_family_left_longest_ago_goes(void **state)
{
    (void)state;
    struct family_set set;
    family_set_init(&set, 3);
    struct family *a = family_set_join(&set, "a", at(0));
    struct family *b = family_set_join(&set, "b", at(0));
    struct family *c = family_set_join(&set, "c", at(0));
    assert_null(family_set_join(&set, "d", at(1))); /* all have calls */
    family_deliver(a, at(1));
    family_deliver(b, at(1));
    family_set_leave(&set, b, at(2));
    family_set_leave(&set, a, at(3));
    assert_non_null(family_set_join(&set, "d", at(4)));
    assert_true(family_set_join(&set, "a", at(5))->has_delivered);
    family_set_leave(&set, c, at(6));
    assert_false(family_set_join(&set, "b", at(7))->has_delivered);
    family_set_done(&set);
}

static void the_newest_delivery_counts(void **state)
{
    (void)state;
    struct family family = {0};
    family_deliver(&family, at(5));
    family_deliver(&family, at(3));
    assert_int_equal(family.delivered.us, 5000);
    family_deliver(&family, at(7));
    assert_int_equal(family.delivered.us, 7000);
}

static void an_overlong_master_is_no_family(void **state)
{
    (void)state;
    struct family_set set;
    char master[STORE_ID_BYTES + 1];
    family_set_init(&set, 8);
    memset(master, 'm', sizeof master - 1);
    master[sizeof master - 1] = '\0';
    assert_null(family_set_join(&set, master, at(0)));
    master[STORE_ID_BYTES - 1] = '\0';
    assert_non_null(family_set_join(&set, master, at(0)));
    family_set_done(&set);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_master_is_one_family),
        cmocka_unit_test(a_family_is_remembered_for_ten_minutes_after_its_last_call),
        cmocka_unit_test(a_family_with_a_call_is_never_forgotten),
        cmocka_unit_test(when_full_the_family_left_longest_ago_goes),
        cmocka_unit_test(the_newest_delivery_counts),
        cmocka_unit_test(an_overlong_master_is_no_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
