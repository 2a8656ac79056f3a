/* pattern.c - see pattern.h. PCRE2 with Unicode and with limits on everything: length and nesting
 * when compiling, steps, depth and memory when matching. Captures are neither kept nor reported:
 * only whether there is a match is asked, so that no piece of text outlives the call. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "cues/pattern.h"

#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    bool fast;
};

static int fail_compile(int reason, size_t offset, struct error *err)
{
    PCRE2_UCHAR message[160];
    if (pcre2_get_error_message(reason, message, sizeof message) < 0) {
        return error_set(err, ERROR_CONFIG, "not a regular expression (reason %d)", reason);
    }
    return error_set(err, ERROR_CONFIG, "not a regular expression: %s, after %zu bytes of it",
                     (const char *)message, offset);
}

static pcre2_code *compile(const char *expression, bool match_case, struct error *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        error_set(err, ERROR_MEMORY, "no memory for a regular expression");
        return NULL;
    }
    (void)pcre2_set_max_pattern_length(context, PATTERN_BYTES_MAX);
    (void)pcre2_set_parens_nest_limit(context, PATTERN_NESTING_MAX);
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                       (match_case ? 0u : PCRE2_CASELESS);
    int reason;
    size_t offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression, strlen(expression), options, &reason,
                                     &offset, context);
    pcre2_compile_context_free(context);
    if (!code) {
        (void)fail_compile(reason, offset, err);
    }
    return code;
}

int pattern_compile(const char *expression, bool match_case, struct pattern **out,
                    struct error *err)
{
    *out = NULL;
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern) {
        return error_set(err, ERROR_MEMORY, "no memory for a regular expression");
    }
    struct error born = {0};
    pattern->code = compile(expression, match_case, &born);
    if (!pattern->code) {
        pattern_free(pattern);
        return error_set(err, born.code, "%s", born.message);
    }
    pattern->limits = pcre2_match_context_create(NULL);
    pattern->data = pcre2_match_data_create(1, NULL);
    if (!pattern->limits || !pattern->data) {
        pattern_free(pattern);
        return error_set(err, ERROR_MEMORY, "no memory for a regular expression");
    }
    (void)pcre2_set_match_limit(pattern->limits, PATTERN_STEPS_MAX);
    (void)pcre2_set_depth_limit(pattern->limits, PATTERN_DEPTH_MAX);
    (void)pcre2_set_heap_limit(pattern->limits, PATTERN_MEMORY_KIB_MAX);
    pattern->fast = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
    if (pattern_match(pattern, "", 0) != PATTERN_ABSENT) {
        pattern_free(pattern);
        return error_set(err, ERROR_CONFIG,
                         "this regular expression matches an empty text, so it "
                         "would be found in everything: ask for at least one "
                         "character");
    }
    *out = pattern;
    return 0;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern) {
        pcre2_match_data_free(pattern->data);
        pcre2_match_context_free(pattern->limits);
        pcre2_code_free(pattern->code);
        free(pattern);
    }
}

enum pattern_answer pattern_match(struct pattern *pattern, const char *text, size_t bytes)
{
    int found =
        pcre2_match(pattern->code, (PCRE2_SPTR)text, bytes, 0, 0, pattern->data, pattern->limits);
    if (found >= 0) {
        return PATTERN_FOUND;
    }
    return found == PCRE2_ERROR_NOMATCH ? PATTERN_ABSENT : PATTERN_GIVEN_UP;
}

bool pattern_is_fast(const struct pattern *pattern)
{
    return pattern->fast;
}
