/* lines.h - reading text files line by line, plain or gzip-compressed (told apart by content). */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct lines;

/* path "-" is standard input. line_bytes_max bounds memory: a longer line is an error. On success
 * the caller must lines_close. */
int lines_open(struct lines **lines, const char *path, size_t line_bytes_max, struct error *err);

/* The next line without its newline, NUL-terminated, borrowed until the next call; *bytes may be
 * more than strlen if the line holds NULs. Returns 1 for a line, 0 at the end, -1 on failure with
 * file and line number in the error. A last line without a newline is a line; "\r\n" loses both. */
int lines_next(struct lines *lines, const char **line, size_t *bytes, struct error *err);

/* Whether lines_next would answer without waiting: a program that batches lines of a live pipe
 * knows by this when to stop gathering. */
bool lines_ready(const struct lines *lines);

/* The number of the line last returned, counted from 1. */
size_t lines_number(const struct lines *lines);

/* Accepts NULL. */
void lines_close(struct lines *lines);

/* Reads a whole (plain or gzip) file of at most bytes_max bytes. *bytes is the caller's to free and
 * is NUL-terminated past its size. */
int lines_read_file(const char *path, size_t bytes_max, char **bytes, size_t *size,
                    struct error *err);

#endif
