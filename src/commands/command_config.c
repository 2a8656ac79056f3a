/* command_config.c - undertone config check | show | document: what is in force, and whether it is
 * valid, without starting anything. */
#include "app/metrics.h"
#include "commands/command_line.h"
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "  undertone config check --config undertone.yaml\n"
                           "  undertone config show --origin --config undertone.yaml\n"
                           "  undertone config show --set alert.threshold=0.3\n"
                           "  undertone config document > docs/CONFIGURATION.md\n"
                           "  undertone config document --metrics > docs/METRICS.md\n"
                           "\n"
                           "usage: undertone config check|show|document [options]\n"
                           "\n"
                           "  check      validate; says what is wrong and where (exit status 78)\n"
                           "  show       print the effective values; secrets appear as ***\n"
                           "  document   print the reference of all keys\n"
                           "\n"
                           "  -c, --config FILE    the YAML file\n"
                           "      --env-file FILE  KEY=VALUE lines, for variables that the "
                           "environment does not set\n"
                           "  -s, --set KEY=VALUE  set one key; may be repeated\n"
                           "      --origin         with show: where each value comes from\n"
                           "      --metrics        with document: the reference of all metrics\n"
                           "  -h, --help           this text\n";

enum { TEXT_BYTES_MAX = 1 << 20 };
enum { OPTION_ORIGIN = COMMAND_LINE_LONG_ONLY, OPTION_METRICS, OPTION_ENV_FILE };

static int print(const struct buf *text)
{
    (void)fwrite(buf_string(text), 1, text->size, stdout);
    return command_line_finish(0);
}

static int check(const struct command_line_config *line, const struct config *config)
{
    struct error err;
    printf("%s is valid\n", line->file ? line->file : "the configuration");
    if (config_check_run(config, &err)) {
        printf("note: 'undertone run' needs more: %s\n", err.message);
    }
    return command_line_finish(0);
}

static int show(const struct command_line_config *line, const char *action, bool with_origin)
{
    struct error err;
    struct config config;
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    if (command_line_load_config(line, &config, &err)) {
        return command_line_fail(&err);
    }
    int status;
    if (strcmp(action, "check") == 0) {
        status = check(line, &config);
    } else if (config_show(&config, with_origin, &text, &err)) {
        status = command_line_fail(&err);
    } else {
        status = print(&text);
    }
    buf_done(&text);
    config_free(&config);
    return status;
}

static int document(bool of_metrics)
{
    struct error err;
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    int status = 0;
    if (of_metrics) {
        metrics_document(&text);
    } else if (config_document(&text, &err)) {
        status = command_line_fail(&err);
    }
    status = status ? status : print(&text);
    buf_done(&text);
    return status;
}

int command_config(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 's'},
                                            {"origin", no_argument, NULL, OPTION_ORIGIN},
                                            {"metrics", no_argument, NULL, OPTION_METRICS},
                                            {"env-file", required_argument, NULL, OPTION_ENV_FILE},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct command_line_config line = {0};
    bool with_origin = false;
    bool of_metrics = false;
    int option;
    while ((option = command_line_option(argc, argv, "c:s:h", options)) != -1) {
        switch (option) {
        case 'c':
            line.file = optarg;
            break;
        case 's':
            if (!command_line_add_override(&line, "config", optarg)) {
                return error_exit_status(ERROR_USAGE);
            }
            break;
        case OPTION_ENV_FILE:
            line.env_file = optarg;
            break;
        case OPTION_ORIGIN:
            with_origin = true;
            break;
        case OPTION_METRICS:
            of_metrics = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    const char *action = argc - optind == 1 ? argv[optind] : "";
    if (strcmp(action, "document") == 0) {
        return document(of_metrics);
    }
    if (strcmp(action, "check") != 0 && strcmp(action, "show") != 0) {
        return command_line_misuse("config", "say what to do: check, show or document");
    }
    return show(&line, action, with_origin);
}
