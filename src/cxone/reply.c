/* reply.c - see reply.h. One table of meanings for all operations, so that a status cannot mean two
 * things in two files. Bodies are quoted nowhere: only scope names, checked character by character,
 * leave this file. */
#include "cxone/reply.h"

#include "base/json.h"

#include <string.h>
#include <strings.h>

static const char *skip_bom_and_space(const char *body, const char *end)
{
    if (end - body >= 3 && memcmp(body, "\xEF\xBB\xBF", 3) == 0) {
        body += 3;
    }
    while (body < end && (*body == ' ' || *body == '\t' || *body == '\r' || *body == '\n')) {
        body++;
    }
    return body;
}

int reply_check_json(const char *content_type, const char *body, size_t body_bytes,
                     struct error *err)
{
    bool is_html = content_type && strncasecmp(content_type, "text/html", 9) == 0;
    const char *end = body + body_bytes;
    const char *first = body_bytes > 0 ? skip_bom_and_space(body, end) : end;
    if (is_html || (first < end && *first == '<')) {
        return error_set(err, ERROR_FORMAT,
                         "an HTML or XML page came instead of JSON (a gateway or log-in page?)");
    }
    if (first == end) {
        return error_set(err, ERROR_FORMAT, "the body is empty where JSON was promised");
    }
    return 0;
}

/* A suggestion is the one thing that must never be shown twice, so whatever may have reached the
 * vendor is "unknown", not "failed". */
static enum cxone_outcome failure_outcome(enum cxone_operation operation,
                                          const struct http_response *response)
{
    if (operation == CXONE_SUGGESTIONS && response->request_sent) {
        return CXONE_UNKNOWN;
    }
    switch (response->failure) {
    case HTTP_FAILURE_TOO_LARGE:
        return CXONE_MALFORMED;
    case HTTP_FAILURE_CANCELLED:
        return CXONE_CANCELLED;
    default:
        return CXONE_FAILED;
    }
}

enum cxone_outcome reply_outcome(enum cxone_operation operation,
                                 const struct http_response *response, int64_t retry_after_ms)
{
    int status = response->status;
    if (response->failure != HTTP_FAILURE_NONE) {
        return failure_outcome(operation, response);
    }
    if (status >= 200 && status < 300) {
        return CXONE_OK;
    }
    if (status == 429 || (status == 503 && retry_after_ms >= 0)) {
        return CXONE_THROTTLED;
    }
    if (status >= 500) {
        /* The server may have shown the card before it (or a gateway before it) gave up. */
        return operation == CXONE_SUGGESTIONS ? CXONE_UNKNOWN : CXONE_FAILED;
    }
    if (status == 401 || status == 408 || status == 425) {
        return CXONE_FAILED;
    }
    if (status == 403) {
        return CXONE_DENIED;
    }
    bool names_interaction = operation == CXONE_TRANSCRIPTS || operation == CXONE_ATTRIBUTES;
    if ((status == 404 || status == 410) && names_interaction) {
        return CXONE_ENDED;
    }
    return CXONE_REFUSED;
}

bool reply_is_server_fault(const struct http_response *response)
{
    switch (response->failure) {
    case HTTP_FAILURE_NONE:
        return response->status >= 500;
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_CANCELLED:
        return false;
    default:
        return true;
    }
}

/* RFC 6749 section 3.3: scope characters, and the blanks between them. */
static bool copy_scope(const char *text, size_t bytes, char out[REPLY_SCOPE_BYTES])
{
    out[0] = '\0';
    if (bytes == 0 || bytes >= REPLY_SCOPE_BYTES) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\') {
            return false;
        }
    }
    memcpy(out, text, bytes);
    out[bytes] = '\0';
    return true;
}

static bool challenge_scope(const char *challenge, char out[REPLY_SCOPE_BYTES])
{
    for (const char *at = challenge; *at; at++) {
        bool at_word = at == challenge || at[-1] == ' ' || at[-1] == ',' || at[-1] == '\t';
        if (!at_word || strncasecmp(at, "scope=", 6) != 0) {
            continue;
        }
        const char *value = at + 6;
        if (*value == '"') {
            value++;
            return copy_scope(value, strcspn(value, "\""), out);
        }
        return copy_scope(value, strcspn(value, ", \t"), out);
    }
    return false;
}

static bool body_scope(const char *body, size_t body_bytes, char out[REPLY_SCOPE_BYTES])
{
    static const char *const places[] = {"/scope", "/required_scope", "/requiredScope",
                                         "/missing_scope", "/error/scope"};
    struct json_document *document;
    bool found = false;
    if (json_parse(body, body_bytes, &document, NULL)) {
        return false;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !found; i++) {
        size_t bytes;
        const char *text = json_as_string(json_pointer(json_root(document), places[i]), &bytes);
        found = text && copy_scope(text, bytes, out);
    }
    json_free(document);
    return found;
}

bool reply_missing_scope(const char *www_authenticate, const char *body, size_t body_bytes,
                         char out[REPLY_SCOPE_BYTES])
{
    out[0] = '\0';
    if (www_authenticate && challenge_scope(www_authenticate, out)) {
        return true;
    }
    return body && body_bytes > 0 && body_scope(body, body_bytes, out);
}

bool reply_parse_integer(const char *text, size_t bytes, int64_t *out)
{
    bool negative = bytes > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0;
    int64_t value = 0;
    if (at == bytes) {
        return false;
    }
    for (; at < bytes; at++) {
        int digit = text[at] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    /* Collected as a negative number, whose range is one larger. */
    if (!negative && value == INT64_MIN) {
        return false;
    }
    *out = negative ? value : -value;
    return true;
}
