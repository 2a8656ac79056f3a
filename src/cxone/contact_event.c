/* contact_event.c - see contact_event.h. Members that are not looked for are passed over: a script
 * that posts more than was asked for is not turned away. */
#include "cxone/contact_event.h"

#include "base/json.h"
#include "cxone/discover.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* False where there is something that cannot be used as an id; "" where there is nothing. */
static bool read_id(const struct json *root, const struct cxone_pointers *pointers,
                    char out[CXONE_ID_BYTES_MAX + 1])
{
    char integer_text[DISCOVER_INTEGER_ID_BYTES];
    const struct json *value = mapping_find(root, pointers);
    const char *id = value ? discover_read_id(value, integer_text) : "";
    int bytes = id ? snprintf(out, CXONE_ID_BYTES_MAX + 1, "%s", id) : -1;
    return bytes >= 0 && bytes <= CXONE_ID_BYTES_MAX;
}

/* A queue or a language; "" where there is none to be used. */
static void read_name(const struct json *root, const struct cxone_pointers *pointers,
                      char out[CXONE_ID_BYTES_MAX + 1])
{
    char integer_text[DISCOVER_INTEGER_ID_BYTES];
    const char *name = discover_read_name(mapping_find(root, pointers), integer_text);
    bool fits = name && strlen(name) <= CXONE_ID_BYTES_MAX;
    (void)snprintf(out, CXONE_ID_BYTES_MAX + 1, "%s", fits ? name : "");
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcasecmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

static int read_event(const struct contact_event_map *map, const struct json *root,
                      struct contact_event *event, struct error *err)
{
    const char *kind = json_as_string(mapping_find(root, &map->kind), NULL);
    if (!kind) {
        return error_set(err, ERROR_FORMAT, "it does not say what happened (map.event)");
    }
    if (is_among(kind, map->started)) {
        event->kind = CONTACT_EVENT_STARTED;
    } else if (is_among(kind, map->ended)) {
        event->kind = CONTACT_EVENT_ENDED;
    }
    if (!read_id(root, &map->event_id, event->event_id)) {
        return error_set(err, ERROR_FORMAT, "its event id (map.event_id) cannot be used");
    }
    if (event->kind == CONTACT_EVENT_OTHER) {
        return 0;
    }
    if (!read_id(root, &map->contact_id, event->interaction_id) || !event->interaction_id[0]) {
        return error_set(err, ERROR_FORMAT,
                         "its contact id (map.contact_id) is missing or cannot be used");
    }
    if (!read_id(root, &map->contact_master, event->master_id)) {
        event->master_id[0] = '\0'; /* as in the list: the call is followed without it */
    }
    read_name(root, &map->contact_queue, event->queue);
    read_name(root, &map->contact_language, event->language);
    return 0;
}

int contact_event_parse(const struct contact_event_map *map, const char *body, size_t body_bytes,
                        struct contact_event *event, struct error *err)
{
    struct json_document *document;
    *event = (struct contact_event){.kind = CONTACT_EVENT_OTHER};
    int result = json_parse(body, body_bytes, &document, err);
    if (!result && json_kind(json_root(document)) != JSON_KIND_OBJECT) {
        result = error_set(err, ERROR_FORMAT, "an event is a JSON object");
    }
    if (!result) {
        result = read_event(map, json_root(document), event, err);
    }
    json_free(document);
    return result;
}
