/* ledger.c - see ledger.h. A line is built apart and added whole, so that a line that cannot be
 * built never leaves half of itself in the file. */
#include "sim/ledger.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 4 << 20, PENDING_BYTES = 256 << 10 };

static const char *const kind_names[LEDGER_KIND_COUNT] = {
    [LEDGER_KIND_START] = "start",
    [LEDGER_KIND_ACTION] = "action",
    [LEDGER_KIND_CALL_STARTED] = "call_started",
    [LEDGER_KIND_CALL_STATE] = "call_state",
    [LEDGER_KIND_UTTERANCE] = "utterance",
    [LEDGER_KIND_SERVED] = "served",
    [LEDGER_KIND_ATTRIBUTES] = "attributes",
    [LEDGER_KIND_SUGGESTION] = "suggestion",
    [LEDGER_KIND_TOKEN] = "token",
    [LEDGER_KIND_ACTIVE] = "active",
    [LEDGER_KIND_REJECTED] = "rejected",
    [LEDGER_KIND_CALL_ENDED] = "call_ended",
    [LEDGER_KIND_CALL_EXPIRED] = "call_expired",
    [LEDGER_KIND_EXIT] = "exit",
};

int ledger_open(struct ledger *ledger, const char *path, struct error *err)
{
    *ledger = (struct ledger){.fd = -1};
    buf_init(&ledger->line, LINE_BYTES_MAX);
    buf_init(&ledger->pending, PENDING_BYTES + LINE_BYTES_MAX + 1);
    if (path == NULL) {
        return 0;
    }
    ledger->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (ledger->fd < 0) {
        return error_set(err, ERROR_IO, "the ledger %s cannot be written: %s", path,
                         strerror(errno));
    }
    return 0;
}

struct json_writer *ledger_begin(struct ledger *ledger, enum ledger_kind kind)
{
    ledger->counts[kind]++;
    if (ledger->fd < 0) {
        return NULL;
    }
    buf_clear(&ledger->line);
    json_writer_init(&ledger->writer, &ledger->line);
    json_write_object_begin(&ledger->writer);
    json_write_member_integer(&ledger->writer, "t", clock_wall().ms);
    json_write_member_text(&ledger->writer, "kind", kind_names[kind]);
    return &ledger->writer;
}

static void write_out(struct ledger *ledger)
{
    size_t at = 0;
    while (at < ledger->pending.size && !ledger->failed) {
        ssize_t written = write(ledger->fd, ledger->pending.bytes + at, ledger->pending.size - at);
        if (written >= 0) {
            at += (size_t)written;
        } else if (errno != EINTR) {
            ledger->failed = true;
            ledger->failed_errno = errno;
        }
    }
    buf_clear(&ledger->pending);
}

void ledger_end(struct ledger *ledger)
{
    json_write_object_end(&ledger->writer);
    buf_append_char(&ledger->line, '\n');
    if (ledger->line.failed ||
        !buf_append(&ledger->pending, ledger->line.bytes, ledger->line.size)) {
        ledger->failed = true;
        ledger->failed_errno = ENOMEM;
        return;
    }
    if (ledger->pending.size >= PENDING_BYTES) {
        write_out(ledger);
    }
}

int ledger_flush(struct ledger *ledger, struct error *err)
{
    if (ledger->fd >= 0) {
        write_out(ledger);
    }
    if (ledger->failed) {
        return error_set(err, ERROR_IO, "the ledger lost lines: %s",
                         strerror(ledger->failed_errno));
    }
    return 0;
}

int ledger_close(struct ledger *ledger, struct error *err)
{
    int rc = 0;
    /* A zeroed ledger was never opened: its descriptor 0 is not ours. */
    if (ledger->line.limit != 0 && ledger->fd >= 0) {
        rc = ledger_flush(ledger, err);
        if (close(ledger->fd) != 0 && rc == 0) {
            rc = error_set(err, ERROR_IO, "closing the ledger failed: %s", strerror(errno));
        }
    }
    buf_done(&ledger->line);
    buf_done(&ledger->pending);
    *ledger = (struct ledger){.fd = -1};
    return rc;
}
