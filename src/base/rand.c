/* rand.c - see rand.h. */
#include "base/rand.h"

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

uint64_t rand_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void rand_seed(struct rand *rand, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        rand->state[i] = rand_mix(seed + (uint64_t)i * 0x9e3779b97f4a7c15u);
    }
}

uint64_t rand_u64(struct rand *rand)
{
    uint64_t *s = rand->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double rand_uniform(struct rand *rand)
{
    return (double)(rand_u64(rand) >> 11) * 0x1.0p-53;
}

uint64_t rand_below(struct rand *rand, uint64_t bound)
{
    if (bound == 0) {
        return 0;
    }
    /* Reject the short last stretch, so that every value is equally likely. */
    uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        uint64_t x = rand_u64(rand);
        if (x >= threshold) {
            return x % bound;
        }
    }
}
