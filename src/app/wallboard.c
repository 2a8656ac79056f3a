/* wallboard.c - see wallboard.h: keeps the items and their order of change. An allocation that
 * fails leaves something unshown and nothing else; judging goes on without the board. */
#include "app/wallboard_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wallboard *wallboard_create(size_t calls_max, size_t gone_max)
{
    struct wallboard *board = calloc(1, sizeof *board);
    if (board) {
        map_init(&board->calls, calls_max);
        board->gone_max = gone_max;
    }
    return board;
}

/* --- the list of changes --------------------------------------------------------------------- */

static void unlink_item(struct wallboard *board, struct wallboard_item *item)
{
    *(item->older ? &item->older->newer : &board->oldest) = item->newer;
    *(item->newer ? &item->newer->older : &board->newest) = item->older;
}

static void append_item(struct wallboard *board, struct wallboard_item *item)
{
    item->revision = ++board->revision;
    item->older = board->newest;
    item->newer = NULL;
    *(board->newest ? &board->newest->newer : &board->oldest) = item;
    board->newest = item;
}

static void item_changed(struct wallboard *board, struct wallboard_item *item)
{
    unlink_item(board, item);
    append_item(board, item);
}

/* --- words ----------------------------------------------------------------------------------- */

void wallboard_show_words(struct wallboard *board, wallboard_words_fn *words, void *user)
{
    board->words = words;
    board->words_user = user;
}

static char *copy_words(const struct wallboard *board, const struct effect *note,
                        const struct segment *said)
{
    const char *words = board->words(board->words_user, note, said);
    return words ? strdup(words) : NULL;
}

static bool wipe_words(char **words)
{
    char *text = *words;
    *words = NULL;
    if (text) {
        keyhash_wipe(text, strlen(text));
        free(text);
    }
    return text != NULL;
}

static void take_words(const struct wallboard *board, struct wallboard_alert *alert,
                       const struct effect *note)
{
    alert->shows_words = board->words != NULL;
    for (uint32_t i = 0; alert->shows_words && i < alert->evidence_count; i++) {
        const struct call_evidence *item = &alert->evidence[i];
        alert->words[i] = copy_words(board, note,
                                     &(struct segment){.start_ms = item->start_ms,
                                                       .end_ms = item->end_ms,
                                                       .speaker = item->speaker});
    }
    if (alert->shows_words && alert->said.end_ms > 0) {
        alert->said_words = copy_words(board, note, &alert->said);
    }
}

/* Words that ended from then on; true if there were any. */
static bool drop_words(struct wallboard_alert *alert, int64_t from_ms)
{
    bool any = false;
    for (uint32_t i = 0; i < alert->evidence_count; i++) {
        if (alert->evidence[i].end_ms >= from_ms) {
            any = wipe_words(&alert->words[i]) || any;
        }
    }
    if (alert->said.end_ms >= from_ms) {
        any = wipe_words(&alert->said_words) || any;
    }
    return any;
}

/* The head of whatever it is. */
static void free_item(struct wallboard_item *item)
{
    if (item->kind == WALLBOARD_ALERT) {
        (void)drop_words((struct wallboard_alert *)item, INT64_MIN);
    }
    free(item);
}

void wallboard_destroy(struct wallboard *board)
{
    if (!board) {
        return;
    }
    for (struct wallboard_item *item = board->oldest; item;) {
        struct wallboard_item *newer = item->newer;
        free_item(item);
        item = newer;
    }
    map_done(&board->calls);
    free(board);
}

/* --- calls ----------------------------------------------------------------------------------- */

static struct wallboard_call *find_call(const struct wallboard *board, const char *id)
{
    return map_get(&board->calls, id, strlen(id));
}

static struct wallboard_call *open_call(struct wallboard *board, struct call_now now,
                                        const char *id)
{
    struct wallboard_call *call = find_call(board, id);
    size_t id_bytes = strlen(id);
    if (call || id_bytes >= sizeof call->id) {
        return call;
    }
    call = calloc(1, sizeof *call);
    if (!call || !map_put(&board->calls, id, id_bytes, call)) {
        free(call);
        return NULL;
    }
    call->item.kind = WALLBOARD_CALL;
    memcpy(call->id, id, id_bytes + 1);
    call->followed_ms = now.vendor_ms;
    call->refreshed = now.mono;
    call->live = true;
    call->judged = true;
    append_item(board, &call->item);
    return call;
}

