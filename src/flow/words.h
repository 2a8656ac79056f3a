/* flow/words.h - what was said of late in one call, with labels in the place of card numbers, names
 * and their kin: for those who are shown why an alert was given, where policy allows it. Pure.
 *
 * Words are redacted as they come in, before anything holds them: at most WORDS_ENTRIES_MAX
 * utterances, each cut at WORDS_BYTES_MAX, none older than `keep_ms` before the newest; whatever
 * goes is wiped. They are in memory only: a later process finds none.
 *
 * An answer is redacted by what the other side has asked for just before. Where the question comes
 * in a later reply than its answer, the answer is withheld for good.
 */
#ifndef FLOW_WORDS_H
#define FLOW_WORDS_H

#include "base/keyhash.h"
#include "mood/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_ENTRIES_MAX = 48, WORDS_BYTES_MAX = 200 };

struct words;

/* NULL without memory. The key tells texts apart. */
struct words *words_create(const unsigned char key[KEYHASH_SHORT_KEY_BYTES], int64_t keep_ms);
void words_destroy(struct words *words); /* accepts NULL */

/* Takes the finals of one reply, in any order and however often, but for those that the call
 * (may be NULL) knows to be masked. False without memory: what found none is not held. */
bool words_take(struct words *words, const struct call *call, const struct segment *segments,
                size_t count);

/* Wipes what ended in [from_ms, to_ms]. */
void words_wipe(struct words *words, int64_t from_ms, int64_t to_ms);

/* The redacted words of an utterance, good until the next call that changes anything; NULL if they
 * are not held. Of several forms that differ in words only, the newest. Accepts NULL. */
const char *words_find(const struct words *words, enum speaker speaker, int64_t start_ms,
                       int64_t end_ms);

/* Bytes of words held. Accepts NULL. */
size_t words_bytes(const struct words *words);

#endif
