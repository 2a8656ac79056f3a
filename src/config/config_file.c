/* config_file.c - see config_file.h. Plain read(2) into one block of known size, so that no library
 * buffer keeps a copy of a secret; checks are made on the open descriptor, not on the name. */
#include "config/config_file.h"

#include "base/keyhash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fills file->bytes from fd; a file larger than the limit is an error. */
static int read_all(struct config_file *file, int fd, const char *path, size_t bytes_max,
                    struct error *err)
{
    file->capacity = bytes_max + 2;
    file->bytes = malloc(file->capacity);
    if (!file->bytes) {
        return error_set(err, ERROR_MEMORY, "no memory to read %s", path);
    }
    while (file->size <= bytes_max) {
        ssize_t got = read(fd, file->bytes + file->size, bytes_max + 1 - file->size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_set(err, ERROR_CONFIG, "cannot read %s: %s", path, strerror(errno));
        }
        if (got == 0) {
            file->bytes[file->size] = '\0';
            return 0;
        }
        file->size += (size_t)got;
    }
    return error_set(err, ERROR_CONFIG, "%s is larger than %zu bytes", path, bytes_max);
}

static int open_checked(const char *path, struct stat *status, int *fd, struct error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, status) != 0) {
        int reason = errno;
        if (*fd >= 0) {
            close(*fd);
        }
        return error_set(err, ERROR_CONFIG, "cannot open %s: %s", path, strerror(reason));
    }
    return 0;
}

int config_file_read(struct config_file *file, const char *path, struct error *err)
{
    struct stat status;
    int fd;
    *file = (struct config_file){0};
    int result = open_checked(path, &status, &fd, err);
    if (result) {
        return result;
    }
    file->exposed = S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    result = read_all(file, fd, path, CONFIG_FILE_BYTES_MAX, err);
    close(fd);
    if (result) {
        config_file_done(file);
    }
    return result;
}

static int check_secret(const struct config_file *file, const char *path, struct error *err)
{
    if (file->size == 0) {
        return error_set(err, ERROR_CONFIG, "%s is empty: it must hold a secret", path);
    }
    if (memchr(file->bytes, '\0', file->size)) {
        return error_set(err, ERROR_CONFIG, "%s holds a NUL byte: it is not a secret", path);
    }
    return 0;
}

int config_file_read_secret(struct config_file *file, const char *path, bool guarded,
                            struct error *err)
{
    struct stat status;
    int fd;
    *file = (struct config_file){0};
    int result = open_checked(path, &status, &fd, err);
    if (result) {
        return result;
    }
    if (!S_ISREG(status.st_mode)) {
        result = error_set(err, ERROR_CONFIG, "%s is not a regular file", path);
    } else if (guarded && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        result = error_set(err, ERROR_CONFIG,
                           "%s holds a secret but others may read it (mode %03o): chmod 600 %s",
                           path, (unsigned)(status.st_mode & 0777), path);
    } else {
        result = read_all(file, fd, path, CONFIG_FILE_SECRET_BYTES_MAX, err);
    }
    close(fd);
    if (!result) {
        if (file->size > 0 && file->bytes[file->size - 1] == '\n') {
            file->size--;
        }
        if (file->size > 0 && file->bytes[file->size - 1] == '\r') {
            file->size--;
        }
        file->bytes[file->size] = '\0';
        result = check_secret(file, path, err);
    }
    if (result) {
        config_file_done(file);
    }
    return result;
}

void config_file_done(struct config_file *file)
{
    if (file->bytes) {
        keyhash_wipe(file->bytes, file->capacity);
    }
    free(file->bytes);
    *file = (struct config_file){0};
}
