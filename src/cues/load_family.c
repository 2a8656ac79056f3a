/* load_family.c - phrases, lists and patterns of a rules file. Two conditions that look for the
 * same are one family: looked for once, remembered once. See load_internal.h. */
#include "cues/load_internal.h"

#include "cues/lists.h"

#include <stdlib.h>
#include <string.h>

enum { PHRASE_BYTES_MAX = 200, CONTENT_BYTES_MAX = 1 << 18 };

/* A family's content, one item after another, each with its NUL: "p" and a phrase in normal form,
 * "r" or "R" and a pattern. The order of the file is kept. */
struct content {
    struct buf bytes;
    const struct node *pattern_nodes[64];
    size_t patterns;
};

int load_by(const struct load *load, const struct node *map, enum cues_speaker *out,
            struct error *err)
{
    static const char *const words[] = {"any", "customer", "agent", NULL};
    const struct node *by = node_get(map, "by");
    size_t place = 0;
    int code = by ? node_want_word(&load->file, by, words, &place, err) : 0;
    *out = (enum cues_speaker)place;
    return code;
}

static int add_phrase(struct content *content, const char *phrase, bool *blank, struct error *err)
{
    size_t before = content->bytes.size;
    buf_append_char(&content->bytes, 'p');
    bool taken = words_normalize(phrase, strlen(phrase), &content->bytes);
    *blank = content->bytes.size == before + 1;
    buf_append_char(&content->bytes, '\0');
    return taken && !content->bytes.failed
               ? 0
               : error_set(err, ERROR_CONFIG, "too many phrases in one condition");
}

static int add_phrase_node(const struct load *load, struct content *content,
                           const struct node *node, struct error *err)
{
    const char *phrase;
    bool blank = false;
    int code = node_want_text(&load->file, node, PHRASE_BYTES_MAX, &phrase, err);
    code = code ? code : add_phrase(content, phrase, &blank, err);
    if (!code && blank) {
        code = node_fail(&load->file, node, err, "a phrase needs at least one word");
    }
    return code;
}

/* One text, or a list of them, each given to `add`. */
static int each_text(const struct load *load, struct content *content, const struct node *node,
                     int (*add)(const struct load *, struct content *, const struct node *,
                                struct error *),
                     struct error *err)
{
    if (node->kind == NODE_SCALAR) {
        return add(load, content, node, err);
    }
    int code = node_want_list(&load->file, node, "this", err);
    for (const struct node *item = node->first; item && !code; item = item->next) {
        code = add(load, content, item, err);
    }
    return code;
}

static int fail_list(const struct load *load, const struct node *node, struct error *err)
{
    struct buf known;
    buf_init(&known, ERROR_MESSAGE_BYTES / 2);
    for (const struct node *own = load->lists ? load->lists->first : NULL; own; own = own->next) {
        buf_printf(&known, " %s", own->key);
    }
    for (size_t i = 0; lists_name(i); i++) {
        buf_printf(&known, " %s", lists_name(i));
    }
    int code = node_fail(&load->file, node, err, "no list is called '%s'; there are:%s", node->text,
                         buf_string(&known));
    buf_done(&known);
    return code;
}

static int add_list_node(const struct load *load, struct content *content, const struct node *node,
                         struct error *err)
{
    const char *name;
    int code = node_want_text(&load->file, node, CUES_NAME_BYTES_MAX, &name, err);
    if (code) {
        return code;
    }
    const struct node *own = node_get(load->lists, name);
    if (own) {
        return each_text(load, content, own, add_phrase_node, err);
    }
    const char *const *phrases = lists_find(name);
    if (!phrases) {
        return fail_list(load, node, err);
    }
    bool blank;
    for (; *phrases && !code; phrases++) {
        code = add_phrase(content, *phrases, &blank, err);
    }
    return code;
}

static int add_pattern_node(const struct load *load, struct content *content,
                            const struct node *node, struct error *err)
{
    const char *expression;
    int code = node_want_text(&load->file, node, PATTERN_BYTES_MAX, &expression, err);
    if (code) {
        return code;
    }
    if (content->patterns == sizeof content->pattern_nodes / sizeof *content->pattern_nodes) {
        return node_fail(&load->file, node, err, "more than %zu patterns in one condition",
                         content->patterns);
    }
    content->pattern_nodes[content->patterns++] = node;
    buf_append_char(&content->bytes, 'r');
    buf_append(&content->bytes, expression, strlen(expression) + 1);
    return content->bytes.failed ? load_no_memory(err) : 0;
}

