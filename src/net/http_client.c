/* http_client.c - see http_client.h. With http_call.c and http_connections.c the only
 * file that knows libcurl.
 *
 * libcurl's multi interface never waits: it says which sockets to watch and when to be called
 * next, and our loop does both. Handles are kept and used again; connections belong to the multi
 * handle, so that any call can use any kept connection. Callbacks to the user run only from here,
 * never from inside libcurl, and so may start and cancel calls.
 *
 * Calls over a host's connection cap wait here, first come first served. libcurl would let them
 * wait too, but there no timeout ends the waiting, and it would count as time spent connecting. For
 * the same reason the timeout of the whole exchange is a timer of ours: it also ends what stalls
 * inside the library.
 *
 * Not here: retries, quotas and priorities. Whoever sends decides how often and when.
 */
#include "net/http_client.h"

#include "base/lines.h"
#include "base/map.h"
#include "net/http_call_internal.h"
#include "net/http_connections_internal.h"
#include "net/http_date.h"
#include "net/loop_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    HTTP_CLIENT_POOL_HOSTS = 4,  /* connections are kept for so many: token, API, some spare */
    HTTP_CLIENT_HOSTS_MAX = 256, /* ever used by one client */
    HTTP_CLIENT_STREAMS = 100,   /* RFC 9113 section 6.5.2 wants servers to allow so many */
    HTTP_CLIENT_CA_FILE_BYTES_MAX = 16 * 1024 * 1024,
};

struct http_host {
    struct http_call_list waiting;
    unsigned active;
    bool multiplexes; /* its last answer came over HTTP/2 */
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;      /* libcurl's next timeout */
    struct loop_timer *ended_turn; /* delivers the ended calls */
    struct map hosts;              /* origin to struct http_host */
    struct http_call_list active;  /* in libcurl's hands */
    struct http_call_list ended;   /* by us, with a verdict: waiting for ended_turn */
    struct http_call_list idle;    /* for reuse */
    unsigned calls;                /* all but the idle ones */
    struct http_connections *sockets;
    bool global;
    bool closing;
    struct http_client_options options; /* with copies of the strings */
    char *user_agent;
    char *ca_file;
    char *proxy;
};

/* ---- the stations of a call: waiting, active, perhaps ended, idle ---- */

/* Ends a call for a reason of our own; its owner is told with the next turn of the loop. */
static void client_end(struct http_call *call, enum http_failure verdict)
{
    struct http_client *client = call->client;
    if (call->list == &client->active) {
        /* An HTTP/2 connection outlives its requests, also one that leads nowhere any more. */
        (void)curl_easy_setopt(call->easy, CURLOPT_FORBID_REUSE, 1L);
        (void)curl_multi_remove_handle(client->multi, call->easy);
        call->host->active--;
    }
    call->verdict = verdict;
    loop_timer_stop(call->watchdog);
    http_call_move(call, &client->ended);
    loop_timer_start(client->ended_turn, 0, 0);
}

/* How many calls to this host libcurl may have at once, so that none of them waits inside it. */
static unsigned client_cap(const struct http_client *client, const struct http_host *host)
{
    unsigned connections = client->options.connections_per_host_max;
    unsigned streams = client->options.streams_max;
    return host->multiplexes && streams > connections ? streams : connections;
}

/* Hands waiting calls to libcurl as far as the host's cap allows. */
static void client_start_waiting(struct http_client *client, struct http_host *host)
{
    unsigned cap = client_cap(client, host);
    while (host->waiting.first && host->active < cap) {
        struct http_call *call = host->waiting.first;
        if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
            client_end(call, HTTP_FAILURE_BROKEN);
            continue;
        }
        http_call_move(call, &client->active);
        host->active++;
    }
}

static bool client_was_http2(const struct http_call *call)
{
    long version = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
    return version >= CURL_HTTP_VERSION_2_0;
}

/* The call is out of libcurl: tell its owner, then keep the handle. */
static void client_deliver(struct http_client *client, struct http_call *call, CURLcode code)
{
    enum http_failure failure = http_call_failure(call, code);
    struct http_response response = {
        .failure = failure,
        .failure_text = http_call_reason(call, failure, code),
        .request_sent = call->request_sent,
        .date_ms = -1,
        .body = "",
        .total_ms = mono_ms_between(call->started, loop_now(client->loop)),
        .client = client,
        .call = call,
    };
    if (failure == HTTP_FAILURE_NONE) {
        long status = 0;
        (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        response.status = (int)status;
        response.http2 = client_was_http2(call);
        response.body = buf_string(&call->body);
        response.body_bytes = call->body.size;
        (void)http_date_parse(http_call_header(call, "Date"), &response.date_ms);
    } else {
        buf_clear(&call->headers); /* half a response is none */
    }
    http_done_fn *done = call->done;
    call->done = NULL; /* from here on http_client_cancel has no effect */
    client->calls--;   /* and the owner may send the next one */
    done(call->user, &response);
    http_call_clear(call);
    http_call_move(call, &client->idle);
}

static void client_collect(struct http_client *client)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        struct http_call *call = NULL;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
        (void)curl_multi_remove_handle(client->multi, easy); /* message is gone now */
        loop_timer_stop(call->watchdog);
        struct http_host *host = call->host;
        host->active--;
        if (code == CURLE_OK && call->multiplexes) {
            host->multiplexes = client_was_http2(call);
        }
        client_start_waiting(client, host);
        client_deliver(client, call, code);
    }
}

