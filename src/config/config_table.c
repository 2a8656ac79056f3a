/* config_table.c - finds keys in the table: see config_table.h. The rows are in config_rows_*.c.
 *
 * The loader, `config show`, `config check` and docs/CONFIGURATION.md are all made from this table.
 * It is read with libyaml's events rather than through libcyaml's schema, because one table of our
 * own then gives types, bounds, places in the file, origins and the document; two would drift.
 */
#include "config/config_table.h"

#include "base/suggest.h"
#include "config/config_rows.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const struct config_row *rows;
    const size_t *count;
} tables[] = {
    {config_rows_vendor, &config_rows_vendor_count},
    {config_rows_judgement, &config_rows_judgement_count},
    {config_rows_service, &config_rows_service_count},
};

enum { TABLES = sizeof tables / sizeof tables[0] };

size_t config_table_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLES; i++) {
        count += *tables[i].count;
    }
    return count;
}

const struct config_row *config_table_at(size_t index)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (index < *tables[i].count) {
            return &tables[i].rows[index];
        }
        index -= *tables[i].count;
    }
    return NULL;
}

size_t config_table_index(const struct config_row *row)
{
    size_t index = 0;
    while (config_table_at(index) != row) {
        index++;
    }
    return index;
}

const struct config_row *config_table_find(const char *key)
{
    for (size_t i = 0; i < config_table_count(); i++) {
        if (strcmp(config_table_at(i)->key, key) == 0) {
            return config_table_at(i);
        }
    }
    return NULL;
}

const char *config_table_initial(const struct config_row *row, const char *profile, bool *differs)
{
    const char *special = NULL;
    if (strcmp(profile, "tutorial-literal") == 0) {
        special = row->initial_literal;
    } else if (strcmp(profile, "simulator") == 0) {
        special = row->initial_simulator;
    } else if (strcmp(profile, "cxone-real") == 0) {
        special = row->initial_real;
    }
    *differs = special != NULL;
    return special ? special : row->initial;
}

const struct config_row *config_table_find_group(const char *group)
{
    size_t bytes = strlen(group);
    for (size_t i = 0; i < config_table_count(); i++) {
        if (strncmp(config_table_at(i)->key, group, bytes) == 0 &&
            config_table_at(i)->key[bytes] == '.') {
            return config_table_at(i);
        }
    }
    return NULL;
}

/* A key whose last part was typed right but whose group was left out. */
static const char *key_by_last_part(const char *typed)
{
    for (size_t i = 0; i < config_table_count(); i++) {
        const char *dot = strchr(config_table_at(i)->key, '.');
        if (dot && strcmp(dot + 1, typed) == 0) {
            return config_table_at(i)->key;
        }
    }
    return NULL;
}

const char *config_table_suggest(const char *key)
{
    static const char *const groups[] = {
        "discovery", "socket",      "time",     "page",     "auth",  "ep",    "map",
        "attr",      "assist",      "poll",     "window",   "trend", "alert", "rate",
        "retry",     "retry_after", "breaker",  "timeouts", "http",  "tls",   "discover",
        "privacy",   "end",         "model",    "store",    "log",   "api",   "writes",
        "fuse",      "rules",       "evidence", "decisions"};
    struct suggest best = {0};
    for (size_t i = 0; i < config_table_count(); i++) {
        suggest_offer(&best, key, config_table_at(i)->key);
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && !strchr(key, '.'); i++) {
        suggest_offer(&best, key, groups[i]);
    }
    return best.word ? best.word : key_by_last_part(key);
}

const char *config_table_variable(const struct config_row *row, char out[CONFIG_VARIABLE_BYTES])
{
    (void)snprintf(out, CONFIG_VARIABLE_BYTES, "UNDERTONE_%s", row->key);
    for (char *at = out; *at; at++) {
        *at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
    }
    return out;
}

struct config_origin *config_table_origin(const struct config *config, const struct config_row *row)
{
    return &config->origins[config_table_index(row)];
}

int config_table_set_origin(struct config *config, const struct config_row *row,
                            enum config_layer layer, struct error *err, const char *format, ...)
{
    enum { WHERE_BYTES_MAX = 4096 + 64 };
    struct buf where;
    va_list args;
    buf_init(&where, WHERE_BYTES_MAX);
    va_start(args, format);
    bool ok = buf_vprintf(&where, format, args);
    va_end(args);
    if (!ok) {
        buf_done(&where);
        return error_set(err, ERROR_MEMORY, "no memory for the configuration");
    }
    struct config_origin *origin = config_table_origin(config, row);
    free(origin->where);
    *origin = (struct config_origin){layer, where.bytes};
    return 0;
}
