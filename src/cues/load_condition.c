/* load_condition.c - what a rule asks: the `when` of a rules file as a tree of conditions. See
 * load_internal.h and docs/RULES.md. */
#include "cues/load_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    WITHIN_MS_MAX = 3600000,
    LONGER_MS_MAX = 6 * 3600000,
    WITHIN_MS_DEFAULT = 15000,
    TALK_OVER_MS_DEFAULT = 1000,
    TALK_OVER_WITHIN_MS_DEFAULT = 60000,
};

#define FAMILY_KEYS "list", "phrases", "patterns", "match_case", "by"

static int add_condition(struct load *load, const struct node *node,
                         const struct cues_condition *condition, uint32_t *out, struct error *err)
{
    struct cues_rules *rules = load->rules;
    if (rules->condition_count == CUES_CONDITIONS_MAX) {
        return node_fail(&load->file, node, err, "more than %d conditions in one file",
                         CUES_CONDITIONS_MAX - 1);
    }
    struct cues_condition *grown =
        load_grow(rules->conditions, rules->condition_count, sizeof *grown);
    if (!grown) {
        return load_no_memory(err);
    }
    rules->conditions = grown;
    grown[rules->condition_count] = *condition;
    *out = (uint32_t)rules->condition_count++;
    return 0;
}

/* "3 turns" */
static bool take_turns(const char *text, uint32_t *turns)
{
    uint32_t value = 0;
    while (*text >= '0' && *text <= '9' && value <= CUES_TURNS_MAX) {
        value = value * 10 + (uint32_t)(*text++ - '0');
    }
    *turns = value;
    return value > 0 && (strcmp(text, " turns") == 0 || strcmp(text, " turn") == 0);
}

static int read_within(const struct load *load, const struct node *map,
                       struct cues_condition *condition, struct error *err)
{
    const struct node *within = node_get(map, "within");
    if (!within) {
        return 0;
    }
    if (within->kind == NODE_SCALAR && strcmp(within->text, "call") == 0) {
        condition->span = CUES_SPAN_CALL;
        return 0;
    }
    if (within->kind == NODE_SCALAR && take_turns(within->text, &condition->turns)) {
        condition->span = CUES_SPAN_TURNS;
        return condition->turns <= CUES_TURNS_MAX
                   ? 0
                   : node_fail(&load->file, within, err, "at most %d turns", CUES_TURNS_MAX);
    }
    condition->span = CUES_SPAN_TIME;
    if (node_want_duration(&load->file, within, WITHIN_MS_MAX, &condition->within_ms, err)) {
        return node_fail(&load->file, within, err,
                         "within is a length of time up to 1h (such as 15s), a number of turns up "
                         "to %d (such as '3 turns'), or 'call'",
                         CUES_TURNS_MAX);
    }
    return 0;
}

static int read_said(struct load *load, const struct node *map, struct cues_condition *condition,
                     struct error *err)
{
    static const char *const said[] = {FAMILY_KEYS, "within", NULL};
    static const char *const repeated[] = {FAMILY_KEYS, "within", "times", NULL};
    bool counts = condition->kind == CUES_REPEATED;
    int code = node_want_map(&load->file, map, map->key, err);
    code = code ? code : node_want_keys(&load->file, map, counts ? repeated : said, err);
    condition->within_ms = WITHIN_MS_DEFAULT;
    condition->span = counts ? CUES_SPAN_CALL : CUES_SPAN_TIME;
    code = code ? code : read_within(load, map, condition, err);
    const struct node *times = node_get(map, "times");
    if (!code && counts && !times) {
        code = node_fail(&load->file, map, err, "repeated needs times: how often, such as 2");
    }
    if (!code && times) {
        code = node_want_count(&load->file, times, 2, 100, &condition->count, err);
    }
    return code ? code : load_family(load, map, &condition->family, err);
}

static int read_after(struct load *load, const struct node *after, struct cues_condition *condition,
                      struct error *err)
{
    static const char *const keys[] = {FAMILY_KEYS, NULL};
    if (condition->span != CUES_SPAN_TIME) {
        return node_fail(&load->file, after, err,
                         "with after, within must be a length of time such as 20s");
    }
    condition->kind = CUES_NOT_SAID_AFTER;
    int code = node_want_map(&load->file, after, "after", err);
    code = code ? code : node_want_keys(&load->file, after, keys, err);
    return code ? code : load_family(load, after, &condition->after, err);
}

static int read_not_said(struct load *load, const struct node *map,
                         struct cues_condition *condition, struct error *err)
{
    static const char *const keys[] = {FAMILY_KEYS, "within", "after", NULL};
    int code = node_want_map(&load->file, map, "not_said", err);
    code = code ? code : node_want_keys(&load->file, map, keys, err);
    if (!code && !node_get(map, "within")) {
        code = node_fail(&load->file, map, err,
                         "not_said needs within: until when (30s, '4 turns', or call)");
    }
    code = code ? code : read_within(load, map, condition, err);
    const struct node *after = node_get(map, "after");
    code = code || !after ? code : read_after(load, after, condition, err);
    code = code ? code : load_by(load, map, &condition->by, err);
    return code ? code : load_family(load, map, &condition->family, err);
}

/* "silence: 10s" or "silence: {longer: 10s}". */
static int read_longer(struct load *load, const struct node *node, struct cues_condition *condition,
                       struct error *err)
{
    static const char *const keys[] = {"longer", NULL};
    const struct node *longer = node;
    if (node->kind == NODE_MAP) {
        int code = node_want_keys(&load->file, node, keys, err);
        if (code) {
            return code;
        }
        longer = node_get(node, "longer");
    }
    if (!longer) {
        return node_fail(&load->file, node, err, "longer is missing: how long, such as 10s");
    }
    return node_want_duration(&load->file, longer, LONGER_MS_MAX, &condition->longer_ms, err);
}

