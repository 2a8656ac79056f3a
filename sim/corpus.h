/* corpus.h - the conversations that calls can play.
 *
 * Of each source a bounded, seeded sample of lines is kept as it stands in the file; a line is
 * parsed again whenever a call plays it. A source of weight 0 is not opened.
 */
#ifndef SIM_CORPUS_H
#define SIM_CORPUS_H

#include "base/error.h"
#include "base/rand.h"
#include "sim/conversation.h"

#include <stdint.h>

enum corpus_source {
    CORPUS_SOURCE_HARPER,
    CORPUS_SOURCE_CUCOM,
    CORPUS_SOURCE_MS,
    CORPUS_SOURCE_ABCD,
    CORPUS_SOURCE_COUNT,
};

enum { CORPUS_SAMPLE_MAX = 512, CORPUS_WEIGHT_MAX = 1000 };

struct corpus;

/* Loads from `directory` the sources that have a weight. The same seed and files keep the same
 * sample. On success the caller must corpus_destroy. */
int corpus_create(struct corpus **corpus, const char *directory,
                  const unsigned weights[CORPUS_SOURCE_COUNT], uint64_t seed, struct error *err);

/* Accepts NULL. */
void corpus_destroy(struct corpus *corpus);

/* Draws a source by weight and one of its conversations. The caller must conversation_done. */
int corpus_draw(const struct corpus *corpus, struct rand *rand, enum corpus_source *source,
                struct conversation *conversation, struct error *err);

/* "harper", "cucom", "ms", "abcd". */
const char *corpus_source_name(enum corpus_source source);

/* The data directory to use: `asked` if not NULL, else $UNDERTONE_SIM_DATA, else the first that
 * has a source of ./sim/data, ../../sim/data seen from the executable's folder, and the installed
 * one. Returns NULL if there is none; otherwise the caller frees it. */
char *corpus_find_directory(const char *asked);

#endif
