/* drift.c - see drift.h. */
#include "app/drift.h"

#include <math.h>
#include <string.h>

static int64_t slot_at(struct mono now)
{
    return now.us / 1000 / DRIFT_SLOT_MS;
}

void drift_init(struct drift *drift, struct mono now)
{
    *drift = (struct drift){.slot = slot_at(now)};
}

/* Empties the slots that time has passed over. */
static void move_on(struct drift *drift, struct mono now)
{
    int64_t slot = slot_at(now);
    if (slot - drift->slot >= DRIFT_SLOTS) {
        drift_init(drift, now);
    }
    while (drift->slot < slot) {
        drift->slot++;
        memset(drift->counts[drift->slot % DRIFT_SLOTS], 0, sizeof drift->counts[0]);
    }
}

void drift_add(struct drift *drift, double score, struct mono now)
{
    move_on(drift, now);
    int bin = (int)(score * DRIFT_BINS);
    bin = bin < 0 ? 0 : (bin >= DRIFT_BINS ? DRIFT_BINS - 1 : bin);
    drift->counts[drift->slot % DRIFT_SLOTS][bin]++;
}

/* Adds up `slots` slots, the newest of which is `newest`; returns how many scores they hold. */
static uint64_t sum(const struct drift *drift, int64_t newest, int slots, uint64_t bins[DRIFT_BINS])
{
    uint64_t all = 0;
    for (int64_t slot = newest; slot > newest - slots && slot >= 0; slot--) {
        for (int i = 0; i < DRIFT_BINS; i++) {
            bins[i] += drift->counts[slot % DRIFT_SLOTS][i];
            all += drift->counts[slot % DRIFT_SLOTS][i];
        }
    }
    return all;
}

struct drift_reading drift_read(struct drift *drift, struct mono now)
{
    uint64_t current[DRIFT_BINS] = {0};
    uint64_t reference[DRIFT_BINS] = {0};
    struct drift_reading reading = {0};
    move_on(drift, now);
    reading.current = sum(drift, drift->slot, DRIFT_CURRENT, current);
    reading.reference = sum(drift, drift->slot - DRIFT_CURRENT, DRIFT_REFERENCE, reference);
    reading.known = reading.current >= DRIFT_SAMPLES_MIN && reading.reference >= DRIFT_SAMPLES_MIN;
    for (int i = 0; i < DRIFT_BINS && reading.known; i++) {
        double p = ((double)current[i] + 0.5) / ((double)reading.current + 0.5 * DRIFT_BINS);
        double q = ((double)reference[i] + 0.5) / ((double)reading.reference + 0.5 * DRIFT_BINS);
        reading.index += (p - q) * log(p / q);
    }
    return reading;
}
