/* lifecycle.c - see lifecycle.h. Each happening is tied to a turn before which it takes place; the
 * plan goes through them from front to back, so that one shift of what follows is enough. */
#include "sim/lifecycle.h"

#include <stdlib.h>

enum { HOLD_MARGIN_MS = 500, BREAK_MARGIN_MS = 1000 };

static const char *const state_names[LIFECYCLE_STATES] = {
    [LIFECYCLE_ACTIVE] = "active", [LIFECYCLE_HELD] = "held",   [LIFECYCLE_MUTED] = "muted",
    [LIFECYCLE_MASKED] = "masked", [LIFECYCLE_ENDED] = "ended",
};

const char *lifecycle_state_name(enum lifecycle_state state)
{
    return state_names[state];
}

/* The first turn that begins after from_ms and is not the very first. */
static size_t first_turn_after(const struct conversation *conversation, int64_t from_ms)
{
    size_t turn = 1;
    while (turn < conversation->turn_count && conversation->turns[turn].start_ms <= from_ms) {
        turn++;
    }
    return turn;
}

/* A turn after from_ms, or 0. Takes as many draws whatever comes out. */
static size_t draw_turn(const struct conversation *conversation, int64_t from_ms, double share,
                        struct rand *rand)
{
    bool happens = rand_uniform(rand) < share;
    uint64_t place = rand_u64(rand);
    size_t first = first_turn_after(conversation, from_ms);
    if (!happens || first >= conversation->turn_count) {
        return 0;
    }
    return first + (size_t)(place % (conversation->turn_count - first));
}

size_t lifecycle_draw_transfer(const struct conversation *conversation, int64_t from_ms,
                               double share, struct rand *rand)
{
    return draw_turn(conversation, from_ms, share, rand);
}

/* When everybody who spoke before this turn has finished. */
static int64_t silence_before(const struct conversation *conversation, size_t turn)
{
    int64_t end_ms = 0;
    for (size_t i = 0; i < turn; i++) {
        int64_t other_ms = conversation->turns[i].end_ms;
        end_ms = other_ms > end_ms ? other_ms : end_ms;
    }
    return end_ms;
}

/* Moves this turn and what follows so that it begins at start_ms or later. */
static void push_turns(struct conversation *conversation, size_t turn, int64_t start_ms)
{
    int64_t shift_ms = start_ms - conversation->turns[turn].start_ms;
    for (size_t i = turn; shift_ms > 0 && i < conversation->turn_count; i++) {
        conversation->turns[i].start_ms += shift_ms;
        conversation->turns[i].end_ms += shift_ms;
    }
}

static void add_span(struct lifecycle *lifecycle, enum lifecycle_state state, int64_t start_ms,
                     int64_t length_ms)
{
    if (lifecycle->count > 0 && lifecycle->spans[lifecycle->count - 1].end_ms > start_ms) {
        lifecycle->spans[lifecycle->count - 1].end_ms = start_ms;
    }
    lifecycle->spans[lifecycle->count++] =
        (struct lifecycle_span){state, start_ms, start_ms + length_ms};
}

static void happen(struct lifecycle *lifecycle, struct conversation *conversation, size_t turn,
                   enum lifecycle_state state, int64_t length_ms)
{
    int64_t silent_ms = silence_before(conversation, turn);
    switch (state) {
    case LIFECYCLE_HELD:
        push_turns(conversation, turn, silent_ms + length_ms + 2 * HOLD_MARGIN_MS);
        add_span(lifecycle, state, silent_ms + HOLD_MARGIN_MS, length_ms);
        break;
    case LIFECYCLE_MASKED:
        push_turns(conversation, turn, silent_ms + 1 + LIFECYCLE_MASK_LEAD_MS);
        add_span(lifecycle, state, silent_ms + 1, length_ms);
        break;
    case LIFECYCLE_ENDED:
        push_turns(conversation, turn,
                   silent_ms + LIFECYCLE_ENDED_MS + length_ms + BREAK_MARGIN_MS);
        add_span(lifecycle, state, silent_ms + LIFECYCLE_ENDED_MS, length_ms);
        break;
    case LIFECYCLE_MUTED:
    case LIFECYCLE_ACTIVE:
    case LIFECYCLE_STATES:
        add_span(lifecycle, state, conversation->turns[turn].start_ms, length_ms);
        break;
    }
}

