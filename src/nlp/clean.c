/* clean.c - see clean.h. One pass over the code points, no state beyond the last one written.
 *
 * A tag is only what has the whole shape of one, so that a customer's own brackets and comparisons
 * stay. What a tag leaves behind is white space: "yes[noise]no" is two words. A zero-width joiner
 * is kept between two symbols, where it makes one emoji of them, and removed everywhere else.
 */
#include "nlp/clean.h"

#include "base/unicode.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

enum { TAG_CHARS_MAX = 40, ZERO_WIDTH_JOINER = 0x200D, VARIATION_SELECTOR_16 = 0xFE0F };

struct cleaner {
    char *out;
    size_t size;
    uint32_t before; /* the code point last written, or space */
    bool space_waits;
};

/* Control and format characters, but for those that are white space. */
static bool is_removed(uint32_t code_point)
{
    if (code_point >= 0x20 && code_point < 0x7F) {
        return false;
    }
    enum unicode_category category = unicode_category(code_point);
    return (category == UNICODE_CATEGORY_CC || category == UNICODE_CATEGORY_CF) &&
           !unicode_is_white_space(code_point);
}

static bool is_letter(uint32_t code_point)
{
    enum unicode_category category = unicode_category(code_point);
    return category >= UNICODE_CATEGORY_LU && category <= UNICODE_CATEGORY_LO;
}

static bool is_tag_char(uint32_t code_point, char open)
{
    enum unicode_category category = unicode_category(code_point);
    bool is_mark = category >= UNICODE_CATEGORY_MN && category <= UNICODE_CATEGORY_ME;
    return is_letter(code_point) || is_mark || category == UNICODE_CATEGORY_ND ||
           code_point == '_' || code_point == '-' ||
           (open == '[' && (code_point == ' ' || code_point == ':'));
}

/* The size of the tag at bytes: [letter ...] or <letter...> or </letter...>. 0 when it is none. */
static size_t tag_size(const char *bytes, size_t size)
{
    char open = bytes[0];
    uint32_t close = open == '[' ? ']' : '>';
    size_t at = open == '<' && size > 1 && bytes[1] == '/' ? 2 : 1;
    for (size_t chars = 0; at < size;) {
        uint32_t code_point;
        at += utf8_decode(bytes + at, size - at, &code_point, NULL);
        if (is_removed(code_point)) {
            continue;
        }
        if (code_point == close) {
            return chars > 0 ? at : 0;
        }
        bool fits = chars == 0 ? is_letter(code_point) : is_tag_char(code_point, open);
        if (!fits || ++chars > TAG_CHARS_MAX) {
            return 0;
        }
    }
    return 0;
}

/* The size of a run of "~" at bytes that ends a cut-off word; 0 when it is none. */
static size_t cut_off_size(uint32_t before, const char *bytes, size_t size)
{
    if (!unicode_is_word(before)) {
        return 0;
    }
    size_t run = 1;
    uint32_t after = ' ';
    while (run < size && bytes[run] == '~') {
        run++;
    }
    if (run < size) {
        (void)utf8_decode(bytes + run, size - run, &after, NULL);
    }
    return unicode_is_word(after) ? 0 : run;
}

static bool is_emoji_part(uint32_t code_point)
{
    enum unicode_category category = unicode_category(code_point);
    return category == UNICODE_CATEGORY_SO || code_point == VARIATION_SELECTOR_16 ||
           (code_point >= 0x1F3FB && code_point <= 0x1F3FF);
}

static bool joins_emoji(uint32_t before, const char *bytes, size_t size)
{
    if (size == 0 || !is_emoji_part(before)) {
        return false;
    }
    uint32_t after;
    (void)utf8_decode(bytes, size, &after, NULL);
    return unicode_category(after) == UNICODE_CATEGORY_SO;
}

static void write_char(struct cleaner *cleaner, uint32_t code_point)
{
    if (cleaner->space_waits && cleaner->size > 0) {
        cleaner->out[cleaner->size++] = ' ';
    }
    cleaner->space_waits = false;
    cleaner->before = code_point;
    cleaner->size += utf8_encode(code_point, cleaner->out + cleaner->size);
}

static void write_space(struct cleaner *cleaner)
{
    cleaner->space_waits = true;
    cleaner->before = ' ';
}

size_t clean_text(const char *bytes, size_t size, char *out)
{
    struct cleaner cleaner = {.out = out, .before = ' '};
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        size_t skipped = 0;
        size_t taken = utf8_decode(bytes + at, size - at, &code_point, NULL);
        if (code_point == '[' || code_point == '<') {
            skipped = tag_size(bytes + at, size - at);
        }
        if (skipped > 0 || unicode_is_white_space(code_point)) {
            write_space(&cleaner);
        } else if (code_point == '~') {
            skipped = cut_off_size(cleaner.before, bytes + at, size - at);
            if (skipped == 0) {
                write_char(&cleaner, code_point);
            }
        } else if (!is_removed(code_point) ||
                   (code_point == ZERO_WIDTH_JOINER &&
                    joins_emoji(cleaner.before, bytes + at + taken, size - at - taken))) {
            write_char(&cleaner, code_point);
        }
        at += skipped > 0 ? skipped : taken;
    }
    return cleaner.size;
}
