/* model_source.c - see model_source.h. All files that a loader may read count, and so may a few
 * that it does not: at worst something is made once more than needed. */
#include "nlp/model_source.h"

#include "base/buf.h"
#include "base/keyhash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAMES_MAX = 1024,
    PIECE_BYTES = 4096,
    PIECES = 32, /* of a file; smaller ones are read whole */
    TEXT_BYTES_MAX = 1 << 20,
};

static const unsigned char sum_key[KEYHASH_SHORT_KEY_BYTES] = "undertone source";

static bool counts(const char *name)
{
    static const char *const endings[] = {".safetensors", ".bin", ".json", ".txt", ".model"};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t end = strlen(endings[i]);
        if (size > end && strcmp(name + size - end, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Adds the sums of a file's pieces. False when it cannot be read. */
static bool add_pieces(struct buf *text, int fd, off_t size)
{
    unsigned char piece[PIECE_BYTES];
    off_t step = PIECE_BYTES;
    if (size > (off_t)PIECES * PIECE_BYTES) {
        step = (size - PIECE_BYTES + PIECES - 1) / PIECES; /* the last piece reaches the end */
    }
    for (off_t at = 0; at < size; at += step) {
        ssize_t read = pread(fd, piece, sizeof piece, at);
        if (read < 0) {
            return false;
        }
        buf_printf(text, " %016llx",
                   (unsigned long long)keyhash_short(sum_key, piece, (size_t)read));
    }
    return true;
}

static int add_file(struct buf *text, int folder, const char *directory, const char *name,
                    struct error *err)
{
    struct stat status;
    int code = 0;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        code = error_set(err, ERROR_IO, "%s/%s: %s", directory, name, strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        goto out;
    }
    buf_printf(text, "%s %lld %lld.%09ld", name, (long long)status.st_size,
               (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (!add_pieces(text, fd, status.st_size)) {
        code = error_set(err, ERROR_IO, "%s/%s: %s", directory, name, strerror(errno));
    }
    buf_append_char(text, '\n');
out:
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

/* The names that count, owned by the caller. */
static int list_names(DIR *folder, const char *directory, char **names, size_t *count,
                      struct error *err)
{
    *count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (!counts(entry->d_name)) {
            continue;
        }
        if (*count == NAMES_MAX) {
            return error_set(err, ERROR_LIMIT, "%s: holds more than %d files", directory,
                             NAMES_MAX);
        }
        names[*count] = strdup(entry->d_name);
        if (!names[*count]) {
            return error_set(err, ERROR_MEMORY, "no memory to look at %s", directory);
        }
        (*count)++;
    }
    qsort(names, *count, sizeof *names, compare_names);
    return 0;
}

int model_source_sum(const char *directory, uint64_t *sum, struct error *err)
{
    struct buf text;
    size_t count = 0;
    char **names = calloc(NAMES_MAX, sizeof *names);
    DIR *folder = opendir(directory);
    buf_init(&text, TEXT_BYTES_MAX);
    int code = 0;
    if (!folder || !names) {
        code =
            error_set(err, folder ? ERROR_MEMORY : ERROR_IO, "%s: %s", directory, strerror(errno));
        goto out;
    }
    code = list_names(folder, directory, names, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = add_file(&text, dirfd(folder), directory, names[i], err);
    }
    if (code == 0 && text.failed) {
        code = error_set(err, ERROR_LIMIT, "%s: holds too many files", directory);
    }
    *sum = code == 0 ? keyhash_short(sum_key, buf_string(&text), text.size) : 0;
out:
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    if (folder) {
        closedir(folder);
    }
    buf_done(&text);
    return code;
}
