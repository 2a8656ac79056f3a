/* What a configuration file, the environment and flags may say, and what each mistake is called.
 *
 * The expected places (line:column) were counted by hand in the texts below. */
#include "base/keyhash.h"
#include "config/config.h"
#include "config/config_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a scratch folder, and loading from text --- */

static char folder[] = "/tmp/undertone-config-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *bytes, size_t size, mode_t mode)
{
    const char *path = path_of(name);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int load(const char *yaml, size_t size, const char *const *environment,
                const char *const *overrides, struct config *config, struct error *err)
{
    static char path[128];
    *err = (struct error){0};
    if (yaml) {
        write_file("u.yaml", yaml, size, 0600);
        (void)snprintf(path, sizeof path, "%s/u.yaml", folder);
    }
    const struct config_sources sources = {
        .file = yaml ? path : NULL, .environment = environment, .overrides = overrides};
    return config_load(config, &sources, err);
}

static int load_yaml(const char *yaml, struct config *config, struct error *err)
{
    return load(yaml, strlen(yaml), NULL, NULL, config, err);
}

static int set_up(void **state)
{
    (void)state;
    return keyhash_library_init() == 0 && mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"u.yaml", "secret", "client_secret", "other.yaml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(path_of(names[i]));
    }
    return rmdir(folder);
}

/* --- mistakes in the file --- */

struct bad {
    const char *yaml;
    const char *place; /* "line:column", or "" for a rule over several keys */
    const char *fragment;
};

