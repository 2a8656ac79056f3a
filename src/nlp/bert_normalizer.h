/* nlp/bert_normalizer.h - Hugging Face's BertNormalizer and BertPreTokenizer, one code point at a
 * time.
 *
 * The normalizer drops control characters, spaces out CJK ideographs, strips accents (NFD without
 * category Mn) and lowers case, in this order, each by its own switch. The class of a normalized
 * code point then tells where the pre-tokenizer cuts words. Pure; all state is the caller's.
 */
#ifndef NLP_BERT_NORMALIZER_H
#define NLP_BERT_NORMALIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BERT_RUN_MAX = 256, /* spacing marks kept in canonical order in one run */
    BERT_OUT_MAX = BERT_RUN_MAX + 16,
};

enum bert_class {
    BERT_CLASS_WORD,
    BERT_CLASS_SPACE,
    BERT_CLASS_PUNCTUATION,   /* a word of its own */
    BERT_CLASS_MARK,          /* an accent; part of a word when it is not stripped */
    BERT_CLASS_CONTROL,       /* dropped by cleaning, otherwise part of a word */
    BERT_CLASS_CONTROL_SPACE, /* dropped by cleaning, otherwise white space: U+000B, U+000C, U+0085
                               */
};

struct bert_normalizer {
    bool clean_text;
    bool handle_chinese_chars;
    bool strip_accents;
    bool lowercase;
};

/* Combining characters that wait for canonical reordering (UAX 15, section 1.2). */
struct bert_normalizer_state {
    size_t count;
    uint32_t code_points[BERT_RUN_MAX];
    uint8_t classes[BERT_RUN_MAX];
};

enum bert_class bert_normalizer_class(uint32_t code_point);

/* Starts a text. */
void bert_normalizer_start(struct bert_normalizer_state *state);

/* Takes one code point and writes the normalized ones that are now settled; returns how many. A
 * run of more than BERT_RUN_MAX spacing marks is settled in parts (no word is that long). */
size_t bert_normalizer_push(const struct bert_normalizer *normalizer,
                            struct bert_normalizer_state *state, uint32_t code_point,
                            uint32_t out[BERT_OUT_MAX]);

/* Ends the text: writes what was still waiting. */
size_t bert_normalizer_finish(const struct bert_normalizer *normalizer,
                              struct bert_normalizer_state *state, uint32_t out[BERT_OUT_MAX]);

#endif
