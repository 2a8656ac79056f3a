/* daemon_client.c - see daemon_client.h. Each request runs the loop until its answer is there: a
 * command has nothing else to do meanwhile. */
#include "commands/daemon_client.h"

#include "base/json.h"
#include "config/wire.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_BYTES_MAX = 256 << 20, /* /api/calls of ten thousand calls with three minutes of points */
    HEADER_BYTES_MAX = 16 << 10,
    BASE_BYTES_MAX = 512,
    URL_BYTES_MAX = 4096,
    TOKEN_BYTES_MAX = 4096,
    CONNECT_TIMEOUT_MS = 3000,
    TIMEOUT_MS = 20000,
};

struct daemon_client {
    struct loop *loop;
    struct http_client *http;
    struct buf base;
    struct buf authorization; /* "Bearer ...", or empty */

    /* the request under way */
    struct buf *body;
    bool body_failed;
    int status;
    enum http_failure failure;
    char failure_text[160];
};

static void answered(void *user, const struct http_response *response)
{
    struct daemon_client *client = user;
    client->failure = response->failure;
    client->status = response->status;
    (void)snprintf(client->failure_text, sizeof client->failure_text, "%s", response->failure_text);
    client->body_failed = !buf_append(client->body, response->body, response->body_bytes);
    loop_stop(client->loop);
}

static int exchange(struct daemon_client *client, const char *method, const char *path,
                    const char *body, bool with_token, struct buf *out, struct error *err)
{
    struct buf url;
    struct http_header headers[2];
    size_t count = 0;
    if (with_token && client->authorization.size > 0) {
        headers[count++] =
            (struct http_header){"Authorization", buf_string(&client->authorization)};
    }
    if (body) {
        headers[count++] = (struct http_header){"Content-Type", "application/json"};
    }
    buf_init(&url, URL_BYTES_MAX);
    buf_clear(out);
    client->body = out;
    int code = buf_printf(&url, "%s%s", buf_string(&client->base), path)
                   ? 0
                   : error_set(err, ERROR_LIMIT, "the call's name is too long");
    const struct http_request request = {
        .method = method,
        .url = buf_string(&url),
        .headers = headers,
        .header_count = count,
        .body = body,
        .body_bytes = body ? strlen(body) : 0,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = TIMEOUT_MS,
    };
    code = code ? code : http_client_send(client->http, &request, answered, client, NULL, err);
    if (code == 0) {
        loop_run(client->loop);
        if (client->failure != HTTP_FAILURE_NONE) {
            code = error_set_retriable(
                err, ERROR_NETWORK,
                "%s: %s (%s); is undertone running, and is this its http.listen? --at ADDRESS "
                "names another",
                buf_string(&client->base), http_failure_name(client->failure),
                client->failure_text);
        } else if (client->body_failed) {
            code = error_set(err, ERROR_LIMIT, "%s: the answer is too long", buf_string(&url));
        }
    }
    buf_done(&url);
    return code;
}

int daemon_client_read(struct daemon_client *client, const char *path, struct buf *out,
                       struct error *err)
{
    int code = exchange(client, "GET", path, NULL, false, out, err);
    if (code == 0 && client->status != 200) {
        code =
            error_set(err, ERROR_NETWORK, "%s%s answers %d: this is no undertone with a wallboard",
                      buf_string(&client->base), path, client->status);
    }
    return code;
}

/* What the API says is wrong, in its words. */
static int refused(const struct daemon_client *client, const struct buf *body, struct error *err)
{
    struct json_document *document;
    struct error ignored;
    const char *message = NULL;
    if (json_parse(buf_string(body), body->size, &document, &ignored) == 0) {
        message = json_as_string(json_pointer(json_root(document), "/error/message"), NULL);
    }
    int code = client->status == 401 || client->status == 403 ? ERROR_PERMISSION : ERROR_CONFIG;
    code = error_set(err, code, "undertone answers %d: %s", client->status,
                     message ? message : "and does not say why");
    json_free(document);
    return code;
}

int daemon_client_ask(struct daemon_client *client, const char *method, const char *path,
                      const char *body, int *status, struct error *err)
{
    struct buf reply;
    if (client->authorization.size == 0) {
        return error_set(err, ERROR_CONFIG,
                         "there is no token for undertone's API: set api.token_file as the daemon "
                         "has it (docs/API.md)");
    }
    buf_init(&reply, BODY_BYTES_MAX);
    int code = exchange(client, method, path, body, true, &reply, err);
    *status = client->status;
    if (code == 0 && (client->status < 200 || client->status > 299)) {
        code = refused(client, &reply, err);
    }
    buf_done(&reply);
    return code;
}

/* ---- life ---- */

/* Who listens on every address is asked on this machine. */
static int name_listener(struct daemon_client *client, const struct config *config,
                         struct error *err)
{
    char address[WIRE_ADDRESS_BYTES];
    uint16_t port;
    if (!*config->http_listen) {
        return error_set(err, ERROR_CONFIG,
                         "http.listen is not set: undertone answers nobody; --at ADDRESS names "
                         "one that does");
    }
    int code = wire_listen(config->http_listen, address, &port, err);
    if (code != 0) {
        return code;
    }
    const char *host = address;
    host = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host;
    host = strcmp(host, "::") == 0 ? "::1" : host;
    bool six = strchr(host, ':') != NULL;
    (void)buf_printf(&client->base, "%s://%s%s%s:%u",
                     *config->http_tls_certificate ? "https" : "http", six ? "[" : "", host,
                     six ? "]" : "", (unsigned)port);
    return 0;
}

static int open_client(struct daemon_client *client, const struct config *config, const char *at,
                       struct error *err)
{
    const struct http_client_options options = {
        .body_bytes_max = BODY_BYTES_MAX,
        .header_bytes_max = HEADER_BYTES_MAX,
        .connections_per_host_max = 1,
        .calls_max = 1,
        .user_agent = "undertone/" UNDERTONE_VERSION,
        .ca_file = *config->http_tls_certificate ? config->http_tls_certificate : NULL,
        .proxy = "", /* none: this is the machine's own, or named in full */
    };
    int code = at ? url_check_base(at, !*config->api_token, &client->base, err)
                  : name_listener(client, config, err);
    if (code != 0) {
        return at ? error_wrap(err, "--at") : code;
    }
    if (*config->api_token && !buf_printf(&client->authorization, "Bearer %s", config->api_token)) {
        return error_set(err, ERROR_CONFIG, "api.token is too long");
    }
    code = loop_create(&client->loop, err);
    return code ? code : http_client_create(&client->http, client->loop, &options, err);
}

int daemon_client_create(struct daemon_client **client, const struct config *config, const char *at,
                         struct error *err)
{
    *client = NULL;
    struct daemon_client *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for a request");
    }
    buf_init(&made->base, BASE_BYTES_MAX);
    buf_init(&made->authorization, TOKEN_BYTES_MAX);
    int code = open_client(made, config, at, err);
    if (code != 0) {
        daemon_client_destroy(made);
        return code;
    }
    *client = made;
    return 0;
}

void daemon_client_destroy(struct daemon_client *client)
{
    if (client) {
        http_client_destroy(client->http);
        loop_destroy(client->loop);
        buf_done(&client->base);
        buf_done(&client->authorization);
        free(client);
    }
}
