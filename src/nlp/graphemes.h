/* nlp/graphemes.h - extended grapheme clusters (UAX 29, rules GB3 to GB13), one code point at a
 * time, as the unicode-segmentation library inside Hugging Face's tokenizers finds them. Pure.
 */
#ifndef NLP_GRAPHEMES_H
#define NLP_GRAPHEMES_H

#include <stdbool.h>
#include <stdint.h>

enum graphemes_class {
    GRAPHEMES_CLASS_OTHER,
    GRAPHEMES_CLASS_CR,
    GRAPHEMES_CLASS_LF,
    GRAPHEMES_CLASS_CONTROL,
    GRAPHEMES_CLASS_EXTEND,       /* Indic_Conjunct_Break=Extend too */
    GRAPHEMES_CLASS_OTHER_EXTEND, /* extends, but ends an Indic conjunct */
    GRAPHEMES_CLASS_LINKER,       /* extends; Indic_Conjunct_Break=Linker */
    GRAPHEMES_CLASS_ZWJ,
    GRAPHEMES_CLASS_SPACING_MARK,
    GRAPHEMES_CLASS_PREPEND,
    GRAPHEMES_CLASS_CONSONANT, /* Indic_Conjunct_Break=Consonant */
    GRAPHEMES_CLASS_L,
    GRAPHEMES_CLASS_V,
    GRAPHEMES_CLASS_T,
    GRAPHEMES_CLASS_LV,
    GRAPHEMES_CLASS_LVT,
    GRAPHEMES_CLASS_REGIONAL_INDICATOR,
    GRAPHEMES_CLASS_PICTOGRAPH,
};

/* What later rules need to know of the cluster so far. */
struct graphemes {
    enum graphemes_class last;
    bool after_consonant;  /* consonant and Extend or Linker since */
    bool has_linker;       /* a linker among them */
    bool after_pictograph; /* pictograph and Extend since; then perhaps one ZWJ */
    bool is_flag_half;     /* an odd number of regional indicators */
};

enum graphemes_class graphemes_class(uint32_t code_point);

/* Begins a cluster with its first code point. */
void graphemes_start(struct graphemes *cluster, uint32_t code_point);

/* Whether the cluster goes on with this code point; if not, the cluster is unchanged. */
bool graphemes_join(struct graphemes *cluster, uint32_t code_point);

#endif
