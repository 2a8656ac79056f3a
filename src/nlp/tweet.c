/* tweet.c - see tweet.h. Bytes, not characters: a space, "@" and "http" are ASCII. */
#include "nlp/tweet.h"

#include <string.h>

static bool add_word(struct buf *out, const char *word, size_t size)
{
    if (size > 1 && word[0] == '@') {
        return buf_append_string(out, "@user");
    }
    if (size >= 4 && memcmp(word, "http", 4) == 0) {
        return buf_append_string(out, "http");
    }
    return buf_append(out, word, size);
}

bool tweet_prepare(struct buf *out, const char *text, size_t size)
{
    buf_clear(out);
    for (size_t at = 0;;) {
        const char *space = at < size ? memchr(text + at, ' ', size - at) : NULL;
        size_t end = space ? (size_t)(space - text) : size;
        if (!add_word(out, text + at, end - at)) {
            return false;
        }
        if (!space) {
            return true;
        }
        if (!buf_append_char(out, ' ')) {
            return false;
        }
        at = end + 1;
    }
}
