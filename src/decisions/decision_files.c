/* decision_files.c - see decision_files.h. */
#include "decisions/decision_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 12, FILES_MAX = 100000 };

bool decision_files_name(const char *path, uint64_t last, struct buf *out)
{
    return buf_printf(out, "%s.%0*llu", path, DIGITS, (unsigned long long)last);
}

/* The number in "base.000000000042", or 0. */
static uint64_t number_of(const char *name, const char *base)
{
    size_t base_bytes = strlen(base);
    if (strncmp(name, base, base_bytes) != 0 || name[base_bytes] != '.') {
        return 0;
    }
    const char *digits = name + base_bytes + 1;
    size_t count = strspn(digits, "0123456789");
    return count >= DIGITS && digits[count] == '\0' ? strtoull(digits, NULL, 10) : 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static int collect(DIR *folder, const char *base, uint64_t **lasts, size_t *count,
                   struct error *err)
{
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        uint64_t number = number_of(entry->d_name, base);
        if (number == 0 || *count == FILES_MAX) {
            continue;
        }
        uint64_t *more = realloc(*lasts, (*count + 1) * sizeof **lasts);
        if (!more) {
            return error_set(err, ERROR_MEMORY, "no memory for a list of files");
        }
        *lasts = more;
        (*lasts)[(*count)++] = number;
    }
    return 0;
}

int decision_files_list(const char *path, uint64_t **lasts, size_t *count, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct buf name;
    int result = 0;
    *lasts = NULL;
    *count = 0;
    buf_init(&name, 4096);
    bool named =
        slash ? buf_append(&name, path, (size_t)(slash - path) + 1) : buf_append_string(&name, ".");
    DIR *folder = named ? opendir(buf_string(&name)) : NULL;
    if (!folder) {
        result =
            error_set(err, ERROR_IO, "the folder of %s cannot be read: %s", path, strerror(errno));
    } else {
        result = collect(folder, slash ? slash + 1 : path, lasts, count, err);
        (void)closedir(folder);
    }
    buf_done(&name);
    if (*count > 1) {
        qsort(*lasts, *count, sizeof **lasts, compare);
    }
    if (result) {
        free(*lasts);
        *lasts = NULL;
        *count = 0;
    }
    return result;
}
