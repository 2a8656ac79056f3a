/* What a file of variables may say, what each mistake is called, and what it yields to. */
#include "config/env_file.h"

#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/undertone-env-XXXXXX";

static void write_bytes(const char *bytes, size_t size, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void write_text(const char *text, mode_t mode)
{
    write_bytes(text, strlen(text), mode);
}

static void assert_value(const char *text, const char *name, const char *value)
{
    struct env_file env;
    struct error err = {0};
    write_text(text, 0600);
    if (env_file_read(&env, path, &err)) {
        fail_msg("%s", err.message);
    }
    const struct env_variable *found = env_file_find(&env, name);
    if (!value) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found->value, value);
    }
    env_file_done(&env);
}

static void values_are_read_as_written(void **state)
{
    (void)state;
    assert_value("A=b", "A", "b");
    assert_value("A=b\n", "A", "b");
    assert_value("A=b\r\nB=c\r\n", "A", "b");
    assert_value("\xef\xbb\xbf"
                 "A=b",
                 "A", "b");
    assert_value("  \t A \t= b c \t \n", "A", "b c");
    assert_value("export A=b", "A", "b");
    assert_value("export\tA=b", "A", "b");
    assert_value("exported=b", "exported", "b");
    assert_value("export=b", "export", "b");
    assert_value("_a1=b", "_a1", "b");
    assert_value("A=", "A", "");
    assert_value("A=  # nothing", "A", "");
    assert_value("A=b # comment", "A", "b");
    assert_value("A=b#c", "A", "b#c");
    assert_value("A=#c", "A", "");
    assert_value("A=b=c==", "A", "b=c==");
    assert_value("A=$HOME`id`\\n", "A", "$HOME`id`\\n");
    assert_value("A=it's", "A", "it's");
    assert_value("\n\n# A=x\n   # A=y\nA=b", "A", "b");
    assert_value("A=b\nA=c\n", "A", "c");
    assert_value("A=b\nB=c\n", "C", NULL);
    assert_value("", "A", NULL);
}

static void quotes_keep_what_is_in_them(void **state)
{
    (void)state;
    assert_value("A=' b # c '", "A", " b # c ");
    assert_value("A='\\n\"$x' # comment", "A", "\\n\"$x");
    assert_value("A=''", "A", "");
    assert_value("A=\"\"", "A", "");
    assert_value("A=\" b # c \"\t", "A", " b # c ");
    assert_value("A=\"a\\nb\\tc\\rd\\\"e\\\\f\\$g\"", "A", "a\nb\tc\rd\"e\\f$g");
}

static void assert_refused(const char *text, const char *fragment)
{
    struct env_file env;
    struct error err = {0};
    write_text(text, 0600);
    int result = env_file_read(&env, path, &err);
    if (result != ERROR_CONFIG) {
        fail_msg("accepted: %s", text);
    }
    char place[64];
    (void)snprintf(place, sizeof place, "%s:%s", path, fragment);
    if (!strstr(err.message, place)) {
        fail_msg("'%s' does not say '%s'", err.message, place);
    }
    assert_null(strstr(err.message, "hunter2"));
    env_file_done(&env); /* already done: harmless */
}

static void mistakes_name_file_and_line_and_no_value(void **state)
{
    (void)state;
    assert_refused("A=b\nhunter2\n", "2: expected NAME=VALUE");
    assert_refused("\n\n=hunter2", "3: expected NAME=VALUE");
    assert_refused("1A=hunter2", "1: expected NAME=VALUE");
    assert_refused("A-B=hunter2", "1: expected NAME=VALUE");
    assert_refused("A B=hunter2", "1: expected NAME=VALUE");
    assert_refused("export A", "1: expected NAME=VALUE");
    assert_refused("A='hunter2", "1: the single quote");
    assert_refused("A='hunter2\n'", "1: the single quote");
    assert_refused("A=\"hunter2", "1: the double quote");
    assert_refused("A=\"hunter2\\\"", "1: the double quote");
    assert_refused("A='hunter2'x", "1: something follows");
    assert_refused("A=\"hunter2\" x", "1: something follows");
    assert_refused("A=\"hunter2\"#x", "1: something follows");
    assert_refused("\n A=\"hunter2\\x\"", "2: unknown escape");
    assert_refused("A=\"hunter2\\", "1: unknown escape");
}

