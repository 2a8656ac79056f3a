/* command_store.c - undertone store backup FILE, undertone forget ID...: what is done to the
 * database by hand. */
#include "commands/command_line.h"
#include "commands/commands.h"
#include "config/store_config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char store_help[] =
    "  undertone store backup --config undertone.yaml /var/backups/undertone.db\n"
    "\n"
    "usage: undertone store backup [options] FILE\n"
    "\n"
    "Copies the database of store.path, whole and consistent, to a new file; undertone may be\n"
    "running. A copy is of use only with the key file (store.key_file): keep that too, elsewhere.\n"
    "\n"
    "  -c, --config FILE    the YAML file (docs/CONFIGURATION.md)\n"
    "  -s, --set KEY=VALUE  set one key; may be repeated\n"
    "  -h, --help           this text\n";

static const char forget_help[] =
    "  undertone forget --config undertone.yaml 7c3f0a52-5d1e-4c58-9f0e-0a7d2f1b6c11\n"
    "\n"
    "usage: undertone forget [options] ID...\n"
    "\n"
    "Erases all that the database of store.path knows of these calls, and says for each whether\n"
    "there was anything. undertone must not be running. Copies made before are not touched, nor\n"
    "are logs, which name calls by keyed hashes only.\n"
    "\n"
    "  -c, --config FILE    the YAML file (docs/CONFIGURATION.md)\n"
    "  -s, --set KEY=VALUE  set one key; may be repeated\n"
    "  -h, --help           this text\n";

/* The common options; the status to end with, or -1 to go on. */
static int read_options(int argc, char **argv, const char *command, const char *help,
                        struct command_line_config *line)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option;
    while ((option = command_line_option(argc, argv, "c:s:h", options)) != -1) {
        switch (option) {
        case 'c':
            line->file = optarg;
            break;
        case 's':
            if (!command_line_add_override(line, command, optarg)) {
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
    return -1;
}

/* A configuration that names a database which is there. */
static int load(const struct command_line_config *line, struct config *config, struct error *err)
{
    int result = command_line_load_config(line, config, err);
    if (result) {
        return result;
    }
    if (!config->store_path[0]) {
        result = error_set(err, ERROR_CONFIG,
                           "store.path is not set: undertone keeps nothing in a file");
    } else if (access(config->store_path, F_OK)) {
        result =
            error_set(err, ERROR_IO, "store.path %s: there is no such file", config->store_path);
    }
    if (result) {
        config_free(config);
    }
    return result;
}

/* --- store backup ---------------------------------------------------------------------------- */

int command_store(int argc, char **argv)
{
    struct command_line_config line = {0};
    struct config config;
    struct error err;
    int status = read_options(argc, argv, "store", store_help, &line);
    if (status >= 0) {
        return status;
    }
    if (argc - optind != 2 || strcmp(argv[optind], "backup") != 0) {
        return command_line_misuse("store", "say what to do: backup FILE");
    }
    if (load(&line, &config, &err)) {
        return command_line_fail(&err);
    }
    const char *to = argv[optind + 1];
    status = store_backup_file(config.store_path, to, &err) ? command_line_fail(&err) : 0;
    if (status == 0) {
        printf("%s is copied to %s\n", config.store_path, to);
    }
    config_free(&config);
    return command_line_finish(status);
}

/* --- forget ---------------------------------------------------------------------------------- */

static int forget_all(struct store *store, char **ids, struct error *err)
{
    for (; *ids; ids++) {
        bool found;
        int result = store_forget(store, *ids, &found, err);
        if (result) {
            return result;
        }
        printf("%s: %s\n", *ids, found ? "forgotten" : "nothing was known");
    }
    return 0;
}

static int forget(const struct config *config, char **ids, struct error *err)
{
    struct keyhash key;
    struct store_file_options options;
    struct store *store = NULL;
    int result = store_config_read_key(config, false, &key, err);
    if (result) {
        return result;
    }
    store_config_options(config, &key, &options);
    result = store_open_file(&store, &options, err);
    if (!result) {
        result = forget_all(store, ids, err);
    }
    store_close(store);
    keyhash_wipe(&key, sizeof key);
    keyhash_wipe(&options.key, sizeof options.key);
    return result;
}

int command_forget(int argc, char **argv)
{
    struct command_line_config line = {0};
    struct config config;
    struct error err;
    int status = read_options(argc, argv, "forget", forget_help, &line);
    if (status >= 0) {
        return status;
    }
    if (optind == argc) {
        return command_line_misuse("forget", "name the calls to forget");
    }
    if (load(&line, &config, &err)) {
        return command_line_fail(&err);
    }
    status = forget(&config, argv + optind, &err) ? command_line_fail(&err) : 0;
    config_free(&config);
    return command_line_finish(status);
}
