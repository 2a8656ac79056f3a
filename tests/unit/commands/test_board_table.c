/* The wallboard's items as a table for a terminal. */
#include "commands/board_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char board_text[] =
    "{\"status\":{\"now_ms\":100000,\"calls_live\":4,\"alerts_open\":1,\"scored_recent\":8,"
    "\"scored_prompt\":6,\"troubles\":[{\"level\":\"warn\",\"text\":\"Nothing is written.\"}]},"
    "\"items\":["
    "{\"kind\":\"gone\",\"id\":\"gone\"},"
    "{\"kind\":\"call\",\"id\":\"silent\",\"live\":true,\"state\":\"held\",\"alert\":0,"
    "\"has_reading\":false,\"utterances\":0},"
    "{\"kind\":\"call\",\"id\":\"happy\",\"live\":true,\"state\":\"active\",\"alert\":0,"
    "\"has_reading\":true,\"score\":0.9,\"trend\":\"improving\",\"utterances\":5,\"as_of_ms\":"
    "97000},"
    "{\"kind\":\"call\",\"id\":\"sad\",\"live\":true,\"state\":\"active\",\"alert\":0,"
    "\"has_reading\":true,\"score\":0.3,\"trend\":\"stable\",\"utterances\":7,\"as_of_ms\":90000},"
    "{\"kind\":\"call\",\"id\":\"up\\u001b[31mset\",\"live\":true,\"state\":\"active\",\"alert\":"
    "12,"
    "\"has_reading\":true,\"score\":0.45,\"trend\":\"declining\",\"utterances\":9,\"samples\":3,"
    "\"samples_before\":2,"
    "\"as_of_ms\":99000},"
    "{\"kind\":\"call\",\"id\":\"over\",\"live\":false,\"state\":\"active\",\"alert\":0,"
    "\"has_reading\":true,\"score\":0.1,\"trend\":\"stable\",\"utterances\":7,\"as_of_ms\":90000},"
    "{\"kind\":\"alert\",\"number\":11,\"id\":\"over\",\"path\":\"declining\",\"tier\":\"agent\","
    "\"confidence\":0.97,\"opened_ms\":20000,\"closed_ms\":50000,\"recovered\":true,"
    "\"suggestion\":\"accepted\",\"rule\":\"\"},"
    "{\"kind\":\"alert\",\"number\":12,\"id\":\"up\",\"path\":\"sustained_low\",\"tier\":"
    "\"supervisor\",\"confidence\":0,\"opened_ms\":10000,\"closed_ms\":0,\"recovered\":false,"
    "\"suggestion\":\"waiting\",\"rule\":\"\"}]}";

struct printed {
    struct json_document *document;
    char *text;
    size_t size;
    FILE *out;
};

static int begin(void **state)
{
    static struct printed printed;
    struct error err;
    if (json_parse(board_text, strlen(board_text), &printed.document, &err) != 0) {
        return -1;
    }
    printed.out = open_memstream(&printed.text, &printed.size);
    *state = &printed;
    return printed.out ? 0 : -1;
}

static int end(void **state)
{
    struct printed *printed = *state;
    (void)fclose(printed->out);
    free(printed->text);
    json_free(printed->document);
    return 0;
}

/* Where a text begins; it must be there. */
static size_t at(struct printed *printed, const char *text)
{
    (void)fflush(printed->out);
    const char *found = strstr(printed->text, text);
    if (!found) {
        fail_msg("no '%s' in:\n%s", text, printed->text);
    }
    return (size_t)(found - printed->text);
}

static bool has(struct printed *printed, const char *text)
{
    (void)fflush(printed->out);
    return strstr(printed->text, text) != NULL;
}

static void calls_that_need_somebody_come_first(void **state)
{
    struct printed *printed = *state;
    const struct board_table_options options = {0};
    assert_true(board_table_print_calls(printed->out, json_root(printed->document), &options));
    assert_true(at(printed, "CALL") < at(printed, "up"));
    assert_true(at(printed, "up") < at(printed, "sad"));
    assert_true(at(printed, "sad") < at(printed, "happy"));
    assert_true(at(printed, "happy") < at(printed, "silent"));
    assert_false(has(printed, "over"));
    assert_false(has(printed, "gone"));
    (void)at(printed, "0.30  too early");
    (void)at(printed, "0.45  falling             9         1 s  stays low, 90 s");
}

static void no_terminal_codes_come_out_of_a_name(void **state)
{
    struct printed *printed = *state;
    const struct board_table_options options = {0};
    assert_true(board_table_print_calls(printed->out, json_root(printed->document), &options));
    assert_false(has(printed, "\x1b"));
    (void)at(printed, "up?[31mset");
}

static void colour_is_for_open_alerts(void **state)
{
    struct printed *printed = *state;
    const struct board_table_options options = {.colour = true};
    assert_true(board_table_print_calls(printed->out, json_root(printed->document), &options));
    (void)at(printed, "\x1b[31mup?[31mset");
    assert_false(has(printed, "\x1b[31msad"));
}

static void rows_that_do_not_fit_are_counted(void **state)
{
    struct printed *printed = *state;
    const struct board_table_options options = {.rows_max = 1};
    assert_true(board_table_print_calls(printed->out, json_root(printed->document), &options));
    (void)at(printed, "... and 3 more");
    assert_false(has(printed, "happy"));
}

static void open_alerts_come_before_closed_ones(void **state)
{
    struct printed *printed = *state;
    const struct board_table_options options = {0};
    assert_true(board_table_print_alerts(printed->out, json_root(printed->document), &options));
    assert_true(at(printed, "stays low") < at(printed, "falling"));
    (void)at(printed, "open       waiting");
    (void)at(printed, "0.97        80 s        30 s  recovered  accepted");
}

static void troubles_are_told(void **state)
{
    struct printed *printed = *state;
    board_table_print_status(printed->out, json_root(printed->document));
    (void)at(printed, "4 live calls, 1 open alerts, 75 % scored within 3 s\n"
                      "warn: Nothing is written.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_that_need_somebody_come_first, begin, end),
        cmocka_unit_test_setup_teardown(no_terminal_codes_come_out_of_a_name, begin, end),
        cmocka_unit_test_setup_teardown(colour_is_for_open_alerts, begin, end),
        cmocka_unit_test_setup_teardown(rows_that_do_not_fit_are_counted, begin, end),
        cmocka_unit_test_setup_teardown(open_alerts_come_before_closed_ones, begin, end),
        cmocka_unit_test_setup_teardown(troubles_are_told, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
