/* command_redact.c - undertone redact: texts in, texts without card numbers, names and their kin
 * out, line by line: what the daemon would let leave memory, and a filter for files. Reads no
 * configuration and no model. */
#include "base/lines.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "redact/redact.h"

#include <stdio.h>

static const char help[] =
    "  echo 'my card is 4111 1111 1111 1111' | undertone redact\n"
    "\n"
    "usage: undertone redact [options] [FILE]\n"
    "\n"
    "      --dialogue   a line may answer the line before it: \"your account number?\", \"3342\"\n"
    "      --strict     take out every other number of three digits or more too\n"
    "      --count      what was taken out, on standard error\n"
    "  -h, --help       this text\n"
    "\n"
    "No such filter finds everything: see docs/REDACTION.md for what it finds and what it "
    "misses.\n";

struct job {
    struct redact_options options;
    struct redact_counts counts;
    bool dialogue;
    bool count;
};

static int redact_line(struct job *job, const char *line, size_t bytes, size_t number,
                       struct buf *out, struct error *err)
{
    buf_clear(out);
    if (!redact_text(line, bytes, &job->options, out, &job->counts)) {
        return error_set(err, bytes > REDACT_TEXT_BYTES_MAX ? ERROR_LIMIT : ERROR_MEMORY,
                         "line %zu could not be redacted (%zu bytes; at most %d)", number, bytes,
                         REDACT_TEXT_BYTES_MAX);
    }
    if (job->dialogue) {
        job->options.expected = redact_expect(line, bytes);
    }
    buf_append_char(out, '\n');
    return fwrite(buf_string(out), 1, out->size, stdout) == out->size
               ? 0
               : error_set(err, ERROR_IO, "cannot write to standard output");
}

static int redact_all(struct job *job, const char *file, struct error *err)
{
    struct lines *lines = NULL;
    struct buf out;
    const char *line;
    size_t bytes;
    int got = 0;
    buf_init(&out, (size_t)REDACT_TEXT_BYTES_MAX * 4);
    int code = lines_open(&lines, file, REDACT_TEXT_BYTES_MAX, err);
    while (!code && (got = lines_next(lines, &line, &bytes, err)) == 1) {
        code = redact_line(job, line, bytes, lines_number(lines), &out, err);
        if (!code && !lines_ready(lines)) {
            (void)fflush(stdout);
        }
    }
    code = code || got >= 0 ? code : (int)err->code;
    lines_close(lines);
    buf_done(&out);
    return code;
}

static void print_counts(const struct redact_counts *counts)
{
    for (int kind = 0; kind < REDACT_KINDS; kind++) {
        (void)fprintf(stderr, "%s %u\n", redact_label((enum redact_kind)kind),
                      (unsigned)counts->found[kind]);
    }
}

int command_redact(int argc, char **argv)
{
    enum { DIALOGUE = COMMAND_LINE_LONG_ONLY, STRICT, COUNT };
    static const struct option options[] = {{"dialogue", no_argument, NULL, DIALOGUE},
                                            {"strict", no_argument, NULL, STRICT},
                                            {"count", no_argument, NULL, COUNT},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct job job = {0};
    struct error err;
    int option;
    while ((option = command_line_option(argc, argv, "h", options)) != -1) {
        switch (option) {
        case DIALOGUE:
            job.dialogue = true;
            break;
        case STRICT:
            job.options.strict = true;
            break;
        case COUNT:
            job.count = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    if (argc - optind > 1) {
        return command_line_misuse("redact", "one file at a time");
    }
    if (redact_all(&job, optind < argc ? argv[optind] : "-", &err)) {
        return command_line_fail(&err);
    }
    if (job.count) {
        print_counts(&job.counts);
    }
    return command_line_finish(0);
}
