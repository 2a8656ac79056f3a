/* commands/bench_team.h - a few threads that do one thing together and meet again, for measuring.
 */
#ifndef COMMANDS_BENCH_TEAM_H
#define COMMANDS_BENCH_TEAM_H

#include "base/error.h"

enum { BENCH_TEAM_MAX = 64 };

struct bench_team;

typedef void bench_team_fn(void *user, unsigned member);

/* Starts count - 1 threads; the caller is member 0. */
int bench_team_create(struct bench_team **team, unsigned count, struct error *err);

/* Runs fn once in each member and returns when all have. */
void bench_team_run(struct bench_team *team, bench_team_fn *fn, void *user);

void bench_team_destroy(struct bench_team *team); /* accepts NULL */

#endif
