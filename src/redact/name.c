/* name.c - names of people who say their own: "my name is ...", "this is ... speaking", "I'm ...".
 * There is no list of names; a name is what follows such words and is no everyday word, so "my name
 * is on the account" holds none. See redact_internal.h. */
#include "redact/redact_internal.h"

#include <string.h>

enum { NAME_WORDS_MAX = 4, SPELT_LETTERS_MIN = 3, ANSWER_WORDS_MAX = 4 };

/* Words that are no name and end one. */
static const char *const everyday[] = {"a",           "able",
                                       "about",       "account",
                                       "acct",        "actually",
                                       "address",     "after",
                                       "again",       "all",
                                       "already",     "also",
                                       "am",          "an",
                                       "and",         "any",
                                       "are",         "as",
                                       "asking",      "at",
                                       "available",   "back",
                                       "bad",         "be",
                                       "because",     "been",
                                       "before",      "being",
                                       "billing",     "birth",
                                       "booking",     "but",
                                       "by",          "bye",
                                       "call",        "called",
                                       "calling",     "can",
                                       "cant",        "card",
                                       "case",        "cell",
                                       "claim",       "code",
                                       "complete",    "confirmation",
                                       "confused",    "contact",
                                       "correct",     "could",
                                       "credit",      "customer",
                                       "date",        "day",
                                       "did",         "do",
                                       "does",        "doing",
                                       "done",        "dont",
                                       "email",       "evening",
                                       "every",       "exactly",
                                       "fine",        "first",
                                       "for",         "from",
                                       "full",        "getting",
                                       "give",        "glad",
                                       "go",          "going",
                                       "good",        "got",
                                       "great",       "had",
                                       "happy",       "has",
                                       "have",        "having",
                                       "he",          "hello",
                                       "help",        "her",
                                       "here",        "hey",
                                       "hi",          "him",
                                       "his",         "how",
                                       "i",           "id",
                                       "if",          "ill",
                                       "im",          "in",
                                       "information", "interested",
                                       "is",          "isnt",
                                       "it",          "its",
                                       "ive",         "just",
                                       "know",        "last",
                                       "late",        "let",
                                       "like",        "listed",
                                       "looking",     "lost",
                                       "madam",       "maam",
                                       "mail",        "maybe",
                                       "me",          "middle",
                                       "misspelled",  "mobile",
                                       "morning",     "my",
                                       "name",        "names",
                                       "need",        "never",
                                       "new",         "next",
                                       "no",          "not",
                                       "now",         "number",
                                       "of",          "off",
                                       "ok",          "okay",
                                       "old",         "on",
                                       "one",         "only",
                                       "or",          "order",
                                       "our",         "out",
                                       "password",    "phone",
                                       "pin",         "please",
                                       "policy",      "problem",
                                       "ready",       "really",
                                       "reaching",    "regarding",
                                       "right",       "same",
                                       "security",    "she",
                                       "should",      "sir",
                                       "so",          "social",
                                       "some",        "sorry",
                                       "speaking",    "spelled",
                                       "spelling",    "spelt",
                                       "ssn",         "still",
                                       "sure",        "tell",
                                       "thank",       "thanks",
                                       "that",        "thats",
                                       "the",         "their",
                                       "them",        "then",
                                       "there",       "they",
                                       "this",        "three",
                                       "ticket",      "time",
                                       "to",          "today",
                                       "too",         "trying",
                                       "two",         "ty",
                                       "unable",      "under",
                                       "until",       "up",
                                       "upset",       "us",
                                       "username",    "using",
                                       "very",        "waiting",
                                       "want",        "wanted",
                                       "was",         "we",
                                       "well",        "were",
                                       "what",        "when",
                                       "where",       "which",
                                       "who",         "why",
                                       "will",        "with",
                                       "won",         "would",
                                       "wrong",       "yeah",
                                       "yes",         "yet",
                                       "you",         "your",
                                       "youre",       "zip",
                                       "ridiculous",  "unacceptable",
                                       "terrible",    "awful",
                                       "important",   "different",
                                       "changed",     "incorrect",
                                       "mine",        "spouse",
                                       "wife",        "husband",
                                       "calls",       "number",
                                       "details",     "confirmed",
                                       "four",        "five",
                                       "digits",      "detail",
                                       "crazy",       "insane",
                                       "urgent",      "true",
                                       "false",       "stupid",
                                       "broken",      "fraud",
                                       "robbery",     "hell",
                                       "hard",        "nice",
                                       "cool",        "easy",
                                       "unfair",      "weird",
                                       "odd",         "strange",
                                       "enough",      "everything",
                                       "nothing",     "emergency",
                                       "horrible",    "nonsense",
                                       "pathetic",    "absurd",
                                       "perfect",     "awesome",
                                       "joke",        "theft",
                                       "madness",     "unreal",
                                       "better",      "worse",
                                       "kind",        "sort",
                                       "part",        "brand",
                                       "aware",       "angry",
                                       "mad",         "tired",
                                       "sick",        "furious",
                                       "alone",       "home",
                                       "busy",        "bullshit",
                                       "shit",        "awkward",
                                       "urgently",    "simple",
                                       "final",       "normal",
                                       "wild",        "unbelievable",
                                       "my",          "another",
                                       "second",      "third",
                                       "way",         "where",
                                       "who",         "exact",
                                       "bit",         "little",
                                       "such",        "quite",
                                       "conform",     "mandatory",
                                       "near",        "far",
                                       "over",        "basic",
                                       "unclear",     "unfortunate",
                                       "amazing",     NULL};

