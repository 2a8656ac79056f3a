/* packed_partial.c - see packed_partial.h. The lock is flock's: it ends with its holder, whatever
 * that died of, and where a file system has none nothing is ever removed. Between making a file and
 * locking it another process may take it for a leftover: whoever finds its file gone once it holds
 * the lock makes another. What cannot be looked at or removed is left alone without a word. */
#include "nlp/packed_partial.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LETTERS = 6 };

/* ---- what others left behind ---- */

static bool is_partial_name(const char *name)
{
    static const char ending[] = ".packed.";
    size_t size = strlen(name);
    size_t fixed = sizeof ending - 1;
    if (size <= fixed + LETTERS) {
        return false;
    }
    const char *letters = name + size - LETTERS;
    for (size_t i = 0; i < LETTERS; i++) {
        if (!isalnum((unsigned char)letters[i])) {
            return false;
        }
    }
    return memcmp(letters - fixed, ending, fixed) == 0;
}

/* Still under that name, or it has become a complete file meanwhile. */
static bool is_still(int folder, const char *name, const struct stat *opened)
{
    struct stat now;
    return fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == opened->st_dev &&
           now.st_ino == opened->st_ino;
}

static void remove_leftover(int folder, const char *name)
{
    struct stat opened;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) && opened.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still(folder, name, &opened)) {
        (void)unlinkat(folder, name, 0);
    }
    (void)close(fd);
}

static void remove_leftovers(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder_path = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    DIR *folder = folder_path ? opendir(folder_path) : NULL;
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        if (is_partial_name(entry->d_name)) {
            remove_leftover(dirfd(folder), entry->d_name);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    free(folder_path);
}

/* ---- this one ---- */

/* -1 with errno, or a file that is locked as far as locks exist here. */
static int make_locked(char *name, size_t letters_at)
{
    static const char letters[] = "XXXXXX";
    for (;;) {
        struct stat status;
        memcpy(name + letters_at, letters, sizeof letters);
        int fd = mkstemp(name);
        if (fd < 0) {
            return -1;
        }
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
        }
        if (fstat(fd, &status) != 0 || status.st_nlink > 0) {
            return fd;
        }
        (void)close(fd);
    }
}

int packed_partial_create(const char *path, char **name, int *fd, struct error *err)
{
    size_t size = strlen(path);
    size_t bytes = size + 1 + LETTERS + 1;
    *fd = -1;
    *name = malloc(bytes);
    if (!*name) {
        return error_set(err, ERROR_MEMORY, "no memory to write %s", path);
    }
    remove_leftovers(path);
    memcpy(*name, path, size);
    (*name)[size] = '.';
    *fd = make_locked(*name, size + 1);
    if (*fd < 0) {
        int code = error_set(err, errno == EACCES || errno == EPERM ? ERROR_PERMISSION : ERROR_IO,
                             "%s: cannot be written: %s", path, strerror(errno));
        free(*name);
        *name = NULL;
        return code;
    }
    return 0;
}
