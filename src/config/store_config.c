/* store_config.c - see store_config.h. */
#include "config/store_config.h"

#include <limits.h>
#include <stdio.h>

int store_config_read_key(const struct config *config, bool make, struct keyhash *store_key,
                          struct error *err)
{
    char beside[PATH_MAX];
    if (!config->store_path[0]) {
        keyhash_random(store_key);
        return 0;
    }
    if (snprintf(beside, sizeof beside, "%s.key", config->store_path) >= (int)sizeof beside) {
        return error_set(err, ERROR_CONFIG, "store.path: the name is too long");
    }
    const char *path = config->store_key_file[0] ? config->store_key_file : beside;
    return store_key_read(path, make, store_key, err);
}

void store_config_options(const struct config *config, const struct keyhash *store_key,
                          struct store_file_options *options)
{
    *options = (struct store_file_options){
        .path = config->store_path,
        .bytes_max = (uint64_t)config->store_max_bytes,
        .retention_ms = config->store_retention_ms,
    };
    keyhash_derive(store_key, "ids", &options->key);
}
