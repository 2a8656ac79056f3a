/* config/config_reload.h - from the configuration in force to the next one, while running. */
#ifndef CONFIG_CONFIG_RELOAD_H
#define CONFIG_CONFIG_RELOAD_H

#include "config/config.h"

/* What differs; keys are separated by ", ". */
struct config_changes {
    struct buf applied;  /* keys whose new value will be in force */
    struct buf deferred; /* keys whose new value needs a restart */
    bool connection;     /* the connection to the vendor is to be made anew */
};

void config_changes_init(struct config_changes *changes);
void config_changes_done(struct config_changes *changes);

/* Compares. Where a new value needs a restart, `next` is given the running one; then the rules
 * between keys are checked, as the mixture must keep them too. `running` is not touched. */
int config_reload_compare(struct config *next, const struct config *running,
                          struct config_changes *changes, struct error *err);

/* The moment of change: `running` is from now on what `next` was, and `next` is left with what is
 * to be freed once nobody borrows from it. Where the connection is not made anew, texts that did
 * not change stay where they are: the connection has borrowed them. Cannot fail. */
void config_reload_take_over(struct config *running, struct config *next,
                             const struct config_changes *changes);

#endif
