/* script.c - see script.h. Two tables name the actions and the fields; which action takes which
 * fields is a set of bits. What an action does is not here: fault.c (service), schedule.c
 * (transcript) and lifecycle.c (calls) do it. */
#include "sim/script.h"

#include "base/lines.h"
#include "sim/script_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ACTIONS_MAX = 1000, DISTANCE_MAX = 3, SLOW_TRANSCRIPTS_MS_MAX = 4000 };

enum field {
    FIELD_DO,
    FIELD_AT,
    FIELD_FOR,
    FIELD_EVERY,
    FIELD_SHARE,
    FIELD_ENDPOINT,
    FIELD_STATUS,
    FIELD_RETRY_AFTER,
    FIELD_WHEN,
    FIELD_MS,
    FIELD_LIFE,
    FIELD_LENGTH,
    FIELD_AFTER,
    FIELD_AHEAD,
    FIELD_CLIENT,
    FIELD_CALL,
    FIELDS,
};

static const char *const field_names[FIELDS] = {
    [FIELD_DO] = "do",         [FIELD_AT] = "at",
    [FIELD_FOR] = "for",       [FIELD_EVERY] = "every",
    [FIELD_SHARE] = "share",   [FIELD_ENDPOINT] = "endpoint",
    [FIELD_STATUS] = "status", [FIELD_RETRY_AFTER] = "retry_after",
    [FIELD_WHEN] = "when",     [FIELD_MS] = "ms",
    [FIELD_LIFE] = "life",     [FIELD_LENGTH] = "length",
    [FIELD_AFTER] = "after",   [FIELD_AHEAD] = "ahead",
    [FIELD_CLIENT] = "client", [FIELD_CALL] = "call",
};

#define BIT(field) (1U << (field))

enum {
    TAKES_BEGIN = BIT(FIELD_AT) | BIT(FIELD_EVERY),
    TAKES_TIME = TAKES_BEGIN | BIT(FIELD_FOR),
    TAKES_REQUESTS = TAKES_TIME | BIT(FIELD_SHARE) | BIT(FIELD_ENDPOINT),
};

struct verb_row {
    const char *name;
    unsigned takes; /* besides do */
    unsigned needs;
    int64_t length_ms; /* what length_ms is by default */
};

