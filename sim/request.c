/* request.c - see request.h. The JSON reader below is tolerant on purpose (it must survive
 * vendors); whatever it repairs is not looked for here. */
#include "sim/request.h"

#include <string.h>
#include <strings.h>

static bool refuse(struct request_refusal *refusal, const char *parameter, const char *message)
{
    *refusal = (struct request_refusal){parameter, message};
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The media type at `text`, without blanks around it, up to ';', ',' or the end. */
static size_t media_type(const char **text)
{
    while (is_blank(**text)) {
        (*text)++;
    }
    size_t bytes = strcspn(*text, ";,");
    while (bytes > 0 && is_blank((*text)[bytes - 1])) {
        bytes--;
    }
    return bytes;
}

static bool type_is(const char *text, size_t bytes, const char *type)
{
    return strlen(type) == bytes && strncasecmp(text, type, bytes) == 0;
}

bool request_has_content_type(const char *header, const char *type)
{
    if (header == NULL) {
        return false;
    }
    size_t bytes = media_type(&header);
    return type_is(header, bytes, type);
}

/* Whether the parameters of a media range give it weight zero: "q=0", "q=0.0". */
static bool is_refused_range(const char *range, size_t bytes)
{
    for (size_t i = 0; i + 2 < bytes; i++) {
        bool begins = i > 0 && (range[i - 1] == ';' || is_blank(range[i - 1]));
        if (begins && (range[i] == 'q' || range[i] == 'Q') && range[i + 1] == '=') {
            size_t zeros = strspn(range + i + 2, "0.");
            return zeros > 0 && (i + 2 + zeros >= bytes || range[i + 2 + zeros] == ';' ||
                                 is_blank(range[i + 2 + zeros]));
        }
    }
    return false;
}

bool request_accepts_json(const char *accept)
{
    if (accept == NULL) {
        return true;
    }
    for (const char *at = accept;;) {
        size_t range = strcspn(at, ",");
        const char *type = at;
        size_t bytes = media_type(&type);
        if ((type_is(type, bytes, "application/json") || type_is(type, bytes, "application/*") ||
             type_is(type, bytes, "*/*")) &&
            !is_refused_range(at, range)) {
            return true;
        }
        if (at[range] == '\0') {
            return false;
        }
        at += range + 1;
    }
}

static bool parse_epoch_ms(const char *text, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits] != '\0') {
        return false;
    }
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

bool request_parse_transcripts(const char *direction, const char *include_final,
                               const char *start_time, struct request_transcripts *out,
                               struct request_refusal *refusal)
{
    bool both = direction != NULL && strcmp(direction, "both") == 0;
    *out = (struct request_transcripts){
        .customer = both || (direction != NULL && strcmp(direction, "customer") == 0),
        .agent = both || (direction != NULL && strcmp(direction, "agent") == 0),
        .finals = include_final != NULL && strcmp(include_final, "true") == 0,
    };
    if (!out->customer && !out->agent) {
        return refuse(refusal, "direction", "must be both, customer or agent");
    }
    if (!out->finals && (include_final == NULL || strcmp(include_final, "false") != 0)) {
        return refuse(refusal, "includeFinal", "must be true or false");
    }
    if (start_time == NULL || !parse_epoch_ms(start_time, &out->start_ms)) {
        return refuse(refusal, "startTime", "must be epoch milliseconds, a whole number from 0");
    }
    return true;
}

static bool is_text(const struct json *value, size_t bytes_min, size_t bytes_max)
{
    size_t bytes;
    return json_as_string(value, &bytes) != NULL && bytes >= bytes_min && bytes <= bytes_max;
}

static bool check_attributes(const struct json *root, const struct json **attributes,
                             struct request_refusal *refusal)
{
    *attributes = json_get(root, "attributes");
    if (json_kind(root) != JSON_KIND_OBJECT || json_size(root) != 1 ||
        json_kind(*attributes) != JSON_KIND_OBJECT) {
        return refuse(refusal, "attributes", "the body must hold this object and nothing else");
    }
    if (json_size(*attributes) < 1 || json_size(*attributes) > REQUEST_ATTRIBUTES_MAX) {
        return refuse(refusal, "attributes", "must have 1 to 64 members");
    }
    void *iterator = NULL;
    const char *key;
    const struct json *value;
    while (json_next(*attributes, &iterator, &key, &value)) {
        if (key[0] == '\0' || strlen(key) > REQUEST_KEY_BYTES_MAX) {
            return refuse(refusal, "attributes", "names must have 1 to 128 bytes");
        }
        if (!is_text(value, 0, REQUEST_VALUE_BYTES_MAX)) {
            return refuse(refusal, "attributes", "values must be strings of at most 4096 bytes");
        }
    }
    return true;
}

bool request_parse_attributes(const char *body, size_t bytes, struct json_document **document,
                              const struct json **attributes, struct request_refusal *refusal)
{
    if (json_parse(body, bytes, document, NULL) != 0) {
        return refuse(refusal, "body", "must be JSON");
    }
    if (!check_attributes(json_root(*document), attributes, refusal)) {
        json_free(*document);
        *document = NULL;
        return false;
    }
    return true;
}

static bool check_suggestions(const struct json *root, const struct json **suggestions,
                              struct request_refusal *refusal)
{
    *suggestions = json_get(root, "suggestions");
    if (json_kind(root) != JSON_KIND_OBJECT || json_size(root) != 2) {
        return refuse(refusal, "body", "must hold interactionId, suggestions and nothing else");
    }
    if (!is_text(json_get(root, "interactionId"), 1, REQUEST_KEY_BYTES_MAX)) {
        return refuse(refusal, "interactionId", "must be a string of 1 to 128 bytes");
    }
    size_t count = json_size(*suggestions);
    if (json_kind(*suggestions) != JSON_KIND_ARRAY || count < 1 ||
        count > REQUEST_SUGGESTIONS_MAX) {
        return refuse(refusal, "suggestions", "must be a list of 1 to 10");
    }
    for (size_t i = 0; i < count; i++) {
        const struct json *suggestion = json_at(*suggestions, i);
        const char *type = json_as_string(json_get(suggestion, "type"), NULL);
        if (json_size(suggestion) != 2 || type == NULL || strcmp(type, "text") != 0) {
            return refuse(refusal, "suggestions", "each must be of type \"text\", with content");
        }
        if (!is_text(json_get(suggestion, "content"), 1, REQUEST_VALUE_BYTES_MAX)) {
            return refuse(refusal, "suggestions", "content must be a string of 1 to 4096 bytes");
        }
    }
    return true;
}

bool request_parse_suggestions(const char *body, size_t bytes, struct json_document **document,
                               const char **id, size_t *id_bytes, const struct json **suggestions,
                               struct request_refusal *refusal)
{
    if (json_parse(body, bytes, document, NULL) != 0) {
        return refuse(refusal, "body", "must be JSON");
    }
    const struct json *root = json_root(*document);
    if (!check_suggestions(root, suggestions, refusal)) {
        json_free(*document);
        *document = NULL;
        return false;
    }
    *id = json_as_string(json_get(root, "interactionId"), id_bytes);
    return true;
}

bool request_is_idempotency_key(const char *key)
{
    size_t bytes = 0;
    while (key[bytes] != '\0') {
        if (key[bytes] < ' ' || key[bytes] > '~' || bytes >= REQUEST_IDEMPOTENCY_KEY_BYTES_MAX) {
            return false;
        }
        bytes++;
    }
    return bytes > 0;
}