static const struct bad bad_files[] = {
    /* keys */
    {"alert.treshold: 0.3\n", "1:1",
     "unknown key 'alert.treshold'; did you mean 'alert.threshold'?"},
    {"alert:\n  cooldown: 10s\n  treshold: 0.3\n", "3:3",
     "unknown key 'alert.treshold'; did you mean 'alert.threshold'?"},
    {"alrt:\n  threshold: 0.3\n", "1:1", "unknown key 'alrt'; did you mean 'alert'?"},
    {"mode: live\nthreshold: 0.3\n", "2:1",
     "unknown key 'threshold'; did you mean 'alert.threshold'?"},
    {"zzzzzzzzzzzz: 1\n", "1:1", "unknown key 'zzzzzzzzzzzz'; see docs"},
    {"Mode: live\n", "1:1", "did you mean 'mode'?"},
    {"alert:\n  threshold:\n    low: 0.3\n", "3:5", "alert.threshold: takes one value"},
    {"mode: live\nmode: shadow\n", "2:1", "'mode' was set before, at"},
    {"alert:\n  threshold: 0.3\nalert.threshold: 0.2\n", "3:1", "was set before, at"},
    {"poll:\n  idle: 2s\npoll:\n  quiet: 6s\n", "3:1", "the group 'poll' appears twice"},
    {"alert: 0.3\n", "1:8", "'alert' is a group"},
    {"alert: [0.3]\n", "1:8", "'alert' is a group"},
    {"? [a, b]\n: 1\n", "1:3", "a key must be a word"},
    {"? {a: b}\n: 1\n", "1:3", "a key must be a word"},
    {"\"\": 1\n", "1:1", "not a key"},
    {"\"a b\": 1\n", "1:1", "not a key"},
    {"<<: {mode: live}\n", "1:1", "not a key"},
    {"a23456789a123456789b123456789c123456789d123456789e123456789f1234: 1\n", "1:1", "not a key"},
    /* values */
    {"alert:\n  threshold: high\n", "2:14", "alert.threshold: 'high' is not a number"},
    {"alert.threshold: 1.5\n", "1:18", "'1.5' is out of range: it must lie between 0 and 1"},
    {"alert.threshold: -0.1\n", "1:18", "out of range"},
    {"alert.threshold: nan\n", "1:18", "is not a number"},
    {"alert.threshold: 0x1p-2\n", "1:18", "is not a number"},
    {"alert.threshold: 0,3\n", "1:18", "is not a number"},
    {"alert.threshold:\n", "1:17", "alert.threshold: no value; leave the key out"},
    {"alert.threshold: ~\n", "1:18", "no value"},
    {"env: null\n", "1:6", "or write \"\" for empty text"},
    {"alert.threshold: [0.3]\n", "1:18", "takes one value, not a list"},
    {"alert.min_samples: 2.5\n", "1:20", "'2.5' is not a whole number"},
    {"alert.min_samples: 99999999999999999999\n", "1:20", "out of range"},
    {"alert.min_samples: 0\n", "1:20", "between 1 and 100"},
    {"poll:\n  active: 1\n", "2:11", "'1' has no unit: write ms, s, min or h, as in 2s"},
    {"poll.active: 1m\n", "1:14", "'1m' is not a duration"},
    {"poll.active: 1.0005s\n", "1:14", "is not a duration"},
    {"poll.active: -1s\n", "1:14", "is not a duration"},
    {"poll.active: 2h\n", "1:14", "it must lie between 100ms and 1h"},
    {"poll.start_from: yesterday\n", "1:18", "is neither 'beginning' nor like 'now-60s'"},
    {"poll.start_from: now-48h\n", "1:18", "at most now-24h"},
    {"http.max_body: 8MB\n", "1:16", "is not a size"},
    {"http.max_body: 10\n", "1:16", "out of range"},
    {"http.allow_plain: yes\n", "1:19", "'yes' is neither true nor false"},
    {"mode: dry\n", "1:7", "mode: 'dry' is not one of: live, shadow"},
    {"profile: real\n", "1:10", "profile: 'real' is not one of: tutorial, tutorial-literal,"},
    {"ep.transcripts: \"\"\n", "1:17", "ep.transcripts: must not be empty"},
    {"auth.client_id: \"a\\nb\"\n", "1:17", "holds a line break or control character"},
    {"interactions: [a, [b]]\n", "1:19", "interactions: each item must be text"},
    {"interactions: [a, ]b\n", "1:20", "not valid YAML"},
    {"interactions:\n  - a\n  - a\n", "3:5", "interactions: item 2 is listed twice"},
    {"interactions: [\"\"]\n", "1:16", "item 1 must be 1 to 128 bytes"},
    {"map.direction_agent: [a, b, c, d, e, f, g, h]\n", "1:44", "more than 7 items"},
    /* YAML */
    {"alert:\n\tthreshold: 0.3\n", "2:1", "a tab in the indentation: use spaces"},
    {"alert:\n  threshold: &x 0.3\n", "2:14", "anchors (&name) are not supported"},
    {"alert: &x\n  threshold: 0.3\n", "1:8", "anchors (&name) are not supported"},
    {"alert.threshold: *x\n", "1:18", "aliases (*name) are not supported"},
    {"alert.threshold: !!float 0.3\n", "1:18", "tags (!name) are not supported"},
    {"mode: live\n---\nmode: shadow\n", "2:1", "more than one document"},
    {"- mode\n- live\n", "1:1", "the file must be a mapping of keys to values"},
    {"just text\n", "1:1", "the file must be a mapping of keys to values"},
    {"mode: live\n env: x\n", "1:7", "mode: 'live env' is not one of"},
    {"poll:\n  idle: 2s\n quiet: 6s\n", "3:2", "not valid YAML"},
    {"mode: \"live\n", "", "not valid YAML"},
    {"interactions: [live\n", "2:1", "not valid YAML"},
    {"{mode: live\n", "2:1", "not valid YAML"},
    {"mode: live\nenv: \xFF\n", "2:6", "not valid UTF-8"},
    {"# \xC3\xA9\xE2\x82\nmode: live\n", "1:4", "not valid UTF-8"},
    {"mode: live\n\x01\n", "2:1", "a control character"},
    {"env: \"a\\0b\"\n", "1:6", "a NUL character in text"},
    /* rules over several keys */
    {"poll.floor: 3s\n", "1:13", "poll.floor (3s, "},
    {"poll:\n  idle: 6s\n", "", "must be at most poll.quiet (5s, default)"},
    {"poll.active: 3s\n", "", "poll.active (3s, "},
    {"poll.overlap: 200s\n", "", "must be at most poll.overlap_max (3min, default)"},
    {"alert.recover: 0.28\n", "", "must be less than alert.recover (0.28, "},
    {"trend.leave: 0.06\n", "", "must be at most trend.delta (0.05, default)"},
    {"window.seconds: 121\n", "", "must be at most window.max_seconds"},
    {"retry.base: 1min\n", "", "must be at most retry.cap"},
    {"timeouts.connect: 4s\n", "", "must be at most timeouts.attributes (3s, default)"},
    {"model.device: cuda\n", "1:15", "this build has no CUDA"},
    {"rate.client_rps: 0.5\n", "", "rate.interaction_rps (1, default)"},
    {"api_base: http://example.com\n", "", "api_base"},
    {"api_base: ftp://example.com\n", "", "api_base"},
    {"env: a b\n", "", "env"},
    {"auth.token_path: oauth\n", "", "token_path"},
    {"ep.attributes: \"{base}/x\"\n", "1:16", "lacks the placeholder {id}"},
    {"ep.attributes: \"/x/{id}\"\n", "1:16", "must begin with {base}"},
    {"ep.suggestions: \"{base}/{call}\"\n", "1:17", "unknown placeholder {call}"},
    {"ep.attributes: \"FETCH {base}/{id}\"\n", "1:16", "must be POST, PUT or PATCH"},
    {"ep.transcripts: \"POST {base}/{id}\"\n", "1:17", "only GET may stand"},
    {"ep.attributes: \"{base}/{id}?{6}\"\n", "1:16", "unknown placeholder {6}"},
    {"ep.signal: \"{base}/{message}\"\n", "1:12", "lacks the placeholder {id}"},
    {"ep.suggestions: \"https://x/{base}\"\n", "1:17", "{base} may only begin"},
    {"assist.delivery: signal\n", "", "ep.signal (default): is needed"},
    {"assist.delivery: [panel, mail]\n", "1:18", "suggestions_api, signal, webhook"},
    {"assist.delivery: webhook\n", "", "assist.webhook_url (default): is needed"},
    {"assist: {delivery: webhook, webhook_url: \"http://a.example\"}\n", "1:42",
     "assist.webhook_url"},
    {"assist: {delivery: webhook, webhook_url: \"https://a.example\"}\n", "",
     "16 characters at least"},
    {"discover.mode: webhook\n", "", "16 characters at least"},
    {"discover: {mode: webhook, webhook_secret: 0123456789abcdef}\nhttp.listen: \"\"\n", "1:18",
     "nobody can post"},
    {"discover: {mode: webhook, webhook_secret: 0123456789abcdef, webhook_check: secret}\n"
     "http.listen: \"0.0.0.0:8090\"\n",
     "1:76", "in the clear"},
    {"map.event: event\n", "1:12", "'event' is no JSON pointer"},
    {"map.text: text\n", "1:11", "'text' is no JSON pointer"},
    {"map.id: [/a, /b~2]\n", "1:9", "'/b~2' is no JSON pointer"},
    {"map.array: items\n", "1:12", "'items' is no JSON pointer"},
    {"map.start: []\n", "1:12", "is empty, so nothing could be read"},
    {"time.format: epoch\n", "1:14", "'epoch' is not one of: epoch_ms"},
    {"time.format: relative_s\n", "", "map.call_start (default): is needed"},
    {"page.transcripts: link\n", "", "map.next_page (default): is needed"},
    {"page.contacts: cursor\n", "", "map.contacts_next_page (default): is needed"},
    {"page.transcripts_parameter: \"a b\"\n", "1:29", "not the name of a query parameter"},
    {"page.max: 101\n", "1:11", "page.max"},
    {"socket.url: \"https://a.example\"\n", "1:13", "must begin with wss://"},
    {"socket.url: \"ws://a.example/x\"\n", "1:13", "plain http"},
    {"auth.grant: password\n", "1:13", "'password' is not one of: client_credentials"},
    {"auth.client_auth: query\n", "1:19", "'query' is not one of: post, basic"},
    {"discovery: {enabled: true, issuer: \"https://a/?b\"}\n", "1:36", "discovery.issuer"},
    {"discovery.enabled: true\nauth.grant: static_token\n", "",
     "discovery.tenant_id (default): is needed"},
    {"http.listen: localhost\n", "1:14", "is not an address and port"},
    {"http.listen: 127.0.0.1:70000\n", "1:14", "is not an address and port"},
    {"assist.template: \"{name}, help\"\n", "1:18", "unknown placeholder"},
    {"assist.idempotency_header: \"a: b\"\n", "1:28", "not a header's name"},
    {"map.direction_agent: [customer]\n", "1:22", "map.direction_customer has too"},
    {"map.direction_customer: []\n", "1:25", "names nobody"},
    {"attr.count_key: sentiment_trend\n", "1:17", "the same attribute"},
    {"interactions: [..]\n", "1:15", "interaction id"},
};

