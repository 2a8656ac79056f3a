/* decision_log.c - see decision_log.h. */
#include "decisions/decision_log.h"

#include "decisions/decision_files.h"
#include "decisions/decision_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096 };

struct decision_log {
    struct buf path;
    struct decision_log_options limits; /* but for the path */
    int fd;
    uint64_t size;
    bool torn; /* part of a line stands behind `size` */
    struct chain chain;
    struct chain next;
    struct buf line;
    struct json_writer writer;
    struct decision_sync *sync;
};

/* --- opening --------------------------------------------------------------------------------- */

static int open_file(struct decision_log *log, struct error *err)
{
    struct stat status;
    const char *path = buf_string(&log->path);
    log->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log->fd < 0 || fstat(log->fd, &status) != 0) {
        return error_set(err, ERROR_IO, "%s cannot be opened: %s", path, strerror(errno));
    }
    if (flock(log->fd, LOCK_EX | LOCK_NB) != 0) {
        return error_set(err, ERROR_IO, "%s is written by another process", path);
    }
    log->size = (uint64_t)status.st_size;
    return 0;
}

/* Where the chain stands after the last whole line of this file; *end is where that line ends. A
 * file without a whole line leaves the chain as it is. */
static int read_tail(int fd, uint64_t size, struct chain *chain, uint64_t *end, struct error *err)
{
    char tail[2 * CHAIN_LINE_BYTES_MAX];
    char prev[SHA256_TEXT_BYTES];
    size_t wanted = size < sizeof tail ? (size_t)size : sizeof tail;
    ssize_t got = pread(fd, tail, wanted, (off_t)(size - wanted));
    if (got != (ssize_t)wanted) {
        return error_set(err, ERROR_IO, "it cannot be read: %s", strerror(errno));
    }
    size_t line_end = wanted;
    while (line_end > 0 && tail[line_end - 1] != '\n') {
        line_end--;
    }
    *end = size - wanted + line_end;
    if (line_end == 0) {
        return wanted < sizeof tail ? 0 : error_set(err, ERROR_FORMAT, "it holds no lines");
    }
    size_t start = line_end - 1;
    while (start > 0 && tail[start - 1] != '\n') {
        start--;
    }
    return chain_read(tail + start, line_end - 1 - start, chain, prev, err);
}

