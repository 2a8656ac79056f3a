/* nlp/mapped_file.h - a whole file as read-only memory. Whoever truncates the file while it is open
 * kills the program, as with any mmap. */
#ifndef NLP_MAPPED_FILE_H
#define NLP_MAPPED_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

struct mapped_file {
    const unsigned char *bytes; /* NULL when closed */
    size_t size;
    uid_t owner; /* of the file that was mapped, whatever its name means by now */
    mode_t mode;
};

/* A file that is not regular or shorter than bytes_min (at least 1) is ERROR_FORMAT. Errors begin
 * with the path. */
int mapped_file_open(struct mapped_file *file, const char *path, size_t bytes_min,
                     struct error *err);

/* Accepts a zeroed file. */
void mapped_file_close(struct mapped_file *file);

#endif
