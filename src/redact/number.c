/* number.c - what a number is: by the words around it, nearest first, then by its form. Payment
 * cards come before all, wherever they stand in a longer run of digits. See redact_internal.h.
 *
 * Sources: ISO/IEC 7812-1 (Luhn's check digit, up to 19 digits), the schemes' published prefixes
 * and lengths, the North American numbering plan, ISO 13616 is left to `account` by context. */
#include "redact/redact_internal.h"

#include <string.h>

enum {
    CARD_DIGITS_MIN = 13,
    CARD_DIGITS_MAX = 19,
    LONG_DIGITS = 9,      /* nobody says so long a number that is nobody's */
    WORDS_BACK = 9,       /* how far a number's context reaches back */
    WORDS_FORWARD = 6,    /* and forward, "3471 are my ssn" */
    ANSWER_WORDS_MAX = 6, /* besides its numbers, in a text that merely answers */
    STRICT_DIGITS_MIN = 3,
    TAIL_DIGITS_MAX = 8, /* after a card: expiry date and code */
};

/* --- payment cards --- */

static bool has_check_digit(const char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digits[count - 1 - i] - '0');
        digit *= i % 2 ? 2 : 1;
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

static unsigned prefix_of(const char *digits, size_t count)
{
    unsigned value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (unsigned)(digits[i] - '0');
    }
    return value;
}

/* Whether some card scheme issues numbers that begin so and are so long. */
static bool is_issued(const char *digits, size_t count)
{
    unsigned two = prefix_of(digits, 2);
    unsigned four = prefix_of(digits, 4);
    switch (digits[0]) {
    case '2':
        return count == 16 && four >= 2221 && four <= 2720;
    case '3':
        return (count == 15 && (two == 34 || two == 37)) ||
               (count >= 14 && (two == 30 || two == 36 || two == 38 || two == 39)) ||
               (count >= 16 && two == 35);
    case '4':
        return count == 13 || count == 16 || count == 19;
    case '5':
        return (count == 16 && two >= 51 && two <= 55) || two == 50 || two >= 56;
    case '6':
        return count >= 14;
    default:
        return false;
    }
}

static size_t digits_in(const struct run *run, size_t from, size_t to)
{
    size_t digits = 0;
    for (size_t i = from; i < to; i++) {
        digits += run->pieces[i].digits;
    }
    return digits;
}

/* The pieces that digits [first, first + count) lie in. */
static void pieces_of(const struct run *run, size_t first, size_t count, size_t *from, size_t *to)
{
    *from = 0;
    while (*from + 1 < run->piece_count && run->pieces[*from + 1].first_digit <= first) {
        (*from)++;
    }
    *to = *from;
    while (*to < run->piece_count && run->pieces[*to].first_digit < first + count) {
        (*to)++;
    }
}

/* Whether [from, to) is one piece, spoken, or in the groups that cards are written in. */
static bool is_in_groups(const struct run *run, size_t from, size_t to)
{
    for (size_t i = from; i < to && to - from > 1; i++) {
        if (run->pieces[i].digits > 6) {
            return false;
        }
    }
    return true;
}

/* Whether all pieces of [from, to) but the outer two are such as cards are written in. */
static bool is_grouped(const struct run *run, size_t from, size_t to)
{
    for (size_t i = from + 1; i + 1 < to; i++) {
        if (!run->pieces[i].spoken && run->pieces[i].digits != 4 && run->pieces[i].digits != 6) {
            return false;
        }
    }
    return true;
}

/* A card that does not begin and end where pieces do, as where a word is missing between two. */
static bool find_hidden_card(const struct run *run, size_t *from, size_t *to)
{
    for (size_t count = 16; count >= 15; count--) {
        for (size_t first = 0; first + count <= run->digit_count; first++) {
            const char *digits = run->digits + first;
            pieces_of(run, first, count, from, to);
            if (run->piece_count > 1 && is_grouped(run, *from, *to) && is_issued(digits, count) &&
                has_check_digit(digits, count)) {
                return true;
            }
        }
    }
    return false;
}

