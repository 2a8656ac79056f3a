/* lines.c - see lines.h. The only file that knows zlib, whose reader passes plain files through. */
#include "base/lines.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK_BYTES = 64 * 1024 };

struct lines {
    gzFile file;
    char *path;
    struct buf line;
    char chunk[CHUNK_BYTES];
    size_t chunk_at;
    size_t chunk_size;
    size_t number;
};

static int open_gz(gzFile *file, const char *path, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : -1;
    *file = is_stdin ? (fd >= 0 ? gzdopen(fd, "rb") : NULL) : gzopen(path, "rb");
    if (!*file) {
        int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        return error_set(err, ERROR_IO, "cannot open %s: %s", path, strerror(reason));
    }
    return 0;
}

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
    buf_init(&created->line, line_bytes_max);
    int result = open_gz(&created->file, path, err);
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
    int got = gzread(lines->file, lines->chunk, CHUNK_BYTES);
    int status = Z_OK;
    const char *reason = got < 0 ? gzerror(lines->file, &status) : "";
    if (got < 0) {
        error_set(err, ERROR_IO, "%s: cannot read after line %zu: %s", lines->path, lines->number,
                  status == Z_ERRNO ? strerror(errno) : reason);
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

size_t lines_number(const struct lines *lines)
{
    return lines->number;
}

void lines_close(struct lines *lines)
{
    if (!lines) {
        return;
    }
    if (lines->file) {
        gzclose(lines->file);
    }
    buf_done(&lines->line);
    free(lines->path);
    free(lines);
}

int lines_read_file(const char *path, size_t bytes_max, char **bytes, size_t *size,
                    struct error *err)
{
    gzFile file = NULL;
    struct buf content;
    buf_init(&content, bytes_max);
    *bytes = NULL;
    *size = 0;
    int result = open_gz(&file, path, err);
    char *chunk = result ? NULL : malloc(CHUNK_BYTES);
    if (!result && !chunk) {
        result = error_set(err, ERROR_MEMORY, "no memory to read %s", path);
    }
    while (!result) {
        int got = gzread(file, chunk, CHUNK_BYTES);
        if (got < 0) {
            result = error_set(err, ERROR_IO, "cannot read %s", path);
        } else if (!buf_append(&content, chunk, (size_t)got)) {
            result = error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, bytes_max);
        } else if (got == 0) {
            break;
        }
    }
    if (file) {
        gzclose(file);
    }
    free(chunk);
    if (result) {
        buf_done(&content);
        return result;
    }
    *bytes = content.bytes;
    *size = content.size;
    return 0;
}