/* A gone call, or an alert that is no call's latest any more. */
static bool is_past(const struct wallboard_item *item, enum wallboard_kind kind)
{
    return item->kind == kind &&
           (kind == WALLBOARD_GONE ||
            (kind == WALLBOARD_ALERT && !((const struct wallboard_alert *)item)->call));
}

/* Drops the one that changed longest ago. */
static void forget_oldest(struct wallboard *board, enum wallboard_kind kind)
{
    struct wallboard_item *item = board->oldest;
    while (item && !is_past(item, kind)) {
        item = item->newer;
    }
    if (item) {
        board->forgotten = kind == WALLBOARD_GONE ? item->revision : board->forgotten;
        unlink_item(board, item);
        free_item(item);
    }
}

/* Readers hear that the call is gone; without memory to remember that they begin anew. */
static void remember_gone(struct wallboard *board, const char *id)
{
    struct wallboard_gone *gone = calloc(1, sizeof *gone);
    if (!gone) {
        board->forgotten = ++board->revision;
        return;
    }
    gone->item.kind = WALLBOARD_GONE;
    memcpy(gone->id, id, sizeof gone->id);
    append_item(board, &gone->item);
    if (board->gone_count == board->gone_max) {
        forget_oldest(board, WALLBOARD_GONE);
    } else {
        board->gone_count++;
    }
}

static void close_alert(struct wallboard *board, struct call_now now, struct wallboard_alert *alert,
                        bool recovered)
{
    if (!alert->closed_ms) {
        alert->closed_ms = now.vendor_ms;
        alert->recovered = recovered;
        item_changed(board, &alert->item);
    }
}

/* The call gets a newer alert or goes away: its latest alert becomes a past one. */
static void leave_alert(struct wallboard *board, struct call_now now, struct wallboard_call *call)
{
    if (!call->alert) {
        return;
    }
    close_alert(board, now, call->alert, false);
    if (drop_words(call->alert, INT64_MIN)) {
        item_changed(board, &call->alert->item);
    }
    call->alert->call = NULL;
    call->alert = NULL;
    if (board->past_count == WALLBOARD_ALERTS_PAST) {
        forget_oldest(board, WALLBOARD_ALERT);
    } else {
        board->past_count++;
    }
}

static void close_call(struct wallboard *board, struct call_now now, const char *id)
{
    struct wallboard_call *call = map_remove(&board->calls, id, strlen(id));
    if (!call) {
        return;
    }
    leave_alert(board, now, call);
    unlink_item(board, &call->item);
    remember_gone(board, call->id);
    free(call);
}

/* --- counts over the last minutes ------------------------------------------------------------ */

static int64_t minute_of(struct mono when)
{
    return when.us / 60000000;
}

static struct wallboard_minute *this_minute(struct wallboard *board, struct call_now now)
{
    int64_t minute = minute_of(now.mono);
    struct wallboard_minute *slot = &board->minutes[minute % WALLBOARD_MINUTES];
    if (slot->minute != minute) {
        *slot = (struct wallboard_minute){.minute = minute};
    }
    return slot;
}

void wallboard_scored(struct wallboard *board, struct call_now now, const char *interaction_id,
                      int64_t end_ms)
{
    const struct wallboard_call *call = find_call(board, interaction_id);
    if (call && end_ms >= call->followed_ms) {
        struct wallboard_minute *minute = this_minute(board, now);
        minute->scored++;
        minute->scored_prompt += now.vendor_ms - end_ms <= WALLBOARD_PROMPT_MS;
    }
}

void wallboard_count(const struct wallboard *board, struct call_now now,
                     struct wallboard_counts *counts)
{
    *counts = (struct wallboard_counts){0};
    int64_t minute_now = minute_of(now.mono);
    for (size_t i = 0; i < WALLBOARD_MINUTES; i++) {
        const struct wallboard_minute *minute = &board->minutes[i];
        if (minute_now - minute->minute < WALLBOARD_MINUTES) {
            counts->alerts += minute->alerts;
            counts->scored += minute->scored;
            counts->scored_prompt += minute->scored_prompt;
        }
    }
    size_t position = 0;
    for (const struct wallboard_call *call = map_next(&board->calls, &position); call;
         call = map_next(&board->calls, &position)) {
        int64_t age_ms = mono_ms_between(call->refreshed, now.mono);
        counts->alerts_open += call->live && call->alert && !call->alert->closed_ms;
        counts->calls_live += call->live;
        if (call->live && age_ms > counts->oldest_data_ms) {
            counts->oldest_data_ms = age_ms;
        }
    }
}

/* --- alerts ---------------------------------------------------------------------------------- */