static void client_deliver_ended(void *user)
{
    struct http_client *client = user;
    /* What the callbacks end meanwhile stands behind `last` and waits for the next turn. */
    const struct http_call *last = client->ended.last;
    const struct http_call *delivered = NULL;
    while (client->ended.first && delivered != last) {
        struct http_call *call = client->ended.first;
        struct http_host *host = call->host;
        client_start_waiting(client, host);
        client_deliver(client, call, CURLE_FAILED_INIT);
        delivered = call;
    }
}

static void client_watchdog(void *user)
{
    client_end(user, HTTP_FAILURE_TIMEOUT);
}

/* ---- driving libcurl ---- */

static void client_timed_out(void *user)
{
    struct http_client *client = user;
    int running = 0;
    (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    client_collect(client);
}

static void client_socket_ready(void *user, int fd, struct loop_ready ready)
{
    struct http_client *client = user;
    int running = 0;
    int events = (ready.readable ? CURL_CSELECT_IN : 0) | (ready.writable ? CURL_CSELECT_OUT : 0) |
                 (ready.failed ? CURL_CSELECT_ERR : 0);
    (void)curl_multi_socket_action(client->multi, fd, events, &running);
    client_collect(client);
}

static int client_wants_timeout(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct http_client *client = user;
    if (timeout_ms < 0) {
        loop_timer_stop(client->timer);
    } else {
        loop_timer_start(client->timer, timeout_ms, 0);
    }
    return 0;
}

/* ---- creating and destroying ---- */

static bool copy_string(const char *from, char **to)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

/* libcurl would only notice with the first connection, and then for each one again. */
static int check_ca_file(const char *path, struct error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    int rc = lines_read_file(path, HTTP_CLIENT_CA_FILE_BYTES_MAX, &bytes, &size, err);
    if (rc) {
        return error_wrap(err, "extra CA file"), rc;
    }
    if (!strstr(bytes, "-----BEGIN CERTIFICATE-----") &&
        !strstr(bytes, "-----BEGIN TRUSTED CERTIFICATE-----")) {
        rc = error_set(err, ERROR_CONFIG,
                       "extra CA file %s: holds no certificate in PEM form; give a file with "
                       "\"-----BEGIN CERTIFICATE-----\"",
                       path);
    }
    free(bytes);
    return rc;
}

static CURLMcode client_set_multi(struct http_client *client)
{
    long per_host = (long)client->options.connections_per_host_max;
    CURLMcode code = CURLM_OK;
    code = code ? code
                : curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, client_wants_timeout);
    code = code ? code : curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    code = code ? code : curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
    code = code ? code
                : curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS,
                                    per_host * HTTP_CLIENT_POOL_HOSTS);
    code = code ? code
                : curl_multi_setopt(client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                                    (long)client->options.streams_max);
    return code;
}

static int client_open(struct http_client *client, struct error *err)
{
    struct http_client_options *options = &client->options;
    if (!copy_string(options->user_agent, &client->user_agent) ||
        !copy_string(options->ca_file, &client->ca_file) ||
        !copy_string(options->proxy, &client->proxy)) {
        return error_set(err, ERROR_MEMORY, "no memory for the HTTP client");
    }
    options->user_agent = client->user_agent;
    options->ca_file = client->ca_file;
    options->proxy = client->proxy;
    int rc = options->ca_file ? check_ca_file(options->ca_file, err) : 0;
    rc = rc ? rc : loop_timer_create(client->loop, client_timed_out, client, &client->timer, err);
    rc = rc ? rc
            : loop_timer_create(client->loop, client_deliver_ended, client, &client->ended_turn,
                                err);
    if (rc) {
        return rc;
    }
    client->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    client->multi = client->global ? curl_multi_init() : NULL;
    if (client->multi) {
        client->sockets =
            http_connections_create(client->loop, client->multi, client_socket_ready, client);
    }
    if (!client->sockets || client_set_multi(client)) {
        return error_set(err, ERROR_MEMORY, "the HTTP client library does not start");
    }
    return 0;
}