static void a_file_that_is_none_is_refused(void **state)
{
    (void)state;
    struct env_file env;
    struct error err = {0};
    write_bytes("A=b\0C=d", 7, 0600);
    assert_int_equal(env_file_read(&env, path, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "NUL"));
    assert_int_equal(env_file_read(&env, "/nonexistent/env", &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "/nonexistent/env"));
}

/* --- in a configuration ---------------------------------------------------------------------- */

static int load(struct config *config, const char *const *environment, struct error *err)
{
    const struct config_sources sources = {.env_file = path, .environment = environment};
    return config_load(config, &sources, err);
}

static void the_environment_wins_unless_it_is_empty(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    const char *const environment[] = {"CXONE_ENV=eu-1", "CXONE_CLIENT_ID=", NULL};
    write_text("CXONE_ENV=us-2\nCXONE_CLIENT_ID=ours\nCXONE_INTERACTION_ID=c1\n"
               "UNDERTONE_ALERT_THRESHOLD=0.25\nCXONE_CLIENT_SECRET='s # x'\nPATH=/nowhere\n",
               0600);
    if (load(&config, environment, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(config.env, "eu-1");
    assert_string_equal(config.auth_client_id, "ours");
    assert_string_equal(config.auth_client_secret, "s # x");
    assert_int_equal(config.interactions.count, 1);
    assert_true(config.alert_threshold == 0.25);
    struct buf shown;
    char origin[128];
    buf_init(&shown, 1 << 20);
    assert_int_equal(config_show(&config, true, &shown, &err), 0);
    (void)snprintf(origin, sizeof origin, "# %s:4 UNDERTONE_ALERT_THRESHOLD", path);
    assert_non_null(strstr(buf_string(&shown), origin));
    buf_done(&shown);
    config_free(&config);
}

static void a_bad_value_names_its_line(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    char place[128];
    write_text("# one\nUNDERTONE_POLL_IDLE=soon\n", 0644);
    assert_int_equal(load(&config, NULL, &err), ERROR_CONFIG);
    (void)snprintf(place, sizeof place, "%s:2: UNDERTONE_POLL_IDLE: ", path);
    assert_non_null(strstr(err.message, place));
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0620, 0666};
    struct config config;
    const char *const environment[] = {"CXONE_CLIENT_SECRET=another", NULL};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct error err = {0};
        char place[128];
        write_text("\nCXONE_CLIENT_SECRET=hunter2\n", modes[i]);
        assert_int_equal(load(&config, environment, &err), ERROR_CONFIG);
        (void)snprintf(place, sizeof place, "%s:2: CXONE_CLIENT_SECRET ", path);
        assert_non_null(strstr(err.message, place));
        assert_non_null(strstr(err.message, "chmod 600"));
        assert_null(strstr(err.message, "hunter2"));
        write_text("UNDERTONE_AUTH_CLIENT_SECRET=hunter2\n", modes[i]);
        assert_int_equal(load(&config, NULL, &err), ERROR_CONFIG);
        write_text("CXONE_ENV=us-1\nCXONE_CLIENT_SECRET=\n", modes[i]);
        assert_int_equal(load(&config, NULL, &err), 0); /* no secret in it */
        config_free(&config);
    }
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) {
        return 1;
    }
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_written),
        cmocka_unit_test(quotes_keep_what_is_in_them),
        cmocka_unit_test(mistakes_name_file_and_line_and_no_value),
        cmocka_unit_test(a_file_that_is_none_is_refused),
        cmocka_unit_test(the_environment_wins_unless_it_is_empty),
        cmocka_unit_test(a_bad_value_names_its_line),
        cmocka_unit_test(a_secret_that_others_may_read_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