static const struct verb_row verbs[SCRIPT_VERBS] = {
    [SCRIPT_REVOKE_TOKENS] = {"revoke_tokens", TAKES_BEGIN, BIT(FIELD_AT), 0},
    [SCRIPT_EXPIRE_TOKENS_EARLY] = {"expire_tokens_early", TAKES_TIME | BIT(FIELD_LIFE), 0, 10000},
    [SCRIPT_DENY] = {"deny", TAKES_TIME | BIT(FIELD_ENDPOINT), BIT(FIELD_ENDPOINT), 0},
    [SCRIPT_STATUS] = {"status", TAKES_REQUESTS | BIT(FIELD_STATUS) | BIT(FIELD_RETRY_AFTER),
                       BIT(FIELD_STATUS), 0},
    [SCRIPT_SLOW] = {"slow", TAKES_REQUESTS | BIT(FIELD_MS), BIT(FIELD_MS), 0},
    [SCRIPT_DROP] = {"drop", TAKES_REQUESTS | BIT(FIELD_WHEN), 0, 0},
    [SCRIPT_HTML] = {"html", TAKES_REQUESTS, 0, 0},
    [SCRIPT_HALF_JSON] = {"half_json", TAKES_REQUESTS, 0, 0},
    [SCRIPT_EMPTY_BODY] = {"empty_body", TAKES_REQUESTS, 0, 0},
    [SCRIPT_QUOTA] = {"quota", TAKES_TIME | BIT(FIELD_CLIENT) | BIT(FIELD_CALL), 0, 0},
    [SCRIPT_LATE] = {"late", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_REVISED] = {"revised", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_DUPLICATED] = {"duplicated", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_OUT_OF_ORDER] = {"out_of_order", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_OVERLAP] = {"overlap", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_SAME_MILLISECOND] = {"same_millisecond", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_MISSING_FIELDS] = {"missing_fields", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_UNKNOWN_DIRECTION] = {"unknown_direction", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_FUTURE] = {"future", BIT(FIELD_SHARE) | BIT(FIELD_AHEAD), BIT(FIELD_SHARE), 45000},
    [SCRIPT_PAST] = {"past", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_NUMERIC_STRINGS] = {"numeric_strings", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_EXTRA_FIELDS] = {"extra_fields", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_ODD_IDS] = {"odd_ids", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
    [SCRIPT_HOLD] = {"hold", BIT(FIELD_SHARE) | BIT(FIELD_LENGTH), BIT(FIELD_SHARE), 15000},
    [SCRIPT_MUTE] = {"mute", BIT(FIELD_SHARE) | BIT(FIELD_LENGTH), BIT(FIELD_SHARE), 10000},
    [SCRIPT_MASK] = {"mask", BIT(FIELD_SHARE) | BIT(FIELD_LENGTH), BIT(FIELD_SHARE), 20000},
    [SCRIPT_REAPPEAR] = {"reappear", BIT(FIELD_SHARE) | BIT(FIELD_AFTER), BIT(FIELD_SHARE), 20000},
    [SCRIPT_TRANSFER] = {"transfer", BIT(FIELD_SHARE), BIT(FIELD_SHARE), 0},
};

struct word {
    const char *name;
    unsigned value;
};

static const struct word endpoint_words[] = {
    {"token", SCRIPT_ENDPOINT_TOKEN},           {"transcripts", SCRIPT_ENDPOINT_TRANSCRIPTS},
    {"attributes", SCRIPT_ENDPOINT_ATTRIBUTES}, {"suggestions", SCRIPT_ENDPOINT_SUGGESTIONS},
    {"active", SCRIPT_ENDPOINT_ACTIVE},
};

static const struct word retry_after_words[] = {
    {"seconds", SCRIPT_RETRY_SECONDS},   {"date", SCRIPT_RETRY_DATE},
    {"none", SCRIPT_RETRY_NONE},         {"garbage", SCRIPT_RETRY_GARBAGE},
    {"negative", SCRIPT_RETRY_NEGATIVE}, {"past", SCRIPT_RETRY_PAST},
    {"huge", SCRIPT_RETRY_HUGE},         {"mix", SCRIPT_RETRY_MIX},
};

static const struct word when_words[] = {
    {"before", SCRIPT_WHEN_BEFORE},
    {"after", SCRIPT_WHEN_AFTER},
    {"mix", SCRIPT_WHEN_MIX},
};

const char *script_verb_name(enum script_verb verb)
{
    return verbs[verb].name;
}

/* ---- reading ---- */

struct loader {
    struct script *script;
    const char *name;
    size_t capacity;
    const struct script_yaml_field *field; /* being read */
    struct error *err;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance of two words. */
static size_t distance_of(const char *a, const char *b)
{
    size_t row[SCRIPT_YAML_TEXT_BYTES + 1];
    size_t b_bytes = strlen(b);
    if (b_bytes > SCRIPT_YAML_TEXT_BYTES) {
        return b_bytes;
    }
    for (size_t k = 0; k <= b_bytes; k++) {
        row[k] = k;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < b_bytes; k++) {
            size_t change = diagonal + (a[i] != b[k]);
            diagonal = row[k + 1];
            row[k + 1] = smaller(change, smaller(row[k], row[k + 1]) + 1);
        }
    }
    return row[b_bytes];
}

/* Remembers the closest of the names it is shown. */
struct guess {
    const char *written;
    const char *closest;
    size_t distance;
};

static void guess_try(struct guess *guess, const char *name)
{
    size_t distance = distance_of(guess->written, name);
    if (distance <= DISTANCE_MAX && (guess->closest == NULL || distance < guess->distance)) {
        guess->closest = name;
        guess->distance = distance;
    }
}

static int fail_at(const struct loader *loader, struct yaml_reader_mark mark, const char *what,
                   const char *written, const char *closest)
{
    return error_set(loader->err, ERROR_CONFIG, "%s:%zu:%zu: %s \"%s\"%s%s%s", loader->name,
                     mark.line, mark.column, what, written,
                     closest != NULL ? "; did you mean \"" : "", closest != NULL ? closest : "",
                     closest != NULL ? "\"?" : "");
}

static int fail_value(const struct loader *loader, const char *takes)
{
    const struct script_yaml_field *field = loader->field;
    return error_set(loader->err, ERROR_CONFIG, "%s:%zu:%zu: %s takes %s, not \"%s\"%s",
                     loader->name, field->value_mark.line, field->value_mark.column, field->key,
                     takes, field->values[0], field->value_count > 1 ? " and more" : "");
}

static int read_number(const struct loader *loader, double min, double max, const char *takes,
                       double *out)
{
    const char *text = loader->field->values[0];
    char *end;
    *out = strtod(text, &end);
    bool plain = text[0] >= '0' && text[0] <= '9' && text[strspn(text, "0123456789.")] == '\0';
    if (loader->field->value_count != 1 || !plain || *end != '\0' || *out < min || *out > max) {
        return fail_value(loader, takes);
    }
    return 0;
}

/* "20s", "500ms", "2m", "1h". */
static int read_span(const struct loader *loader, int64_t min_ms, int64_t *out_ms)
{
    static const struct word units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const char *text = loader->field->values[0];
    char *unit;
    double value = strtod(text, &unit);
    bool plain = text[0] >= '0' && text[0] <= '9' &&
                 strspn(text, "0123456789.") == (size_t)(unit - text) && value < 1e6;
    for (size_t i = 0; plain && loader->field->value_count == 1 && i < COUNT(units); i++) {
        if (strcmp(unit, units[i].name) == 0) {
            *out_ms = (int64_t)(value * units[i].value);
            if (*out_ms >= min_ms && *out_ms <= 24 * 3600000) {
                return 0;
            }
        }
    }
    return fail_value(loader, min_ms > 0 ? "a time above 0 and within a day such as 20s or 500ms"
                                         : "a time within a day such as 20s or 500ms");
}

static int read_word(const struct loader *loader, const char *written, const struct word *words,
                     size_t count, unsigned *value)
{
    struct guess guess = {.written = written};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(written, words[i].name) == 0) {
            *value = words[i].value;
            return 0;
        }
        guess_try(&guess, words[i].name);
    }
    char what[2 * SCRIPT_YAML_TEXT_BYTES];
    snprintf(what, sizeof what, "unknown %s", loader->field->key);
    return fail_at(loader, loader->field->value_mark, what, written, guess.closest);
}

