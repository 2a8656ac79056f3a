/* request.h - strict validation of what clients send. Pure.
 *
 * The simulator must notice what a lenient vendor would let pass, so everything that is not
 * exactly the contract is refused with a message that says which part is wrong.
 */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REQUEST_ATTRIBUTES_MAX = 64,
    REQUEST_SUGGESTIONS_MAX = 10,
    REQUEST_KEY_BYTES_MAX = 128,
    REQUEST_VALUE_BYTES_MAX = 4096,
    REQUEST_IDEMPOTENCY_KEY_BYTES_MAX = 255,
};

/* What was wrong: the parameter, field or header, and what it must be. */
struct request_refusal {
    const char *parameter;
    const char *message;
};

/* Whether the header names this media type, with or without parameters. NULL: no. */
bool request_has_content_type(const char *header, const char *type);

/* Whether an Accept header (NULL: none) lets the answer be JSON. */
bool request_accepts_json(const char *accept);

struct request_transcripts {
    bool customer;
    bool agent;
    bool finals;
    int64_t start_ms;
};

/* The three query parameters, each NULL if missing. */
bool request_parse_transcripts(const char *direction, const char *include_final,
                               const char *start_time, struct request_transcripts *out,
                               struct request_refusal *refusal);

/* {"attributes": {name: "text", ...}}. On success *document is the caller's to json_free and
 * *attributes the inner object. */
bool request_parse_attributes(const char *body, size_t bytes, struct json_document **document,
                              const struct json **attributes, struct request_refusal *refusal);

/* {"interactionId": "...", "suggestions": [{"type": "text", "content": "..."}, ...]}. On success
 * *document is the caller's to json_free; id and suggestions are borrowed from it. */
bool request_parse_suggestions(const char *body, size_t bytes, struct json_document **document,
                               const char **id, size_t *id_bytes, const struct json **suggestions,
                               struct request_refusal *refusal);

/* Whether an Idempotency-Key is 1 to 255 printable characters. */
bool request_is_idempotency_key(const char *key);

#endif