/* A mood alert stays the call's until it closes; a rule's is never open, and where one of the mood
 * is, it goes straight to the past ones. */
static void place_alert(struct wallboard *board, struct call_now now, struct wallboard_call *call,
                        struct wallboard_alert *alert)
{
    bool by_rule = alert->alert.path == CALL_ALERT_RULE;
    struct wallboard_alert *mood =
        by_rule && call->alert && !call->alert->closed_ms ? call->alert : NULL;
    if (mood) {
        call->alert = alert;
        leave_alert(board, now, call);
        call->alert = mood;
        return;
    }
    leave_alert(board, now, call);
    call->alert = alert;
    if (by_rule) {
        close_alert(board, now, alert, false);
    }
}

static void open_alert(struct wallboard *board, struct call_now now, const struct effect *note)
{
    this_minute(board, now)->alerts++;
    struct wallboard_call *call = open_call(board, now, note->interaction_id);
    struct wallboard_alert *alert = call ? calloc(1, sizeof *alert) : NULL;
    if (!alert) {
        return;
    }
    alert->item.kind = WALLBOARD_ALERT;
    memcpy(alert->id, call->id, sizeof alert->id);
    alert->call = call;
    alert->number = ++board->alert_count;
    alert->episode = note->episode;
    alert->alert = note->alert;
    (void)snprintf(alert->rule, sizeof alert->rule, "%s", note->rule ? note->rule : "");
    alert->opened_ms = now.vendor_ms;
    alert->reading = note->reading;
    memcpy(alert->evidence, note->evidence, sizeof alert->evidence);
    alert->evidence_count = note->evidence_count;
    alert->said = note->said;
    take_words(board, alert, note);
    append_item(board, &alert->item);
    place_alert(board, now, call, alert);
    item_changed(board, &call->item);
}

static void raise_alert(struct wallboard *board, const struct effect *note)
{
    struct wallboard_call *call = find_call(board, note->interaction_id);
    if (call && call->alert && call->alert->episode == note->episode) {
        call->alert->alert = note->alert;
        item_changed(board, &call->alert->item);
    }
}

void wallboard_feedback(struct wallboard *board, const char *interaction_id, uint32_t episode,
                        const char *word)
{
    for (struct wallboard_item *item = board->newest; item; item = item->older) {
        struct wallboard_alert *alert = (struct wallboard_alert *)item;
        if (item->kind == WALLBOARD_ALERT && alert->episode == episode &&
            strcmp(alert->id, interaction_id) == 0) {
            alert->feedback = word;
            item_changed(board, item);
            return;
        }
    }
}

/* What was said while masked is no evidence either. */
static void drop_evidence(struct wallboard *board, const struct effect *note)
{
    struct wallboard_call *call = find_call(board, note->interaction_id);
    struct wallboard_alert *alert = call ? call->alert : NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; alert && i < alert->evidence_count; i++) {
        const struct call_evidence *evidence = &alert->evidence[i];
        if (evidence->start_ms != note->segment.start_ms ||
            evidence->end_ms != note->segment.end_ms) {
            char *words = alert->words[i];
            alert->words[i] = NULL;
            alert->words[kept] = words;
            alert->evidence[kept++] = *evidence;
        } else {
            (void)wipe_words(&alert->words[i]);
        }
    }
    if (alert && kept < alert->evidence_count) {
        alert->evidence_count = kept;
        item_changed(board, &alert->item);
    }
}

void wallboard_note(struct wallboard *board, struct call_now now, const struct effect *note)
{
    struct wallboard_call *call;
    switch (note->note) {
    case NOTE_CALL_OPENED:
        (void)open_call(board, now, note->interaction_id);
        break;
    case NOTE_CALL_CLOSED:
        close_call(board, now, note->interaction_id);
        break;
    case NOTE_ALERT_OPENED:
        open_alert(board, now, note);
        break;
    case NOTE_ALERT_RAISED:
        raise_alert(board, note);
        break;
    case NOTE_ALERT_RECOVERED:
        call = find_call(board, note->interaction_id);
        if (call && call->alert && call->alert->episode == note->episode) {
            close_alert(board, now, call->alert, true);
        }
        break;
    case NOTE_UTTERANCE_MASKED:
        drop_evidence(board, note);
        break;
    case NOTE_WORDS_DROPPED:
        call = find_call(board, note->interaction_id);
        if (call && call->alert && drop_words(call->alert, note->start_ms)) {
            item_changed(board, &call->alert->item);
        }
        break;
    case NOTE_CALL_RETURNED:
    case NOTE_CALL_DESCRIBED:
    case NOTE_CALL_STATE:
    case NOTE_UTTERANCE_UNJUDGED:
    case NOTE_CALL_ENDING:    /* these are seen in the session's view */
    case NOTE_ALERT_REMINDED: /* it is open, and seen to be */
    case NOTE_POLL_FAILED:
    case NOTE_SUGGESTION:
    case NOTE_ATTRIBUTES_FAILED:
    case NOTE_ATTRIBUTES_LOST:
    case NOTE_STATE_LOST:
        break;
    }
}

