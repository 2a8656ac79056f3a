/* The log of decisions by alert, and the hash of a model's folder. */
#include "commands/decision_table.h"
#include "model/model_hash.h"

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

static void take(struct decision_table *table, const char *text)
{
    struct json_document *document;
    assert_int_equal(json_parse(text, strlen(text), &document, NULL), 0);
    assert_true(decision_table_take(table, json_root(document)));
    json_free(document);
}

static void fill(struct decision_table *table)
{
    take(table, "{\"kind\":\"configuration\",\"sha256\":\"x\"}");
    take(table, "{\"kind\":\"alert\",\"call\":\"aa\",\"alert\":1,\"time\":\"T1\",\"path\":"
                "\"declining\",\"tier\":\"agent\",\"score\":0.2,\"scoreBefore\":0.6,"
                "\"confidence\":0.9}");
    take(table, "{\"kind\":\"alert\",\"call\":\"bb\",\"alert\":1,\"time\":\"T2\",\"path\":\"rule\","
                "\"rule\":\"cancel\",\"tier\":\"supervisor\",\"score\":0.5,\"scoreBefore\":0}");
    take(table, "{\"kind\":\"suggestion\",\"call\":\"aa\",\"alert\":1,\"state\":\"sent\"}");
    take(table, "{\"kind\":\"raised\",\"call\":\"aa\",\"alert\":1,\"tier\":\"supervisor\"}");
    take(table, "{\"kind\":\"feedback\",\"call\":\"aa\",\"alert\":1,\"feedback\":\"accepted\"}");
    take(table, "{\"kind\":\"feedback\",\"call\":\"aa\",\"alert\":1,\"feedback\":\"useful\"}");
    take(table, "{\"kind\":\"recovered\",\"call\":\"aa\",\"alert\":1,\"time\":\"T3\"}");
    take(table, "{\"kind\":\"feedback\",\"call\":\"cc\",\"alert\":9,\"feedback\":\"useful\"}");
}

static void an_alert_is_joined_with_what_became_of_it(void **state)
{
    (void)state;
    struct buf out;
    struct decision_table *table = decision_table_create(NULL);
    buf_init(&out, 4096);
    fill(table);
    decision_table_write(table, true, &out);
    assert_string_equal(
        buf_string(&out),
        "{\"call\":\"aa\",\"alert\":1,\"score\":0.2,\"scoreBefore\":0.6,\"confidence\":0.9,"
        "\"time\":\"T1\",\"path\":\"declining\",\"tier\":\"supervisor\",\"suggestion\":\"sent\","
        "\"recovered\":\"T3\",\"feedback\":\"accepted,useful\"}\n"
        "{\"call\":\"bb\",\"alert\":1,\"score\":0.5,\"scoreBefore\":0,\"confidence\":0,"
        "\"time\":\"T2\",\"path\":\"cancel\",\"tier\":\"supervisor\",\"suggestion\":null,"
        "\"recovered\":null,\"feedback\":null}\n");
    decision_table_destroy(table);
    buf_done(&out);
}

static void one_call_may_be_asked_for(void **state)
{
    (void)state;
    struct buf out;
    struct decision_table *table = decision_table_create("bb");
    buf_init(&out, 4096);
    fill(table);
    decision_table_write(table, false, &out);
    assert_non_null(strstr(buf_string(&out), "cancel"));
    assert_null(strstr(buf_string(&out), "declining"));
    decision_table_destroy(table);
    buf_done(&out);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void clear(const char *folder, const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(remove(path), 0);
}

/* The expected hash is what `sha256sum a.bin config.json | sha256sum` prints. */
static void a_models_hash_is_that_of_its_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/undertone-model-XXXXXX";
    char sub[64];
    char hash[SHA256_TEXT_BYTES];
    assert_non_null(mkdtemp(folder));
    put(folder, "config.json", "{}");
    put(folder, "a.bin", "weights");
    put(folder, ".hidden", "x");
    (void)snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(model_hash_folder(folder, hash, NULL), 0);
    assert_string_equal(hash, "2901251a02e7db218032bf54ec12056755210d2d38da7f2f85bbfb1d497d70e4");
    put(folder, "a.bin", "other");
    assert_int_equal(model_hash_folder(folder, hash, NULL), 0);
    assert_string_not_equal(hash,
                            "2901251a02e7db218032bf54ec12056755210d2d38da7f2f85bbfb1d497d70e4");
    clear(folder, "config.json");
    clear(folder, "a.bin");
    clear(folder, ".hidden");
    clear(folder, "sub");
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(model_hash_folder(folder, hash, NULL), ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_is_joined_with_what_became_of_it),
        cmocka_unit_test(one_call_may_be_asked_for),
        cmocka_unit_test(a_models_hash_is_that_of_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