static const char *const titles[] = {"mr", "mrs", "ms", "miss", "dr", "doctor", "sir", NULL};

static const char *const particles[] = {"de", "van", "der", "den", "von", "la", "bin",
                                        "al", "del", "da",  "di",  "ibn", "st", NULL};

/* A word that may be (part of) a name. */
static bool may_be_name(const struct tokens *tokens, size_t at)
{
    if (at >= tokens->count || tokens->items[at].kind != TOKEN_WORD || tokens->items[at].span) {
        return false;
    }
    return !tokens_is_among(tokens, at, everyday);
}

static bool is_letter(const struct tokens *tokens, size_t at)
{
    return at < tokens->count && tokens->items[at].kind == TOKEN_WORD &&
           tokens->items[at].end - tokens->items[at].begin == 1;
}

/* Whether capitals tell something in this text. */
static bool is_cased(const struct tokens *tokens)
{
    return tokens->has_lower && tokens->has_upper;
}

/* Letter by letter: "j o h n", "J-O-H-N"; its end, or `at` for fewer than SPELT_LETTERS_MIN. */
static size_t spelt_end(const struct tokens *tokens, size_t at)
{
    size_t letters = 0;
    size_t end = at;
    size_t next = at;
    while (is_letter(tokens, next) && tokens->items[next].span == 0) {
        letters++;
        end = ++next;
        if (tokens_is_mark(tokens, next, '-') || tokens_is_mark(tokens, next, '.') ||
            tokens_is_mark(tokens, next, ',')) {
            next++;
        }
    }
    return letters >= SPELT_LETTERS_MIN ? end : at;
}

/* Past what may stand between two words of a name: a hyphen, the point of an initial or a title. */
static size_t skip_joint(const struct tokens *tokens, size_t at)
{
    bool short_word = is_letter(tokens, at - 1) || tokens_is_among(tokens, at - 1, titles);
    bool point = short_word && tokens_is_mark(tokens, at, '.');
    bool hyphen = tokens_is_mark(tokens, at, '-') && tokens->items[at].glued;
    return at + (point || hyphen ? 1 : 0);
}

/* Where a name that begins at `at` ends, or `at` if none does. */
static size_t name_end(const struct tokens *tokens, size_t at)
{
    size_t begin = at;
    while (tokens_is_among(tokens, at, titles)) {
        at += tokens_is_mark(tokens, at + 1, '.') ? 2 : 1;
    }
    size_t spelt = spelt_end(tokens, at);
    if (spelt > at) {
        return spelt;
    }
    if (!may_be_name(tokens, at)) {
        return begin;
    }
    bool capitals = is_cased(tokens) && tokens->items[at].capital;
    size_t end = at + 1;
    for (size_t words = 1; words < NAME_WORDS_MAX; words++) {
        size_t next = skip_joint(tokens, end);
        bool initial = is_letter(tokens, next) && may_be_name(tokens, next + 1) &&
                       !tokens_is(tokens, next, "i");
        bool particle = tokens_is_among(tokens, next, particles);
        if (!initial && !particle && !may_be_name(tokens, next)) {
            break;
        }
        if (capitals && !tokens->items[next].capital && !particle) {
            break;
        }
        end = next + 1;
    }
    return end;
}

