/* packed.c - see packed.h. A header of one page, the arrays, then the numbers with each array's
 * place, size and sum among them. Native byte order and widths: the file is a cache, never sent
 * elsewhere, and the layout tells machines apart. Sums are SipHash under a fixed key: they find
 * damage, not malice, which the file's owner and mode keep out and bounds checks make harmless. */
#include "nlp/packed.h"

#include "base/buf.h"
#include "base/keyhash.h"
#include "nlp/mapped_file.h"
#include "nlp/packed_partial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 4096,
    LINE_BYTES = 64,
    PAGE_BYTES = 4096, /* larger arrays begin on a page */
    NUMBERS_BYTES_MAX = 64 << 20,
    FAULT_BYTES = 128,
};

static const char magic[8] = {'U', 'T', 'P', 'A', 'C', 'K', 'E', 'D'};
static const unsigned char sum_key[KEYHASH_SHORT_KEY_BYTES] = "undertone packed";

struct header {
    char magic[8];
    uint64_t file_bytes;
    uint64_t numbers_at; /* behind the arrays; up to the end of the file */
    uint64_t numbers_sum;
    struct packed_identity identity;
    uint64_t sum; /* of all of the above */
};

/* What stands among the numbers for an array. */
struct place {
    uint64_t at;
    uint64_t size;
    uint64_t sum;
};

struct packed {
    char *path;
    char fault[FAULT_BYTES]; /* "": none */
    /* reading */
    struct mapped_file file;
    const unsigned char *numbers;
    size_t left;
    struct place *places; /* of the arrays met, for verify */
    size_t place_count;
    size_t place_capacity;
    /* writing */
    bool writes;
    char *partial; /* the file's name until it is complete; NULL once it is */
    int fd;
    struct packed_identity identity;
    struct buf pending; /* the numbers */
    uint64_t at;        /* where the next array may go */
};

static uint64_t sum_of(const void *bytes, size_t size)
{
    return keyhash_short(sum_key, bytes, size);
}

void packed_fail(struct packed *packed, const char *what)
{
    if (packed->fault[0] == '\0') {
        (void)snprintf(packed->fault, sizeof packed->fault, "%s", what);
    }
}

bool packed_failed(const struct packed *packed)
{
    return packed->fault[0] != '\0';
}

bool packed_writes(const struct packed *packed)
{
    return packed->writes;
}

size_t packed_file_bytes(const struct packed *packed)
{
    return packed->writes ? (size_t)packed->at : packed->file.size;
}

/* ---- numbers ---- */

void packed_bytes(struct packed *packed, void *bytes, size_t size)
{
    if (packed_failed(packed)) {
        return;
    }
    if (packed->writes) {
        if (!buf_append(&packed->pending, bytes, size)) {
            packed_fail(packed, "no memory, or too many numbers");
        }
    } else if (size > packed->left) {
        packed_fail(packed, "ends too early");
    } else {
        memcpy(bytes, packed->numbers, size);
        packed->numbers += size;
        packed->left -= size;
    }
}

void packed_size(struct packed *packed, size_t *number, size_t max)
{
    uint64_t value = *number;
    packed_bytes(packed, &value, sizeof value);
    if (!packed->writes && value > max) {
        packed_fail(packed, "holds a number out of its bounds");
    }
    if (!packed->writes) {
        *number = packed_failed(packed) ? 0 : (size_t)value;
    }
}

void packed_id(struct packed *packed, uint32_t *number, uint32_t max)
{
    size_t value = *number;
    packed_size(packed, &value, max);
    if (!packed->writes) {
        *number = (uint32_t)value;
    }
}

void packed_flag(struct packed *packed, bool *flag)
{
    size_t value = *flag;
    packed_size(packed, &value, 1);
    if (!packed->writes) {
        *flag = value != 0;
    }
}

/* ---- arrays ---- */

static uint64_t align_up(uint64_t at, size_t size)
{
    uint64_t unit = size >= PAGE_BYTES ? PAGE_BYTES : LINE_BYTES;
    return (at + unit - 1) / unit * unit;
}

