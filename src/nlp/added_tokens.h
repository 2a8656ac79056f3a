/* nlp/added_tokens.h - tokens that are found in the text itself, before the model sees it.
 *
 * "[SEP]" typed by a customer becomes the special token, because that is what Hugging Face's
 * library does. The longest token at the leftmost place wins. A token may ask to stand alone
 * (single_word) or to swallow the white space on its sides (lstrip, rstrip).
 */
#ifndef NLP_ADDED_TOKENS_H
#define NLP_ADDED_TOKENS_H

#include "nlp/packed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDED_TOKENS_MAX = 4096, ADDED_TOKEN_BYTES_MAX = 256 };

struct added_token {
    const char *content; /* UTF-8, not empty; owned by the set */
    size_t size;
    uint32_t id;
    bool single_word;
    bool lstrip;
    bool rstrip;
};

struct added_tokens {
    struct added_token *tokens; /* longest first, once sorted */
    size_t count;
    size_t capacity;
    bool starts[256]; /* first bytes */
};

struct added_match {
    uint32_t id;
    size_t start; /* where the token begins, white space swallowed by lstrip included */
    size_t stop;  /* where the text goes on, after white space swallowed by rstrip */
    size_t next;  /* where the search goes on: right behind the token */
};

/* Whether a token that must stand alone may not stand beside this code point: \w of the regular
 * expressions of Hugging Face's library. */
bool added_tokens_is_word(uint32_t code_point);

void added_tokens_init(struct added_tokens *added);
void added_tokens_done(struct added_tokens *added); /* accepts a zeroed set */

/* Copies the token. False without memory or at ADDED_TOKENS_MAX. */
bool added_tokens_add(struct added_tokens *added, const struct added_token *token);

/* To a packed file or from it, into an empty set; every id read is below id_count. */
void added_tokens_pack(struct added_tokens *added, struct packed *packed, size_t id_count);

/* The token with exactly this content, or NULL. */
const struct added_token *added_tokens_find(const struct added_tokens *added, const char *content,
                                            size_t size);

/* To be called once after the last add. */
void added_tokens_sort(struct added_tokens *added);

/* The first match at or after `from`. Text before `settled` belongs to earlier matches, and lstrip
 * does not reach into it. False when there is none. */
bool added_tokens_match(const struct added_tokens *added, const char *bytes, size_t size,
                        size_t from, size_t settled, struct added_match *match);

/* Walks a text that is cut at the added tokens found in it. */
struct added_cursor {
    const char *bytes;
    size_t size;
    size_t settled;     /* text before this has been handed out */
    size_t search_from; /* where to look for the next added token */
    bool has_match;     /* an added token follows what was handed out */
    struct added_match match;
};

enum added_step { ADDED_STEP_END, ADDED_STEP_TEXT, ADDED_STEP_TOKEN };

/* bytes is borrowed until the last step. */
void added_cursor_start(struct added_cursor *cursor, const char *bytes, size_t size);

/* The next part: for ADDED_STEP_TEXT a stretch bytes[*start, *stop) that is not empty and holds no
 * added token, for ADDED_STEP_TOKEN the token's *id. */
enum added_step added_cursor_next(struct added_cursor *cursor, const struct added_tokens *added,
                                  size_t *start, size_t *stop, uint32_t *id);

#endif
