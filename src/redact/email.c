/* email.c - e-mail addresses: written, spelt out ("john dot smith at gmail dot com"), or as
 * recognisers without punctuation leave them ("john 45 gmailcom"). See redact_internal.h. */
#include "redact/redact_internal.h"

#include <string.h>

enum { LOCAL_PARTS_MAX = 24, DOMAIN_PARTS_MAX = 8 };

static const char *const top_levels[] = {"com", "org", "net", "edu",  "gov", "co",  "io",  "uk",
                                         "in",  "de",  "us",  "info", "biz", "me",  "ca",  "au",
                                         "fr",  "es",  "it",  "nl",   "tv",  "app", "dev", "ai",
                                         "ch",  "at",  "br",  "mx",   NULL};

static const char *const providers[] = {"gmail",   "yahoo",      "hotmail",    "outlook", "icloud",
                                        "aol",     "protonmail", "rediffmail", "ymail",   "msn",
                                        "comcast", "verizon",    NULL};

/* What stands before an address and is no part of it. */
static const char *const outside[] = {
    "is",      "its",     "my",      "email",   "mail",    "address", "id",      "to",
    "the",     "at",      "and",     "or",      "me",      "it",      "that",    "this",
    "was",     "use",     "on",      "so",      "yes",     "yeah",    "no",      "ok",
    "okay",    "sure",    "hi",      "hello",   "as",      "by",      "for",     "with",
    "send",    "you",     "your",    "can",     "emails",  "name",    "i",       "am",
    "im",      "a",       "account", "be",      "thats",   "would",   "will",    "number",
    "please",  "contact", "also",    "from",    "of",      "in",      "ill",     "confirmation",
    "look",    "looked",  "looking", "shop",    "shopped", "bought",  "buy",     "ordered",
    "saw",     "found",   "check",   "checked", "work",    "works",   "working", "available",
    "website", "site",    "online",  "page",    "reach",   "was",     "were",    "are",
    "arrived", "here",    "there",   "sold",    "persons", "code",    NULL};

static const char *const connectors[] = {"dot",   "underscore", "dash",  "hyphen", "period",
                                         "point", "plus",       "minus", NULL};

static bool is_connector(const struct tokens *tokens, size_t at)
{
    static const uint32_t marks[] = {'.', '_', '-', '+'};
    if (tokens_is_among(tokens, at, connectors)) {
        return true;
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (tokens_is_mark(tokens, at, marks[i])) {
            return true;
        }
    }
    return false;
}

static bool is_dot(const struct tokens *tokens, size_t at)
{
    return tokens_is_mark(tokens, at, '.') || tokens_is(tokens, at, "dot");
}

static bool is_single_letter(const struct tokens *tokens, size_t at)
{
    return tokens->items[at].kind == TOKEN_WORD && tokens->items[at].word[0] != '\0' &&
           tokens->items[at].word[1] == '\0';
}

static bool is_number(const struct tokens *tokens, size_t at)
{
    struct run run;
    return run_read(tokens, at, &run);
}

/* The first token of the local part that ends before `end`: back over what is joined by connectors,
 * spelt letter by letter, or digits, and one word that these hang on. */
static size_t local_begin(const struct tokens *tokens, size_t end)
{
    size_t at = end;
    bool has_word = false;
    while (at > 0 && end - at < LOCAL_PARTS_MAX && tokens->items[at - 1].span == 0) {
        size_t last = at - 1;
        bool joined = at < end && (is_connector(tokens, at) || tokens->items[at].glued);
        if (is_connector(tokens, last)) {
            if (last == 0 || at == end) {
                break;
            }
        } else if (tokens->items[last].kind == TOKEN_MARK) {
            break;
        } else if (is_single_letter(tokens, last) || is_number(tokens, last)) {
            if (has_word && !joined && tokens_is_among(tokens, last, outside)) {
                break;
            }
        } else if (tokens_is_among(tokens, last, outside) && !joined) {
            break;
        } else if (has_word && !joined) {
            break;
        } else {
            has_word = true;
        }
        at = last;
    }
    while (at < end && is_connector(tokens, at)) {
        at++;
    }
    return at;
}

