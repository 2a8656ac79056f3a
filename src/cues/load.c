/* load.c - a rules file as a rule set: settings, lists, rules and what queues have of their own.
 * Everything is checked before anything is used: a file with one mistake is refused whole, with the
 * place of the mistake, so that the set before it stays in force. See cues.h. */
#include "cues/load_internal.h"

#include "base/lines.h"
#include "cues/template.h"

#include <stdlib.h>
#include <string.h>

enum {
    SETTLE_MS_DEFAULT = 10000,
    SETTLE_MS_MAX = 300000,
    COOLDOWN_MS_DEFAULT = 60000,
    COOLDOWN_MS_MAX = 6 * 3600000,
    FIRINGS_DEFAULT = 3,
    FIRINGS_MAX = 1000,
    LANGUAGE_BYTES_MAX = 35,
};

int load_no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory for the rules");
}

char *load_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void *load_grow(void *items, size_t count, size_t element_bytes)
{
    char *grown = realloc(items, (count + 1) * element_bytes);
    if (grown) {
        memset(grown + count * element_bytes, 0, element_bytes);
    }
    return grown;
}

/* --- names --- */

static bool is_name(const char *text)
{
    size_t bytes = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return bytes > 0 && bytes <= CUES_NAME_BYTES_MAX && text[bytes] == '\0';
}

static bool is_language(const char *text)
{
    size_t bytes = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    return bytes >= 2 && bytes <= LANGUAGE_BYTES_MAX && text[bytes] == '\0' && text[0] != '-';
}

static int want_language(const struct load *load, const struct node *node, const char *text,
                         struct error *err)
{
    return is_language(text) ? 0
                             : node_fail(&load->file, node, err,
                                         "'%s' is no language tag (such as en or de-AT)", text);
}

/* --- how a rule speaks up --- */

static int add_text(const struct load *load, struct cues_texts *texts, const char *language,
                    const struct node *node, struct error *err)
{
    const char *text;
    int code = node_want_text(&load->file, node, CUES_MESSAGE_BYTES_MAX, &text, err);
    if (!code && template_check(text, err)) {
        code = node_wrap(&load->file, node, err);
    }
    if (!code && texts->count == CUES_LANGUAGES_MAX) {
        code = node_fail(&load->file, node, err, "more than %d languages", CUES_LANGUAGES_MAX);
    }
    if (code) {
        return code;
    }
    struct cues_text *grown = load_grow(texts->items, texts->count, sizeof *grown);
    if (!grown) {
        return load_no_memory(err);
    }
    texts->items = grown;
    struct cues_text *added = &grown[texts->count++];
    added->language = load_copy(language);
    added->text = load_copy(text);
    return added->language && added->text ? 0 : load_no_memory(err);
}

/* One text in the file's language, or a text for each language. */
static int read_message(const struct load *load, const struct node *node, struct cues_texts *texts,
                        struct error *err)
{
    if (node->kind != NODE_MAP) {
        return add_text(load, texts, load->rules->language, node, err);
    }
    int code = node->count ? 0 : node_fail(&load->file, node, err, "a message in no language");
    for (const struct node *text = node->first; text && !code; text = text->next) {
        code = is_language(text->key)
                   ? add_text(load, texts, text->key, text, err)
                   : node_fail_key(&load->file, text, err,
                                   "'%s' is no language tag (such as en or de-AT)", text->key);
    }
    return code;
}

/* What a rule and a queue's part of it may both say. */
static int read_settings(const struct load *load, const struct node *map,
                         struct cues_settings *settings, struct error *err)
{
    static const char *const tiers[] = {"agent", "supervisor", NULL};
    const struct node *enabled = node_get(map, "enabled");
    const struct node *tier = node_get(map, "tier");
    const struct node *cooldown = node_get(map, "cooldown");
    const struct node *most = node_get(map, "max_per_call");
    const struct node *message = node_get(map, "message");
    size_t place = settings->tier;
    int code = enabled ? node_want_flag(&load->file, enabled, &settings->enabled, err) : 0;
    code = code || !tier ? code : node_want_word(&load->file, tier, tiers, &place, err);
    settings->tier = (enum cues_tier)place;
    if (!code && cooldown) {
        code =
            node_want_duration(&load->file, cooldown, COOLDOWN_MS_MAX, &settings->cooldown_ms, err);
    }
    if (!code && most) {
        code = node_want_count(&load->file, most, 1, FIRINGS_MAX, &settings->max_per_call, err);
    }
    return code || !message ? code : read_message(load, message, &settings->texts, err);
}

