/* A script file: what it means, and what is said about mistakes in it. */
#include "sim/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char path[64];

static int load(struct script *script, const char *text, struct error *err)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return script_load(script, path, err);
}

static void an_action_is_read_with_its_fields(void **unused)
{
    (void)unused;
    struct script script;
    assert_int_equal(
        load(&script,
             "# what goes wrong\n"
             "- {at: 40s, for: 1.5s, every: 2m, do: status, status: 503, share: 0.25,\n"
             "   endpoint: [transcripts, active], retry_after: date}\n"
             "- do: slow\n"
             "  ms: [100, 3000]\n"
             "- {do: quota, client: 10}\n"
             "- {do: drop, when: mix, endpoint: token}\n",
             NULL),
        0);
    assert_int_equal(script.count, 4);
    const struct script_action *a = script.actions;
    assert_int_equal(a[0].verb, SCRIPT_STATUS);
    assert_int_equal(a[0].line, 2);
    assert_int_equal(a[0].at_ms, 40000);
    assert_int_equal(a[0].for_ms, 1500);
    assert_int_equal(a[0].every_ms, 120000);
    assert_int_equal(a[0].status, 503);
    assert_true(a[0].share > 0.2499 && a[0].share < 0.2501);
    assert_int_equal(a[0].endpoints, SCRIPT_ENDPOINT_TRANSCRIPTS | SCRIPT_ENDPOINT_ACTIVE);
    assert_int_equal(a[0].retry_after, SCRIPT_RETRY_DATE);
    assert_int_equal(a[1].slow_ms[0], 100);
    assert_int_equal(a[1].slow_ms[1], 3000);
    assert_int_equal(a[1].endpoints, SCRIPT_ENDPOINTS_ALL);
    assert_true(a[1].share > 0.9999);
    assert_true(a[2].client_rps > 9.99 && a[2].call_rps < 0);
    assert_int_equal(a[3].when, SCRIPT_WHEN_MIX);
    assert_int_equal(a[3].endpoints, SCRIPT_ENDPOINT_TOKEN);
    script_done(&script);
}

static void shares_reach_transcripts_and_calls(void **unused)
{
    (void)unused;
    struct script script;
    struct timeline_disorder disorder = {.late = 0.5, .revised = 0.125, .partials = true};
    struct lifecycle_odds odds = {0};
    double odd_ids = 0;
    assert_int_equal(load(&script,
                          "- {do: late, share: 0.25}\n"
                          "- {do: future, share: 0.5, ahead: 90s}\n"
                          "- {do: mask, share: 1, length: 12s}\n"
                          "- {do: reappear, share: 1}\n"
                          "- {do: transfer, share: 0.75}\n"
                          "- {do: odd_ids, share: 1}\n",
                          NULL),
                     0);
    script_apply(&script, &disorder, &odds, &odd_ids);
    assert_true(disorder.late > 0.24 && disorder.late < 0.26);
    assert_true(disorder.revised > 0.12 && disorder.partials);
    assert_int_equal(disorder.future_ms, 90000);
    assert_true(odds.share[LIFECYCLE_MASKED] > 0.99 && odds.share[LIFECYCLE_HELD] < 0.01);
    assert_int_equal(odds.length_ms[LIFECYCLE_MASKED], 12000);
    assert_int_equal(odds.length_ms[LIFECYCLE_ENDED], 20000); /* the default */
    assert_true(odds.transfer > 0.74 && odd_ids > 0.99);
    script_done(&script);
}

