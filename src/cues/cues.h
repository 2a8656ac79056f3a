/* cues/cues.h - rules about a call beside its mood: what was said or not said and by whom, repeats,
 * silence, talk-over, time in the call, and combinations of these. Pure: (rules, state, event, now)
 * -> firings; no clock, no thread, no file but the one that cues_load reads.
 *
 *     struct cues_rules *rules;
 *     if (cues_load("rules.yaml", &rules, &err)) ...
 *     struct cues_state *state = cues_state_create(rules, key);
 *     cues_step(state, rules, &(struct cues_event){.kind = CUES_REPLY, ...}, &firings);
 *
 * A rule set never changes; a new one is loaded and handed to the next cues_step of each call,
 * which takes over what it knows: firings counted by rule name, phrases by what they are. Phrases
 * that are new in it are looked for from then on: texts are not kept.
 *
 * What is promised
 * - A condition is a function of the set of utterances known (each in its newest form), of the two
 *   times below and of the mood handed in; not of the order in which segments arrived, nor of how
 *   often. Exact for the newest CUES_REMEMBERED utterances; older ones stay in counts over the
 *   whole call. One that ended before all that is remembered is counted and left out.
 * - A rule fires when its condition becomes true: once, until it has been false. It does not fire
 *   within its cooldown, more than max_per_call times, or for words said before we joined.
 * - Two times. Speech time is the end of the newest utterance known: windows (within: 15s) reach
 *   back from it, so a transcript that comes 35 s late is judged as one in time. The clock is the
 *   vendor's time less `settle` (how late words come), or speech time where that is later: by it
 *   run silence, time in the call, and the wait for what was not said.
 * - What has fired is not taken back when late words would have prevented it; `settle` is the
 *   remedy. Revised and withdrawn words change the conditions at once.
 * - No text is kept. Memory: cues_state_bytes; at most 48 bytes + 8 per 64 phrase sets for each of
 *   CUES_REMEMBERED utterances.
 */
#ifndef CUES_CUES_H
#define CUES_CUES_H

#include "base/buf.h"
#include "base/error.h"
#include "base/keyhash.h"
#include "base/pack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CUES_ONE = 1000000, /* moods are fixed point */
    CUES_REMEMBERED = 256,
    CUES_RULES_MAX = 256,
    CUES_FAMILIES_MAX = 512, /* different sets of phrases and patterns */
    CUES_QUEUES_MAX = 64,
    CUES_LANGUAGES_MAX = 64,
    CUES_TEXT_BYTES_MAX = 8192, /* of an utterance: what comes after is not looked at */
    CUES_FILE_BYTES_MAX = 1 << 20,
    CUES_MESSAGE_BYTES_MAX = 1000,
    CUES_NAME_BYTES_MAX = 64,
};

enum cues_speaker { CUES_UNKNOWN, CUES_CUSTOMER, CUES_AGENT };
enum cues_trend { CUES_STABLE, CUES_IMPROVING, CUES_DECLINING };
enum cues_tier { CUES_TIER_AGENT, CUES_TIER_SUPERVISOR };

const char *cues_tier_name(enum cues_tier tier); /* "agent", "supervisor" */

/* --- rule sets --- */

struct cues_rules;

/* Reads and compiles a rules file (docs/RULES.md). Errors are "PATH:LINE:COLUMN: ...". On success
 * the caller holds one reference. */
int cues_load(const char *path, struct cues_rules **out, struct error *err);
int cues_parse(const char *name, const char *bytes, size_t size, struct cues_rules **out,
               struct error *err);

/* References are not counted atomically: one thread holds and releases. Release accepts NULL. */
struct cues_rules *cues_hold(struct cues_rules *rules);
void cues_release(struct cues_rules *rules);

size_t cues_rule_count(const struct cues_rules *rules);
const char *cues_rule_name(const struct cues_rules *rules, uint32_t rule);

/* Sizes, for people. */
struct cues_summary {
    size_t rules;
    size_t phrases;
    size_t patterns;
    size_t patterns_interpreted; /* not compiled to machine code */
    bool needs_mood;             /* a condition asks for it */
    int64_t settle_ms;
};
void cues_summarize(const struct cues_rules *rules, struct cues_summary *out);

/* --- one call --- */

struct cues_state;

/* NULL without memory. Holds a reference to its rules. Texts are told apart by hashes under the
 * key, which is secret where the state is saved. */
struct cues_state *cues_state_create(struct cues_rules *rules,
                                     const unsigned char key[KEYHASH_SHORT_KEY_BYTES]);
