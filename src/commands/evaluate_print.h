/* commands/evaluate_print.h - what an evaluation says, as tables and as JSON lines, on standard
 * output.
 */
#ifndef COMMANDS_EVALUATE_PRINT_H
#define COMMANDS_EVALUATE_PRINT_H

#include "commands/evaluate.h"

/* JSON lines of what measures rest on, so that they can be checked: one turn, one call. `is` and
 * `taken` are -1, 0 or 1. */
void evaluate_print_turn(const struct judge *judge, const char *source,
                         const struct recording_line *line, size_t ordinal, int is, int taken,
                         double probability);
void evaluate_print_call(const struct judge *judge, const char *source,
                         const struct evaluate_call *call, size_t rule_count,
                         const uint32_t *fired);

/* Measures of a source under a judgement; of turns too if they were judged. */
void evaluate_print_row(bool json, bool with_turns, const struct evaluate_row *row);

void evaluate_print_rule(bool json, const struct evaluate_rule *rule);

#endif
