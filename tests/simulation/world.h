/* world.h - simulated time and chance: everything that happens, in one order, from one seed.
 *
 * The functions that the daemon links instead of the real clock, loop, HTTP client, scorer, store
 * and log (the replaced_*.c) have no argument to carry a world in, so there is one per process.
 *
 * When the daemon is killed it is not interrupted: it goes on as a ghost whose every act (request,
 * commit, log line) is ignored, until its loop returns. So it can be killed between any two acts,
 * also of one step, and its memory is freed as usual.
 */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

/* The vendor's clock at the beginning of the world. */
#define WORLD_EPOCH_MS INT64_C(1700000000000)

struct world_event;
typedef void world_fn(void *user);

void world_begin(uint64_t seed);
void world_end(void); /* forgets what was still to happen */

int64_t world_now_us(void);
int64_t world_now_ms(void);
int64_t world_vendor_ms(void); /* the vendor's clock, which is never wrong */
int64_t world_local_ms(void);  /* the daemon's wall clock, which may be */
void world_step_local_clock(int64_t by_ms);

/* Runs fn once, after delay_us. The pointer is dead once it runs. */
struct world_event *world_after_us(int64_t delay_us, world_fn *fn, void *user);
struct world_event *world_after_ms(int64_t delay_ms, world_fn *fn, void *user);
void world_cancel(struct world_event *event); /* accepts NULL */

/* Does the next thing; false if there is none before until_ms (the clock then shows until_ms). */
bool world_step(int64_t until_ms);
uint64_t world_events(void); /* done so far */

/* Chance, all of it from the seed. */
uint64_t world_below(uint64_t bound);
int64_t world_between(int64_t least, int64_t most);
bool world_chance(double share);

/* Death and birth of the daemon. An act is asked for before anything is done that others notice;
 * false: it is dead and nothing comes of it. After world_kill_at_act it dies at the n-th. */
bool world_act(void);
void world_kill(void);
void world_kill_at_act(uint64_t acts);
bool world_is_dead(void);
void world_revive(void);

/* A line of the trace, printed if wanted; all lines together make the fingerprint of a run. */
void world_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void world_print_trace(bool print);
uint64_t world_fingerprint(void);

/* A promise was broken: counted, and the first few printed. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned world_failures(void);

#endif
