/* url.c - see url.h. The base address is taken apart by hand rather than by the HTTP library, so
 * that a person is told which part of it is wrong. Internationalised names must come in their
 * ASCII ("xn--") form.
 */
#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { URL_BASE_BYTES_MAX = 2048, URL_HOST_BYTES_MAX = 255 };

struct url_span {
    const char *bytes;
    size_t size;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The value of the escape at text[0..size), "%2F", or -1. */
static int escape_value(const char *text, size_t size)
{
    if (size < 3 || text[0] != '%' || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) {
        return -1;
    }
    return hex_value(text[1]) * 16 + hex_value(text[2]);
}

bool url_encode(struct buf *out, const char *bytes, size_t size)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (is_unreserved(bytes[i])) {
            (void)buf_append_char(out, bytes[i]);
        } else {
            const char escape[3] = {'%', HEX[byte >> 4], HEX[byte & 15]};
            (void)buf_append(out, escape, sizeof escape);
        }
    }
    return !out->failed;
}

bool url_decode(struct buf *out, const char *text, size_t size, bool plus_is_space)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            int value = escape_value(text + i, size - i);
            if (value < 0) {
                return false;
            }
            c = (char)value;
            i += 2;
        }
        (void)buf_append_char(out, c);
    }
    return !out->failed;
}

/* localhost and its subdomains (RFC 6761), 127.0.0.0/8 and ::1; brackets already removed. */
static bool is_loopback(const char *host)
{
    size_t size = strlen(host);
    static const char NAME[] = "localhost";
    size_t name_size = sizeof NAME - 1;
    if (size >= name_size && strcasecmp(host + size - name_size, NAME) == 0 &&
        (size == name_size || host[size - name_size - 1] == '.')) {
        return true;
    }
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1) {
        return address[0] == 127;
    }
    static const unsigned char IPV6_LOOPBACK[16] = {[15] = 1};
    return inet_pton(AF_INET6, host, address) == 1 &&
           memcmp(address, IPV6_LOOPBACK, sizeof address) == 0;
}

/* Splits off an IPv6 literal in brackets, or a name or IPv4 address, as a lower-case string. */
static int read_host(struct url_span *rest, char host[URL_HOST_BYTES_MAX + 1], bool *bracketed,
                     struct error *err)
{
    *bracketed = rest->size > 0 && rest->bytes[0] == '[';
    const char *start = rest->bytes + (*bracketed ? 1 : 0);
    const char *limit = rest->bytes + rest->size;
    const char *end = start;
    while (end < limit && (*bracketed ? *end != ']' : *end != ':')) {
        bool fits = *bracketed ? hex_value(*end) >= 0 || *end == ':' || *end == '.'
                               : is_unreserved(*end) && *end != '~';
        if (!fits) {
            return error_set(err, ERROR_CONFIG, "the host holds a character that is not allowed");
        }
        end++;
    }
    size_t size = (size_t)(end - start);
    if (size == 0 || size > URL_HOST_BYTES_MAX || (*bracketed && end == limit)) {
        return error_set(err, ERROR_CONFIG, "the host is missing, too long or not closed by \"]\"");
    }
    for (size_t i = 0; i < size; i++) {
        host[i] = (char)(start[i] >= 'A' && start[i] <= 'Z' ? start[i] + ('a' - 'A') : start[i]);
    }
    host[size] = '\0';
    unsigned char address[16];
    if (*bracketed && inet_pton(AF_INET6, host, address) != 1) {
        return error_set(err, ERROR_CONFIG, "the host in brackets is no IPv6 address");
    }
    end += *bracketed ? 1 : 0;
    *rest = (struct url_span){end, (size_t)(limit - end)};
    return 0;
}

/* "" or ":1" to ":65535"; 0 stands for none. */
static int read_port(struct url_span rest, unsigned *port, struct error *err)
{
    *port = 0;
    if (rest.size == 0) {
        return 0;
    }
    bool ok = rest.bytes[0] == ':' && rest.size >= 2 && rest.size <= 6;
    for (size_t i = 1; ok && i < rest.size; i++) {
        ok = is_digit(rest.bytes[i]);
        *port = *port * 10 + (unsigned)(rest.bytes[i] - '0');
    }
    if (!ok || *port == 0 || *port > 65535) {
        return error_set(err, ERROR_CONFIG, "the port must be a number from 1 to 65535");
    }
    return 0;
}

static int check_path(struct url_span path, struct error *err)
{
    for (size_t i = 0; i < path.size; i++) {
        char c = path.bytes[i];
        if (c == '%' && escape_value(path.bytes + i, path.size - i) < 0) {
            return error_set(err, ERROR_CONFIG, "the path holds a \"%%\" that starts no escape");
        }
        if (!is_unreserved(c) && !strchr("/%!$&'()*+,;=:@", c)) {
            return error_set(err, ERROR_CONFIG,
                             "the path holds a character that must be percent-encoded");
        }
    }
    return 0;
}

/* Takes the scheme off, and cuts the rest into authority and path. */
static int split_base(const char *text, bool *secure, struct url_span *authority,
                      struct url_span *path, struct error *err)
{
    *secure = strncasecmp(text, "https://", 8) == 0;
    if (!*secure && strncasecmp(text, "http://", 7) != 0) {
        return error_set(err, ERROR_CONFIG, "the address must start with https:// or http://");
    }
    const char *start = text + (*secure ? 8 : 7);
    if (strpbrk(start, "?#")) {
        return error_set(err, ERROR_CONFIG,
                         "the address must not hold a query (\"?\") or a fragment (\"#\")");
    }
    size_t size = strcspn(start, "/");
    if (memchr(start, '@', size)) {
        return error_set(err, ERROR_CONFIG,
                         "the address must not hold a user name or password (\"@\")");
    }
    *authority = (struct url_span){start, size};
    *path = (struct url_span){start + size, strlen(start + size)};
    while (path->size > 0 && path->bytes[path->size - 1] == '/') {
        path->size--;
    }
    return 0;
}

int url_check_base(const char *text, bool allow_plain, struct buf *out, struct error *err)
{
    char host[URL_HOST_BYTES_MAX + 1];
    struct url_span rest = {0}, path = {0};
    bool secure = false, bracketed = false;
    unsigned port = 0;
    if (strnlen(text, URL_BASE_BYTES_MAX + 1) > URL_BASE_BYTES_MAX) {
        return error_set(err, ERROR_CONFIG, "the address is longer than %d bytes",
                         URL_BASE_BYTES_MAX);
    }
    int rc = split_base(text, &secure, &rest, &path, err);
    rc = rc ? rc : read_host(&rest, host, &bracketed, err);
    rc = rc ? rc : read_port(rest, &port, err);
    rc = rc ? rc : check_path(path, err);
    if (rc) {
        return rc;
    }
    if (!secure && !allow_plain && !is_loopback(host)) {
        return error_set(err, ERROR_CONFIG,
                         "plain http is only accepted for a loopback host; use https");
    }
    (void)buf_append_string(out, secure ? "https://" : "http://");
    (void)buf_printf(out, bracketed ? "[%s]" : "%s", host);
    if (port) {
        (void)buf_printf(out, ":%u", port);
    }
    (void)buf_append(out, path.bytes, path.size);
    return out->failed ? error_set(err, ERROR_MEMORY, "no memory for the address") : 0;
}
