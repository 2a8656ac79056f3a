/* config_secret.c - where each secret comes from: its own key, a file that another key names, or a
 * credential that systemd hands over. The more binding of the first two wins, the last is for when
 * there is neither. */
#include "config/config_internal.h"

#include "config/config_file.h"
#include "config/config_table.h"
#include "config/config_value.h"

#include <stdio.h>
#include <string.h>

struct secret {
    const char *key;
    const char *file_key;
    const char *credential; /* its file's name among systemd's */
};

static const struct secret secrets[] = {
    {"auth.client_secret", "auth.client_secret_file", "client_secret"},
    {"auth.access_key_secret", "auth.access_key_secret_file", "access_key_secret"},
    {"auth.refresh_token", "auth.refresh_token_file", "refresh_token"},
    {"auth.static_token", "auth.static_token_file", "static_token"},
    {"assist.webhook_secret", "assist.webhook_secret_file", "webhook_secret"},
    {"discover.webhook_secret", "discover.webhook_secret_file", "contact_webhook_secret"},
    {"api.token", "api.token_file", "api_token"},
};

static const char *text_of(struct config *config, const struct config_row *row)
{
    return *(char **)(void *)((char *)config + row->offset);
}

static int load_from(struct config *config, const struct config_row *row, const char *path,
                     bool guarded, enum config_layer layer, struct error *err)
{
    struct config_file file;
    int result = config_file_read_secret(&file, path, guarded, err);
    if (!result) {
        result = config_value_set(config, row, file.bytes, err);
        config_file_done(&file);
    }
    return result ? result : config_table_set_origin(config, row, layer, err, "file %s", path);
}

/* systemd hands credentials over in a folder only the service can enter; their mode shows the mask
 * of an access list, so it says nothing and is not checked. */
static int load_credential(struct config *config, const struct secret *secret,
                           const char *directory, struct error *err)
{
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/%s", directory, secret->credential);
    if (size < 0 || (size_t)size >= sizeof path) {
        return error_set(err, ERROR_CONFIG, "CREDENTIALS_DIRECTORY is too long");
    }
    FILE *there = fopen(path, "re");
    if (!there) {
        return 0;
    }
    (void)fclose(there);
    return load_from(config, config_table_find(secret->key), path, false, CONFIG_LAYER_CREDENTIAL,
                     err);
}

static int load_secret(struct config *config, const struct secret *secret, const char *directory,
                       struct error *err)
{
    const struct config_row *file_row = config_table_find(secret->file_key);
    const struct config_row *row = config_table_find(secret->key);
    const struct config_origin *by_file = config_table_origin(config, file_row);
    const struct config_origin *direct = config_table_origin(config, row);
    const char *path = text_of(config, file_row);
    bool given = text_of(config, row)[0] != '\0';
    if (*path && (!given || by_file->layer > direct->layer)) {
        size_t bytes = directory ? strlen(directory) : 0;
        bool is_credential =
            bytes > 0 && strncmp(path, directory, bytes) == 0 && path[bytes] == '/';
        if (load_from(config, row, path, !is_credential, by_file->layer, err)) {
            return error_wrap(err, "%s (%s)", secret->file_key, by_file->where);
        }
        return 0;
    }
    if (!given && directory && load_credential(config, secret, directory, err)) {
        return error_wrap(err, "credential %s", secret->credential);
    }
    return 0;
}

int config_load_secrets(struct config *config, const char *const *environment, struct error *err)
{
    const char *directory = config_variable(environment, "CREDENTIALS_DIRECTORY");
    int result = 0;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0] && !result; i++) {
        result = load_secret(config, &secrets[i], directory, err);
    }
    return result;
}
