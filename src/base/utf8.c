/* utf8.c - see utf8.h. */
#include "base/utf8.h"

static bool is_continuation(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

size_t utf8_decode(const char *bytes, size_t size, uint32_t *code_point, bool *valid)
{
    const unsigned char *s = (const unsigned char *)bytes;
    unsigned char first = s[0];
    size_t length = 0;
    unsigned char low = 0x80; /* bounds of the second byte: they exclude overlongs and surrogates */
    unsigned char high = 0xBF;
    uint32_t value = 0;

    if (first < 0x80) {
        *code_point = first;
        if (valid) {
            *valid = true;
        }
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
        value = first & 0x1Fu;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        value = first & 0x0Fu;
        low = first == 0xE0 ? 0xA0 : 0x80;
        high = first == 0xED ? 0x9F : 0xBF;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        value = first & 0x07u;
        low = first == 0xF0 ? 0x90 : 0x80;
        high = first == 0xF4 ? 0x8F : 0xBF;
    }
    size_t taken = 1;
    while (taken < length && taken < size && is_continuation(s[taken], low, high)) {
        value = (value << 6) | (s[taken] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
        taken++;
    }
    bool ok = length > 0 && taken == length;
    *code_point = ok ? value : (uint32_t)UTF8_REPLACEMENT;
    if (valid) {
        *valid = ok;
    }
    return taken;
}

size_t utf8_encode(uint32_t code_point, char out[UTF8_BYTES_MAX])
{
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
        code_point = UTF8_REPLACEMENT;
    }
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | (code_point >> 6));
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | (code_point >> 12));
        out[1] = (char)(0x80 | ((code_point >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code_point >> 18));
    out[1] = (char)(0x80 | ((code_point >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code_point >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

bool utf8_is_valid(const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        bool ok;
        at += utf8_decode(bytes + at, size - at, &code_point, &ok);
        if (!ok) {
            return false;
        }
    }
    return true;
}
