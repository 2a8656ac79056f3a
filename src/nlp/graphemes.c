/* graphemes.c - see graphemes.h. utf8proc's properties, corrected by a generated table for the
 * Unicode version of the library that we must agree with, and with the Indic conjuncts that
 * utf8proc does not know.
 */
#include "nlp/graphemes.h"

#include "base/unicode.h"

#include <stddef.h>

struct exception {
    uint32_t first;
    uint32_t last;
    enum graphemes_class class;
};

#include "nlp/graphemes_table.h"

enum { EXCEPTIONS = sizeof exceptions / sizeof exceptions[0] };

static const enum graphemes_class from_unicode[] = {
    [UNICODE_GRAPHEME_OTHER] = GRAPHEMES_CLASS_OTHER,
    [UNICODE_GRAPHEME_CR] = GRAPHEMES_CLASS_CR,
    [UNICODE_GRAPHEME_LF] = GRAPHEMES_CLASS_LF,
    [UNICODE_GRAPHEME_CONTROL] = GRAPHEMES_CLASS_CONTROL,
    [UNICODE_GRAPHEME_EXTEND] = GRAPHEMES_CLASS_EXTEND,
    [UNICODE_GRAPHEME_ZWJ] = GRAPHEMES_CLASS_ZWJ,
    [UNICODE_GRAPHEME_SPACING_MARK] = GRAPHEMES_CLASS_SPACING_MARK,
    [UNICODE_GRAPHEME_PREPEND] = GRAPHEMES_CLASS_PREPEND,
    [UNICODE_GRAPHEME_L] = GRAPHEMES_CLASS_L,
    [UNICODE_GRAPHEME_V] = GRAPHEMES_CLASS_V,
    [UNICODE_GRAPHEME_T] = GRAPHEMES_CLASS_T,
    [UNICODE_GRAPHEME_LV] = GRAPHEMES_CLASS_LV,
    [UNICODE_GRAPHEME_LVT] = GRAPHEMES_CLASS_LVT,
    [UNICODE_GRAPHEME_REGIONAL_INDICATOR] = GRAPHEMES_CLASS_REGIONAL_INDICATOR,
    [UNICODE_GRAPHEME_PICTOGRAPH] = GRAPHEMES_CLASS_PICTOGRAPH,
};

enum graphemes_class graphemes_class(uint32_t code_point)
{
    size_t low = 0;
    size_t high = EXCEPTIONS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_point > exceptions[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < EXCEPTIONS && code_point >= exceptions[low].first) {
        return exceptions[low].class;
    }
    return from_unicode[unicode_grapheme(code_point)];
}

static bool is_control(enum graphemes_class class)
{
    return class == GRAPHEMES_CLASS_CR || class == GRAPHEMES_CLASS_LF ||
           class == GRAPHEMES_CLASS_CONTROL;
}

static bool is_extend(enum graphemes_class class)
{
    return class == GRAPHEMES_CLASS_EXTEND || class == GRAPHEMES_CLASS_OTHER_EXTEND ||
           class == GRAPHEMES_CLASS_LINKER;
}

/* GB6 to GB8: syllables of Hangul. */
static bool joins_hangul(enum graphemes_class before, enum graphemes_class after)
{
    switch (before) {
    case GRAPHEMES_CLASS_L:
        return after == GRAPHEMES_CLASS_L || after == GRAPHEMES_CLASS_V ||
               after == GRAPHEMES_CLASS_LV || after == GRAPHEMES_CLASS_LVT;
    case GRAPHEMES_CLASS_LV:
    case GRAPHEMES_CLASS_V:
        return after == GRAPHEMES_CLASS_V || after == GRAPHEMES_CLASS_T;
    case GRAPHEMES_CLASS_LVT:
    case GRAPHEMES_CLASS_T:
        return after == GRAPHEMES_CLASS_T;
    default:
        return false;
    }
}

static bool joins(const struct graphemes *cluster, enum graphemes_class after)
{
    enum graphemes_class before = cluster->last;
    if (is_control(before) || is_control(after)) {
        return before == GRAPHEMES_CLASS_CR && after == GRAPHEMES_CLASS_LF; /* GB3 to GB5 */
    }
    if (is_extend(after) || after == GRAPHEMES_CLASS_ZWJ || after == GRAPHEMES_CLASS_SPACING_MARK ||
        before == GRAPHEMES_CLASS_PREPEND) {
        return true; /* GB9, GB9a, GB9b */
    }
    if (after == GRAPHEMES_CLASS_CONSONANT) {
        return cluster->after_consonant && cluster->has_linker; /* GB9c */
    }
    if (after == GRAPHEMES_CLASS_PICTOGRAPH) {
        return cluster->after_pictograph && before == GRAPHEMES_CLASS_ZWJ; /* GB11 */
    }
    if (after == GRAPHEMES_CLASS_REGIONAL_INDICATOR) {
        return cluster->is_flag_half; /* GB12, GB13 */
    }
    return joins_hangul(before, after);
}

static void advance(struct graphemes *cluster, enum graphemes_class class)
{
    bool conjunct_goes_on = class == GRAPHEMES_CLASS_EXTEND || class == GRAPHEMES_CLASS_LINKER ||
                            class == GRAPHEMES_CLASS_ZWJ;
    bool emoji_goes_on =
        (is_extend(class) || class == GRAPHEMES_CLASS_ZWJ) && cluster->last != GRAPHEMES_CLASS_ZWJ;
    cluster->has_linker =
        conjunct_goes_on && (cluster->has_linker || class == GRAPHEMES_CLASS_LINKER);
    cluster->after_consonant =
        class == GRAPHEMES_CLASS_CONSONANT || (conjunct_goes_on && cluster->after_consonant);
    cluster->after_pictograph =
        class == GRAPHEMES_CLASS_PICTOGRAPH || (emoji_goes_on && cluster->after_pictograph);
    cluster->is_flag_half = class == GRAPHEMES_CLASS_REGIONAL_INDICATOR && !cluster->is_flag_half;
    cluster->last = class;
}

void graphemes_start(struct graphemes *cluster, uint32_t code_point)
{
    *cluster = (struct graphemes){.last = GRAPHEMES_CLASS_CONTROL};
    advance(cluster, graphemes_class(code_point));
}

bool graphemes_join(struct graphemes *cluster, uint32_t code_point)
{
    enum graphemes_class class = graphemes_class(code_point);
    if (!joins(cluster, class)) {
        return false;
    }
    advance(cluster, class);
    return true;
}
