/* config_value.c - see config_value.h. Numbers are read strictly: no octal, no hexadecimal, no
 * locale, no trailing anything, and a duration without its unit is refused rather than guessed. */
#include "config/config_value.h"

#include "base/json_write.h"
#include "base/keyhash.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_BYTES_MAX = 128, SHOWN_BYTES = 48 };

static void *field(const struct config *config, const struct config_row *row)
{
    return (char *)(uintptr_t)config + row->offset;
}

/* Copies text for a message: short, and nothing in it that could disturb a terminal. */
static const char *shown(const char *text, char out[SHOWN_BYTES])
{
    size_t size = 0;
    for (; text[size] && size + 1 < SHOWN_BYTES; size++) {
        unsigned char c = (unsigned char)text[size];
        out[size] = (char)(c < 0x20 || c >= 0x7F ? '?' : c);
    }
    out[size] = '\0';
    return out;
}

static int refuse(const struct config_row *row, const char *text, const char *wanted,
                  struct error *err)
{
    char copy[SHOWN_BYTES];
    if (row->flags & CONFIG_FLAG_SECRET) {
        return error_set(err, ERROR_CONFIG, "%s: %s", row->key, wanted);
    }
    return error_set(err, ERROR_CONFIG, "%s: '%s' %s", row->key, shown(text, copy), wanted);
}

/* --- numbers --- */

/* Digits, an optional fraction and exponent; false for anything else. */
static bool read_number(const char *text, size_t size, double *out)
{
    char copy[64];
    if (size == 0 || size >= sizeof copy || strspn(text, "0123456789.eE+-") < size) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    char *end;
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

static int check_range(const struct config_row *row, const char *text, double value,
                       struct error *err)
{
    if (value >= row->min && value <= row->max) {
        return 0;
    }
    struct buf wanted;
    buf_init(&wanted, 128);
    buf_append_string(&wanted, "is out of range: it must lie between ");
    if (row->type == CONFIG_TYPE_DURATION) {
        config_value_write_duration((int64_t)row->min, &wanted);
        buf_append_string(&wanted, " and ");
        config_value_write_duration((int64_t)row->max, &wanted);
    } else {
        buf_printf(&wanted, "%.10g and %.10g", row->min, row->max);
    }
    int result = refuse(row, text, buf_string(&wanted), err);
    buf_done(&wanted);
    return result;
}

static int set_number(struct config *config, const struct config_row *row, const char *text,
                      struct error *err)
{
    double value;
    if (!read_number(text, strlen(text), &value)) {
        return refuse(row, text, "is not a number", err);
    }
    int result = check_range(row, text, value, err);
    if (!result) {
        *(double *)field(config, row) = value;
    }
    return result;
}

static int set_integer(struct config *config, const struct config_row *row, const char *text,
                       struct error *err)
{
    size_t sign = text[0] == '-' ? 1 : 0;
    size_t digits = strspn(text + sign, "0123456789");
    if (digits == 0 || text[sign + digits] != '\0') {
        return refuse(row, text, "is not a whole number", err);
    }
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    int result = check_range(row, text, errno == ERANGE ? INFINITY : (double)value, err);
    if (!result) {
        *(int64_t *)field(config, row) = value;
    }
    return result;
}

struct unit {
    const char *name;
    double factor;
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60 * 1000}, {"h", 60 * 60 * 1000}};
static const struct unit size_units[] = {
    {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {"GiB", 1024.0 * 1024 * 1024}};

/* Reads a number and one of the units; false if either is missing, unknown, or leaves a fraction
 * of the unit kept. */
static bool read_with_unit(const char *text, const struct unit *units, size_t count, double *out)
{
    size_t digits = strspn(text, "0123456789.");
    double value;
    if (!read_number(text, digits, &value)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text + digits, units[i].name) == 0) {
            *out = value * units[i].factor;
            return fabs(*out - nearbyint(*out)) < 1e-6;
        }
    }
    return false;
}

