/* mood/call_save.h - a call as bytes, so that a later process goes on with the same readings.
 *
 * A call is a head (some hundred bytes, whole each time) and pages of 32 utterances by number, of
 * which only those that changed since the last save need to be written. Bytes are versioned, the
 * same on every machine, and hold no text: times, scores, hashes under the policy's key.
 *
 * Reading trusts nothing: bytes that are cut short, of another version or not what a call can be
 * are refused. Counts are not kept; they say what this process saw.
 */
#ifndef MOOD_CALL_SAVE_H
#define MOOD_CALL_SAVE_H

#include "base/error.h"
#include "base/pack.h"
#include "mood/call.h"

enum { CALL_PAGE_UTTERANCES = 32, CALL_PAGE_BYTES_MAX = CALL_PAGE_UTTERANCES * 42 };

struct call_page {
    uint32_t number;
    const void *bytes;
    size_t size;
};

/* Pages unsaved <= number < end are to be written; all from 0 on for a call never saved. */
struct call_pages {
    uint32_t unsaved;
    uint32_t end;
};
struct call_pages call_save_pages(const struct call *call);

/* Append to out; a page without utterances appends nothing, which is to be kept as no page. Check
 * out->failed at the end. */
void call_save_head(const struct call *call, struct call_now now, struct buf *out);
void call_save_page(const struct call *call, uint32_t number, struct buf *out);

/* All of it was handed on: what follows counts as changed from now on. */
void call_save_done(struct call *call);

/* The saved call at a later time, perhaps under another policy; NULL with ERROR_FORMAT,
 * ERROR_UNSUPPORTED (another version) or ERROR_MEMORY. Pages come by number. Intervals go on by the
 * vendor's clock: two processes share no other. */
struct call *call_restore(const struct mood_policy *policy, struct call_now now, const void *head,
                          size_t head_bytes, const struct call_page *pages, size_t page_count,
                          struct error *err);

/* --- parts that a session saves too; values that cannot be make the reader fail ------------- */

void call_save_reading(const struct call_reading *reading, struct buf *out);
void call_save_take_reading(struct unpack *in, struct call_reading *reading);
void call_save_alert(const struct call_alert *alert, struct buf *out);
void call_save_take_alert(struct unpack *in, struct call_alert *alert);

/* How long ago something was; nothing lies ahead. */
void call_save_age(struct mono when, struct mono now, struct buf *out);

/* Reads the vendor's time of the save; how long ago that was, never negative. */
int64_t call_save_take_passed(struct unpack *in, struct call_now now);

/* Reads an age at the save; when that was on this process's clock. */
struct mono call_save_take_age(struct unpack *in, struct mono now, int64_t passed_ms);

#endif
