/* net/http_call_internal.h - one request and its response on a reusable libcurl handle; for
 * http_client.c only, but for http_call_set_trust. No callback here leaves the room but on_body,
 * whose contract forbids it to call the client, so that libcurl is never re-entered. */
#ifndef NET_HTTP_CALL_INTERNAL_H
#define NET_HTTP_CALL_INTERNAL_H

#include "base/buf.h"
#include "net/http_client.h"

#include <curl/curl.h>

struct http_host; /* http_client.c's */

struct http_call_list {
    struct http_call *first;
    struct http_call *last;
};

struct http_call {
    CURL *easy;
    struct http_client *client;
    struct http_call_list *list; /* where it stands: waiting, active, ended or idle */
    struct http_call *previous;
    struct http_call *next;
    struct http_host *host;
    struct loop_timer *watchdog; /* the timeout for the whole exchange */
    http_done_fn *done;
    http_body_fn *on_body;
    void *user;
    struct mono started;
    enum http_failure verdict; /* decided by us; NONE leaves it to libcurl's code */

    bool multiplexes; /* it may share a connection with others */
    bool request_sent;
    bool too_large;
    bool headers_complete;
    size_t header_bytes; /* as received, this response and any interim ones before it */
    size_t header_bytes_max;
    struct curl_slist *request_headers;
    struct buf origin; /* "https://host:443" */
    struct buf request_body;
    struct buf headers; /* "name NUL value NUL" for each line of the last response */
    struct buf body;
    char reason[CURL_ERROR_SIZE];
};

/* Takes the call from the list it is in, if any, and puts it last into `list`. */
void http_call_move(struct http_call *call, struct http_call_list *list);

/* Whom a handle trusts: the system's authorities and those of the file, if there is one. */
CURLcode http_call_set_trust(CURL *easy, const char *ca_file);

/* A handle with everything set that is the same for all requests of a client. */
struct http_call *http_call_create(const struct http_client_options *options);

/* Accepts NULL. The handle must not be in use by libcurl. */
void http_call_destroy(struct http_call *call);

/* Checks and copies a request into the handle; `usual` is the version of one that names none. After
 * a failure http_call_clear is still due. */
int http_call_prepare(struct http_call *call, const struct http_request *request,
                      enum http_version usual, struct error *err);

/* Forgets request and response; the handle can be used again. */
void http_call_clear(struct http_call *call);

/* Why the call ended: our own verdict, or what libcurl's code means. */
enum http_failure http_call_failure(const struct http_call *call, CURLcode code);

/* For logs: libcurl's own words where they hold no more than host, port and certificate trouble. */
const char *http_call_reason(const struct http_call *call, enum http_failure failure,
                             CURLcode code);

/* The value of the last header with this name, or NULL. */
const char *http_call_header(const struct http_call *call, const char *name);

#endif
