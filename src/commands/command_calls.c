/* command_calls.c - undertone calls|alerts|watch: what the running daemon knows, in a terminal, and
 * the calls it is asked to follow or to end. Everything comes from its own HTTP server. */
#include "base/json.h"
#include "base/json_write.h"
#include "commands/board_table.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "commands/daemon_client.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char calls_help[] =
    "  undertone calls\n"
    "  undertone calls --json | jq .\n"
    "  undertone calls add 7c3f0a52-5d1e-4c58-9f0e-0a7d2f1b6c11\n"
    "  undertone calls end 7c3f0a52-5d1e-4c58-9f0e-0a7d2f1b6c11\n"
    "\n"
    "usage: undertone calls [options] [add|end ID...]\n"
    "\n"
    "Lists the live calls of the undertone that runs, those that need somebody first; or asks it "
    "to\n"
    "follow a call, or to end following one after its last words. Asking takes the token of its "
    "API\n"
    "(api.token_file, docs/API.md).\n"
    "\n"
    "      --master ID      with add: the contact that the transferred call belongs to\n"
    "      --json           with the list: what the wallboard gets, as it is\n";

static const char alerts_help[] = "  undertone alerts\n"
                                  "\n"
                                  "usage: undertone alerts [options]\n"
                                  "\n"
                                  "Lists the alerts of the undertone that runs: open ones first, "
                                  "then the newest. Older ones are\n"
                                  "in the log of decisions (undertone decisions show).\n"
                                  "\n"
                                  "      --json           what the wallboard gets, as it is\n";

static const char watch_help[] =
    "  undertone watch\n"
    "\n"
    "usage: undertone watch [options]\n"
    "\n"
    "Shows the live calls of the undertone that runs, anew every second, until Ctrl-C; where the\n"
    "output is no terminal, one picture after the other.\n"
    "\n"
    "      --times N        stops after so many pictures\n";

static const char common_help[] =
    "      --at ADDRESS     where it listens, such as https://undertone.example;\n"
    "                       otherwise http.listen says\n"
    "  -c, --config FILE    the YAML file the daemon has (docs/CONFIGURATION.md)\n"
    "  -s, --set KEY=VALUE  set one key; may be repeated\n"
    "  -h, --help           this text\n";

enum {
    OPTION_AT = COMMAND_LINE_LONG_ONLY,
    OPTION_JSON,
    OPTION_MASTER,
    OPTION_TIMES,
    BOARD_BYTES_MAX = 256 << 20,
    LINES_WITHOUT_TERMINAL = 40,
    LINES_AROUND = 4, /* status, heading, what was left out, the cursor's */
};

struct request {
    const char *command;
    struct command_line_config line;
    struct config config;
    const char *at;
    const char *master;
    long times; /* 0: without end */
    bool json;
    struct daemon_client *client;
};

/* ---- options ---- */

static bool take_option(struct request *request, int option, const char *help, int *status)
{
    switch (option) {
    case 'c':
        request->line.file = optarg;
        return true;
    case 's':
        return command_line_add_override(&request->line, request->command, optarg);
    case OPTION_AT:
        request->at = optarg;
        return true;
    case OPTION_JSON:
        request->json = true;
        return true;
    case OPTION_MASTER:
        request->master = optarg;
        return true;
    case OPTION_TIMES:
        return command_line_count(request->command, "--times", optarg, 1000000, &request->times);
    case 'h':
        (void)printf("%s%s", help, common_help);
        *status = command_line_finish(0);
        return false;
    default:
        return false;
    }
}

/* The status to end with, or -1 to go on. */
static int read_options(struct request *request, int argc, char **argv,
                        const struct option *options, const char *help)
{
    int option;
    while ((option = command_line_option(argc, argv, "c:s:h", options)) != -1) {
        int status = error_exit_status(ERROR_USAGE);
        if (!take_option(request, option, help, &status)) {
            return status;
        }
    }
    return -1;
}

static int open_request(struct request *request, struct error *err)
{
    int result = command_line_load_config(&request->line, &request->config, err);
    if (result == 0) {
        result = daemon_client_create(&request->client, &request->config, request->at, err);
        if (result != 0) {
            config_free(&request->config);
        }
    }
    return result;
}

static void close_request(struct request *request)
{
    daemon_client_destroy(request->client);
    config_free(&request->config);
}

/* ---- the board ---- */

static int print_board(struct request *request, bool alerts,
                       const struct board_table_options *options, struct error *err)
{
    struct buf body;
    struct json_document *board = NULL;
    buf_init(&body, BOARD_BYTES_MAX);
    int result = daemon_client_read(request->client, "/api/calls", &body, err);
    if (result == 0 && request->json) {
        (void)fwrite(body.bytes, 1, body.size, stdout);
        (void)fputc('\n', stdout);
        goto out;
    }
    result = result ? result : json_parse(buf_string(&body), body.size, &board, err);
    if (result != 0) {
        goto out;
    }
    bool good = alerts ? board_table_print_alerts(stdout, json_root(board), options)
                       : board_table_print_calls(stdout, json_root(board), options);
    if (!good) {
        result = error_set(err, ERROR_MEMORY, "no memory for the table");
        goto out;
    }
    board_table_print_status(stdout, json_root(board));
out:
    json_free(board);
    buf_done(&body);
    return result;
}