void cues_state_destroy(struct cues_state *state); /* accepts NULL */
size_t cues_state_bytes(const struct cues_state *state);

/* One final utterance as served. Borrowed for the step. */
struct cues_utterance {
    int64_t begin_ms; /* vendor clock, epoch milliseconds */
    int64_t end_ms;
    enum cues_speaker speaker;
    const char *id; /* the vendor's, or NULL: then it is known by speaker and begin */
    size_t id_bytes;
    const char *text;
    size_t text_bytes;
};

struct cues_mood {
    bool known;
    int64_t mean;       /* of the current window, 0..CUES_ONE */
    int64_t difference; /* against the window before */
    enum cues_trend trend;
};

enum cues_event_kind {
    CUES_REPLY, /* the finals of one reply, in its order */
    CUES_TICK,  /* time passed, or the mood changed */
    CUES_HELD,  /* nobody talks to the customer: no silence counts */
    CUES_RESUMED,
    CUES_MASKED, /* what ends from at_ms on is taken back, as if it had never been said */
    CUES_ENDED,  /* the call is over: what was never said is now known */
};

struct cues_event {
    enum cues_event_kind kind;
    const struct cues_utterance *utterances; /* REPLY */
    size_t count;
    bool backlog;          /* REPLY: history from before we joined: taken in, fires nothing */
    int64_t at_ms;         /* MASKED: vendor clock */
    int64_t now_ms;        /* estimated vendor clock */
    struct cues_mood mood; /* as it stands */
    const char *queue;     /* whose settings apply; NULL or unknown: the rule's own */
};

struct cues_firing {
    uint32_t rule; /* index in the set that was stepped with */
    enum cues_tier tier;
    uint32_t number;    /* which firing of this rule in this call, from 1 */
    int64_t call_ms;    /* time in the call */
    int64_t silence_ms; /* since the newest word */
    uint32_t count;     /* how often what the rule looks for was said in its window */
    struct cues_mood mood;
    bool mark_words;   /* in the message, CUES_WORDS_MARK for {words} instead of "-" */
    bool has_evidence; /* the newest utterance that made a phrase of the rule true: */
    enum cues_speaker speaker;
    int64_t begin_ms;
    int64_t end_ms;
};

/* A bounded list the caller owns: zeroed at first, emptied by count = 0. */
struct cues_firings {
    struct cues_firing items[16]; /* of one step; further ones are counted as dropped */
    size_t count;
    uint32_t dropped;
};

/* One step; appends firings. False without memory: the state then as before, or without some of
 * the event's utterances. */
bool cues_step(struct cues_state *state, struct cues_rules *rules, const struct cues_event *event,
               struct cues_firings *firings);

/* Vendor time by which the passing of time alone may make a rule fire; INT64_MAX if it cannot. */
int64_t cues_due(const struct cues_state *state);

/* Whether rule number `rule` of the state's rules holds at present. */
bool cues_holds(const struct cues_state *state, uint32_t rule);

struct cues_counts {
    uint64_t utterances; /* taken in as new */
    uint64_t duplicates;
    uint64_t revisions;
    uint64_t withdrawn; /* taken back by a mask */
    uint64_t forgotten; /* ended before all that is remembered */
    uint64_t given_up;  /* matches that met a pattern's limits */
    uint64_t cut;       /* texts longer than CUES_TEXT_BYTES_MAX */
};
/* A number for the rule that it has in every rule set, for records; 0 is none. */
uint32_t cues_rule_number(const struct cues_rules *rules, uint32_t rule);

const struct cues_counts *cues_counts(const struct cues_state *state);

/* --- messages --- */

/* Where {words} is to be filled in by the caller: what was said is not known here. */
#define CUES_WORDS_MARK "\x1a"

/* The text of a firing in a language (a tag such as "de-AT"; NULL for the file's own), for a queue.
 * A language without a text falls back: "de-AT", "de", then the file's default. Appends to out. */
void cues_message(const struct cues_rules *rules, const struct cues_firing *firing,
                  const char *language, const char *queue, struct buf *out);

/* --- kept between processes (bytes without text, versioned) --- */

enum { CUES_SAVED_UTTERANCES = 32 };

/* Counts, times and the newest CUES_SAVED_UTTERANCES utterances; older ones go into the counts. */
void cues_save(const struct cues_state *state, struct buf *out);

/* NULL with ERROR_FORMAT, ERROR_UNSUPPORTED (another version) or ERROR_MEMORY. */
struct cues_state *cues_restore(struct cues_rules *rules,
                                const unsigned char key[KEYHASH_SHORT_KEY_BYTES], struct unpack *in,
                                struct error *err);

#endif
