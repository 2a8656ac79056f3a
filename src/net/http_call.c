/* http_call.c - see http_call_internal.h.
 *
 * The header and body limits are enforced where libcurl hands bytes over, after decompression: a
 * small compressed body cannot become a large one here. Redirects are not followed and 4xx and 5xx
 * are no failures: both are answers.
 */
#include "net/http_call_internal.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    HTTP_CALL_HEADER_LINE_BYTES_MAX = 64 * 1024, /* of a request */
    HTTP_CALL_ORIGIN_BYTES_MAX = 512,
    /* Shorter than the idle time load balancers commonly allow (60 s), so that we close first. */
    HTTP_CALL_IDLE_S = 55,
    /* Old connections go, so that a changed DNS entry is noticed. */
    HTTP_CALL_CONNECTION_S = 300,
    HTTP_CALL_STALL_S = 60,
    HTTP_CALL_UNHEARD_MS = 10000,
};

void http_call_move(struct http_call *call, struct http_call_list *list)
{
    struct http_call_list *from = call->list;
    if (from) {
        *(call->previous ? &call->previous->next : &from->first) = call->next;
        *(call->next ? &call->next->previous : &from->last) = call->previous;
    }
    call->list = list;
    call->next = NULL;
    call->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = call;
    list->last = call;
}

/* ---- what libcurl tells us ---- */

static int call_before_request(void *user, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    struct http_call *call = user;
    call->request_sent = true;
    return CURL_PREREQFUNC_OK;
}

static size_t call_takes_body(char *bytes, size_t one, size_t size, void *user)
{
    (void)one; /* always 1 */
    struct http_call *call = user;
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call->on_body && status >= 200 && status < 300) {
        if (!call->on_body(call->user, (int)status, bytes, size)) {
            call->verdict = HTTP_FAILURE_CANCELLED;
            return 0;
        }
        return size;
    }
    if (!buf_append(&call->body, bytes, size)) {
        call->too_large = true;
        return 0; /* ends the transfer */
    }
    return size;
}

/* Splits "Name: value" and stores the two as C strings. What is no header line, or holds a NUL, is
 * left out. */
static bool call_stores_header(struct http_call *call, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon || memchr(line, '\0', size)) {
        return true;
    }
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && strchr(" \t\r\n", end[-1])) {
        end--;
    }
    (void)buf_append(&call->headers, line, (size_t)(colon - line));
    (void)buf_append_char(&call->headers, '\0');
    (void)buf_append(&call->headers, value, (size_t)(end - value));
    return buf_append_char(&call->headers, '\0');
}

/* One line, with its line ending. A status line starts a response: after an interim one (100, 103)
 * another follows. An empty line ends the headers; what comes later are trailers, which are
 * counted but not kept (RFC 9110 section 6.5.1: they must not be merged by default). */
static size_t call_takes_header(char *line, size_t one, size_t size, void *user)
{
    (void)one;
    struct http_call *call = user;
    call->header_bytes += size;
    if (call->header_bytes > call->header_bytes_max) {
        call->too_large = true;
        return 0;
    }
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        buf_clear(&call->headers);
        call->headers_complete = false;
    } else if (size <= 2) {
        call->headers_complete = true;
    } else if (!call->headers_complete && !call_stores_header(call, line, size)) {
        call->too_large = true;
        return 0;
    }
    return size;
}

/* ---- the handle ---- */

/* What is sent and not acknowledged for so long ends its connection: over HTTP/2 further requests
 * would go the same way, which leads nowhere. A kernel that cannot do so is no reason not to
 * connect. */
static int call_sets_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    unsigned patience_ms = HTTP_CALL_UNHEARD_MS;
    (void)user;
    (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
    return CURL_SOCKOPT_OK;
}

/* The first failed option is remembered; the last ones need not be looked at one by one. */
#define CALL_SET(easy, code, option, value)                   \
    do {                                                      \
        if ((code) == CURLE_OK) {                             \
            (code) = curl_easy_setopt(easy, option, (value)); \
        }                                                     \
    } while (0)

/* TLS trust. The system's certificates come as one bundle file and as a directory of hashed names,
 * and libcurl has one slot for each kind. An extra CA file takes the file slot while the directory
 * keeps the system's trust, so it is added and replaces nothing. Without an extra file the bundle
 * serves alone: only then does libcurl keep the parsed store between connections, which otherwise
 * costs some 20 ms of CPU for every handshake. */