/* The file is new: the chain goes on from the newest full one, if there is one. */
static int read_predecessor(struct decision_log *log, struct error *err)
{
    uint64_t *lasts;
    uint64_t end;
    size_t count;
    struct stat status;
    struct buf name;
    int result = decision_files_list(buf_string(&log->path), &lasts, &count, err);
    if (result || count == 0) {
        return result;
    }
    buf_init(&name, PATH_BYTES_MAX + 32);
    (void)decision_files_name(buf_string(&log->path), lasts[count - 1], &name);
    int fd = open(buf_string(&name), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        result = error_set(err, ERROR_IO, "cannot be opened: %s", strerror(errno));
    } else {
        result = read_tail(fd, (uint64_t)status.st_size, &log->chain, &end, err);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (result) {
        error_wrap(err, "%s", buf_string(&name));
    }
    buf_done(&name);
    free(lasts);
    return result;
}

static int find_head(struct decision_log *log, uint64_t *cut_bytes, struct error *err)
{
    uint64_t end = 0;
    int result = read_tail(log->fd, log->size, &log->chain, &end, err);
    if (result) {
        return error_wrap(err,
                          "%s: the last line is not what was written; move the file away, keep "
                          "it, and start again",
                          buf_string(&log->path));
    }
    *cut_bytes = log->size - end;
    if (*cut_bytes > 0 && ftruncate(log->fd, (off_t)end) != 0) {
        return error_set(err, ERROR_IO, "%s: a line that was cut off cannot be cut away: %s",
                         buf_string(&log->path), strerror(errno));
    }
    log->size = end;
    return log->size == 0 ? read_predecessor(log, err) : 0;
}

int decision_log_open(struct decision_log **log, const struct decision_log_options *options,
                      uint64_t *cut_bytes, struct error *err)
{
    struct decision_log *made = calloc(1, sizeof *made);
    *log = NULL;
    *cut_bytes = 0;
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for the log of decisions");
    }
    made->fd = -1;
    made->limits = *options;
    chain_init(&made->chain);
    buf_init(&made->path, PATH_BYTES_MAX);
    buf_init(&made->line, CHAIN_LINE_BYTES_MAX + 1);
    made->sync = decision_sync_create();
    int result = made->sync && buf_append_string(&made->path, options->path)
                     ? open_file(made, err)
                     : error_set(err, ERROR_MEMORY, "no memory for the log of decisions");
    result = result ? result : find_head(made, cut_bytes, err);
    if (result) {
        decision_log_close(made);
        return result;
    }
    *log = made;
    return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

struct json_writer *decision_log_begin(struct decision_log *log, const char *kind, struct wall now)
{
    char time[WALL_TEXT_BYTES];
    chain_begin(&log->chain, &log->line, &log->writer);
    json_write_member_text(&log->writer, "time", wall_format(now, time));
    json_write_member_text(&log->writer, "kind", kind);
    return &log->writer;
}

/* The oldest files that are too many. */
static void drop_old(const struct decision_log *log)
{
    uint64_t *lasts;
    size_t count;
    struct buf name;
    if (log->limits.files_max == 0 ||
        decision_files_list(buf_string(&log->path), &lasts, &count, NULL)) {
        return;
    }
    buf_init(&name, PATH_BYTES_MAX + 32);
    for (size_t i = 0; i + log->limits.files_max < count; i++) {
        buf_clear(&name);
        if (decision_files_name(buf_string(&log->path), lasts[i], &name)) {
            (void)unlink(buf_string(&name));
        }
    }
    buf_done(&name);
    free(lasts);
}

/* What fails leaves the file as it was, to be written on past its size. */
static void rotate(struct decision_log *log)
{
    struct buf name;
    int full = log->fd;
    buf_init(&name, PATH_BYTES_MAX + 32);
    if (decision_files_name(buf_string(&log->path), log->chain.seq, &name) &&
        rename(buf_string(&log->path), buf_string(&name)) == 0) {
        decision_sync_ask(log->sync, DECISION_SYNC_FULL, full);
        if (open_file(log, NULL)) {
            if (log->fd >= 0) {
                (void)close(log->fd);
            }
            log->fd = full;
            (void)rename(buf_string(&name), buf_string(&log->path));
        } else {
            (void)close(full);
            drop_old(log);
        }
    }
    buf_done(&name);
}

static int append(struct decision_log *log, struct error *err)
{
    if (log->torn && ftruncate(log->fd, (off_t)log->size) != 0) {
        return error_set(err, ERROR_IO, "%s: a line that was cut off cannot be cut away: %s",
                         buf_string(&log->path), strerror(errno));
    }
    log->torn = false;
    ssize_t written = write(log->fd, log->line.bytes, log->line.size);
    if (written == (ssize_t)log->line.size) {
        log->size += log->line.size;
        return 0;
    }
    int reason = written < 0 ? errno : ENOSPC;
    log->torn = written > 0 && ftruncate(log->fd, (off_t)log->size) != 0;
    return error_set(err, ERROR_IO, "%s: a line could not be written: %s", buf_string(&log->path),
                     strerror(reason));
}

int decision_log_end(struct decision_log *log, struct error *err)
{
    log->next = log->chain;
    if (!chain_seal(&log->line, &log->writer, &log->next)) {
        return error_set(err, ERROR_LIMIT, "a decision has more than %d bytes",
                         CHAIN_LINE_BYTES_MAX);
    }
    if (log->size > 0 && log->size + log->line.size > log->limits.bytes_max) {
        rotate(log);
    }
    int result = append(log, err);
    if (!result) {
        log->chain = log->next;
        decision_sync_ask(log->sync, DECISION_SYNC_CURRENT, log->fd);
    }
    return result;
}

const struct chain *decision_log_head(const struct decision_log *log)
{
    return &log->chain;
}

void decision_log_close(struct decision_log *log)
{
    if (!log) {
        return;
    }
    decision_sync_destroy(log->sync);
    if (log->fd >= 0) {
        (void)fdatasync(log->fd);
        (void)close(log->fd);
    }
    buf_done(&log->path);
    buf_done(&log->line);
    free(log);
}
