/* config/config_internal.h - the pieces of config.h's promises; private to config*.c. */
#ifndef CONFIG_CONFIG_INTERNAL_H
#define CONFIG_CONFIG_INTERNAL_H

#include "config/config.h"

/* Rules over more than one key, and the form of addresses, templates and names. Errors name the
 * keys, their values and where each was set. */
int config_check_rules(const struct config *config, struct error *err);

/* config_check_vendor.c: those of them about the vendor's API: addresses, templates, pointers. */
int config_check_vendor(const struct config *config, struct error *err);

/* Fails for what is wrong with a key, and says where it was set. */
int config_blame(const struct config *config, const char *key, const char *what, struct error *err);

/* config_secret.c: each secret by its value, its file or systemd's credential. */
int config_load_secrets(struct config *config, const char *const *environment, struct error *err);

/* The value of an environment variable, or NULL when it is absent or empty. */
const char *config_variable(const char *const *environment, const char *name);

#endif
