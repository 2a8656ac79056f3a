/* config/config_value.h - one value: text to field and back; private to config*.c. */
#ifndef CONFIG_CONFIG_VALUE_H
#define CONFIG_CONFIG_VALUE_H

#include "config/config_table.h"

/* Reads `text` into the row's field, replacing (and wiping, if secret) what was there. Text is
 * trusted to be NUL-terminated, not to be anything else. On failure the field is unchanged and the
 * error says "KEY: what is wrong"; the caller puts the place in front. A secret is never quoted. */
int config_value_set(struct config *config, const struct config_row *row, const char *text,
                     struct error *err);

/* Adds one item to a list row. */
int config_value_add(struct config *config, const struct config_row *row, const char *item,
                     struct error *err);

/* Whether the list holds the item. */
bool config_value_has(const struct config *config, const struct config_row *row, const char *item);

/* Frees what the field owns and empties it. */
void config_value_clear(struct config *config, const struct config_row *row);

/* Appends the value as it would be written in the file; "***" for a secret that is set. */
void config_value_write(const struct config *config, const struct config_row *row, struct buf *out);

/* The value of a numeric row, in the unit kept. */
double config_value_number(const struct config *config, const struct config_row *row);

/* The shortest exact form with a unit, such as "250ms", "2s", "10min". */
void config_value_write_duration(int64_t ms, struct buf *out);

/* Likewise for bytes: "8MiB", "1500". */
void config_value_write_size(int64_t bytes, struct buf *out);

#endif