void lifecycle_plan(struct lifecycle *lifecycle, struct conversation *conversation, int64_t from_ms,
                    const struct lifecycle_odds *odds, struct rand *rand)
{
    size_t turns[LIFECYCLE_STATES] = {0};
    *lifecycle = (struct lifecycle){0};
    for (int state = LIFECYCLE_HELD; state < LIFECYCLE_STATES; state++) {
        turns[state] = draw_turn(conversation, from_ms, odds->share[state], rand);
        for (int other = LIFECYCLE_HELD; other < state; other++) {
            if (turns[other] == turns[state]) {
                turns[state] = 0; /* taken: the earlier one has it */
            }
        }
    }
    for (;;) {
        int next = LIFECYCLE_ACTIVE;
        for (int state = LIFECYCLE_HELD; state < LIFECYCLE_STATES; state++) {
            if (turns[state] > 0 && (next == LIFECYCLE_ACTIVE || turns[state] < turns[next])) {
                next = state;
            }
        }
        if (next == LIFECYCLE_ACTIVE) {
            return;
        }
        happen(lifecycle, conversation, turns[next], (enum lifecycle_state)next,
               odds->length_ms[next]);
        turns[next] = 0;
    }
}

enum lifecycle_state lifecycle_at(const struct lifecycle *lifecycle, int64_t at_ms,
                                  int64_t *since_ms)
{
    *since_ms = INT64_MIN;
    enum lifecycle_state state = LIFECYCLE_ACTIVE;
    for (size_t i = 0; i < lifecycle->count; i++) {
        const struct lifecycle_span *span = &lifecycle->spans[i];
        if (at_ms >= span->end_ms) {
            *since_ms = span->end_ms;
        } else if (at_ms >= span->start_ms) {
            *since_ms = span->start_ms;
            state = span->state;
        }
    }
    return state;
}

int64_t lifecycle_next(const struct lifecycle *lifecycle, int64_t at_ms)
{
    for (size_t i = 0; i < lifecycle->count; i++) {
        if (lifecycle->spans[i].start_ms > at_ms) {
            return lifecycle->spans[i].start_ms;
        }
        if (lifecycle->spans[i].end_ms > at_ms) {
            return lifecycle->spans[i].end_ms;
        }
    }
    return INT64_MAX;
}

bool lifecycle_masks_within(const struct lifecycle *lifecycle, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; lifecycle != NULL && i < lifecycle->count; i++) {
        const struct lifecycle_span *span = &lifecycle->spans[i];
        if (span->state == LIFECYCLE_MASKED && span->start_ms <= to_ms && span->end_ms > from_ms) {
            return true;
        }
    }
    return false;
}

bool lifecycle_is_joined(const struct lifecycle *lifecycle, int64_t a_ms, int64_t b_ms)
{
    for (size_t i = 0; lifecycle != NULL && i < lifecycle->count; i++) {
        const struct lifecycle_span *span = &lifecycle->spans[i];
        if (span->state == LIFECYCLE_ENDED &&
            (a_ms >= span->start_ms) != (b_ms >= span->start_ms)) {
            return false;
        }
    }
    return true;
}

bool lifecycle_is_alike(const struct lifecycle *lifecycle, int64_t a_ms, int64_t b_ms)
{
    int64_t since_ms;
    bool a_masked = lifecycle_at(lifecycle, a_ms, &since_ms) == LIFECYCLE_MASKED;
    bool b_masked = lifecycle_at(lifecycle, b_ms, &since_ms) == LIFECYCLE_MASKED;
    return a_masked == b_masked && lifecycle_is_joined(lifecycle, a_ms, b_ms);
}
