/* app/notify.h - tells the service manager how the service is: sd_notify(3), of which the protocol
 * is a datagram of KEY=VALUE lines to a local socket. */
#ifndef APP_NOTIFY_H
#define APP_NOTIFY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct notify {
    int fd; /* -1: nobody listens */
};

/* `socket` is $NOTIFY_SOCKET: a path, or @ and a name in the abstract space; NULL or "": nobody
 * listens, which is no error. */
int notify_open(struct notify *notify, const char *socket, struct error *err);
void notify_close(struct notify *notify);

/* Never blocks; what cannot be told is lost. */
void notify_send(const struct notify *notify, const char *text);

/* The manager's interval for signs of life in milliseconds; 0: it wants none. The texts are
 * $WATCHDOG_USEC and $WATCHDOG_PID and may be NULL. */
int64_t notify_watchdog_ms(const char *usec, const char *pid, int64_t own_pid);

/* The clock that the manager compares with: CLOCK_MONOTONIC, which stands still in suspense, unlike
 * base/clock.h's. */
int64_t notify_monotonic_us(void);

#endif
