/* nlp/crew.h - idle threads that lend a hand with one thread's work, part by part.
 *
 * A crew has no threads and no locks. Whoever leads calls crew_run for each piece of its work;
 * while the crew is open, others may call crew_help, and parts go to whoever asks first. The leader
 * never waits for a helper to come, only for parts that one has begun. A helper spins between
 * pieces, which are microseconds apart, and yields when there are none for longer.
 */
#ifndef NLP_CREW_H
#define NLP_CREW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be done with part `part` of `parts`; own is of the thread that does it. */
typedef void crew_fn(void *user, size_t part, size_t parts, void *own);

struct crew {
    atomic_uint session; /* odd: open */
    /* The number of this piece of work above, how many parts nobody has begun below. */
    _Atomic uint64_t ticket;
    atomic_size_t done;
    crew_fn *fn; /* these three change only when all parts are done */
    void *user;
    size_t parts;
};

/* A closed crew. There is nothing to free, but no helper may be inside any more. */
void crew_init(struct crew *crew);

/* For the leader: lets helpers in, and sends them away. Each at its turn. */
void crew_open(struct crew *crew);
void crew_close(struct crew *crew);
bool crew_is_open(const struct crew *crew);

/* For the leader: does all parts, each exactly once, and returns when all are done. A crew that is
 * not open does them in order. At most UINT32_MAX parts. */
void crew_run(struct crew *crew, crew_fn *fn, void *user, size_t parts, void *own);

/* For a helper: takes parts until the leader closes the crew or *leave, which may be NULL, is true;
 * returns at once if the crew is closed. */
void crew_help(struct crew *crew, void *own, const atomic_bool *leave);

#endif
