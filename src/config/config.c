/* config.c - gathers the configuration from its sources: see config.h.
 *
 * Sources are read least binding first, each overwriting the last: file, environment, flags. Rows
 * nobody set then get the default of the profile that won. Secrets are fetched last
 * (config_secret.c), because where to look for them is itself configuration.
 */
#include "config/config.h"

#include "config/config_file.h"
#include "config/config_internal.h"
#include "config/config_table.h"
#include "config/config_value.h"
#include "config/config_yaml.h"
#include "config/env_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- file --- */

/* A secret in a file that others may read is no secret; say so before anybody relies on it. */
static int check_exposure(const struct config *config, const char *path, struct error *err)
{
    for (size_t i = 0; i < config_table_count(); i++) {
        const struct config_row *row = config_table_at(i);
        const struct config_origin *origin = config_table_origin(config, row);
        if ((row->flags & CONFIG_FLAG_SECRET) && origin->layer == CONFIG_LAYER_FILE) {
            return error_set(err, ERROR_CONFIG,
                             "%s: %s stands in a file that others may read: chmod 600 %s, or use "
                             "%s_file",
                             origin->where, row->key, path, row->key);
        }
    }
    return 0;
}

static int load_file(struct config *config, const char *path, struct error *err)
{
    struct config_file file;
    int result = config_file_read(&file, path, err);
    if (result) {
        return result;
    }
    const struct config_yaml_source source = {path, file.bytes, file.size};
    result = config_yaml_load(config, &source, err);
    if (!result && file.exposed) {
        result = check_exposure(config, path, err);
    }
    config_file_done(&file);
    return result;
}

/* --- environment --- */

struct variables {
    const char *const *environment;
    struct env_file file; /* for what the environment does not set */
};

/* The value of a variable, or NULL when it is absent or empty: container tools pass on unset
 * variables as empty ones. */
const char *config_variable(const char *const *environment, const char *name)
{
    size_t bytes = strlen(name);
    for (; environment && *environment; environment++) {
        if (strncmp(*environment, name, bytes) == 0 && (*environment)[bytes] == '=') {
            const char *value = *environment + bytes + 1;
            return *value ? value : NULL;
        }
    }
    return NULL;
}

/* The same with the file behind it; *line is where in the file, or 0. */
static const char *find_variable(const struct variables *variables, const char *name, size_t *line)
{
    const char *value = config_variable(variables->environment, name);
    const struct env_variable *filed = value ? NULL : env_file_find(&variables->file, name);
    *line = filed ? filed->line : 0;
    return filed && *filed->value ? filed->value : value;
}

/* The tutorial's variable adds an id to a list and sets anything else. */
static int set_from_variable(struct config *config, const struct config_row *row,
                             const struct variables *variables, const char *name, struct error *err)
{
    size_t line;
    const char *value = find_variable(variables, name, &line);
    int result = 0;
    if (!value) {
        return 0;
    }
    if (row->type == CONFIG_TYPE_LIST && name == row->tutorial_variable) {
        if (config_value_has(config, row, value)) {
            return 0;
        }
        result = config_value_add(config, row, value, err);
    } else {
        result = config_value_set(config, row, value, err);
    }
    const char *path = variables->file.path;
    if (result) {
        return line ? error_wrap(err, "%s:%zu: %s", path, line, name)
                    : error_wrap(err, "environment variable %s", name);
    }
    return line ? config_table_set_origin(config, row, CONFIG_LAYER_ENVIRONMENT, err, "%s:%zu %s",
                                          path, line, name)
                : config_table_set_origin(config, row, CONFIG_LAYER_ENVIRONMENT, err, "%s", name);
}

/* UNDERTONE_* is more specific than the tutorial's names, so it is read after them - but for lists,
 * which it would replace and they only add to. Unknown UNDERTONE_* variables are left alone: a
 * cluster makes such names for its own use (UNDERTONE_SERVICE_HOST). */
static int load_variables(struct config *config, const struct variables *variables,
                          struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < config_table_count() && !result; i++) {
        const struct config_row *row = config_table_at(i);
        char own[CONFIG_VARIABLE_BYTES];
        bool own_first = row->type == CONFIG_TYPE_LIST;
        const char *names[2] = {row->tutorial_variable, config_table_variable(row, own)};
        for (int j = 0; j < 2 && !result; j++) {
            const char *name = names[own_first ? 1 - j : j];
            result = name ? set_from_variable(config, row, variables, name, err) : 0;
        }
    }
    return result;
}

/* Also where the environment has another value for it: the file gives its secret away all the same.
 */
static int check_variables_exposure(const struct env_file *file, struct error *err)
{
    for (size_t i = 0; i < config_table_count() && file->file.exposed; i++) {
        const struct config_row *row = config_table_at(i);
        char own[CONFIG_VARIABLE_BYTES];
        const char *names[2] = {config_table_variable(row, own), row->tutorial_variable};
        for (int j = 0; j < 2 && (row->flags & CONFIG_FLAG_SECRET); j++) {
            const struct env_variable *found = names[j] ? env_file_find(file, names[j]) : NULL;
            if (found && *found->value) {
                return error_set(err, ERROR_CONFIG,
                                 "%s:%zu: %s stands in a file that others may read: chmod 600 %s",
                                 file->path, found->line, found->name, file->path);
            }
        }
    }
    return 0;
}

