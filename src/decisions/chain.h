/* decisions/chain.h - one line of the log of decisions, and how it is tied to the one before. Pure.
 *
 *     {"seq":7,"prev":"<hash of line 6>","time":"...","kind":"alert",...,"hash":"<64 digits>"}
 *
 * The hash is SHA-256 of the line's bytes before `,"hash":`. As each line holds the hash of the one
 * before, none can be changed, taken out or put in without changing all that follow; whoever keeps
 * one hash elsewhere can prove everything up to it. Anybody can check that, with any tool.
 */
#ifndef DECISIONS_CHAIN_H
#define DECISIONS_CHAIN_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json_write.h"
#include "base/sha256.h"

#include <stdint.h>

enum { CHAIN_LINE_BYTES_MAX = 16 * 1024 };

/* Where a chain stands: the last line so far. */
struct chain {
    uint64_t seq; /* 0 before the first */
    char hash[SHA256_TEXT_BYTES];
};

/* Before the first line: sixty-four zeros. */
void chain_init(struct chain *chain);

/* Begins the next line in `line` (emptied); members follow through the writer. */
void chain_begin(const struct chain *chain, struct buf *line, struct json_writer *writer);

/* Ends it with its hash and a newline. False if the line has grown too long: it is no line then. */
bool chain_seal(struct buf *line, struct json_writer *writer, struct chain *next);

/* Whether a line (without its newline) is whole: *found is where the chain stands after it, *prev
 * the hash it names. ERROR_FORMAT says what is wrong. */
int chain_read(const char *line, size_t bytes, struct chain *found, char prev[SHA256_TEXT_BYTES],
               struct error *err);

/* Whether a line goes on from here; moves the chain. */
int chain_follow(struct chain *chain, const char *line, size_t bytes, struct error *err);

#endif
