/* decisions/decision_sync.h - brings a file to the disk from a thread of its own, because a disk
 * may take seconds and the loop has none. */
#ifndef DECISIONS_DECISION_SYNC_H
#define DECISIONS_DECISION_SYNC_H

struct decision_sync;

/* NULL without memory or thread. */
struct decision_sync *decision_sync_create(void);

enum decision_sync_file { DECISION_SYNC_CURRENT, DECISION_SYNC_FULL, DECISION_SYNC_FILES };

/* Soon, all that was written to fd so far is on the disk; asked again within half a second, it is
 * done once. The descriptor may be closed after the call. */
void decision_sync_ask(struct decision_sync *sync, enum decision_sync_file which, int fd);

/* Does what was asked, and ends. Accepts NULL. */
void decision_sync_destroy(struct decision_sync *sync);

#endif