/* How many tokens introduce a name at `at`; 0 for none. */
static size_t introduction(const struct tokens *tokens, size_t at)
{
    static const char *const things[] = {"company", "city",   "brand",  "product", "business",
                                         "user",    "domain", "street", "file",    "bank",
                                         "store",   "model",  "item",   "hotel",   "restaurant",
                                         "place",   "town",   "state",  "pany",    NULL};
    static const char *const phrases[] = {"name is",
                                          "names",
                                          "name was",
                                          "name will be",
                                          "surname is",
                                          "name on the card is",
                                          "name on the account is",
                                          "name on file is",
                                          "name on card is",
                                          "name for the account is",
                                          "account holder is",
                                          "account holder name is",
                                          "card holder is",
                                          "cardholder is",
                                          "card holder name is",
                                          "go by",
                                          "name its",
                                          "name it is",
                                          NULL};
    if (at > 0 && tokens_is_among(tokens, at - 1, things)) {
        return 0;
    }
    for (size_t i = 0; phrases[i]; i++) {
        size_t taken = tokens_match(tokens, at, phrases[i]);
        if (taken && strcmp(phrases[i], "names") == 0 &&
            (at == 0 || !tokens_is(tokens, at - 1, "my"))) {
            continue; /* "names are", but "my name's" */
        }
        if (taken) {
            taken += tokens_is_mark(tokens, at + taken, ':') ? 1 : 0;
            return taken;
        }
    }
    static const char *const before[] = {"my",   "full",   "details", "first",
                                         "last", "second", "middle",  NULL};
    bool own =
        tokens_is(tokens, at, "name") && (at == 0 || tokens_is_among(tokens, at - 1, before));
    if (own) {
        return tokens_is_mark(tokens, at + 1, ':') || tokens_is_mark(tokens, at + 1, '-') ? 2 : 1;
    }
    return 0;
}

/* Whether a word without capitals ends like a verb or an adjective. */
static bool is_described(const struct tokens *tokens, size_t at)
{
    static const char *const endings[] = {"ing",  "ed",  "ous",  "ful",  "able", "ible", "ive",
                                          "less", "ary", "ment", "tion", "ness", "ly",   NULL};
    const char *word = tokens->items[at].word;
    size_t bytes = strlen(word);
    for (size_t i = 0; endings[i]; i++) {
        size_t length = strlen(endings[i]);
        if (bytes > length + 1 && strcmp(word + bytes - length, endings[i]) == 0) {
            return true;
        }
    }
    return bytes == 0;
}

/* "hello this is ann lee" without capitals: early in the text, which goes on with nothing, or with
 * what people say after their name. */
static bool is_greeting(const struct tokens *tokens, size_t at, size_t begin, size_t end)
{
    static const char *const followers[] = {
        "from", "here",     "calling", "speaking", "and",    "my",   "i",     "contact",
        "ssn",  "password", "account", "company",  "policy", "name", "phone", NULL};
    bool followed = end == tokens->count || tokens_is_among(tokens, end, followers) ||
                    tokens->items[end].kind == TOKEN_DIGITS;
    return at <= 3 && followed && end - begin <= 3 && !is_described(tokens, begin);
}

/* "this is Ann Lee speaking": where the name begins and ends. */
static bool read_speaker(const struct tokens *tokens, size_t at, size_t *begin, size_t *end)
{
    static const char *const closings[] = {"speaking", "calling", "here", "from", NULL};
    size_t taken = tokens_match(tokens, at, "this is");
    taken = taken ? taken : tokens_match(tokens, at, "you are speaking with");
    taken = taken ? taken : tokens_match(tokens, at, "youre speaking with");
    taken = taken ? taken : tokens_match(tokens, at, "you are speaking to");
    if (taken == 0) {
        return false;
    }
    *begin = at + taken;
    *end = name_end(tokens, *begin);
    bool with = taken > 2;
    size_t next = *end + (tokens_is_mark(tokens, *end, ',') ? 1 : 0);
    bool closed = tokens_is_among(tokens, next, closings);
    bool capital = is_cased(tokens) && *begin < tokens->count && tokens->items[*begin].capital &&
                   !tokens->items[*begin].shouted;
    bool greeting = !is_cased(tokens) && *end > *begin && is_greeting(tokens, at, *begin, *end);
    return *end > *begin && (closed || capital || with || greeting);
}

