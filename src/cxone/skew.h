/* cxone/skew.h - how far the vendor's clock is ahead of ours, from Date headers. Pure. */
#ifndef CXONE_SKEW_H
#define CXONE_SKEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SKEW_SAMPLES = 15 };

struct skew {
    int64_t offsets_ms[SKEW_SAMPLES]; /* ring of the last samples */
    size_t count;
    size_t next;
};

/* One reply: its Date header (date_ms, whole seconds; -1 is ignored), our wall clock on its
 * arrival, and how long the exchange took. Replies slower than 2 s say too little and are used only
 * while nothing better is known. */
void skew_record(struct skew *skew, int64_t date_ms, int64_t arrival_ms, int64_t exchange_ms);

/* The running median, vendor minus ours; false before the first sample. */
bool skew_offset_ms(const struct skew *skew, int64_t *offset_ms);

#endif
