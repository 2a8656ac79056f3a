/* rand.h - seeded pseudo-random numbers (xoshiro256**, Blackman and Vigna 2018).
 *
 * The same seed gives the same sequence on every machine. Not for secrets: see keyhash.h.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stdint.h>

struct rand {
    uint64_t state[4];
};

void rand_seed(struct rand *rand, uint64_t seed);
uint64_t rand_u64(struct rand *rand);
double rand_uniform(struct rand *rand);                 /* in [0, 1) */
uint64_t rand_below(struct rand *rand, uint64_t bound); /* in [0, bound); 0 for bound 0 */

/* One well-mixed step of splitmix64: also the seeder, and a cheap way to derive seeds by index. */
uint64_t rand_mix(uint64_t x);

#endif
