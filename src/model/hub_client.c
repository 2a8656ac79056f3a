/* hub_client.c - see hub_client.h. Each request runs the loop until its answer is there: a command
 * has nothing else to do meanwhile. */
#include "model/hub_client.h"

#include "net/loop.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BODY_BYTES_MAX = 16 << 20, /* the list of a repository's files */
    HEADER_BYTES_MAX = 64 << 10,
    URL_BYTES_MAX = 8192, /* signed storage URLs are long */
    REDIRECTS_MAX = 6,
    CONNECT_TIMEOUT_MS = 15000,
    API_TIMEOUT_MS = 60000,
    DOWNLOAD_TIMEOUT_MS = 24 * 3600 * 1000, /* stalls end sooner */
};

struct hub_client {
    struct loop *loop;
    struct http_client *http;
    struct buf endpoint;
    struct buf authorization; /* "Bearer ...", or empty */

    /* the request under way */
    http_body_fn *take;
    void *user;
    struct buf *body; /* where a kept body goes, or NULL */
    bool body_failed;
    enum http_failure failure;
    char failure_text[160];
    struct hub_client_reply reply;
    struct buf location;
};

/* ---- one exchange ---- */

static bool pass_body(void *user, int status, const char *bytes, size_t size)
{
    struct hub_client *client = user;
    return client->take(client->user, status, bytes, size);
}

/* A strong or weak entity tag's word; what is none, or would be no file name, is left out. */
static void keep_etag(struct hub_client_reply *reply, const char *value)
{
    if (!value || reply->etag[0]) {
        return;
    }
    value += strncmp(value, "W/", 2) == 0 ? 2 : 0;
    value += *value == '"';
    size_t size = strspn(value, "0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-_");
    if (size >= 16 && size < sizeof reply->etag && (value[size] == '"' || value[size] == '\0')) {
        (void)snprintf(reply->etag, sizeof reply->etag, "%.*s", (int)size, value);
    }
}

static void keep_size(struct hub_client_reply *reply, const char *value)
{
    char *end;
    if (value && reply->size < 0 && *value >= '0' && *value <= '9') {
        long long size = strtoll(value, &end, 10);
        reply->size = *end == '\0' && size >= 0 ? size : -1;
    }
}

static void answered(void *user, const struct http_response *response)
{
    struct hub_client *client = user;
    struct hub_client_reply *reply = &client->reply;
    client->failure = response->failure;
    (void)snprintf(client->failure_text, sizeof client->failure_text, "%s", response->failure_text);
    reply->status = response->status;
    const char *location = http_client_header(response, "Location");
    bool is_redirect = response->status >= 300 && response->status < 400 && location;
    buf_clear(&client->location);
    if (is_redirect) {
        buf_append_string(&client->location, location);
    }
    /* A redirect's own tag and length are not the file's; its X-Linked ones are. */
    keep_etag(reply, http_client_header(response, "X-Linked-ETag"));
    keep_size(reply, http_client_header(response, "X-Linked-Size"));
    if (!is_redirect && response->status == 200) {
        keep_etag(reply, http_client_header(response, "ETag"));
        keep_size(reply, http_client_header(response, "Content-Length"));
    }
    if (client->body && response->status == 200) {
        buf_clear(client->body);
        client->body_failed = !buf_append(client->body, response->body, response->body_bytes);
    }
    loop_stop(client->loop);
}

static int fail_network(const struct hub_client *client, struct error *err)
{
    return error_set_retriable(err, ERROR_NETWORK, "the hub %s: %s (%s)",
                               buf_string(&client->endpoint), http_failure_name(client->failure),
                               client->failure_text);
}

static int exchange(struct hub_client *client, const char *method, const char *url, bool with_token,
                    int64_t offset, struct error *err)
{
    char range[48];
    struct http_header headers[3];
    size_t count = 0;
    if (with_token && client->authorization.size > 0) {
        headers[count++] =
            (struct http_header){"Authorization", buf_string(&client->authorization)};
    }
    if (offset > 0) {
        (void)snprintf(range, sizeof range, "bytes=%lld-", (long long)offset);
        headers[count++] = (struct http_header){"Range", range};
    }
    const struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = count,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = client->take ? DOWNLOAD_TIMEOUT_MS : API_TIMEOUT_MS,
        .on_body = client->take ? pass_body : NULL,
    };
    int code = http_client_send(client->http, &request, answered, client, NULL, err);
    if (code != 0) {
        return code;
    }
    loop_run(client->loop);
    return client->failure == HTTP_FAILURE_NONE ? 0 : fail_network(client, err);
}

/* ---- redirects ---- */

