/* node_want.c - what a node must be, and words for people where it is something else. See node.h.
 */
#include "cues/node.h"

#include "base/buf.h"

#include <string.h>

static void list_words(const char *const *words, struct buf *out)
{
    buf_init(out, ERROR_MESSAGE_BYTES);
    for (size_t i = 0; words[i]; i++) {
        buf_printf(out, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
}

static bool is_among(const char *word, const char *const *words, size_t *place)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            *place = i;
            return true;
        }
    }
    return false;
}

int node_want_map(const struct node_file *file, const struct node *node, const char *what,
                  struct error *err)
{
    return node->kind == NODE_MAP ? 0 : node_fail(file, node, err, "%s must be key: value", what);
}

int node_want_list(const struct node_file *file, const struct node *node, const char *what,
                   struct error *err)
{
    return node->kind == NODE_LIST
               ? 0
               : node_fail(file, node, err, "%s must be a list: [a, b] or lines that begin with -",
                           what);
}

int node_want_keys(const struct node_file *file, const struct node *map, const char *const *known,
                   struct error *err)
{
    for (const struct node *child = map->first; child; child = child->next) {
        size_t place;
        if (!is_among(child->key, known, &place)) {
            struct buf words;
            list_words(known, &words);
            int code = node_fail_key(file, child, err, "unknown key '%s'; known here: %s",
                                     child->key, buf_string(&words));
            buf_done(&words);
            return code;
        }
    }
    return 0;
}

int node_want_text(const struct node_file *file, const struct node *node, size_t max,
                   const char **out, struct error *err)
{
    if (node->kind != NODE_SCALAR || node->is_null || node->text[0] == '\0') {
        return node_fail(file, node, err, "a text is wanted here");
    }
    if (strlen(node->text) > max) {
        return node_fail(file, node, err, "%zu bytes long, at most %zu", strlen(node->text), max);
    }
    *out = node->text;
    return 0;
}

/* Digits from *at on; false for none, or above max. */
static bool take_digits(const char **at, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    const char *from = *at;
    while (**at >= '0' && **at <= '9') {
        value = value * 10 + (uint64_t)(**at - '0');
        if (value > max) {
            return false;
        }
        (*at)++;
    }
    *out = value;
    return *at != from;
}

int node_want_count(const struct node_file *file, const struct node *node, uint32_t min,
                    uint32_t max, uint32_t *out, struct error *err)
{
    uint64_t value = 0;
    const char *at = node->text;
    if (node->kind != NODE_SCALAR || !take_digits(&at, max, &value) || *at != '\0' || value < min) {
        return node_fail(file, node, err, "a whole number from %u to %u is wanted here",
                         (unsigned)min, (unsigned)max);
    }
    *out = (uint32_t)value;
    return 0;
}

int node_want_flag(const struct node_file *file, const struct node *node, bool *out,
                   struct error *err)
{
    bool is_true = node->kind == NODE_SCALAR && strcmp(node->text, "true") == 0;
    if (!is_true && (node->kind != NODE_SCALAR || strcmp(node->text, "false") != 0)) {
        return node_fail(file, node, err, "true or false is wanted here");
    }
    *out = is_true;
    return 0;
}

static bool take_millionths(const char *at, int64_t *out)
{
    bool negative = *at == '-';
    uint64_t whole = 0;
    uint64_t part = 0;
    at += negative ? 1 : 0;
    if (!take_digits(&at, 1000000, &whole)) {
        return false;
    }
    if (*at == '.') {
        const char *from = ++at;
        if (!take_digits(&at, 999999, &part) || at - from > 6) {
            return false;
        }
        for (ptrdiff_t digits = at - from; digits < 6; digits++) {
            part *= 10;
        }
    }
    int64_t value = (int64_t)(whole * 1000000 + part);
    *out = negative ? -value : value;
    return *at == '\0';
}

int node_want_millionths(const struct node_file *file, const struct node *node, int64_t min,
                         int64_t max, int64_t *out, struct error *err)
{
    int64_t value = 0;
    if (node->kind != NODE_SCALAR || !take_millionths(node->text, &value) || value < min ||
        value > max) {
        return node_fail(file, node, err, "a number from %.3g to %.3g is wanted here",
                         (double)min / 1e6, (double)max / 1e6);
    }
    *out = value;
    return 0;
}

static bool take_duration(const char *at, int64_t max_ms, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    uint64_t value = 0;
    if (!take_digits(&at, (uint64_t)max_ms, &value)) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(at, units[i].unit) == 0) {
            *out_ms = (int64_t)value * units[i].ms;
            return (int64_t)value <= max_ms / units[i].ms;
        }
    }
    return false;
}

int node_want_duration(const struct node_file *file, const struct node *node, int64_t max_ms,
                       int64_t *out_ms, struct error *err)
{
    if (node->kind != NODE_SCALAR || !take_duration(node->text, max_ms, out_ms)) {
        return node_fail(file, node, err,
                         "a length of time with its unit (500ms, 15s, 2m, 1h), at most %lldh, is "
                         "wanted here",
                         (long long)(max_ms / 3600000));
    }
    return 0;
}

int node_want_word(const struct node_file *file, const struct node *node, const char *const *words,
                   size_t *out, struct error *err)
{
    if (node->kind == NODE_SCALAR && is_among(node->text, words, out)) {
        return 0;
    }
    struct buf list;
    list_words(words, &list);
    int code = node_fail(file, node, err, "one of these is wanted here: %s", buf_string(&list));
    buf_done(&list);
    return code;
}
