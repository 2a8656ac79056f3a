/* app/daemon_api.h - the authenticated API, /api/v1: docs/API.md. */
#ifndef APP_DAEMON_API_H
#define APP_DAEMON_API_H

#include "app/daemon_internal.h"

struct daemon_api;

int daemon_api_create(struct daemon *daemon, struct error *err);
void daemon_api_destroy(struct daemon_api *api); /* accepts NULL */

/* The token in force has changed, perhaps. */
void daemon_api_refresh(struct daemon *daemon);

/* Answers the exchange if its path is the API's; false otherwise. */
bool daemon_api_serve(struct daemon *daemon, struct http_exchange *exchange);

#endif
