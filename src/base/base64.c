/* base64.c - see base64.h. libsodium does the work; this file owns the sizes. */
#include "base/base64.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

static bool decode(const char *text, size_t size, int variant, unsigned char **bytes,
                   size_t *bytes_size)
{
    size_t room = size / 4 * 3 + 3;
    const char *end = NULL;
    *bytes = malloc(room);
    *bytes_size = 0;
    if (*bytes &&
        sodium_base642bin(*bytes, room, text, size, NULL, bytes_size, &end, variant) == 0 &&
        end == text + size) {
        return true;
    }
    free(*bytes);
    *bytes = NULL;
    *bytes_size = 0;
    return false;
}

bool base64_decode(const char *text, size_t size, unsigned char **bytes, size_t *bytes_size)
{
    return decode(text, size, sodium_base64_VARIANT_ORIGINAL, bytes, bytes_size);
}

bool base64_decode_url(const char *text, size_t size, unsigned char **bytes, size_t *bytes_size)
{
    return decode(text, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING, bytes, bytes_size);
}

bool base64_encode(struct buf *out, const void *bytes, size_t size)
{
    if (size > SIZE_MAX / 2) {
        out->failed = true;
        return false;
    }
    size_t room = (size + 2) / 3 * 4;
    if (!buf_reserve(out, room)) {
        return false;
    }
    /* A reserved buf has a byte more, for the NUL that libsodium writes too. */
    (void)sodium_bin2base64(out->bytes + out->size, room + 1, bytes, size,
                            sodium_base64_VARIANT_ORIGINAL);
    out->size += room;
    return true;
}
