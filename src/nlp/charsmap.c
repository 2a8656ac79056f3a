/* charsmap.c - see charsmap.h. Follows huggingface/tokenizers, normalizers/precompiled.rs: a
 * grapheme cluster under 6 bytes is looked up as one, and where its first bytes are mapped the rest
 * of it vanishes; longer ones, and those not mapped, go code point by code point. sentencepiece
 * itself takes the longest match instead; we agree with what checkpoints were fine-tuned with.
 */
#include "nlp/charsmap.h"

#include "base/utf8.h"
#include "nlp/graphemes.h"

#include <stdlib.h>
#include <string.h>

void charsmap_init(struct charsmap *map)
{
    *map = (struct charsmap){0};
    memset(map->ascii_stays, true, sizeof map->ascii_stays);
}

void charsmap_done(struct charsmap *map)
{
    if (!map->is_mapped) {
        free(map->units);
        free(map->replacements);
    }
    charsmap_init(map);
}

static uint32_t read_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Whether every replacement ends, within the maximum. */
static bool are_bounded(const unsigned char *bytes, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        length = bytes[i] == 0 ? 0 : length + 1;
        if (length > CHARSMAP_REPLACEMENT_MAX) {
            return false;
        }
    }
    return true;
}

static void fill_ascii(struct charsmap *map)
{
    for (unsigned c = 0; c < 128; c++) {
        char byte = (char)c;
        size_t size;
        map->ascii_stays[c] = c != '\r' && !charsmap_find(map, &byte, 1, &size);
    }
}

enum charsmap_read charsmap_read(struct charsmap *map, const unsigned char *bytes, size_t size)
{
    if (size < 4 || size > CHARSMAP_BYTES_MAX) {
        return CHARSMAP_READ_MALFORMED;
    }
    size_t count = read_u32(bytes) / 4;
    if (count == 0 || count > (size - 4) / 4) {
        return CHARSMAP_READ_MALFORMED;
    }
    const unsigned char *text = bytes + 4 + count * 4;
    size_t text_size = size - 4 - count * 4;
    if (!are_bounded(text, text_size)) {
        return CHARSMAP_READ_MALFORMED;
    }
    uint32_t *units = malloc(count * sizeof *units);
    char *replacements = malloc(text_size + 1);
    if (!units || !replacements) {
        free(units);
        free(replacements);
        return CHARSMAP_READ_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        units[i] = read_u32(bytes + 4 + i * 4);
    }
    memcpy(replacements, text, text_size);
    replacements[text_size] = '\0';
    charsmap_done(map);
    map->units = units;
    map->unit_count = count;
    map->replacements = replacements;
    map->replacements_size = text_size;
    fill_ascii(map);
    return CHARSMAP_READ;
}

void charsmap_pack(struct charsmap *map, struct packed *packed)
{
    packed_size(packed, &map->unit_count, CHARSMAP_BYTES_MAX / 4);
    packed_size(packed, &map->replacements_size, CHARSMAP_BYTES_MAX);
    if (map->unit_count == 0 || packed_failed(packed)) {
        return;
    }
    map->units = packed_array(packed, map->units, map->unit_count * sizeof *map->units);
    map->replacements = packed_array(packed, map->replacements, map->replacements_size + 1);
    if (!packed_writes(packed)) {
        map->is_mapped = true;
        if (packed_failed(packed)) {
            return;
        }
        const unsigned char *text = (const unsigned char *)map->replacements;
        if (text[map->replacements_size] != '\0' || !are_bounded(text, map->replacements_size)) {
            packed_fail(packed, "holds a map of characters that does not end");
            return;
        }
        fill_ascii(map);
    }
}

/* How far away a unit's children are. */
static uint32_t unit_offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & 1u << 9) >> 6);
}

