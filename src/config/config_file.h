/* config/config_file.h - reading the files a configuration is made of; private to config*.c. */
#ifndef CONFIG_CONFIG_FILE_H
#define CONFIG_CONFIG_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { CONFIG_FILE_BYTES_MAX = 1024 * 1024, CONFIG_FILE_SECRET_BYTES_MAX = 4096 };

/* A file's bytes, NUL-terminated past its size. It may hold secrets: config_file_done wipes it. */
struct config_file {
    char *bytes;
    size_t size;
    size_t capacity;
    bool exposed; /* a regular file that its group or everybody may read */
};

/* Reads the YAML file, of at most CONFIG_FILE_BYTES_MAX. */
int config_file_read(struct config_file *file, const char *path, struct error *err);

/* Reads a secret: a regular file of at most CONFIG_FILE_SECRET_BYTES_MAX, one trailing line end
 * removed, neither empty nor holding NUL. With `guarded` it is refused if others may read it. */
int config_file_read_secret(struct config_file *file, const char *path, bool guarded,
                            struct error *err);

/* Accepts a zeroed file. */
void config_file_done(struct config_file *file);

#endif
