/* config/config_yaml.h - the YAML file into the configuration; private to config*.c. */
#ifndef CONFIG_CONFIG_YAML_H
#define CONFIG_CONFIG_YAML_H

#include "config/config_table.h"

#include <stddef.h>

struct config_yaml_source {
    const char *name; /* as the user gave it, for messages */
    const char *bytes;
    size_t size;
};

/* Reads every value of the document into the configuration and records its origin
 * (CONFIG_LAYER_FILE). Errors are "NAME:LINE:COLUMN: ...". */
int config_yaml_load(struct config *config, const struct config_yaml_source *source,
                     struct error *err);

#endif
