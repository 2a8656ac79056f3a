/* nlp/charsmap.h - the compiled normalization map of a sentencepiece model.
 *
 * A map is a double array (Darts-clone: a trie over bytes) whose leaves point into a block of
 * NUL-terminated replacements. It comes from a file, so every step is checked against its bounds; a
 * map that points astray matches nothing there.
 */
#ifndef NLP_CHARSMAP_H
#define NLP_CHARSMAP_H

#include "nlp/packed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHARSMAP_BYTES_MAX = 16 * 1024 * 1024,
    CHARSMAP_REPLACEMENT_MAX = 1024, /* bytes; what is longer is refused on reading */
    CHARSMAP_CLUSTER_MAX = 5,        /* longer grapheme clusters are not looked up as one */
    CHARSMAP_OUT_MAX = CHARSMAP_CLUSTER_MAX * CHARSMAP_REPLACEMENT_MAX,
};

struct charsmap {
    uint32_t *units; /* the double array; NULL for no map, which changes nothing */
    size_t unit_count;
    char *replacements; /* NUL-terminated strings */
    size_t replacements_size;
    bool is_mapped;        /* units and replacements are a packed file's */
    bool ascii_stays[128]; /* an ASCII cluster of its own that is not replaced */
};

enum charsmap_read {
    CHARSMAP_READ,
    CHARSMAP_READ_MALFORMED,
    CHARSMAP_READ_NO_MEMORY,
};

/* A map that changes nothing. */
void charsmap_init(struct charsmap *map);

/* Accepts a zeroed map. */
void charsmap_done(struct charsmap *map);

/* Reads the serialized map (a little-endian size, the units, the replacements) into an initialized
 * one; on failure that stays as it was. */
enum charsmap_read charsmap_read(struct charsmap *map, const unsigned char *bytes, size_t size);

/* To a packed file or from it, into an initialized map. */
void charsmap_pack(struct charsmap *map, struct packed *packed);

/* The replacement for the shortest mapped prefix of bytes[0..size), which is how Hugging Face's
 * library does it, or NULL; *replaced_size is its size. */
const char *charsmap_find(const struct charsmap *map, const char *bytes, size_t size,
                          size_t *replaced_size);

/* Where a text is being normalized. */
struct charsmap_reader {
    const char *at;
    const char *end;
    const char *cluster_end; /* up to here code points are looked up one by one */
};

/* bytes is borrowed. */
void charsmap_start(struct charsmap_reader *reader, const char *bytes, size_t size);

/* Normalizes the next code point or grapheme cluster: writes to out and returns the bytes written,
 * which may be 0. There must be something left (at < end). Malformed UTF-8 is read as U+FFFD. */
size_t charsmap_next(const struct charsmap *map, struct charsmap_reader *reader,
                     char out[CHARSMAP_OUT_MAX]);

#endif
