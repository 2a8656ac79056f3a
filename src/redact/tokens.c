/* tokens.c - see redact_internal.h. Characters without width (soft hyphens, joiners) are passed
 * over, so that they cannot hide a number; decimal digits of several scripts become ASCII. */
#include "redact/redact_internal.h"

#include "base/keyhash.h"
#include "base/unicode.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { NO_DIGIT = 10 };

static bool is_ascii_letter(uint32_t code_point)
{
    return (code_point >= 'a' && code_point <= 'z') || (code_point >= 'A' && code_point <= 'Z');
}

static unsigned digit_of(uint32_t code_point)
{
    static const uint32_t zeros[] = {'0',    0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66, 0x0AE6,
                                     0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0xFF10};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        if (code_point >= zeros[i] && code_point <= zeros[i] + 9) {
            return code_point - zeros[i];
        }
        if (code_point < 0x80) {
            break;
        }
    }
    return code_point >= 0x1D7CE && code_point <= 0x1D7FF ? (code_point - 0x1D7CE) % 10 : NO_DIGIT;
}

static bool is_unseen(uint32_t code_point)
{
    return code_point == 0xAD || (code_point >= 0x200B && code_point <= 0x200F) ||
           (code_point >= 0x2060 && code_point <= 0x2064) || code_point == 0xFEFF;
}

static bool is_apostrophe(uint32_t code_point)
{
    return code_point == '\'' || code_point == 0x2019 || code_point == 0x02BC;
}

static bool is_blank(uint32_t code_point)
{
    return code_point < 0x80 ? code_point == ' ' || (code_point >= 9 && code_point <= 13)
                             : unicode_is_white_space(code_point);
}

static bool is_letter(uint32_t code_point)
{
    return code_point < 0x80 ? is_ascii_letter(code_point)
                             : unicode_is_word(code_point) && digit_of(code_point) == NO_DIGIT;
}

/* One more character of a word or number; what does not fit makes it a long one. */
static void spell(struct token *token, size_t *length, char c)
{
    if (*length < TOKEN_WORD_BYTES - 1) {
        token->word[*length] = c;
    }
    (*length)++;
}

static bool is_upper(uint32_t code_point)
{
    return code_point < 0x80 ? code_point >= 'A' && code_point <= 'Z'
                             : unicode_category(code_point) == UNICODE_CATEGORY_LU;
}

struct scan {
    struct tokens *tokens;
    size_t at;
};

/* Takes letters or digits up to the first character that is neither of this kind nor unseen. */
static void take_run(struct scan *scan, struct token *token)
{
    struct tokens *tokens = scan->tokens;
    size_t length = 0;
    size_t letters = 0;
    bool lower = false;
    while (scan->at < tokens->bytes) {
        uint32_t c;
        size_t taken = utf8_decode(tokens->text + scan->at, tokens->bytes - scan->at, &c, NULL);
        unsigned digit = digit_of(c);
        bool wanted = token->kind == TOKEN_WORD ? is_letter(c) : digit != NO_DIGIT;
        bool inner = token->kind == TOKEN_WORD && is_apostrophe(c) && letters > 0;
        if (!wanted && !inner && !is_unseen(c)) {
            break;
        }
        if (wanted && token->kind == TOKEN_DIGITS) {
            spell(token, &length, (char)('0' + digit));
        } else if (wanted) {
            bool upper = is_upper(c);
            token->capital = token->capital || (letters == 0 && upper);
            lower = lower || !upper;
            tokens->has_lower = tokens->has_lower || !upper;
            tokens->has_upper = tokens->has_upper || (upper && scan->at > 0);
            letters++;
            length = c < 0x80 ? length : TOKEN_WORD_BYTES; /* no word of our lists */
            spell(token, &length, (char)(upper && c < 0x80 ? c + 32 : c));
        }
        scan->at += taken;
        token->end = inner ? token->end : (uint32_t)scan->at;
    }
    token->shouted = letters > 1 && !lower;
    token->word[length < TOKEN_WORD_BYTES ? length : 0] = '\0';
}

bool tokens_cut(struct tokens *tokens, const char *text, size_t bytes)
{
    *tokens = (struct tokens){.text = text, .bytes = bytes};
    tokens->items = malloc((bytes + 1) * sizeof *tokens->items);
    if (!tokens->items) {
        return false;
    }
    struct scan scan = {tokens, 0};
    size_t touched = 0; /* where the token before ended */
    while (scan.at < bytes) {
        uint32_t c;
        size_t taken = utf8_decode(text + scan.at, bytes - scan.at, &c, NULL);
        if (is_blank(c) || is_unseen(c)) {
            touched += is_unseen(c) && touched == scan.at ? taken : 0;
            scan.at += taken;
            continue;
        }
        struct token *token = &tokens->items[tokens->count++];
        *token = (struct token){.begin = (uint32_t)scan.at,
                                .glued = touched == scan.at && tokens->count > 1};
        if (is_letter(c) || digit_of(c) != NO_DIGIT) {
            token->kind = is_letter(c) ? TOKEN_WORD : TOKEN_DIGITS;
            take_run(&scan, token);
            scan.at = token->end > scan.at ? token->end : scan.at;
        } else {
            token->kind = TOKEN_MARK;
            token->code_point = c;
            scan.at += taken;
            token->end = (uint32_t)scan.at;
        }
        touched = scan.at;
    }
    return true;
}

void tokens_done(struct tokens *tokens)
{
    if (tokens->items) {
        keyhash_wipe(tokens->items, tokens->count * sizeof *tokens->items); /* they hold words */
    }
    free(tokens->items);
    *tokens = (struct tokens){0};
}

void tokens_mark(struct tokens *tokens, size_t from, size_t to, enum redact_kind kind)
{
    tokens->spans++;
    for (size_t i = from; i < to; i++) {
        tokens->items[i].span = tokens->spans;
        tokens->items[i].found = (uint8_t)kind;
    }
}

bool tokens_are_free(const struct tokens *tokens, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (tokens->items[i].span) {
            return false;
        }
    }
    return true;
}

bool tokens_is(const struct tokens *tokens, size_t at, const char *word)
{
    return at < tokens->count && tokens->items[at].kind == TOKEN_WORD &&
           strcmp(tokens->items[at].word, word) == 0;
}

bool tokens_is_mark(const struct tokens *tokens, size_t at, uint32_t code_point)
{
    return at < tokens->count && tokens->items[at].kind == TOKEN_MARK &&
           tokens->items[at].code_point == code_point;
}

bool tokens_is_among(const struct tokens *tokens, size_t at, const char *const *words)
{
    if (at >= tokens->count || tokens->items[at].kind != TOKEN_WORD) {
        return false;
    }
    while (*words && strcmp(*words, tokens->items[at].word) != 0) {
        words++;
    }
    return *words != NULL;
}

size_t tokens_match(const struct tokens *tokens, size_t at, const char *words)
{
    size_t taken = 0;
    while (*words) {
        size_t bytes = strcspn(words, " ");
        if (at + taken >= tokens->count) {
            return 0;
        }
        const char *word = tokens->items[at + taken].word;
        if (strlen(word) != bytes || memcmp(word, words, bytes) != 0) {
            return 0;
        }
        taken++;
        words += bytes + (words[bytes] ? 1 : 0);
    }
    return taken;
}
