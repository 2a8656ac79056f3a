/* decisions/decision_files.h - the files of a log of decisions by name: PATH is the one written to,
 * PATH.000000000042 a full one whose last line is number 42. */
#ifndef DECISIONS_DECISION_FILES_H
#define DECISIONS_DECISION_FILES_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

/* Appends the name of the full file that ends with this line. */
bool decision_files_name(const char *path, uint64_t last, struct buf *out);

/* The full files there are, as the numbers of their last lines, in order; *lasts is the caller's to
 * free. */
int decision_files_list(const char *path, uint64_t **lasts, size_t *count, struct error *err);

#endif
