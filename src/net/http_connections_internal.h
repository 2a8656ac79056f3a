/* net/http_connections_internal.h - which sockets the HTTP client's library wants watched; private
 * to http_client.c.
 *
 * libcurl loses interest in a connection between two requests and asks for it again at once.
 * Sockets that it opens through us therefore stay watched until it closes them: not watching one
 * and watching it again takes seven system calls a request.
 */
#ifndef NET_HTTP_CONNECTIONS_INTERNAL_H
#define NET_HTTP_CONNECTIONS_INTERNAL_H

#include "net/loop_internal.h"

#include <curl/curl.h>

struct http_connections;

/* `ready` is told, with `user`, of what happens on sockets that are in use. NULL without memory. */
struct http_connections *http_connections_create(struct loop *loop, CURLM *multi,
                                                 loop_poll_fn *ready, void *user);

/* After the library has closed them all. Accepts NULL. */
void http_connections_destroy(struct http_connections *sockets);

/* The handle opens and closes its sockets through these. */
CURLcode http_connections_use(struct http_connections *sockets, CURL *easy);

#endif
