/* lines.c - see lines.h. The only file that knows zlib, and only its inflate: zlib's own file
 * reader waits until its buffer is full, so a line typed into a pipe would not come out until much
 * later. */
#include "base/lines.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK_BYTES = 64 * 1024 };

/* A file, inflated if it is gzip. */
struct source {
    int fd; /* -1 when not open */
    bool is_regular;
    bool is_known; /* whether it is gzip has been decided */
    bool is_gzip;
    bool member_done; /* a gzip member ended; another may follow */
    z_stream inflater;
    unsigned char raw[CHUNK_BYTES];
    size_t raw_at;
    size_t raw_size;
};

struct lines {
    struct source source;
    char *path;
    struct buf line;
    char chunk[CHUNK_BYTES];
    size_t chunk_at;
    size_t chunk_size;
    size_t number;
};

/* --- source --- */

static int source_open(struct source *source, const char *path, struct error *err)
{
    struct stat status;
    bool is_stdin = strcmp(path, "-") == 0;
    source->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &status) != 0) {
        return error_set(err, ERROR_IO, "cannot open %s: %s", path, strerror(errno));
    }
    source->is_regular = S_ISREG(status.st_mode);
    return 0;
}

static void source_close(struct source *source)
{
    if (source->is_gzip) {
        (void)inflateEnd(&source->inflater);
    }
    if (source->fd >= 0) {
        close(source->fd);
    }
}

/* Adds raw bytes behind those at hand; how many, 0 at the end, -1 with *reason. */
static ssize_t read_raw(struct source *source, const char **reason)
{
    memmove(source->raw, source->raw + source->raw_at, source->raw_size - source->raw_at);
    source->raw_size -= source->raw_at;
    source->raw_at = 0;
    ssize_t got;
    do {
        got = read(source->fd, source->raw + source->raw_size, CHUNK_BYTES - source->raw_size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        *reason = strerror(errno);
        return -1;
    }
    source->raw_size += (size_t)got;
    return got;
}

/* Looks for gzip's two magic bytes (RFC 1952, 2.3.1); -1 with *reason. */
static int decide(struct source *source, const char **reason)
{
    while (source->raw_size - source->raw_at < 2) {
        ssize_t got = read_raw(source, reason);
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
    }
    source->is_known = true;
    if (source->raw_size >= 2 && source->raw[0] == 0x1F && source->raw[1] == 0x8B) {
        source->is_gzip = inflateInit2(&source->inflater, 15 + 16) == Z_OK;
        if (!source->is_gzip) {
            *reason = "no memory to decompress";
            return -1;
        }
    }
    return 0;
}

/* After a member: begins the next one if there is one. 1 to go on, 0 at the end, -1 on failure. */
static int next_member(struct source *source, const char **reason)
{
    while (source->raw_size - source->raw_at < 2) {
        ssize_t got = read_raw(source, reason);
        if (got <= 0) {
            return (int)got;
        }
    }
    const unsigned char *at = source->raw + source->raw_at;
    if (at[0] != 0x1F || at[1] != 0x8B) {
        return 0; /* padding behind the data, as tape archives have it */
    }
    source->member_done = false;
    (void)inflateReset(&source->inflater);
    return 1;
}

static ssize_t read_gzip(struct source *source, char *out, size_t out_bytes, const char **reason)
{
    z_stream *z = &source->inflater;
    for (;;) {
        if (source->member_done) {
            int more = next_member(source, reason);
            if (more <= 0) {
                return more;
            }
        }
        if (source->raw_at == source->raw_size) {
            ssize_t got = read_raw(source, reason);
            if (got <= 0) {
                *reason = got == 0 ? "the compressed data ends too early" : *reason;
                return -1;
            }
        }
        z->next_in = source->raw + source->raw_at;
        z->avail_in = (uInt)(source->raw_size - source->raw_at);
        z->next_out = (unsigned char *)out;
        z->avail_out = (uInt)out_bytes;
        int status = inflate(z, Z_NO_FLUSH);
        source->raw_at = source->raw_size - z->avail_in;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
            *reason = "the compressed data is damaged";
            return -1;
        }
        source->member_done = status == Z_STREAM_END;
        if (z->avail_out < out_bytes) {
            return (ssize_t)(out_bytes - z->avail_out);
        }
    }
}

