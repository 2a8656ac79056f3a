/* nlp/wordpiece.h - the WordPiece model with BERT's normalizer and pre-tokenizer in front.
 *
 * Built in steps (init, add every token, seal, add normalized tokens), then immutable. Encoding
 * reads the text once, keeps at most one word, and hands out ids as they come.
 */
#ifndef NLP_WORDPIECE_H
#define NLP_WORDPIECE_H

#include "nlp/bert_normalizer.h"
#include "nlp/vocab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WORDPIECE_WORD_CHARS_MAX = 256,    /* a model may set any limit up to this; usual is 100 */
    WORDPIECE_PATTERN_CHARS_MAX = 127, /* of a normalized added token */
    WORDPIECE_PATTERNS_MAX = 4096,
    WORDPIECE_WINDOW = WORDPIECE_PATTERN_CHARS_MAX + 1, /* a pattern and the code point after it */
    WORDPIECE_IDS_MAX = 1024,
};
_Static_assert(WORDPIECE_WORD_CHARS_MAX + WORDPIECE_WINDOW + BERT_OUT_MAX <= WORDPIECE_IDS_MAX,
               "every id stands for at least one code point that was waiting");
_Static_assert((int)BERT_RUN_MAX >= (int)WORDPIECE_WORD_CHARS_MAX,
               "a run that is not fully reordered belongs to a word that is too long anyway");

/* An added token that is looked for in normalized text. lstrip and rstrip need no trace here: white
 * space around a token makes no ids. */
struct wordpiece_pattern {
    uint32_t *code_points; /* owned; normalized */
    size_t count;
    uint32_t id;
    bool single_word;
};

struct wordpiece {
    struct vocab vocab;
    uint32_t continuing; /* the trie's node for "##", or VOCAB_NO_NODE */
    uint32_t unk;
    size_t word_chars_max; /* longer words are unk */
    struct bert_normalizer normalizer;
    uint8_t ascii_class[128]; /* enum bert_class after normalization */
    char ascii_lower[128];
    struct wordpiece_pattern *patterns; /* longest first */
    size_t pattern_count;
    size_t pattern_chars_max; /* of the longest */
};

struct wordpiece_scratch {
    const char *at;
    const char *end;
    bool finished; /* everything read is in ids */
    struct bert_normalizer_state normalizer;
    uint32_t settled[BERT_OUT_MAX];
    uint32_t window[WORDPIECE_WINDOW]; /* ring; used only when there are patterns */
    size_t window_at;
    size_t window_count;
    size_t window_skip;     /* code points of a match that was refused: no match begins in them */
    uint32_t window_before; /* the code point that left the window last; space at the start */
    char word[WORDPIECE_WORD_CHARS_MAX * 4];
    size_t word_bytes;
    size_t word_chars; /* counts on past the limit */
    uint32_t ids[WORDPIECE_IDS_MAX];
    size_t ids_at;
    size_t ids_count;
};

enum wordpiece_added {
    WORDPIECE_ADDED,
    WORDPIECE_ADDED_EMPTY, /* nothing is left of the token after normalization */
    WORDPIECE_ADDED_LONG,  /* more than WORDPIECE_PATTERN_CHARS_MAX */
    WORDPIECE_ADDED_MANY,  /* more than WORDPIECE_PATTERNS_MAX */
    WORDPIECE_ADDED_NO_MEMORY,
};

/* An empty model; word_chars_max is at most WORDPIECE_WORD_CHARS_MAX. Tokens go straight into
 * wordpiece->vocab. */
void wordpiece_init(struct wordpiece *wordpiece, struct bert_normalizer normalizer,
                    size_t word_chars_max);

/* Accepts a zeroed model. */
void wordpiece_done(struct wordpiece *wordpiece);

/* After the last token: names what marks a piece inside a word ("##") and the unknown token's id.
 */
void wordpiece_seal(struct wordpiece *wordpiece, const char *prefix, size_t prefix_bytes,
                    uint32_t unk);

/* Adds a token that is matched after normalization, as a "normalized" added token is. */
enum wordpiece_added wordpiece_add_pattern(struct wordpiece *wordpiece, const char *content,
                                           size_t size, uint32_t id, bool single_word);

/* To a packed file or from it, into a zeroed model; every id read is below id_count. */
void wordpiece_pack(struct wordpiece *wordpiece, struct packed *packed, size_t id_count);

/* Begins a text; bytes is borrowed until the last id is taken. */
void wordpiece_start(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                     const char *bytes, size_t size);

/* The next ids; fewer than ids_max means that the text is done. */
size_t wordpiece_next(const struct wordpiece *wordpiece, struct wordpiece_scratch *scratch,
                      uint32_t *ids, size_t ids_max);

#endif
