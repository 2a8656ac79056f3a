/* endpoints.h - what each endpoint does once a request has passed the checks that all share. Each
 * answers before it returns. */
#ifndef SIM_ENDPOINTS_H
#define SIM_ENDPOINTS_H

#include "sim/answer.h"
#include "sim/api.h"

void endpoints_serve_token(struct api *api, struct answer *answer);
void endpoints_serve_transcripts(struct api *api, struct answer *answer);
void endpoints_serve_attributes(struct api *api, struct answer *answer);
void endpoints_serve_suggestions(struct api *api, struct answer *answer);
void endpoints_serve_active(struct api *api, struct answer *answer);

#endif