/* What does not fit is cut: the session's own fields are of the same size. */
static void copy_text(char *out, size_t out_bytes, const char *text)
{
    size_t bytes = strnlen(text, out_bytes - 1);
    memcpy(out, text, bytes);
    out[bytes] = '\0';
}

static bool same_traits(const struct wallboard_call *call, const struct session_view *view)
{
    return call->judged == view->judged && strcmp(call->queue, view->queue) == 0 &&
           strcmp(call->language, view->language) == 0;
}

/* An open alert of a mood that nobody judges any more is over. */
static void take_traits(struct wallboard *board, struct call_now now, struct wallboard_call *call,
                        const struct session_view *view)
{
    copy_text(call->queue, sizeof call->queue, view->queue);
    copy_text(call->language, sizeof call->language, view->language);
    call->judged = view->judged;
    if (!view->judged && call->alert) {
        close_alert(board, now, call->alert, false);
    }
}

/* --- how a call stands ----------------------------------------------------------------------- */

static bool same_reading(const struct call_reading *a, const struct call_reading *b)
{
    return a->score == b->score && a->trend == b->trend && a->difference == b->difference &&
           a->samples == b->samples && a->utterances == b->utterances &&
           a->as_of_ms == b->as_of_ms && a->sustained == b->sustained &&
           a->score_before == b->score_before && a->samples_before == b->samples_before;
}

/* The newest reading goes to the end; what it revises goes away, and so does what is older than
 * the history, but for one point, from which the line comes in. */
static void add_point(struct wallboard_call *call)
{
    int64_t as_of_ms = call->reading.as_of_ms;
    struct wallboard_point *points = call->points;
    while (call->point_count > 0 && points[call->point_count - 1].as_of_ms >= as_of_ms) {
        call->point_count--;
    }
    size_t drop = call->point_count == WALLBOARD_POINTS;
    while (drop + 1 < call->point_count &&
           points[drop + 1].as_of_ms < as_of_ms - WALLBOARD_HISTORY_MS) {
        drop++;
    }
    call->point_count -= drop;
    memmove(points, points + drop, call->point_count * sizeof *points);
    points[call->point_count++] =
        (struct wallboard_point){as_of_ms, call->reading.score, call->item.revision};
}

static void refresh_alert(struct wallboard *board, struct wallboard_alert *alert,
                          const struct session_view *view)
{
    if (alert && alert->episode == view->suggestion_episode &&
        alert->suggestion != view->suggestion_state) {
        alert->suggestion = view->suggestion_state;
        item_changed(board, &alert->item);
    }
}

void wallboard_refresh(struct wallboard *board, struct call_now now,
                       const struct session_view *view)
{
    struct wallboard_call *call = open_call(board, now, view->interaction_id);
    if (!call) {
        return;
    }
    int64_t age_ms = mono_ms_between(view->refreshed, now.mono);
    bool late = view->live && age_ms >= WALLBOARD_LATE_MS;
    bool was_late = call->late_ms != 0;
    bool moved =
        view->has_reading && !(call->has_reading && same_reading(&call->reading, &view->reading));
    bool cleared = call->has_reading && !view->has_reading; /* all of it was said while masked */
    call->refreshed = view->refreshed;
    refresh_alert(board, call->alert, view);
    if (!moved && !cleared && late == was_late && call->live == view->live &&
        call->state == view->state && call->attributes == view->attribute_state &&
        same_traits(call, view)) {
        return;
    }
    take_traits(board, now, call, view);
    call->live = view->live;
    call->state = view->state;
    copy_text(call->transferred_from, sizeof call->transferred_from, view->transferred_from);
    call->attributes = view->attribute_state;
    call->late_ms = late ? (was_late ? call->late_ms : now.vendor_ms - age_ms) : 0;
    item_changed(board, &call->item);
    if (cleared) {
        call->has_reading = false;
        call->point_count = 0;
    }
    if (moved) {
        call->has_reading = true;
        call->reading = view->reading;
        add_point(call);
    }
}
