/* suggestions.c - see suggestions.h. A reply whose body cannot be read is still a success: by its
 * status the card was accepted, and sending it again would show it twice. */
#include "cxone/suggestions.h"

#include "base/json.h"
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int suggestions_write(const char *interaction_id, const char *type, const char *message,
                      struct buf *body, struct error *err)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "interactionId", interaction_id);
    json_write_key(&writer, "suggestions");
    json_write_array_begin(&writer);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "type", type);
    json_write_member_text(&writer, "content", message);
    json_write_object_end(&writer);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    if (body->failed) {
        return error_set(err, ERROR_LIMIT, "a suggestion of more than %zu bytes", body->limit);
    }
    return 0;
}

int suggestions_write_webhook(const char *interaction_id, const char *alert_id, const char *type,
                              const char *message, struct buf *body, struct error *err)
{
    const char *const members[][2] = {{"kind", "alert"},
                                      {"id", alert_id},
                                      {"interactionId", interaction_id},
                                      {"type", type},
                                      {"content", message}};
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_write_object_begin(&writer);
    json_write_member_integer(&writer, "version", 1);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_write_member_text(&writer, members[i][0], members[i][1]);
    }
    json_write_object_end(&writer);
    if (body->failed) {
        return error_set(err, ERROR_LIMIT, "an alert of more than %zu bytes", body->limit);
    }
    return 0;
}

static const char *copy_id(const struct json *value, char out[SUGGESTIONS_TRACKING_BYTES])
{
    size_t bytes;
    int64_t number;
    const char *text = json_as_string(value, &bytes);
    if (text && bytes > 0 && bytes < SUGGESTIONS_TRACKING_BYTES && !memchr(text, '\0', bytes)) {
        memcpy(out, text, bytes + 1);
        return out;
    }
    if (json_as_integer(value, &number)) {
        snprintf(out, SUGGESTIONS_TRACKING_BYTES, "%" PRId64, number);
        return out;
    }
    return NULL;
}

const char *suggestions_tracking_id(const struct cxone_pointers *places, const char *body,
                                    size_t body_bytes, char out[SUGGESTIONS_TRACKING_BYTES])
{
    struct json_document *document;
    const char *found = NULL;
    if (!body || body_bytes == 0 || json_parse(body, body_bytes, &document, NULL)) {
        return NULL;
    }
    for (size_t i = 0; i < CXONE_POINTERS_MAX && places->at[i] && !found; i++) {
        found = copy_id(json_pointer(json_root(document), places->at[i]), out);
    }
    json_free(document);
    return found;
}
