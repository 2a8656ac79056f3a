/* config/calls_file.h - calls to follow, one id a line; blank lines and those that begin with # are
 * passed over. Behind the id, each after a tab, may stand what is known of the call:
 *
 *     7c3f0a52<TAB>queue=premium<TAB>language=de-AT
 *
 * The file is taken whole or not at all: replace it by renaming another over it. */
#ifndef CONFIG_CALLS_FILE_H
#define CONFIG_CALLS_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct calls_file {
    struct buf text; /* of each call its id, queue and language, each with its NUL */
    size_t count;
};

/* Tells one version of a file from another. */
struct calls_file_stamp {
    int64_t modified_ns;
    int64_t size;
    uint64_t inode;
};

/* Whether a vendor's address can name a call so: ERROR_FORMAT if not. The id is not quoted. */
int calls_file_check_id(const char *id, struct error *err);

/* Whether a text can name a queue, or a language: ERROR_FORMAT if not. It is not quoted. */
int calls_file_check_queue(const char *queue, struct error *err);
int calls_file_check_language(const char *language, struct error *err);

/* Reads at most count_max ids; errors are "FILE:LINE: ...". On failure the list is empty. */
int calls_file_read(struct calls_file *list, const char *path, size_t count_max, struct error *err);
void calls_file_done(struct calls_file *list); /* accepts a zeroed one */

/* A call of the file; borrowed from it. What is not said is NULL. */
struct calls_file_entry {
    const char *id;
    const char *queue;
    const char *language;
};

/* Walks the calls; start with *position = 0, false at the end. */
bool calls_file_next(const struct calls_file *list, size_t *position,
                     struct calls_file_entry *entry);

/* False if there is no such file, or it cannot be looked at. */
bool calls_file_look(const char *path, struct calls_file_stamp *stamp);

#endif
