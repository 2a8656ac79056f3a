/* commands/recording.h - recorded calls from JSON lines, read by the daemon's own parser.
 *
 * Each line is one segment of the vendor's transcript with the call it belongs to:
 *     {"interactionId", "text", "startTime", "endTime", "direction", "isFinal"}
 * and may say when it became visible ("visible", epoch milliseconds; else 0.7 s after its end,
 * about what speech recognition takes) and where it comes from ("source"; else the file).
 */
#ifndef COMMANDS_RECORDING_H
#define COMMANDS_RECORDING_H

#include "base/error.h"
#include "base/map.h"
#include "cxone/profile.h"
#include "cxone/transcripts.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    RECORDING_LINE_BYTES_MAX = 1 << 20,
    RECORDING_LINES_MAX = 2000000,
    RECORDING_DELAY_MS = 700, /* from an end to when it is visible, where the line does not say */
};

struct recording_line {
    const char *interaction_id; /* borrowed from parsed */
    size_t call;                /* 0, 1, ... by first appearance */
    size_t sequence;            /* over all files */
    const char *source;         /* borrowed from parsed, or the path it was read from */
    int64_t visible_ms;         /* from when on the vendor shows it */
    struct transcripts parsed;  /* holds exactly one segment */
};

struct recording {
    struct recording_line *lines;
    size_t count;
    size_t capacity;
    size_t call_count;
    size_t skipped; /* malformed lines passed over */
    struct map calls;
};

void recording_init(struct recording *recording);
void recording_done(struct recording *recording); /* accepts an initialised recording */

/* Adds a file's lines (plain or gzip; "-" is standard input). A malformed line is an error
 * "FILE:LINE: ..." unless skip_bad, when it is counted. The path must outlive the recording. */
int recording_read(struct recording *recording, const char *path,
                   const struct cxone_profile *profile, bool skip_bad, struct error *err);

/* Adds one such line. The source must outlive the recording. */
int recording_add(struct recording *recording, const char *source, const char *line, size_t size,
                  const struct cxone_profile *profile, struct error *err);

/* Orders the lines by call, then by when they became visible, then by end, then as read. */
void recording_sort(struct recording *recording);

/* One call of a sorted recording: its lines are first to *next, exclusive. Returns its earliest
 * start. */
int64_t recording_call_span(const struct recording *recording, size_t first, size_t *next);

static inline const struct segment *recording_segment(const struct recording_line *line)
{
    return &line->parsed.segments[0];
}

#endif