static int set_duration(struct config *config, const struct config_row *row, const char *text,
                        struct error *err)
{
    double ms;
    if (!read_with_unit(text, duration_units, 4, &ms)) {
        double bare;
        return refuse(row, text,
                      read_number(text, strlen(text), &bare)
                          ? "has no unit: write ms, s, min or h, as in 2s"
                          : "is not a duration: write a number with ms, s, min or h, as in 2s",
                      err);
    }
    int result = check_range(row, text, ms, err);
    if (!result) {
        *(int64_t *)field(config, row) = (int64_t)nearbyint(ms);
    }
    return result;
}

static int set_size(struct config *config, const struct config_row *row, const char *text,
                    struct error *err)
{
    double bytes;
    if (!read_with_unit(text, size_units, 5, &bytes)) {
        return refuse(row, text, "is not a size: write bytes, or a number with KiB, MiB or GiB",
                      err);
    }
    int result = check_range(row, text, bytes, err);
    if (!result) {
        *(int64_t *)field(config, row) = (int64_t)nearbyint(bytes);
    }
    return result;
}

static int set_start_from(struct config *config, const struct config_row *row, const char *text,
                          struct error *err)
{
    int64_t *ms = field(config, row);
    double lookback;
    if (strcmp(text, "beginning") == 0) {
        *ms = -1;
        return 0;
    }
    if (strcmp(text, "now") == 0) {
        *ms = 0;
        return 0;
    }
    if (strncmp(text, "now-", 4) != 0 || !read_with_unit(text + 4, duration_units, 4, &lookback) ||
        lookback > row->max) {
        return refuse(row, text, "is neither 'beginning' nor like 'now-60s' (at most now-24h)",
                      err);
    }
    *ms = (int64_t)nearbyint(lookback);
    return 0;
}

/* --- words --- */

static int set_bool(struct config *config, const struct config_row *row, const char *text,
                    struct error *err)
{
    bool value = strcmp(text, "true") == 0;
    if (!value && strcmp(text, "false") != 0) {
        return refuse(row, text, "is neither true nor false", err);
    }
    *(bool *)field(config, row) = value;
    return 0;
}

/* The index of text among the row's choices, or -1 and an error that lists them. */
static int find_choice(const struct config_row *row, const char *text, struct error *err)
{
    struct buf wanted;
    buf_init(&wanted, 128);
    buf_append_string(&wanted, "is not one of");
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            buf_done(&wanted);
            return i;
        }
        buf_printf(&wanted, "%s %s", i == 0 ? ":" : ",", row->choices[i]);
    }
    refuse(row, text, buf_string(&wanted), err);
    buf_done(&wanted);
    return -1;
}

static int set_enum(struct config *config, const struct config_row *row, const char *text,
                    struct error *err)
{
    int index = find_choice(row, text, err);
    if (index < 0) {
        return ERROR_CONFIG;
    }
    *(int *)field(config, row) = index;
    return 0;
}

static bool has_control(const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            return true;
        }
    }
    return false;
}

static int check_text(const struct config_row *row, const char *text, struct error *err)
{
    size_t size = strlen(text);
    if (size > (size_t)row->max) {
        return error_set(err, ERROR_CONFIG, "%s: longer than %.0f bytes", row->key, row->max);
    }
    if (size == 0 && (row->flags & CONFIG_FLAG_REQUIRED)) {
        return error_set(err, ERROR_CONFIG, "%s: must not be empty", row->key);
    }
    if (!utf8_is_valid(text, size)) {
        return error_set(err, ERROR_CONFIG, "%s: not valid UTF-8", row->key);
    }
    if (!(row->flags & CONFIG_FLAG_PROSE) && has_control(text)) {
        return error_set(err, ERROR_CONFIG, "%s: holds a line break or control character",
                         row->key);
    }
    return row->choices[0] && find_choice(row, text, err) < 0 ? ERROR_CONFIG : 0;
}