static int read_one_word(const struct loader *loader, const struct word *words, size_t count,
                         unsigned *value)
{
    if (loader->field->value_count != 1) {
        return fail_value(loader, "one word");
    }
    return read_word(loader, loader->field->values[0], words, count, value);
}

static int read_endpoints(const struct loader *loader, unsigned *endpoints)
{
    *endpoints = 0;
    for (size_t i = 0; i < loader->field->value_count; i++) {
        unsigned bit = 0;
        int rc = read_word(loader, loader->field->values[i], endpoint_words, COUNT(endpoint_words),
                           &bit);
        if (rc != 0) {
            return rc;
        }
        *endpoints |= bit;
    }
    return 0;
}

static int read_slow(const struct loader *loader, int64_t ms[2])
{
    for (size_t i = 0; i < 2; i++) {
        const char *text = loader->field->values[i];
        char *end;
        ms[i] = strtol(text, &end, 10);
        if (loader->field->value_count != 2 || text[strspn(text, "0123456789")] != '\0' ||
            ms[i] > 60000) {
            return fail_value(loader, "least and most milliseconds such as [100, 3000]");
        }
    }
    return ms[0] <= ms[1] ? 0 : fail_value(loader, "the smaller number first");
}

static int read_field(const struct loader *loader, enum field field, struct script_action *action)
{
    double number = 0;
    unsigned value = 0;
    int rc = 0;
    switch (field) {
    case FIELD_DO:
    case FIELDS:
        return 0; /* read before */
    case FIELD_AT:
        return read_span(loader, 0, &action->at_ms);
    case FIELD_FOR:
        return read_span(loader, 1, &action->for_ms);
    case FIELD_EVERY:
        return read_span(loader, 1, &action->every_ms);
    case FIELD_SHARE:
        return read_number(loader, 0, 1, "a number from 0 to 1", &action->share);
    case FIELD_ENDPOINT:
        return read_endpoints(loader, &action->endpoints);
    case FIELD_STATUS:
        rc = read_number(loader, 400, 599, "an HTTP status from 400 to 599", &number);
        action->status = (int64_t)number;
        return rc;
    case FIELD_RETRY_AFTER:
        rc = read_one_word(loader, retry_after_words, COUNT(retry_after_words), &value);
        action->retry_after = (enum script_retry_after)value;
        return rc;
    case FIELD_WHEN:
        rc = read_one_word(loader, when_words, COUNT(when_words), &value);
        action->when = (enum script_when)value;
        return rc;
    case FIELD_MS:
        return read_slow(loader, action->slow_ms);
    case FIELD_LIFE:
    case FIELD_LENGTH:
    case FIELD_AFTER:
    case FIELD_AHEAD:
        return read_span(loader, 1, &action->length_ms);
    case FIELD_CLIENT:
        return read_number(loader, 0, 1e6, "requests a second", &action->client_rps);
    case FIELD_CALL:
        return read_number(loader, 0, 1e6, "requests a second", &action->call_rps);
    }
    return rc;
}

