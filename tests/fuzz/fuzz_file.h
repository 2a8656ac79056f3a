/* fuzz_file.h - an input as a file without a disk, for readers that take a path. */
#ifndef TESTS_FUZZ_FUZZ_FILE_H
#define TESTS_FUZZ_FUZZ_FILE_H

#include "tests/fuzz/fuzz.h"

#include "nlp/tensor.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct fuzz_file {
    int fd;
    char path[32];
};

static inline void fuzz_file_open(struct fuzz_file *file, const uint8_t *bytes, size_t size)
{
    file->fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_require(file->fd >= 0 && (size == 0 || write(file->fd, bytes, size) == (ssize_t)size));
    (void)snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
}

static inline void fuzz_file_close(struct fuzz_file *file)
{
    (void)close(file->fd);
}

/* Reads every byte of every tensor: whatever was accepted must be there. */
static inline void fuzz_file_touch(const struct tensor *tensors, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        size_t element_bytes = tensor_element_bytes(tensors[i].dtype);
        fuzz_require(element_bytes == 0 || tensors[i].elements * element_bytes == tensors[i].size);
        for (size_t at = 0; at < tensors[i].size; at++) {
            sum += tensors[i].bytes[at];
        }
    }
    volatile unsigned kept = sum;
    (void)kept;
}

#endif
