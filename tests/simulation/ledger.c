/* ledger.c - see ledger.h. Utterances are found again in the log by the keyed hash of their
 * identity, as tools/check_ledger.py does; calls by the hash of their id. */
#include "ledger.h"

#include "base/keyhash.h"
#include "base/map.h"
#include "oracle.h"
#include "world.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 4 * 1024 * 1024, NAME_BYTES = KEYHASH_TEXT_BYTES + 16 };

/* Lists and transcripts come every few seconds; what was visible so long is sure to be asked for.
 */
enum { SWEPT_MS = 50000, JUST_LISTED_MS = 2000, LOOKBACK_MS = 58000, KILL_DOUBT_MS = 15000 };

static struct {
    struct vendor *vendor;
    struct keyhash key;
    struct map forms;    /* utterance hash and revision -> struct form */
    struct map calls;    /* interaction hash -> struct vendor_call */
    size_t copies_bytes; /* of names, in the maps */
    uint64_t scored;
    uint64_t alerts;
    uint64_t unknown;
} ledger;

/* A map keeps a copy of each name, for which malloc takes a word more, in steps of two words. */
static size_t copy_bytes(const char *name)
{
    const size_t step = 2 * sizeof(size_t);
    return (strlen(name) + sizeof(size_t) + step - 1) / step * step;
}

static void remember(struct map *map, const char *name, void *value)
{
    if (!map_put(map, name, strlen(name), value)) {
        abort();
    }
    ledger.copies_bytes += copy_bytes(name);
}

/* map.c: a name, its size and hash, and what it stands for. */
enum { MAP_SLOT_BYTES = 4 * sizeof(void *) };

size_t ledger_daemon_bytes(void)
{
    struct mallinfo2 heap = mallinfo2();
    size_t slots_bytes = (ledger.forms.capacity + ledger.calls.capacity) * MAP_SLOT_BYTES;
    return heap.uordblks + heap.hblkhd - ledger.copies_bytes - slots_bytes -
           ledger.vendor->age_capacity * sizeof *ledger.vendor->ages;
}

void ledger_begin(struct vendor *vendor)
{
    memset(&ledger, 0, sizeof ledger);
    ledger.vendor = vendor;
    map_init(&ledger.forms, NAMES_MAX);
    map_init(&ledger.calls, NAMES_MAX);
}

void ledger_use_key(const struct keyhash *key)
{
    if (ledger.calls.count > 0 && memcmp(&ledger.key, key, sizeof *key) == 0) {
        return;
    }
    ledger.key = *key;
    for (uint32_t i = 0; i < ledger.vendor->count; i++) {
        char name[KEYHASH_TEXT_BYTES];
        struct vendor_call *call = &ledger.vendor->calls[i];
        keyhash_text(key, call->id, strlen(call->id), name);
        remember(&ledger.calls, name, call);
    }
}

void ledger_end(void)
{
    map_done(&ledger.forms);
    map_done(&ledger.calls);
}

/* --- the scorer ------------------------------------------------------------------------------ */

/* The state it was said in, if a list that this life of the daemon could read told of it. */
static bool was_told_masked(const struct vendor *vendor, const struct vendor_call *call,
                            int64_t end_ms)
{
    const struct call_span *span = vendor_span_at(call, end_ms);
    return span->state == STATE_MASKED && span->listed && span->listed_life == vendor->life &&
           world_now_ms() > span->listed_ms;
}

int32_t ledger_note_asked(const struct score_ticket *ticket, const char *text)
{
    struct vendor *vendor = ledger.vendor;
    uint32_t call_number;
    uint32_t number;
    uint32_t form_number;
    int32_t score;
    if (!vendor_parse_text(text, &call_number, &number, &form_number, &score)) {
        world_fail("a text that the vendor never served is scored");
        return 0;
    }
    struct vendor_call *call = &vendor->calls[call_number];
    struct utterance *utterance = &call->utterances[number];
    struct form *form = &utterance->forms[form_number];
    if (form->life == vendor->life && form->asked > 0) {
        world_fail("%s: utterance %u form %u is asked to be scored again", call->id, number,
                   form_number);
    }
    if (!utterance->customer || !form->served) {
        world_fail("%s: utterance %u form %u is scored, %s", call->id, number, form_number,
                   form->served ? "an agent's" : "which was never served");
    }
    if (was_told_masked(vendor, call, form->end_ms)) {
        world_fail("%s: utterance %u was said in a mask and is scored", call->id, number);
    }
    form->life = vendor->life;
    form->asked = 1;
    char identity[96];
    char name[NAME_BYTES];
    int size = snprintf(identity, sizeof identity, "%s\ncustomer\n%lld\n%u", call->id,
                        (long long)ticket->start_ms, (unsigned)ticket->ordinal);
    keyhash_text(&ledger.key, identity, (size_t)size, name);
    (void)snprintf(name + strlen(name), 16, "-%u", (unsigned)ticket->revision);
    remember(&ledger.forms, name, form);
    return score;
}