/* Pieces [*from, *to) of the run that are a card with a right check digit, lengths of 16 first. */
static bool find_card(const struct run *run, size_t *from, size_t *to)
{
    static const size_t lengths[] = {16, 15, 14, 13, 19, 18, 17};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t first = 0; first < run->piece_count; first++) {
            size_t end = first;
            size_t count = 0;
            while (end < run->piece_count && count < lengths[i]) {
                count += run->pieces[end++].digits;
            }
            const char *digits = run->digits + run->pieces[first].first_digit;
            if (count == lengths[i] && is_in_groups(run, first, end) && is_issued(digits, count) &&
                has_check_digit(digits, count)) {
                *from = first;
                *to = end;
                return true;
            }
        }
    }
    return find_hidden_card(run, from, to);
}

/* --- words around --- */

/* What a word before a number says of it; kind REDACT_KINDS: that it is none of ours. */
struct keyword {
    const char *words;
    enum redact_kind kind;
    size_t digits_min;
    size_t digits_max;
};

static const struct keyword keywords[] = {
    {"security code", REDACT_CVV, 3, 4},
    {"card code", REDACT_CVV, 3, 4},
    {"verification value", REDACT_CVV, 3, 4},
    {"back of the card", REDACT_CVV, 3, 4},
    {"back of my card", REDACT_CVV, 3, 4},
    {"on the back", REDACT_CVV, 3, 4},
    {"cvv", REDACT_CVV, 3, 4},
    {"cvv2", REDACT_CVV, 3, 4},
    {"cvc", REDACT_CVV, 3, 4},
    {"cvc2", REDACT_CVV, 3, 4},
    {"csc", REDACT_CVV, 3, 4},
    {"c v v", REDACT_CVV, 3, 4},
    {"c v c", REDACT_CVV, 3, 4},
    {"ssn", REDACT_SSN, 3, 9},
    {"s s n", REDACT_SSN, 3, 9},
    {"social", REDACT_SSN, 4, 9},
    {"itin", REDACT_SSN, 4, 9},
    {"tax id", REDACT_SSN, 4, 9},
    {"card", REDACT_CARD, 4, 19},
    {"cards", REDACT_CARD, 12, 19},
    {"visa", REDACT_CARD, 4, 19},
    {"mastercard", REDACT_CARD, 4, 19},
    {"amex", REDACT_CARD, 4, 19},
    {"american express", REDACT_CARD, 4, 19},
    {"discover", REDACT_CARD, 4, 19},
    {"maestro", REDACT_CARD, 4, 19},
    {"credit", REDACT_CARD, 12, 19},
    {"debit", REDACT_CARD, 12, 19},
    {"credit no", REDACT_CARD, 4, 19},
    {"credit number", REDACT_CARD, 4, 19},
    {"account", REDACT_ACCOUNT, 3, 34},
    {"accounts", REDACT_ACCOUNT, 3, 34},
    {"acct", REDACT_ACCOUNT, 3, 34},
    {"acc", REDACT_ACCOUNT, 3, 34},
    {"routing", REDACT_ACCOUNT, 5, 12},
    {"iban", REDACT_ACCOUNT, 4, 34},
    {"sort code", REDACT_ACCOUNT, 6, 6},
    {"policy", REDACT_ACCOUNT, 4, 20},
    {"member", REDACT_ACCOUNT, 4, 20},
    {"membership", REDACT_ACCOUNT, 4, 20},
    {"customer number", REDACT_ACCOUNT, 4, 20},
    {"customer id", REDACT_ACCOUNT, 4, 20},
    {"user id", REDACT_ACCOUNT, 3, 20},
    {"pin", REDACT_ACCOUNT, 4, 8},
    {"password", REDACT_ACCOUNT, 3, 20},
    {"passcode", REDACT_ACCOUNT, 3, 20},
    {"passport", REDACT_ACCOUNT, 5, 12},
    {"license", REDACT_ACCOUNT, 4, 16},
    {"licence", REDACT_ACCOUNT, 4, 16},
    {"phone", REDACT_PHONE, 7, 15},
    {"phone", REDACT_PHONE, 4, 4},
    {"telephone", REDACT_PHONE, 7, 15},
    {"tel", REDACT_PHONE, 7, 15},
    {"mobile", REDACT_PHONE, 7, 15},
    {"cell", REDACT_PHONE, 7, 15},
    {"cellphone", REDACT_PHONE, 7, 15},
    {"contact", REDACT_PHONE, 7, 15},
    {"landline", REDACT_PHONE, 7, 15},
    {"call", REDACT_PHONE, 7, 15},
    {"reach", REDACT_PHONE, 7, 15},
    {"text", REDACT_PHONE, 7, 15},
    {"whatsapp", REDACT_PHONE, 7, 15},
    {"fax", REDACT_PHONE, 7, 15},
    {"ph", REDACT_PHONE, 7, 15},
    {"pin code", REDACT_KINDS, 1, 8},
    {"zip", REDACT_KINDS, 1, 9},
    {"zipcode", REDACT_KINDS, 1, 9},
    {"postal", REDACT_KINDS, 1, 9},
    {"order", REDACT_KINDS, 1, 64},
    {"orders", REDACT_KINDS, 1, 64},
    {"tracking", REDACT_KINDS, 1, 64},
    {"transaction", REDACT_KINDS, 1, 64},
    {"ticket", REDACT_KINDS, 1, 64},
    {"reference", REDACT_KINDS, 1, 64},
    {"confirmation", REDACT_KINDS, 1, 64},
    {"booking", REDACT_KINDS, 1, 64},
    {"reservation", REDACT_KINDS, 1, 64},
    {"invoice", REDACT_KINDS, 1, 64},
    {"serial", REDACT_KINDS, 1, 64},
    {"claim", REDACT_KINDS, 1, 64},
    {"case", REDACT_KINDS, 1, 64},
    {"item", REDACT_KINDS, 1, 64},
    {"flight", REDACT_KINDS, 1, 5},
    {"model", REDACT_KINDS, 1, 8},
    {"year", REDACT_KINDS, 1, 8},
    {"date", REDACT_KINDS, 1, 8},
    {"charged", REDACT_KINDS, 1, 8},
    {"charge", REDACT_KINDS, 1, 8},
    {"paid", REDACT_KINDS, 1, 8},
    {"pay", REDACT_KINDS, 1, 8},
    {"amount", REDACT_KINDS, 1, 8},
    {"total", REDACT_KINDS, 1, 8},
    {"price", REDACT_KINDS, 1, 8},
    {"balance", REDACT_KINDS, 1, 8},
    {"transfer", REDACT_KINDS, 1, 8},
    {"expires", REDACT_KINDS, 1, 8},
    {"expiry", REDACT_KINDS, 1, 8},
    {"expiration", REDACT_KINDS, 1, 8},
    {"exp", REDACT_KINDS, 1, 8},
    {"valid", REDACT_KINDS, 1, 8},
    {"address", REDACT_KINDS, 1, 8},
};

