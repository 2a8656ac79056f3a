/* zip.c - see zip.h. Reads from the end, as the format wants: the end record, the central directory
 * it points to, and each entry's local header, which alone says where data begins. The directory's
 * sizes are the ones that count. Checksums are not verified: whoever can change the data can change
 * them too, and reading all of it would double the time to the first answer. */
#include "nlp/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HINT_DAMAGED "the file is damaged: download it again"

enum {
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    COMMENT_BYTES_MAX = 65535,
    FLAG_ENCRYPTED = 1,
    EXTRA_ZIP64 = 1,
};

static const uint32_t LOCAL_MARK = 0x04034B50;
static const uint32_t CENTRAL_MARK = 0x02014B50;
static const uint32_t END_MARK = 0x06054B50;
static const uint32_t END64_MARK = 0x06064B50;
static const uint32_t LOCATOR_MARK = 0x07064B50;
static const uint32_t IN_ZIP64 = 0xFFFFFFFF; /* the true value is in a ZIP64 field */

struct archive {
    const unsigned char *bytes;
    size_t size;
    const char *path;
    struct error *err;
};

struct directory {
    uint64_t offset;
    uint64_t size;
    uint64_t count;
};

static uint64_t number_at(const unsigned char *at, size_t bytes)
{
    uint64_t number = 0;
    while (bytes-- > 0) {
        number = number << 8 | at[bytes];
    }
    return number;
}

static uint32_t mark_at(const unsigned char *at)
{
    return (uint32_t)number_at(at, 4);
}

static int fail(const struct archive *archive, const char *what)
{
    return error_set(archive->err, ERROR_FORMAT, "%s: %s; " HINT_DAMAGED, archive->path, what);
}

bool zip_is_zip(const unsigned char *bytes, size_t size)
{
    return size >= LOCAL_BYTES && mark_at(bytes) == LOCAL_MARK;
}

/* The end record: the last place whose comment reaches exactly to the end of the file. */
static const unsigned char *find_end(const struct archive *archive)
{
    size_t comment_max = archive->size < END_BYTES ? 0 : archive->size - END_BYTES;
    comment_max = comment_max < COMMENT_BYTES_MAX ? comment_max : COMMENT_BYTES_MAX;
    for (size_t comment = 0; archive->size >= END_BYTES && comment <= comment_max; comment++) {
        const unsigned char *at = archive->bytes + archive->size - END_BYTES - comment;
        if (mark_at(at) == END_MARK && number_at(at + 20, 2) == comment) {
            return at;
        }
    }
    return NULL;
}

static int find_directory(const struct archive *archive, struct directory *directory)
{
    const unsigned char *end = find_end(archive);
    if (!end) {
        return fail(archive, "a zip archive without its end");
    }
    *directory = (struct directory){.count = number_at(end + 10, 2),
                                    .size = number_at(end + 12, 4),
                                    .offset = number_at(end + 16, 4)};
    size_t end_at = (size_t)(end - archive->bytes);
    const unsigned char *locator = end - LOCATOR_BYTES;
    if (end_at >= LOCATOR_BYTES && mark_at(locator) == LOCATOR_MARK) {
        uint64_t end64_at = number_at(locator + 8, 8);
        if (archive->size < END64_BYTES || end64_at > archive->size - END64_BYTES ||
            mark_at(archive->bytes + end64_at) != END64_MARK) {
            return fail(archive, "a zip archive with a wrong ZIP64 end");
        }
        const unsigned char *end64 = archive->bytes + end64_at;
        *directory = (struct directory){.count = number_at(end64 + 32, 8),
                                        .size = number_at(end64 + 40, 8),
                                        .offset = number_at(end64 + 48, 8)};
    }
    if (directory->offset > end_at || directory->size > end_at - directory->offset ||
        directory->count > ZIP_ENTRIES_MAX) {
        return fail(archive, "a zip archive whose directory lies outside it");
    }
    return 0;
}

