/* api_request.c - see api_request.h. */
#include "app/api_request.h"

#include "net/url.h"

#include <string.h>

enum { ANSWER_BYTES_MAX = 256 * 1024 };

static void begin_answer(struct api_request *request)
{
    buf_clear(&request->answer);
    json_writer_init(&request->writer, &request->answer);
    json_write_object_begin(&request->writer);
}

bool api_request_begin(struct api_request *request, struct http_exchange *exchange,
                       const char *prefix)
{
    const char *at = http_exchange_raw_path(exchange) + strlen(prefix);
    size_t places[API_REQUEST_SEGMENTS_MAX];
    *request = (struct api_request){.exchange = exchange};
    buf_init(&request->path, 16 * 1024);
    buf_init(&request->answer, ANSWER_BYTES_MAX);
    begin_answer(request);
    while (*at) {
        size_t bytes = strcspn(at, "/");
        size_t start = request->path.size;
        if (request->segment_count == API_REQUEST_SEGMENTS_MAX ||
            !url_decode(&request->path, at, bytes, false) ||
            memchr(request->path.bytes + start, '\0', request->path.size - start) ||
            !buf_append_char(&request->path, '\0')) {
            return false;
        }
        places[request->segment_count++] = start;
        at += bytes + (at[bytes] == '/');
    }
    for (size_t i = 0; i < request->segment_count; i++) {
        request->segments[i] = request->path.bytes + places[i];
    }
    return true;
}

void api_request_done(struct api_request *request)
{
    buf_done(&request->path);
    buf_done(&request->answer);
    json_free(request->document);
}

bool api_request_is(const struct api_request *request, const char *method)
{
    return strcmp(http_exchange_method(request->exchange), method) == 0;
}

static bool is_known(const char *key, const char *const *members)
{
    while (*members && strcmp(*members, key) != 0) {
        members++;
    }
    return *members != NULL;
}

bool api_request_read(struct api_request *request, const char *const *members)
{
    struct error err;
    size_t bytes;
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    const char *body = http_exchange_body(request->exchange, &bytes);
    if (json_parse(body, bytes, &request->document, &err)) {
        api_request_fail(request, 400, "malformed_json", err.message);
        return false;
    }
    const struct json *root = json_root(request->document);
    if (json_kind(root) != JSON_KIND_OBJECT) {
        api_request_fail(request, 400, "malformed_json", "the body must be a JSON object");
        return false;
    }
    while (json_next(root, &iterator, &key, &value)) {
        if (!is_known(key, members)) {
            api_request_fail(request, 400, "unknown_member",
                             "the object has a member that is not known here: see docs/API.md");
            return false;
        }
    }
    return true;
}

const char *api_request_text(const struct api_request *request, const char *member,
                             size_t bytes_max, bool *good)
{
    size_t bytes = 0;
    const struct json *value = json_get(json_root(request->document), member);
    const char *text = json_as_string(value, &bytes);
    *good = json_kind(value) == JSON_KIND_ABSENT ||
            (text && bytes > 0 && bytes <= bytes_max && strlen(text) == bytes);
    return *good ? text : NULL;
}

static void reply(struct api_request *request, int status, const char *allowed)
{
    const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"WWW-Authenticate", status == 401 ? "Bearer" : ""},
        {"Retry-After", status == 429 || status == 503 ? "1" : ""},
        {"Allow", allowed},
    };
    json_write_object_end(&request->writer);
    (void)buf_append_char(&request->answer, '\n');
    http_exchange_reply(request->exchange, request->answer.failed ? 500 : status, headers,
                        sizeof headers / sizeof *headers, request->answer.bytes,
                        request->answer.size);
}

void api_request_answer(struct api_request *request, int status)
{
    reply(request, status, "");
}

static void write_error(struct api_request *request, const char *code, const char *message)
{
    begin_answer(request);
    json_write_key(&request->writer, "error");
    json_write_object_begin(&request->writer);
    json_write_member_text(&request->writer, "code", code);
    json_write_member_text(&request->writer, "message", message);
    json_write_object_end(&request->writer);
}

void api_request_fail(struct api_request *request, int status, const char *code,
                      const char *message)
{
    write_error(request, code, message);
    reply(request, status, "");
}

void api_request_refuse_method(struct api_request *request, const char *allowed)
{
    write_error(request, "method_not_allowed", "this path is asked in another way: see Allow");
    reply(request, 405, allowed);
}
