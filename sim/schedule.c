/* schedule.c - see schedule.h.
 *
 * The same number of random values is drawn for every utterance whatever the shares are, so that
 * switching one kind of disorder on does not move another. Readers know an utterance by speaker and
 * start and a form by end and text, so where two utterances share a start, and where one form could
 * be taken for masked and the other not, only one form is shown: what must be counted stays beyond
 * dispute.
 */
#include "sim/schedule.h"

#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

/* A reader takes an end in the future for now or a little later, until the correction arrives: this
 * much after the true end at the most, unless it is late. */
static const int64_t FUTURE_STANDS_MS = 40000;

static const uint64_t STAMP_SALT = 0x7374616d70;
static const uint64_t FLAW_SALT = 0x666c6177;

static int64_t draw_ms(struct rand *rand, int64_t low, int64_t high)
{
    return low + (int64_t)rand_below(rand, (uint64_t)(high - low) + 1);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- turns that begin too early ---- */

void schedule_overlap(struct conversation *conversation, double share, uint64_t seed)
{
    struct rand rand;
    rand_seed(&rand, seed);
    for (size_t i = 1; i < conversation->turn_count; i++) {
        const struct conversation_turn *before = &conversation->turns[i - 1];
        struct conversation_turn *turn = &conversation->turns[i];
        bool drawn = rand_uniform(&rand) < share;
        uint64_t place = rand_u64(&rand);
        int64_t room_ms = before->end_ms - before->start_ms - 1;
        if (!drawn || turn->speaker == before->speaker || turn->start_ms < before->end_ms ||
            room_ms < 1) {
            continue;
        }
        int64_t start_ms = before->start_ms + 1 + (int64_t)(place % (uint64_t)room_ms);
        turn->end_ms -= turn->start_ms - start_ms;
        turn->start_ms = start_ms;
    }
}

/* ---- stamps ---- */

static bool is_same_words(const struct timeline_utterance *a, const struct timeline_utterance *b)
{
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

static bool is_alike(const struct schedule_plan *plan, int64_t a_ms, int64_t b_ms)
{
    return plan->lifecycle == NULL ||
           lifecycle_is_alike(plan->lifecycle, a_ms - plan->origin_ms, b_ms - plan->origin_ms);
}

/* The utterance before i whose start it could take, to end length_ms after it; NULL for none. One
 * that took a start itself would not do: its end is too early for a reader that asks by ends. */
static const struct timeline_utterance *find_partner(const struct schedule_plan *plan, size_t i,
                                                     bool own_voice, int64_t length_ms)
{
    const struct timeline_utterance *utterances = plan->timeline->utterances;
    const struct timeline_utterance *partner = NULL;
    for (size_t k = i; k > 0 && partner == NULL; k--) {
        if (!own_voice || utterances[k - 1].speaker == utterances[i].speaker) {
            partner = &utterances[k - 1];
        }
    }
    if (partner == NULL || partner->displaced) {
        return NULL;
    }
    for (size_t k = 0; k < i; k++) {
        if (utterances[k].start_ms == partner->start_ms &&
            utterances[k].speaker == utterances[i].speaker &&
            is_same_words(&utterances[k], &utterances[i])) {
            return NULL; /* nobody could tell the two apart */
        }
    }
    bool alike = is_alike(plan, utterances[i].spoken_end_ms, partner->start_ms + length_ms);
    return alike ? partner : NULL;
}

static void stamp_same_millisecond(const struct schedule_plan *plan)
{
    struct rand rand;
    rand_seed(&rand, rand_mix(plan->seed ^ STAMP_SALT));
    for (size_t i = 0; i < plan->timeline->count; i++) {
        struct timeline_utterance *utterance = &plan->timeline->utterances[i];
        bool drawn = rand_uniform(&rand) < plan->disorder->same_millisecond;
        bool own_voice = rand_below(&rand, 2) == 0;
        int64_t length_ms = (int64_t)rand_below(&rand, 2);
        const struct timeline_utterance *partner =
            drawn && i > 0 ? find_partner(plan, i, own_voice, length_ms) : NULL;
        if (partner != NULL) {
            utterance->start_ms = partner->start_ms;
            utterance->end_ms = partner->start_ms + length_ms;
            utterance->displaced = true;
        }
    }
}

static int by_start(const void *left, const void *right)
{
    const struct timeline_utterance *a = left;
    const struct timeline_utterance *b = right;
    if (a->start_ms != b->start_ms) {
        return a->start_ms < b->start_ms ? -1 : 1;
    }
    return (a->text > b->text) - (a->text < b->text); /* as spoken: texts lie in that order */
}

static void mark_shared(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        struct timeline_utterance *utterance = &timeline->utterances[i];
        for (size_t k = i + 1; k < timeline->count; k++) {
            struct timeline_utterance *other = &timeline->utterances[k];
            if (other->start_ms != utterance->start_ms) {
                break;
            }
            if (other->speaker == utterance->speaker) {
                utterance->shared = other->shared = true;
            }
        }
    }
}

/* ---- forms ---- */

/* When the last utterance of the part in which this one was spoken was over. */
static int64_t part_end_ms(const struct schedule_plan *plan,
                           const struct timeline_utterance *utterance)
{
    const struct timeline *timeline = plan->timeline;
    int64_t end_ms = utterance->spoken_end_ms;
    for (size_t i = 0; i < timeline->count; i++) {
        int64_t other_ms = timeline->utterances[i].spoken_end_ms;
        if (other_ms > end_ms &&
            lifecycle_is_joined(plan->lifecycle, utterance->spoken_end_ms - plan->origin_ms,
                                other_ms - plan->origin_ms)) {
            end_ms = other_ms;
        }
    }
    return end_ms;
}

/* What the first form lacks, if there is a second. */
struct first_form {
    bool revised;
    bool shorter;
    bool future;
    int64_t future_ms;
};

static struct timeline_form make_first(const struct timeline_utterance *utterance,
                                       const struct first_form *first)
{
    struct timeline_form form = {utterance->bytes, utterance->end_ms, 0};
    if (first->revised) {
        int64_t end_ms = utterance->end_ms - (first->shorter ? TIMELINE_REVISED_SHORTER_MS : 0);
        form.bytes = conversation_prefix(utterance->text, utterance->bytes, utterance->words - 1);
        form.end_ms = end_ms > utterance->start_ms ? end_ms : utterance->end_ms;
    }
    if (first->future) {
        form.end_ms = utterance->end_ms + first->future_ms;
    }
    return form;
}

static enum timeline_flaw draw_flaw(const struct timeline_disorder *disorder, struct rand *rand)
{
    static const enum timeline_flaw missing[] = {
        TIMELINE_FLAW_NO_TEXT,      TIMELINE_FLAW_NO_START, TIMELINE_FLAW_NO_END,
        TIMELINE_FLAW_NO_DIRECTION, TIMELINE_FLAW_NO_FINAL,
    };
    enum timeline_flaw one = missing[rand_below(rand, sizeof missing / sizeof missing[0])];
    bool is_missing = rand_uniform(rand) < disorder->missing_fields;
    bool is_unknown = rand_uniform(rand) < disorder->unknown_direction;
    bool is_past = rand_uniform(rand) < disorder->past;
    return is_missing   ? one
           : is_unknown ? TIMELINE_FLAW_UNKNOWN_DIRECTION
           : is_past    ? TIMELINE_FLAW_PAST
                        : TIMELINE_FLAW_NONE;
}

static bool may_be_future(const struct schedule_plan *plan,
                          const struct timeline_utterance *utterance)
{
    int64_t end_ms = utterance->end_ms - plan->origin_ms;
    int64_t reach_ms = plan->disorder->future_ms + FUTURE_STANDS_MS;
    return !utterance->late && !lifecycle_masks_within(plan->lifecycle, end_ms, end_ms + reach_ms);
}

static void schedule_utterance(const struct schedule_plan *plan,
                               struct timeline_utterance *utterance, struct rand *rand,
                               struct rand *flaws)
{
    const struct timeline_disorder *disorder = plan->disorder;
    int64_t prompt_ms = draw_ms(rand, TIMELINE_FINAL_MS_MIN, TIMELINE_FINAL_MS_MAX);
    utterance->late = rand_uniform(rand) < disorder->late;
    int64_t late_ms = draw_ms(rand, TIMELINE_LATE_MS_MIN, TIMELINE_LATE_MS_MAX);
    struct first_form first = {.revised = rand_uniform(rand) < disorder->revised};
    int64_t revision_ms = draw_ms(rand, TIMELINE_REVISION_MS_MIN, TIMELINE_REVISION_MS_MAX);
    first.shorter = rand_uniform(rand) < 0.5;
    utterance->duplicated = rand_uniform(rand) < disorder->duplicated;
    bool moved = rand_uniform(rand) < disorder->out_of_order;
    unsigned places = 1 + (unsigned)rand_below(rand, TIMELINE_MOVE_MAX);

    utterance->flaw = draw_flaw(disorder, flaws);
    int64_t repair_ms = draw_ms(flaws, TIMELINE_REPAIR_MS_MIN, TIMELINE_REPAIR_MS_MAX);
    first.future = rand_uniform(flaws) < disorder->future && may_be_future(plan, utterance);
    first.future_ms = disorder->future_ms;
    utterance->numeric_strings = rand_uniform(flaws) < disorder->numeric_strings;
    utterance->extra_fields = rand_uniform(flaws) < disorder->extra_fields;

    utterance->moved = moved && !utterance->shared ? places : 0;
    first.revised = first.revised && utterance->words >= TIMELINE_REVISED_WORDS_MIN;
    bool twice = (first.revised || first.future) && !utterance->shared && !utterance->displaced;
    struct timeline_form form = make_first(utterance, &first);
    twice = twice && is_alike(plan, form.end_ms, utterance->end_ms);
    bool flawed = utterance->flaw != TIMELINE_FLAW_NONE;

    int64_t first_ms = utterance->spoken_end_ms + (utterance->late ? late_ms : prompt_ms);
    if (utterance->late) {
        /* The promise binds the last form; the others leave it room to follow. */
        int64_t room_ms =
            (twice ? TIMELINE_REVISION_MS_MAX : 0) + (flawed ? TIMELINE_REPAIR_MS_MAX : 0);
        int64_t promised_ms = part_end_ms(plan, utterance) + TIMELINE_LATE_GRACE_MS;
        first_ms = earlier(first_ms, promised_ms - room_ms);
    }
    utterance->flawed_ms = first_ms;
    first_ms += flawed ? repair_ms : 0;
    utterance->form_count = 0;
    if (twice) {
        form.visible_ms = first_ms;
        utterance->forms[utterance->form_count++] = form;
        first_ms += revision_ms;
    }
    utterance->forms[utterance->form_count++] =
        (struct timeline_form){utterance->bytes, utterance->end_ms, first_ms};
}

void schedule_make(const struct schedule_plan *plan)
{
    struct timeline *timeline = plan->timeline;
    stamp_same_millisecond(plan);
    qsort(timeline->utterances, timeline->count, sizeof *timeline->utterances, by_start);
    mark_shared(timeline);
    struct rand rand;
    struct rand flaws;
    rand_seed(&rand, plan->seed);
    rand_seed(&flaws, rand_mix(plan->seed ^ FLAW_SALT));
    for (size_t i = 0; i < timeline->count; i++) {
        struct timeline_utterance *utterance = &timeline->utterances[i];
        schedule_utterance(plan, utterance, &rand, &flaws);
        int64_t since_ms;
        utterance->masked = plan->lifecycle != NULL &&
                            lifecycle_at(plan->lifecycle, utterance->end_ms - plan->origin_ms,
                                         &since_ms) == LIFECYCLE_MASKED;
    }
}
