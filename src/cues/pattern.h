/* cues/pattern.h - regular expressions that cannot run away. The only file that knows PCRE2 is
 * pattern.c.
 *
 * A pattern is compiled once, by PCRE2's just-in-time compiler where the system lets programs make
 * code (otherwise it is interpreted: same answers, slower). Each match may take a bounded number of
 * steps; one that wants more is given up and answered PATTERN_GIVEN_UP, never waited for.
 */
#ifndef CUES_PATTERN_H
#define CUES_PATTERN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    PATTERN_BYTES_MAX = 1000,     /* of the expression */
    PATTERN_NESTING_MAX = 32,     /* parentheses in parentheses */
    PATTERN_STEPS_MAX = 10000,    /* PCRE2's match limit */
    PATTERN_DEPTH_MAX = 1000,     /* PCRE2's depth limit */
    PATTERN_MEMORY_KIB_MAX = 512, /* PCRE2's heap limit */
};

struct pattern;

enum pattern_answer { PATTERN_ABSENT, PATTERN_FOUND, PATTERN_GIVEN_UP };

/* Text and expression are UTF-8; \w, \d and \b go by Unicode, case is ignored unless match_case. An
 * expression that is wrong, or that matches nothing at all ("x*"), is ERROR_CONFIG. */
int pattern_compile(const char *expression, bool match_case, struct pattern **out,
                    struct error *err);
void pattern_free(struct pattern *pattern); /* accepts NULL */

/* Whether the text holds it. Uses the pattern's own scratch memory: one thread at a time. Malformed
 * UTF-8 matches nothing and ends no match elsewhere. */
enum pattern_answer pattern_match(struct pattern *pattern, const char *text, size_t bytes);

/* Whether it was compiled to machine code. */
bool pattern_is_fast(const struct pattern *pattern);

#endif