/* --- queues --- */

static int intern_queue(struct load *load, const struct node *node, uint32_t *out,
                        struct error *err)
{
    struct cues_rules *rules = load->rules;
    *out = cues_find_queue(rules, node->key);
    if (*out != CUES_NO_QUEUE) {
        return 0;
    }
    if (rules->queue_count == CUES_QUEUES_MAX || strlen(node->key) > CUES_NAME_BYTES_MAX ||
        node->key[0] == '\0') {
        return node_fail_key(&load->file, node, err, "at most %d queues, of 1 to %d bytes each",
                             CUES_QUEUES_MAX, CUES_NAME_BYTES_MAX);
    }
    char **grown = load_grow(rules->queues, rules->queue_count, sizeof *grown);
    if (!grown) {
        return load_no_memory(err);
    }
    rules->queues = grown;
    grown[rules->queue_count] = load_copy(node->key);
    if (!grown[rules->queue_count]) {
        return load_no_memory(err);
    }
    *out = (uint32_t)rules->queue_count++;
    return 0;
}

static int read_override(struct load *load, const struct node *node, struct cues_rule *rule,
                         struct error *err)
{
    static const char *const keys[] = {"enabled",      "tier",    "cooldown",
                                       "max_per_call", "message", NULL};
    uint32_t queue;
    int code = node_want_map(&load->file, node, "a queue's own settings", err);
    code = code ? code : node_want_keys(&load->file, node, keys, err);
    code = code ? code : intern_queue(load, node, &queue, err);
    if (code) {
        return code;
    }
    struct cues_override *grown = load_grow(rule->overrides, rule->override_count, sizeof *grown);
    if (!grown) {
        return load_no_memory(err);
    }
    rule->overrides = grown;
    struct cues_override *own = &grown[rule->override_count++];
    own->queue = queue;
    own->settings = rule->settings;
    own->settings.texts = (struct cues_texts){0};
    return read_settings(load, node, &own->settings, err);
}

/* --- rules --- */

static int read_name(const struct load *load, const struct node *map, struct cues_rule *rule,
                     struct error *err)
{
    const struct node *name = node_get(map, "name");
    const char *text;
    if (!name) {
        return node_fail(&load->file, map, err, "a rule needs a name");
    }
    int code = node_want_text(&load->file, name, CUES_NAME_BYTES_MAX, &text, err);
    if (code || !is_name(text)) {
        return code ? code
                    : node_fail(&load->file, name, err,
                                "a name is made of a-z, 0-9, _ and -, at most %d",
                                CUES_NAME_BYTES_MAX);
    }
    rule->id = cues_identify(text, strlen(text));
    for (size_t i = 0; i + 1 < load->rules->rule_count; i++) {
        if (load->rules->rules[i].id == rule->id) {
            return node_fail(&load->file, name, err, "another rule is called '%s'", text);
        }
    }
    rule->name = load_copy(text);
    return rule->name ? 0 : load_no_memory(err);
}

static int read_rule(struct load *load, const struct node *map, struct cues_rule *rule,
                     struct error *err)
{
    static const char *const keys[] = {"name",         "enabled", "when",   "tier", "cooldown",
                                       "max_per_call", "message", "queues", NULL};
    int code = node_want_map(&load->file, map, "a rule", err);
    code = code ? code : node_want_keys(&load->file, map, keys, err);
    code = code ? code : read_name(load, map, rule, err);
    rule->settings = (struct cues_settings){
        .enabled = true,
        .cooldown_ms = COOLDOWN_MS_DEFAULT,
        .max_per_call = FIRINGS_DEFAULT,
    };
    code = code ? code : read_settings(load, map, &rule->settings, err);
    if (!code && rule->settings.texts.count == 0) {
        code = node_fail(&load->file, map, err, "rule '%s' needs a message", rule->name);
    }
    const struct node *when = node_get(map, "when");
    if (!code && !when) {
        code = node_fail(&load->file, map, err, "rule '%s' needs a when", rule->name);
    }
    code = code ? code : load_condition(load, when, 0, &rule->root, err);
    const struct node *queues = node_get(map, "queues");
    code = code || !queues ? code : node_want_map(&load->file, queues, "queues", err);
    for (const struct node *own = queues ? queues->first : NULL; own && !code; own = own->next) {
        code = read_override(load, own, rule, err);
    }
    return code;
}