static bool write_at(int fd, const void *bytes, size_t size, uint64_t at)
{
    const unsigned char *from = bytes;
    while (size > 0) {
        ssize_t done = pwrite(fd, from, size, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return false;
        }
        from += done;
        at += (uint64_t)done;
        size -= (size_t)done;
    }
    return true;
}

static void write_array(struct packed *packed, const void *array, size_t size)
{
    struct place place = {.at = align_up(packed->at, size), .size = size};
    place.sum = sum_of(array, size);
    if (!write_at(packed->fd, array, size, place.at)) {
        packed_fail(packed, strerror(errno));
    }
    packed->at = place.at + size;
    packed_bytes(packed, &place, sizeof place);
}

static bool keep_place(struct packed *packed, const struct place *place)
{
    if (packed->place_count == packed->place_capacity) {
        size_t capacity = packed->place_capacity ? packed->place_capacity * 2 : 16;
        struct place *grown = realloc(packed->places, capacity * sizeof *grown);
        if (!grown) {
            return false;
        }
        packed->places = grown;
        packed->place_capacity = capacity;
    }
    packed->places[packed->place_count++] = *place;
    return true;
}

static void *read_array(struct packed *packed, size_t size)
{
    struct place place = {0};
    packed_bytes(packed, &place, sizeof place);
    size_t end = packed->file.size;
    if (packed_failed(packed)) {
        return NULL;
    }
    if (place.size != size) {
        packed_fail(packed, "holds an array of another size");
    } else if (place.at % LINE_BYTES != 0 || place.at > end || size > end - place.at) {
        packed_fail(packed, "holds an array out of its bounds");
    } else if (!keep_place(packed, &place)) {
        packed_fail(packed, "no memory for its list of arrays");
    }
    return packed_failed(packed) ? NULL : (void *)(uintptr_t)(packed->file.bytes + place.at);
}

void *packed_array(struct packed *packed, const void *array, size_t size)
{
    if (!packed->writes) {
        return packed_failed(packed) ? NULL : read_array(packed, size);
    }
    if (!packed_failed(packed)) {
        write_array(packed, array, size);
    }
    return (void *)(uintptr_t)array;
}

/* ---- reading ---- */

/* Only root or this user may have written it, and nobody else may now. */
static int check_owner(const struct packed *packed, struct error *err)
{
    const struct mapped_file *file = &packed->file;
    bool is_ours = file->owner == geteuid() || file->owner == 0;
    if (!is_ours || (file->mode & (S_IWGRP | S_IWOTH)) != 0) {
        return error_set(err, ERROR_PERMISSION,
                         "%s: belongs to someone else, or others may write it", packed->path);
    }
    return 0;
}

static int check_header(struct packed *packed, const struct packed_identity *identity,
                        struct error *err)
{
    struct header header;
    const char *what = NULL;
    if (packed->file.size < HEADER_BYTES) {
        return error_set(err, ERROR_FORMAT, "%s: is cut short", packed->path);
    }
    memcpy(&header, packed->file.bytes, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0) {
        what = "is no packed model";
    } else if (header.sum != sum_of(&header, offsetof(struct header, sum))) {
        what = "has a damaged header";
    } else if (header.file_bytes != packed->file.size) {
        what = "is cut short, or longer than it was made";
    } else if (header.numbers_at < HEADER_BYTES || header.numbers_at > packed->file.size) {
        what = "has numbers out of its bounds";
    }
    if (what) {
        return error_set(err, ERROR_FORMAT, "%s: %s", packed->path, what);
    }
    if (header.identity.layout != identity->layout) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: was made by another version of this program, or another machine",
                         packed->path);
    }
    if (header.identity.source != identity->source) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: the checkpoint's files have changed since it was made", packed->path);
    }
    packed->numbers = packed->file.bytes + header.numbers_at;
    packed->left = packed->file.size - (size_t)header.numbers_at;
    if (header.numbers_sum != sum_of(packed->numbers, packed->left)) {
        return error_set(err, ERROR_FORMAT, "%s: is damaged", packed->path);
    }
    return 0;
}

