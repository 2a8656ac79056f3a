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

enum { IDS = 3, NAME_BYTES_MAX = 256 };

struct discover_page {
    struct discover_page *before;
    struct json_document *document;
    const struct json *array;
    size_t elements;
    char *ids; /* text of ids that came as integers, IDS for each element */
};

const char *discover_read_id(const struct json *value, char integer_text[DISCOVER_INTEGER_ID_BYTES])
{
    size_t bytes;
    int64_t number;
    const char *text = json_as_string(value, &bytes);
    if (text) {
        bool usable = cxone_profile_id_is_usable(text) && strlen(text) == bytes;
        return usable ? text : NULL;
    }
    if (json_as_integer(value, &number)) {
        snprintf(integer_text, DISCOVER_INTEGER_ID_BYTES, "%" PRId64, number);
        return integer_text;
    }
    return NULL;
}

const char *discover_read_name(const struct json *value, char *integer_text)
{
    size_t bytes;
    int64_t number;
    const char *text = json_as_string(value, &bytes);
    if (text) {
        return bytes > 0 && bytes <= NAME_BYTES_MAX && strlen(text) == bytes ? text : NULL;
    }
    if (integer_text && json_as_integer(value, &number)) {
        snprintf(integer_text, DISCOVER_INTEGER_ID_BYTES, "%" PRId64, number);
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

static void read_element(const struct cxone_mapping *map, struct discover_page *page, size_t index,
                         struct discover *discover)
{
    const struct json *element = json_at(page->array, index);
    char *texts = page->ids + index * IDS * DISCOVER_INTEGER_ID_BYTES;
    struct cxone_active active = {.state_since_ms = -1};
    int64_t since_ms;
    active.interaction_id = discover_read_id(mapping_find(element, &map->contact_id), texts);
    if (!active.interaction_id) {
        discover->quarantined++;
        return;
    }
    active.master_id = discover_read_id(mapping_find(element, &map->contact_master),
                                        texts + DISCOVER_INTEGER_ID_BYTES);
    active.queue = discover_read_name(mapping_find(element, &map->contact_queue),
                                      texts + 2 * DISCOVER_INTEGER_ID_BYTES);
    active.language = discover_read_name(mapping_find(element, &map->contact_language), NULL);
    active.state =
        read_state(mapping_find(element, &map->contact_state), &discover->unknown_states);
    if (vendor_time_read_any(mapping_find(element, &map->contact_since), &since_ms) &&
        since_ms > 0) {
        active.state_since_ms = since_ms;
    }
    discover->active[discover->count++] = active;
}

static int read_page(const struct cxone_mapping *map, struct discover_page *page,
                     struct discover *discover, struct error *err)
{
    size_t room = REPLY_ELEMENTS_MAX - discover->elements;
    page->array = mapping_find(json_root(page->document), &map->contacts);
    if (json_kind(page->array) != JSON_KIND_ARRAY) {
        return error_set(err, ERROR_FORMAT, "a JSON array of interactions was promised");
    }
    page->elements = json_size(page->array);
    if (page->elements > room) {
        discover->quarantined += page->elements - room;
        page->elements = room;
    }
    discover->elements += page->elements;
    struct cxone_active *active =
        realloc(discover->active, (discover->elements + 1) * sizeof *discover->active);
    page->ids = calloc(page->elements + 1, IDS * (size_t)DISCOVER_INTEGER_ID_BYTES);
    if (active) {
        discover->active = active;
    }
    if (!active || !page->ids) {
        return error_set(err, ERROR_MEMORY, "no memory for %zu interactions", discover->elements);
    }
    for (size_t i = 0; i < page->elements; i++) {
        read_element(map, page, i, discover);
    }
    return 0;
}

int discover_add(const struct cxone_mapping *map, const char *content_type, const char *body,
                 size_t body_bytes, struct discover *discover, struct error *err)
{
    struct discover_page *page = NULL;
    int result = reply_check_json(content_type, body, body_bytes, err);
    if (!result) {
        page = calloc(1, sizeof *page);
        result = page ? 0 : error_set(err, ERROR_MEMORY, "no memory for a list of interactions");
    }
    if (!result) {
        page->before = discover->pages;
        discover->pages = page;
        result = json_parse(body, body_bytes, &page->document, err);
    }
    if (!result) {
        result = read_page(map, page, discover, err);
    }
    if (result) {
        discover_done(discover);
    }
    return result;
}

int discover_parse(const struct cxone_mapping *map, const char *content_type, const char *body,
                   size_t body_bytes, struct discover *discover, struct error *err)
{
    *discover = (struct discover){0};
    return discover_add(map, content_type, body, body_bytes, discover, err);
}

const struct json *discover_last_root(const struct discover *discover, size_t *elements)
{
    const struct discover_page *page = discover->pages;
    *elements = page ? json_size(page->array) : 0;
    return page ? json_root(page->document) : NULL;
}

void discover_done(struct discover *discover)
{
    struct discover_page *before;
    for (struct discover_page *page = discover->pages; page; page = before) {
        before = page->before;
        json_free(page->document);
        free(page->ids);
        free(page);
    }
    free(discover->active);
    *discover = (struct discover){0};
}
