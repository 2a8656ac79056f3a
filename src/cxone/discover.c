/* discover.c - see discover.h. An id this program could not use in an address is left out here,
 * so that nobody later watches a call that can never be polled. */
#include "cxone/discover.h"

#include "base/json.h"
#include "cxone/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INTEGER_ID_BYTES = 24 };

/* NULL if the id cannot be used. */
static const char *read_id(const struct json *value, char *integer_text)
{
    size_t bytes;
    int64_t number;
    const char *text = json_as_string(value, &bytes);
    if (text) {
        bool usable = cxone_profile_id_is_usable(text) && strlen(text) == bytes;
        return usable ? text : NULL;
    }
    if (json_as_integer(value, &number)) {
        snprintf(integer_text, INTEGER_ID_BYTES, "%" PRId64, number);
        return integer_text;
    }
    return NULL;
}

/* The vendor's agent events say "Holding" where its lists say "held". */
static const struct {
    const char *name;
    enum cxone_call_state state;
} state_names[] = {
    {"active", CXONE_CALL_ACTIVE}, {"held", CXONE_CALL_HELD},
    {"holding", CXONE_CALL_HELD},  {"hold", CXONE_CALL_HELD},
    {"muted", CXONE_CALL_MUTED},   {"mute", CXONE_CALL_MUTED},
    {"masked", CXONE_CALL_MASKED}, {"masking", CXONE_CALL_MASKED},
    {"ended", CXONE_CALL_ENDED},   {"disconnected", CXONE_CALL_ENDED},
};

static enum cxone_call_state read_state(const struct json *value, size_t *unknown)
{
    enum json_kind kind = json_kind(value);
    const char *text = json_as_string(value, NULL);
    for (size_t i = 0; text && i < sizeof state_names / sizeof state_names[0]; i++) {
        if (strcasecmp(text, state_names[i].name) == 0) {
            return state_names[i].state;
        }
    }
    *unknown += kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL;
    return CXONE_CALL_UNSAID;
}

static void read_element(const struct json *element, size_t index, struct discover *discover)
{
    char *texts = discover->ids + index * 2 * INTEGER_ID_BYTES;
    struct cxone_active active = {.state_since_ms = -1};
    int64_t since_ms;
    active.interaction_id = read_id(json_get(element, "interactionId"), texts);
    if (!active.interaction_id) {
        discover->quarantined++;
        return;
    }
    active.master_id = read_id(json_get(element, "masterInteractionId"), texts + INTEGER_ID_BYTES);
    active.state = read_state(json_get(element, "state"), &discover->unknown_states);
    if (json_as_integer(json_get(element, "stateSince"), &since_ms) && since_ms > 0) {
        active.state_since_ms = since_ms;
    }
    discover->active[discover->count++] = active;
}

static int read_elements(struct discover *discover, struct error *err)
{
    const struct json *root = json_root(discover->document);
    size_t elements = json_size(root);
    if (json_kind(root) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "a JSON array of interactions was promised");
    }
    if (elements > REPLY_ELEMENTS_MAX) {
        discover->quarantined = elements - REPLY_ELEMENTS_MAX;
        elements = REPLY_ELEMENTS_MAX;
    }
    discover->elements = elements;
    discover->active = calloc(elements + 1, sizeof *discover->active);
    discover->ids = calloc(elements + 1, 2 * (size_t)INTEGER_ID_BYTES);
    if (!discover->active || !discover->ids) {
        return error_set(err, ERROR_MEMORY, "no memory for %zu interactions", elements);
    }
    for (size_t i = 0; i < elements; i++) {
        read_element(json_at(root, i), i, discover);
    }
    return 0;
}

int discover_parse(const char *content_type, const char *body, size_t body_bytes,
                   struct discover *discover, struct error *err)
{
    *discover = (struct discover){0};
    int result = reply_check_json(content_type, body, body_bytes, err);
    if (!result) {
        result = json_parse(body, body_bytes, &discover->document, err);
    }
    if (!result) {
        result = read_elements(discover, err);
    }
    if (result) {
        discover_done(discover);
    }
    return result;
}

void discover_done(struct discover *discover)
{
    json_free(discover->document);
    free(discover->active);
    free(discover->ids);
    *discover = (struct discover){0};
}