static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"); /* https://no-color.org */
    return isatty(STDOUT_FILENO) && !(none && *none);
}

static int list(struct request *request, bool alerts)
{
    struct error err;
    struct board_table_options options = {.colour = wants_colour()};
    int result = open_request(request, &err);
    if (result == 0) {
        result = print_board(request, alerts, &options, &err);
        close_request(request);
    }
    return result ? command_line_fail(&err) : command_line_finish(0);
}

/* ---- asking for calls ---- */

static int add_call(struct request *request, const char *id, struct error *err)
{
    struct buf body;
    struct json_writer writer;
    int status = 0;
    buf_init(&body, 4096);
    json_writer_init(&writer, &body);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "interactionId", id);
    if (request->master) {
        json_write_member_text(&writer, "masterId", request->master);
    }
    json_write_object_end(&writer);
    int result = !body.failed ? daemon_client_ask(request->client, "POST", "/api/v1/calls",
                                                  buf_string(&body), &status, err)
                              : error_set(err, ERROR_USAGE, "the call's name is too long");
    if (result == 0) {
        (void)printf("%s: %s\n", id, status == 201 ? "followed from now on" : "followed already");
    }
    buf_done(&body);
    return result;
}

static int end_call(struct request *request, const char *id, struct error *err)
{
    struct buf path;
    int status = 0;
    buf_init(&path, 4096);
    bool fits = buf_append_string(&path, "/api/v1/calls/") && url_encode(&path, id, strlen(id));
    int result =
        fits ? daemon_client_ask(request->client, "DELETE", buf_string(&path), NULL, &status, err)
             : error_set(err, ERROR_USAGE, "the call's name is too long");
    if (result == 0) {
        (void)printf("%s: its last words are fetched, then it is closed\n", id);
    }
    buf_done(&path);
    return result;
}

static int ask_for_calls(struct request *request, bool add, char **ids)
{
    struct error err;
    int result = open_request(request, &err);
    if (result != 0) {
        return command_line_fail(&err);
    }
    for (; *ids && result == 0; ids++) {
        result = add ? add_call(request, *ids, &err) : end_call(request, *ids, &err);
        result = result ? error_wrap(&err, "%s", *ids) : 0;
    }
    close_request(request);
    return result ? command_line_fail(&err) : command_line_finish(0);
}

int command_calls(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 's'},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"master", required_argument, NULL, OPTION_MASTER},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request request = {.command = "calls"};
    int status = read_options(&request, argc, argv, options, calls_help);
    if (status >= 0) {
        return status;
    }
    const char *verb = argv[optind];
    bool add = verb && strcmp(verb, "add") == 0;
    if (!verb && !request.master) {
        return list(&request, false);
    }
    if (!verb || (!add && strcmp(verb, "end") != 0) || !argv[optind + 1]) {
        return command_line_misuse("calls", "wants nothing, or add or end and calls' names");
    }
    if (request.json || (request.master && !add)) {
        return command_line_misuse("calls", "--json is for the list, --master for add");
    }
    return ask_for_calls(&request, add, argv + optind + 1);
}

int command_alerts(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"set", required_argument, NULL, 's'},
        {"at", required_argument, NULL, OPTION_AT}, {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, 'h'},           {0}};
    struct request request = {.command = "alerts"};
    int status = read_options(&request, argc, argv, options, alerts_help);
    if (status >= 0) {
        return status;
    }
    return argv[optind] ? command_line_misuse("alerts", "wants no '%s'", argv[optind])
                        : list(&request, true);
}

/* ---- watching ---- */

static size_t terminal_rows(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > LINES_AROUND + 1;
    return (size_t)(known ? size.ws_row : LINES_WITHOUT_TERMINAL) - LINES_AROUND;
}

/* A daemon that is being restarted is waited for; what cannot change by itself ends the watch. */
static int watch(struct request *request)
{
    static const struct timespec second = {.tv_sec = 1};
    struct error err;
    bool terminal = isatty(STDOUT_FILENO);
    int result = open_request(request, &err);
    if (result != 0) {
        return command_line_fail(&err);
    }
    for (long shown = 0; request->times == 0 || shown < request->times; shown++) {
        struct board_table_options options = {.rows_max = terminal_rows(),
                                              .colour = wants_colour()};
        if (shown > 0) {
            (void)nanosleep(&second, NULL);
        }
        (void)fputs(terminal ? "\x1b[H\x1b[2J" : "", stdout);
        result = print_board(request, false, &options, &err);
        if (result != 0 && !err.retriable) {
            break;
        }
        if (result != 0) {
            (void)printf("%s\n", err.message);
        }
        if (fflush(stdout) != 0) {
            break;
        }
    }
    close_request(request);
    return result ? command_line_fail(&err) : command_line_finish(0);
}

int command_watch(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 's'},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {"times", required_argument, NULL, OPTION_TIMES},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct request request = {.command = "watch"};
    int status = read_options(&request, argc, argv, options, watch_help);
    if (status >= 0) {
        return status;
    }
    return argv[optind] ? command_line_misuse("watch", "wants no '%s'", argv[optind])
                        : watch(&request);
}
