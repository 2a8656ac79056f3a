/* What the service manager is told, over a socket that plays it; and when there is no sign of life.
 */
#include "app/notify.h"
#include "app/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/undertone-notify-XXXXXX";

/* A manager listening under this name, which begins with @ in the abstract space. */
static int listen_as(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);
    assert_true(size < sizeof address.sun_path);
    memcpy(address.sun_path, name, size);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
                     0);
    return fd;
}

static void check_told(const char *name)
{
    struct notify notify;
    struct error err;
    char heard[64] = {0};
    int manager = listen_as(name);
    assert_int_equal(notify_open(&notify, name, &err), 0);
    notify_send(&notify, "READY=1\nSTATUS=well");
    assert_int_equal(recv(manager, heard, sizeof heard - 1, 0), 19);
    assert_string_equal(heard, "READY=1\nSTATUS=well");
    (void)close(manager);
    notify_send(&notify, "WATCHDOG=1"); /* nobody listens any more: no signal, no wait */
    notify_close(&notify);
}

static void the_manager_is_told_by_path_and_by_abstract_name(void **state)
{
    (void)state;
    char path[64];
    char name[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    (void)snprintf(name, sizeof name, "@undertone-test-%d", (int)getpid());
    check_told(path);
    check_told(name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void without_a_manager_nothing_is_told(void **state)
{
    (void)state;
    struct notify notify;
    assert_int_equal(notify_open(&notify, NULL, NULL), 0);
    notify_send(&notify, "READY=1");
    notify_close(&notify);
    assert_int_equal(notify_open(&notify, "", NULL), 0);
    assert_int_equal(notify.fd, -1);
}

static void a_manager_that_cannot_be_reached_is_an_error(void **state)
{
    (void)state;
    struct notify notify;
    char name[200];
    memset(name, 'a', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    assert_int_equal(notify_open(&notify, name, NULL), ERROR_CONFIG);
    assert_int_equal(notify_open(&notify, "relative", NULL), ERROR_CONFIG);
    assert_int_equal(notify_open(&notify, "/nonexistent/notify", NULL), ERROR_IO);
    assert_int_equal(notify.fd, -1);
}

static void the_interval_is_for_the_process_it_names(void **state)
{
    (void)state;
    assert_int_equal(notify_watchdog_ms("60000000", NULL, 7), 60000);
    assert_int_equal(notify_watchdog_ms("60000000", "7", 7), 60000);
    assert_int_equal(notify_watchdog_ms("60000000", "8", 7), 0);
    assert_int_equal(notify_watchdog_ms("60000000", "7x", 7), 0);
    assert_int_equal(notify_watchdog_ms(NULL, "7", 7), 0);
    assert_int_equal(notify_watchdog_ms("", NULL, 7), 0);
    assert_int_equal(notify_watchdog_ms("-1", NULL, 7), 0);
    assert_int_equal(notify_watchdog_ms("99999999999999999999", NULL, 7), 0);
}

static void progress_is_answers_or_nothing_to_answer(void **state)
{
    (void)state;
    static const struct {
        struct watchdog_look before;
        struct watchdog_look now;
        enum watchdog_verdict verdict;
    } cases[] = {
        {{0, 5, 0}, {0, 5, 0}, WATCHDOG_ALIVE}, /* nobody speaks */
        {{3, 5, 0}, {9, 6, 0}, WATCHDOG_ALIVE}, /* slow */
        {{0, 5, 0}, {9, 5, 0}, WATCHDOG_ALIVE}, /* they have just come */
        {{3, 5, 0}, {0, 5, 0}, WATCHDOG_ALIVE}, /* given up with their call */
        {{3, 5, 0}, {3, 5, 0}, WATCHDOG_SCORER_STUCK},
        {{3, 5, 0}, {9, 5, 0}, WATCHDOG_SCORER_STUCK},
        {{0, 5, 0}, {0, 5, 30000}, WATCHDOG_ALIVE},
        {{0, 5, 0}, {0, 5, 30001}, WATCHDOG_PIPELINE_STUCK},
        {{0, 5, 0}, {0, 5, -1000}, WATCHDOG_ALIVE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(watchdog_judge(&cases[i].before, &cases[i].now), cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manager_is_told_by_path_and_by_abstract_name),
        cmocka_unit_test(without_a_manager_nothing_is_told),
        cmocka_unit_test(a_manager_that_cannot_be_reached_is_an_error),
        cmocka_unit_test(the_interval_is_for_the_process_it_names),
        cmocka_unit_test(progress_is_answers_or_nothing_to_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
