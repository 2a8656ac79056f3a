/* command_decisions.c - undertone decisions verify|show FILE...: the log of decisions, read again.
 * Works on the files alone: no configuration, no key, no daemon. */
#include "commands/command_line.h"
#include "commands/commands.h"
#include "commands/decision_table.h"
#include "decisions/decision_files.h"
#include "decisions/decision_review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "  undertone decisions verify /var/lib/undertone/decisions.jsonl\n"
    "  undertone decisions verify --head 3b1f... decisions.jsonl\n"
    "  undertone decisions show --call 5d41402abc4b2a76b9719d911017c592 decisions.jsonl\n"
    "\n"
    "usage: undertone decisions verify|show [options] FILE...\n"
    "\n"
    "  verify     checks that each line follows from the one before, and that none was changed;\n"
    "             exit status 1 names the file and line where it does not\n"
    "  show       the alerts: why, what became of them, what people said of them\n"
    "\n"
    "The full files of FILE (FILE.000000000042) are read before it; several FILEs are read as one\n"
    "log, in the order given.\n"
    "\n"
    "      --head HASH  a hash kept elsewhere (decisions_head in the log) must be in it\n"
    "      --call HASH  with show: only this call, by its hash in the log\n"
    "      --json       with show: one JSON object a line\n"
    "  -h, --help       this text\n";

enum { TEXT_BYTES_MAX = 1 << 30 };
enum { OPTION_HEAD = COMMAND_LINE_LONG_ONLY, OPTION_CALL, OPTION_JSON };

struct reading {
    struct decision_review review;
    decision_review_fn *each;
    void *user;
};

/* A broken log is a failure like any other here, not a wrong configuration. */
static int fail(struct error *err)
{
    err->code = err->code == ERROR_FORMAT ? ERROR_IO : err->code;
    return command_line_fail(err);
}

static int read_full_files(struct reading *reading, const char *path, struct error *err)
{
    uint64_t *lasts;
    size_t count;
    struct buf name;
    int result = decision_files_list(path, &lasts, &count, err);
    buf_init(&name, 8192);
    for (size_t i = 0; i < count && !result; i++) {
        buf_clear(&name);
        (void)decision_files_name(path, lasts[i], &name);
        result = decision_review_read(&reading->review, buf_string(&name), reading->each,
                                      reading->user, err);
    }
    buf_done(&name);
    free(lasts);
    return result;
}

static int read_all(struct reading *reading, char **paths, struct error *err)
{
    int result = 0;
    for (; *paths && !result; paths++) {
        result = read_full_files(reading, *paths, err);
        result = result ? result
                        : decision_review_read(&reading->review, *paths, reading->each,
                                               reading->user, err);
    }
    if (!result && reading->review.wanted && !reading->review.found) {
        result = error_set(err, ERROR_FORMAT,
                           "no line has the hash %s: lines are missing at the end, or the log was "
                           "made anew",
                           reading->review.wanted);
    }
    return result;
}

static int verify(const char *head, char **paths)
{
    struct reading reading = {.each = NULL};
    struct error err;
    decision_review_init(&reading.review, head);
    if (read_all(&reading, paths, &err)) {
        return fail(&err);
    }
    const struct decision_review *review = &reading.review;
    printf("%llu lines are whole, number %llu to %llu; the last has the hash %s\n",
           (unsigned long long)review->lines, (unsigned long long)review->first,
           (unsigned long long)review->chain.seq, review->chain.hash);
    if (review->first > 1) {
        printf("note: the lines before number %llu were not given\n",
               (unsigned long long)review->first);
    }
    return command_line_finish(0);
}

static int show(const char *head, const char *call, bool as_json, char **paths)
{
    struct error err;
    struct buf text;
    struct decision_table *table = decision_table_create(call);
    struct reading reading = {.each = decision_table_take, .user = table};
    int status = 0;
    buf_init(&text, TEXT_BYTES_MAX);
    decision_review_init(&reading.review, head);
    if (!table) {
        error_set(&err, ERROR_MEMORY, "no memory for the alerts");
        status = command_line_fail(&err);
    } else if (read_all(&reading, paths, &err)) {
        status = fail(&err);
    } else {
        decision_table_write(table, as_json, &text);
        (void)fwrite(buf_string(&text), 1, text.size, stdout);
    }
    decision_table_destroy(table);
    buf_done(&text);
    return command_line_finish(status);
}

int command_decisions(int argc, char **argv)
{
    static const struct option options[] = {{"head", required_argument, NULL, OPTION_HEAD},
                                            {"call", required_argument, NULL, OPTION_CALL},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *head = NULL;
    const char *call = NULL;
    bool as_json = false;
    int option;
    while ((option = command_line_option(argc, argv, "h", options)) != -1) {
        switch (option) {
        case OPTION_HEAD:
            head = optarg;
            break;
        case OPTION_CALL:
            call = optarg;
            break;
        case OPTION_JSON:
            as_json = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    const char *action = optind < argc ? argv[optind] : "";
    bool shows = strcmp(action, "show") == 0;
    if (!shows && strcmp(action, "verify") != 0) {
        return command_line_misuse("decisions", "say what to do: verify or show");
    }
    if (optind + 1 >= argc) {
        return command_line_misuse("decisions", "name the file of decisions.path");
    }
    char **paths = argv + optind + 1;
    return shows ? show(head, call, as_json, paths) : verify(head, paths);
}