int http_client_create(struct http_client **client, struct loop *loop,
                       const struct http_client_options *options, struct error *err)
{
    *client = NULL;
    if (!options->body_bytes_max || !options->header_bytes_max || !options->calls_max ||
        !options->connections_per_host_max || !options->user_agent) {
        return error_set(err, ERROR_INTERNAL, "the HTTP client lacks a required option");
    }
    struct http_client *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for the HTTP client");
    }
    made->loop = loop;
    made->options = *options;
    made->options.streams_max = options->streams_max ? options->streams_max : HTTP_CLIENT_STREAMS;
    map_init(&made->hosts, HTTP_CLIENT_HOSTS_MAX);
    int rc = client_open(made, err);
    if (rc) {
        http_client_destroy(made);
        return rc;
    }
    *client = made;
    return 0;
}

static void client_end_all(struct http_client *client)
{
    size_t position = 0;
    struct http_host *host;
    while ((host = map_next(&client->hosts, &position)) != NULL) {
        while (host->waiting.first) {
            client_end(host->waiting.first, HTTP_FAILURE_CANCELLED);
        }
    }
    while (client->active.first) {
        client_end(client->active.first, HTTP_FAILURE_CANCELLED);
    }
    client_deliver_ended(client);
}

void http_client_destroy(struct http_client *client)
{
    if (!client) {
        return;
    }
    client->closing = true;
    client_end_all(client);
    for (struct http_call *call = client->idle.first, *next; call; call = next) {
        next = call->next;
        http_call_destroy(call);
    }
    if (client->multi) {
        (void)curl_multi_cleanup(client->multi);
    }
    if (client->global) {
        curl_global_cleanup();
    }
    size_t position = 0;
    struct http_host *host;
    while ((host = map_next(&client->hosts, &position)) != NULL) {
        free(host);
    }
    map_done(&client->hosts);
    http_connections_destroy(client->sockets);
    loop_timer_destroy(client->timer);
    loop_timer_destroy(client->ended_turn);
    free(client->user_agent);
    free(client->ca_file);
    free(client->proxy);
    free(client);
}

/* ---- calls ---- */

static struct http_host *client_host(struct http_client *client, const struct buf *origin)
{
    struct http_host *host = map_get(&client->hosts, buf_string(origin), origin->size);
    if (host) {
        return host;
    }
    host = calloc(1, sizeof *host);
    if (!host || !map_put(&client->hosts, buf_string(origin), origin->size, host)) {
        free(host);
        return NULL;
    }
    return host;
}

static struct http_call *client_take_call(struct http_client *client, struct error *err)
{
    if (client->idle.first) {
        return client->idle.first;
    }
    struct http_call *call = http_call_create(&client->options);
    if (!call || http_connections_use(client->sockets, call->easy)) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a request");
        http_call_destroy(call);
        return NULL;
    }
    if (loop_timer_create(client->loop, client_watchdog, call, &call->watchdog, err)) {
        http_call_destroy(call);
        return NULL;
    }
    call->client = client;
    http_call_move(call, &client->idle);
    return call;
}

int http_client_send(struct http_client *client, const struct http_request *request,
                     http_done_fn *done, void *user, struct http_call **call, struct error *err)
{
    if (client->closing || client->calls >= client->options.calls_max) {
        return error_set_retriable(err, ERROR_LIMIT, "%u requests are in flight already",
                                   client->calls);
    }
    struct http_call *taken = client_take_call(client, err);
    if (!taken) {
        return ERROR_MEMORY;
    }
    int rc = http_call_prepare(taken, request, client->options.version, err);
    struct http_host *host = rc ? NULL : client_host(client, &taken->origin);
    if (!rc && !host) {
        rc = error_set(err, ERROR_LIMIT, "no room for another host; at most %d are used",
                       HTTP_CLIENT_HOSTS_MAX);
    }
    if (rc) {
        http_call_clear(taken); /* it never left the idle list */
        return rc;
    }
    taken->done = done;
    taken->user = user;
    taken->host = host;
    taken->started = loop_now(client->loop);
    client->calls++;
    http_call_move(taken, &host->waiting);
    loop_timer_start(taken->watchdog, request->timeout_ms, 0);
    client_start_waiting(client, host);
    if (call) {
        *call = taken;
    }
    return 0;
}

void http_client_cancel(struct http_client *client, struct http_call *call)
{
    if (call->done && call->list != &client->ended) {
        client_end(call, HTTP_FAILURE_CANCELLED);
    }
}

const char *http_client_header(const struct http_response *response, const char *name)
{
    return http_call_header(response->call, name);
}

unsigned http_client_calls(const struct http_client *client)
{
    return client->calls;
}

const char *http_failure_name(enum http_failure failure)
{
    switch (failure) {
    case HTTP_FAILURE_NONE:
        return "none";
    case HTTP_FAILURE_RESOLVE:
        return "resolve";
    case HTTP_FAILURE_CONNECT:
        return "connect";
    case HTTP_FAILURE_TLS:
        return "tls";
    case HTTP_FAILURE_PROXY:
        return "proxy";
    case HTTP_FAILURE_TIMEOUT:
        return "timeout";
    case HTTP_FAILURE_BROKEN:
        return "broken";
    case HTTP_FAILURE_TOO_LARGE:
        return "too_large";
    case HTTP_FAILURE_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}
