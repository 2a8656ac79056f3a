/* net/url.h - percent-encoding and a check of base addresses (RFC 3986). Pure. */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/* Appends `bytes` with everything outside the unreserved set percent-encoded. */
bool url_encode(struct buf *out, const char *bytes, size_t size);

/* Appends the decoded form; '+' becomes a space if plus_is_space (form data). False for a malformed
 * escape. */
bool url_decode(struct buf *out, const char *text, size_t size, bool plus_is_space);

/* A base address: absolute http or https, host present, no userinfo, query or fragment; trailing
 * slashes removed. Plain http only for a loopback host unless allow_plain. Writes it to out. The
 * error says which part is wrong. */
int url_check_base(const char *text, bool allow_plain, struct buf *out, struct error *err);

#endif
