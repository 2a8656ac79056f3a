/* ws_client.c - see ws_client.h.
 *
 * libcurl makes the connection (names, proxy, TLS) and then only moves bytes: CONNECT_ONLY. While
 * it connects, a timer asks it fifty times a second how far it is, which is simpler than watching
 * its sockets and rare enough; afterwards the socket is watched like any other. */
#include "net/ws_client.h"

#include "base/buf.h"
#include "base/keyhash.h"
#include "net/http_call_internal.h"
#include "net/loop_internal.h"
#include "net/ws_frame.h"
#include "net/ws_handshake.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP_MS = 20,
    CHUNK_BYTES = 16 * 1024,
    HANDSHAKE_BYTES_MAX = 64 * 1024,
    WHY_BYTES = 256,
};

enum stage { STAGE_CONNECTING, STAGE_HANDSHAKE, STAGE_OPEN, STAGE_CLOSED };

struct ws_client {
    struct loop *loop;
    struct ws_client_options options; /* only numbers and functions are used later */
    CURLM *multi;
    CURL *easy;
    bool in_multi;
    struct loop_timer *step;     /* while connecting */
    struct loop_timer *deadline; /* of the handshake */
    struct loop_timer *ending;   /* tells of the end */
    struct loop_poll *poll;
    enum stage stage;
    char key[WS_KEY_TEXT_BYTES];
    struct buf output;
    struct buf head; /* of the handshake's answer */
    struct ws_reader reader;
    unsigned depth; /* callbacks under way */
    bool doomed;    /* to be freed when they have returned */
    char why[WHY_BYTES];
};

static void client_free(struct ws_client *client)
{
    loop_poll_destroy(client->poll);
    loop_timer_destroy(client->step);
    loop_timer_destroy(client->deadline);
    loop_timer_destroy(client->ending);
    if (client->in_multi) {
        (void)curl_multi_remove_handle(client->multi, client->easy);
    }
    curl_easy_cleanup(client->easy);
    if (client->multi) {
        (void)curl_multi_cleanup(client->multi);
    }
    buf_done(&client->output);
    buf_done(&client->head);
    ws_reader_done(&client->reader);
    free(client);
}

/* The owner hears of it with the next turn of the loop. */
static void client_close(struct ws_client *client, const char *why)
{
    if (client->stage == STAGE_CLOSED) {
        return;
    }
    client->stage = STAGE_CLOSED;
    (void)snprintf(client->why, sizeof client->why, "%s", why);
    loop_timer_stop(client->step);
    loop_timer_stop(client->deadline);
    loop_poll_destroy(client->poll);
    client->poll = NULL;
    loop_timer_start(client->ending, 0, 0);
}

static void client_ended(void *user)
{
    struct ws_client *client = user;
    client->depth++;
    client->options.on_closed(client->options.user, client->why);
    client->depth--;
    if (client->doomed) {
        client_free(client);
    }
}

static void client_too_late(void *user)
{
    client_close(user, "not open within the time for connecting");
}

/* ---- bytes out ---- */

static void client_watch(struct ws_client *client)
{
    if (client->poll) {
        loop_poll_set(client->poll, true, client->output.size > 0);
    }
}

static void client_flush(struct ws_client *client)
{
    while (client->stage != STAGE_CLOSED && client->output.size > 0) {
        size_t sent = 0;
        CURLcode code =
            curl_easy_send(client->easy, client->output.bytes, client->output.size, &sent);
        if (code == CURLE_AGAIN) {
            break;
        }
        if (code != CURLE_OK) {
            client_close(client, curl_easy_strerror(code));
            return;
        }
        buf_consume(&client->output, sent);
    }
    client_watch(client);
}

static bool client_queue(struct ws_client *client, enum ws_opcode opcode, const void *bytes,
                         size_t size)
{
    unsigned char mask[WS_MASK_BYTES];
    keyhash_random_bytes(mask, sizeof mask);
    bool queued = ws_frame_write(&client->output, opcode, bytes, size, mask);
    client->output.failed = false; /* a full queue refuses this one only */
    return queued;
}

bool ws_client_send(struct ws_client *client, const char *text, size_t size)
{
    if (client->stage != STAGE_OPEN || !client_queue(client, WS_OPCODE_TEXT, text, size)) {
        return false;
    }
    client_flush(client);
    return true;
}

/* ---- bytes in ---- */

