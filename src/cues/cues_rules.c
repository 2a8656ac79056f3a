/* cues_rules.c - a rule set as a thing: its life, names, sizes and messages. See cues.h. */
#include "cues/cues_internal.h"
#include "cues/template.h"

#include <stdlib.h>
#include <string.h>

uint64_t cues_identify(const void *bytes, size_t size)
{
    static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = "undertone cues ";
    return keyhash_short(key, bytes, size);
}

bool cues_is_time(int64_t ms)
{
    return ms > -(INT64_C(1) << 53) && ms < INT64_C(1) << 53;
}

const char *cues_tier_name(enum cues_tier tier)
{
    return tier == CUES_TIER_SUPERVISOR ? "supervisor" : "agent";
}

/* --- life --- */

struct cues_rules *cues_hold(struct cues_rules *rules)
{
    rules->references++;
    return rules;
}

static void free_texts(struct cues_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->items[i].language);
        free(texts->items[i].text);
    }
    free(texts->items);
}

static void free_rule(struct cues_rule *rule)
{
    for (size_t i = 0; i < rule->override_count; i++) {
        free_texts(&rule->overrides[i].settings.texts);
    }
    free_texts(&rule->settings.texts);
    free(rule->overrides);
    free(rule->name);
}

void cues_release(struct cues_rules *rules)
{
    if (!rules || --rules->references > 0) {
        return;
    }
    for (size_t i = 0; i < rules->rule_count; i++) {
        free_rule(&rules->rules[i]);
    }
    for (size_t i = 0; i < rules->expression_count; i++) {
        pattern_free(rules->expressions[i].pattern);
    }
    for (size_t i = 0; i < rules->queue_count; i++) {
        free(rules->queues[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        free(rules->heard[i]);
    }
    free(rules->rules);
    free(rules->expressions);
    free(rules->queues);
    free(rules->conditions);
    free(rules->family_ids);
    free(rules->family_by);
    free(rules->language);
    words_done(&rules->words);
    buf_done(&rules->scratch);
    free(rules);
}

/* --- names and sizes --- */

size_t cues_rule_count(const struct cues_rules *rules)
{
    return rules->rule_count;
}

const char *cues_rule_name(const struct cues_rules *rules, uint32_t rule)
{
    return rules->rules[rule].name;
}

uint32_t cues_rule_number(const struct cues_rules *rules, uint32_t rule)
{
    uint32_t number = (uint32_t)rules->rules[rule].id;
    return number ? number : 1;
}

void cues_summarize(const struct cues_rules *rules, struct cues_summary *out)
{
    *out = (struct cues_summary){
        .rules = rules->rule_count,
        .phrases = rules->words.count,
        .patterns = rules->expression_count,
        .settle_ms = rules->settle_ms,
    };
    for (size_t i = 0; i < rules->expression_count; i++) {
        out->patterns_interpreted += pattern_is_fast(rules->expressions[i].pattern) ? 0 : 1;
    }
    for (size_t i = 1; i < rules->condition_count; i++) {
        out->needs_mood = out->needs_mood || rules->conditions[i].kind == CUES_MOOD;
    }
}

uint32_t cues_find_queue(const struct cues_rules *rules, const char *name)
{
    for (size_t i = 0; name && i < rules->queue_count; i++) {
        if (strcmp(rules->queues[i], name) == 0) {
            return (uint32_t)i;
        }
    }
    return CUES_NO_QUEUE;
}

static const struct cues_override *find_override(const struct cues_rule *rule, uint32_t queue)
{
    for (size_t i = 0; i < rule->override_count; i++) {
        if (rule->overrides[i].queue == queue) {
            return &rule->overrides[i];
        }
    }
    return NULL;
}

const struct cues_settings *cues_settings_of(const struct cues_rule *rule, uint32_t queue)
{
    const struct cues_override *own = find_override(rule, queue);
    return own ? &own->settings : &rule->settings;
}

/* --- messages --- */

static bool is_same_tag(const char *known, const char *wanted, size_t bytes)
{
    size_t i = 0;
    while (i < bytes && known[i]) {
        char a = known[i] >= 'A' && known[i] <= 'Z' ? (char)(known[i] + 32) : known[i];
        char b = wanted[i] >= 'A' && wanted[i] <= 'Z' ? (char)(wanted[i] + 32) : wanted[i];
        if (a != b) {
            return false;
        }
        i++;
    }
    return i == bytes && known[i] == '\0';
}

/* The text in this language, or in it with fewer and fewer subtags (RFC 4647, section 3.4). */
static const char *look_up(const struct cues_texts *texts, const char *language)
{
    size_t bytes = language ? strlen(language) : 0;
    while (bytes > 0) {
        for (size_t i = 0; i < texts->count; i++) {
            if (is_same_tag(texts->items[i].language, language, bytes)) {
                return texts->items[i].text;
            }
        }
        while (bytes > 0 && language[bytes - 1] != '-') {
            bytes--;
        }
        bytes -= bytes > 0 ? 1 : 0;
    }
    return NULL;
}

void cues_message(const struct cues_rules *rules, const struct cues_firing *firing,
                  const char *language, const char *queue, struct buf *out)
{
    const struct cues_rule *rule = &rules->rules[firing->rule];
    const struct cues_override *own = find_override(rule, cues_find_queue(rules, queue));
    const struct cues_texts *texts =
        own && own->settings.texts.count ? &own->settings.texts : &rule->settings.texts;
    const char *text = look_up(texts, language);
    text = text ? text : look_up(texts, rules->language);
    text = text ? text : texts->items[0].text;
    template_fill(text, rule->name, queue, firing, out);
}
