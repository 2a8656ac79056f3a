/* nlp/zip.h - the directory of a zip archive in memory (PKWARE's APPNOTE.TXT, ZIP64 included).
 *
 * Only what torch.save writes: entries that are stored, not compressed and not encrypted, so that
 * an entry's bytes are where they are. Archives come from strangers: afterwards every entry's bytes
 * lie inside the archive.
 */
#ifndef NLP_ZIP_H
#define NLP_ZIP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { ZIP_ENTRIES_MAX = 1 << 17 };

struct zip_entry {
    const char *name; /* borrowed from the archive; not NUL-terminated */
    size_t name_bytes;
    const unsigned char *bytes; /* borrowed from the archive */
    size_t size;
};

struct zip {
    struct zip_entry *entries; /* owned; in the directory's order */
    size_t entry_count;
};

/* Whether this begins like an archive. */
bool zip_is_zip(const unsigned char *bytes, size_t size);

/* bytes stay borrowed. `path` is for messages. After a failure zip_done is not needed. */
int zip_open(struct zip *zip, const unsigned char *bytes, size_t size, const char *path,
             struct error *err);

/* Accepts a zeroed zip. */
void zip_done(struct zip *zip);

#endif
