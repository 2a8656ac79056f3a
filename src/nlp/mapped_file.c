/* mapped_file.c - see mapped_file.h. Mapped rather than read: of a checkpoint of gigabytes only the
 * tensors that are used get touched, and those stay in the page cache for the next start. */
#include "nlp/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int mapped_file_open(struct mapped_file *file, const char *path, size_t bytes_min,
                     struct error *err)
{
    int code = 0;
    struct stat status;
    *file = (struct mapped_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(err, ERROR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (fstat(fd, &status) != 0) {
        code = error_set(err, ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode) || status.st_size < (off_t)bytes_min) {
        code = error_set(err, ERROR_FORMAT,
                         "%s: is not a file of at least %zu bytes; the file is damaged: download "
                         "it again",
                         path, bytes_min);
        goto out;
    }
    void *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
        code = error_set(err, ERROR_IO, "%s: cannot be mapped: %s", path, strerror(errno));
        goto out;
    }
    *file = (struct mapped_file){mapped, (size_t)status.st_size, status.st_uid, status.st_mode};
out:
    close(fd);
    return code;
}

void mapped_file_close(struct mapped_file *file)
{
    if (file->bytes) {
        (void)munmap((void *)(uintptr_t)file->bytes, file->size);
    }
    *file = (struct mapped_file){0};
}
