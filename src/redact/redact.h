/* redact/redact.h - takes out of a text what must not leave memory: card numbers, card codes,
 * social security and account numbers, e-mail addresses, telephone numbers, and names of people who
 * give them. Pure.
 *
 *     "my card is 4111 1111 1111 1111, security code one two three"
 *     "my card is [CARD], security code [CVV]"
 *
 * Made for transcripts of speech: numbers may be written, spoken digit by digit ("four one one
 * one"), in pairs ("forty one eleven", "double five"), with fillers between, or mixed; addresses
 * may be spelt out ("john dot smith at gmail dot com"); there may be no capitals and no
 * punctuation.
 *
 * It goes by form (Luhn's check digit, 3-2-4 groups, ten digits) and by the words around a number
 * ("security code", "last four of my social"), also by what the other side has just asked for. It
 * cannot know that a bare "3342" was an answer unless it is told the question; `strict` is for
 * those who would rather lose a harmless number. No such filter finds everything: what it leaves in
 * is still personal data.
 *
 * Malformed UTF-8 becomes U+FFFD; no character is ever cut.
 */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REDACT_TEXT_BYTES_MAX = 65536 };

enum redact_kind {
    REDACT_CARD,
    REDACT_CVV,
    REDACT_SSN,
    REDACT_ACCOUNT, /* also policies, members, PINs and passwords made of digits */
    REDACT_EMAIL,
    REDACT_PHONE,
    REDACT_NAME,
    REDACT_NUMBER, /* strict only: any other of three digits or more */
    REDACT_KINDS,
};

/* "[CARD]" and so on. */
const char *redact_label(enum redact_kind kind);

struct redact_options {
    bool strict;
    uint32_t expected; /* bits of enum redact_kind: what the other side has just asked for */
};

struct redact_counts {
    uint32_t found[REDACT_KINDS];
};

/* Appends the text with its labels. False without memory, when the text is longer than
 * REDACT_TEXT_BYTES_MAX, or at the limit of out: what was appended is then to be thrown away.
 * options and counts may be NULL; counts are added to. */
bool redact_text(const char *text, size_t bytes, const struct redact_options *options,
                 struct buf *out, struct redact_counts *counts);

/* What a text asks the other side for, as bits of enum redact_kind: "what is your card number?" */
uint32_t redact_expect(const char *text, size_t bytes);

#endif
