/* decisions/decision_log.h - the log of decisions: append-only lines, each tied to the one before
 * (chain.h), in files of bounded size.
 *
 * A line is one write(2): after kill -9 it is there or not. Lines are synced to the disk by a
 * thread of its own within a second or so, and when a file is full or closed: a loss of power may
 * take the last second, and the chain goes on from what is left. A full file is renamed to its name
 * and the number of its last line, and the chain goes on in a new one.
 *
 * Called on one thread.
 */
#ifndef DECISIONS_DECISION_LOG_H
#define DECISIONS_DECISION_LOG_H

#include "base/clock.h"
#include "decisions/chain.h"

struct decision_log;

struct decision_log_options {
    const char *path;   /* copied */
    uint64_t bytes_max; /* of a file; it is then full */
    unsigned files_max; /* full ones kept, the newest; 0: all */
};

/* Opens or makes the file, for this process only, and finds where the chain stands. A last line
 * that was cut off is cut away; *cut_bytes tells. ERROR_FORMAT if the last whole line is not what
 * was written: such a file is to be moved away, not written on. */
int decision_log_open(struct decision_log **log, const struct decision_log_options *options,
                      uint64_t *cut_bytes, struct error *err);

/* The next line's writer, inside its object, `time` and `kind` written. Good until
 * decision_log_end. */
struct json_writer *decision_log_begin(struct decision_log *log, const char *kind, struct wall now);

/* Appends it. On failure (ERROR_IO: a full disk; ERROR_LIMIT: too long) the file and the chain are
 * as before, and the line is lost. */
int decision_log_end(struct decision_log *log, struct error *err);

/* The last line's number and hash: worth keeping elsewhere. */
const struct chain *decision_log_head(const struct decision_log *log);

/* Syncs and closes. Accepts NULL. */
void decision_log_close(struct decision_log *log);

#endif