static struct packed *make(const char *path)
{
    struct packed *made = calloc(1, sizeof *made);
    if (made) {
        made->fd = -1;
        made->path = strdup(path);
        buf_init(&made->pending, NUMBERS_BYTES_MAX);
    }
    if (made && !made->path) {
        packed_close(made);
        made = NULL;
    }
    return made;
}

int packed_open(struct packed **packed, const char *path, const struct packed_identity *identity,
                struct error *err)
{
    *packed = NULL;
    struct packed *made = make(path);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory to load a model");
    }
    int code = mapped_file_open(&made->file, path, 1, err);
    code = code ? code : check_owner(made, err);
    code = code ? code : check_header(made, identity, err);
    if (code != 0) {
        packed_close(made);
        return code;
    }
    (void)madvise((void *)(uintptr_t)made->file.bytes, made->file.size, MADV_WILLNEED);
    *packed = made;
    return 0;
}

int packed_finish(struct packed *packed, struct error *err)
{
    if (!packed_failed(packed) && packed->left > 0) {
        packed_fail(packed, "holds more than it should");
    }
    return packed_failed(packed)
               ? error_set(err, ERROR_FORMAT, "%s: %s", packed->path, packed->fault)
               : 0;
}

int packed_verify(const struct packed *packed, struct error *err)
{
    for (size_t i = 0; i < packed->place_count; i++) {
        const struct place *place = &packed->places[i];
        if (sum_of(packed->file.bytes + place->at, (size_t)place->size) != place->sum) {
            return error_set(err, ERROR_FORMAT,
                             "%s: is damaged between bytes %llu and %llu; remove it, and it is "
                             "made anew",
                             packed->path, (unsigned long long)place->at,
                             (unsigned long long)(place->at + place->size));
        }
    }
    return 0;
}

/* ---- writing ---- */

int packed_create(struct packed **packed, const char *path, const struct packed_identity *identity,
                  struct error *err)
{
    *packed = NULL;
    struct packed *made = make(path);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory to write %s", path);
    }
    made->writes = true;
    made->identity = *identity;
    made->at = HEADER_BYTES;
    int code = packed_partial_create(path, &made->partial, &made->fd, err);
    if (code != 0) {
        packed_close(made);
        return code;
    }
    *packed = made;
    return 0;
}

static bool write_ends(struct packed *packed)
{
    unsigned char page[HEADER_BYTES] = {0};
    const char *numbers = buf_string(&packed->pending);
    size_t size = packed->pending.size;
    struct header header = {
        .numbers_at = align_up(packed->at, 0),
        .numbers_sum = sum_of(numbers, size),
        .identity = packed->identity,
    };
    memcpy(header.magic, magic, sizeof magic);
    header.file_bytes = header.numbers_at + size;
    header.sum = sum_of(&header, offsetof(struct header, sum));
    memcpy(page, &header, sizeof header);
    packed->at = header.file_bytes;
    return write_at(packed->fd, numbers, size, header.numbers_at) &&
           write_at(packed->fd, page, sizeof page, 0);
}

/* Without the sync a power cut could leave a complete name on an incomplete file. */
int packed_commit(struct packed *packed, struct error *err)
{
    if (packed_failed(packed)) {
        return error_set(err, ERROR_IO, "%s: cannot be written: %s", packed->path, packed->fault);
    }
    if (!write_ends(packed) || fchmod(packed->fd, 0644) != 0 || fsync(packed->fd) != 0 ||
        rename(packed->partial, packed->path) != 0) {
        return error_set(err, ERROR_IO, "%s: cannot be written: %s", packed->path, strerror(errno));
    }
    free(packed->partial);
    packed->partial = NULL;
    return 0;
}

void packed_close(struct packed *packed)
{
    if (!packed) {
        return;
    }
    if (packed->partial) {
        (void)unlink(packed->partial);
        free(packed->partial);
    }
    if (packed->fd >= 0) {
        (void)close(packed->fd);
    }
    mapped_file_close(&packed->file);
    buf_done(&packed->pending);
    free(packed->places);
    free(packed->path);
    free(packed);
}
