/* template.c - see template.h. One table of variables serves the check and the filling. Numbers are
 * written as integers are, so that no locale changes them. */
#include "cues/template.h"

#include <string.h>

struct filling {
    const char *rule;
    const char *queue;
    const struct cues_firing *firing;
};

static void write_millionths(int64_t value, struct buf *out)
{
    int64_t hundredths = (value < 0 ? value - 5000 : value + 5000) / 10000;
    int64_t size = hundredths < 0 ? -hundredths : hundredths;
    buf_printf(out, "%s%lld.%02lld", hundredths < 0 ? "-" : "", (long long)(size / 100),
               (long long)(size % 100));
}

static void fill_rule(const struct filling *from, struct buf *out)
{
    buf_append_string(out, from->rule);
}

static void fill_queue(const struct filling *from, struct buf *out)
{
    buf_append_string(out, from->queue ? from->queue : "");
}

static void fill_tier(const struct filling *from, struct buf *out)
{
    buf_append_string(out, cues_tier_name(from->firing->tier));
}

static void fill_speaker(const struct filling *from, struct buf *out)
{
    static const char *const names[] = {"", "customer", "agent"};
    buf_append_string(out, from->firing->has_evidence ? names[from->firing->speaker] : "");
}

static void fill_mean(const struct filling *from, struct buf *out)
{
    if (from->firing->mood.known) {
        write_millionths(from->firing->mood.mean, out);
    } else {
        buf_append_char(out, '-');
    }
}

static void fill_difference(const struct filling *from, struct buf *out)
{
    if (from->firing->mood.known) {
        write_millionths(from->firing->mood.difference, out);
    } else {
        buf_append_char(out, '-');
    }
}

static void fill_trend(const struct filling *from, struct buf *out)
{
    static const char *const names[] = {"stable", "improving", "declining"};
    buf_append_string(out, from->firing->mood.known ? names[from->firing->mood.trend] : "-");
}

static void fill_seconds(const struct filling *from, struct buf *out)
{
    buf_printf(out, "%lld", (long long)(from->firing->call_ms / 1000));
}

static void fill_minutes(const struct filling *from, struct buf *out)
{
    buf_printf(out, "%lld", (long long)(from->firing->call_ms / 60000));
}

static void fill_silence(const struct filling *from, struct buf *out)
{
    buf_printf(out, "%lld", (long long)(from->firing->silence_ms / 1000));
}

static void fill_count(const struct filling *from, struct buf *out)
{
    buf_printf(out, "%u", (unsigned)from->firing->count);
}

static void fill_number(const struct filling *from, struct buf *out)
{
    buf_printf(out, "%u", (unsigned)from->firing->number);
}

static void fill_words(const struct filling *from, struct buf *out)
{
    buf_append_string(out, from->firing->mark_words ? CUES_WORDS_MARK : "-");
}

static const struct {
    const char *name;
    void (*fill)(const struct filling *from, struct buf *out);
} variables[] = {
    {"rule", fill_rule},       {"queue", fill_queue},     {"tier", fill_tier},
    {"speaker", fill_speaker}, {"mean", fill_mean},       {"difference", fill_difference},
    {"trend", fill_trend},     {"seconds", fill_seconds}, {"minutes", fill_minutes},
    {"silence", fill_silence}, {"count", fill_count},     {"number", fill_number},
    {"words", fill_words},
};

enum { VARIABLES = sizeof variables / sizeof *variables };

static size_t find_variable(const char *name, size_t bytes)
{
    size_t i = 0;
    while (i < VARIABLES &&
           (strlen(variables[i].name) != bytes || memcmp(variables[i].name, name, bytes) != 0)) {
        i++;
    }
    return i;
}

static int fail_variable(const char *name, size_t bytes, struct error *err)
{
    struct buf known;
    buf_init(&known, ERROR_MESSAGE_BYTES);
    for (size_t i = 0; i < VARIABLES; i++) {
        buf_printf(&known, " {%s}", variables[i].name);
    }
    int code = error_set(err, ERROR_CONFIG,
                         "unknown variable {%.*s}; known are%s (a brace itself is written {{)",
                         (int)(bytes < 40 ? bytes : 40), name, buf_string(&known));
    buf_done(&known);
    return code;
}

int template_check(const char *text, struct error *err)
{
    if (strstr(text, CUES_WORDS_MARK)) {
        return error_set(err, ERROR_CONFIG, "a control character (0x1A) in a message");
    }
    for (const char *at = text; *at;) {
        if ((at[0] == '{' || at[0] == '}') && at[1] == at[0]) {
            at += 2;
        } else if (*at == '}') {
            return error_set(err, ERROR_CONFIG, "a } without its {: write }} for a brace itself");
        } else if (*at == '{') {
            const char *end = strchr(at, '}');
            if (!end) {
                return error_set(err, ERROR_CONFIG, "a { without its }: write {{ for a brace");
            }
            size_t bytes = (size_t)(end - at - 1);
            if (find_variable(at + 1, bytes) == VARIABLES) {
                return fail_variable(at + 1, bytes, err);
            }
            at = end + 1;
        } else {
            at++;
        }
    }
    return 0;
}

void template_fill(const char *text, const char *rule, const char *queue,
                   const struct cues_firing *firing, struct buf *out)
{
    struct filling from = {rule, queue, firing};
    for (const char *at = text; *at;) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        size_t variable = end ? find_variable(at + 1, (size_t)(end - at - 1)) : VARIABLES;
        if ((at[0] == '{' || at[0] == '}') && at[1] == at[0]) {
            buf_append_char(out, *at);
            at += 2;
        } else if (variable < VARIABLES) {
            variables[variable].fill(&from, out);
            at = end + 1;
        } else {
            buf_append_char(out, *at++);
        }
    }
}
