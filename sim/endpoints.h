/* endpoints.h - what each endpoint does once a request has passed the checks that all share. Each
 * answers before it returns. */
#ifndef SIM_ENDPOINTS_H
#define SIM_ENDPOINTS_H

#include "sim/answer.h"
#include "sim/api.h"
#include "sim/request.h"

void endpoints_serve_token(struct api *api, struct answer *answer);
void endpoints_serve_transcripts(struct api *api, struct answer *answer);
void endpoints_serve_attributes(struct api *api, struct answer *answer);
void endpoints_serve_suggestions(struct api *api, struct answer *answer);
void endpoints_serve_active(struct api *api, struct answer *answer);

/* Steps that the real shapes share. Each but the third has answered when it returns (false). */
bool endpoints_check_call(struct api *api, struct answer *answer);
void endpoints_send_token(struct api *api, struct answer *answer,
                          const struct oauth_verdict *verdict); /* a granted one is written */
int64_t endpoints_token_life_ms(struct api *api, const struct answer *answer);
void endpoints_take_attributes(struct api *api, struct answer *answer, const char *body,
                               size_t bytes);
void endpoints_take_suggestion(struct api *api, struct answer *answer, const char *body,
                               size_t bytes);

/* Ledger lines of what was granted. */
void endpoints_record_served(struct api *api, const struct answer *answer,
                             const struct request_transcripts *asked);
void endpoints_record_active(struct api *api, const struct answer *answer);

#endif
