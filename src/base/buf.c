/* buf.c - see buf.h. Growth doubles, so a long series of appends costs linear time. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void buf_done(struct buf *buf)
{
    free(buf->bytes);
    buf_init(buf, buf->limit);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failed = false;
    if (buf->bytes) {
        buf->bytes[0] = '\0';
    }
}

bool buf_reserve(struct buf *buf, size_t size)
{
    if (size > buf->limit || buf->size > buf->limit - size || buf->limit == (size_t)-1) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->size + size + 1;
    if (needed <= buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < needed) {
        capacity = capacity > needed / 2 ? needed : capacity * 2;
    }
    char *bytes = realloc(buf->bytes, capacity);
    if (!bytes) {
        buf->failed = true;
        return false;
    }
    buf->bytes = bytes;
    buf->capacity = capacity;
    return true;
}

bool buf_append(struct buf *buf, const void *bytes, size_t size)
{
    if (!buf_reserve(buf, size)) {
        return false;
    }
    if (size > 0) {
        memcpy(buf->bytes + buf->size, bytes, size);
    }
    buf->size += size;
    buf->bytes[buf->size] = '\0';
    return true;
}

bool buf_append_string(struct buf *buf, const char *string)
{
    return buf_append(buf, string, strlen(string));
}

bool buf_append_char(struct buf *buf, char c)
{
    return buf_append(buf, &c, 1);
}

bool buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    bool ok = size >= 0 && buf_reserve(buf, (size_t)size);
    if (ok) {
        (void)vsnprintf(buf->bytes + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    } else {
        buf->failed = true;
    }
    va_end(again);
    return ok;
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool ok = buf_vprintf(buf, format, args);
    va_end(args);
    return ok;
}

const char *buf_string(const struct buf *buf)
{
    return buf->size > 0 ? buf->bytes : "";
}

void buf_consume(struct buf *buf, size_t size)
{
    if (size == 0) {
        return;
    }
    memmove(buf->bytes, buf->bytes + size, buf->size - size);
    buf->size -= size;
    buf->bytes[buf->size] = '\0';
}
