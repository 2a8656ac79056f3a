/* net/retry_budget.h - whether a retry is still in proportion; pure.
 *
 * gRPC's retry throttling (proposal A6): 10 tokens, one lost per failure worth a retry, a tenth
 * gained per success; no retries while half or fewer are left. So a server that fails now and then
 * is asked again at once, and one that fails most of the time is not asked more for failing.
 */
#ifndef NET_RETRY_BUDGET_H
#define NET_RETRY_BUDGET_H

#include <stdbool.h>

struct retry_budget {
    int tenths; /* of a token */
};

void retry_budget_init(struct retry_budget *budget);
void retry_budget_failure(struct retry_budget *budget);
void retry_budget_success(struct retry_budget *budget);
bool retry_budget_allows(const struct retry_budget *budget);
double retry_budget_tokens(const struct retry_budget *budget);

#endif
