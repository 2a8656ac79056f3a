/* intake.c - see intake.h.
 *
 * A revision takes its new end at once and keeps its old score until the new one arrives: between
 * the two the mood is that of the old words at the new time, afterwards that of an in-order replay
 * of the final forms. */
#include "mood/intake.h"

#include "mood/call_effects.h"
#include "mood/fold.h"

#include <stdlib.h>

static bool is_scorable(const struct mood_policy *policy, enum speaker speaker)
{
    return speaker == SPEAKER_CUSTOMER || (speaker == SPEAKER_AGENT && policy->score_agent);
}

static bool allocate(struct intake *intake, size_t count)
{
    if (count == 0) {
        return true;
    }
    intake->items = calloc(count, sizeof *intake->items);
    intake->identities = calloc(count, sizeof *intake->identities);
    intake->sorted = calloc(count, sizeof(struct identity *));
    return intake->items && intake->identities && intake->sorted;
}

static void admit(struct intake *intake, const struct segment *segment,
                  const struct mood_policy *policy, int64_t vendor_ms)
{
    struct intake_item item = {.segment = segment};
    if (!times_judge(segment, intake->first_start_ms, vendor_ms, policy->future_tolerance_ms,
                     &item.times)) {
        intake->quarantined++;
        return;
    }
    if (intake->first_start_ms == 0 || segment->start_ms < intake->first_start_ms) {
        intake->first_start_ms = segment->start_ms;
    }
    struct identity *identity = &intake->identities[intake->count];
    identity->index = intake->count;
    identity_name(identity, segment, policy);
    intake->items[intake->count++] = item;
}

bool intake_plan(struct intake *intake, const struct call_event *event,
                 struct transcript *transcript, const struct mood_policy *policy,
                 int64_t first_start_ms, int64_t vendor_ms)
{
    *intake = (struct intake){.first_start_ms = first_start_ms};
    for (size_t i = 0; i < event->segment_count; i++) {
        intake->partials += !event->segments[i].is_final;
    }
    if (!allocate(intake, event->segment_count - intake->partials)) {
        return false;
    }
    for (size_t i = 0; i < event->segment_count; i++) {
        if (event->segments[i].is_final) {
            admit(intake, &event->segments[i], policy, vendor_ms);
        }
    }
    identity_resolve(intake->identities, intake->sorted, intake->count, transcript);
    for (size_t i = 0; i < intake->count; i++) {
        enum identity_verdict verdict = intake->identities[i].verdict;
        intake->inserts += verdict == IDENTITY_NEW;
        intake->scores +=
            verdict != IDENTITY_DUPLICATE && is_scorable(policy, intake->items[i].segment->speaker);
    }
    return true;
}

void intake_done(struct intake *intake)
{
    free(intake->items);
    free(intake->identities);
    free(intake->sorted);
    *intake = (struct intake){0};
}

static void ask_for_score(const struct intake_target *target, const struct utterance *utterance,
                          const struct segment *segment)
{
    call_effects_append_utterance(target->effects, CALL_EFFECT_SCORE, utterance)->segment =
        *segment;
}

static void tell_withheld(const struct intake_target *target, const struct utterance *utterance)
{
    target->counts->masked++;
    (void)call_effects_append_utterance(target->effects, CALL_EFFECT_MASKED, utterance);
}

static void count_new(const struct intake_target *target, enum speaker speaker, int64_t end_ms)
{
    struct call_counts *counts = target->counts;
    if (speaker == SPEAKER_AGENT) {
        counts->agent++;
        return;
    }
    if (speaker != SPEAKER_CUSTOMER) {
        counts->unknown_speaker++;
        return;
    }
    counts->finals++;
    int64_t newest_ms;
    if (transcript_newest(target->transcript, &newest_ms) && end_ms < newest_ms) {
        counts->late++;
        counts->beyond_lateness += end_ms < target->vendor_ms - target->policy->lateness_ms;
    }
}

