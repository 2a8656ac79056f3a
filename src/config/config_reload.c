/* config_reload.c - see config_reload.h. A key that nobody marked is taken to be something the
 * connection is made of: to make it anew for nothing costs a token, not to do so would leave it
 * with texts that are gone. */
#include "config/config_reload.h"

#include "config/config_internal.h"
#include "config/config_table.h"
#include "config/config_value.h"

#include <stdlib.h>
#include <string.h>

/* Keys and groups that the connection does not look at. */
static const char *const apart[] = {
    "mode",
    "attr.score_key",
    "attr.trend_key",
    "attr.count_key",
    "attr.as_of_key",
    "attr.degraded_key",
    "attr.min_",
    "attr.summary_",
    "assist.template",
    "poll.",
    "window.",
    "trend.",
    "alert.",
    "retry.",
    "discover.",
    "interactions",
    "rate.interaction_rps",
    "privacy.",
    "rules.",
    "end.",
    "writes.",
    "fuse.",
    "api.",
    "decisions.",
    "log.",
};

enum { KEYS_BYTES_MAX = 8192 };

void config_changes_init(struct config_changes *changes)
{
    *changes = (struct config_changes){0};
    buf_init(&changes->applied, KEYS_BYTES_MAX);
    buf_init(&changes->deferred, KEYS_BYTES_MAX);
}

void config_changes_done(struct config_changes *changes)
{
    buf_done(&changes->applied);
    buf_done(&changes->deferred);
}

static void *field(struct config *config, const struct config_row *row)
{
    return (char *)config + row->offset;
}

static const void *look(const struct config *config, const struct config_row *row)
{
    return (const char *)config + row->offset;
}

static size_t field_bytes(const struct config_row *row)
{
    switch (row->type) {
    case CONFIG_TYPE_STRING:
        return sizeof(char *);
    case CONFIG_TYPE_BOOL:
        return sizeof(bool);
    case CONFIG_TYPE_ENUM:
        return sizeof(int);
    case CONFIG_TYPE_NUMBER:
        return sizeof(double);
    case CONFIG_TYPE_LIST:
        return sizeof(struct config_list);
    case CONFIG_TYPE_INTEGER:
    case CONFIG_TYPE_DURATION:
    case CONFIG_TYPE_SIZE:
    case CONFIG_TYPE_START_FROM:
        break;
    }
    return sizeof(int64_t);
}

static bool lists_equal(const struct config_list *a, const struct config_list *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++) {
        equal = strcmp(a->items[i], b->items[i]) == 0;
    }
    return equal;
}

static bool values_equal(const struct config *a, const struct config *b,
                         const struct config_row *row)
{
    if (row->type == CONFIG_TYPE_STRING) {
        return strcmp(*(char *const *)look(a, row), *(char *const *)look(b, row)) == 0;
    }
    if (row->type == CONFIG_TYPE_LIST) {
        return lists_equal(look(a, row), look(b, row));
    }
    return memcmp(look(a, row), look(b, row), field_bytes(row)) == 0;
}

static int copy_list(struct config *to, const struct config *from, const struct config_row *row,
                     struct error *err)
{
    const struct config_list *list = look(from, row);
    int result = 0;
    config_value_clear(to, row);
    for (size_t i = 0; i < list->count && !result; i++) {
        result = config_value_add(to, row, list->items[i], err);
    }
    return result;
}

/* The value and where it came from. */
static int copy_value(struct config *to, const struct config *from, const struct config_row *row,
                      struct error *err)
{
    const struct config_origin *origin = config_table_origin(from, row);
    int result = 0;
    if (row->type == CONFIG_TYPE_STRING) {
        result = config_value_set(to, row, *(char *const *)look(from, row), err);
    } else if (row->type == CONFIG_TYPE_LIST) {
        result = copy_list(to, from, row, err);
    } else {
        memcpy(field(to, row), look(from, row), field_bytes(row));
    }
    return result ? result
                  : config_table_set_origin(to, row, origin->layer, err, "%s", origin->where);
}

static bool concerns_connection(const struct config_row *row)
{
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        if (strncmp(row->key, apart[i], strlen(apart[i])) == 0) {
            return false;
        }
    }
    return true;
}

static void name(struct buf *list, const char *key)
{
    (void)buf_printf(list, "%s%s", list->size > 0 ? ", " : "", key);
}

int config_reload_compare(struct config *next, const struct config *running,
                          struct config_changes *changes, struct error *err)
{
    for (size_t i = 0; i < config_table_count(); i++) {
        const struct config_row *row = config_table_at(i);
        if (values_equal(next, running, row)) {
            continue;
        }
        if (!(row->flags & CONFIG_FLAG_RESTART)) {
            name(&changes->applied, row->key);
            changes->connection = changes->connection || concerns_connection(row);
            continue;
        }
        name(&changes->deferred, row->key);
        int result = copy_value(next, running, row, err);
        if (result) {
            return result;
        }
    }
    return config_check_rules(next, err);
}

static void swap_bytes(void *a, void *b, size_t size)
{
    unsigned char scratch[sizeof(struct config_list) + sizeof(struct config_origin)];
    memcpy(scratch, a, size);
    memcpy(a, b, size);
    memcpy(b, scratch, size);
}

void config_reload_take_over(struct config *running, struct config *next,
                             const struct config_changes *changes)
{
    for (size_t i = 0; i < config_table_count() && !changes->connection; i++) {
        const struct config_row *row = config_table_at(i);
        if (values_equal(next, running, row)) {
            swap_bytes(field(next, row), field(running, row), field_bytes(row));
        }
    }
    struct config old = *running;
    *running = *next;
    *next = old;
}
