/* headers.c - see headers.h. */
#include "cxone/headers.h"

#include "base/keyhash.h"

#include <stddef.h>

const char *headers_new_correlation(char out[HEADERS_CORRELATION_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[HEADERS_CORRELATION_BYTES / 2];
    keyhash_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * sizeof bytes] = '\0';
    return out;
}

bool headers_value_is_safe(const char *value)
{
    for (const char *c = value; *c; c++) {
        if (*c <= ' ' || *c > '~') {
            return false;
        }
    }
    return value[0] != '\0';
}