/* Takes the values that did not fit into 32 bits from the ZIP64 field, in the format's order. */
static bool read_zip64(const unsigned char *extra, size_t size, uint64_t *values[], size_t count)
{
    while (size >= 4) {
        size_t field_bytes = (size_t)number_at(extra + 2, 2);
        if (field_bytes > size - 4) {
            return false;
        }
        if (number_at(extra, 2) == EXTRA_ZIP64) {
            const unsigned char *at = extra + 4;
            for (size_t i = 0; i < count; i++) {
                if (*values[i] != IN_ZIP64) {
                    continue;
                }
                if (field_bytes < 8) {
                    return false;
                }
                *values[i] = number_at(at, 8);
                at += 8;
                field_bytes -= 8;
            }
            return true;
        }
        extra += 4 + field_bytes;
        size -= 4 + field_bytes;
    }
    return true;
}

/* Reads one directory entry of which `left` bytes remain; *used is what it takes. */
static int read_entry(const struct archive *archive, const unsigned char *at, size_t left,
                      struct zip_entry *entry, size_t *used)
{
    if (left < CENTRAL_BYTES || mark_at(at) != CENTRAL_MARK) {
        return fail(archive, "a zip directory that ends early");
    }
    size_t name_bytes = (size_t)number_at(at + 28, 2);
    size_t extra_bytes = (size_t)number_at(at + 30, 2);
    size_t comment_bytes = (size_t)number_at(at + 32, 2);
    *used = CENTRAL_BYTES + name_bytes + extra_bytes + comment_bytes;
    if (*used > left) {
        return fail(archive, "a zip directory that ends early");
    }
    uint64_t stored = number_at(at + 20, 4);
    uint64_t size = number_at(at + 24, 4);
    uint64_t local_at = number_at(at + 42, 4);
    uint64_t *values[] = {&size, &stored, &local_at};
    if (!read_zip64(at + CENTRAL_BYTES + name_bytes, extra_bytes, values, 3)) {
        return fail(archive, "a zip entry with a wrong ZIP64 field");
    }
    if (number_at(at + 10, 2) != 0 || (number_at(at + 8, 2) & FLAG_ENCRYPTED) != 0 ||
        size != stored) {
        return error_set(archive->err, ERROR_UNSUPPORTED,
                         "%s: a zip archive with compressed or encrypted entries; torch.save "
                         "stores them plainly, save the model again",
                         archive->path);
    }
    if (archive->size < LOCAL_BYTES || local_at > archive->size - LOCAL_BYTES ||
        mark_at(archive->bytes + local_at) != LOCAL_MARK) {
        return fail(archive, "a zip entry outside the archive");
    }
    const unsigned char *local = archive->bytes + local_at;
    size_t skipped =
        LOCAL_BYTES + (size_t)number_at(local + 26, 2) + (size_t)number_at(local + 28, 2);
    if (skipped > archive->size - local_at || size > archive->size - local_at - skipped) {
        return fail(archive, "a zip entry that is cut short");
    }
    *entry = (struct zip_entry){(const char *)at + CENTRAL_BYTES, name_bytes, local + skipped,
                                (size_t)size};
    return 0;
}

int zip_open(struct zip *zip, const unsigned char *bytes, size_t size, const char *path,
             struct error *err)
{
    const struct archive archive = {bytes, size, path, err};
    struct directory directory = {0};
    *zip = (struct zip){0};
    int code = find_directory(&archive, &directory);
    if (code != 0) {
        return code;
    }
    if (directory.count > directory.size / CENTRAL_BYTES) {
        return fail(&archive, "a zip directory that ends early");
    }
    zip->entries = calloc((size_t)directory.count + 1, sizeof *zip->entries);
    if (!zip->entries) {
        return error_set(err, ERROR_MEMORY, "%s: not enough memory to read it", path);
    }
    const unsigned char *at = bytes + directory.offset;
    size_t left = (size_t)directory.size;
    for (uint64_t i = 0; i < directory.count; i++) {
        size_t used = 0;
        code = read_entry(&archive, at, left, &zip->entries[zip->entry_count], &used);
        if (code != 0) {
            zip_done(zip);
            return code;
        }
        zip->entry_count++;
        at += used;
        left -= used;
    }
    return 0;
}

void zip_done(struct zip *zip)
{
    free(zip->entries);
    *zip = (struct zip){0};
}
