/* commands/command_line.h - what all commands do alike: options, messages, exit statuses. */
#ifndef COMMANDS_COMMAND_LINE_H
#define COMMANDS_COMMAND_LINE_H

#include "base/error.h"
#include "config/config.h"
#include "nlp/scorer.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/* An option's value in `struct option.val` when it has no short letter. */
enum { COMMAND_LINE_LONG_ONLY = 256 };

/* Prints the error to standard error and returns its exit status. */
int command_line_fail(const struct error *err);

/* Prints "undertone COMMAND: message" and how to get help; returns the status for wrong usage. */
int command_line_misuse(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* getopt_long without its own messages. Returns what it does; '?' after a message was printed, with
 * the nearest known option where there is one. */
int command_line_option(int argc, char **argv, const char *letters, const struct option *options);

/* Reads a count such as --threads; false after a message. */
bool command_line_count(const char *command, const char *option, const char *text, long max,
                        long *out);

/* Reads --precision; false after a message. */
bool command_line_precision(const char *command, const char *text,
                            enum scorer_precision *precision);

/* Cores this process may use, at least 1 and at most `max`. */
long command_line_cores(long max);

/* Flushes standard output; a write that failed turns success into failure. */
int command_line_finish(int status);

/* --config FILE, --env-file FILE and any number of --set KEY=VALUE, for commands that take a
 * configuration. */
enum { COMMAND_LINE_OVERRIDES_MAX = 64 };

struct command_line_config {
    const char *file;
    const char *env_file;
    const char *overrides[COMMAND_LINE_OVERRIDES_MAX + 1];
    size_t override_count;
};

/* False, after a message, when there are too many. */
bool command_line_add_override(struct command_line_config *line, const char *command,
                               const char *text);

/* Loads the configuration from these, the environment and the defaults. */
int command_line_load_config(const struct command_line_config *line, struct config *config,
                             struct error *err);

#endif