/* How many bytes of a URL are its scheme, host and port. */
static size_t origin_bytes(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

static bool same_origin(const char *a, const char *b)
{
    size_t bytes = origin_bytes(a);
    return bytes > 0 && bytes == origin_bytes(b) && strncasecmp(a, b, bytes) == 0;
}

/* Replaces url by where it points to. */
static int follow(const struct hub_client *client, struct buf *url, struct error *err)
{
    const char *to = buf_string(&client->location);
    bool was_secure = strncasecmp(buf_string(url), "https://", 8) == 0;
    if (*to == '/' && to[1] != '/') {
        url->size = origin_bytes(buf_string(url));
        url->bytes[url->size] = '\0';
    } else if (strncasecmp(to, "https://", 8) == 0 ||
               (strncasecmp(to, "http://", 7) == 0 && !was_secure)) {
        buf_clear(url);
    } else {
        return error_set(err, ERROR_NETWORK, "the hub %s redirects to what is no safe address",
                         buf_string(&client->endpoint));
    }
    return buf_append_string(url, to)
               ? 0
               : error_set(err, ERROR_LIMIT, "the hub %s redirects to too long an address",
                           buf_string(&client->endpoint));
}

/* Follows redirects; with `only_here`, those that stay at the hub: the first answer that leaves it
 * has said all that is to be known. */
static int ask(struct hub_client *client, const char *method, const char *path, bool only_here,
               int64_t offset, struct error *err)
{
    struct buf url;
    buf_init(&url, URL_BYTES_MAX);
    client->reply = (struct hub_client_reply){.size = -1};
    int code = buf_printf(&url, "%s%s", buf_string(&client->endpoint), path)
                   ? 0
                   : error_set(err, ERROR_LIMIT, "the model's name is too long");
    for (int hop = 0; code == 0; hop++) {
        bool at_hub = same_origin(buf_string(&url), buf_string(&client->endpoint));
        code = exchange(client, method, buf_string(&url), at_hub, offset, err);
        if (code != 0 || client->location.size == 0) {
            break;
        }
        if (hop == REDIRECTS_MAX) {
            code = error_set(err, ERROR_NETWORK, "the hub %s redirects without end",
                             buf_string(&client->endpoint));
            break;
        }
        code = follow(client, &url, err);
        if (code == 0 && only_here &&
            !same_origin(buf_string(&url), buf_string(&client->endpoint))) {
            client->reply.status = 200;
            break;
        }
    }
    buf_done(&url);
    return code;
}

/* ---- what is asked ---- */

static int check_status(const struct hub_client *client, const char *path, struct error *err)
{
    int status = client->reply.status;
    const char *endpoint = buf_string(&client->endpoint);
    if (status == 200 || status == 206) {
        return 0;
    }
    if (status == 401 || status == 403) {
        return error_set(err, ERROR_PERMISSION,
                         "%s%s: the hub says %d: there is no such model, or it is not public; %s",
                         endpoint, path, status,
                         client->authorization.size > 0
                             ? "ask its owner for access, the token given has none"
                             : "set HF_TOKEN if you have access");
    }
    if (status == 404) {
        return error_set(err, ERROR_CONFIG, "%s%s: the hub has no such model, revision or file",
                         endpoint, path);
    }
    bool retriable = status == 429 || status >= 500;
    return retriable
               ? error_set_retriable(err, ERROR_NETWORK, "%s%s: the hub says %d", endpoint, path,
                                     status)
               : error_set(err, ERROR_NETWORK, "%s%s: the hub says %d", endpoint, path, status);
}

int hub_client_get(struct hub_client *client, const char *path, struct buf *out, struct error *err)
{
    client->take = NULL;
    client->body = out;
    client->body_failed = false;
    int code = ask(client, "GET", path, false, 0, err);
    client->body = NULL;
    code = code ? code : check_status(client, path, err);
    if (code == 0 && client->body_failed) {
        code = error_set(err, ERROR_LIMIT, "%s: the hub's answer is too long", path);
    }
    return code;
}

int hub_client_look(struct hub_client *client, const char *path, struct hub_client_reply *reply,
                    struct error *err)
{
    client->take = NULL;
    int code = ask(client, "HEAD", path, true, 0, err);
    *reply = client->reply;
    return code ? code : check_status(client, path, err);
}

int hub_client_download(struct hub_client *client, const char *path, int64_t offset,
                        http_body_fn *take, void *user, struct error *err)
{
    client->take = take;
    client->user = user;
    int code = ask(client, "GET", path, false, offset, err);
    client->take = NULL;
    return code ? code : check_status(client, path, err);
}

/* ---- life ---- */

/* Plain http is for a hub on this machine, and for a mirror that needs no token. */
static int open_client(struct hub_client *client, const struct hub_client_options *options,
                       struct error *err)
{
    const struct http_client_options http = {
        .body_bytes_max = BODY_BYTES_MAX,
        .header_bytes_max = HEADER_BYTES_MAX,
        .connections_per_host_max = 2,
        .calls_max = 4,
        .user_agent = "undertone/" UNDERTONE_VERSION,
    };
    int code = url_check_base(options->endpoint, options->token == NULL, &client->endpoint, err);
    if (code != 0) {
        return error_wrap(err, "HF_ENDPOINT");
    }
    if (options->token && !buf_printf(&client->authorization, "Bearer %s", options->token)) {
        return error_set(err, ERROR_CONFIG, "the hub's token is too long");
    }
    code = loop_create(&client->loop, err);
    return code ? code : http_client_create(&client->http, client->loop, &http, err);
}

int hub_client_create(struct hub_client **client, const struct hub_client_options *options,
                      struct error *err)
{
    enum { TOKEN_BYTES_MAX = 4096 };
    *client = NULL;
    struct hub_client *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for a request");
    }
    buf_init(&made->endpoint, URL_BYTES_MAX);
    buf_init(&made->authorization, TOKEN_BYTES_MAX);
    buf_init(&made->location, URL_BYTES_MAX);
    int code = open_client(made, options, err);
    if (code != 0) {
        hub_client_destroy(made);
        return code;
    }
    *client = made;
    return 0;
}

void hub_client_destroy(struct hub_client *client)
{
    if (client) {
        http_client_destroy(client->http);
        loop_destroy(client->loop);
        buf_done(&client->endpoint);
        buf_done(&client->authorization);
        buf_done(&client->location);
        free(client);
    }
}
