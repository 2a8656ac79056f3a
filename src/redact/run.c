/* run.c - numbers in a text, written, spoken or both, as one string of digits with the places they
 * come from. Knows nothing of what a number may be. See redact_internal.h. */
#include "redact/redact_internal.h"

#include <string.h>

enum { FILLERS_MAX = 3 };

static const char *const units[] = {"zero", "one",   "two",   "three", "four", "five",
                                    "six",  "seven", "eight", "nine",  NULL};
static const char *const teens[] = {"ten",      "eleven",   "twelve",  "thirteen",
                                    "fourteen", "fifteen",  "sixteen", "seventeen",
                                    "eighteen", "nineteen", NULL};
static const char *const tens[] = {"twenty",  "thirty", "forty",  "fifty", "sixty",
                                   "seventy", "eighty", "ninety", NULL};
static const char *const noughts[] = {"oh", "o", "nought", "naught", NULL};
static const char *const fillers[] = {"uh",   "um", "er", "ah",  "uhm",    "erm",   "dash",
                                      "then", "hm", "mm", "and", "hyphen", "space", NULL};

/* Words that are heard for digits, between digits: "two for five to". */
static const struct {
    const char *word;
    char digit;
} homophones[] = {{"to", '2'},   {"too", '2'}, {"for", '4'},
                  {"fore", '4'}, {"ate", '8'}, {"won", '1'}};

static int place_of(const struct tokens *tokens, size_t at, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (tokens_is(tokens, at, words[i])) {
            return i;
        }
    }
    return -1;
}

/* A spoken digit; -1 for none. */
static int unit_at(const struct tokens *tokens, size_t at)
{
    return place_of(tokens, at, noughts) >= 0 ? 0 : place_of(tokens, at, units);
}

static bool add_digits(struct run *run, const char *digits, size_t count)
{
    if (run->digit_count + count > RUN_DIGITS_MAX) {
        return false;
    }
    memcpy(run->digits + run->digit_count, digits, count);
    run->digit_count += count;
    run->digits[run->digit_count] = '\0';
    return true;
}

/* "double five", "triple oh" */
static size_t read_multiple(const struct tokens *tokens, size_t at, char digits[8], size_t *count)
{
    size_t times = tokens_is(tokens, at, "double") ? 2 : tokens_is(tokens, at, "triple") ? 3 : 0;
    int unit = unit_at(tokens, at + 1);
    if (unit < 0 && at + 1 < tokens->count && tokens->items[at + 1].kind == TOKEN_DIGITS &&
        strlen(tokens->items[at + 1].word) == 1) {
        unit = tokens->items[at + 1].word[0] - '0';
    }
    if (times == 0 || unit < 0) {
        return 0;
    }
    memset(digits, '0' + unit, times);
    *count = times;
    return 2;
}

/* The digits of one spoken number such as "four", "forty one", "eleven", "eight hundred"; how many
 * tokens it takes, 0 for none. */
static size_t read_spoken(const struct tokens *tokens, size_t at, char digits[8], size_t *count)
{
    int unit = unit_at(tokens, at);
    int teen = place_of(tokens, at, teens);
    int ten = place_of(tokens, at, tens);
    if (unit >= 0) {
        bool hundred = tokens_is(tokens, at + 1, "hundred");
        bool thousand = tokens_is(tokens, at + 1, "thousand");
        digits[0] = (char)('0' + unit);
        memset(digits + 1, '0', 3);
        *count = hundred ? 3 : thousand ? 4 : 1;
        return hundred || thousand ? 2 : 1;
    }
    if (teen >= 0) {
        digits[0] = '1';
        digits[1] = (char)('0' + teen);
        *count = 2;
        return 1;
    }
    if (ten >= 0) {
        size_t joint = tokens_is_mark(tokens, at + 1, '-') ? 2 : 1;
        int last = place_of(tokens, at + joint, units);
        digits[0] = (char)('2' + ten);
        digits[1] = (char)('0' + (last > 0 ? last : 0));
        *count = 2;
        return last > 0 ? joint + 1 : 1;
    }
    return read_multiple(tokens, at, digits, count);
}

/* A homophone, if a spoken digit follows. */
static size_t read_homophone(const struct tokens *tokens, size_t at, char digits[8], size_t *count)
{
    for (size_t i = 0; i < sizeof homophones / sizeof *homophones; i++) {
        if (tokens_is(tokens, at, homophones[i].word) && unit_at(tokens, at + 1) >= 0) {
            digits[0] = homophones[i].digit;
            *count = 1;
            return 1;
        }
    }
    return 0;
}

