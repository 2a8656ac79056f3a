/* redact/redact_internal.h - a text cut into tokens, and what the finders mark on them. */
#ifndef REDACT_REDACT_INTERNAL_H
#define REDACT_REDACT_INTERNAL_H

#include "redact/redact.h"

enum { TOKEN_WORD_BYTES = 24, RUN_DIGITS_MAX = 64, RUN_PIECES_MAX = 64 };

enum token_kind { TOKEN_WORD, TOKEN_DIGITS, TOKEN_MARK };

/* A run of letters, a run of digits, or one other character that is no white space. */
struct token {
    uint32_t begin; /* bytes of the text */
    uint32_t end;
    uint32_t code_point; /* of a mark */
    uint16_t span;       /* what was found to be taken out with its neighbours; 0 for nothing */
    uint8_t kind;        /* enum token_kind */
    uint8_t found;       /* enum redact_kind, where span is not 0 */
    bool glued;          /* nothing stands between it and the token before */
    bool capital;        /* begins with an upper-case letter */
    bool shouted;        /* two or more letters, all upper-case */
    char word[TOKEN_WORD_BYTES]; /* lower-case ASCII of a short word, apostrophes left out, or the
                                  * ASCII digits; else "" */
};

struct tokens {
    const char *text;
    size_t bytes;
    struct token *items;
    size_t count;
    uint16_t spans;
    bool has_lower; /* there are lower-case letters, */
    bool has_upper; /* and upper-case ones beyond the first of the text */
};

/* False without memory. */
bool tokens_cut(struct tokens *tokens, const char *text, size_t bytes);
void tokens_done(struct tokens *tokens);

/* Takes out tokens [from, to). */
void tokens_mark(struct tokens *tokens, size_t from, size_t to, enum redact_kind kind);

/* Whether tokens [from, to) are still free. */
bool tokens_are_free(const struct tokens *tokens, size_t from, size_t to);

bool tokens_is(const struct tokens *tokens, size_t at, const char *word);
bool tokens_is_mark(const struct tokens *tokens, size_t at, uint32_t code_point);

/* Whether the token is one of a NULL-ended list of words. */
bool tokens_is_among(const struct tokens *tokens, size_t at, const char *const *words);

/* Whether tokens from `at` on are these words, blank-separated; how many, or 0. */
size_t tokens_match(const struct tokens *tokens, size_t at, const char *words);

/* --- numbers --- */

struct run_piece {
    size_t first_token;
    size_t end_token;
    size_t first_digit;
    size_t digits;
    bool spoken;
};

/* A number as it is written or spoken: pieces with at most fillers and separators between. */
struct run {
    char digits[RUN_DIGITS_MAX + 1];
    size_t digit_count;
    struct run_piece pieces[RUN_PIECES_MAX];
    size_t piece_count;
    bool international; /* a + stands before it */
    bool measured;      /* a sign of money or a word such as hours stands at it */
};

/* The run that begins at this token; false if none does. */
bool run_read(const struct tokens *tokens, size_t at, struct run *run);

/* The part of a run made of pieces [from, to). */
void run_part(const struct run *run, size_t from, size_t to, struct run *part);

/* --- finders; each marks tokens that are still free --- */

void email_find(struct tokens *tokens);
void number_find(struct tokens *tokens, const struct redact_options *options);
void name_find(struct tokens *tokens, const struct redact_options *options);

/* What a text asks for, see redact_expect. */
uint32_t number_asked(const struct tokens *tokens);
bool name_is_asked(const struct tokens *tokens);

#endif
