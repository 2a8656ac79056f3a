/* cxone/suggestions.h - the body of an agent-assist suggestion, and the tracking id that answers
 * it. Pure. */
#ifndef CXONE_SUGGESTIONS_H
#define CXONE_SUGGESTIONS_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/mapping.h"

#include <stddef.h>

enum { SUGGESTIONS_TRACKING_BYTES = 129 };

/* {"interactionId":"...","suggestions":[{"type":"...","content":"..."}]}. ERROR_LIMIT past the
 * buf's limit. */
int suggestions_write(const char *interaction_id, const char *type, const char *message,
                      struct buf *body, struct error *err);

/* What is posted to a webhook: {"version":1,"kind":"alert","id":"...","interactionId":"...",
 * "type":"...","content":"..."}; the id is the alert's, stable over all tries. */
int suggestions_write_webhook(const char *interaction_id, const char *alert_id, const char *type,
                              const char *message, struct buf *body, struct error *err);

/* The vendor does not name the field: several places are tried. NULL, with no complaint, if the
 * body is absent, not JSON or names none. */
const char *suggestions_tracking_id(const struct cxone_pointers *places, const char *body,
                                    size_t body_bytes, char out[SUGGESTIONS_TRACKING_BYTES]);

#endif
