/* language.c - see language.h. No registry of subtags: what looks like a tag is one. */
#include "base/language.h"

#include <string.h>
#include <strings.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alphanumeric(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* Bytes of the first subtag. */
static size_t first_bytes(const char *tag)
{
    return strcspn(tag, "-");
}

/* Two or three letters, then subtags of one to eight letters and digits. */
static bool is_tag(const char *tag)
{
    size_t bytes = first_bytes(tag);
    for (size_t i = 0; i < bytes; i++) {
        if (!is_letter(tag[i])) {
            return false;
        }
    }
    if (bytes < 2 || bytes > 3) {
        return false;
    }
    for (const char *at = tag + bytes; *at; at += bytes) {
        at++;
        for (bytes = 0; is_alphanumeric(at[bytes]); bytes++) {
        }
        if (bytes < 1 || bytes > 8 || (at[bytes] != '-' && at[bytes] != '\0')) {
            return false;
        }
    }
    return true;
}

/* ISO 639-2: undetermined, several, none, uncoded. */
static bool names_none(const char *tag)
{
    static const char *const none[] = {"und", "mul", "zxx", "mis"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        if (strncasecmp(tag, none[i], 3) == 0 && first_bytes(tag) == 3) {
            return true;
        }
    }
    return false;
}

bool language_read(const char *text, char out[LANGUAGE_BYTES])
{
    size_t bytes = strnlen(text, LANGUAGE_BYTES);
    out[0] = '\0';
    if (bytes == LANGUAGE_BYTES) {
        return false;
    }
    memcpy(out, text, bytes + 1);
    for (char *at = out; *at; at++) {
        *at = *at == '_' ? '-' : *at;
    }
    if (!is_tag(out) || names_none(out)) {
        out[0] = '\0';
        return false;
    }
    return true;
}

bool language_set_add(struct language_set *set, const char *text)
{
    if (strcmp(text, "multi") == 0) {
        set->all = true;
        return true;
    }
    if (set->count == LANGUAGE_SET_MAX || !language_read(text, set->tags[set->count])) {
        return false;
    }
    set->count++;
    return true;
}

static bool is_same(const char *one, const char *other)
{
    size_t bytes = first_bytes(one);
    return bytes == first_bytes(other) && strncasecmp(one, other, bytes) == 0;
}

bool language_set_knows(const struct language_set *set, const char *tag)
{
    if (set->all || set->count == 0 || !*tag) {
        return true;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (is_same(set->tags[i], tag)) {
            return true;
        }
    }
    return false;
}

bool language_is(const struct language_set *set, const char *language, const char *tag)
{
    if (*language) {
        return is_same(language, tag);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (!is_same(set->tags[i], tag)) {
            return false;
        }
    }
    return !set->all && set->count > 0;
}
