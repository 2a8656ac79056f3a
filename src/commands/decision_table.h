/* commands/decision_table.h - a log of decisions by alert: what led to each, and what became of it.
 */
#ifndef COMMANDS_DECISION_TABLE_H
#define COMMANDS_DECISION_TABLE_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>

struct decision_table;

/* Only this call's alerts, by its hash; NULL: all. NULL without memory. */
struct decision_table *decision_table_create(const char *call);
void decision_table_destroy(struct decision_table *table); /* accepts NULL */

/* Takes a line of the log: decision_review_fn. */
bool decision_table_take(void *table, const struct json *line);

/* One line for each alert, in the order of the log; or one JSON object for each. */
void decision_table_write(const struct decision_table *table, bool as_json, struct buf *out);

#endif
