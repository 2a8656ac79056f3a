/* plan.c - see plan.h. A seed picks a few kinds of faults and gives each its own strength and
 * hours: a world where all goes wrong at once would hide what one fault does alone. */
#include "plan.h"

#include "base/rand.h"
#include "world.h"

#include <stdio.h>

static const char *const operation_names[OPERATIONS] = {"transcripts", "attributes", "suggestions",
                                                        "list", "token"};

static const char *const fault_names[FAULT_KINDS] = {
    "status",    "refused",      "silence",    "lost answer", "reset", "slow",
    "garbage",   "short tokens", "revoke",     "quota",       "churn", "disk slow",
    "disk full", "scorer slow",  "clock step", "reload",      "kill",  "stop",
};

enum { EVERYTHING = (1 << OPERATIONS) - 1 };

const char *operation_name(enum operation operation)
{
    return operation_names[operation];
}

const char *fault_name(enum fault_kind kind)
{
    return fault_names[kind];
}

void plan_add_fault(struct plan *plan, const struct fault *fault)
{
    if (plan->fault_count < FAULTS_MAX) {
        plan->faults[plan->fault_count++] = *fault;
    }
}

/* --- by chance ------------------------------------------------------------------------------- */

static double share_below(struct rand *rand, double most)
{
    return rand_uniform(rand) * most;
}

static int64_t between(struct rand *rand, int64_t least, int64_t most)
{
    return least + (int64_t)rand_below(rand, (uint64_t)(most - least) + 1);
}

static bool chance(struct rand *rand, double share)
{
    return rand_uniform(rand) < share;
}

static void plan_calls(struct plan *plan, struct rand *rand)
{
    plan->calls = (uint32_t)(chance(rand, 0.05) ? between(rand, 20, 60) : between(rand, 2, 10));
    plan->arrive_ms = between(rand, 0, 3 * MINUTE_MS);
    plan->talk_least_ms = between(rand, 5 * SECOND_MS, MINUTE_MS);
    plan->talk_most_ms = plan->talk_least_ms + between(rand, 0, 3 * MINUTE_MS);
    plan->pause_most_ms = between(rand, SECOND_MS, 8 * SECOND_MS);
    plan->late_share = chance(rand, 0.5) ? share_below(rand, 0.2) : 0;
    plan->late_most_ms = between(rand, 2 * SECOND_MS, 110 * SECOND_MS);
    plan->revised_share = chance(rand, 0.5) ? share_below(rand, 0.4) : 0;
    plan->partial_share = chance(rand, 0.5) ? share_below(rand, 1) : 0;
    plan->blank_share = chance(rand, 0.3) ? share_below(rand, 0.2) : 0;
    plan->angry_share = share_below(rand, 1);
    plan->mask_share = chance(rand, 0.3) ? share_below(rand, 0.5) : 0;
    plan->hold_share = chance(rand, 0.3) ? share_below(rand, 0.5) : 0;
    plan->transfer_share = chance(rand, 0.3) ? share_below(rand, 0.5) : 0;
    plan->duplicate_share = chance(rand, 0.5) ? share_below(rand, 0.3) : 0;
    plan->shuffle_share = chance(rand, 0.5) ? share_below(rand, 0.5) : 0;
}

static int status_of(struct rand *rand, unsigned *operations)
{
    static const int everywhere[] = {429, 429, 500, 502, 503, 504, 408, 401};
    if (chance(rand, 0.1)) {
        *operations = 1u << (chance(rand, 0.5) ? OPERATION_TRANSCRIPTS : OPERATION_SUGGESTIONS);
        return 403;
    }
    return everywhere[rand_below(rand, sizeof everywhere / sizeof everywhere[0])];
}

/* One fault of this kind: how hard, whom, how much. When is decided already. */
static void plan_strength(struct fault *fault, struct rand *rand)
{
    fault->share = chance(rand, 0.2) ? 1 : share_below(rand, 0.5);
    fault->operations = chance(rand, 0.5) ? EVERYTHING : 1u << rand_below(rand, OPERATIONS);
    switch (fault->kind) {
    case FAULT_STATUS:
        fault->value = status_of(rand, &fault->operations);
        break;
    case FAULT_SLOW:
    case FAULT_SCORER_SLOW:
        fault->value = between(rand, 50, 4 * SECOND_MS);
        break;
    case FAULT_DISK_SLOW:
        fault->value = between(rand, 20, 3 * SECOND_MS);
        break;
    case FAULT_SHORT_TOKENS:
        fault->value = between(rand, 0, 90);
        break;
    case FAULT_QUOTA:
        fault->value = between(rand, 1, 20);
        break;
    case FAULT_CHURN:
        fault->share = share_below(rand, 0.3);
        break;
    case FAULT_CLOCK_STEP:
        fault->value = between(rand, -HOUR_MS, HOUR_MS);
        break;
    case FAULT_KILL:
    case FAULT_STOP:
        fault->value = chance(rand, 0.8) ? between(rand, 100, 3 * SECOND_MS)
                                         : between(rand, SECOND_MS, 4 * MINUTE_MS);
        break;
    default:
        break;
    }
}

