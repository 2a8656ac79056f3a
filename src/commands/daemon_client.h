/* commands/daemon_client.h - requests to the undertone that runs, at its own http.listen, one at a
 * time, waited for. */
#ifndef COMMANDS_DAEMON_CLIENT_H
#define COMMANDS_DAEMON_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"

struct daemon_client;

struct daemon_client_reply {
    int status;
    struct buf body; /* the caller's to buf_done */
};

/* The address comes from http.listen and http.tls_certificate (which is then trusted too), unless
 * `at`, a base address such as "https://undertone.example", is given. */
int daemon_client_create(struct daemon_client **client, const struct config *config, const char *at,
                         struct error *err);
void daemon_client_destroy(struct daemon_client *client); /* accepts NULL */

/* GET of what anybody may read ("/api/calls"); another status than 200 is an error. */
int daemon_client_read(struct daemon_client *client, const char *path, struct buf *out,
                       struct error *err);

/* A request of the API ("/api/v1/calls"), with the configuration's token. A status that is no 2xx
 * is an error that repeats the API's own message. `body` may be NULL. */
int daemon_client_ask(struct daemon_client *client, const char *method, const char *path,
                      const char *body, int *status, struct error *err);

#endif
