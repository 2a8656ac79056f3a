/* store_lock.c - the files around the database: the lock that keeps a second process out, the key
 * of the hashes, the database file before SQLite sees it.
 *
 * The lock is the kernel's (flock), so it ends with the process, however that ends. The number
 * written into it is only for the message. */
#include "store/store_sqlite_internal.h"

#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_to_open(const char *what, const char *path, struct error *err)
{
    enum error_code code =
        errno == EACCES || errno == EROFS || errno == EPERM ? ERROR_PERMISSION : ERROR_IO;
    return error_set(err, code,
                     "%s %s: cannot be opened for writing: %s; its folder must exist and belong to "
                     "the user undertone runs as",
                     what, path, strerror(errno));
}

static void say_who(int fd)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && size > 0) {
        (void)!pwrite(fd, text, (size_t)size, 0);
    }
}

static long read_who(int fd)
{
    char text[32] = "";
    (void)!pread(fd, text, sizeof text - 1, 0);
    return strtol(text, NULL, 10);
}

int store_lock_take(const char *path, int *fd, struct error *err)
{
    char lock[PATH_MAX];
    *fd = -1;
    if (snprintf(lock, sizeof lock, "%s.lock", path) >= (int)sizeof lock) {
        return error_set(err, ERROR_CONFIG, "store.path: the name is too long");
    }
    int opened = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (opened < 0) {
        return fail_to_open("store.path", lock, err);
    }
    if (flock(opened, LOCK_EX | LOCK_NB)) {
        long process = read_who(opened);
        (void)close(opened);
        return error_set(err, ERROR_IO,
                         "store.path %s: the undertone with process id %ld is using it; stop that "
                         "one first, or give this one a path of its own",
                         path, process);
    }
    say_who(opened);
    *fd = opened;
    return 0;
}

int store_lock_touch(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_to_open("store.path", path, err);
    }
    (void)close(fd);
    return 0;
}

/* --- the key --------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_key(const char *text, size_t size, struct keyhash *key)
{
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        size--;
    }
    bool good = size == KEYHASH_KEY_BYTES * 2;
    for (size_t i = 0; good && i < KEYHASH_KEY_BYTES; i++) {
        int high = hex_value(text[i * 2]);
        int low = hex_value(text[i * 2 + 1]);
        good = high >= 0 && low >= 0;
        key->key[i] = (unsigned char)(high << 4 | low);
    }
    return good;
}

/* Never over a file that is there. A key cut short by a crash is refused at the next start. */
static int make_key(const char *path, struct error *err)
{
    char text[KEYHASH_KEY_BYTES * 2 + 2];
    struct keyhash key;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? 0 : fail_to_open("store.key_file", path, err);
    }
    keyhash_random(&key);
    for (size_t i = 0; i < KEYHASH_KEY_BYTES; i++) {
        (void)snprintf(text + i * 2, 3, "%02x", (unsigned)key.key[i]);
    }
    text[KEYHASH_KEY_BYTES * 2] = '\n';
    ssize_t written = write(fd, text, KEYHASH_KEY_BYTES * 2 + 1);
    bool good = written == KEYHASH_KEY_BYTES * 2 + 1 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    keyhash_wipe(&key, sizeof key);
    keyhash_wipe(text, sizeof text);
    if (!good) {
        (void)unlink(path);
        return error_set(err, ERROR_IO, "store.key_file %s: cannot be written: %s", path,
                         strerror(errno));
    }
    return 0;
}

int store_key_read(const char *path, bool make, struct keyhash *key, struct error *err)
{
    struct stat status;
    char *text;
    size_t size;
    if (make && access(path, F_OK) && make_key(path, err)) {
        return (int)ERROR_IO;
    }
    if (stat(path, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO))) {
        return error_set(err, ERROR_PERMISSION,
                         "store.key_file %s: others may read it; chmod 600 it", path);
    }
    int result = lines_read_file(path, 4096, &text, &size, err);
    if (result) {
        return error_wrap(err, "store.key_file");
    }
    bool good = parse_key(text, size, key);
    keyhash_wipe(text, size);
    free(text);
    return good ? 0
                : error_set(err, ERROR_CONFIG,
                            "store.key_file %s: expected 64 lower-case hexadecimal digits", path);
}