static void plan_faults(struct plan *plan, struct rand *rand)
{
    uint64_t kinds = rand_below(rand, 5);
    for (uint64_t i = 0; i < kinds; i++) {
        enum fault_kind kind = (enum fault_kind)rand_below(rand, FAULT_KINDS);
        uint64_t times = 1 + rand_below(rand, kind == FAULT_KILL ? 8 : 3);
        for (uint64_t n = 0; n < times; n++) {
            struct fault fault = {.kind = kind};
            int64_t lasts_ms =
                chance(rand, 0.7) ? between(rand, SECOND_MS, 20 * SECOND_MS) : plan->calm_ms;
            fault.from_ms = between(rand, 0, plan->calm_ms - SECOND_MS);
            fault.until_ms =
                fault.from_ms + lasts_ms < plan->calm_ms ? fault.from_ms + lasts_ms : plan->calm_ms;
            plan_strength(&fault, rand);
            plan_add_fault(plan, &fault);
        }
    }
}

void plan_from_seed(struct plan *plan, uint64_t seed)
{
    struct rand rand;
    rand_seed(&rand, rand_mix(seed));
    *plan = (struct plan){
        .seed = seed,
        .name = "seed",
        .token_s = chance(&rand, 0.7) ? 3600 : between(&rand, 30, 300),
        .client_rps = 400,
        .interaction_rps = 1,
        .calls_max = 200,
        .durable = chance(&rand, 0.9),
    };
    plan_calls(plan, &rand);
    if (chance(&rand, 0.2)) {
        plan->client_rps = (double)between(&rand, (int64_t)plan->calls / 4 + 2, 40);
        plan->quota_rps = plan->client_rps * (chance(&rand, 0.5) ? 1 : 1.2);
    }
    plan->calm_ms = plan->arrive_ms + plan->talk_most_ms + between(&rand, 0, 2 * MINUTE_MS);
    plan_faults(plan, &rand);
    if (!plan->durable) {
        for (size_t i = 0; i < plan->fault_count; i++) {
            if (plan->faults[i].kind == FAULT_KILL || plan->faults[i].kind == FAULT_STOP) {
                plan->durable = true; /* without a store a restart forgets, by design */
            }
        }
    }
    plan->end_ms = plan->calm_ms + 40 * MINUTE_MS;
}

/* --- for people ------------------------------------------------------------------------------ */

void plan_print(const struct plan *plan)
{
    (void)printf(
        "%s, seed %llu: %u calls until %.0f s, talking %.0f to %.0f s; client %.0f/s, quota "
        "%.0f/s, token %lld s%s\n",
        plan->name, (unsigned long long)plan->seed, plan->calls, (double)plan->arrive_ms / 1e3,
        (double)plan->talk_least_ms / 1e3, (double)plan->talk_most_ms / 1e3, plan->client_rps,
        plan->quota_rps, (long long)plan->token_s, plan->durable ? "" : ", no store");
    (void)printf("  shares: late %.2f revised %.2f partial %.2f blank %.2f angry %.2f mask %.2f "
                 "hold %.2f transfer %.2f duplicate %.2f shuffle %.2f\n",
                 plan->late_share, plan->revised_share, plan->partial_share, plan->blank_share,
                 plan->angry_share, plan->mask_share, plan->hold_share, plan->transfer_share,
                 plan->duplicate_share, plan->shuffle_share);
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct fault *fault = &plan->faults[i];
        (void)printf("  %.1f to %.1f s: %s, share %.2f, value %lld, operations 0x%x\n",
                     (double)fault->from_ms / 1e3, (double)fault->until_ms / 1e3,
                     fault_name(fault->kind), fault->share, (long long)fault->value,
                     fault->operations);
    }
}

/* --- asked while it runs --------------------------------------------------------------------- */

static bool in_force(const struct fault *fault)
{
    int64_t now_ms = world_now_ms();
    return fault->from_ms <= now_ms && now_ms < fault->until_ms;
}

const struct fault *plan_strike(const struct plan *plan, enum fault_kind kind,
                                enum operation operation)
{
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct fault *fault = &plan->faults[i];
        if (fault->kind == kind && in_force(fault) && (fault->operations & 1u << operation) &&
            world_chance(fault->share)) {
            return fault;
        }
    }
    return NULL;
}

const struct fault *plan_in_force(const struct plan *plan, enum fault_kind kind)
{
    for (size_t i = 0; i < plan->fault_count; i++) {
        if (plan->faults[i].kind == kind && in_force(&plan->faults[i])) {
            return &plan->faults[i];
        }
    }
    return NULL;
}
