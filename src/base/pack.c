/* pack.c - see pack.h. */
#include "base/pack.h"

#include <string.h>

static void put(struct buf *out, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    (void)buf_append(out, bytes, size);
}

void pack_u8(struct buf *out, uint8_t value)
{
    put(out, value, 1);
}

void pack_u16(struct buf *out, uint16_t value)
{
    put(out, value, 2);
}

void pack_u32(struct buf *out, uint32_t value)
{
    put(out, value, 4);
}

void pack_u64(struct buf *out, uint64_t value)
{
    put(out, value, 8);
}

void pack_i64(struct buf *out, int64_t value)
{
    put(out, (uint64_t)value, 8);
}

void pack_text(struct buf *out, const char *text)
{
    size_t size = strlen(text);
    if (size > UINT16_MAX) {
        out->failed = true;
        return;
    }
    pack_u16(out, (uint16_t)size);
    (void)buf_append(out, text, size);
}

struct unpack unpack_from(const void *bytes, size_t size)
{
    return (struct unpack){.at = bytes, .left = size};
}

static uint64_t take(struct unpack *in, size_t size)
{
    uint64_t value = 0;
    if (in->left < size) {
        in->failed = true;
        in->left = 0;
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)in->at[i] << (8 * i);
    }
    in->at += size;
    in->left -= size;
    return value;
}

uint8_t unpack_u8(struct unpack *in)
{
    return (uint8_t)take(in, 1);
}

uint16_t unpack_u16(struct unpack *in)
{
    return (uint16_t)take(in, 2);
}

uint32_t unpack_u32(struct unpack *in)
{
    return (uint32_t)take(in, 4);
}

uint64_t unpack_u64(struct unpack *in)
{
    return take(in, 8);
}

int64_t unpack_i64(struct unpack *in)
{
    return (int64_t)take(in, 8);
}

bool unpack_bool(struct unpack *in)
{
    return unpack_upto(in, 1) == 1;
}

uint8_t unpack_upto(struct unpack *in, uint8_t max)
{
    uint8_t value = unpack_u8(in);
    if (value > max) {
        in->failed = true;
        return 0;
    }
    return value;
}

void unpack_text(struct unpack *in, char *out, size_t out_bytes)
{
    size_t size = unpack_u16(in);
    out[0] = '\0';
    if (in->failed || size > in->left || size >= out_bytes || memchr(in->at, '\0', size)) {
        in->failed = true;
        return;
    }
    memcpy(out, in->at, size);
    out[size] = '\0';
    in->at += size;
    in->left -= size;
}