CURLcode http_call_set_trust(CURL *easy, const char *ca_file)
{
    CURLcode code = CURLE_OK;
    CALL_SET(easy, code, CURLOPT_SSL_VERIFYPEER, 1L);
    CALL_SET(easy, code, CURLOPT_SSL_VERIFYHOST, 2L);
    CALL_SET(easy, code, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file) {
        CALL_SET(easy, code, CURLOPT_CAINFO, ca_file);
    } else if (curl_version_info(CURLVERSION_NOW)->cainfo) {
        CALL_SET(easy, code, CURLOPT_CAPATH, (char *)NULL);
    }
    return code;
}

static CURLcode call_set_callbacks(struct http_call *call)
{
    CURLcode code = CURLE_OK;
    CALL_SET(call->easy, code, CURLOPT_PRIVATE, call);
    CALL_SET(call->easy, code, CURLOPT_ERRORBUFFER, call->reason);
    CALL_SET(call->easy, code, CURLOPT_WRITEFUNCTION, call_takes_body);
    CALL_SET(call->easy, code, CURLOPT_WRITEDATA, call);
    CALL_SET(call->easy, code, CURLOPT_HEADERFUNCTION, call_takes_header);
    CALL_SET(call->easy, code, CURLOPT_HEADERDATA, call);
    CALL_SET(call->easy, code, CURLOPT_PREREQFUNCTION, call_before_request);
    CALL_SET(call->easy, code, CURLOPT_PREREQDATA, call);
    return code;
}

