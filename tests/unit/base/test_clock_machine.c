/* The machine's clocks: that the steady one begins at the wall clock and goes on with the other. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_steady_clock_is_the_wall_clock_carried_on(void **state)
{
    (void)state;
    int64_t wall_ms = clock_wall().ms;
    int64_t begun_ms = clock_mono().us / 1000;
    struct wall first = clock_steady();
    assert_in_range(first.ms - wall_ms, 0, 2000);
    struct wall later = clock_steady();
    int64_t passed_ms = clock_mono().us / 1000 - begun_ms;
    assert_true(later.ms >= first.ms);
    assert_true(later.ms - wall_ms <= passed_ms + 1 + (first.ms - wall_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steady_clock_is_the_wall_clock_carried_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