static int find_verb(const struct loader *loader, const struct script_yaml_item *item,
                     enum script_verb *verb)
{
    for (size_t i = 0; i < item->field_count; i++) {
        const struct script_yaml_field *field = &item->fields[i];
        if (strcmp(field->key, "do") != 0) {
            continue;
        }
        struct guess guess = {.written = field->values[0]};
        for (int v = 0; v < SCRIPT_VERBS; v++) {
            if (strcmp(verbs[v].name, field->values[0]) == 0 && field->value_count == 1) {
                *verb = (enum script_verb)v;
                return 0;
            }
            guess_try(&guess, verbs[v].name);
        }
        return fail_at(loader, field->value_mark, "unknown action", field->values[0],
                       guess.closest);
    }
    return error_set(loader->err, ERROR_CONFIG, "%s:%zu:%zu: an entry needs \"do: ACTION\"",
                     loader->name, item->mark.line, item->mark.column);
}

static int find_field(const struct loader *loader, enum script_verb verb, enum field *found)
{
    const struct script_yaml_field *field = loader->field;
    unsigned takes = verbs[verb].takes | BIT(FIELD_DO);
    struct guess guess = {.written = field->key};
    char what[2 * SCRIPT_YAML_TEXT_BYTES];
    for (int f = 0; f < FIELDS; f++) {
        bool same = strcmp(field_names[f], field->key) == 0;
        if (same && (takes & BIT(f)) != 0) {
            *found = (enum field)f;
            return 0;
        }
        if (same) {
            snprintf(what, sizeof what, "%s does not take the field", verbs[verb].name);
            return fail_at(loader, field->key_mark, what, field->key, NULL);
        }
        if ((takes & BIT(f)) != 0) {
            guess_try(&guess, field_names[f]);
        }
    }
    snprintf(what, sizeof what, "%s: unknown field", verbs[verb].name);
    return fail_at(loader, field->key_mark, what, field->key, guess.closest);
}

static int check_action(const struct loader *loader, const struct script_action *action,
                        unsigned given, struct yaml_reader_mark mark)
{
    const struct verb_row *row = &verbs[action->verb];
    for (int f = 0; f < FIELDS; f++) {
        if ((row->needs & ~given & BIT(f)) != 0) {
            char what[2 * SCRIPT_YAML_TEXT_BYTES];
            snprintf(what, sizeof what, "%s needs the field", row->name);
            return fail_at(loader, mark, what, field_names[f], NULL);
        }
    }
    const char *what = NULL;
    if (action->every_ms > 0 && action->for_ms > action->every_ms) {
        what = "\"for\" is longer than \"every\"";
    } else if (action->verb == SCRIPT_SLOW && action->slow_ms[1] > SLOW_TRANSCRIPTS_MS_MAX &&
               (action->endpoints & SCRIPT_ENDPOINT_TRANSCRIPTS) != 0) {
        what = "transcripts may be slow by at most 4000 ms: a reader that hangs up in the meantime "
               "would be said to have been served";
    } else if (action->verb == SCRIPT_QUOTA && action->client_rps < 0 && action->call_rps < 0) {
        what = "quota needs \"client\" or \"call\"";
    }
    return what == NULL ? 0
                        : error_set(loader->err, ERROR_CONFIG, "%s:%zu:%zu: %s", loader->name,
                                    mark.line, mark.column, what);
}

static int add_action(struct loader *loader, const struct script_action *action)
{
    struct script *script = loader->script;
    if (script->count == ACTIONS_MAX) {
        return error_set(loader->err, ERROR_CONFIG, "%s:%zu: more than %d actions", loader->name,
                         action->line, ACTIONS_MAX);
    }
    if (script->count == loader->capacity) {
        size_t capacity = loader->capacity == 0 ? 16 : loader->capacity * 2;
        struct script_action *actions = realloc(script->actions, capacity * sizeof *actions);
        if (actions == NULL) {
            return error_set(loader->err, ERROR_MEMORY, "no memory for a script");
        }
        script->actions = actions;
        loader->capacity = capacity;
    }
    script->actions[script->count++] = *action;
    return 0;
}

