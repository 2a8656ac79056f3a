/* crew.c - see crew.h. Parts are claimed by counting a ticket down. Its upper half names the piece
 * of work, so a helper that read it long ago cannot claim a part of a later piece, and a helper
 * that has claimed a part keeps the leader from starting a later one: what the piece consists of
 * needs no protection of its own. */
#include "nlp/crew.h"

#include <assert.h>
#include <sched.h>

/* Waits a little, longer and longer: pieces follow each other in microseconds, but a thread that
 * has no processor of its own must not take it from the one it waits for. */
static void wait_a_little(unsigned *waits)
{
    enum { SPINS = 4000 };
    if (++*waits > SPINS) {
        (void)sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void crew_init(struct crew *crew)
{
    *crew = (struct crew){.fn = NULL};
    atomic_init(&crew->session, 0);
    atomic_init(&crew->ticket, 0);
    atomic_init(&crew->done, 0);
}

bool crew_is_open(const struct crew *crew)
{
    return atomic_load_explicit(&crew->session, memory_order_relaxed) % 2 == 1;
}

void crew_open(struct crew *crew)
{
    assert(!crew_is_open(crew));
    atomic_fetch_add_explicit(&crew->session, 1, memory_order_release);
}

void crew_close(struct crew *crew)
{
    assert(crew_is_open(crew));
    atomic_fetch_add_explicit(&crew->session, 1, memory_order_release);
}

/* Claims and does one part; false if none is left. */
static bool do_part(struct crew *crew, void *own)
{
    uint64_t ticket = atomic_load_explicit(&crew->ticket, memory_order_acquire);
    do {
        if ((uint32_t)ticket == 0) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&crew->ticket, &ticket, ticket - 1,
                                                    memory_order_acquire, memory_order_acquire));
    crew->fn(crew->user, crew->parts - (uint32_t)ticket, crew->parts, own);
    atomic_fetch_add_explicit(&crew->done, 1, memory_order_release);
    return true;
}

void crew_run(struct crew *crew, crew_fn *fn, void *user, size_t parts, void *own)
{
    if (!crew_is_open(crew) || parts < 2) {
        for (size_t part = 0; part < parts; part++) {
            fn(user, part, parts, own);
        }
        return;
    }
    assert(parts <= UINT32_MAX);
    uint64_t piece = atomic_load_explicit(&crew->ticket, memory_order_relaxed) >> 32;
    crew->fn = fn;
    crew->user = user;
    crew->parts = parts;
    atomic_store_explicit(&crew->done, 0, memory_order_relaxed);
    atomic_store_explicit(&crew->ticket, (piece + 1) << 32 | parts, memory_order_release);
    while (do_part(crew, own)) {
    }
    unsigned waits = 0;
    while (atomic_load_explicit(&crew->done, memory_order_acquire) < parts) {
        wait_a_little(&waits);
    }
}

void crew_help(struct crew *crew, void *own, const atomic_bool *leave)
{
    unsigned session = atomic_load_explicit(&crew->session, memory_order_acquire);
    unsigned waits = 0;
    while (session % 2 == 1 &&
           atomic_load_explicit(&crew->session, memory_order_acquire) == session &&
           !(leave && atomic_load_explicit(leave, memory_order_relaxed))) {
        if (do_part(crew, own)) {
            waits = 0;
        } else {
            wait_a_little(&waits);
        }
    }
}
