/* model_hash.c - see model_hash.h. Names with a newline or backslash, which sha256sum escapes, are
 * refused: no model has them. */
#include "model/model_hash.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 4096, LIST_BYTES_MAX = 1 << 20 };

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int add_file(const char *directory, const char *name, struct buf *list, struct error *err)
{
    struct buf path;
    struct stat status;
    char hash[SHA256_TEXT_BYTES];
    int result = 0;
    buf_init(&path, 8192);
    if (strpbrk(name, "\n\\") || !buf_printf(&path, "%s/%s", directory, name) ||
        stat(path.bytes, &status) != 0) {
        result = error_set(err, ERROR_IO, "%s: a file cannot be looked at", directory);
    } else if (S_ISREG(status.st_mode)) {
        result = sha256_file(path.bytes, hash, err);
        if (!result && !buf_printf(list, "%s  %s\n", hash, name)) {
            result = error_set(err, ERROR_LIMIT, "%s: too many files", directory);
        }
    }
    buf_done(&path);
    return result;
}

int model_hash_folder(const char *directory, char out[SHA256_TEXT_BYTES], struct error *err)
{
    struct dirent **entries;
    struct buf list;
    int result = 0;
    int count = scandir(directory, &entries, is_visible, by_bytes);
    out[0] = '\0';
    if (count < 0) {
        return error_set(err, ERROR_IO, "%s cannot be read: %s", directory, strerror(errno));
    }
    buf_init(&list, LIST_BYTES_MAX);
    for (int i = 0; i < count; i++) {
        result = result ? result : add_file(directory, entries[i]->d_name, &list, err);
        free(entries[i]);
    }
    free(entries);
    if (!result) {
        sha256_bytes(buf_string(&list), list.size, out);
    }
    buf_done(&list);
    return result;
}