enum { KEYWORDS = sizeof keywords / sizeof *keywords };

/* The longest keyword that ends just before token `end` and may say something of a number of so
 * many digits; a digits count of 0 asks for any. */
static const struct keyword *keyword_ending(const struct tokens *tokens, size_t end, size_t digits)
{
    const struct keyword *best = NULL;
    size_t longest = 0;
    for (size_t length = 1; length <= 4 && length <= end; length++) {
        for (size_t i = 0; i < KEYWORDS; i++) {
            const struct keyword *keyword = &keywords[i];
            if ((digits == 0 || (digits >= keyword->digits_min && digits <= keyword->digits_max)) &&
                length > longest && tokens_match(tokens, end - length, keyword->words) == length) {
                best = keyword;
                longest = length;
            }
        }
    }
    return best;
}

static bool ends_sentence(const struct tokens *tokens, size_t at)
{
    bool mark = tokens_is_mark(tokens, at, '.') || tokens_is_mark(tokens, at, '?') ||
                tokens_is_mark(tokens, at, '!') || tokens_is_mark(tokens, at, ';');
    return mark && (at + 1 >= tokens->count || !tokens->items[at + 1].glued);
}

/* The nearest keyword before the number that allows so many digits. The end of a sentence may lie
 * between only if it is a question: "your card number? 4111 ...". */
