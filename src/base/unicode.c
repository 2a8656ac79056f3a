/* unicode.c - see unicode.h. The only file that knows utf8proc; its types stay in here. What
 * utf8proc lacks (White_Space, Alphabetic, the one multi-character lower case) is small enough to
 * state. Strings, normal forms and segmentation are left to the callers that need them.
 */
#include "base/unicode.h"

#include <utf8proc.h>

_Static_assert((int)UNICODE_CATEGORY_CN == (int)UTF8PROC_CATEGORY_CN, "same order as utf8proc");
_Static_assert((int)UNICODE_CATEGORY_ND == (int)UTF8PROC_CATEGORY_ND, "same order as utf8proc");
_Static_assert((int)UNICODE_CATEGORY_PC == (int)UTF8PROC_CATEGORY_PC, "same order as utf8proc");
_Static_assert((int)UNICODE_CATEGORY_SO == (int)UTF8PROC_CATEGORY_SO, "same order as utf8proc");
_Static_assert((int)UNICODE_CATEGORY_CO == (int)UTF8PROC_CATEGORY_CO, "same order as utf8proc");

/* utf8proc takes a signed code point and treats what it does not know as unassigned. */
static utf8proc_int32_t known(uint32_t code_point)
{
    return code_point <= 0x10FFFF ? (utf8proc_int32_t)code_point : -1;
}

enum unicode_category unicode_category(uint32_t code_point)
{
    return (enum unicode_category)utf8proc_category(known(code_point));
}

enum unicode_grapheme unicode_grapheme(uint32_t code_point)
{
    switch (utf8proc_get_property(known(code_point))->boundclass) {
    case UTF8PROC_BOUNDCLASS_CR:
        return UNICODE_GRAPHEME_CR;
    case UTF8PROC_BOUNDCLASS_LF:
        return UNICODE_GRAPHEME_LF;
    case UTF8PROC_BOUNDCLASS_CONTROL:
        return UNICODE_GRAPHEME_CONTROL;
    case UTF8PROC_BOUNDCLASS_EXTEND:
        return UNICODE_GRAPHEME_EXTEND;
    case UTF8PROC_BOUNDCLASS_ZWJ:
        return UNICODE_GRAPHEME_ZWJ;
    case UTF8PROC_BOUNDCLASS_SPACINGMARK:
        return UNICODE_GRAPHEME_SPACING_MARK;
    case UTF8PROC_BOUNDCLASS_PREPEND:
        return UNICODE_GRAPHEME_PREPEND;
    case UTF8PROC_BOUNDCLASS_L:
        return UNICODE_GRAPHEME_L;
    case UTF8PROC_BOUNDCLASS_V:
        return UNICODE_GRAPHEME_V;
    case UTF8PROC_BOUNDCLASS_T:
        return UNICODE_GRAPHEME_T;
    case UTF8PROC_BOUNDCLASS_LV:
        return UNICODE_GRAPHEME_LV;
    case UTF8PROC_BOUNDCLASS_LVT:
        return UNICODE_GRAPHEME_LVT;
    case UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR:
        return UNICODE_GRAPHEME_REGIONAL_INDICATOR;
    case UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC:
        return UNICODE_GRAPHEME_PICTOGRAPH;
    default:
        return UNICODE_GRAPHEME_OTHER;
    }
}

bool unicode_is_punctuation(uint32_t code_point)
{
    enum unicode_category category = unicode_category(code_point);
    return category >= UNICODE_CATEGORY_PC && category <= UNICODE_CATEGORY_PO;
}

bool unicode_is_white_space(uint32_t code_point)
{
    if (code_point < 0x80) {
        return code_point == ' ' || (code_point >= '\t' && code_point <= '\r');
    }
    enum unicode_category category = unicode_category(code_point);
    return code_point == 0x85 ||
           (category >= UNICODE_CATEGORY_ZS && category <= UNICODE_CATEGORY_ZP);
}

/* Other_Alphabetic beyond the marks: circled and squared Latin letters. */
static bool is_letter_like_symbol(uint32_t code_point)
{
    return (code_point >= 0x24B6 && code_point <= 0x24E9) ||
           (code_point >= 0x1F130 && code_point <= 0x1F149) ||
           (code_point >= 0x1F150 && code_point <= 0x1F169) ||
           (code_point >= 0x1F170 && code_point <= 0x1F189);
}

bool unicode_is_word(uint32_t code_point)
{
    enum unicode_category category = unicode_category(code_point);
    if (category >= UNICODE_CATEGORY_LU && category <= UNICODE_CATEGORY_NL) {
        return true;
    }
    bool is_join_control = code_point == 0x200C || code_point == 0x200D;
    return category == UNICODE_CATEGORY_PC || is_join_control || is_letter_like_symbol(code_point);
}

unsigned unicode_combining_class(uint32_t code_point)
{
    return (unsigned)utf8proc_get_property(known(code_point))->combining_class;
}

size_t unicode_lower(uint32_t code_point, uint32_t out[UNICODE_LOWER_MAX])
{
    if (code_point == 0x130) { /* I with dot above: SpecialCasing.txt */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = code_point <= 0x10FFFF ? (uint32_t)utf8proc_tolower(known(code_point)) : code_point;
    return 1;
}

size_t unicode_decompose(uint32_t code_point, uint32_t out[UNICODE_DECOMPOSED_MAX])
{
    utf8proc_int32_t parts[UNICODE_DECOMPOSED_MAX];
    int boundary = 0;
    utf8proc_ssize_t count = -1;
    if (code_point <= 0x10FFFF) {
        count = utf8proc_decompose_char(known(code_point), parts, UNICODE_DECOMPOSED_MAX,
                                        UTF8PROC_DECOMPOSE, &boundary);
    }
    if (count < 1 || count > UNICODE_DECOMPOSED_MAX) {
        out[0] = code_point;
        return 1;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        out[i] = (uint32_t)parts[i];
    }
    return (size_t)count;
}
