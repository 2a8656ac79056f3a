/* model/hub_client.h - requests to a model hub (the API of huggingface.co), one at a time, waited
 * for.
 *
 * The hub answers for large files with a redirect to a storage host. Redirects are followed here,
 * not by the HTTP client, because the token is for the hub alone: it is never sent to another
 * origin, and never from https to http.
 */
#ifndef MODEL_HUB_CLIENT_H
#define MODEL_HUB_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stdint.h>

enum { HUB_CLIENT_ETAG_BYTES = 136 };

struct hub_client;

struct hub_client_options {
    const char *endpoint; /* "https://huggingface.co" */
    const char *token;    /* NULL: none */
};

/* What the hub says about a file, whichever of its redirects said it first. */
struct hub_client_reply {
    int status;                       /* of the last answer */
    char etag[HUB_CLIENT_ETAG_BYTES]; /* without quotes; "" when there is none that is a word */
    int64_t size;                     /* of the whole file, or -1 */
};

int hub_client_create(struct hub_client **client, const struct hub_client_options *options,
                      struct error *err);
void hub_client_destroy(struct hub_client *client); /* accepts NULL */

/* GET of an API path ("/api/models/..."), its body into out. Another status than 200 is an error
 * that says what to do. */
int hub_client_get(struct hub_client *client, const char *path, struct buf *out, struct error *err);

/* HEAD of a file's path ("/ORG/NAME/resolve/COMMIT/FILE"): hash and size, without its storage. */
int hub_client_look(struct hub_client *client, const char *path, struct hub_client_reply *reply,
                    struct error *err);

/* GET of a file from byte `offset` on; `take` gets status 206 when that was granted and 200 when
 * the file begins anew. Errors of the network are retriable. */
int hub_client_download(struct hub_client *client, const char *path, int64_t offset,
                        http_body_fn *take, void *user, struct error *err);

#endif