static const struct keyword *keyword_before(const struct tokens *tokens, const struct run *run)
{
    size_t words = 0;
    for (size_t at = run->pieces[0].first_token; at > 0 && words < WORDS_BACK; at--) {
        if (tokens->items[at - 1].kind == TOKEN_WORD) {
            words++;
        } else if (ends_sentence(tokens, at - 1) && !tokens_is_mark(tokens, at - 1, '?')) {
            return NULL;
        }
        const struct keyword *keyword = keyword_ending(tokens, at, run->digit_count);
        if (keyword) {
            return keyword;
        }
    }
    return NULL;
}

/* "3471 are my ssn", "4455 is the account number" */
static const struct keyword *keyword_after(const struct tokens *tokens, const struct run *run)
{
    static const char *const links[] = {"is",    "are",   "was",  "as", "for",
                                        "thats", "being", "this", NULL};
    static const char *const direct[] = {"ssn", "account", "acct", NULL};
    size_t at = run->pieces[run->piece_count - 1].end_token;
    if (tokens_is_among(tokens, at, direct)) {
        return keyword_ending(tokens, at + 1, run->digit_count);
    }
    at += tokens_is_mark(tokens, at, ',') ? 1 : 0;
    if (!tokens_is_among(tokens, at, links)) {
        return NULL;
    }
    for (size_t words = 0; words < WORDS_FORWARD && at < tokens->count; words++, at++) {
        if (tokens->items[at].kind != TOKEN_WORD) {
            break;
        }
        const struct keyword *keyword = keyword_ending(tokens, at + 1, run->digit_count);
        if (keyword) {
            return keyword;
        }
    }
    return NULL;
}

/* Whether the text has so few words besides its numbers that it merely answers. */
static bool is_answer(const struct tokens *tokens)
{
    size_t words = 0;
    for (size_t at = 0; at < tokens->count && words <= ANSWER_WORDS_MAX;) {
        struct run run;
        bool number = run_read(tokens, at, &run);
        words += number || tokens->items[at].kind != TOKEN_WORD ? 0 : 1;
        at = number ? run.pieces[run.piece_count - 1].end_token : at + 1;
    }
    return words <= ANSWER_WORDS_MAX;
}

/* What was asked for, if the number can be that. */
static enum redact_kind kind_expected(const struct run *run, uint32_t expected)
{
    static const enum redact_kind order[] = {REDACT_CVV, REDACT_SSN, REDACT_CARD, REDACT_PHONE,
                                             REDACT_ACCOUNT};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t k = 0; k < KEYWORDS && ((expected >> order[i]) & 1); k++) {
            if (keywords[k].kind == order[i] && run->digit_count >= keywords[k].digits_min &&
                run->digit_count <= keywords[k].digits_max) {
                return order[i];
            }
        }
    }
    return REDACT_KINDS;
}

/* --- form --- */

static bool has_groups(const struct run *run, size_t a, size_t b, size_t c)
{
    return run->piece_count == 3 && run->pieces[0].digits == a && run->pieces[1].digits == b &&
           run->pieces[2].digits == c;
}

/* Whether the pieces are groups of one number rather than numbers in a row: spoken, or written with
 * dashes, or as groups of three or four, or as people write telephone numbers. */
