/* lexicon.c - see lexicon.h. The list is one sorted array, looked up by halves. A word is a run of
 * letters, digits, non-ASCII bytes and the marks the list's own words hold; ASCII is folded to
 * lower case, nothing else is. No stemming: the list has the forms. No irony, no "very". */
#include "nlp/lexicon.h"

#include "base/buf.h"
#include "base/lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES_MAX = 32, WORDS_MAX = 1 << 20, NEGATION_REACH = 3 };

struct entry {
    char word[WORD_BYTES_MAX];
    int polarity; /* 1 or -1; 0: in both lists */
};

struct lexicon {
    struct entry *entries; /* sorted by word */
    size_t count;
    size_t capacity;
};

/* --- reading --- */

static int add_word(struct lexicon *lexicon, const char *word, int polarity)
{
    if (lexicon->count == lexicon->capacity) {
        size_t capacity = lexicon->capacity ? lexicon->capacity * 2 : 1024;
        struct entry *grown =
            capacity <= WORDS_MAX ? realloc(lexicon->entries, capacity * sizeof *grown) : NULL;
        if (!grown) {
            return ERROR_MEMORY;
        }
        lexicon->entries = grown;
        lexicon->capacity = capacity;
    }
    struct entry *entry = &lexicon->entries[lexicon->count++];
    *entry = (struct entry){.polarity = polarity};
    memcpy(entry->word, word, strlen(word) + 1);
    return 0;
}

static int read_list(struct lexicon *lexicon, const char *directory, const char *name, int polarity,
                     struct error *err)
{
    struct buf path;
    struct lines *lines = NULL;
    const char *line;
    size_t size;
    int got = 1;
    buf_init(&path, 4096);
    buf_printf(&path, "%s/%s", directory, name);
    int result = lines_open(&lines, buf_string(&path), 4096, err);
    while (!result && (got = lines_next(lines, &line, &size, err)) == 1) {
        if (size >= WORD_BYTES_MAX || strlen(line) != size) {
            result = error_set(err, ERROR_FORMAT, "%s:%zu: not a word of at most %d bytes",
                               buf_string(&path), lines_number(lines), WORD_BYTES_MAX - 1);
        } else if (size > 0 && add_word(lexicon, line, polarity)) {
            result = error_set(err, ERROR_MEMORY, "%s:%zu: no memory for another word",
                               buf_string(&path), lines_number(lines));
        }
    }
    lines_close(lines);
    buf_done(&path);
    return result || got == 0 ? result : (int)ERROR_IO;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    return strcmp(left->word, right->word);
}

/* Leaves one entry a word; of no polarity where the lists disagree. */
static void merge_equals(struct lexicon *lexicon)
{
    size_t kept = 0;
    qsort(lexicon->entries, lexicon->count, sizeof *lexicon->entries, compare_entries);
    for (size_t i = 0; i < lexicon->count; i++) {
        struct entry *last = kept > 0 ? &lexicon->entries[kept - 1] : NULL;
        if (!last || strcmp(last->word, lexicon->entries[i].word) != 0) {
            lexicon->entries[kept++] = lexicon->entries[i];
        } else if (last->polarity != lexicon->entries[i].polarity) {
            last->polarity = 0;
        }
    }
    lexicon->count = kept;
}

int lexicon_open(struct lexicon **lexicon, const char *directory, struct error *err)
{
    *lexicon = NULL;
    struct lexicon *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for a list of words");
    }
    int result = read_list(made, directory, "positive-words.txt", 1, err);
    result = result ? result : read_list(made, directory, "negative-words.txt", -1, err);
    if (!result && made->count == 0) {
        result = error_set(err, ERROR_FORMAT, "%s: the lists of words are empty", directory);
    }
    if (result) {
        lexicon_close(made);
        return result;
    }
    merge_equals(made);
    *lexicon = made;
    return 0;
}

void lexicon_close(struct lexicon *lexicon)
{
    if (lexicon) {
        free(lexicon->entries);
        free(lexicon);
    }
}

/* --- scoring --- */

static bool in_words(const char *const *words, const char *word)
{
    for (; *words; words++) {
        if (strcmp(*words, word) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_negation(const char *word)
{
    static const char *const words[] = {"not",    "no",      "never", "none",   "nothing",
                                        "nobody", "neither", "nor",   "cannot", "without",
                                        "hardly", "barely",  "dont",  "cant",   "wont",
                                        "didnt",  "doesnt",  "isnt",  NULL};
    size_t size = strlen(word);
    return in_words(words, word) || (size > 3 && strcmp(word + size - 3, "n't") == 0);
}

static int polarity_of(const struct lexicon *lexicon, const char *word)
{
    /* Opinions in a review, fillers in speech. */
    static const char *const fillers[] = {"like", "right", "well", "sorry", "pretty", NULL};
    struct entry wanted;
    memcpy(wanted.word, word, strlen(word) + 1);
    const struct entry *found = bsearch(&wanted, lexicon->entries, lexicon->count,
                                        sizeof *lexicon->entries, compare_entries);
    return found && !in_words(fillers, word) ? found->polarity : 0;
}

static bool is_word_byte(unsigned char byte)
{
    return byte >= 0x80 || isalnum(byte) || byte == '\'' || byte == '-' || byte == '*' ||
           byte == '+';
}

/* The next word from *at on, in lower case, with ' for a typographic apostrophe; a word too long
 * for any list is cut. *parted tells of a comma or the like before it. False at the end of the
 * text. */
static bool next_word(const char *bytes, size_t size, size_t *at, char out[WORD_BYTES_MAX],
                      bool *parted)
{
    static const char apostrophe[] = "\xE2\x80\x99";
    size_t used = 0;
    *parted = false;
    while (*at < size) {
        bool curly = size - *at >= 3 && memcmp(bytes + *at, apostrophe, 3) == 0;
        unsigned char byte = curly ? '\'' : (unsigned char)bytes[*at];
        bool leading = used == 0 && (byte == '\'' || byte == '-');
        if (!is_word_byte(byte) && used > 0) {
            break;
        }
        *parted = *parted || memchr(".,;:!?", byte, 6) != NULL;
        if (is_word_byte(byte) && !leading && used < WORD_BYTES_MAX - 1) {
            out[used++] = (char)tolower(byte);
        }
        *at += curly ? 3 : 1;
    }
    while (used > 0 && (out[used - 1] == '\'' || out[used - 1] == '-')) {
        used--;
    }
    out[used] = '\0';
    return used > 0;
}

bool lexicon_score(const struct lexicon *lexicon, const char *bytes, size_t size, double *score)
{
    char word[WORD_BYTES_MAX];
    size_t words = 0;
    size_t good = 0;
    size_t bad = 0;
    size_t negated_until = 0; /* number of the first word out of reach of the last negation */
    bool parted;
    for (size_t at = 0; next_word(bytes, size, &at, word, &parted); words++) {
        negated_until = parted ? 0 : negated_until;
        int polarity = polarity_of(lexicon, word);
        polarity = words < negated_until ? -polarity : polarity;
        good += polarity > 0;
        bad += polarity < 0;
        if (is_negation(word)) {
            negated_until = words + 1 + NEGATION_REACH;
        }
    }
    if (words < 2 && good + bad == 0) {
        return false;
    }
    *score = ((double)good + 0.5) / ((double)(good + bad) + 1);
    return true;
}
