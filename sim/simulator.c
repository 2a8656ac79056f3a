/* simulator.c - see simulator.h.
 *
 * One tick, each 25 ms, moves the calls, starts new ones and looks at the
 * deadlines; all else happens in answer to requests. Signals end it in order: the ledger is
 * written out whatever the reason.
 */
#include "sim/simulator.h"

#include "base/keyhash.h"
#include "base/log.h"
#include "net/http_server.h"
#include "sim/api.h"
#include "sim/calls.h"
#include "sim/corpus.h"
#include "sim/ledger.h"
#include "sim/tls.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TICK_MS = 25,
    FLUSH_MS = 1000,
    BODY_BYTES_MAX = 1 << 20,
    CONNECTIONS_MAX = 1000,
    IDLE_TIMEOUT_S = 60,
};

struct simulator {
    struct options settings; /* the caller's, with what the script adds */
    const struct options *options;
    struct script script;
    struct loop *loop;
    struct log log;
    struct corpus *corpus;
    struct ledger ledger;
    struct calls calls;
    struct api api;
    struct http_server *server;
    struct loop_timer *tick;
    struct loop_timer *flush;
    const char *why; /* it stopped; NULL while it runs */
    bool revoked;
    bool start_failed; /* a call could not be started; told once */
    struct error failure;
};

static void stop(struct simulator *simulator, const char *why)
{
    if (simulator->why == NULL) {
        simulator->why = why;
        loop_stop(simulator->loop);
    }
}

static void on_signal(void *user, int signal_number)
{
    struct simulator *simulator = user;
    log_write(&simulator->log, LOG_INFO, "signal", "stopping", LOG_INT("signal", signal_number));
    stop(simulator, "signal");
}

static bool passed(const struct simulator *simulator, struct calls_now now, int64_t after_s)
{
    return after_s > 0 &&
           mono_reached(now.mono, mono_after_ms(simulator->api.clock.start, after_s * 1000));
}

static void on_tick(void *user)
{
    struct simulator *simulator = user;
    const struct options *options = simulator->options;
    struct calls_now now = api_now(&simulator->api);
    calls_advance(&simulator->calls, now);
    api_tick(&simulator->api);
    if (!simulator->revoked && passed(simulator, now, options->revoke_after_s)) {
        simulator->revoked = true;
        oauth_revoke_all(&simulator->api.tokens);
        log_write(&simulator->log, LOG_INFO, "revoked", "all tokens are invalid",
                  LOG_INT("after_s", options->revoke_after_s));
    }
    if (passed(simulator, now, options->exit_after_s)) {
        stop(simulator, "exit_after");
        return;
    }
    if (passed(simulator, now, options->duration_s)) {
        if (simulator->calls.count == 0) {
            stop(simulator, "duration");
        }
        return;
    }
    struct error err = {0};
    if (calls_fill(&simulator->calls, now, &err) != 0 && !simulator->start_failed) {
        simulator->start_failed = true;
        log_write(&simulator->log, LOG_WARN, "call_not_started", err.message,
                  LOG_INT("live", simulator->calls.live));
    }
}

static void on_flush(void *user)
{
    struct simulator *simulator = user;
    if (ledger_flush(&simulator->ledger, &simulator->failure) != 0) {
        stop(simulator, "failure");
    }
}

static void record_start(struct simulator *simulator)
{
    struct json_writer *w = ledger_begin(&simulator->ledger, LEDGER_KIND_START);
    if (w != NULL) {
        json_write_member_text(w, "version", UNDERTONE_VERSION);
        json_write_member_integer(w, "seed", simulator->options->seed);
        json_write_member_integer(w, "vendor_ms", simulator->api.clock.start_ms);
        json_write_key(w, "options");
        options_write(simulator->options, w);
        ledger_end(&simulator->ledger);
    }
}

static void record_exit(struct simulator *simulator)
{
    static const struct {
        const char *name;
        enum ledger_kind kind;
    } counted[] = {
        {"calls", LEDGER_KIND_CALL_STARTED},     {"utterances", LEDGER_KIND_UTTERANCE},
        {"served", LEDGER_KIND_SERVED},          {"attributes", LEDGER_KIND_ATTRIBUTES},
        {"suggestions", LEDGER_KIND_SUGGESTION}, {"tokens", LEDGER_KIND_TOKEN},
        {"rejected", LEDGER_KIND_REJECTED},
    };
    struct json_writer *w = ledger_begin(&simulator->ledger, LEDGER_KIND_EXIT);
    if (w == NULL) {
        return;
    }
    json_write_member_text(w, "why", simulator->why != NULL ? simulator->why : "failure");
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        json_write_member_integer(w, counted[i].name,
                                  (int64_t)simulator->ledger.counts[counted[i].kind]);
    }
    json_write_member_integer(w, "repeats", (int64_t)simulator->api.repeats);
    ledger_end(&simulator->ledger);
}

static int load_script(struct simulator *simulator, struct error *err)
{
    if (simulator->options->script == NULL) {
        return 0;
    }
    int rc = script_load(&simulator->script, simulator->options->script, err);
    return rc != 0 ? rc : options_apply_script(&simulator->settings, &simulator->script, err);
}

static int load_corpus(struct simulator *simulator, struct error *err)
{
    const struct options *options = simulator->options;
    char *directory = corpus_find_directory(options->data);
    if (directory == NULL) {
        return error_set(err, ERROR_CONFIG,
                         "no conversations were found: name their directory with --data");
    }
    int rc = corpus_create(&simulator->corpus, directory, options->source_weights,
                           (uint64_t)options->seed, err);
    free(directory);
    return rc;
}

