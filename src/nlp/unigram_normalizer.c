/* unigram_normalizer.c - see unigram_normalizer.h. Follows huggingface/tokenizers, normalizers/
 * {precompiled,strip,replace}.rs, for the components that Unigram classifiers come with.
 */
#include "nlp/unigram_normalizer.h"

#include "base/unicode.h"
#include "base/utf8.h"

#include <string.h>

/* A shorter text is not watched for places to cut it: no real map makes it longer than a segment.
 */
enum { SHORT_BYTES = UNIGRAM_NORMALIZER_SEGMENT_BYTES / 16 };

void unigram_normalizer_start(struct unigram_normalizer_scratch *scratch, const char *bytes,
                              size_t size)
{
    charsmap_start(&scratch->reader, bytes, size);
    scratch->began = false;
    scratch->is_torn = false;
    scratch->ends_torn = false;
    scratch->text = scratch->mapped;
    scratch->size = 0;
}

static bool is_ascii(char byte)
{
    return (unsigned char)byte < 0x80;
}

static bool is_graphic(char byte)
{
    return byte > ' ' && byte < 0x7F;
}

/* Whether the space at `at` stands between two ASCII words. */
static bool is_seam(const struct charsmap_reader *reader, const char *begin)
{
    const char *at = reader->at;
    return *at == ' ' && at > begin && is_graphic(at[-1]) && at + 1 < reader->end &&
           is_graphic(at[1]);
}

/* Copies ASCII that the map leaves alone, with `seams` only up to the next space. What comes before
 * something that is not ASCII may be part of a cluster and is left out. */
static size_t map_ascii(const struct charsmap *map, struct charsmap_reader *reader, bool seams,
                        char *out, size_t room)
{
    const char *at = reader->at;
    size_t left = (size_t)(reader->end - at);
    size_t size = 0;
    if (at < reader->cluster_end) {
        return 0;
    }
    room = room < left ? room : left;
    while (size < room && is_ascii(at[size]) && map->ascii_stays[(unsigned char)at[size]] &&
           (at + size + 1 == reader->end || is_ascii(at[size + 1]))) {
        out[size] = at[size];
        size++;
        if (seams && size < left && at[size] == ' ') {
            break;
        }
    }
    reader->at = at + size;
    return size;
}

/* Reads until the segment is full or the text ends. Returns whether it was cut anywhere. */
static bool map_segment(const struct charsmap *map, struct unigram_normalizer_scratch *scratch)
{
    struct charsmap_reader *reader = &scratch->reader;
    struct charsmap_reader seam = *reader;
    const char *begin = reader->at;
    size_t seam_size = 0;
    bool seams = reader->end - begin > SHORT_BYTES;
    scratch->size = 0;
    while (reader->at < reader->end && scratch->size < UNIGRAM_NORMALIZER_SEGMENT_BYTES) {
        if (seams && is_seam(reader, begin)) {
            seam = *reader;
            seam_size = scratch->size;
        }
        char *out = scratch->mapped + scratch->size;
        size_t size =
            map_ascii(map, reader, seams, out, UNIGRAM_NORMALIZER_SEGMENT_BYTES - scratch->size);
        scratch->size += size > 0 ? size : charsmap_next(map, reader, out);
    }
    if (reader->at == reader->end) {
        return false;
    }
    if (seam_size > 0) {
        *reader = seam;
        scratch->size = seam_size;
        return false;
    }
    return true;
}

static bool is_white_space_at(const char *bytes, size_t size, size_t *taken)
{
    uint32_t code_point;
    *taken = utf8_decode(bytes, size, &code_point, NULL);
    return unicode_is_white_space(code_point);
}

static void strip_left(struct unigram_normalizer_scratch *scratch)
{
    size_t taken;
    while (scratch->size > 0 && is_white_space_at(scratch->text, scratch->size, &taken)) {
        scratch->text += taken;
        scratch->size -= taken;
        scratch->lost_its_start = true;
    }
}

static void strip_right(struct unigram_normalizer_scratch *scratch)
{
    while (scratch->size > 0) {
        size_t start = scratch->size - 1;
        while (start > 0 && ((unsigned char)scratch->text[start] & 0xC0) == 0x80) {
            start--;
        }
        size_t taken;
        if (!is_white_space_at(scratch->text + start, scratch->size - start, &taken) ||
            taken != scratch->size - start) {
            return;
        }
        scratch->size = start;
    }
}

/* From mapped to collapsed, once. */
static void collapse(const struct unigram_normalizer_step *step,
                     struct unigram_normalizer_scratch *scratch)
{
    size_t out = 0;
    for (size_t at = 0; at < scratch->size;) {
        size_t spaces = 0;
        while (at + spaces < scratch->size && scratch->text[at + spaces] == ' ') {
            spaces++;
        }
        if (spaces < 2) {
            scratch->collapsed[out++] = scratch->text[at++];
            continue;
        }
        memcpy(scratch->collapsed + out, step->content, step->content_size);
        out += step->content_size;
        at += spaces;
    }
    scratch->text = scratch->collapsed;
    scratch->size = out;
}

bool unigram_normalizer_next(const struct unigram_normalizer *normalizer,
                             struct unigram_normalizer_scratch *scratch)
{
    bool is_first = !scratch->began;
    if (scratch->reader.at == scratch->reader.end) {
        return false;
    }
    scratch->is_torn = scratch->ends_torn;
    scratch->ends_torn = map_segment(&normalizer->map, scratch);
    bool is_last = scratch->reader.at == scratch->reader.end;
    scratch->began = true;
    scratch->lost_its_start = false;
    scratch->text = scratch->mapped;
    for (size_t i = 0; i < normalizer->step_count; i++) {
        const struct unigram_normalizer_step *step = &normalizer->steps[i];
        if (step->kind == UNIGRAM_NORMALIZER_KIND_COLLAPSE) {
            collapse(step, scratch);
            continue;
        }
        if (step->left && is_first) {
            strip_left(scratch);
        }
        if (step->right && is_last) {
            strip_right(scratch);
        }
    }
    return true;
}
