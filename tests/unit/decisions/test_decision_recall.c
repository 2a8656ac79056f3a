/* Which alerts a log of decisions already tells of. */
#include "decisions/decision_recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/undertone-recall-XXXXXX";

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void full_name(char out[64])
{
    (void)snprintf(out, 64, "%s.000000000004", path);
}

static void set_up(struct decision_recall *recall)
{
    struct error err;
    char full[64];
    full_name(full);
    write_file(full, "{\"kind\":\"alert\",\"call\":\"old\",\"alert\":1}\n"
                     "{\"kind\":\"suggestion\",\"call\":\"old\",\"alert\":1,\"state\":\"sent\"}\n"
                     "{\"kind\":\"alert\",\"call\":\"new\",\"alert\":1}\n"
                     "{\"kind\":\"alert\",\"call\":\"other\",\"alert\":9}\n");
    write_file(path, "{\"kind\":\"alert\",\"call\":\"new\",\"alert\":2}\n"
                     "{\"kind\":\"raised\",\"call\":\"new\",\"alert\":3}\n"
                     "{\"kind\":\"alert\",\"call\":\"new\",\"alert\":\"3\"}\n"
                     "no line of ours with \"kind\":\"alert\"\n"
                     "{\"kind\":\"alert\",\"call\":\"old\",\"al");
    decision_recall_init(recall, 8);
    assert_true(decision_recall_want(recall, "old", 1));
    assert_true(decision_recall_want(recall, "new", 3));
    assert_true(decision_recall_want(recall, "never", 1));
    assert_int_equal(decision_recall_read(recall, path, &err), 0);
}

static void the_newest_alert_of_each_call_is_found_in_all_files(void **state)
{
    (void)state;
    struct decision_recall recall;
    set_up(&recall);
    assert_int_equal(decision_recall_find(&recall, "old")->alert, 1);
    assert_int_equal(decision_recall_find(&recall, "old")->suggestion, 1);
    assert_int_equal(decision_recall_find(&recall, "new")->alert, 2); /* the third is missing */
    assert_int_equal(decision_recall_find(&recall, "new")->suggestion, 0);
    assert_int_equal(decision_recall_find(&recall, "never")->alert, 0);
    assert_null(decision_recall_find(&recall, "other"));
    assert_int_equal(recall.missing, 2);
    decision_recall_done(&recall);
}

static void older_files_are_left_alone_once_all_is_found(void **state)
{
    (void)state;
    struct decision_recall recall;
    struct error err;
    char full[64];
    set_up(&recall);
    decision_recall_done(&recall);
    full_name(full);
    decision_recall_init(&recall, 8);
    assert_true(decision_recall_want(&recall, "new", 2));
    assert_int_equal(unlink(full) || mkdir(full, 0700), 0); /* read, it fails */
    assert_int_equal(decision_recall_read(&recall, path, &err), 0);
    assert_int_equal(recall.missing, 0);
    assert_int_equal(decision_recall_find(&recall, "new")->alert, 2);
    assert_int_equal(rmdir(full), 0);
    decision_recall_done(&recall);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    char full[64];
    (void)state;
    full_name(full);
    (void)unlink(full);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_alert_of_each_call_is_found_in_all_files),
        cmocka_unit_test(older_files_are_left_alone_once_all_is_found),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