static void every_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        const struct bad *bad = &bad_files[i];
        struct config config;
        struct error err;
        char place[160];
        int result = load_yaml(bad->yaml, &config, &err);
        (void)snprintf(place, sizeof place, "%s/u.yaml:%s", folder, bad->place);
        bool placed = *bad->place == '\0' || strstr(err.message, place);
        if (result != ERROR_CONFIG || !placed || !strstr(err.message, bad->fragment)) {
            fail_msg("case %zu:\n%s\nwanted %s ... %s\ngot code %d: %s", i, bad->yaml, place,
                     bad->fragment, result, err.message);
        }
        assert_null(config.origins); /* zeroed on failure */
        assert_int_equal(error_exit_status(err.code), 78);
    }
}

static void a_message_about_one_value_begins_with_its_place(void **state)
{
    (void)state;
    struct config config;
    struct error err;
    char wanted[256];
    assert_int_equal(load_yaml("alert.treshold: 0.3\n", &config, &err), ERROR_CONFIG);
    (void)snprintf(wanted, sizeof wanted,
                   "%s/u.yaml:1:1: unknown key 'alert.treshold'; did you mean 'alert.threshold'?",
                   folder);
    assert_string_equal(err.message, wanted);
}

static void a_file_too_large_or_absent_is_an_error(void **state)
{
    (void)state;
    struct config config;
    struct error err;
    size_t size = (1u << 20) + 1;
    char *comment = malloc(size);
    assert_non_null(comment);
    memset(comment, '#', size);
    assert_int_equal(load(comment, size, NULL, NULL, &config, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "larger than 1048576 bytes"));
    assert_int_equal(load(comment, size - 1, NULL, NULL, &config, &err), 0);
    config_free(&config);
    free(comment);

    const struct config_sources absent = {.file = "/nonexistent/u.yaml"};
    assert_int_equal(config_load(&config, &absent, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "cannot open /nonexistent/u.yaml: No such file"));
    const struct config_sources directory = {.file = "/tmp"};
    assert_int_equal(config_load(&config, &directory, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "/tmp"));
}