static void client_take(struct ws_client *client, const struct ws_event *event)
{
    switch (event->opcode) {
    case WS_OPCODE_TEXT:
        client->options.on_message(client->options.user, event->bytes, event->size);
        break;
    case WS_OPCODE_PING:
        (void)client_queue(client, WS_OPCODE_PONG, event->bytes, event->size);
        break;
    case WS_OPCODE_CLOSE:
        (void)client_queue(client, WS_OPCODE_CLOSE, event->bytes, event->size < 2 ? 0 : 2);
        client_flush(client);
        client_close(client, "closed by the server");
        break;
    default:
        break; /* a pong that nobody waits for, or binary data that nobody understands */
    }
}

static void client_read_frames(struct ws_client *client)
{
    struct error err = {0};
    struct ws_event event;
    bool has_event = true;
    while (has_event && client->stage == STAGE_OPEN && !client->doomed) {
        if (ws_reader_next(&client->reader, &event, &has_event, &err)) {
            client_close(client, err.message);
            return;
        }
        if (has_event) {
            client_take(client, &event);
        }
    }
}

static void client_read_head(struct ws_client *client)
{
    struct error err = {0};
    size_t head_bytes;
    if (ws_handshake_check(client->head.bytes, client->head.size, client->key, &head_bytes, &err)) {
        client_close(client, err.message);
        return;
    }
    if (head_bytes == 0) {
        return;
    }
    client->stage = STAGE_OPEN;
    loop_timer_stop(client->deadline);
    bool kept = ws_reader_feed(&client->reader, client->head.bytes + head_bytes,
                               client->head.size - head_bytes);
    buf_done(&client->head);
    if (!kept) {
        client_close(client, "more than can be kept, or no memory");
        return;
    }
    client->options.on_open(client->options.user);
    client_read_frames(client);
}

static void client_take_bytes(struct ws_client *client, const char *bytes, size_t size)
{
    if (client->stage == STAGE_HANDSHAKE) {
        if (!buf_append(&client->head, bytes, size)) {
            client_close(client, "the answer to the handshake does not end");
            return;
        }
        client_read_head(client);
    } else if (!ws_reader_feed(&client->reader, bytes, size)) {
        client_close(client, "more than can be kept, or no memory");
    } else {
        client_read_frames(client);
    }
}

/* Reads until there is nothing more: TLS may hold bytes that the socket no longer has. */
static void client_receive(struct ws_client *client)
{
    char chunk[CHUNK_BYTES];
    while (client->stage != STAGE_CLOSED && !client->doomed) {
        size_t size = 0;
        CURLcode code = curl_easy_recv(client->easy, chunk, sizeof chunk, &size);
        if (code == CURLE_AGAIN) {
            return;
        }
        if (code != CURLE_OK || size == 0) {
            client_close(client,
                         code != CURLE_OK ? curl_easy_strerror(code) : "the connection was closed");
            return;
        }
        client_take_bytes(client, chunk, size);
    }
}

static void client_ready(void *user, int fd, struct loop_ready ready)
{
    struct ws_client *client = user;
    (void)fd;
    (void)ready;
    client->depth++;
    client_receive(client);
    client_flush(client);
    client->depth--;
    if (client->doomed) {
        client_free(client);
    }
}

/* ---- connecting ---- */

static void client_connected(struct ws_client *client)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    loop_timer_stop(client->step);
    client->stage = STAGE_HANDSHAKE;
    if (curl_easy_getinfo(client->easy, CURLINFO_ACTIVESOCKET, &fd) || fd == CURL_SOCKET_BAD ||
        loop_poll_create(client->loop, fd, client_ready, client, &client->poll, NULL)) {
        client_close(client, "the connection cannot be watched");
        return;
    }
    client_flush(client);
}

static void client_step(void *user)
{
    struct ws_client *client = user;
    int running = 0;
    int left = 0;
    (void)curl_multi_perform(client->multi, &running);
    CURLMsg *message = curl_multi_info_read(client->multi, &left);
    if (!message) {
        return;
    }
    CURLcode code = message->data.result;
    if (code == CURLE_OK) {
        client_connected(client);
    } else {
        client_close(client, curl_easy_strerror(code));
    }
}

/* ---- making ---- */

/* "wss://host:1/path" to "https://host:1/path" for libcurl, and to host and target for the
 * handshake. */
