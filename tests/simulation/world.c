/* world.c - see world.h. A binary heap of events by time and order of asking, one clock, one source
 * of chance. libsodium's random numbers (keys, hash seeds, ids) come from it as well, or two runs
 * of a seed would differ. */
#include "world.h"

#include "base/keyhash.h"
#include "base/rand.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURES_PRINTED_MAX = 12 };

struct world_event {
    int64_t at_us;
    uint64_t order;
    world_fn *fn;
    void *user;
    size_t place;
};

static struct {
    struct world_event **heap;
    size_t count;
    size_t capacity;
    uint64_t order;
    uint64_t events;
    int64_t now_us;
    int64_t local_offset_ms;
    struct rand rand;
    struct rand sodium;
    bool dead;
    uint64_t acts_left; /* 0: it lives on */
    bool print_trace;
    uint64_t fingerprint;
    unsigned failures;
} world;

static void fail_for_memory(void)
{
    (void)fputs("undertone-simulate: no memory\n", stderr);
    exit(2);
}

/* --- the heap -------------------------------------------------------------------------------- */

static bool is_before(const struct world_event *a, const struct world_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void put(size_t place, struct world_event *event)
{
    world.heap[place] = event;
    event->place = place;
}

static void rise(struct world_event *event)
{
    size_t place = event->place;
    while (place > 0 && is_before(event, world.heap[(place - 1) / 2])) {
        put(place, world.heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(place, event);
}

static void sink(struct world_event *event)
{
    size_t place = event->place;
    for (;;) {
        size_t child = place * 2 + 1;
        if (child + 1 < world.count && is_before(world.heap[child + 1], world.heap[child])) {
            child++;
        }
        if (child >= world.count || !is_before(world.heap[child], event)) {
            break;
        }
        put(place, world.heap[child]);
        place = child;
    }
    put(place, event);
}

static void take_out(struct world_event *event)
{
    struct world_event *last = world.heap[--world.count];
    if (last != event) {
        put(event->place, last);
        rise(last);
        sink(last);
    }
}

struct world_event *world_after_us(int64_t delay_us, world_fn *fn, void *user)
{
    struct world_event *event = malloc(sizeof *event);
    if (world.count == world.capacity) {
        world.capacity = world.capacity ? world.capacity * 2 : 1024;
        world.heap = realloc(world.heap, world.capacity * sizeof(struct world_event *));
    }
    if (!event || !world.heap) {
        fail_for_memory();
        return NULL;
    }
    int64_t at_us;
    if (__builtin_add_overflow(world.now_us, delay_us > 0 ? delay_us : 0, &at_us)) {
        at_us = INT64_MAX;
    }
    *event = (struct world_event){
        .at_us = at_us, .order = world.order++, .fn = fn, .user = user, .place = world.count};
    world.heap[world.count++] = event;
    rise(event);
    return event;
}

struct world_event *world_after_ms(int64_t delay_ms, world_fn *fn, void *user)
{
    int64_t delay_us;
    if (__builtin_mul_overflow(delay_ms, INT64_C(1000), &delay_us)) {
        delay_us = INT64_MAX;
    }
    return world_after_us(delay_us, fn, user);
}

void world_cancel(struct world_event *event)
{
    if (event) {
        take_out(event);
        free(event);
    }
}

bool world_step(int64_t until_ms)
{
    struct world_event *event = world.count > 0 ? world.heap[0] : NULL;
    if (!event || event->at_us > until_ms * 1000) {
        world.now_us = world.now_us > until_ms * 1000 ? world.now_us : until_ms * 1000;
        return false;
    }
    world.now_us = event->at_us;
    world.events++;
    take_out(event);
    world_fn *fn = event->fn;
    void *user = event->user;
    free(event);
    fn(user);
    return true;
}

/* --- time and chance ------------------------------------------------------------------------- */

int64_t world_now_us(void)
{
    return world.now_us;
}

int64_t world_now_ms(void)
{
    return world.now_us / 1000;
}

int64_t world_vendor_ms(void)
{
    return WORLD_EPOCH_MS + world_now_ms();
}

int64_t world_local_ms(void)
{
    return world_vendor_ms() + world.local_offset_ms;
}

void world_step_local_clock(int64_t by_ms)
{
    world.local_offset_ms += by_ms;
}

uint64_t world_events(void)
{
    return world.events;
}

uint64_t world_below(uint64_t bound)
{
    return rand_below(&world.rand, bound);
}

int64_t world_between(int64_t least, int64_t most)
{
    return least + (int64_t)rand_below(&world.rand, (uint64_t)(most - least) + 1);
}

bool world_chance(double share)
{
    return share > 0 && rand_uniform(&world.rand) < share;
}

static const char *sodium_name(void)
{
    return "simulation";
}

static uint32_t sodium_random(void)
{
    return (uint32_t)(rand_u64(&world.sodium) >> 32);
}

static void sodium_buf(void *const bytes, const size_t size)
{
    unsigned char *out = bytes;
    for (size_t i = 0; i < size; i++) {
        out[i] = (unsigned char)(rand_u64(&world.sodium) >> 56);
    }
}

static struct randombytes_implementation sodium_implementation = {
    .implementation_name = sodium_name, .random = sodium_random, .buf = sodium_buf};

/* --- life and death -------------------------------------------------------------------------- */

bool world_act(void)
{
    if (!world.dead && world.acts_left > 0 && --world.acts_left == 0) {
        world_kill();
    }
    return !world.dead;
}

void world_kill(void)
{
    world_trace("killed");
    world.acts_left = 0;
    world.dead = true;
}

void world_kill_at_act(uint64_t acts)
{
    world.acts_left = acts;
}

bool world_is_dead(void)
{
    return world.dead;
}

void world_revive(void)
{
    world.dead = false;
    world.acts_left = 0;
}

/* --- what is told ---------------------------------------------------------------------------- */

void world_trace(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size = size < (int)sizeof line ? size : (int)sizeof line - 1;
    uint64_t hash = keyhash_fnv1a(line, (size_t)size);
    world.fingerprint = rand_mix(world.fingerprint ^ hash ^ (uint64_t)world.now_us);
    if (world.print_trace) {
        (void)printf("%11.3f %s\n", (double)world.now_us / 1e6, line);
    }
}

void world_print_trace(bool print)
{
    world.print_trace = print;
}

uint64_t world_fingerprint(void)
{
    return world.fingerprint;
}

void world_fail(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    world_trace("FAILED: %s", line);
    if (world.failures++ < FAILURES_PRINTED_MAX && !world.print_trace) {
        (void)printf("  at %.3f s: %s\n", (double)world.now_us / 1e6, line);
    }
}

unsigned world_failures(void)
{
    return world.failures;
}

void world_begin(uint64_t seed)
{
    bool print_trace = world.print_trace;
    memset(&world, 0, sizeof world);
    world.print_trace = print_trace;
    rand_seed(&world.rand, seed);
    rand_seed(&world.sodium, rand_mix(seed));
    (void)randombytes_set_implementation(&sodium_implementation);
}

void world_end(void)
{
    while (world.count > 0) {
        free(world.heap[--world.count]);
    }
    free(world.heap);
    world.heap = NULL;
    world.capacity = 0;
}