static void a_nul_byte_in_the_file_is_refused(void **state)
{
    (void)state;
    struct config config;
    struct error err;
    static const char bytes[] = "mode: live\n\0mode";
    assert_int_equal(load(bytes, sizeof bytes - 1, NULL, NULL, &config, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "u.yaml:2:1: a control character"));
}

/* --- good files --- */

static void nothing_said_gives_the_tutorials_defaults(void **state)
{
    (void)state;
    static const char *const empties[] = {
        NULL,  "",     "\n\n",         "# only a comment\n", "---\n",
        "~\n", "{}\n", "\xEF\xBB\xBF", "alert:\npoll: {}\n"};
    for (size_t i = 0; i < sizeof empties / sizeof empties[0]; i++) {
        struct config c;
        struct error err;
        const char *yaml = empties[i];
        assert_int_equal(load(yaml, yaml ? strlen(yaml) : 0, NULL, NULL, &c, &err), 0);
        assert_string_equal(c.profile, "tutorial");
        assert_int_equal(c.mode, CONFIG_MODE_LIVE);
        assert_string_equal(c.env, "us-1.api.cxone.com");
        assert_string_equal(c.auth_scope, "interactions:view interactions:write agentassist:write");
        assert_string_equal(c.ep_active_contacts, "");
        assert_int_equal(c.attr_min_interval_ms, 2000);
        assert_int_equal(c.poll_floor_ms, 500);
        assert_int_equal(c.poll_lookback_ms, 60000);
        assert_int_equal(c.poll_overlap_max_ms, 180000);
        assert_true(c.window_seconds == 30);
        assert_true(c.alert_threshold == 0.28 && c.alert_recover == 0.45);
        assert_true(c.alert_sustained_reference == 0.46 && c.alert_sustained_limit == 0.9);
        assert_true(c.rate_client_rps == 10 && c.rate_reserve_for_alerts == 0.1);
        assert_int_equal(c.retry_after_max_ms, 300000);
        assert_int_equal(c.timeout_suggestion_ms, 15000);
        assert_int_equal(c.http_max_body_bytes, 8 * 1024 * 1024);
        assert_int_equal(c.discover_mode, CONFIG_DISCOVER_FIXED);
        assert_int_equal(c.end_idle_timeout_ms, 600000);
        assert_int_equal(c.model_batch_tokens, 512);
        assert_int_equal(c.model_deadline_ms, 20000);
        assert_int_equal(c.log_level, 1);
        assert_int_equal(c.interactions.count, 0);
        assert_int_equal(c.map_direction_customer.count, 6);
        assert_null(c.map_direction_customer.items[6]);
        config_free(&c);
    }
}

static void expect_origin(const struct config *config, const char *key, const char *where)
{
    assert_non_null(strstr(config_table_origin(config, config_table_find(key))->where, where));
}

static void profile_of_the_real_platform_is_complete(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    assert_int_equal(load_yaml("profile: cxone-real\n", &c, &err), 0);
    assert_true(c.discovery_enabled);
    assert_string_equal(c.discovery_issuer, "https://cxone.niceincontact.com");
    assert_string_equal(c.assist_delivery.items[0], "signal");
    assert_int_equal(c.map_final.count, 0);
    assert_string_equal(c.map_contact_id.items[0], "/contactId");
    assert_string_equal(c.auth_scope, "");
    expect_origin(&c, "auth.grant", "default of profile cxone-real");
    expect_origin(&c, "alert.threshold", "default");
    assert_int_equal(config_check_run(&c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "CXONE_CLIENT_ID"));
    config_free(&c);
}

static void literal_profile_has_the_tutorials_numbers(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    assert_int_equal(load_yaml("profile: tutorial-literal\n", &c, &err), 0);
    assert_int_equal(c.window_min_utterances, 1);
    assert_int_equal(c.alert_min_samples, 1);
    assert_int_equal(c.attr_min_interval_ms, 0);
    assert_int_equal(c.poll_lookback_ms, -1);
    assert_int_equal(c.map_direction_customer.count, 7);
    config_free(&c);
}

