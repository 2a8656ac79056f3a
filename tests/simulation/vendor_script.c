/* vendor_script.c - the calls of a plan, written down before the world begins: who speaks when,
 * when each word becomes visible, what is revised, masked, held, transferred. Drawn from the plan's
 * seed alone, so that a change of the daemon changes no call. */
#include "vendor.h"

#include "base/rand.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN_MS = 6000 }; /* around masks, in which nobody speaks */

static int64_t between(struct rand *rand, int64_t least, int64_t most)
{
    return least + (int64_t)rand_below(rand, (uint64_t)(most > least ? most - least : 0) + 1);
}

static bool chance(struct rand *rand, double share)
{
    return rand_uniform(rand) < share;
}

static int32_t draw_score(struct rand *rand, bool angry)
{
    return (int32_t)rand_below(rand, angry ? 400000 : 1000000);
}

static void write_forms(struct utterance *utterance, const struct plan *plan, struct rand *rand,
                        bool angry)
{
    struct form *first = &utterance->forms[0];
    int64_t delay_ms = between(rand, 300, 1500);
    if (chance(rand, plan->late_share)) {
        delay_ms = between(rand, 1500, plan->late_most_ms);
    }
    first->visible_ms = first->end_ms + delay_ms;
    first->score = chance(rand, plan->blank_share) ? BLANK : draw_score(rand, angry);
    utterance->form_count = 1;
    if (chance(rand, plan->revised_share)) {
        struct form *revised = &utterance->forms[utterance->form_count++];
        *revised = *first;
        revised->visible_ms = first->visible_ms + between(rand, 500, 20000);
        revised->end_ms = first->end_ms + (chance(rand, 0.3) ? between(rand, -200, 200) : 0);
        revised->score = draw_score(rand, angry);
    }
    utterance->partial = chance(rand, plan->partial_share);
}

/* A mask or a hold in the middle of the call, or none. Masks last so long that a list tells. */
static void write_spans(struct vendor_call *call, const struct plan *plan, struct rand *rand)
{
    int64_t length_ms = call->ends_ms - call->begins_ms;
    call->spans[0] = (struct call_span){.state = STATE_ACTIVE, .from_ms = call->begins_ms};
    call->span_count = 1;
    bool masked = chance(rand, plan->mask_share);
    if (length_ms < 70 * SECOND_MS || !(masked || chance(rand, plan->hold_share))) {
        return;
    }
    int64_t from_ms = call->begins_ms + between(rand, 15 * SECOND_MS, length_ms / 2);
    int64_t until_ms = from_ms + between(rand, 12 * SECOND_MS, 25 * SECOND_MS);
    call->spans[call->span_count++] =
        (struct call_span){.state = masked ? STATE_MASKED : STATE_HELD, .from_ms = from_ms};
    call->spans[call->span_count++] =
        (struct call_span){.state = STATE_ACTIVE, .from_ms = until_ms};
}

/* Where the next utterance may begin: not across a border of a span, and not in a hold. */
static int64_t clear_of_borders(const struct vendor_call *call, int64_t start_ms, int64_t length_ms)
{
    for (uint32_t i = 1; i < call->span_count; i++) {
        const struct call_span *span = &call->spans[i];
        int64_t begins_ms = span->from_ms - MARGIN_MS;
        int64_t ends_ms = span->from_ms + MARGIN_MS;
        if (span[-1].state == STATE_HELD && start_ms < ends_ms &&
            start_ms + length_ms > span[-1].from_ms) {
            return ends_ms;
        }
        if (start_ms < ends_ms && start_ms + length_ms > begins_ms) {
            start_ms = ends_ms;
        }
    }
    return start_ms;
}

static void write_utterances(struct vendor_call *call, const struct plan *plan, struct rand *rand)
{
    int64_t length_ms = call->ends_ms - call->begins_ms;
    size_t most = (size_t)(length_ms / 900) + 2;
    bool angry = chance(rand, plan->angry_share);
    call->utterances = calloc(most, sizeof *call->utterances);
    if (!call->utterances) {
        abort();
    }
    int64_t at_ms = call->begins_ms + between(rand, 200, 3000);
    while (call->count < most) {
        struct utterance *utterance = &call->utterances[call->count];
        int64_t spoken_ms = between(rand, 600, 4000);
        int64_t start_ms = clear_of_borders(call, at_ms, spoken_ms);
        if (start_ms + spoken_ms > call->ends_ms) {
            break;
        }
        utterance->start_ms = start_ms;
        utterance->customer = chance(rand, 0.5);
        utterance->forms[0].end_ms = start_ms + spoken_ms;
        write_forms(utterance, plan, rand, angry);
        call->count++;
        /* Two people overlap now and then, but never begin in the same millisecond. */
        int64_t pause_ms = between(rand, -500, plan->pause_most_ms);
        at_ms = start_ms + (spoken_ms + pause_ms > 1 ? spoken_ms + pause_ms : 1);
    }
    struct utterance *fitted = realloc(call->utterances, (call->count + 1) * sizeof *fitted);
    call->utterances = fitted ? fitted : call->utterances;
}

static void write_call(struct vendor *vendor, uint32_t number, struct rand *rand)
{
    const struct plan *plan = vendor->plan;
    struct vendor_call *call = &vendor->calls[number];
    struct vendor_call *before = number > 0 ? call - 1 : NULL;
    (void)snprintf(call->id, sizeof call->id, "call-%u", number);
    call->judged = -1;
    /* Some have begun before the world. */
    int64_t at_ms = plan->calls > 1 ? plan->arrive_ms * number / (plan->calls - 1) : 0;
    call->begins_ms = WORLD_EPOCH_MS + at_ms - (number % 5 == 0 ? between(rand, 0, 20000) : 0);
    if (before && chance(rand, plan->transfer_share)) {
        (void)snprintf(call->master_id, sizeof call->master_id, "%s", before->master_id);
        if (!call->master_id[0]) {
            (void)snprintf(call->master_id, sizeof call->master_id, "master-%u", number);
            memcpy(before->master_id, call->master_id, sizeof call->master_id);
        }
    }
    call->ends_ms = call->begins_ms + between(rand, plan->talk_least_ms, plan->talk_most_ms);
    write_spans(call, plan, rand);
    write_utterances(call, plan, rand);
}

/* No bucket holds more. */
static const double FULL = 1e9;

struct vendor *vendor_create(const struct plan *plan)
{
    struct vendor *vendor = calloc(1, sizeof *vendor);
    if (!vendor) {
        abort();
    }
    vendor->plan = plan;
    vendor->count = plan->calls;
    vendor->calls = calloc(plan->calls ? plan->calls : 1, sizeof *vendor->calls);
    vendor->tally_count = (size_t)(plan->end_ms / SECOND_MS) + 1;
    vendor->tallies = calloc(vendor->tally_count, sizeof *vendor->tallies);
    if (!vendor->calls || !vendor->tallies) {
        abort();
    }
    for (uint32_t i = 0; i < plan->calls; i++) {
        struct rand rand;
        rand_seed(&rand, rand_mix(plan->seed ^ rand_mix(i)));
        write_call(vendor, i, &rand);
        vendor->calls[i].quota = FULL;
    }
    vendor->quota = FULL;
    the_vendor = vendor;
    return vendor;
}

void vendor_destroy(struct vendor *vendor)
{
    for (uint32_t i = 0; i < vendor->count; i++) {
        free(vendor->calls[i].utterances);
    }
    free(vendor->calls);
    free(vendor->ages);
    free(vendor->tallies);
    free(vendor);
    the_vendor = NULL;
}
