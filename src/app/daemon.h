/* app/daemon.h - the running program: the pipeline on an event loop, with real clocks, sockets and
 * workers around it. */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "app/config.h"
#include "base/error.h"
#include "base/log.h"

struct daemon;

/* Loads the model, tests it on two sentences, opens the store, binds the listener; connects to
 * nothing yet. Borrows config and log, which must outlive it. */
int daemon_create(struct daemon **daemon, const struct config *config, const struct log *log,
                  struct error *err);

/* Runs until SIGTERM or SIGINT: then polls no more, drains the scorer and flushes what is owed for
 * at most 5 s; a second signal ends at once. 0 on an orderly end. */
int daemon_run(struct daemon *daemon, struct error *err);

void daemon_destroy(struct daemon *daemon); /* accepts NULL */

#endif