static int read_content(const struct load *load, const struct node *map, struct content *content,
                        bool *match_case, struct error *err)
{
    const struct node *list = node_get(map, "list");
    const struct node *phrases = node_get(map, "phrases");
    const struct node *patterns = node_get(map, "patterns");
    const struct node *flag = node_get(map, "match_case");
    int code = list ? each_text(load, content, list, add_list_node, err) : 0;
    if (!code && phrases) {
        code = each_text(load, content, phrases, add_phrase_node, err);
    }
    if (!code && patterns) {
        code = each_text(load, content, patterns, add_pattern_node, err);
    }
    if (!code && flag) {
        code = node_want_flag(&load->file, flag, match_case, err);
    }
    if (!code && content->bytes.size == 0) {
        code =
            node_fail(&load->file, map, err, "say what to look for: phrases, patterns, or a list");
    }
    return code;
}

static int compile_patterns(struct load *load, const struct content *content, bool match_case,
                            uint32_t family, struct error *err)
{
    struct cues_rules *rules = load->rules;
    for (size_t i = 0; i < content->patterns; i++) {
        const struct node *node = content->pattern_nodes[i];
        struct cues_expression *grown =
            load_grow(rules->expressions, rules->expression_count, sizeof *grown);
        if (!grown) {
            return load_no_memory(err);
        }
        rules->expressions = grown;
        struct pattern *pattern;
        if (pattern_compile(node->text, match_case, &pattern, err)) {
            return node_wrap(&load->file, node, err);
        }
        rules->expressions[rules->expression_count++] = (struct cues_expression){pattern, family};
    }
    return 0;
}

static int add_words(struct load *load, const struct content *content, uint32_t family,
                     struct error *err)
{
    const char *at = content->bytes.bytes;
    const char *end = at + content->bytes.size;
    while (at < end) {
        size_t bytes = strlen(at);
        if (*at == 'p' && !words_add(&load->rules->words, at + 1, bytes - 1, family)) {
            return error_set(err, ERROR_CONFIG, "more than %d phrases in all, or no memory",
                             WORDS_PHRASES_MAX);
        }
        at += bytes + 1;
    }
    return 0;
}

static int add_family(struct load *load, const struct node *map, uint64_t id, enum cues_speaker by,
                      struct error *err)
{
    struct cues_rules *rules = load->rules;
    if (rules->family_count == CUES_FAMILIES_MAX) {
        return node_fail(&load->file, map, err, "more than %d different sets of phrases",
                         CUES_FAMILIES_MAX);
    }
    uint64_t *ids = load_grow(rules->family_ids, rules->family_count, sizeof *ids);
    rules->family_ids = ids ? ids : rules->family_ids;
    uint8_t *speakers = load_grow(rules->family_by, rules->family_count, sizeof *speakers);
    rules->family_by = speakers ? speakers : rules->family_by;
    if (!ids || !speakers) {
        return load_no_memory(err);
    }
    ids[rules->family_count] = id;
    speakers[rules->family_count++] = (uint8_t)by;
    return 0;
}

int load_family(struct load *load, const struct node *map, uint32_t *out, struct error *err)
{
    struct cues_rules *rules = load->rules;
    struct content content = {0};
    enum cues_speaker by;
    bool match_case = false;
    buf_init(&content.bytes, CONTENT_BYTES_MAX);
    int code = load_by(load, map, &by, err);
    code = code ? code : read_content(load, map, &content, &match_case, err);
    if (code) {
        goto out;
    }
    uint64_t parts[3] = {cues_identify(content.bytes.bytes, content.bytes.size), (uint64_t)by,
                         match_case};
    uint64_t id = cues_identify(parts, sizeof parts);
    uint32_t family = 0;
    while (family < rules->family_count && rules->family_ids[family] != id) {
        family++;
    }
    *out = family;
    if (family == rules->family_count) {
        code = add_family(load, map, id, by, err);
        code = code ? code : compile_patterns(load, &content, match_case, family, err);
        code = code ? code : add_words(load, &content, family, err);
    }
out:
    buf_done(&content.bytes);
    return code;
}