static void add_new(const struct intake_target *target, const struct intake_item *item,
                    const struct identity *identity)
{
    struct transcript *transcript = target->transcript;
    int64_t end_ms = item->times.end_ms;
    if (end_ms > transcript->horizon_ms && transcript->count == transcript->count_max) {
        target->counts->folded += transcript_fold_oldest(transcript);
    }
    if (end_ms <= transcript->horizon_ms) {
        target->counts->folded++;
        return;
    }
    enum speaker speaker = item->segment->speaker;
    count_new(target, speaker, end_ms);
    target->counts->clamped += item->times.clamped;
    size_t place = transcript_insert(transcript, &(struct utterance){
                                                     .start_ms = item->segment->start_ms,
                                                     .end_ms = end_ms,
                                                     .key = identity->key,
                                                     .form = identity->form,
                                                     .number = transcript->numbers++,
                                                     .ordinal = (uint16_t)identity->ordinal,
                                                     .speaker = (uint32_t)speaker & 3u,
                                                 });
    if (!is_scorable(target->policy, speaker)) {
        return;
    }
    if (masks_cover(target->masks, end_ms)) {
        transcript->items[place].withheld = 1;
        tell_withheld(target, &transcript->items[place]);
        return;
    }
    transcript_expect(transcript, &transcript->items[place], true, target->backlog);
    ask_for_score(target, &transcript->items[place], item->segment);
}

/* The same utterance in its new form, waiting for a score where it is to have one. */
static struct utterance revised(const struct intake_target *target, struct utterance utterance,
                                const struct intake_item *item, const struct identity *identity)
{
    enum speaker speaker = item->segment->speaker;
    bool masked = masks_cover(target->masks, item->times.end_ms);
    bool scorable = is_scorable(target->policy, speaker) && !masked;
    bool backlog = utterance.backlog || target->backlog;
    transcript_expect(target->transcript, &utterance, false, false);
    utterance.start_ms = item->segment->start_ms;
    utterance.end_ms = item->times.end_ms;
    utterance.form = identity->form;
    utterance.revision++;
    utterance.speaker = (uint32_t)speaker & 3u;
    utterance.scored = utterance.scored && scorable;
    utterance.withheld = is_scorable(target->policy, speaker) && masked;
    transcript_expect(target->transcript, &utterance, scorable, backlog);
    return utterance;
}

static void revise(const struct intake_target *target, const struct intake_item *item,
                   const struct identity *identity)
{
    struct transcript *transcript = target->transcript;
    size_t place = transcript_find(transcript, identity->number);
    if (place == transcript->count || item->times.end_ms <= transcript->horizon_ms) {
        target->counts->folded++;
        return;
    }
    if (transcript->items[place].revision == UINT16_MAX) {
        target->counts->duplicates++; /* a form that flaps for ever is not followed for ever */
        return;
    }
    struct utterance before = transcript_remove(transcript, place);
    struct utterance after = revised(target, before, item, identity);
    (void)transcript_insert(transcript, &after);
    fold_from(transcript, target->policy, target->origin_ms,
              before.end_ms < after.end_ms ? before.end_ms : after.end_ms);
    target->counts->revisions++;
    target->counts->clamped += item->times.clamped;
    if (after.pending) {
        ask_for_score(target, &after, item->segment);
    } else if (after.withheld) {
        tell_withheld(target, &after);
    }
}

/* Served again: the mask that kept it from the scorer may have ended before it. */
static void reconsider(const struct intake_target *target, const struct intake_item *item,
                       const struct identity *identity)
{
    struct transcript *transcript = target->transcript;
    size_t place = transcript_find(transcript, identity->number);
    if (place == transcript->count || masks_cover(target->masks, transcript->items[place].end_ms)) {
        target->counts->duplicates++;
        return;
    }
    struct utterance *utterance = &transcript->items[place];
    utterance->withheld = 0;
    transcript_expect(transcript, utterance, true, target->backlog);
    ask_for_score(target, utterance, item->segment);
}

void intake_apply(const struct intake *intake, const struct intake_target *target)
{
    target->counts->partials += intake->partials;
    target->counts->quarantined += intake->quarantined;
    for (size_t i = 0; i < intake->count; i++) {
        const struct identity *identity = &intake->identities[i];
        switch (identity->verdict) {
        case IDENTITY_DUPLICATE:
            target->counts->duplicates++;
            break;
        case IDENTITY_WITHHELD:
            reconsider(target, &intake->items[i], identity);
            break;
        case IDENTITY_REVISION:
            revise(target, &intake->items[i], identity);
            break;
        case IDENTITY_NEW:
            add_new(target, &intake->items[i], identity);
            break;
        }
    }
}
