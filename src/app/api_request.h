/* app/api_request.h - one request of the API, taken apart: its path by segments, its JSON object,
 * and its answer, given once. */
#ifndef APP_API_REQUEST_H
#define APP_API_REQUEST_H

#include "base/buf.h"
#include "base/json.h"
#include "base/json_write.h"
#include "net/http_server.h"

#include <stdbool.h>
#include <stddef.h>

enum { API_REQUEST_SEGMENTS_MAX = 6 };

struct api_request {
    struct http_exchange *exchange;
    struct buf path;                                /* decoded segments, each with its NUL */
    const char *segments[API_REQUEST_SEGMENTS_MAX]; /* behind /api/v1/ */
    size_t segment_count;
    struct json_document *document; /* or NULL */
    struct buf answer;
    struct json_writer writer; /* into answer, inside its object */
};

/* Splits the path behind `prefix`; false for one that cannot be taken apart. */
bool api_request_begin(struct api_request *request, struct http_exchange *exchange,
                       const char *prefix);
void api_request_done(struct api_request *request);

bool api_request_is(const struct api_request *request, const char *method);

/* Reads the body: an object with no other members than these, NULL-terminated. False after it has
 * answered 400. */
bool api_request_read(struct api_request *request, const char *const *members);

/* The member's text, or NULL where there is none; *good: it is a text that fits, or absent. */
const char *api_request_text(const struct api_request *request, const char *member,
                             size_t bytes_max, bool *good);

/* Closes the object of `writer` and answers with it. */
void api_request_answer(struct api_request *request, int status);

/* {"error":{"code":...,"message":...}}. The message says what to do; it quotes no secret. */
void api_request_fail(struct api_request *request, int status, const char *code,
                      const char *message);

/* 405, naming what is allowed. */
void api_request_refuse_method(struct api_request *request, const char *allowed);

#endif