static int split_url(const char *url, struct buf *address, struct buf *host, const char **target,
                     struct error *err)
{
    bool is_secure = strncmp(url, "wss://", 6) == 0;
    const char *authority = url + (is_secure ? 6 : 5);
    if (!is_secure && strncmp(url, "ws://", 5) != 0) {
        return error_set(err, ERROR_CONFIG, "a WebSocket's address begins with wss://");
    }
    size_t bytes = strcspn(authority, "/?#");
    const char *rest = authority + bytes;
    if (bytes == 0 || memchr(authority, '@', bytes) || strchr(rest, '#') || *rest == '?') {
        return error_set(err, ERROR_CONFIG,
                         "a WebSocket's address has a host, no user or fragment, and a path before "
                         "its query");
    }
    buf_append(host, authority, bytes);
    buf_printf(address, "%s%s", is_secure ? "https://" : "http://", buf_string(host));
    *target = *rest == '/' ? rest : "/";
    return host->failed || address->failed ? error_set(err, ERROR_LIMIT, "too long an address") : 0;
}

static CURLcode set_options(struct ws_client *client, const char *address)
{
    const struct ws_client_options *options = &client->options;
    CURLcode code = http_call_set_trust(client->easy, options->ca_file);
    code = code ? code : curl_easy_setopt(client->easy, CURLOPT_URL, address);
    code = code ? code : curl_easy_setopt(client->easy, CURLOPT_CONNECT_ONLY, 1L);
    code = code ? code : curl_easy_setopt(client->easy, CURLOPT_NOSIGNAL, 1L);
    code = code ? code : curl_easy_setopt(client->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    code = code ? code : curl_easy_setopt(client->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    code = code ? code : curl_easy_setopt(client->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    code = code ? code
                : curl_easy_setopt(client->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    code =
        code ? code
             : curl_easy_setopt(client->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
    if (!code && options->proxy) {
        code = curl_easy_setopt(client->easy, CURLOPT_PROXY, options->proxy);
    }
    return code;
}

static int write_handshake(struct ws_client *client, const char *host, const char *target,
                           struct error *err)
{
    unsigned char random[WS_KEY_BYTES];
    keyhash_random_bytes(random, sizeof random);
    const struct ws_handshake handshake = {
        .host = host,
        .target = target,
        .key = ws_handshake_key(random, client->key),
        .headers = client->options.headers,
        .header_count = client->options.header_count,
    };
    return ws_handshake_write(&handshake, &client->output)
               ? 0
               : error_set(err, ERROR_CONFIG, "the handshake holds what cannot be in a header");
}

static int open_curl(struct ws_client *client, struct error *err)
{
    struct buf address;
    struct buf host;
    const char *target = "/";
    buf_init(&address, 2048);
    buf_init(&host, 1024);
    int result = split_url(client->options.url, &address, &host, &target, err);
    if (!result) {
        result = write_handshake(client, buf_string(&host), target, err);
    }
    if (!result) {
        client->multi = curl_multi_init();
        client->easy = curl_easy_init();
        bool ready = client->multi && client->easy &&
                     set_options(client, buf_string(&address)) == CURLE_OK &&
                     curl_multi_add_handle(client->multi, client->easy) == CURLM_OK;
        client->in_multi = ready;
        result = ready ? 0 : error_set(err, ERROR_MEMORY, "no memory for a WebSocket");
    }
    buf_done(&address);
    buf_done(&host);
    return result;
}

static int make_timers(struct ws_client *client, struct error *err)
{
    int result = loop_timer_create(client->loop, client_step, client, &client->step, err);
    if (!result) {
        result = loop_timer_create(client->loop, client_too_late, client, &client->deadline, err);
    }
    return result ? result
                  : loop_timer_create(client->loop, client_ended, client, &client->ending, err);
}

int ws_client_create(struct ws_client **client, struct loop *loop,
                     const struct ws_client_options *options, struct error *err)
{
    *client = NULL;
    struct ws_client *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for a WebSocket");
    }
    created->loop = loop;
    created->options = *options;
    buf_init(&created->output, options->queue_bytes_max + HANDSHAKE_BYTES_MAX);
    buf_init(&created->head, HANDSHAKE_BYTES_MAX);
    ws_reader_init(&created->reader, options->message_bytes_max);
    int result = make_timers(created, err);
    result = result ? result : open_curl(created, err);
    if (result) {
        client_free(created);
        return result;
    }
    loop_timer_start(created->step, 0, STEP_MS);
    loop_timer_start(created->deadline, options->connect_ms, 0);
    *client = created;
    return 0;
}

void ws_client_destroy(struct ws_client *client)
{
    static const unsigned char going_away[] = {0x03, 0xE9};
    if (!client) {
        return;
    }
    if (client->stage == STAGE_OPEN) {
        (void)client_queue(client, WS_OPCODE_CLOSE, going_away, sizeof going_away);
        client_flush(client);
    }
    client->stage = STAGE_CLOSED;
    loop_timer_stop(client->ending);
    client->doomed = true;
    if (client->depth == 0) {
        client_free(client);
    }
}
