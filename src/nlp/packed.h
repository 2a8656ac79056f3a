/* nlp/packed.h - a loaded model as a file: the numbers and arrays of its parts in the order in
 * which those name them, mapped read-only, so that processes share its pages.
 *
 * One walk serves both directions. When p writes, bpe_pack(bpe, p) hands over what bpe holds; when
 * p reads, the same calls fill bpe from the file. So the two cannot drift apart, and the file needs
 * no table of contents:
 *
 *     packed_size(p, &bpe->word_count, BPE_WORDS_MAX);
 *     bpe->words = packed_array(p, bpe->words, slots * sizeof *bpe->words);
 *
 * The first fault is kept and makes all later calls do nothing; whoever reads checks packed_failed
 * before it believes anything. Numbers are checked against their sum at once. Arrays lie as they
 * were in memory and are not read through at all, so that opening takes no longer for a large
 * model: who follows an index found in one checks it first, packed_verify finds other damage.
 *
 * A file is good for one layout of arrays and one source; for any other it is refused on opening.
 */
#ifndef NLP_PACKED_H
#define NLP_PACKED_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packed;

/* What a file must have been made by and from. */
struct packed_identity {
    uint64_t layout; /* of the arrays, and so of this build */
    uint64_t source; /* of the checkpoint's files */
};

/* Opens a file for reading. ERROR_IO when there is none; ERROR_PERMISSION when others than its
 * owner may write it, or its owner is neither this user nor root; ERROR_FORMAT when it is cut short
 * or damaged; ERROR_UNSUPPORTED when it is another build's or another source's. */
int packed_open(struct packed **packed, const char *path, const struct packed_identity *identity,
                struct error *err);

/* Begins a file beside path, which appears only with packed_commit; mode 0644. Such beginnings of
 * processes that were killed are removed from the folder (packed_partial.h). */
int packed_create(struct packed **packed, const char *path, const struct packed_identity *identity,
                  struct error *err);

/* Writes what is missing, brings it to the disk and puts the file in its place. */
int packed_commit(struct packed *packed, struct error *err);

/* Accepts NULL. Unmaps the arrays; a file without commit is removed. */
void packed_close(struct packed *packed);

bool packed_writes(const struct packed *packed);
bool packed_failed(const struct packed *packed);
size_t packed_file_bytes(const struct packed *packed);

/* Bytes of which every pattern is a value. Here and below, only reading assigns. */
void packed_bytes(struct packed *packed, void *bytes, size_t size);

/* A number from 0 to max; more is a fault when it is read. */
void packed_size(struct packed *packed, size_t *number, size_t max);
void packed_id(struct packed *packed, uint32_t *number, uint32_t max);
void packed_flag(struct packed *packed, bool *flag);

/* size bytes, 64-byte aligned. Writing returns array; reading returns where it lies in the mapping,
 * which must not be written, or NULL after a fault, another size included. What other threads may
 * be reading is written from a copy of its struct, since the walk assigns. */
void *packed_array(struct packed *packed, const void *array, size_t size);

/* A fault in what was read, as whoever knows the arrays finds it. */
void packed_fail(struct packed *packed, const char *what);

/* After reading: 0, or the first fault, or that something is left over. */
int packed_finish(struct packed *packed, struct error *err);

/* Reads all arrays that were met through and compares their sums. */
int packed_verify(const struct packed *packed, struct error *err);

#endif