/* Where a domain that begins at `at` ends, or `at` if none does: "example dot co dot uk",
 * "mail.example.com", "g mail dot com", or a provider's bare name. */
static size_t domain_end(const struct tokens *tokens, size_t at)
{
    size_t end = at;
    size_t best = at;
    if (tokens_is_among(tokens, at, providers)) {
        best = at + 1;
    }
    for (size_t parts = 0; parts < DOMAIN_PARTS_MAX && end < tokens->count; parts++) {
        if (tokens->items[end].kind == TOKEN_MARK && !tokens_is_mark(tokens, end, '-')) {
            break;
        }
        end++;
        bool dotted = is_dot(tokens, end) && end + 1 < tokens->count;
        bool written = dotted && tokens->items[end].glued && tokens->items[end + 1].glued &&
                       tokens->items[end + 1].kind == TOKEN_WORD;
        if (dotted && (written || tokens_is_among(tokens, end + 1, top_levels))) {
            best = end + 2;
        }
        end += dotted ? 1 : 0;
        if (best > at && end >= best && !dotted) {
            break;
        }
    }
    return best;
}

static void find_at_signs(struct tokens *tokens)
{
    for (size_t at = 1; at + 1 < tokens->count; at++) {
        bool sign = tokens_is_mark(tokens, at, '@');
        size_t begin_domain = at + 1;
        if (!sign && !tokens_is(tokens, at, "at")) {
            continue;
        }
        size_t rate = tokens_match(tokens, at + 1, "the rate of");
        rate = rate ? rate : tokens_match(tokens, at + 1, "the rate");
        rate = rate ? rate : tokens_match(tokens, at + 1, "rate");
        begin_domain += rate;
        size_t end = domain_end(tokens, begin_domain);
        if (end == begin_domain && sign && tokens->items[at + 1].glued) {
            end = begin_domain + 1; /* an address cut short */
        }
        size_t begin = local_begin(tokens, at);
        if (end > begin_domain && begin < at && tokens_are_free(tokens, begin, end)) {
            tokens_mark(tokens, begin, end, REDACT_EMAIL);
            at = end - 1;
        }
    }
}

/* --- "john 45 gmailcom" --- */

/* How many bytes of the word a provider with its ending takes, from the end; 0 for none. */
static size_t glued_provider(const char *word, size_t bytes)
{
    static const char *const endings[] = {"gmailcom",  "yahoocom",   "mailcom",    "outlookcom",
                                          "icloudcom", "aolcom",     "msncom",     "livecom",
                                          "gmailxom",  "comcastnet", "verizonnet", "yahoocoin",
                                          "mailorg",   "mailnet",    NULL};
    for (size_t i = 0; endings[i]; i++) {
        size_t length = strlen(endings[i]);
        size_t j = 0;
        while (length <= bytes && j < length) {
            char c = word[bytes - length + j];
            if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != endings[i][j]) {
                break;
            }
            j++;
        }
        if (j == length) {
            return length;
        }
    }
    return 0;
}

static void find_glued(struct tokens *tokens)
{
    for (size_t at = 0; at < tokens->count; at++) {
        const struct token *token = &tokens->items[at];
        size_t bytes = token->end - token->begin;
        size_t provider = token->kind == TOKEN_WORD && token->span == 0
                              ? glued_provider(tokens->text + token->begin, bytes)
                              : 0;
        if (provider == 0) {
            continue;
        }
        size_t begin = at;
        bool bare = bytes - provider <= 2; /* nothing, or a part of the provider's own name */
        bool numbered = at > 0 && tokens->items[at - 1].kind == TOKEN_DIGITS;
        if (bare || numbered || (at > 0 && token->glued)) {
            begin = local_begin(tokens, at);
        }
        tokens_mark(tokens, begin, at + 1, REDACT_EMAIL);
    }
}

void email_find(struct tokens *tokens)
{
    find_at_signs(tokens);
    find_glued(tokens);
}
