/* buf.h - a growable byte buffer that cannot be made without its maximum.
 *
 * Invariants: bytes[0..size) is the content, and when size > 0 or after a successful append
 * bytes[size] is NUL, so that text can be handed on as a C string. An append that would pass the
 * limit, or that finds no memory, changes nothing but sets `failed`, which stays set until
 * buf_clear: a writer may append many times and check once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *bytes; /* owned; NULL until the first append */
    size_t size;
    size_t capacity;
    size_t limit; /* content bytes never exceed this */
    bool failed;
};

/* An empty buffer for at most `limit` content bytes; allocates nothing yet. */
void buf_init(struct buf *buf, size_t limit);

/* Frees the content. Accepts a zeroed buffer; the buffer may be used again. */
void buf_done(struct buf *buf);

/* Empties the buffer, keeps its memory, forgets a failure. */
void buf_clear(struct buf *buf);

/* Each returns false, and sets `failed`, at the limit or without memory. */
bool buf_append(struct buf *buf, const void *bytes, size_t size);
bool buf_append_string(struct buf *buf, const char *string);
bool buf_append_char(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Makes room for `size` more bytes. */
bool buf_reserve(struct buf *buf, size_t size);

/* The content as a C string; "" when empty. Borrowed until the next change. */
const char *buf_string(const struct buf *buf);

/* Drops the first `size` bytes; `size` must not exceed the content. */
void buf_consume(struct buf *buf, size_t size);

#endif
