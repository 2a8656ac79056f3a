/* From one configuration to the next: what changes, what cannot, what stays where it is. */
#include "base/keyhash.h"
#include "config/config_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void load(struct config *config, const char *const *overrides)
{
    struct error err;
    const struct config_sources sources = {.overrides = overrides};
    if (config_load(config, &sources, &err)) {
        fail_msg("%s", err.message);
    }
}

struct pair {
    struct config running;
    struct config next;
    struct config_changes changes;
};

static int compare(struct pair *pair, const char *const *before, const char *const *after,
                   struct error *err)
{
    load(&pair->running, before);
    load(&pair->next, after);
    config_changes_init(&pair->changes);
    return config_reload_compare(&pair->next, &pair->running, &pair->changes, err);
}

static void done(struct pair *pair)
{
    config_free(&pair->running);
    config_free(&pair->next);
    config_changes_done(&pair->changes);
}

static void nothing_changes_by_itself(void **state)
{
    (void)state;
    struct pair pair;
    struct error err;
    const char *const same[] = {"interactions=a,b", "alert.threshold=0.3", NULL};
    assert_int_equal(compare(&pair, same, same, &err), 0);
    assert_string_equal(buf_string(&pair.changes.applied), "");
    assert_string_equal(buf_string(&pair.changes.deferred), "");
    assert_false(pair.changes.connection);
    done(&pair);
}

static void what_the_connection_is_not_made_of_leaves_it_and_its_texts_alone(void **state)
{
    (void)state;
    struct pair pair;
    struct error err;
    const char *const before[] = {"interactions=a", NULL};
    const char *const after[] = {"interactions=a,b", "alert.threshold=0.3", "poll.idle=3s",
                                 "rate.interaction_rps=2", NULL};
    assert_int_equal(compare(&pair, before, after, &err), 0);
    assert_string_equal(buf_string(&pair.changes.applied),
                        "poll.idle, alert.threshold, rate.interaction_rps, interactions");
    assert_false(pair.changes.connection);
    const char *borrowed = pair.running.ep_transcripts;
    const char *alias = pair.running.map_direction_customer.items[0];
    config_reload_take_over(&pair.running, &pair.next, &pair.changes);
    assert_ptr_equal(pair.running.ep_transcripts, borrowed);
    assert_ptr_equal(pair.running.map_direction_customer.items[0], alias);
    assert_int_equal(pair.running.interactions.count, 2);
    assert_int_equal(pair.running.poll_idle_ms, 3000);
    assert_true(pair.running.alert_threshold == 0.3);
    done(&pair);
}

static void what_the_connection_is_made_of_has_it_made_anew(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "timeouts.poll=6s",          "rate.client_rps=20", "auth.client_id=other",
        "map.direction_agent=agent", "env=eu-1",           "tls.ca_file=/ca.pem"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct pair pair;
        struct error err;
        const char *const before[] = {NULL};
        const char *const after[] = {changes[i], NULL};
        assert_int_equal(compare(&pair, before, after, &err), 0);
        assert_true(pair.changes.connection);
        done(&pair);
    }
}

static void what_needs_a_restart_is_named_and_keeps_its_value(void **state)
{
    (void)state;
    struct pair pair;
    struct error err;
    const char *const before[] = {"model.fallback=a,lexicon", "store.path=/a.db", NULL};
    const char *const after[] = {"model.fallback=lexicon", "store.path=/b.db", "model.threads=3",
                                 "trend.delta=0.06", NULL};
    assert_int_equal(compare(&pair, before, after, &err), 0);
    assert_string_equal(buf_string(&pair.changes.applied), "trend.delta");
    assert_string_equal(buf_string(&pair.changes.deferred),
                        "model.threads, model.fallback, store.path");
    config_reload_take_over(&pair.running, &pair.next, &pair.changes);
    assert_string_equal(pair.running.store_path, "/a.db");
    assert_int_equal(pair.running.model_fallback.count, 2);
    assert_int_equal(pair.running.model_threads, 0);
    assert_true(pair.running.trend_delta == 0.06);
    done(&pair);
}

/* The API's token needs a listener, and that one cannot be opened while running. */
static void the_mixture_must_keep_the_rules_too(void **state)
{
    (void)state;
    struct pair pair;
    struct error err;
    const char *const before[] = {"http.listen=", NULL};
    const char *const after[] = {"http.listen=127.0.0.1:8090", NULL};
    load(&pair.running, before);
    config_changes_init(&pair.changes);
    const char *const environment[] = {"UNDERTONE_API_TOKEN=0123456789abcdef", NULL};
    const struct config_sources sources = {.overrides = after, .environment = environment};
    assert_int_equal(config_load(&pair.next, &sources, &err), 0);
    assert_int_equal(config_reload_compare(&pair.next, &pair.running, &pair.changes, &err),
                     ERROR_CONFIG);
    assert_non_null(strstr(err.message, "UNDERTONE_API_TOKEN"));
    assert_null(strstr(err.message, "0123456789abcdef"));
    assert_string_equal(pair.running.http_listen, "");
    done(&pair);
}

int main(void)
{
    if (keyhash_library_init()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_by_itself),
        cmocka_unit_test(what_the_connection_is_not_made_of_leaves_it_and_its_texts_alone),
        cmocka_unit_test(what_the_connection_is_made_of_has_it_made_anew),
        cmocka_unit_test(what_needs_a_restart_is_named_and_keeps_its_value),
        cmocka_unit_test(the_mixture_must_keep_the_rules_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
