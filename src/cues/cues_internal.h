/* cues/cues_internal.h - compiled rules and a call's state, shared by the files of this room. */
#ifndef CUES_CUES_INTERNAL_H
#define CUES_CUES_INTERNAL_H

#include "base/keyhash.h"
#include "cues/cues.h"
#include "cues/history.h"
#include "cues/pattern.h"
#include "cues/words.h"

enum {
    CUES_CONDITIONS_MAX = 4096,
    CUES_NESTING_MAX = 8,
    CUES_TURNS_MAX = 50,
    CUES_AFTER_HOLDS_MS = 60000, /* how long "not said after" stays true past its deadline */
    CUES_FUTURE_MS = 5000,       /* an end later than now plus this is taken as now */
};

enum cues_kind {
    CUES_ALL,
    CUES_ANY,
    CUES_NOT,
    CUES_SAID,
    CUES_NOT_SAID,
    CUES_NOT_SAID_AFTER,
    CUES_REPEATED,
    CUES_SILENCE,
    CUES_TALK_OVER,
    CUES_CALL_TIME,
    CUES_MOOD,
};

enum cues_span { CUES_SPAN_TIME, CUES_SPAN_TURNS, CUES_SPAN_CALL };

struct cues_condition {
    enum cues_kind kind;
    enum cues_span span;
    enum cues_speaker by; /* CUES_UNKNOWN: anybody */
    uint32_t child;       /* ALL, ANY, NOT: the first; 0 for none */
    uint32_t next;        /* its next sibling; 0 for none */
    uint32_t family;      /* SAID, NOT_SAID*, REPEATED */
    uint32_t after;       /* NOT_SAID_AFTER: family */
    uint32_t count;       /* REPEATED, TALK_OVER: at least so often */
    uint32_t turns;       /* span TURNS */
    int64_t within_ms;    /* span TIME */
    int64_t longer_ms;    /* SILENCE, TALK_OVER, CALL_TIME */
    bool has_below;       /* MOOD: every one that is given must hold */
    bool has_above;
    bool has_drop;
    bool has_trend;
    int64_t below;
    int64_t above;
    int64_t drop;
    enum cues_trend trend;
};

struct cues_expression {
    struct pattern *pattern;
    uint32_t family;
};

struct cues_text {
    char *language; /* tag; owned */
    char *text;     /* template; owned */
};

struct cues_texts {
    struct cues_text *items;
    size_t count;
};

/* How a rule speaks up; a queue may have its own. */
struct cues_settings {
    bool enabled;
    enum cues_tier tier;
    int64_t cooldown_ms;
    uint32_t max_per_call;
    struct cues_texts texts; /* empty in a queue's settings: the rule's */
};

struct cues_override {
    uint32_t queue;
    struct cues_settings settings;
};

struct cues_rule {
    char *name; /* owned */
    uint64_t id;
    uint32_t root; /* condition */
    struct cues_settings settings;
    struct cues_override *overrides;
    size_t override_count;
};

struct cues_rules {
    size_t references;
    int64_t settle_ms;
    char *language; /* default of messages; owned */
    struct cues_rule *rules;
    size_t rule_count;
    struct cues_condition *conditions; /* [0] is nobody */
    size_t condition_count;
    uint64_t *family_ids; /* a family: one set of phrases and patterns, said by one side; its id
                           * is the same in another rule set with the same phrases */
    uint8_t *family_by;   /* enum cues_speaker; CUES_UNKNOWN: anybody */
    size_t family_count;
    size_t mask_words;  /* 64-bit words that hold a bit for each family */
    uint64_t *heard[3]; /* families that listen to this enum cues_speaker */
    struct cues_expression *expressions;
    size_t expression_count;
    struct words_index words;
    char **queues; /* owned names */
    size_t queue_count;
    struct buf scratch; /* a text in normal form; wiped after use */
};

/* How a rule stands in a call. */
struct cues_standing {
    bool holds;
    uint32_t fired;
    int64_t fired_ms;
};

struct cues_state {
    struct cues_rules *rules; /* that history and standings are laid out for */
    struct history history;
    struct cues_standing *standings;
    int64_t quiet_from_ms; /* silence is counted from here at the earliest */
    int64_t seen_ms;       /* newest now_ms, for cues_due */
    bool held;
    bool ended;
    unsigned char identity_key[KEYHASH_SHORT_KEY_BYTES];
    struct cues_counts counts;
};

enum { CUES_NO_QUEUE = UINT32_MAX };

/* The queue's number, or CUES_NO_QUEUE. */
uint32_t cues_find_queue(const struct cues_rules *rules, const char *name);
const struct cues_settings *cues_settings_of(const struct cues_rule *rule, uint32_t queue);

/* Whether it can be a time: near enough to 1970 that sums of times cannot overflow. */
bool cues_is_time(int64_t ms);

/* A 64-bit name for bytes, the same in every process. */
uint64_t cues_identify(const void *bytes, size_t size);

/* Lays the state out for another rule set; false without memory: as before. */
bool cues_rebind(struct cues_state *state, struct cues_rules *rules);

/* --- evaluating (cues_truth.c) --- */

struct cues_moment {
    const struct cues_rules *rules;
    const struct cues_state *state;
    int64_t speech_ms; /* end of the newest utterance */
    int64_t clock_ms;
    int64_t begun_ms; /* begin of the first utterance */
    const struct cues_mood *mood;
};

/* Times of the state as of now_ms; false while nothing was said. */
bool cues_moment_of(const struct cues_state *state, int64_t now_ms, const struct cues_mood *mood,
                    struct cues_moment *out);
bool cues_truth(const struct cues_moment *moment, uint32_t condition);

/* What a firing tells of the first condition under `condition` that looks for words. */
void cues_truth_explain(const struct cues_moment *moment, uint32_t condition,
                        struct cues_firing *firing);

#endif
