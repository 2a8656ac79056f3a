/* decision_review.c - see decision_review.h. */
#include "decisions/decision_review.h"

#include "base/lines.h"

#include <string.h>

void decision_review_init(struct decision_review *review, const char *wanted)
{
    *review = (struct decision_review){.wanted = wanted};
    chain_init(&review->chain);
}

/* The first line of all is taken at its word; those after it must follow. */
static int check(struct decision_review *review, const char *line, size_t bytes, struct error *err)
{
    struct chain found;
    char prev[SHA256_TEXT_BYTES];
    int result;
    if (review->begun) {
        result = chain_follow(&review->chain, line, bytes, err);
    } else {
        result = chain_read(line, bytes, &found, prev, err);
        if (!result && found.seq == 1 && strcmp(prev, review->chain.hash) != 0) {
            result = error_set(err, ERROR_FORMAT, "it is the first line, but follows another");
        }
        if (!result) {
            review->chain = found;
            review->first = found.seq;
            review->begun = true;
        }
    }
    if (!result) {
        review->lines++;
        review->found =
            review->found || (review->wanted && strcmp(review->wanted, review->chain.hash) == 0);
    }
    return result;
}

static int show(const char *line, size_t bytes, decision_review_fn *each, void *user,
                struct error *err)
{
    struct json_document *document;
    int result = json_parse(line, bytes, &document, err);
    if (!result && !each(user, json_root(document))) {
        result = error_set(err, ERROR_MEMORY, "no memory for what it says");
    }
    json_free(document);
    return result;
}

int decision_review_read(struct decision_review *review, const char *path, decision_review_fn *each,
                         void *user, struct error *err)
{
    struct lines *lines;
    const char *line;
    size_t bytes;
    int more = 1;
    int result = lines_open(&lines, path, CHAIN_LINE_BYTES_MAX, err);
    while (!result && (more = lines_next(lines, &line, &bytes, err)) > 0) {
        result = check(review, line, bytes, err);
        if (!result && each) {
            result = show(line, bytes, each, user, err);
        }
        if (result) {
            error_wrap(err, "%s:%zu", path, lines_number(lines));
        }
    }
    lines_close(lines);
    return result ? result : (more < 0 ? ERROR_FORMAT : 0);
}
