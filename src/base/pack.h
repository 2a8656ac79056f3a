/* pack.h - numbers to bytes and back, for what is kept in files: little-endian, of fixed width, the
 * same on every machine.
 *
 * A writer appends to a buf and checks buf->failed once at the end. A reader never goes past its
 * end: a read that would gives 0 and sets `failed`, which stays set, so a whole record can be read
 * and judged once.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void pack_u8(struct buf *out, uint8_t value);
void pack_u16(struct buf *out, uint16_t value);
void pack_u32(struct buf *out, uint32_t value);
void pack_u64(struct buf *out, uint64_t value);
void pack_i64(struct buf *out, int64_t value);

/* Its length in 16 bits, then the bytes; a longer one fails. */
void pack_text(struct buf *out, const char *text);

struct unpack {
    const unsigned char *at;
    size_t left;
    bool failed;
};

struct unpack unpack_from(const void *bytes, size_t size);
uint8_t unpack_u8(struct unpack *in);
uint16_t unpack_u16(struct unpack *in);
uint32_t unpack_u32(struct unpack *in);
uint64_t unpack_u64(struct unpack *in);
int64_t unpack_i64(struct unpack *in);

/* 0 or 1; anything else fails. */
bool unpack_bool(struct unpack *in);

/* One byte, a number from 0 to max; a larger one fails. */
uint8_t unpack_upto(struct unpack *in, uint8_t max);

/* Copies a text that fits with its NUL and holds none; else fails and gives "". */
void unpack_text(struct unpack *in, char *out, size_t out_bytes);

#endif
