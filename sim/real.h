/* real.h - the real platform's shapes over the same calls: the issuer's two documents, log-in by
 * access key, the ACD's list of active contacts, chat transcripts, signals. As endpoints.h, each
 * answers before it returns. */
#ifndef SIM_REAL_H
#define SIM_REAL_H

#include "sim/answer.h"
#include "sim/api.h"

enum { REAL_CONTACTS_A_PAGE = 25 };

void real_serve_openid(struct api *api, struct answer *answer);
void real_serve_tenant(struct api *api, struct answer *answer);
void real_serve_token(struct api *api, struct answer *answer);
void real_serve_contacts(struct api *api, struct answer *answer);
void real_serve_chat(struct api *api, struct answer *answer);
void real_serve_signal(struct api *api, struct answer *answer);

#endif
