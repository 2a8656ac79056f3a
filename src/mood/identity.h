/* mood/identity.h - which segments of a reply are known, which are revised, which are new.
 *
 * The payload has no version. A key names an utterance as far as the vendor lets us: its own id,
 * else (speaker, start). A form is (end, text) under that key. Within one reply, the finals of a
 * key are set against what is known of that key:
 * - the same form: a duplicate, as is the second of two equal elements; or withheld, if a mask kept
 *   that form from being scored: the mask may turn out to have ended before;
 * - another form: a revision of a known utterance whose form the reply no longer holds, lowest
 *   ordinal first; without one, a new utterance, with the key's next ordinal.
 * Identity is by the raw times, before anything is clamped. Texts are compared by 64-bit hashes
 * under the policy's key.
 */
#ifndef MOOD_IDENTITY_H
#define MOOD_IDENTITY_H

#include "mood/policy.h"
#include "mood/segment.h"
#include "mood/transcript.h"

#include <stddef.h>
#include <stdint.h>

enum identity_verdict {
    IDENTITY_DUPLICATE,
    IDENTITY_WITHHELD,
    IDENTITY_REVISION,
    IDENTITY_NEW,
};

struct identity {
    uint64_t key;
    uint64_t form;
    size_t index; /* place in the reply */
    enum identity_verdict verdict;
    uint32_t number;  /* REVISION, WITHHELD: of what */
    uint32_t ordinal; /* NEW */
    /* For the first of each key as sorted: */
    uint32_t ordinals;   /* the key's next ordinal */
    uint32_t candidates; /* known utterances of the key whose form the reply does not hold */
    struct identity *first;
};

/* Fills in key and form. */
void identity_name(struct identity *identity, const struct segment *segment,
                   const struct mood_policy *policy);

/* Decides about the finals of one reply, given in its order with key, form and index; `sorted` is
 * scratch for count pointers. Of the transcript only `marked` is used. */
void identity_resolve(struct identity *identities, struct identity **sorted, size_t count,
                      struct transcript *transcript);

#endif
