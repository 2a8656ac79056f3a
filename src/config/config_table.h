/* config/config_table.h - one row per configuration key; private to config*.c. The rows
 * themselves are in config_rows_*.c, by topic.
 *
 * Defaults are written as text in the form a person would write and go through the same reader as
 * everything else, so a default cannot be out of range or of the wrong type.
 */
#ifndef CONFIG_CONFIG_TABLE_H
#define CONFIG_CONFIG_TABLE_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

enum config_type {
    CONFIG_TYPE_STRING,     /* char * */
    CONFIG_TYPE_BOOL,       /* bool */
    CONFIG_TYPE_ENUM,       /* int: index into choices */
    CONFIG_TYPE_INTEGER,    /* int64_t */
    CONFIG_TYPE_NUMBER,     /* double */
    CONFIG_TYPE_DURATION,   /* int64_t milliseconds, written with a unit */
    CONFIG_TYPE_SIZE,       /* int64_t bytes, written with or without a unit */
    CONFIG_TYPE_START_FROM, /* int64_t milliseconds: "now-60s", or "beginning" (-1) */
    CONFIG_TYPE_LIST,       /* struct config_list; written as a sequence or comma-separated */
};

enum config_flag {
    CONFIG_FLAG_SECRET = 1,   /* never shown, never from the command line, wiped */
    CONFIG_FLAG_REQUIRED = 2, /* text may not be empty */
    CONFIG_FLAG_PROSE = 4,    /* text may hold line breaks and tabs */
    CONFIG_FLAG_RESTART = 8,  /* cannot change while running */
};

enum { CONFIG_CHOICES_MAX = 8, CONFIG_ROWS_MAX = 192 };

struct config_row {
    const char *key;
    enum config_type type;
    unsigned flags;
    size_t offset;   /* into struct config */
    double min, max; /* numbers: in the unit kept; lists: number of items; text: max bytes */
    const char *initial;
    const char *initial_literal; /* where a profile differs, else NULL */
    const char *initial_simulator;
    const char *initial_real;
    const char *choices[CONFIG_CHOICES_MAX + 1];
    const char *tutorial_variable; /* the tutorial's own environment variable, or NULL */
    const char *meaning;           /* one line, for the generated document */
};

/* All rows, in the order of docs/CONFIGURATION.md; at most CONFIG_ROWS_MAX. */
size_t config_table_count(void);

/* NULL past the last one. */
const struct config_row *config_table_at(size_t index);
size_t config_table_index(const struct config_row *row);

/* NULL when unknown. */
const struct config_row *config_table_find(const char *key);

/* The row's default in a profile; *differs: it is not that of profile tutorial. */
const char *config_table_initial(const struct config_row *row, const char *profile, bool *differs);

/* The first row of a group ("alert" for "alert.threshold"), or NULL when there is no such group. */
const struct config_row *config_table_find_group(const char *group);

/* What a mistyped key or group probably meant, or NULL. */
const char *config_table_suggest(const char *key);

/* "UNDERTONE_ALERT_THRESHOLD" for "alert.threshold". */
enum { CONFIG_VARIABLE_BYTES = 80 };
const char *config_table_variable(const struct config_row *row, char out[CONFIG_VARIABLE_BYTES]);

/* Where a value came from, least binding first. */
enum config_layer {
    CONFIG_LAYER_UNSET,
    CONFIG_LAYER_DEFAULT,
    CONFIG_LAYER_CREDENTIAL, /* systemd's credentials directory */
    CONFIG_LAYER_FILE,
    CONFIG_LAYER_ENVIRONMENT,
    CONFIG_LAYER_FLAG,
};

struct config_origin {
    enum config_layer layer;
    char *where; /* owned: "undertone.yaml:3:14", "CXONE_ENV", "profile simulator" */
};

struct config_origin *config_table_origin(const struct config *config,
                                          const struct config_row *row);

/* Records where a row's value came from. ERROR_MEMORY is the only failure. */
int config_table_set_origin(struct config *config, const struct config_row *row,
                            enum config_layer layer, struct error *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
