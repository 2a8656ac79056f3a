/* command_line.c - see command_line.h. getopt_long does the parsing; its messages are replaced,
 * because it can neither suggest nor name the command. */
#include "commands/command_line.h"

#include "base/suggest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ; /* POSIX leaves the declaration to the program */

int command_line_fail(const struct error *err)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "undertone: %s\n", err->message);
    return error_exit_status(err->code);
}

int command_line_misuse(const char *command, const char *format, ...)
{
    va_list args;
    (void)fflush(stdout);
    (void)fprintf(stderr, "undertone %s: ", command);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\nTry 'undertone %s --help'.\n", command);
    return error_exit_status(ERROR_USAGE);
}

/* What getopt_long choked on is the argument before optind, or a letter inside it. */
static void complain(const char *command, const char *argument, const struct option *options)
{
    char typed[SUGGEST_WORD_BYTES_MAX + 1];
    struct suggest best = {0};
    const struct option *exact = NULL;
    size_t bytes = strcspn(argument, "=");
    bytes = bytes < sizeof typed ? bytes : sizeof typed - 1;
    memcpy(typed, argument, bytes);
    typed[bytes] = '\0';
    for (const struct option *option = options; option->name && strncmp(typed, "--", 2) == 0;
         option++) {
        suggest_offer(&best, typed + 2, option->name);
        exact = strcmp(typed + 2, option->name) == 0 ? option : exact;
    }
    if (exact && exact->has_arg == no_argument) {
        command_line_misuse(command, "%s takes no value", typed);
    } else if (exact) {
        command_line_misuse(command, "%s needs a value", typed);
    } else if (best.word) {
        command_line_misuse(command, "unknown option %s; did you mean --%s?", typed, best.word);
    } else {
        command_line_misuse(command, "unknown option or missing value: %s", typed);
    }
}

int command_line_option(int argc, char **argv, const char *letters, const struct option *options)
{
    opterr = 0;
    int at = optind > 0 ? optind : 1;
    int option = getopt_long(argc, argv, letters, options, NULL);
    if (option == '?') {
        int culprit = optind > at ? optind - 1 : at;
        complain(argv[0], argv[culprit < argc ? culprit : argc - 1], options);
    }
    return option;
}

bool command_line_count(const char *command, const char *option, const char *text, long max,
                        long *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < 1 || value > max) {
        command_line_misuse(command, "%s takes a whole number from 1 to %ld", option, max);
        return false;
    }
    *out = value;
    return true;
}

bool command_line_precision(const char *command, const char *text, enum scorer_precision *precision)
{
    if (!scorer_precision_parse(text, precision)) {
        command_line_misuse(command, "--precision '%s' is not auto, fp32, int8 or bf16", text);
        return false;
    }
    return true;
}

long command_line_cores(long max)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) {
        return 1;
    }
    return cores < max ? cores : max;
}

int command_line_finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        struct error err;
        error_set(&err, ERROR_IO, "cannot write to standard output: %s", strerror(errno));
        int failure = command_line_fail(&err);
        return status ? status : failure;
    }
    return status;
}

bool command_line_add_override(struct command_line_config *line, const char *command,
                               const char *text)
{
    if (line->override_count >= COMMAND_LINE_OVERRIDES_MAX) {
        command_line_misuse(command, "more than %d --set; use a configuration file",
                            COMMAND_LINE_OVERRIDES_MAX);
        return false;
    }
    line->overrides[line->override_count++] = text;
    return true;
}

int command_line_load_config(const struct command_line_config *line, struct config *config,
                             struct error *err)
{
    const struct config_sources sources = {.file = line->file,
                                           .env_file = line->env_file,
                                           .environment = (const char *const *)environ,
                                           .overrides = line->overrides};
    return config_load(config, &sources, err);
}
