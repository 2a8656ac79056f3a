/* retry_budget.c - see retry_budget.h. Counted in tenths, so that nothing is rounded. */
#include "net/retry_budget.h"

enum { TENTHS_MAX = 100, TENTHS_A_FAILURE = 10, TENTHS_A_SUCCESS = 1 };

void retry_budget_init(struct retry_budget *budget)
{
    budget->tenths = TENTHS_MAX;
}

void retry_budget_failure(struct retry_budget *budget)
{
    int left = budget->tenths - TENTHS_A_FAILURE;
    budget->tenths = left > 0 ? left : 0;
}

void retry_budget_success(struct retry_budget *budget)
{
    int left = budget->tenths + TENTHS_A_SUCCESS;
    budget->tenths = left < TENTHS_MAX ? left : TENTHS_MAX;
}

bool retry_budget_allows(const struct retry_budget *budget)
{
    return budget->tenths > TENTHS_MAX / 2;
}

double retry_budget_tokens(const struct retry_budget *budget)
{
    return budget->tenths / 10.0;
}
