/* command_run.c - undertone run: the daemon in the foreground, logging to standard error. */
#include "app/daemon.h"
#include "commands/command_line.h"
#include "commands/commands.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char help[] =
    "  undertone run --config undertone.yaml\n"
    "  CXONE_CLIENT_ID=id CXONE_CLIENT_SECRET=... CXONE_INTERACTION_ID=call undertone run\n"
    "  undertone run --set profile=simulator --set api_base=https://localhost:8443\n"
    "\n"
    "usage: undertone run [options]\n"
    "\n"
    "Follows live calls, judges the customer's mood, writes score and trend back and sends\n"
    "suggestions. Logs one JSON object a line to standard error. SIGTERM or SIGINT stops in "
    "order;\n"
    "a second one at once. SIGHUP reads the configuration again: docs/OPERATING.md.\n"
    "\n"
    "  -c, --config FILE    the YAML file (docs/CONFIGURATION.md)\n"
    "      --env-file FILE  KEY=VALUE lines for variables that the environment does not set\n"
    "  -s, --set KEY=VALUE  set one key; may be repeated; not for secrets\n"
    "  -h, --help           this text\n";

static int load(void *user, struct config *config, struct error *err)
{
    return command_line_load_config(user, config, err);
}

static int run(struct command_line_config *line)
{
    struct error err;
    struct config config;
    struct daemon *daemon = NULL;
    int status = 0;
    if (load(line, &config, &err)) {
        return command_line_fail(&err);
    }
    const struct daemon_options options = {
        .config = &config, .log_fd = STDERR_FILENO, .load = load, .user = line};
    if (config_check_run(&config, &err) || daemon_create(&daemon, &options, &err) ||
        daemon_run(daemon, &err)) {
        status = command_line_fail(&err);
    }
    daemon_destroy(daemon);
    config_free(&config);
    return status;
}

int command_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"env-file", required_argument, NULL, COMMAND_LINE_LONG_ONLY},
        {"help", no_argument, NULL, 'h'},
        {0}};
    struct command_line_config line = {0};
    int option;
    while ((option = command_line_option(argc, argv, "c:s:h", options)) != -1) {
        switch (option) {
        case 'c':
            line.file = optarg;
            break;
        case COMMAND_LINE_LONG_ONLY:
            line.env_file = optarg;
            break;
        case 's':
            if (!command_line_add_override(&line, "run", optarg)) {
                return error_exit_status(ERROR_USAGE);
            }
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    if (optind < argc) {
        return command_line_misuse("run", "unexpected argument '%s'", argv[optind]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_DUMPABLE, 0); /* a core file would hold secrets and transcripts */
    return run(&line);
}
