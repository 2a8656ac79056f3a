/* commands/board_table.h - what the wallboard holds (GET /api/calls, docs/WALLBOARD.md) as a table
 * for a terminal. Pure but for the stream it prints to. */
#ifndef COMMANDS_BOARD_TABLE_H
#define COMMANDS_BOARD_TABLE_H

#include "base/json.h"

#include <stddef.h>
#include <stdio.h>

struct board_table_options {
    size_t rows_max; /* 0: all; a line says how many were left out */
    bool colour;     /* low moods and open alerts stand out */
};

/* Live calls, those that need somebody first: open alerts, then the lowest mood, then calls of
 * which nothing is known yet. False without memory. */
bool board_table_print_calls(FILE *out, const struct json *board,
                             const struct board_table_options *options);

/* Alerts, open ones first, then the newest. */
bool board_table_print_alerts(FILE *out, const struct json *board,
                              const struct board_table_options *options);

/* One line: calls, open alerts, promptness; then one for each trouble the daemon tells of. */
void board_table_print_status(FILE *out, const struct json *board);

#endif
