/* The file that keeps the switch of writes. */
#include "app/switch_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/undertone-switch-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    bool made = mkdtemp(folder) != NULL;
    (void)snprintf(path, sizeof path, "%s/db.writes", folder);
    return made ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const struct switch_state written = {i & 1, i & 2};
        struct switch_state read;
        struct stat status;
        assert_int_equal(switch_file_write(path, &written, NULL), 0);
        assert_int_equal(switch_file_read(path, &read, NULL), 0);
        assert_int_equal(read.attributes, written.attributes);
        assert_int_equal(read.suggestions, written.suggestions);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static void without_a_file_all_is_on(void **state)
{
    (void)state;
    struct switch_state read = {false, false};
    (void)unlink(path);
    assert_int_equal(switch_file_read(path, &read, NULL), 0);
    assert_true(read.attributes && read.suggestions);
}

static void what_is_not_understood_is_off(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{}",
                                      "{\"attributes\":\"on\"}",
                                      "{\"attributes\":\"on\",\"suggestions\":true}",
                                      "{\"attributes\":\"on\",\"suggestions\":\"maybe\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct switch_state read = {true, true};
        struct error err = {0};
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fputs(bad[i], file);
        assert_int_equal(fclose(file), 0);
        assert_int_not_equal(switch_file_read(path, &read, &err), 0);
        assert_false(read.attributes || read.suggestions);
        assert_non_null(strstr(err.message, path));
    }
}

static void what_cannot_be_written_leaves_what_was(void **state)
{
    (void)state;
    const struct switch_state off = {false, false};
    const struct switch_state on = {true, true};
    struct switch_state read;
    char beside[80];
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    assert_int_equal(switch_file_write(path, &off, NULL), 0);
    assert_int_equal(mkdir(beside, 0700), 0);
    assert_int_equal(switch_file_write(path, &on, NULL), ERROR_IO);
    assert_int_equal(rmdir(beside), 0);
    assert_int_equal(switch_file_read(path, &read, NULL), 0);
    assert_false(read.attributes || read.suggestions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(without_a_file_all_is_on),
        cmocka_unit_test(what_is_not_understood_is_off),
        cmocka_unit_test(what_cannot_be_written_leaves_what_was),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
