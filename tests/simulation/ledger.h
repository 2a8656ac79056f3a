/* ledger.h - what the daemon asked of its scorer and said in its log, held against what the vendor
 * served and received. */
#ifndef TESTS_SIMULATION_LEDGER_H
#define TESTS_SIMULATION_LEDGER_H

#include "app/score_pool.h"
#include "base/keyhash.h"
#include "base/log.h"
#include "simulation.h"
#include "vendor.h"

void ledger_begin(struct vendor *vendor);
void ledger_end(void);

/* The key of the names in the log of the daemon that lives now. */
void ledger_use_key(const struct keyhash *key);

/* A scoring begins; returns the score that the text names. */
int32_t ledger_note_asked(const struct score_ticket *ticket, const char *text);

/* A line was logged by a living daemon. */
void ledger_note_line(const char *event, const struct log_field *fields, size_t field_count);

/* All calls are over: whatever was lost, doubled or judged wrongly is a failure. */
void ledger_check(const struct vendor *vendor, struct figures *figures);

/* Calls whose attributes at the vendor are not what was served so far comes to. */
unsigned ledger_count_stale(const struct vendor *vendor);

/* The program's heap without what ledger and vendor write down as time goes by. */
size_t ledger_daemon_bytes(void);

#endif