static int open_server(struct simulator *simulator, struct error *err)
{
    const struct options *options = simulator->options;
    struct tls_material tls = {0};
    int rc = options->tls == NULL ? 0 : tls_load(&tls, options->tls, err);
    if (rc != 0) {
        return rc;
    }
    struct http_server_options server = {
        .address = options->address,
        .port = (uint16_t)options->port,
        .body_bytes_max = BODY_BYTES_MAX,
        .connections_max = CONNECTIONS_MAX,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .tls_certificate_pem = tls.certificate_pem,
        .tls_key_pem = tls.key_pem,
        .handler = api_handle,
        .user = &simulator->api,
    };
    rc = http_server_create(&simulator->server, simulator->loop, &server, err);
    tls_done(&tls);
    return rc;
}

static int arm(struct simulator *simulator, struct error *err)
{
    int rc = loop_timer_create(simulator->loop, on_tick, simulator, &simulator->tick, err);
    if (rc == 0) {
        rc = loop_timer_create(simulator->loop, on_flush, simulator, &simulator->flush, err);
    }
    if (rc == 0) {
        rc = loop_on_signal(simulator->loop, SIGINT, on_signal, simulator, err);
    }
    if (rc == 0) {
        rc = loop_on_signal(simulator->loop, SIGTERM, on_signal, simulator, err);
    }
    if (rc == 0) {
        loop_timer_start(simulator->tick, TICK_MS, TICK_MS);
        loop_timer_start(simulator->flush, FLUSH_MS, FLUSH_MS);
    }
    return rc;
}

int simulator_create(struct simulator **simulator, struct loop *loop, const struct options *options,
                     struct error *err)
{
    *simulator = NULL;
    struct simulator *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return error_set(err, ERROR_MEMORY, "no memory for the simulator");
    }
    made->settings = *options;
    made->options = &made->settings;
    made->loop = loop;
    made->log = (struct log){STDERR_FILENO, options->verbose ? LOG_DEBUG : LOG_WARN};
    int rc = keyhash_library_init() == 0
                 ? 0
                 : error_set(err, ERROR_INTERNAL, "the random generator does not start");
    if (rc == 0) {
        rc = load_script(made, err);
    }
    if (rc == 0) {
        rc = load_corpus(made, err);
    }
    if (rc == 0) {
        rc = ledger_open(&made->ledger, options->ledger, err);
    }
    if (rc != 0) {
        script_done(&made->script);
        corpus_destroy(made->corpus);
        free(made);
        return rc;
    }
    struct api_clock clock = {clock_mono(), clock_wall().ms, options->speed};
    calls_init(&made->calls, made->options, made->corpus, &made->ledger);
    api_init(&made->api, made->options, &made->script, &made->calls, &made->ledger, clock);
    record_start(made);
    rc = open_server(made, err);
    if (rc == 0) {
        rc = calls_fill(&made->calls, api_now(&made->api), err);
    }
    if (rc == 0) {
        rc = arm(made, err);
    }
    if (rc != 0) {
        (void)simulator_destroy(made, NULL);
        return rc;
    }
    *simulator = made;
    return 0;
}

uint16_t simulator_port(const struct simulator *simulator)
{
    return http_server_port(simulator->server);
}

/* A name that the TLS certificate holds, where there is one. */
static void print_url(const struct simulator *simulator, FILE *out)
{
    const struct options *options = simulator->options;
    const char *address = options->address;
    bool loopback = strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
    bool ipv6 = !loopback && strchr(address, ':') != NULL;
    fprintf(out, "%s://%s%s%s:%u", options->tls != NULL ? "https" : "http", ipv6 ? "[" : "",
            loopback ? "localhost" : address, ipv6 ? "]" : "", (unsigned)simulator_port(simulator));
}

/* In single quotes for a POSIX shell. */
static void print_export(const char *name, const char *value, FILE *out)
{
    fprintf(out, "export %s='", name);
    for (; *value != '\0'; value++) {
        if (*value == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*value, out);
        }
    }
    fputs("'\n", out);
}

void simulator_announce(const struct simulator *simulator, FILE *out)
{
    const struct options *options = simulator->options;
    fputs("listening on ", out);
    print_url(simulator, out);
    fputc('\n', out);
    if (options->print_env) {
        fputs("export CXONE_ENV=", out);
        print_url(simulator, out);
        fputc('\n', out);
        print_export("CXONE_CLIENT_ID", options->client_id, out);
        print_export("CXONE_CLIENT_SECRET", options->client_secret, out);
        if (simulator->calls.count > 0) {
            print_export("CXONE_INTERACTION_ID", simulator->calls.list[0]->id, out);
        }
        if (options->tls != NULL) {
            fprintf(out, "# the certificate's authority: %s/ca.pem\n", options->tls);
        }
    }
    fflush(out);
}

int simulator_destroy(struct simulator *simulator, struct error *err)
{
    if (simulator == NULL) {
        return 0;
    }
    loop_timer_destroy(simulator->tick);
    loop_timer_destroy(simulator->flush);
    api_drop_delayed(&simulator->api);
    http_server_destroy(simulator->server);
    calls_done(&simulator->calls);
    record_exit(simulator);
    int rc = (int)simulator->failure.code;
    if (rc != 0 && err != NULL) {
        *err = simulator->failure;
    }
    int closed = ledger_close(&simulator->ledger, rc == 0 ? err : NULL);
    api_done(&simulator->api);
    corpus_destroy(simulator->corpus);
    script_done(&simulator->script);
    free(simulator);
    return rc != 0 ? rc : closed;
}
