/* commands/sweep.h - one number of the configuration tried at many values over labelled calls: a
 * table, a plot of precision against recall, and the value to take. */
#ifndef COMMANDS_SWEEP_H
#define COMMANDS_SWEEP_H

#include "commands/evaluate.h"

struct sweep {
    char key[64];
    double from;
    double to;
    double step;
};

enum { SWEEP_POINTS_MAX = 200 };

/* "KEY=FROM:TO:STEP"; false unless that names a range of at most SWEEP_POINTS_MAX values. */
bool sweep_parse(const char *text, struct sweep *sweep);

/* Judges the calls with the evaluation's first judge at each value on top of `line`, prints the
 * table and the value to take (best F1, then precision; of several in a row the middle one), and
 * writes the plot as SVG to `plot` unless it is NULL. */
int sweep_run(const struct sweep *sweep, struct evaluate *evaluate,
              const struct command_line_config *line, const struct recording *recording,
              const struct turns_labels *labels, const char *plot, struct error *err);

#endif