static int read_rules(struct load *load, const struct node *list, struct error *err)
{
    struct cues_rules *rules = load->rules;
    int code = node_want_list(&load->file, list, "rules", err);
    if (!code && list->count > CUES_RULES_MAX) {
        code =
            node_fail(&load->file, list, err, "%zu rules, at most %d", list->count, CUES_RULES_MAX);
    }
    if (code || list->count == 0) {
        return code;
    }
    rules->rules = calloc(list->count, sizeof *rules->rules);
    if (!rules->rules) {
        return load_no_memory(err);
    }
    for (const struct node *item = list->first; item && !code; item = item->next) {
        code = read_rule(load, item, &rules->rules[rules->rule_count++], err);
    }
    return code;
}

/* --- the file --- */

static int read_head(struct load *load, const struct node *root, struct error *err)
{
    static const char *const keys[] = {"version", "settle", "language", "lists", "rules", NULL};
    const struct node *version = node_get(root, "version");
    const struct node *settle = node_get(root, "settle");
    const struct node *language = node_get(root, "language");
    const char *tag = "en";
    uint32_t number;
    int code = node_want_map(&load->file, root, "a rules file", err);
    code = code ? code : node_want_keys(&load->file, root, keys, err);
    code = code || !version ? code : node_want_count(&load->file, version, 1, 1, &number, err);
    load->rules->settle_ms = SETTLE_MS_DEFAULT;
    if (!code && settle) {
        code = node_want_duration(&load->file, settle, SETTLE_MS_MAX, &load->rules->settle_ms, err);
    }
    if (!code && language) {
        code = node_want_text(&load->file, language, LANGUAGE_BYTES_MAX, &tag, err);
        code = code ? code : want_language(load, language, tag, err);
    }
    load->lists = node_get(root, "lists");
    if (!code && load->lists) {
        code = node_want_map(&load->file, load->lists, "lists", err);
    }
    load->rules->language = load_copy(tag);
    return code || load->rules->language ? code : load_no_memory(err);
}

/* Which families hear whom. */
static int finish(struct cues_rules *rules, struct error *err)
{
    rules->mask_words = (rules->family_count + 63) / 64;
    for (uint8_t speaker = 0; speaker < 3; speaker++) {
        uint64_t *heard = calloc(rules->mask_words ? rules->mask_words : 1, sizeof *heard);
        if (!heard) {
            return load_no_memory(err);
        }
        rules->heard[speaker] = heard;
        for (size_t i = 0; i < rules->family_count; i++) {
            if (history_is_by(speaker, rules->family_by[i])) {
                heard[i / 64] |= UINT64_C(1) << (i % 64);
            }
        }
    }
    return words_seal(&rules->words) ? 0 : load_no_memory(err);
}

int cues_parse(const char *name, const char *bytes, size_t size, struct cues_rules **out,
               struct error *err)
{
    struct load load = {.file = {name}};
    struct node *root = NULL;
    *out = NULL;
    load.rules = calloc(1, sizeof *load.rules);
    if (!load.rules) {
        return load_no_memory(err);
    }
    load.rules->references = 1;
    buf_init(&load.rules->scratch, CUES_TEXT_BYTES_MAX * 3 + 1);
    load.rules->conditions = load_grow(NULL, 0, sizeof *load.rules->conditions);
    load.rules->condition_count = load.rules->conditions ? 1 : 0;
    int code = load.rules->conditions ? 0 : load_no_memory(err);
    code = code ? code : node_parse(&load.file, bytes, size, &root, err);
    if (!code && !root) {
        code = error_set(err, ERROR_CONFIG, "%s:1:1: the file is empty: it needs rules", name);
    }
    code = code ? code : read_head(&load, root, err);
    const struct node *rules = node_get(root, "rules");
    if (!code && !rules) {
        code = node_fail(&load.file, root, err, "the file needs rules: a list of them");
    }
    code = code ? code : read_rules(&load, rules, err);
    code = code ? code : finish(load.rules, err);
    node_free(root);
    if (code) {
        cues_release(load.rules);
        return code;
    }
    *out = load.rules;
    return 0;
}

int cues_load(const char *path, struct cues_rules **out, struct error *err)
{
    char *bytes = NULL;
    size_t size;
    *out = NULL;
    int code = lines_read_file(path, CUES_FILE_BYTES_MAX, &bytes, &size, err);
    code = code ? code : cues_parse(path, bytes, size, out, err);
    free(bytes);
    return code;
}
