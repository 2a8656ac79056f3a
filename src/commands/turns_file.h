/* commands/turns_file.h - recorded calls in other shapes than our lines: whole conversations, with
 * or without times, with or without labels.
 *
 * labels: one call a line, {"call", "source", "turns": [{"role", "text", "mood", "start", "end"}],
 * "alert", "supervisor", "recovered"}; moods -2..2 on the customer's turns, "alert" and "recovered"
 * name a turn by its "i" or are null, each label one value or a list, one of each reader.
 * contact_lens: Amazon's {"Transcript": [...]}, or {"SpeechSegments": [...]} as its post-call
 * sample writes it. azure: {"analysisInput": {"conversations": [...]}}.
 *
 * Where a source has no times, people speak 150 words a minute and pause 0.6 s.
 */
#ifndef COMMANDS_TURNS_FILE_H
#define COMMANDS_TURNS_FILE_H

#include "commands/recording.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum turns_format { TURNS_LINES, TURNS_LABELS, TURNS_CONTACT_LENS, TURNS_AZURE };

/* "lines", "labels", "contact-lens" or "azure"; false for any other name. */
bool turns_format_find(const char *name, enum turns_format *format);

enum { TURN_MOOD_NONE = 3, TURN_NOT_LABELLED = -1 };

/* What readers said of one call; turns are the customer's, by ordinal. */
struct turns_label {
    size_t call; /* as in recording_line */
    bool wanted; /* every reader would have given an alert */
    bool agreed; /* they agree on that */
    int32_t alert_first;
    int32_t alert_last; /* the readers' turns: from the earliest to the latest */
    int32_t recovered;  /* the latest, or TURN_NOT_LABELLED unless all say so */
    bool supervisor;
    signed char *moods; /* owned: sign of each turn's mood; TURN_MOOD_NONE where readers differ */
    size_t turn_count;
};

struct turns_labels {
    struct turns_label *items;
    size_t count;
    size_t capacity;
};

void turns_labels_done(struct turns_labels *labels); /* accepts a zeroed object */

/* Adds a file's calls; labels are added for TURNS_LABELS only. ERROR_FORMAT names the place. Not
 * for TURNS_LINES. The path must outlive the recording. */
int turns_file_read(struct recording *recording, struct turns_labels *labels, const char *path,
                    enum turns_format format, struct error *err);

#endif
