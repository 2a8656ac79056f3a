/* config/store_config.h - the store as the configuration wants it, for the daemon and for commands.
 */
#ifndef CONFIG_STORE_CONFIG_H
#define CONFIG_STORE_CONFIG_H

#include "config/config.h"
#include "store/store.h"

/* The secret from which all keys of a store are made: of store.key_file, made if `make` and not
 * there; without store.path a random one, which nothing outlives. */
int store_config_read_key(const struct config *config, bool make, struct keyhash *store_key,
                          struct error *err);

/* For store_open_file; wake and user stay empty. */
void store_config_options(const struct config *config, const struct keyhash *store_key,
                          struct store_file_options *options);

#endif