/* "Hi, I'm Ann", "hello i am ann from ...". */
static bool read_self(const struct tokens *tokens, size_t at, size_t *begin, size_t *end)
{
    static const char *const greetings[] = {"hi",      "hello", "hey", "morning", "afternoon",
                                            "evening", "hii",   "hai", NULL};
    size_t taken = tokens_match(tokens, at, "i am");
    taken = taken ? taken : tokens_match(tokens, at, "im");
    *begin = at + taken;
    *end = *begin;
    if (taken == 0 || *begin >= tokens->count) {
        return false;
    }
    *end = name_end(tokens, *begin);
    if (*end == *begin) {
        return false;
    }
    if (is_cased(tokens)) {
        return tokens->items[*begin].capital && !tokens->items[*begin].shouted;
    }
    size_t before = at > 0 && tokens_is_mark(tokens, at - 1, ',') ? at - 1 : at;
    return before > 0 && tokens_is_among(tokens, before - 1, greetings) &&
           is_greeting(tokens, at, *begin, *end);
}

/* After a name, its spelling: "john that's j o h n". */
static void mark_spelling(struct tokens *tokens, size_t at)
{
    size_t limit = at + 6 < tokens->count ? at + 6 : tokens->count;
    for (; at < limit; at++) {
        size_t end = spelt_end(tokens, at);
        if (end > at) {
            tokens_mark(tokens, at, end, REDACT_NAME);
            return;
        }
    }
}

static void mark_name(struct tokens *tokens, size_t begin, size_t end)
{
    if (tokens_are_free(tokens, begin, end)) {
        tokens_mark(tokens, begin, end, REDACT_NAME);
        mark_spelling(tokens, end);
    }
}

/* Whether the whole text is a name: the answer to "your name please?". */
static bool is_bare_name(const struct tokens *tokens, size_t *begin, size_t *end)
{
    static const char *const openings[] = {"yes", "sure", "its", "it", "is", "ok", "okay", NULL};
    *begin = 0;
    while (tokens_is_among(tokens, *begin, openings) || tokens_is_mark(tokens, *begin, ',')) {
        (*begin)++;
    }
    *end = name_end(tokens, *begin);
    size_t after = *end;
    while (after < tokens->count && tokens->items[after].kind == TOKEN_MARK) {
        after++;
    }
    return *end > *begin && *end - *begin <= ANSWER_WORDS_MAX &&
           (after == tokens->count || tokens->items[after].span != 0);
}

void name_find(struct tokens *tokens, const struct redact_options *options)
{
    size_t begin;
    size_t end;
    if (((options->expected >> REDACT_NAME) & 1) && is_bare_name(tokens, &begin, &end)) {
        mark_name(tokens, begin, end);
    }
    for (size_t at = 0; at < tokens->count; at++) {
        size_t taken = introduction(tokens, at);
        if (taken) {
            begin = at + taken;
            end = name_end(tokens, begin);
        } else if (!read_speaker(tokens, at, &begin, &end) &&
                   !read_self(tokens, at, &begin, &end)) {
            continue;
        }
        if (end > begin) {
            mark_name(tokens, begin, end);
            at = end - 1;
        }
    }
}

bool name_is_asked(const struct tokens *tokens)
{
    static const char *const questions[] = {
        "your name",      "your full name",      "your first name",
        "your last name", "i speaking with",     "i speaking to",
        "your good name", "first and last name", NULL};
    for (size_t at = 0; at < tokens->count; at++) {
        for (size_t i = 0; questions[i]; i++) {
            if (tokens_match(tokens, at, questions[i])) {
                return true;
            }
        }
    }
    return false;
}
