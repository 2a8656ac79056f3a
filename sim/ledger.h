/* ledger.h - the record of what was shown and what was received, one JSON object a line.
 *
 * sim/README.md defines the lines; this file only knows how to write them down. Lines are collected
 * in memory up to a bound and reach the file at the latest when ledger_flush is called, which the
 * simulator does each second. A ledger with a hole is worthless, so a failed write is kept and
 * reported by ledger_flush and ledger_close.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json_write.h"

#include <stdbool.h>
#include <stdint.h>

enum ledger_kind {
    LEDGER_KIND_START,
    LEDGER_KIND_ACTION,
    LEDGER_KIND_CALL_STARTED,
    LEDGER_KIND_CALL_STATE,
    LEDGER_KIND_UTTERANCE,
    LEDGER_KIND_SERVED,
    LEDGER_KIND_ATTRIBUTES,
    LEDGER_KIND_SUGGESTION,
    LEDGER_KIND_TOKEN,
    LEDGER_KIND_ACTIVE,
    LEDGER_KIND_REJECTED,
    LEDGER_KIND_CALL_ENDED,
    LEDGER_KIND_CALL_EXPIRED,
    LEDGER_KIND_EXIT,
    LEDGER_KIND_COUNT,
};

struct ledger {
    int fd; /* -1: no ledger is kept, but lines are still counted */
    struct buf line;
    struct buf pending;
    struct json_writer writer;
    bool failed;
    int failed_errno;
    uint64_t counts[LEDGER_KIND_COUNT];
};

/* Creates or replaces the file, readable by its owner only; path NULL keeps no ledger. */
int ledger_open(struct ledger *ledger, const char *path, struct error *err);

/* Begins a line with its "t" and "kind": add members, then ledger_end. NULL if no ledger is kept:
 * then there is nothing to add and no ledger_end. */
struct json_writer *ledger_begin(struct ledger *ledger, enum ledger_kind kind);
void ledger_end(struct ledger *ledger);

int ledger_flush(struct ledger *ledger, struct error *err);

/* Flushes and closes. Accepts a zeroed ledger, and one that failed to open. */
int ledger_close(struct ledger *ledger, struct error *err);

#endif