/* --- the log --------------------------------------------------------------------------------- */

static const struct log_field *field(const struct log_field *fields, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static void note_scored(const struct log_field *fields, size_t count)
{
    char name[NAME_BYTES];
    const struct log_field *utterance = field(fields, count, "utterance");
    const struct log_field *revision = field(fields, count, "revision");
    if (!utterance || !revision) {
        world_fail("a line utterance_scored without utterance or revision");
        return;
    }
    (void)snprintf(name, sizeof name, "%s-%lld", utterance->text, (long long)revision->integer);
    struct form *form = map_get(&ledger.forms, name, strlen(name));
    ledger.scored++;
    if (!form) {
        world_fail("an utterance is logged as scored that was never asked for");
    } else if (form->logged++ > 0) {
        world_fail("a form is logged as scored %u times", (unsigned)form->logged);
    }
}

static void note_call(const char *event, struct vendor_call *call)
{
    if (strcmp(event, "call_opened") == 0) {
        call->opened++;
        call->opened_ms = world_vendor_ms();
    } else if (strcmp(event, "call_closed") == 0) {
        call->closed++;
    } else if (strcmp(event, "alert_opened") == 0) {
        call->alerts++;
        ledger.alerts++;
    } else if (strcmp(event, "attributes_lost") == 0) {
        call->lost_writes++;
    } else if (strcmp(event, "suggestion_unknown") == 0) {
        ledger.unknown++;
    } else if (strcmp(event, "state_lost") == 0) {
        world_fail("%s: what was kept of it could not be read", call->id);
    }
}

void ledger_note_line(const char *event, const struct log_field *fields, size_t field_count)
{
    const struct log_field *interaction = field(fields, field_count, "interaction");
    if (strcmp(event, "utterance_scored") == 0 || strcmp(event, "utterance_unscorable") == 0) {
        note_scored(fields, field_count);
    }
    if (interaction && interaction->text) {
        struct vendor_call *call =
            map_get(&ledger.calls, interaction->text, strlen(interaction->text));
        if (call) {
            note_call(event, call);
        }
    }
}

/* --- the balance ----------------------------------------------------------------------------- */

/* When the daemon was told of the end: too early where lists leave a live call out to its end. */
static int64_t told_end_ms(const struct vendor_call *call)
{
    bool early = call->left_out_ms >= call->opened_ms && call->left_out_ms < call->ends_ms;
    return early ? call->left_out_ms : call->ends_ms;
}

/* Said where a living daemon that follows the call must ask for it. */
static bool is_due(const struct vendor_call *call, const struct utterance *utterance)
{
    return utterance->start_ms >= call->opened_ms - LOOKBACK_MS &&
           utterance->forms[0].visible_ms <= told_end_ms(call) + SWEPT_MS;
}

/* The last form that had its chance; NULL if none need have been served, and none was. */
static struct form *last_form(const struct vendor_call *call, struct utterance *utterance,
                              bool *missing)
{
    struct form *found = NULL;
    *missing = false;
    for (unsigned i = 0; i < utterance->form_count; i++) {
        struct form *form = &utterance->forms[i];
        bool due = is_due(call, utterance) && form->visible_ms <= told_end_ms(call) + SWEPT_MS;
        if (form->served) {
            found = form;
            *missing = false;
        } else if (due && i + 1 == utterance->form_count) {
            *missing = true;
        }
    }
    return found;
}

/* Whether what was masked is known beyond doubt: each border of a mask was listed in time, to a
 * daemon that lived on. */
static bool is_mask_sure(const struct vendor *vendor, const struct vendor_call *call)
{
    for (uint32_t i = 1; i < call->span_count; i++) {
        const struct call_span *span = &call->spans[i];
        if (span->state != STATE_MASKED) {
            continue;
        }
        for (uint32_t k = i; k <= i + 1 && k < call->span_count; k++) {
            int64_t in_world_ms = call->spans[k].from_ms - WORLD_EPOCH_MS;
            if (!call->spans[k].listed ||
                vendor_died_between(vendor, in_world_ms - 1000,
                                    call->spans[k].listed_ms + KILL_DOUBT_MS)) {
                return false;
            }
        }
    }
    return true;
}

static void check_verdict(const struct vendor_call *call, const struct verdict *verdict,
                          struct figures *figures)
{
    figures->calls_checked++;
    if (verdict->count == 0) {
        if (call->writes > 0) {
            world_fail("%s: attributes were written though nothing was said", call->id);
        }
        return;
    }
    double score = strtod(call->score, NULL);
    double off = score - verdict->mean / 1e6;
    if (call->judged != (int64_t)verdict->count || off > 0.000501 || off < -0.000501 ||
        strcmp(call->trend, verdict->trend) != 0) {
        world_fail("%s: last attributes %s %s of %lld, should be %.4f %s of %u (%u writes, the "
                   "last at %.1f s%s)",
                   call->id, call->score, call->trend, (long long)call->judged, verdict->mean / 1e6,
                   verdict->trend, verdict->count, call->writes, (double)call->written_ms / 1e3,
                   call->lost_writes ? ", given up" : "");
    }
}

/* What was served so far, in its last form and not masked. */
static size_t collect_judged(const struct vendor_call *call, struct judged *judged, bool complain)
{
    size_t count = 0;
    for (uint32_t i = 0; i < call->count; i++) {
        struct utterance *utterance = &call->utterances[i];
        bool missing;
        if (!utterance->customer) {
            continue;
        }
        const struct form *form = last_form(call, utterance, &missing);
        if (missing && complain) {
            world_fail("%s: utterance %u, said at %.1f s and visible at %.1f s, was never asked "
                       "for: lost",
                       call->id, i, (double)(utterance->start_ms - WORLD_EPOCH_MS) / 1e3,
                       (double)(utterance->forms[0].visible_ms - WORLD_EPOCH_MS) / 1e3);
        }
        if (form && form->score != BLANK &&
            vendor_span_at(call, form->end_ms)->state != STATE_MASKED) {
            judged[count++] = (struct judged){form->end_ms, form->score};
        }
    }
    return count;
}

static struct judged *judged_of(const struct vendor_call *call, size_t *count, bool complain)
{
    struct judged *judged = calloc(call->count + 1, sizeof *judged);
    if (!judged) {
        abort();
    }
    *count = collect_judged(call, judged, complain);
    return judged;
}

static void check_call(const struct vendor *vendor, const struct vendor_call *call,
                       struct figures *figures)
{
    if (call->opened == 0) {
        return; /* over before a list named it */
    }
    size_t count;
    struct verdict verdict;
    bool sure = call->opened == 1 && is_mask_sure(vendor, call);
    struct judged *judged = judged_of(call, &count, call->opened == 1);
    oracle_judge(judged, count, &verdict);
    free(judged);
    figures->utterances += count;
    if (sure) {
        check_verdict(call, &verdict, figures);
    }
    if (call->regressions > 0 && sure && call->span_count == 1 && call->lost_writes == 0) {
        world_fail("%s: the count of judged utterances went back %u times", call->id,
                   call->regressions);
    }
    if (call->repeats > 0) {
        world_fail("%s: %u suggestions were sent again", call->id, call->repeats);
    }
    if (call->shown_count > call->alerts &&
        vendor->death_count <= 1) { /* or that line was cut off */
        world_fail("%s: %u suggestions shown for %u alerts", call->id, call->shown_count,
                   call->alerts);
    }
    /* A kill may cut off the line that says so; that no call is left on the disk was seen before.
     */
    bool cut_off = call->closed < call->opened && vendor->death_count > 1;
    if (call->closed != call->opened && !cut_off) {
        world_fail("%s: opened %u times and closed %u times", call->id, call->opened, call->closed);
    }
    figures->suggestions += call->shown_count;
    figures->writes += call->writes;
}

void ledger_check(const struct vendor *vendor, struct figures *figures)
{
    for (uint32_t i = 0; i < vendor->count; i++) {
        check_call(vendor, &vendor->calls[i], figures);
    }
    figures->scored = ledger.scored;
    figures->alerts = ledger.alerts;
    figures->unknown = ledger.unknown;
}

unsigned ledger_count_stale(const struct vendor *vendor)
{
    unsigned stale = 0;
    for (uint32_t i = 0; i < vendor->count; i++) {
        const struct vendor_call *call = &vendor->calls[i];
        size_t count;
        struct verdict verdict;
        struct judged *judged = judged_of(call, &count, false);
        oracle_judge(judged, count, &verdict);
        free(judged);
        stale += vendor_is_live(call) && (int64_t)verdict.count > call->judged;
    }
    return stale;
}