static void wipe_free(const struct config_row *row, char *text)
{
    if (text && (row->flags & CONFIG_FLAG_SECRET)) {
        keyhash_wipe(text, strlen(text));
    }
    free(text);
}

static int set_string(struct config *config, const struct config_row *row, const char *text,
                      struct error *err)
{
    int result = check_text(row, text, err);
    if (result) {
        return result;
    }
    char *copy = strdup(text);
    if (!copy) {
        return error_set(err, ERROR_MEMORY, "no memory for the configuration");
    }
    char **held = field(config, row);
    wipe_free(row, *held);
    *held = copy;
    return 0;
}

/* --- lists --- */

bool config_value_has(const struct config *config, const struct config_row *row, const char *item)
{
    const struct config_list *list = field(config, row);
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], item) == 0) {
            return true;
        }
    }
    return false;
}

int config_value_add(struct config *config, const struct config_row *row, const char *item,
                     struct error *err)
{
    struct config_list *list = field(config, row);
    size_t size = strlen(item);
    if (size == 0 || size > ITEM_BYTES_MAX || !utf8_is_valid(item, size) || has_control(item)) {
        return error_set(err, ERROR_CONFIG,
                         "%s: item %zu must be 1 to %d bytes of text without control characters",
                         row->key, list->count + 1, ITEM_BYTES_MAX);
    }
    if (config_value_has(config, row, item)) {
        return error_set(err, ERROR_CONFIG, "%s: item %zu is listed twice", row->key,
                         list->count + 1);
    }
    if (list->count >= (size_t)row->max) {
        return error_set(err, ERROR_CONFIG, "%s: more than %.0f items", row->key, row->max);
    }
    char **items = realloc(list->items, (list->count + 2) * sizeof *items);
    if (items) {
        list->items = items;
        items[list->count] = strdup(item);
    }
    if (!items || !items[list->count]) {
        return error_set(err, ERROR_MEMORY, "no memory for the configuration");
    }
    items[++list->count] = NULL;
    return 0;
}

/* Comma-separated, blanks around items dropped; empty text is an empty list. */
static int set_list(struct config *config, const struct config_row *row, const char *text,
                    struct error *err)
{
    struct config_list *list = field(config, row);
    struct config_list before = *list;
    struct config_list fresh;
    *list = (struct config_list){0};
    int result = 0;
    for (const char *at = text; *text && at && !result;) {
        const char *comma = strchr(at, ',');
        size_t size = comma ? (size_t)(comma - at) : strlen(at);
        char item[ITEM_BYTES_MAX + 2];
        for (; size > 0 && *at == ' '; at++, size--) {
        }
        for (; size > 0 && at[size - 1] == ' '; size--) {
        }
        size = size < sizeof item ? size : sizeof item - 1;
        memcpy(item, at, size);
        item[size] = '\0';
        result = config_value_add(config, row, item, err);
        at = comma ? comma + 1 : NULL;
    }
    fresh = *list;
    *list = result ? fresh : before;
    config_value_clear(config, row);
    *list = result ? before : fresh;
    return result;
}

/* --- any value --- */

int config_value_set(struct config *config, const struct config_row *row, const char *text,
                     struct error *err)
{
    switch (row->type) {
    case CONFIG_TYPE_STRING:
        return set_string(config, row, text, err);
    case CONFIG_TYPE_BOOL:
        return set_bool(config, row, text, err);
    case CONFIG_TYPE_ENUM:
        return set_enum(config, row, text, err);
    case CONFIG_TYPE_INTEGER:
        return set_integer(config, row, text, err);
    case CONFIG_TYPE_NUMBER:
        return set_number(config, row, text, err);
    case CONFIG_TYPE_DURATION:
        return set_duration(config, row, text, err);
    case CONFIG_TYPE_SIZE:
        return set_size(config, row, text, err);
    case CONFIG_TYPE_START_FROM:
        return set_start_from(config, row, text, err);
    case CONFIG_TYPE_LIST:
        return set_list(config, row, text, err);
    }
    return error_set(err, ERROR_INTERNAL, "%s: a type the reader does not know", row->key);
}

