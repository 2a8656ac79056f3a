/* app/daemon_reload.h - a new configuration while running.
 *
 * The whole is validated first; then one moment changes everything, or nothing changes. If the
 * connection to the vendor must be made anew, polls pause until what is under way has been answered
 * (at most 5 s), so that the quota is kept across the change. */
#ifndef APP_DAEMON_RELOAD_H
#define APP_DAEMON_RELOAD_H

#include "app/daemon_internal.h"
#include "config/config_reload.h"

struct daemon_reload;

int daemon_reload_create(struct daemon *daemon, struct error *err);
void daemon_reload_destroy(struct daemon_reload *reload); /* accepts NULL */

/* Reads the configuration and begins to take it over. On failure, which is logged too, the one in
 * force stays. While one is being taken over another is read after it. */
int daemon_reload(struct daemon *daemon, struct error *err);

/* Polls pause for it. */
bool daemon_reload_is_draining(const struct daemon *daemon);

/* What the last one that was read would change. */
const struct config_changes *daemon_reload_changes(const struct daemon *daemon);

#endif