static void mistakes_are_told_with_their_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        const char *place;
        const char *says;
    } cases[] = {
        {"- {do: lat, share: 0.1}\n", ":1:8: ", "did you mean \"late\"?"},
        {"- do: late\n  shar: 0.1\n", ":2:3: ", "did you mean \"share\"?"},
        {"- {do: deny, endpoint: atributes}\n", ":1:24: ", "did you mean \"attributes\"?"},
        {"- {do: deny, endpoint: [token, atributes]}\n", ":1:24: ", "did you mean"},
        {"- {do: status, status: 429, retry_after: dat}\n", ":1:42: ", "did you mean \"date\"?"},
        {"- {do: late, share: 1.5}\n", ":1:21: ", "from 0 to 1"},
        {"- {do: late, share: -1}\n", ":1:21: ", "from 0 to 1"},
        {"- {do: late, share: 1e-1}\n", ":1:21: ", "from 0 to 1"},
        {"- {do: late, share: [0.1, 0.2]}\n", ":1:21: ", "from 0 to 1"},
        {"- {do: late}\n", ":1:3: ", "needs the field \"share\""},
        {"- {share: 0.1}\n", ":1:3: ", "needs \"do: ACTION\""},
        {"- {do: late, share: 0.1, status: 400}\n", ":1:26: ", "does not take the field"},
        {"- {do: late, share: 0.1, at: 3s}\n", ":1:26: ", "does not take the field"},
        {"- {do: late, share: 0.1, share: 0.2}\n", ":1:26: ", "given before"},
        {"- {do: revoke_tokens, at: 20}\n", ":1:27: ", "such as 20s"},
        {"- {do: revoke_tokens, at: 25h}\n", ":1:27: ", "such as 20s"},
        {"- {do: hold, share: 1, length: 0s}\n", ":1:32: ", "above 0"},
        {"- {do: revoke_tokens}\n", ":1:3: ", "needs the field \"at\""},
        {"- {do: status, status: 200}\n", ":1:24: ", "from 400 to 599"},
        {"- {do: slow, ms: [100]}\n", ":1:18: ", "least and most"},
        {"- {do: slow, ms: [200, 100]}\n", ":1:18: ", "smaller"},
        {"- {do: slow, ms: [1, 5000]}\n", ":1:3: ", "4000 ms"},
        {"- {do: quota}\n", ":1:3: ", "needs \"client\" or \"call\""},
        {"- {do: drop, for: 3s, every: 2s}\n", ":1:3: ", "longer than"},
        {"do: late\n", ":1:1: ", "a script is a list"},
        {"- late\n", ":1:3: ", "must be a mapping"},
        {"- {do: {a: b}}\n", ":1:8: ", "a word or a number"},
        {"- {do: &x late, share: 1}\n", ":1:8: ", "anchors"},
        {"- {do: [}\n", ":1:9: ", ""},
        {"- {do: late, share: 1}\n---\n- {do: late, share: 1}\n", ":2:1: ", "more than one"},
        {"- {do: 0123456789012345678901234567890123456789}\n", ":1:8: ", "too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script script;
        struct error err = {0};
        assert_int_equal(load(&script, cases[i].text, &err), ERROR_CONFIG);
        size_t name = strlen(path);
        if (strncmp(err.message, path, name) != 0 ||
            strncmp(err.message + name, cases[i].place, strlen(cases[i].place)) != 0 ||
            strstr(err.message, cases[i].says) == NULL) {
            fail_msg("%s gives: %s", cases[i].text, err.message);
        }
        assert_null(script.actions);
    }
}

static void an_empty_or_absent_file(void **unused)
{
    (void)unused;
    struct script script;
    struct error err = {0};
    assert_int_equal(load(&script, "# nothing\n", NULL), 0);
    assert_int_equal(script.count, 0);
    script_done(&script);
    assert_int_equal(script_load(&script, "/nowhere/script.yaml", &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "/nowhere/script.yaml"));
}

static void the_ready_made_scripts_are_right(void **unused)
{
    (void)unused;
    static const char *const names[] = {"everything", "quota", "auth", "lifecycle"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[512];
        struct script script;
        struct error err = {0};
        snprintf(file, sizeof file, UNDERTONE_SOURCE_DIR "/sim/scripts/%s.yaml", names[i]);
        if (script_load(&script, file, &err) != 0) {
            fail_msg("%s", err.message);
        }
        assert_true(script.count > 3);
        script_done(&script);
    }
}

static void actions_begin_last_and_return(void **unused)
{
    (void)unused;
    struct script_action once = {.at_ms = 1000, .for_ms = 500};
    assert_false(script_is_on(&once, 999));
    assert_true(script_is_on(&once, 1000));
    assert_true(script_is_on(&once, 1499));
    assert_false(script_is_on(&once, 1500));
    assert_int_equal(script_beginnings(&once, 999), 0);
    assert_int_equal(script_beginnings(&once, 90000), 1);
    struct script_action forever = {.at_ms = 1000};
    assert_true(script_is_on(&forever, 1000000));
    struct script_action again = {.at_ms = 1000, .for_ms = 500, .every_ms = 2000};
    assert_true(script_is_on(&again, 3000));
    assert_false(script_is_on(&again, 3500));
    assert_int_equal(script_beginnings(&again, 1000), 1);
    assert_int_equal(script_beginnings(&again, 2999), 1);
    assert_int_equal(script_beginnings(&again, 5000), 3);
}

static int set_up(void **unused)
{
    (void)unused;
    snprintf(path, sizeof path, "/tmp/undertone-test-script-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **unused)
{
    (void)unused;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_action_is_read_with_its_fields),
        cmocka_unit_test(shares_reach_transcripts_and_calls),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(an_empty_or_absent_file),
        cmocka_unit_test(the_ready_made_scripts_are_right),
        cmocka_unit_test(actions_begin_last_and_return),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