/* The piece that begins at this token; false if none does or the run is full. */
static bool read_piece(const struct tokens *tokens, size_t at, struct run *run)
{
    char spoken[8];
    size_t count = 0;
    size_t taken = 0;
    if (at >= tokens->count || run->piece_count == RUN_PIECES_MAX || tokens->items[at].span) {
        return false;
    }
    const struct token *token = &tokens->items[at];
    const char *digits = spoken;
    bool is_spoken = token->kind == TOKEN_WORD;
    if (token->kind == TOKEN_DIGITS) {
        digits = token->word;
        count = strlen(digits); /* 0 for one too long to be any number */
        taken = count ? 1 : 0;
    } else if (is_spoken) {
        taken = read_spoken(tokens, at, spoken, &count);
        if (taken == 0 && run->piece_count > 0 && run->pieces[run->piece_count - 1].spoken) {
            taken = read_homophone(tokens, at, spoken, &count);
        }
    }
    struct run_piece piece = {at, at + taken, run->digit_count, count, is_spoken};
    if (taken == 0 || !add_digits(run, digits, count)) {
        return false;
    }
    run->pieces[run->piece_count++] = piece;
    return true;
}

static bool is_dash(uint32_t c)
{
    return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

/* Whether the mark may stand inside a number. */
static bool is_separator(const struct tokens *tokens, size_t at, const struct run_piece *before)
{
    const struct token *token = &tokens->items[at];
    if (token->kind != TOKEN_MARK) {
        return false;
    }
    if (token->code_point == ',') {
        const struct token *next = token + 1;
        bool dashed =
            before->first_token > 0 && is_dash(tokens->items[before->first_token - 1].code_point);
        bool grouped = at + 1 < tokens->count && next->kind == TOKEN_DIGITS && !dashed &&
                       strlen(next->word) <= 4 && before->digits <= 4;
        return grouped || before->spoken;
    }
    return is_dash(token->code_point) || token->code_point == '.' || token->code_point == '(' ||
           token->code_point == ')' || token->code_point == '_' || token->code_point == '*' ||
           token->code_point == 0x2026;
}

/* Where the next piece may begin behind `at`; tokens->count if the number has ended. */
static size_t skip_between(const struct tokens *tokens, size_t at, const struct run_piece *before)
{
    for (int i = 0; i < FILLERS_MAX && at < tokens->count; i++) {
        bool filler = tokens_is_among(tokens, at, fillers);
        if (filler && tokens_is(tokens, at, "and") && !before->spoken) {
            break;
        }
        if (!filler && !is_separator(tokens, at, before)) {
            break;
        }
        at++;
    }
    return at;
}

/* Whether money, time or a count of things is meant. */
static bool is_measured(const struct tokens *tokens, size_t from, size_t to)
{
    static const char *const words[] = {
        "dollars", "dollar", "bucks", "euros",  "euro",    "pounds", "cents", "rupees",
        "usd",     "eur",    "gbp",   "hours",  "hour",    "days",   "day",   "business",
        "minutes", "minute", "mins",  "weeks",  "months",  "years",  "times", "seconds",
        "am",      "pm",     "items", "people", "percent", NULL};
    static const uint32_t signs[] = {'$', 0x20AC, 0xA3, 0xA5, 0x20B9};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if ((from > 0 && tokens_is_mark(tokens, from - 1, signs[i])) ||
            tokens_is_mark(tokens, to, signs[i])) {
            return true;
        }
    }
    return tokens_is_mark(tokens, to, '%') || tokens_is_among(tokens, to, words);
}

bool run_read(const struct tokens *tokens, size_t at, struct run *run)
{
    *run = (struct run){0};
    if (!read_piece(tokens, at, run)) {
        return false;
    }
    for (;;) {
        const struct run_piece *last = &run->pieces[run->piece_count - 1];
        if (!read_piece(tokens, skip_between(tokens, last->end_token, last), run)) {
            break;
        }
    }
    size_t end = run->pieces[run->piece_count - 1].end_token;
    run->international =
        at > 0 && (tokens_is_mark(tokens, at - 1, '+') || tokens_is(tokens, at - 1, "plus"));
    run->measured = is_measured(tokens, at, end);
    return true;
}

void run_part(const struct run *run, size_t from, size_t to, struct run *part)
{
    *part =
        (struct run){.international = run->international && from == 0, .measured = run->measured};
    for (size_t i = from; i < to; i++) {
        struct run_piece piece = run->pieces[i];
        (void)add_digits(part, run->digits + piece.first_digit, piece.digits);
        piece.first_digit = part->digit_count - piece.digits;
        part->pieces[part->piece_count++] = piece;
    }
}
