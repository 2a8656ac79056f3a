/* Once warm, scoring asks the allocator for nothing. */
#include "base/keyhash.h"
#include "nlp/scorer.h"
#include "tests/unit/allocations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define DEFAULT UNDERTONE_SOURCE_DIR "/models/undertone-minilm-l6"

static void scoring_allocates_nothing_once_warm(void **state)
{
    (void)state;
    static const char *const lines[] = {"okay", "thank you so much",
                                        "this is the third time I call",
                                        "I want to speak to a manager, na\xC3\xAFve or not!"};
    enum { COUNT = sizeof lines / sizeof lines[0], ROUNDS = 50 };
    struct scorer_text texts[COUNT];
    struct scorer_result results[COUNT];
    struct scorer *scorer;
    struct scorer_scratch *scratch;
    struct error err = {0};
    if (!CAN_COUNT_ALLOCATIONS) {
        print_message("not checked: the allocator is a sanitizer's, or not glibc's\n");
        skip();
    }
    for (size_t i = 0; i < COUNT; i++) {
        texts[i] = (struct scorer_text){lines[i], strlen(lines[i])};
    }
    size_t before = allocations_so_far();
    const struct scorer_options options = {.precision = SCORER_PRECISION_INT8};
    assert_int_equal(scorer_open(&scorer, DEFAULT, &options, &err), 0);
    assert_int_equal(scorer_scratch_create(scorer, 512, &scratch, &err), 0);
    assert_true(allocations_so_far() > before); /* it does count */
    assert_int_equal(scorer_run(scorer, scratch, texts, COUNT, SCORER_LONG_CHUNK, results, &err),
                     0);
    before = allocations_so_far();
    for (size_t i = 0; i < ROUNDS; i++) {
        (void)scorer_run(scorer, scratch, texts, COUNT, SCORER_LONG_CHUNK, results, &err);
    }
    assert_int_equal(allocations_so_far(), before);
    scorer_scratch_destroy(scratch);
    scorer_close(scorer);
}

int main(void)
{
    assert_int_equal(keyhash_library_init(), 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(scoring_allocates_nothing_once_warm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