static CURLcode call_set_constants(CURL *easy, const struct http_client_options *options)
{
    CURLcode code = http_call_set_trust(easy, options->ca_file);
    CALL_SET(easy, code, CURLOPT_NOSIGNAL, 1L);
    /* A name lookup given up is left to end by itself: waiting for its thread would stop the loop
     * for as long as the resolver likes. */
    CALL_SET(easy, code, CURLOPT_QUICK_EXIT, 1L);
    CALL_SET(easy, code, CURLOPT_PROTOCOLS_STR, "http,https");
    CALL_SET(easy, code, CURLOPT_FOLLOWLOCATION, 0L);
    CALL_SET(easy, code, CURLOPT_FAILONERROR, 0L);
    CALL_SET(easy, code, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    CALL_SET(easy, code, CURLOPT_TCP_KEEPALIVE, 1L);
    CALL_SET(easy, code, CURLOPT_MAXAGE_CONN, (long)HTTP_CALL_IDLE_S);
    CALL_SET(easy, code, CURLOPT_MAXLIFETIME_CONN, (long)HTTP_CALL_CONNECTION_S);
    CALL_SET(easy, code, CURLOPT_USERAGENT, options->user_agent);
    CALL_SET(easy, code, CURLOPT_SOCKOPTFUNCTION, call_sets_socket);
    if (options->proxy) {
        CALL_SET(easy, code, CURLOPT_PROXY, options->proxy);
    }
    return code;
}

struct http_call *http_call_create(const struct http_client_options *options)
{
    struct http_call *call = calloc(1, sizeof *call);
    if (!call) {
        return NULL;
    }
    call->header_bytes_max = options->header_bytes_max;
    buf_init(&call->origin, HTTP_CALL_ORIGIN_BYTES_MAX);
    buf_init(&call->request_body, SIZE_MAX - 1);
    buf_init(&call->headers, options->header_bytes_max);
    buf_init(&call->body, options->body_bytes_max);
    call->easy = curl_easy_init();
    if (!call->easy || call_set_constants(call->easy, options) || call_set_callbacks(call)) {
        http_call_destroy(call);
        return NULL;
    }
    return call;
}

void http_call_clear(struct http_call *call)
{
    curl_slist_free_all(call->request_headers);
    call->request_headers = NULL;
    buf_done(&call->origin);
    buf_done(&call->request_body); /* not kept for reuse: one large body must not pin memory */
    buf_done(&call->headers);
    buf_done(&call->body);
    call->verdict = HTTP_FAILURE_NONE;
    call->on_body = NULL;
    call->host = NULL;
    call->request_sent = false;
    call->too_large = false;
    call->headers_complete = false;
    call->header_bytes = 0;
    call->reason[0] = '\0';
}

void http_call_destroy(struct http_call *call)
{
    if (call) {
        curl_easy_cleanup(call->easy);
        loop_timer_destroy(call->watchdog);
        http_call_clear(call);
        free(call);
    }
}

/* ---- the request ---- */

/* Notes scheme, host and port. The message does not repeat the URL: its query may hold what no log
 * should. */
static int check_url(struct http_call *call, const char *text, struct error *err)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *url = curl_url();
    CURLUcode code = url ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
    code = code ? code : curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    code = code ? code : curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    code = code ? code : curl_url_get(url, CURLUPART_HOST, &host, 0);
    code = code ? code : curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    int rc = 0;
    if (code) {
        rc = error_set(err, code == CURLUE_OUT_OF_MEMORY ? ERROR_MEMORY : ERROR_FORMAT,
                       "the request's URL does not parse: %s", curl_url_strerror(code));
    } else if (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0) {
        rc = error_set(err, ERROR_FORMAT, "the request's URL is neither http nor https");
    } else if (!buf_printf(&call->origin, "%s://%s:%s", scheme, host, port)) {
        rc = error_set(err, ERROR_FORMAT, "the host in the request's URL is too long");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return rc;
}

/* A line break in a header would start another header, or the body. */
static bool header_is_safe(const struct http_header *header)
{
    static const char TOKEN[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t name_bytes = strspn(header->name, TOKEN); /* RFC 9110 section 5.6.2 */
    return name_bytes > 0 && header->name[name_bytes] == '\0' && !strpbrk(header->value, "\r\n");
}

static bool add_header_line(struct http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->request_headers, line);
    call->request_headers = longer ? longer : call->request_headers;
    return longer != NULL;
}

static int add_headers(struct http_call *call, const struct http_request *request,
                       struct error *err)
{
    struct buf line;
    buf_init(&line, HTTP_CALL_HEADER_LINE_BYTES_MAX);
    /* libcurl would otherwise wait for "100 Continue" before it sends a large body. */
    bool ok = add_header_line(call, "Expect:");
    for (size_t i = 0; ok && i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (!header_is_safe(header)) {
            buf_done(&line);
            return error_set(err, ERROR_FORMAT,
                             "request header %zu: a character that is not allowed there", i + 1);
        }
        buf_clear(&line);
        /* A semicolon is libcurl's way to write a header without a value. */
        ok = header->value[0] ? buf_printf(&line, "%s: %s", header->name, header->value)
                              : buf_printf(&line, "%s;", header->name);
        ok = ok && add_header_line(call, buf_string(&line));
    }
    buf_done(&line);
    return ok ? 0 : error_set(err, ERROR_MEMORY, "no memory for a request");
}

static CURLcode set_method(struct http_call *call, const char *method)
{
    CURLcode code = CURLE_OK;
    bool get = strcmp(method, "GET") == 0;
    bool post = strcmp(method, "POST") == 0;
    bool head = strcmp(method, "HEAD") == 0;
    if (get || head) {
        CALL_SET(call->easy, code, CURLOPT_POSTFIELDS, NULL); /* the handle's last body is freed */
        CALL_SET(call->easy, code, head ? CURLOPT_NOBODY : CURLOPT_HTTPGET,
                 1L); /* after it, as that means POST */
    } else {
        curl_off_t size = (curl_off_t)call->request_body.size;
        CALL_SET(call->easy, code, CURLOPT_POSTFIELDSIZE_LARGE, size);
        CALL_SET(call->easy, code, CURLOPT_POSTFIELDS, buf_string(&call->request_body));
        CALL_SET(call->easy, code, CURLOPT_POST, 1L);
    }
    CALL_SET(call->easy, code, CURLOPT_CUSTOMREQUEST, get || post || head ? NULL : method);
    /* libcurl sends a request again when a kept connection turns out to be closed before any byte
     * of a response. The server may have acted on the first one, so this is not for POST: it always
     * gets a connection of its own. */
    CALL_SET(call->easy, code, CURLOPT_FRESH_CONNECT, post ? 1L : 0L);
    return code;
}

/* Over plain HTTP nothing tells what a server speaks, and libcurl 7.88, Debian 12's, cannot use
 * such a connection twice: there it is always 1.1. */
static CURLcode set_version(struct http_call *call, enum http_version asked,
                            enum http_version usual)
{
    enum http_version version = asked ? asked : usual;
    bool tls = strncasecmp(buf_string(&call->origin), "https", 5) == 0;
    CURLcode code = CURLE_OK;
    call->multiplexes = tls && version == HTTP_VERSION_AUTO;
    CALL_SET(call->easy, code, CURLOPT_HTTP_VERSION,
             call->multiplexes ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    CALL_SET(call->easy, code, CURLOPT_PIPEWAIT, call->multiplexes ? 1L : 0L);
    /* A kept connection of another version would serve others too, whatever they ask for. */
    CALL_SET(call->easy, code, CURLOPT_FORBID_REUSE, version != usual ? 1L : 0L);
    return code;
}

static long timeout_fit_ms(int64_t timeout_ms)
{
    return timeout_ms < INT_MAX ? (long)timeout_ms : INT_MAX;
}

static bool method_is_known(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0 ||
           strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

int http_call_prepare(struct http_call *call, const struct http_request *request,
                      enum http_version usual, struct error *err)
{
    if (!method_is_known(request->method) || request->timeout_ms <= 0 ||
        request->connect_timeout_ms <= 0) {
        return error_set(err, ERROR_INTERNAL, "a request without a known method or a timeout");
    }
    int rc = check_url(call, request->url, err);
    rc = rc ? rc : add_headers(call, request, err);
    if (rc) {
        return rc;
    }
    CURLcode code = CURLE_OK;
    if (request->body && !buf_append(&call->request_body, request->body, request->body_bytes)) {
        code = CURLE_OUT_OF_MEMORY;
    }
    CALL_SET(call->easy, code, CURLOPT_URL, request->url);
    CALL_SET(call->easy, code, CURLOPT_HTTPHEADER, call->request_headers);
    CALL_SET(call->easy, code, CURLOPT_CONNECTTIMEOUT_MS,
             timeout_fit_ms(request->connect_timeout_ms));
    call->on_body = request->on_body;
    CALL_SET(call->easy, code, CURLOPT_ACCEPT_ENCODING,
             request->on_body ? NULL : ""); /* "": all that libcurl can undo */
    CALL_SET(call->easy, code, CURLOPT_LOW_SPEED_LIMIT, request->on_body ? 1L : 0L);
    CALL_SET(call->easy, code, CURLOPT_LOW_SPEED_TIME,
             request->on_body ? (long)HTTP_CALL_STALL_S : 0L);
    code = code ? code : set_version(call, request->version, usual);
    code = code ? code : set_method(call, request->method);
    return code ? error_set(err, ERROR_MEMORY, "a request cannot be prepared: %s",
                            curl_easy_strerror(code))
                : 0;
}

/* ---- the outcome ---- */

static enum http_failure failure_of_code(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_FAILURE_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_FAILURE_RESOLVE;
    case CURLE_COULDNT_CONNECT:
        return HTTP_FAILURE_CONNECT;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return HTTP_FAILURE_PROXY;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_FAILURE_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
        return HTTP_FAILURE_TLS;
    default:
        return HTTP_FAILURE_BROKEN;
    }
}

/* A connection that dies during the handshake, as when a load balancer restarts, has the same code
 * as a handshake that was refused, but is no configuration matter. Only libcurl's words tell them
 * apart; should they change, the failure is called a TLS one again. */
static bool handshake_was_cut(const struct http_call *call)
{
    return strstr(call->reason, "SSL_ERROR_SYSCALL") || strstr(call->reason, "unexpected eof") ||
           strstr(call->reason, "reset by peer");
}

enum http_failure http_call_failure(const struct http_call *call, CURLcode code)
{
    long proxy_status = 0;
    if (call->verdict != HTTP_FAILURE_NONE) {
        return call->verdict;
    }
    if (call->too_large) {
        return HTTP_FAILURE_TOO_LARGE;
    }
    if (code == CURLE_SSL_CONNECT_ERROR && handshake_was_cut(call)) {
        return HTTP_FAILURE_BROKEN;
    }
    (void)curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (code != CURLE_OK && !call->request_sent && proxy_status >= 300) {
        return HTTP_FAILURE_PROXY; /* it refused the tunnel */
    }
    return failure_of_code(code);
}

const char *http_call_reason(const struct http_call *call, enum http_failure failure, CURLcode code)
{
    switch (failure) {
    case HTTP_FAILURE_NONE:
        return "";
    case HTTP_FAILURE_CANCELLED:
        return "cancelled";
    case HTTP_FAILURE_TOO_LARGE:
        return call->header_bytes > call->header_bytes_max ? "headers over the limit"
                                                           : "body over the limit";
    case HTTP_FAILURE_BROKEN:
        return curl_easy_strerror(code); /* the details might quote the response */
    case HTTP_FAILURE_TIMEOUT:
        if (call->verdict == HTTP_FAILURE_TIMEOUT) {
            return call->request_sent ? "no complete response in time" : "not sent in time";
        }
        return call->reason[0] ? call->reason : curl_easy_strerror(code); /* while connecting */
    default:
        return call->reason[0] ? call->reason : curl_easy_strerror(code);
    }
}

const char *http_call_header(const struct http_call *call, const char *name)
{
    const char *found = NULL;
    const char *at = buf_string(&call->headers);
    const char *end = at + call->headers.size;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) {
            found = value;
        }
        at = value + strlen(value) + 1;
    }
    return found;
}