static bool is_one_number(const struct run *run)
{
    bool even = run->piece_count >= 3;
    for (size_t i = 0; i < run->piece_count; i++) {
        const struct run_piece *piece = &run->pieces[i];
        bool joined = i == 0 || piece->first_token > piece[-1].end_token;
        if (piece->spoken || (i > 0 && joined)) {
            return true;
        }
        even = even && (piece->digits == run->pieces[0].digits || i + 1 == run->piece_count) &&
               piece->digits >= 3 && piece->digits <= 4;
    }
    return run->piece_count == 1 || run->international || even || has_groups(run, 3, 3, 4) ||
           (run->piece_count == 2 && run->pieces[0].digits <= 5 && run->digit_count == 10) ||
           (run->pieces[0].digits == 1 && run->digit_count == 11);
}

static enum redact_kind kind_by_form(const struct run *run)
{
    size_t count = run->digit_count;
    if (has_groups(run, 3, 2, 4)) {
        return REDACT_SSN;
    }
    if ((count == 15 || count == 16) && is_issued(run->digits, count)) {
        return REDACT_CARD; /* a digit misheard */
    }
    if (!is_one_number(run)) {
        return REDACT_KINDS;
    }
    if (count == 7 && run->piece_count == 2 && run->pieces[0].digits == 3 &&
        run->pieces[1].first_token > run->pieces[0].end_token) {
        return REDACT_PHONE;
    }
    if ((run->international && count >= 8 && count <= 15) || count == 10 ||
        (count == 11 && (run->digits[0] == '1' || run->digits[0] == '0'))) {
        return REDACT_PHONE;
    }
    return count >= LONG_DIGITS ? REDACT_ACCOUNT : REDACT_KINDS;
}

static enum redact_kind kind_of(const struct tokens *tokens, const struct run *run,
                                const struct redact_options *options)
{
    const struct keyword *keyword = keyword_before(tokens, run);
    if (!keyword) {
        keyword = keyword_after(tokens, run);
    }
    if (run->measured) {
        return REDACT_KINDS;
    }
    if (keyword && (keyword->kind != REDACT_KINDS || !has_groups(run, 3, 2, 4))) {
        return keyword->kind;
    }
    enum redact_kind kind = kind_expected(run, options->expected);
    return kind != REDACT_KINDS ? kind : kind_by_form(run);
}

/* Back over letters that belong to an account number: "alt 758", "pvx-752197". */
static size_t prefix_begin(const struct tokens *tokens, size_t from)
{
    static const char *const links[] = {"is",  "no",  "my",  "the", "of",  "to",  "id",  "was",
                                        "and", "num", "for", "its", "it",  "as",  "in",  "on",
                                        "hi",  "acc", "ac",  "pin", "are", "one", "too", NULL};
    size_t at = from;
    at -= at > 0 && tokens_is_mark(tokens, at - 1, '-') ? 1 : 0;
    bool word = at > 0 && tokens->items[at - 1].kind == TOKEN_WORD &&
                tokens->items[at - 1].span == 0 &&
                tokens->items[at - 1].end - tokens->items[at - 1].begin <= 3 &&
                !tokens_is_among(tokens, at - 1, links);
    return word ? at - 1 : from;
}

/* Over "x 26982" and "extension 12" behind a telephone number. */
static size_t extension_end(const struct tokens *tokens, size_t to)
{
    static const char *const words[] = {"x", "ext", "extension", NULL};
    struct run run;
    size_t at = to;
    at += tokens_is_mark(tokens, at, ',') ? 1 : 0;
    if (!tokens_is_among(tokens, at, words)) {
        return to;
    }
    at += tokens_is_mark(tokens, at + 1, '.') ? 2 : 1;
    return run_read(tokens, at, &run) && run.digit_count <= 6
               ? run.pieces[run.piece_count - 1].end_token
               : to;
}

/* With what belongs to it: a bracket or plus sign before it, letters of an account, an extension.
 */
