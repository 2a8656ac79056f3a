/* app/config_internal.h - the pieces of config.h's promises; private to config*.c. */
#ifndef APP_CONFIG_INTERNAL_H
#define APP_CONFIG_INTERNAL_H

#include "app/config.h"

/* Rules over more than one key, and the form of addresses, templates and names. Errors name the
 * keys, their values and where each was set. */
int config_check_rules(const struct config *config, struct error *err);

#endif
