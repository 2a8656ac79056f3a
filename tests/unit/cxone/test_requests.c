/* test_requests.c - whose turn it is: requests_order against what waits. */
#include "cxone/requests.h"

#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct request *wait_at(struct requests *requests, enum cxone_operation operation,
                               uint64_t interaction, int64_t ms)
{
    struct request *request = requests_new(operation, NULL, NULL);
    assert_non_null(request);
    request->interaction = interaction;
    request->asked = (struct mono){ms * 1000};
    requests_append(&requests->waiting[operation], request);
    return request;
}

/* Sends whatever is next: the first operation in order that has something waiting. */
static enum cxone_operation send_next(struct requests *requests)
{
    enum cxone_operation order[REQUESTS_OPERATIONS];
    requests_order(requests, order);
    for (size_t i = 0; i < REQUESTS_OPERATIONS; i++) {
        struct request *first = requests->waiting[order[i]].first;
        if (first) {
            requests_unlink(&requests->waiting[order[i]], first);
            requests_free(first);
            requests_advance(requests, order[i]);
            return order[i];
        }
    }
    return CXONE_OPERATIONS;
}

static void forget_all(struct requests *requests)
{
    while (send_next(requests) != CXONE_OPERATIONS) {
    }
}

static void a_write_goes_before_older_polls_of_other_calls(void **state)
{
    (void)state;
    struct requests requests = {0};
    wait_at(&requests, CXONE_TRANSCRIPTS, 1, 0);
    wait_at(&requests, CXONE_TRANSCRIPTS, 2, 10);
    wait_at(&requests, CXONE_ATTRIBUTES, 3, 20);
    assert_int_equal(send_next(&requests), CXONE_ATTRIBUTES);
    assert_int_equal(send_next(&requests), CXONE_TRANSCRIPTS);
    forget_all(&requests);
}

static void a_write_does_not_overtake_a_poll_of_its_own_call(void **state)
{
    (void)state;
    struct requests requests = {0};
    wait_at(&requests, CXONE_TRANSCRIPTS, 1, 0);
    wait_at(&requests, CXONE_TRANSCRIPTS, 3, 10);
    wait_at(&requests, CXONE_ATTRIBUTES, 3, 20);
    wait_at(&requests, CXONE_TRANSCRIPTS, 3, 30); /* asked later: of no concern */
    assert_int_equal(send_next(&requests), CXONE_TRANSCRIPTS);
    assert_int_equal(send_next(&requests), CXONE_TRANSCRIPTS);
    requests.turn = 0;
    assert_int_equal(send_next(&requests), CXONE_ATTRIBUTES);
    forget_all(&requests);
}

static void no_flood_of_writes_keeps_polls_or_the_list_out(void **state)
{
    (void)state;
    struct requests requests = {0};
    unsigned sent[CXONE_OPERATIONS] = {0};
    for (uint64_t i = 0; i < 100; i++) {
        wait_at(&requests, CXONE_TRANSCRIPTS, i, 0);
        wait_at(&requests, CXONE_ATTRIBUTES, 1000 + i, 0);
        wait_at(&requests, CXONE_DISCOVERY, 0, 0);
    }
    for (int i = 0; i < 96; i++) {
        sent[send_next(&requests)]++;
    }
    assert_int_equal(sent[CXONE_DISCOVERY], 6);
    assert_int_equal(sent[CXONE_TRANSCRIPTS], 30); /* a third, less what discovery took of it */
    assert_int_equal(sent[CXONE_ATTRIBUTES], 60);
    wait_at(&requests, CXONE_SUGGESTIONS, 5, 1000);
    assert_int_equal(send_next(&requests), CXONE_SUGGESTIONS);
    forget_all(&requests);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_goes_before_older_polls_of_other_calls),
        cmocka_unit_test(a_write_does_not_overtake_a_poll_of_its_own_call),
        cmocka_unit_test(no_flood_of_writes_keeps_polls_or_the_list_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