/* Bytes of content: how many, 0 at the end, -1 with *reason. out_bytes must not be 0. */
static ssize_t source_read(struct source *source, char *out, size_t out_bytes, const char **reason)
{
    if (!source->is_known && decide(source, reason) < 0) {
        return -1;
    }
    if (source->is_gzip) {
        return read_gzip(source, out, out_bytes, reason);
    }
    size_t at_hand = source->raw_size - source->raw_at;
    if (at_hand == 0) {
        ssize_t got = read_raw(source, reason);
        if (got <= 0) {
            return got;
        }
        at_hand = (size_t)got;
    }
    size_t size = at_hand < out_bytes ? at_hand : out_bytes;
    memcpy(out, source->raw + source->raw_at, size);
    source->raw_at += size;
    return (ssize_t)size;
}

static bool source_ready(const struct source *source)
{
    struct pollfd descriptor = {.fd = source->fd, .events = POLLIN};
    return source->is_regular || source->raw_at < source->raw_size || poll(&descriptor, 1, 0) > 0;
}

/* --- lines --- */

int lines_open(struct lines **lines, const char *path, size_t line_bytes_max, struct error *err)
{
    *lines = NULL;
    struct lines *created = calloc(1, sizeof *created);
    char *path_copy = strdup(path);
    if (!created || !path_copy) {
        free(created);
        free(path_copy);
        return error_set(err, ERROR_MEMORY, "no memory to open %s", path);
    }
    created->path = path_copy;
    created->source.fd = -1;
    buf_init(&created->line, line_bytes_max);
    int result = source_open(&created->source, path, err);
    if (result) {
        lines_close(created);
        return result;
    }
    *lines = created;
    return 0;
}

/* Fills the chunk; 1 when there is data, 0 at the end, -1 on failure. */
static int refill(struct lines *lines, struct error *err)
{
    const char *reason = "";
    ssize_t got = source_read(&lines->source, lines->chunk, CHUNK_BYTES, &reason);
    if (got < 0) {
        error_set(err, ERROR_IO, "%s: cannot read after line %zu: %s", lines->path, lines->number,
                  reason);
        return -1;
    }
    lines->chunk_at = 0;
    lines->chunk_size = (size_t)got;
    return got > 0;
}

int lines_next(struct lines *lines, const char **line, size_t *bytes, struct error *err)
{
    buf_clear(&lines->line);
    bool any = false;
    for (;;) {
        if (lines->chunk_at == lines->chunk_size) {
            int more = refill(lines, err);
            if (more < 0) {
                return -1;
            }
            if (more == 0) {
                break;
            }
        }
        any = true;
        const char *start = lines->chunk + lines->chunk_at;
        size_t left = lines->chunk_size - lines->chunk_at;
        const char *newline = memchr(start, '\n', left);
        size_t size = newline ? (size_t)(newline - start) : left;
        lines->chunk_at += size + (newline ? 1 : 0);
        if (!buf_append(&lines->line, start, size)) {
            error_set(err, ERROR_LIMIT, "%s:%zu: line is longer than %zu bytes", lines->path,
                      lines->number + 1, lines->line.limit);
            return -1;
        }
        if (newline) {
            break;
        }
    }
    if (!any) {
        return 0;
    }
    lines->number++;
    if (lines->line.size > 0 && lines->line.bytes[lines->line.size - 1] == '\r') {
        lines->line.bytes[--lines->line.size] = '\0';
    }
    *line = buf_string(&lines->line);
    if (bytes) {
        *bytes = lines->line.size;
    }
    return 1;
}

bool lines_ready(const struct lines *lines)
{
    size_t left = lines->chunk_size - lines->chunk_at;
    return (left > 0 && memchr(lines->chunk + lines->chunk_at, '\n', left)) ||
           source_ready(&lines->source);
}

size_t lines_number(const struct lines *lines)
{
    return lines->number;
}

void lines_close(struct lines *lines)
{
    if (!lines) {
        return;
    }
    source_close(&lines->source);
    buf_done(&lines->line);
    free(lines->path);
    free(lines);
}

int lines_read_file(const char *path, size_t bytes_max, char **bytes, size_t *size,
                    struct error *err)
{
    struct buf content;
    buf_init(&content, bytes_max);
    *bytes = NULL;
    *size = 0;
    struct lines *file;
    int result = lines_open(&file, path, 0, err);
    if (result) {
        return result;
    }
    for (;;) {
        const char *reason = "";
        ssize_t got = source_read(&file->source, file->chunk, CHUNK_BYTES, &reason);
        if (got < 0) {
            result = error_set(err, ERROR_IO, "cannot read %s: %s", path, reason);
            break;
        }
        if (!buf_append(&content, file->chunk, (size_t)got)) {
            result = error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, bytes_max);
            break;
        }
        if (got == 0) {
            break;
        }
    }
    lines_close(file);
    if (result) {
        buf_done(&content);
        return result;
    }
    *bytes = content.bytes;
    *size = content.size;
    return 0;
}
