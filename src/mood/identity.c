/* identity.c - see identity.h.
 *
 * A reply and the transcript are joined once: the finals are sorted by key and form, and each known
 * utterance looks itself up among them. Known ones the reply does not hold are marked as open to
 * revision. The cost is n log m, even for a reply made to hurt. */
#include "mood/identity.h"

#include "base/rand.h"

#include <stdlib.h>

void identity_name(struct identity *identity, const struct segment *segment,
                   const struct mood_policy *policy)
{
    if (segment->id && segment->id_bytes > 0) {
        identity->key = keyhash_short(policy->identity_key, segment->id, segment->id_bytes);
    } else {
        /* One to one: starts are far below 2^62. */
        identity->key = rand_mix((uint64_t)segment->start_ms << 2 | (uint64_t)segment->speaker);
    }
    uint64_t text = keyhash_short(policy->identity_key, segment->text, segment->text_bytes);
    identity->form = rand_mix(text ^ rand_mix((uint64_t)segment->end_ms));
}

static int compare(const void *left, const void *right)
{
    const struct identity *a = *(struct identity *const *)left;
    const struct identity *b = *(struct identity *const *)right;
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    if (a->form != b->form) {
        return a->form < b->form ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

/* The first place at or after this key and form. */
static size_t lower_bound(struct identity *const *sorted, size_t count, uint64_t key, uint64_t form)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct identity *at = sorted[middle];
        if (at->key < key || (at->key == key && at->form < form)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void sort(struct identity *identities, struct identity **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        identities[i].verdict = IDENTITY_NEW;
        identities[i].ordinals = 0;
        identities[i].candidates = 0;
        sorted[i] = &identities[i];
    }
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        bool same_key = i > 0 && sorted[i]->key == sorted[i - 1]->key;
        sorted[i]->first = same_key ? sorted[i - 1]->first : sorted[i];
        if (same_key && sorted[i]->form == sorted[i - 1]->form) {
            sorted[i]->verdict = IDENTITY_DUPLICATE;
        }
    }
}

static void join(struct utterance *known, struct identity *const *sorted, size_t count)
{
    known->marked = 0;
    size_t group = lower_bound(sorted, count, known->key, 0);
    if (group == count || sorted[group]->key != known->key) {
        return;
    }
    struct identity *first = sorted[group];
    if (first->ordinals <= known->ordinal) {
        first->ordinals = (uint32_t)known->ordinal + 1;
    }
    size_t place = lower_bound(sorted, count, known->key, known->form);
    if (place < count && sorted[place]->key == known->key && sorted[place]->form == known->form) {
        sorted[place]->verdict = known->withheld ? IDENTITY_WITHHELD : IDENTITY_DUPLICATE;
        sorted[place]->number = known->number;
    } else {
        known->marked = 1;
        first->candidates++;
    }
}

static struct utterance *take_candidate(struct transcript *transcript, uint64_t key)
{
    struct utterance *lowest = NULL;
    for (size_t i = 0; i < transcript->count; i++) {
        struct utterance *known = &transcript->items[i];
        if (known->marked && known->key == key && (!lowest || known->ordinal < lowest->ordinal)) {
            lowest = known;
        }
    }
    lowest->marked = 0;
    return lowest;
}

void identity_resolve(struct identity *identities, struct identity **sorted, size_t count,
                      struct transcript *transcript)
{
    if (count == 0) {
        return;
    }
    sort(identities, sorted, count);
    for (size_t i = 0; i < transcript->count; i++) {
        join(&transcript->items[i], sorted, count);
    }
    for (size_t i = 0; i < count; i++) {
        struct identity *identity = &identities[i];
        if (identity->verdict != IDENTITY_NEW) {
            continue;
        }
        if (identity->first->candidates > 0) {
            identity->first->candidates--;
            identity->verdict = IDENTITY_REVISION;
            identity->number = take_candidate(transcript, identity->key)->number;
        } else if (identity->first->ordinals <= UINT16_MAX) {
            identity->ordinal = identity->first->ordinals++;
        } else {
            identity->verdict = IDENTITY_DUPLICATE; /* no call has 65 536 of one key */
        }
    }
}
