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

/* Puts one into the queue and reads the whole of it. */
static void enqueue(struct request_list *list, uint64_t number, bool is_webhook, int64_t asked_ms)
{
    struct request *request = requests_new(CXONE_SUGGESTIONS, NULL, NULL);
    assert_non_null(request);
    request->interaction = number;
    request->is_webhook = is_webhook;
    request->asked = (struct mono){asked_ms * 1000};
    requests_enqueue(list, request);
}

static void check_and_empty(struct request_list *list, const uint64_t *numbers, unsigned count)
{
    assert_int_equal(list->count, count);
    for (unsigned i = 0; i < count; i++) {
        struct request *first = list->first;
        assert_non_null(first);
        assert_int_equal(first->interaction, numbers[i]);
        requests_unlink(list, first);
        requests_free(first);
    }
    assert_null(list->last);
}

static void the_oldest_of_a_kind_goes_first(void **state)
{
    (void)state;
    struct request_list list = {0};
    enqueue(&list, 1, false, 10);
    enqueue(&list, 2, true, 20);
    enqueue(&list, 3, false, 30);
    enqueue(&list, 4, true, 40);
    enqueue(&list, 5, true, 40); /* as old: behind it */
    const uint64_t numbers[] = {2, 4, 5, 1, 3};
    check_and_empty(&list, numbers, 5);
}

static void what_is_put_back_keeps_its_age(void **state)
{
    (void)state;
    struct request_list list = {0};
    enqueue(&list, 7, true, 5);
    enqueue(&list, 1, false, 50);
    enqueue(&list, 2, false, 20); /* refused first, */
    enqueue(&list, 3, false, 30); /* then this, */
    enqueue(&list, 4, false, 10); /* then the oldest */
    const uint64_t numbers[] = {7, 4, 2, 3, 1};
    check_and_empty(&list, numbers, 5);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_of_a_kind_goes_first),
        cmocka_unit_test(what_is_put_back_keeps_its_age),
        cmocka_unit_test(a_write_goes_before_older_polls_of_other_calls),
        cmocka_unit_test(a_write_does_not_overtake_a_poll_of_its_own_call),
        cmocka_unit_test(no_flood_of_writes_keeps_polls_or_the_list_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