static void what_a_grant_lacks_is_named(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"auth.grant: access_key_json\n", "auth.access_key_id"},
        {"auth: {grant: access_key_json, access_key_id: k}\n", "auth.access_key_secret_file"},
        {"auth: {grant: access_key_password, client_auth: basic}\n", "CXONE_CLIENT_ID"},
        {"auth.grant: refresh_token\n", "auth.refresh_token_file"},
        {"auth.grant: static_token\n", "auth.static_token_file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config c;
        struct error err = {0};
        assert_int_equal(load_yaml(rows[i][0], &c, &err), 0);
        assert_int_equal(config_check_run(&c, &err), ERROR_CONFIG);
        if (!strstr(err.message, rows[i][1])) {
            fail_msg("row %zu: %s", i, err.message);
        }
        config_free(&c);
    }
}

static void profile_simulator_changes_three_defaults(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    assert_int_equal(load_yaml("profile: simulator\n", &c, &err), 0);
    assert_true(c.rate_client_rps == 400);
    assert_int_equal(c.discover_mode, CONFIG_DISCOVER_ACTIVE_CONTACTS);
    assert_string_equal(c.ep_active_contacts, "{base}/api/v2/interactions/active");
    assert_int_equal(c.poll_lookback_ms, 60000);
    config_free(&c);
    assert_int_equal(load_yaml("profile: simulator\nrate.client_rps: 20\n", &c, &err), 0);
    assert_true(c.rate_client_rps == 20);
    config_free(&c);
}

static void values_are_read_in_all_their_forms(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    assert_int_equal(
        load_yaml("alert:\n  threshold: 3e-1\n  recover: .5\n"
                  "poll: {active: 1500ms, idle: 1.5s, quiet: 1min}\n"
                  "poll.start_from: beginning\n"
                  "discover.interval: 1h\n"
                  "http.max_body: 512KiB\n"
                  "http.allow_plain: true\n"
                  "log.level: error\n"
                  "interactions:\n  - one\n  - 'two, three'\n"
                  "map.direction_agent: robot , clerk\n"
                  "assist.template: |\n  Mood {score}, {trend}\n  over {samples} turns.\n"
                  "attr.count_key: \"\"\n",
                  &c, &err),
        0);
    assert_true(c.alert_threshold == 0.3 && c.alert_recover == 0.5);
    assert_int_equal(c.poll_active_ms, 1500);
    assert_int_equal(c.poll_idle_ms, 1500);
    assert_int_equal(c.poll_quiet_ms, 60000);
    assert_int_equal(c.poll_lookback_ms, -1);
    assert_int_equal(c.discover_interval_ms, 3600000);
    assert_int_equal(c.http_max_body_bytes, 524288);
    assert_true(c.allow_plain_http);
    assert_int_equal(c.log_level, 3);
    assert_int_equal(c.interactions.count, 2);
    assert_string_equal(c.interactions.items[1], "two, three");
    assert_int_equal(c.map_direction_agent.count, 2);
    assert_string_equal(c.map_direction_agent.items[0], "robot");
    assert_string_equal(c.assist_template, "Mood {score}, {trend}\nover {samples} turns.\n");
    config_free(&c);
}

/* --- precedence and origins --- */

static void flags_beat_environment_beats_file_beats_profile(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static const char yaml[] = "profile: simulator\nrate.client_rps: 20\nenv: from-file\n"
                               "alert.threshold: 0.2\nmodel.threads: 3\n";
    static const char *const environment[] = {"PATH=/bin", "CXONE_ENV=from-tutorial",
                                              "UNDERTONE_ALERT_THRESHOLD=0.25",
                                              "UNDERTONE_MODEL_THREADS=4", NULL};
    static const char *const overrides[] = {"model.threads=5", "mode=shadow", NULL};
    assert_int_equal(load(yaml, strlen(yaml), environment, overrides, &c, &err), 0);
    assert_true(c.rate_client_rps == 20);
    assert_string_equal(c.env, "from-tutorial");
    assert_true(c.alert_threshold == 0.25);
    assert_int_equal(c.model_threads, 5);
    assert_int_equal(c.mode, CONFIG_MODE_SHADOW);
    expect_origin(&c, "rate.client_rps", "/u.yaml:2:18");
    expect_origin(&c, "env", "CXONE_ENV");
    expect_origin(&c, "alert.threshold", "UNDERTONE_ALERT_THRESHOLD");
    expect_origin(&c, "model.threads", "command line");
    expect_origin(&c, "discover.mode", "default of profile simulator");
    expect_origin(&c, "alert.recover", "default");
    config_free(&c);
}