static void mark_run(struct tokens *tokens, const struct run *run, enum redact_kind kind)
{
    size_t from = run->pieces[0].first_token;
    size_t to = run->pieces[run->piece_count - 1].end_token;
    bool opened = from > 0 && tokens->items[from].glued && tokens->items[from - 1].span == 0 &&
                  (tokens_is_mark(tokens, from - 1, '(') || tokens_is_mark(tokens, from - 1, '+'));
    from -= opened ? 1 : 0;
    if (kind == REDACT_ACCOUNT) {
        from = prefix_begin(tokens, from);
    } else if (kind == REDACT_PHONE) {
        to = extension_end(tokens, to);
    }
    tokens_mark(tokens, from, to, kind);
}

/* --- runs --- */

/* A run without a card in it. */
static enum redact_kind judge_whole(struct tokens *tokens, const struct run *run,
                                    const struct redact_options *options)
{
    enum redact_kind kind = kind_of(tokens, run, options);
    if (kind != REDACT_KINDS) {
        mark_run(tokens, run, kind);
    }
    return kind;
}

/* The same; numbers in a row that are nothing together, "9952639633 1357", are judged one by one.
 */
static void judge_plain(struct tokens *tokens, const struct run *run,
                        const struct redact_options *options)
{
    if (judge_whole(tokens, run, options) != REDACT_KINDS) {
        return;
    }
    for (size_t i = 0; i < run->piece_count && !is_one_number(run); i++) {
        struct run part;
        run_part(run, i, i + 1, &part);
        (void)judge_whole(tokens, &part, options);
    }
    size_t from = run->pieces[0].first_token;
    size_t to = run->pieces[run->piece_count - 1].end_token;
    if (options->strict && run->digit_count >= STRICT_DIGITS_MIN &&
        tokens_are_free(tokens, from, to)) {
        mark_run(tokens, run, REDACT_NUMBER);
    }
}

/* A card may have other numbers before and after it: expiry date and code, or a telephone number.
 */
static void judge_run(struct tokens *tokens, const struct run *run,
                      const struct redact_options *options)
{
    size_t from;
    size_t to;
    struct run part;
    if (!find_card(run, &from, &to)) {
        judge_plain(tokens, run, options);
        return;
    }
    if (from > 0) {
        run_part(run, 0, from, &part);
        judge_run(tokens, &part, options);
    }
    run_part(run, from, to, &part);
    mark_run(tokens, &part, REDACT_CARD);
    if (to == run->piece_count) {
        return;
    }
    run_part(run, to, run->piece_count, &part);
    if (digits_in(run, to, run->piece_count) <= TAIL_DIGITS_MAX) {
        mark_run(tokens, &part, REDACT_CVV);
    } else {
        judge_run(tokens, &part, options);
    }
}

void number_find(struct tokens *tokens, const struct redact_options *given)
{
    struct redact_options own = *given;
    const struct redact_options *options = &own;
    struct run run;
    if (own.expected && !is_answer(tokens)) {
        own.expected = 0;
    }
    for (size_t at = 0; at < tokens->count;) {
        const struct token *token = &tokens->items[at];
        if (token->span == 0 && token->kind == TOKEN_DIGITS && token->word[0] == '\0') {
            tokens_mark(tokens, at, at + 1, REDACT_ACCOUNT); /* longer than any number of use */
            at++;
        } else if (token->span == 0 && run_read(tokens, at, &run)) {
            at = run.pieces[run.piece_count - 1].end_token;
            judge_run(tokens, &run, options);
        } else {
            at++;
        }
    }
}

uint32_t number_asked(const struct tokens *tokens)
{
    uint32_t asked = 0;
    for (size_t at = 1; at <= tokens->count; at++) {
        const struct keyword *keyword = keyword_ending(tokens, at, 0);
        if (keyword && keyword->kind != REDACT_KINDS) {
            asked |= 1u << keyword->kind;
        }
    }
    return asked;
}
