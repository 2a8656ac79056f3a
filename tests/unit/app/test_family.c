/* Calls under one master: who was last, when one was last told, and what is forgotten when. */
#include "app/family.h"

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
    struct families families;
    families_init(&families, 8);
    struct family *first = families_join(&families, "m", at(0));
    assert_non_null(first);
    assert_string_equal(first->newest_id, "");
    assert_false(first->has_delivered);
    assert_ptr_equal(families_join(&families, "m", at(1)), first);
    assert_ptr_not_equal(families_join(&families, "n", at(1)), first);
    families_done(&families);
}

static void a_family_is_remembered_for_ten_minutes_after_its_last_call(void **state)
{
    (void)state;
    struct families families;
    families_init(&families, 8);
    struct family *family = families_join(&families, "m", at(0));
    memcpy(family->newest_id, "a", 2);
    family_deliver(family, at(500));
    families_leave(&families, family, at(1000));
    family = families_join(&families, "m", at(1000 + 599999));
    assert_string_equal(family->newest_id, "a");
    assert_true(family->has_delivered);
    families_leave(&families, family, at(700000));
    family = families_join(&families, "m", at(700000 + 600000));
    assert_string_equal(family->newest_id, "");
    assert_false(family->has_delivered);
    families_done(&families);
}

static void a_family_with_a_call_is_never_forgotten(void **state)
{
    (void)state;
    struct families families;
    families_init(&families, 8);
    struct family *family = families_join(&families, "m", at(0));
    families_join(&families, "m", at(0));
    family_deliver(family, at(500));
    families_leave(&families, family, at(1000));
    (void)families_join(&families, "other", at(100000000));
    assert_ptr_equal(families_join(&families, "m", at(100000000)), family);
    assert_true(family->has_delivered);
    families_done(&families);
}

static void when_full_the_family_left_longest_ago_goes(void **state)
{
    (void)state;
    struct families families;
    families_init(&families, 3);
    struct family *a = families_join(&families, "a", at(0));
    struct family *b = families_join(&families, "b", at(0));
    struct family *c = families_join(&families, "c", at(0));
    assert_null(families_join(&families, "d", at(1))); /* all have calls */
    family_deliver(a, at(1));
    family_deliver(b, at(1));
    families_leave(&families, b, at(2));
    families_leave(&families, a, at(3));
    assert_non_null(families_join(&families, "d", at(4)));
    assert_true(families_join(&families, "a", at(5))->has_delivered);
    families_leave(&families, c, at(6));
    assert_false(families_join(&families, "b", at(7))->has_delivered);
    families_done(&families);
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
    struct families families;
    char master[STORE_ID_BYTES + 1];
    families_init(&families, 8);
    memset(master, 'm', sizeof master - 1);
    master[sizeof master - 1] = '\0';
    assert_null(families_join(&families, master, at(0)));
    master[STORE_ID_BYTES - 1] = '\0';
    assert_non_null(families_join(&families, master, at(0)));
    families_done(&families);
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
