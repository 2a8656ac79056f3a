/* unicode.h - what the Unicode Character Database says about a code point (UAX 44).
 *
 * Answers follow the Unicode version of the utf8proc library that is linked (15.0 in Debian 12).
 * Values past U+10FFFF and surrogates are accepted: they are unassigned or Cs, and map to
 * themselves.
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNICODE_LOWER_MAX = 2, UNICODE_DECOMPOSED_MAX = 4 };

/* General_Category, in the order of UAX 44 table 12 with Cn first. */
enum unicode_category {
    UNICODE_CATEGORY_CN,
    UNICODE_CATEGORY_LU,
    UNICODE_CATEGORY_LL,
    UNICODE_CATEGORY_LT,
    UNICODE_CATEGORY_LM,
    UNICODE_CATEGORY_LO,
    UNICODE_CATEGORY_MN,
    UNICODE_CATEGORY_MC,
    UNICODE_CATEGORY_ME,
    UNICODE_CATEGORY_ND,
    UNICODE_CATEGORY_NL,
    UNICODE_CATEGORY_NO,
    UNICODE_CATEGORY_PC,
    UNICODE_CATEGORY_PD,
    UNICODE_CATEGORY_PS,
    UNICODE_CATEGORY_PE,
    UNICODE_CATEGORY_PI,
    UNICODE_CATEGORY_PF,
    UNICODE_CATEGORY_PO,
    UNICODE_CATEGORY_SM,
    UNICODE_CATEGORY_SC,
    UNICODE_CATEGORY_SK,
    UNICODE_CATEGORY_SO,
    UNICODE_CATEGORY_ZS,
    UNICODE_CATEGORY_ZL,
    UNICODE_CATEGORY_ZP,
    UNICODE_CATEGORY_CC,
    UNICODE_CATEGORY_CF,
    UNICODE_CATEGORY_CS,
    UNICODE_CATEGORY_CO,
};

/* Grapheme_Cluster_Break with Extended_Pictographic (UAX 29, tables 2 and 2b). */
enum unicode_grapheme {
    UNICODE_GRAPHEME_OTHER,
    UNICODE_GRAPHEME_CR,
    UNICODE_GRAPHEME_LF,
    UNICODE_GRAPHEME_CONTROL,
    UNICODE_GRAPHEME_EXTEND,
    UNICODE_GRAPHEME_ZWJ,
    UNICODE_GRAPHEME_SPACING_MARK,
    UNICODE_GRAPHEME_PREPEND,
    UNICODE_GRAPHEME_L,
    UNICODE_GRAPHEME_V,
    UNICODE_GRAPHEME_T,
    UNICODE_GRAPHEME_LV,
    UNICODE_GRAPHEME_LVT,
    UNICODE_GRAPHEME_REGIONAL_INDICATOR,
    UNICODE_GRAPHEME_PICTOGRAPH,
};

enum unicode_category unicode_category(uint32_t code_point);

enum unicode_grapheme unicode_grapheme(uint32_t code_point);

/* Category P*: Pc, Pd, Ps, Pe, Pi, Pf, Po. */
bool unicode_is_punctuation(uint32_t code_point);

/* The White_Space property; unlike isspace it includes U+0085, U+00A0 and U+3000. */
bool unicode_is_white_space(uint32_t code_point);

/* The word characters of UTS 18 annex C: alphabetic, marks, decimal digits, connector punctuation
 * and join controls. */
bool unicode_is_word(uint32_t code_point);

/* Canonical_Combining_Class; 0 for starters. */
unsigned unicode_combining_class(uint32_t code_point);

/* Full lower-case mapping without context or language (no final sigma). Writes at least one code
 * point and returns how many; only U+0130 has two. */
size_t unicode_lower(uint32_t code_point, uint32_t out[UNICODE_LOWER_MAX]);

/* Full canonical decomposition (the mapping of NFD, without the reordering of marks). Writes at
 * least one code point and returns how many. */
size_t unicode_decompose(uint32_t code_point, uint32_t out[UNICODE_DECOMPOSED_MAX]);

#endif
