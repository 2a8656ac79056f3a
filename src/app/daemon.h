/* app/daemon.h - the running program: the pipeline on an event loop, with real clocks, sockets and
 * workers around it. */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"

struct daemon;

/* Reads the configuration anew from where it came from, as config_load does. */
typedef int daemon_load_fn(void *user, struct config *config, struct error *err);

struct daemon_options {
    struct config *config; /* taken over, and emptied, also when the daemon cannot be created */
    int log_fd;            /* log.level is the configuration's */
    daemon_load_fn *load;  /* for SIGHUP */
    void *user;
};

/* Loads the model, tests it on two sentences, opens the store, binds the listener; connects to
 * nothing yet. */
int daemon_create(struct daemon **daemon, const struct daemon_options *options, struct error *err);

/* Runs until SIGTERM or SIGINT: then polls no more, drains the scorer and flushes what is owed for
 * at most 5 s; a second signal ends at once. SIGHUP reads the configuration anew. 0 on an orderly
 * end. */
int daemon_run(struct daemon *daemon, struct error *err);

void daemon_destroy(struct daemon *daemon); /* accepts NULL */

#endif