void config_value_clear(struct config *config, const struct config_row *row)
{
    if (row->type == CONFIG_TYPE_STRING) {
        char **held = field(config, row);
        wipe_free(row, *held);
        *held = NULL;
    } else if (row->type == CONFIG_TYPE_LIST) {
        struct config_list *list = field(config, row);
        for (size_t i = 0; i < list->count; i++) {
            free(list->items[i]);
        }
        free(list->items);
        *list = (struct config_list){0};
    }
}

double config_value_number(const struct config *config, const struct config_row *row)
{
    const void *at = field(config, row);
    return row->type == CONFIG_TYPE_NUMBER ? *(const double *)at : (double)*(const int64_t *)at;
}

/* --- writing --- */

void config_value_write_duration(int64_t ms, struct buf *out)
{
    for (size_t i = 4; i-- > 0;) {
        int64_t factor = (int64_t)duration_units[i].factor;
        if (ms % factor == 0 && (ms > 0 || i == 1)) {
            buf_printf(out, "%lld%s", (long long)(ms / factor), duration_units[i].name);
            return;
        }
    }
}

void config_value_write_size(int64_t bytes, struct buf *out)
{
    size_t i = 4;
    while (i > 1 && bytes % (int64_t)size_units[i].factor != 0) {
        i--;
    }
    buf_printf(out, "%lld%s", (long long)(bytes / (int64_t)size_units[i].factor),
               i > 1 ? size_units[i].name : "");
}

/* Plain where YAML reads it back as the same text, quoted (JSON's escapes are YAML's) elsewhere. */
static void write_text(const char *text, struct buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    size_t size = strlen(text);
    if (size > 0 && strspn(text, plain) == size && text[0] != '-' && strcmp(text, "null") != 0) {
        buf_append(out, text, size);
        return;
    }
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_write_string(&writer, text, size);
}

static void write_list(const struct config_list *list, struct buf *out)
{
    buf_append_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        buf_append_string(out, i > 0 ? ", " : "");
        write_text(list->items[i], out);
    }
    buf_append_char(out, ']');
}

/* As few digits as read back to the same number. */
static void write_number(double value, struct buf *out)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    buf_append_string(out, text);
}

void config_value_write(const struct config *config, const struct config_row *row, struct buf *out)
{
    const void *at = field(config, row);
    switch (row->type) {
    case CONFIG_TYPE_STRING: {
        const char *text = *(char *const *)at;
        if ((row->flags & CONFIG_FLAG_SECRET) && text && *text) {
            buf_append_string(out, "***");
        } else {
            write_text(text ? text : "", out);
        }
        return;
    }
    case CONFIG_TYPE_BOOL:
        buf_append_string(out, *(const bool *)at ? "true" : "false");
        return;
    case CONFIG_TYPE_ENUM:
        buf_append_string(out, row->choices[*(const int *)at]);
        return;
    case CONFIG_TYPE_INTEGER:
        buf_printf(out, "%lld", (long long)*(const int64_t *)at);
        return;
    case CONFIG_TYPE_NUMBER:
        write_number(*(const double *)at, out);
        return;
    case CONFIG_TYPE_DURATION:
        config_value_write_duration(*(const int64_t *)at, out);
        return;
    case CONFIG_TYPE_SIZE:
        config_value_write_size(*(const int64_t *)at, out);
        return;
    case CONFIG_TYPE_START_FROM:
        if (*(const int64_t *)at < 0) {
            buf_append_string(out, "beginning");
            return;
        }
        buf_append_string(out, "now-");
        config_value_write_duration(*(const int64_t *)at, out);
        return;
    case CONFIG_TYPE_LIST:
        write_list(at, out);
        return;
    }
}