static int read_talk_over(struct load *load, const struct node *map,
                          struct cues_condition *condition, struct error *err)
{
    static const char *const keys[] = {"longer", "times", "within", "by", NULL};
    condition->count = 1;
    condition->longer_ms = TALK_OVER_MS_DEFAULT;
    condition->within_ms = TALK_OVER_WITHIN_MS_DEFAULT;
    int code = node_want_map(&load->file, map, "talk_over", err);
    code = code ? code : node_want_keys(&load->file, map, keys, err);
    const struct node *longer = node_get(map, "longer");
    const struct node *times = node_get(map, "times");
    if (!code && longer) {
        code = node_want_duration(&load->file, longer, WITHIN_MS_MAX, &condition->longer_ms, err);
    }
    if (!code && times) {
        code = node_want_count(&load->file, times, 1, 100, &condition->count, err);
    }
    code = code ? code : read_within(load, map, condition, err);
    return code ? code : load_by(load, map, &condition->by, err);
}

static int read_level(const struct load *load, const struct node *map, const char *key,
                      int64_t *level, bool *given, struct error *err)
{
    const struct node *node = node_get(map, key);
    *given = node != NULL;
    return node ? node_want_millionths(&load->file, node, 0, CUES_ONE, level, err) : 0;
}

static int read_mood(struct load *load, const struct node *map, struct cues_condition *condition,
                     struct error *err)
{
    static const char *const keys[] = {"below", "above", "drop", "trend", NULL};
    static const char *const trends[] = {"stable", "improving", "declining", NULL};
    const struct node *trend = node_get(map, "trend");
    int code = node_want_map(&load->file, map, "mood", err);
    code = code ? code : node_want_keys(&load->file, map, keys, err);
    code =
        code ? code : read_level(load, map, "below", &condition->below, &condition->has_below, err);
    code =
        code ? code : read_level(load, map, "above", &condition->above, &condition->has_above, err);
    code = code ? code : read_level(load, map, "drop", &condition->drop, &condition->has_drop, err);
    condition->has_trend = trend != NULL;
    if (!code && trend) {
        size_t place = 0;
        code = node_want_word(&load->file, trend, trends, &place, err);
        condition->trend = (enum cues_trend)place;
    }
    if (!code && map->count == 0) {
        code = node_fail(&load->file, map, err, "mood needs below, above, drop or trend");
    }
    return code;
}

static int read_children(struct load *load, const struct node *node, size_t depth,
                         struct cues_condition *condition, struct error *err)
{
    uint32_t last = 0;
    int code = node_want_list(&load->file, node, node->key, err);
    if (!code && node->count == 0) {
        code = node_fail(&load->file, node, err, "%s of nothing: name conditions", node->key);
    }
    for (const struct node *item = node->first; item && !code; item = item->next) {
        uint32_t child = 0;
        code = load_condition(load, item, depth + 1, &child, err);
        if (!code && last) {
            load->rules->conditions[last].next = child;
        } else if (!code) {
            condition->child = child;
        }
        last = code ? last : child;
    }
    return code;
}

static int read_kind(struct load *load, const struct node *node, size_t depth,
                     struct cues_condition *condition, struct error *err)
{
    switch (condition->kind) {
    case CUES_ALL:
    case CUES_ANY:
        return read_children(load, node, depth, condition, err);
    case CUES_NOT:
        return load_condition(load, node, depth + 1, &condition->child, err);
    case CUES_SAID:
    case CUES_REPEATED:
        return read_said(load, node, condition, err);
    case CUES_NOT_SAID:
    case CUES_NOT_SAID_AFTER:
        return read_not_said(load, node, condition, err);
    case CUES_SILENCE:
    case CUES_CALL_TIME:
        return read_longer(load, node, condition, err);
    case CUES_TALK_OVER:
        return read_talk_over(load, node, condition, err);
    default:
        return read_mood(load, node, condition, err);
    }
}

int load_condition(struct load *load, const struct node *when, size_t depth, uint32_t *out,
                   struct error *err)
{
    static const char *const words[] = {"all",       "any",      "not",     "said",
                                        "not_said",  "repeated", "silence", "talk_over",
                                        "call_time", "mood",     NULL};
    static const enum cues_kind kinds[] = {
        CUES_ALL,      CUES_ANY,     CUES_NOT,       CUES_SAID,      CUES_NOT_SAID,
        CUES_REPEATED, CUES_SILENCE, CUES_TALK_OVER, CUES_CALL_TIME, CUES_MOOD};
    if (depth >= CUES_NESTING_MAX) {
        return node_fail(&load->file, when, err, "conditions nested deeper than %d",
                         CUES_NESTING_MAX);
    }
    int code = node_want_map(&load->file, when, "a condition", err);
    code = code ? code : node_want_keys(&load->file, when, words, err);
    if (!code && when->count != 1) {
        code = node_fail(&load->file, when, err,
                         "exactly one condition is wanted here; combine several with all or any");
    }
    if (code) {
        return code;
    }
    size_t place = 0;
    while (strcmp(words[place], when->first->key) != 0) {
        place++;
    }
    struct cues_condition condition = {.kind = kinds[place]};
    code = read_kind(load, when->first, depth, &condition, err);
    return code ? code : add_condition(load, when, &condition, out, err);
}
