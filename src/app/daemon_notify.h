/* app/daemon_notify.h - tells the service manager, and /healthz, how the daemon is. */
#ifndef APP_DAEMON_NOTIFY_H
#define APP_DAEMON_NOTIFY_H

#include "app/daemon_internal.h"

struct daemon_notify;

/* From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. */
int daemon_notify_create(struct daemon *daemon, struct error *err);
void daemon_notify_destroy(struct daemon_notify *self); /* accepts NULL */

void daemon_notify_ready(struct daemon *daemon);
void daemon_notify_reloading(struct daemon *daemon); /* until the next `ready` */
void daemon_notify_stopping(struct daemon *daemon);

/* "" while all goes on, else what stands still. */
const char *daemon_notify_trouble(const struct daemon *daemon);

#endif