static int load_environment(struct config *config, const struct config_sources *sources,
                            struct error *err)
{
    struct variables variables = {.environment = sources->environment};
    int result = sources->env_file ? env_file_read(&variables.file, sources->env_file, err) : 0;
    result = result ? result : check_variables_exposure(&variables.file, err);
    result = result ? result : load_variables(config, &variables, err);
    env_file_done(&variables.file);
    return result;
}

/* --- flags --- */

static int load_override(struct config *config, const char *override, struct error *err)
{
    char key[64];
    const char *equals = strchr(override, '=');
    size_t bytes = equals ? (size_t)(equals - override) : strlen(override);
    if (!equals || bytes == 0 || bytes >= sizeof key) {
        return error_set(err, ERROR_USAGE, "'%.*s': write KEY=VALUE, as in alert.threshold=0.3",
                         (int)(bytes < 40 ? bytes : 40), override);
    }
    memcpy(key, override, bytes);
    key[bytes] = '\0';
    const struct config_row *row = config_table_find(key);
    if (!row) {
        const char *meant = config_table_suggest(key);
        return error_set(err, ERROR_USAGE, "unknown key '%s'%s%s%s", key,
                         meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    }
    if (row->flags & CONFIG_FLAG_SECRET) {
        return error_set(err, ERROR_USAGE,
                         "%s may not be given on the command line, where every user of this "
                         "machine can read it: use an environment variable or %s_file",
                         key, key);
    }
    if (config_value_set(config, row, equals + 1, err)) {
        if (err) {
            err->code = ERROR_USAGE;
        }
        return ERROR_USAGE;
    }
    return config_table_set_origin(config, row, CONFIG_LAYER_FLAG, err, "command line");
}

static int load_overrides(struct config *config, const char *const *overrides, struct error *err)
{
    for (; overrides && *overrides; overrides++) {
        if (load_override(config, *overrides, err)) {
            error_wrap(err, "command line");
            return ERROR_USAGE;
        }
    }
    return 0;
}

/* --- defaults --- */

static int load_default(struct config *config, const struct config_row *row, const char *profile,
                        struct error *err)
{
    const struct config_origin *origin = config_table_origin(config, row);
    if (origin->layer != CONFIG_LAYER_UNSET) {
        return 0;
    }
    bool differs;
    int result = config_value_set(config, row, config_table_initial(row, profile, &differs), err);
    return result ? result
                  : config_table_set_origin(config, row, CONFIG_LAYER_DEFAULT, err, "default%s%s",
                                            differs ? " of profile " : "", differs ? profile : "");
}

static int load_defaults(struct config *config, struct error *err)
{
    int result = load_default(config, config_table_find("profile"), "", err);
    for (size_t i = 0; i < config_table_count() && !result; i++) {
        result = load_default(config, config_table_at(i), config->profile, err);
    }
    return result;
}

/* A service that systemd gives a folder for its state keeps it there, unless told otherwise. */
static int place_store(struct config *config, const char *const *environment, struct error *err)
{
    const struct config_row *row = config_table_find("store.path");
    const char *directory = config_variable(environment, "STATE_DIRECTORY");
    char path[4096];
    if (!directory || config_table_origin(config, row)->layer != CONFIG_LAYER_DEFAULT) {
        return 0;
    }
    int size =
        snprintf(path, sizeof path, "%.*s/undertone.db", (int)strcspn(directory, ":"), directory);
    if (size < 0 || (size_t)size >= sizeof path) {
        return error_set(err, ERROR_CONFIG, "STATE_DIRECTORY is too long");
    }
    int result = config_value_set(config, row, path, err);
    return result ? result
                  : config_table_set_origin(config, row, CONFIG_LAYER_ENVIRONMENT, err,
                                            "variable STATE_DIRECTORY");
}

/* --- public --- */

int config_load(struct config *config, const struct config_sources *sources, struct error *err)
{
    *config = (struct config){0};
    config->origins = calloc(config_table_count(), sizeof *config->origins);
    if (!config->origins) {
        return error_set(err, ERROR_MEMORY, "no memory for the configuration");
    }
    int result = sources->file ? load_file(config, sources->file, err) : 0;
    result = result ? result : load_environment(config, sources, err);
    result = result ? result : load_overrides(config, sources->overrides, err);
    result = result ? result : load_defaults(config, err);
    result = result ? result : config_load_secrets(config, sources->environment, err);
    result = result ? result : place_store(config, sources->environment, err);
    result = result ? result : config_check_rules(config, err);
    if (result) {
        config_free(config);
    }
    return result;
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < config_table_count(); i++) {
        config_value_clear(config, config_table_at(i));
        if (config->origins) {
            free(config->origins[i].where);
        }
    }
    free(config->origins);
    *config = (struct config){0};
}