static void own_variables_beat_the_tutorials(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static const char *const environment[] = {"UNDERTONE_ENV=own",
                                              "CXONE_ENV=theirs",
                                              "CXONE_CLIENT_ID=",
                                              "CXONE_INTERACTION_ID=third",
                                              "UNDERTONE_INTERACTIONS=first, second",
                                              NULL};
    assert_int_equal(load("interactions: [zero]\n", 21, environment, NULL, &c, &err), 0);
    assert_string_equal(c.env, "own");
    assert_string_equal(c.auth_client_id, ""); /* an empty variable counts as absent */
    assert_int_equal(c.interactions.count, 3);
    assert_string_equal(c.interactions.items[0], "first");
    assert_string_equal(c.interactions.items[2], "third");
    config_free(&c);
    static const char *const again[] = {"CXONE_INTERACTION_ID=zero", NULL};
    assert_int_equal(load("interactions: [zero]\n", 21, again, NULL, &c, &err), 0);
    assert_int_equal(c.interactions.count, 1);
    config_free(&c);
}

static void a_wrong_variable_or_flag_is_named(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static const char *const environment[] = {"UNDERTONE_POLL_IDLE=2", NULL};
    assert_int_equal(load(NULL, 0, environment, NULL, &c, &err), ERROR_CONFIG);
    assert_non_null(
        strstr(err.message, "environment variable UNDERTONE_POLL_IDLE: poll.idle: '2'"));

    static const struct bad flags[] = {
        {"alert.threshold", "", "write KEY=VALUE"},
        {"=1", "", "write KEY=VALUE"},
        {"alert.treshold=0.3", "", "did you mean 'alert.threshold'?"},
        {"alert.threshold=x", "", "alert.threshold: 'x' is not a number"},
        {"auth.client_secret=hunter2", "", "may not be given on the command line"},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const char *const overrides[] = {flags[i].yaml, NULL};
        assert_int_equal(load(NULL, 0, NULL, overrides, &c, &err), ERROR_USAGE);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_non_null(strstr(err.message, "command line: "));
        assert_non_null(strstr(err.message, flags[i].fragment));
        assert_null(strstr(err.message, "hunter2"));
    }
}

static void every_variable_name_is_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_table_count(); i++) {
        for (size_t j = 0; j < i; j++) {
            char left[CONFIG_VARIABLE_BYTES];
            char right[CONFIG_VARIABLE_BYTES];
            assert_string_not_equal(config_table_variable(config_table_at(i), left),
                                    config_table_variable(config_table_at(j), right));
        }
    }
}

static void every_group_can_be_suggested(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_table_count(); i++) {
        size_t bytes = strcspn(config_table_at(i)->key, ".");
        if (config_table_at(i)->key[bytes] == '.') {
            char group[64];
            (void)snprintf(group, sizeof group, "%.*s", (int)bytes, config_table_at(i)->key);
            if (config_table_find_group(group) == config_table_at(i) && !config_table_find(group)) {
                const char *meant = config_table_suggest(group);
                if (!meant || strcmp(meant, group) != 0) {
                    fail_msg("group %s is not among the suggestions", group);
                }
            }
        }
    }
}

/* --- secrets --- */

static const char *secret_setting(void)
{
    static char line[160];
    (void)snprintf(line, sizeof line, "auth.client_secret_file: %s/secret\n", folder);
    return line;
}

