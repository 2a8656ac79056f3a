/* scenarios.h - worlds with a name: each shows one promise, with figures. */
#ifndef TESTS_SIMULATION_SCENARIOS_H
#define TESTS_SIMULATION_SCENARIOS_H

#include "plan.h"
#include "simulation.h"

enum { EVERYTHING = (1 << OPERATIONS) - 1 };

struct scenario {
    const char *name;
    const char *shows;
    void (*make)(struct plan *plan); /* plan->name is set */
    void (*tell)(const struct plan *plan, const struct figures *figures);
};

/* Runs the scenario of this name, `all` of them, or lists them (`list`). The exit status. */
int scenarios_run(const char *name);

/* --- between the parts ----------------------------------------------------------------------- */

/* scenarios_quota.c: a vendor who gives less than was configured. */
extern const struct scenario scenarios_quota[];
extern const size_t scenarios_quota_count;

/* People who talk in turn, well behaved, from the beginning to the end. */
struct plan scenarios_plain_plan(uint32_t calls, int64_t talk_ms);

void scenarios_expect(bool holds, const char *what);

#endif