const char *charsmap_find(const struct charsmap *map, const char *bytes, size_t size,
                          size_t *replaced_size)
{
    if (!map->units) {
        return NULL;
    }
    size_t at = unit_offset(map->units[0]);
    for (size_t i = 0; i < size && bytes[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        at ^= byte;
        if (at >= map->unit_count || (map->units[at] & (1u << 31 | 0xFF)) != byte) {
            return NULL;
        }
        uint32_t unit = map->units[at];
        at ^= unit_offset(unit);
        if (!(unit >> 8 & 1)) {
            continue;
        }
        size_t start = at < map->unit_count ? map->units[at] & ((1u << 31) - 1) : SIZE_MAX;
        if (start > map->replacements_size) {
            return NULL;
        }
        *replaced_size = strlen(map->replacements + start);
        return map->replacements + start;
    }
    return NULL;
}

void charsmap_start(struct charsmap_reader *reader, const char *bytes, size_t size)
{
    *reader = (struct charsmap_reader){
        .at = bytes, .end = size > 0 ? bytes + size : bytes, .cluster_end = bytes};
}

/* Writes what is mapped to bytes[0..size), or with `keep` those bytes themselves. *done tells
 * whether something was written, if only an empty replacement. */
static size_t write_mapped(const struct charsmap *map, const char *bytes, size_t size, bool keep,
                           char *out, bool *done)
{
    size_t replaced_size = size;
    const char *replacement = charsmap_find(map, bytes, size, &replaced_size);
    *done = replacement || keep;
    if (!*done) {
        return 0;
    }
    memcpy(out, replacement ? replacement : bytes, replaced_size);
    return replaced_size;
}

/* Encodes the grapheme cluster at the reader, as far as CHARSMAP_CLUSTER_MAX bytes go; returns its
 * size, or more than the maximum, and where it ends (or was left) in *end. */
static size_t read_cluster(const struct charsmap_reader *reader, char *out, const char **end)
{
    struct graphemes cluster;
    uint32_t code_point;
    const char *at = reader->at;
    at += utf8_decode(at, (size_t)(reader->end - at), &code_point, NULL);
    graphemes_start(&cluster, code_point);
    size_t size = utf8_encode(code_point, out);
    while (at < reader->end && size <= CHARSMAP_CLUSTER_MAX) {
        size_t taken = utf8_decode(at, (size_t)(reader->end - at), &code_point, NULL);
        if (!graphemes_join(&cluster, code_point)) {
            break;
        }
        size += utf8_encode(code_point, out + size);
        at += taken;
    }
    *end = at;
    return size;
}

/* Where the cluster that begins at the reader ends. */
static const char *find_cluster_end(const struct charsmap_reader *reader)
{
    struct graphemes cluster;
    uint32_t code_point;
    const char *at = reader->at;
    at += utf8_decode(at, (size_t)(reader->end - at), &code_point, NULL);
    graphemes_start(&cluster, code_point);
    while (at < reader->end) {
        size_t taken = utf8_decode(at, (size_t)(reader->end - at), &code_point, NULL);
        if (!graphemes_join(&cluster, code_point)) {
            break;
        }
        at += taken;
    }
    return at;
}

size_t charsmap_next(const struct charsmap *map, struct charsmap_reader *reader,
                     char out[CHARSMAP_OUT_MAX])
{
    bool done;
    if (reader->at >= reader->cluster_end) {
        char bytes[CHARSMAP_CLUSTER_MAX + UTF8_BYTES_MAX];
        const char *end;
        size_t size = read_cluster(reader, bytes, &end);
        if (size <= CHARSMAP_CLUSTER_MAX) {
            size_t written = write_mapped(map, bytes, size, false, out, &done);
            if (done) {
                reader->at = end;
                return written;
            }
            reader->cluster_end = end;
        } else {
            reader->cluster_end = find_cluster_end(reader);
        }
    }
    char bytes[UTF8_BYTES_MAX];
    uint32_t code_point;
    reader->at += utf8_decode(reader->at, (size_t)(reader->end - reader->at), &code_point, NULL);
    return write_mapped(map, bytes, utf8_encode(code_point, bytes), true, out, &done);
}