static void a_secret_file_is_read_when_only_its_owner_may(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    write_file("secret", "s=e&c+r%t\r\n", 11, 0600);
    assert_int_equal(load_yaml(secret_setting(), &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "s=e&c+r%t");
    expect_origin(&c, "auth.client_secret", "file ");
    config_free(&c);

    static const mode_t open_modes[] = {0640, 0604, 0620, 0601};
    for (size_t i = 0; i < 4; i++) {
        write_file("secret", "secret-text", 11, open_modes[i]);
        assert_int_equal(load_yaml(secret_setting(), &c, &err), ERROR_CONFIG);
        assert_non_null(strstr(err.message, "chmod 600"));
        assert_null(strstr(err.message, "secret-text"));
    }
    static char big[5000];
    memset(big, 'x', sizeof big);
    write_file("secret", big, 4097, 0600);
    assert_int_equal(load_yaml(secret_setting(), &c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "larger than 4096 bytes"));
    write_file("secret", "\n", 1, 0600);
    assert_int_equal(load_yaml(secret_setting(), &c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "is empty"));
    write_file("secret", "a\0b", 3, 0600);
    assert_int_equal(load_yaml(secret_setting(), &c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "NUL"));
    assert_int_equal(load_yaml("auth.client_secret_file: /tmp\n", &c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "not a regular file"));
    assert_int_equal(load_yaml("auth.client_secret_file: /nonexistent\n", &c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "cannot open /nonexistent"));
}

static void the_more_binding_source_of_the_secret_wins(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static const char *const direct[] = {"CXONE_CLIENT_SECRET=from-env", NULL};
    write_file("secret", "from-file", 9, 0600);
    assert_int_equal(load(secret_setting(), strlen(secret_setting()), direct, NULL, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "from-env");
    config_free(&c);

    char flag[160];
    (void)snprintf(flag, sizeof flag, "auth.client_secret_file=%s/secret", folder);
    const char *const overrides[] = {flag, NULL};
    assert_int_equal(load(NULL, 0, direct, overrides, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "from-file");
    config_free(&c);
}

static void the_systemd_credential_is_the_last_resort(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    char directory[160];
    (void)snprintf(directory, sizeof directory, "CREDENTIALS_DIRECTORY=%s", folder);
    const char *const only[] = {directory, NULL};
    const char *const both[] = {directory, "CXONE_CLIENT_SECRET=from-env", NULL};
    (void)unlink(path_of("client_secret"));
    assert_int_equal(load(NULL, 0, only, NULL, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "");
    config_free(&c);
    write_file("client_secret", "from-systemd\n", 13, 0440); /* an access list's mask */
    assert_int_equal(load(NULL, 0, only, NULL, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "from-systemd");
    config_free(&c);
    assert_int_equal(load(NULL, 0, both, NULL, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "from-env");
    config_free(&c);
    char named[160];
    (void)snprintf(named, sizeof named, "auth.client_secret_file=%s/client_secret", folder);
    const char *const overrides[] = {named, NULL};
    assert_int_equal(load(NULL, 0, only, overrides, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "from-systemd");
    config_free(&c);
}

static void a_secret_in_a_readable_configuration_is_refused(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static const char yaml[] = "auth:\n  client_secret: hunter2\n";
    assert_int_equal(load_yaml(yaml, &c, &err), 0);
    assert_string_equal(c.auth_client_secret, "hunter2");
    config_free(&c);
    write_file("other.yaml", yaml, strlen(yaml), 0644);
    const struct config_sources sources = {.file = path_of("other.yaml")};
    assert_int_equal(config_load(&c, &sources, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "other.yaml:2:18: auth.client_secret stands in a file"));
    assert_non_null(strstr(err.message, "chmod 600"));
    assert_null(strstr(err.message, "hunter2"));
}

static void a_wrong_secret_is_never_quoted(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static char yaml[4096];
    size_t size = (size_t)snprintf(yaml, sizeof yaml, "auth.client_secret: hunter2");
    memset(yaml + size, 'x', 3000);
    yaml[size + 3000] = '\0';
    assert_int_equal(load_yaml(yaml, &c, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "longer than 2048 bytes"));
    assert_null(strstr(err.message, "hunter2"));
}

/* --- showing --- */

static void show_prints_every_key_and_no_secret(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    struct buf out;
    static const char *const environment[] = {"CXONE_CLIENT_SECRET=hunter2", NULL};
    buf_init(&out, 1 << 20);
    assert_int_equal(load(NULL, 0, environment, NULL, &c, &err), 0);
    assert_int_equal(config_show(&c, true, &out, &err), 0);
    assert_null(strstr(buf_string(&out), "hunter2"));
    assert_non_null(strstr(buf_string(&out), "auth.client_secret: *** "));
    assert_non_null(strstr(buf_string(&out), "# CXONE_CLIENT_SECRET\n"));
    size_t lines = 0;
    for (size_t i = 0; i < out.size; i++) {
        lines += out.bytes[i] == '\n';
    }
    assert_int_equal(lines, config_table_count());
    assert_true(config_table_count() <= CONFIG_ROWS_MAX);
    buf_done(&out);
    config_free(&c);
}

static void what_show_prints_reads_back_the_same(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    struct buf first;
    struct buf second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    assert_int_equal(load_yaml("profile: simulator\nenv: \"https://a.example/\"\n"
                               "assist.template: \"two\\nlines: \\\"{score}\\\" # 1\"\n"
                               "interactions: ['null', '-a', 'b, c', \"\xC3\xA9\", '~', '#x']\n"
                               "poll.start_from: beginning\nalert.threshold: 0.1234567\n"
                               "attr.min_interval: 0s\nhttp.max_body: 1025\n",
                               &c, &err),
                     0);
    assert_int_equal(config_show(&c, true, &first, &err), 0);
    config_free(&c);
    assert_int_equal(load(first.bytes, first.size, NULL, NULL, &c, &err), 0);
    buf_clear(&first);
    assert_int_equal(config_show(&c, false, &first, &err), 0);
    assert_string_equal(c.assist_template, "two\nlines: \"{score}\" # 1");
    assert_int_equal(c.interactions.count, 6);
    config_free(&c);
    assert_int_equal(load(first.bytes, first.size, NULL, NULL, &c, &err), 0);
    assert_int_equal(config_show(&c, false, &second, &err), 0);
    assert_string_equal(buf_string(&first), buf_string(&second));
    config_free(&c);
    buf_done(&first);
    buf_done(&second);
}

static void the_document_names_every_key(void **state)
{
    (void)state;
    struct error err;
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(config_document(&out, &err), 0);
    for (size_t i = 0; i < config_table_count(); i++) {
        char cell[80];
        (void)snprintf(cell, sizeof cell, "\n| `%s` | ", config_table_at(i)->key);
        assert_non_null(strstr(buf_string(&out), cell));
    }
    buf_done(&out);
    buf_init(&out, 100); /* a full buffer is an error, not a shorter document */
    assert_int_equal(config_document(&out, &err), ERROR_MEMORY);
    buf_done(&out);
}

/* --- what run needs --- */

static void run_says_what_is_missing(void **state)
{
    (void)state;
    struct config c;
    struct error err;
    static const struct {
        const char *environment[4];
        const char *yaml;
        const char *fragments[2]; /* NULL: nothing is missing */
    } cases[] = {
        {{NULL}, "mode: live\n", {"CXONE_CLIENT_ID", "auth.client_id"}},
        {{"CXONE_CLIENT_ID=a", NULL},
         "mode: live\n",
         {"CXONE_CLIENT_SECRET", "auth.client_secret_file"}},
        {{"CXONE_CLIENT_ID=a", "CXONE_CLIENT_SECRET=b", NULL},
         "mode: live\n",
         {"CXONE_INTERACTION_ID", "discover.mode"}},
        {{"CXONE_CLIENT_ID=a", "CXONE_CLIENT_SECRET=b", NULL},
         "discover.mode: active_contacts\n",
         {"ep.active_contacts is empty", "interactions"}},
        {{"CXONE_CLIENT_ID=a", "CXONE_CLIENT_SECRET=b", "CXONE_INTERACTION_ID=c", NULL},
         "mode: live\n",
         {NULL}},
        {{"CXONE_CLIENT_ID=a", "CXONE_CLIENT_SECRET=b", NULL}, "profile: simulator\n", {NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            load(cases[i].yaml, strlen(cases[i].yaml), cases[i].environment, NULL, &c, &err), 0);
        int result = config_check_run(&c, &err);
        assert_int_equal(result, cases[i].fragments[0] ? ERROR_CONFIG : 0);
        for (int j = 0; j < 2 && cases[i].fragments[j]; j++) {
            assert_non_null(strstr(err.message, cases[i].fragments[j]));
        }
        config_free(&c);
    }
}

static void freeing_a_zeroed_configuration_is_harmless(void **state)
{
    (void)state;
    struct config c = {0};
    config_free(&c);
    config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_named_with_its_place),
        cmocka_unit_test(a_message_about_one_value_begins_with_its_place),
        cmocka_unit_test(a_file_too_large_or_absent_is_an_error),
        cmocka_unit_test(a_nul_byte_in_the_file_is_refused),
        cmocka_unit_test(nothing_said_gives_the_tutorials_defaults),
        cmocka_unit_test(profile_of_the_real_platform_is_complete),
        cmocka_unit_test(literal_profile_has_the_tutorials_numbers),
        cmocka_unit_test(what_a_grant_lacks_is_named),
        cmocka_unit_test(profile_simulator_changes_three_defaults),
        cmocka_unit_test(values_are_read_in_all_their_forms),
        cmocka_unit_test(flags_beat_environment_beats_file_beats_profile),
        cmocka_unit_test(own_variables_beat_the_tutorials),
        cmocka_unit_test(a_wrong_variable_or_flag_is_named),
        cmocka_unit_test(every_variable_name_is_unique),
        cmocka_unit_test(every_group_can_be_suggested),
        cmocka_unit_test(a_secret_file_is_read_when_only_its_owner_may),
        cmocka_unit_test(the_more_binding_source_of_the_secret_wins),
        cmocka_unit_test(the_systemd_credential_is_the_last_resort),
        cmocka_unit_test(a_secret_in_a_readable_configuration_is_refused),
        cmocka_unit_test(a_wrong_secret_is_never_quoted),
        cmocka_unit_test(show_prints_every_key_and_no_secret),
        cmocka_unit_test(what_show_prints_reads_back_the_same),
        cmocka_unit_test(the_document_names_every_key),
        cmocka_unit_test(run_says_what_is_missing),
        cmocka_unit_test(freeing_a_zeroed_configuration_is_harmless),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