static int take_item(void *user, const struct script_yaml_item *item, struct error *err)
{
    struct loader *loader = user;
    loader->err = err;
    enum script_verb verb = SCRIPT_VERBS;
    int rc = find_verb(loader, item, &verb);
    if (rc != 0) {
        return rc;
    }
    struct script_action action = {
        .verb = verb,
        .line = item->mark.line,
        .share = 1,
        .endpoints = SCRIPT_ENDPOINTS_ALL,
        .length_ms = verbs[verb].length_ms,
        .client_rps = -1,
        .call_rps = -1,
    };
    unsigned given = 0;
    for (size_t i = 0; i < item->field_count; i++) {
        enum field field = FIELDS;
        loader->field = &item->fields[i];
        rc = find_field(loader, verb, &field);
        if (rc == 0) {
            given |= BIT(field);
            rc = read_field(loader, field, &action);
        }
        if (rc != 0) {
            return rc;
        }
    }
    rc = check_action(loader, &action, given, item->mark);
    return rc != 0 ? rc : add_action(loader, &action);
}

int script_load(struct script *script, const char *path, struct error *err)
{
    *script = (struct script){0};
    char *text;
    size_t bytes;
    struct error reason = {0};
    if (lines_read_file(path, SCRIPT_YAML_FILE_BYTES_MAX, &text, &bytes, &reason) != 0) {
        return error_set(err, ERROR_CONFIG, "--script: %s", reason.message);
    }
    struct loader loader = {.script = script, .name = path};
    int rc = script_yaml_read(path, text, bytes, take_item, &loader, err);
    free(text);
    if (rc != 0) {
        script_done(script);
    }
    return rc;
}

void script_done(struct script *script)
{
    free(script->actions);
    *script = (struct script){0};
}

/* ---- asking ---- */

bool script_is_on(const struct script_action *action, int64_t elapsed_ms)
{
    int64_t since_ms = elapsed_ms - action->at_ms;
    if (since_ms < 0) {
        return false;
    }
    if (action->every_ms > 0) {
        since_ms %= action->every_ms;
    }
    return action->for_ms == 0 || since_ms < action->for_ms;
}

int64_t script_beginnings(const struct script_action *action, int64_t elapsed_ms)
{
    int64_t since_ms = elapsed_ms - action->at_ms;
    if (since_ms < 0) {
        return 0;
    }
    return action->every_ms > 0 ? 1 + since_ms / action->every_ms : 1;
}

static void apply(const struct script_action *action, struct timeline_disorder *disorder,
                  struct lifecycle_odds *odds, double *odd_ids)
{
    double *shares[SCRIPT_VERBS] = {
        [SCRIPT_LATE] = &disorder->late,
        [SCRIPT_REVISED] = &disorder->revised,
        [SCRIPT_DUPLICATED] = &disorder->duplicated,
        [SCRIPT_OUT_OF_ORDER] = &disorder->out_of_order,
        [SCRIPT_OVERLAP] = &disorder->overlap,
        [SCRIPT_SAME_MILLISECOND] = &disorder->same_millisecond,
        [SCRIPT_MISSING_FIELDS] = &disorder->missing_fields,
        [SCRIPT_UNKNOWN_DIRECTION] = &disorder->unknown_direction,
        [SCRIPT_FUTURE] = &disorder->future,
        [SCRIPT_PAST] = &disorder->past,
        [SCRIPT_NUMERIC_STRINGS] = &disorder->numeric_strings,
        [SCRIPT_EXTRA_FIELDS] = &disorder->extra_fields,
        [SCRIPT_ODD_IDS] = odd_ids,
        [SCRIPT_HOLD] = &odds->share[LIFECYCLE_HELD],
        [SCRIPT_MUTE] = &odds->share[LIFECYCLE_MUTED],
        [SCRIPT_MASK] = &odds->share[LIFECYCLE_MASKED],
        [SCRIPT_REAPPEAR] = &odds->share[LIFECYCLE_ENDED],
        [SCRIPT_TRANSFER] = &odds->transfer,
    };
    int64_t *lengths[SCRIPT_VERBS] = {
        [SCRIPT_FUTURE] = &disorder->future_ms,
        [SCRIPT_HOLD] = &odds->length_ms[LIFECYCLE_HELD],
        [SCRIPT_MUTE] = &odds->length_ms[LIFECYCLE_MUTED],
        [SCRIPT_MASK] = &odds->length_ms[LIFECYCLE_MASKED],
        [SCRIPT_REAPPEAR] = &odds->length_ms[LIFECYCLE_ENDED],
    };
    if (shares[action->verb] != NULL) {
        *shares[action->verb] = action->share;
    }
    if (lengths[action->verb] != NULL) {
        *lengths[action->verb] = action->length_ms;
    }
}

void script_apply(const struct script *script, struct timeline_disorder *disorder,
                  struct lifecycle_odds *odds, double *odd_ids)
{
    for (size_t i = 0; i < script->count; i++) {
        apply(&script->actions[i], disorder, odds, odd_ids);
    }
}
