/* cxone/issuer.h - asks the vendor's issuer where things are. Loop thread only.
 *
 * Two documents: {issuer}/.well-known/openid-configuration names the token endpoint, and, once the
 * tenant is known (configured, or named by the ID token), cxone-configuration?tenantId= names the
 * tenant's API. Each is fetched when somebody needs it, kept for max_age_ms, and served on after
 * that while it cannot be fetched anew: an issuer that is down stops nobody who is at work. One
 * object serves one issuer and one tenant, so that no tenant's address is ever used for another.
 */
#ifndef CXONE_ISSUER_H
#define CXONE_ISSUER_H

#include "base/clock.h"
#include "base/error.h"
#include "cxone/cxone.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdint.h>

struct issuer;

struct issuer_options {
    const struct cxone_profile *profile; /* borrowed */
    int64_t connect_ms;
    int64_t total_ms;
    enum http_version version;
    int64_t max_age_ms;
    int64_t probe_ms; /* wait after an answer that no quick retry can change */
    uint64_t seed;
    cxone_event_fn *on_event; /* may be NULL */
    void *event_user;
    loop_fn *on_change; /* an address came, or a try failed */
    void *user;
};

enum issuer_state {
    ISSUER_KNOWN,
    ISSUER_PENDING, /* being asked for: on_change will follow */
    ISSUER_WAITING, /* no try before issuer_wait_ms */
};

int issuer_create(struct issuer **issuer, struct loop *loop, struct http_client *client,
                  const struct issuer_options *options, struct error *err);
void issuer_destroy(struct issuer *issuer); /* accepts NULL; no callback runs afterwards */

/* Each starts a request if one is due. `tenant` is used where none is configured; NULL or "" while
 * unknown, which is then said as an error. */
enum issuer_state issuer_prepare_token(struct issuer *issuer);
enum issuer_state issuer_prepare_base(struct issuer *issuer, const char *tenant);

/* After ISSUER_KNOWN; borrowed until on_change. */
const char *issuer_token_url(const struct issuer *issuer);
const char *issuer_base(const struct issuer *issuer);

/* Until the next try of whichever document is not known; 0 if none waits. */
int64_t issuer_wait_ms(const struct issuer *issuer);

#endif
