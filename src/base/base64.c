/* base64.c - see base64.h. libsodium does the work; this file owns the sizes. Encoding is left out,
 * because nobody here encodes.
 */
#include "base/base64.h"

#include <sodium.h>
#include <stdlib.h>

bool base64_decode(const char *text, size_t size, unsigned char **bytes, size_t *bytes_size)
{
    size_t room = size / 4 * 3 + 3;
    const char *end = NULL;
    *bytes = malloc(room);
    *bytes_size = 0;
    if (*bytes &&
        sodium_base642bin(*bytes, room, text, size, NULL, bytes_size, &end,
                          sodium_base64_VARIANT_ORIGINAL) == 0 &&
        end == text + size) {
        return true;
    }
    free(*bytes);
    *bytes = NULL;
    *bytes_size = 0;
    return false;
}
