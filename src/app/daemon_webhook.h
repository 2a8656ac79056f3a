/* app/daemon_webhook.h - POST /webhook/contacts, where the vendor says that a contact began or is
 * over (discover.mode: webhook): docs/PLATFORM.md. */
#ifndef APP_DAEMON_WEBHOOK_H
#define APP_DAEMON_WEBHOOK_H

#include "app/daemon_internal.h"

struct daemon_webhook;

int daemon_webhook_create(struct daemon *daemon, struct error *err);
void daemon_webhook_destroy(struct daemon_webhook *webhook); /* accepts NULL */

/* Answers the exchange if its path is the webhook's; false otherwise. */
bool daemon_webhook_serve(struct daemon *daemon, struct http_exchange *exchange);

#endif
