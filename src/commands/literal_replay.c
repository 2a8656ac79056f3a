/* literal_replay.c - see literal_replay.h.
 *
 * A poll whose reply moves nothing (empty, or partials only) is followed by others that cannot
 * either until something new becomes visible: those are counted and skipped, so a silence of hours
 * costs nothing. Nothing of the tutorial's error handling is acted out but a pipeline that raises.
 */
#include "commands/literal_replay.h"

#include "base/unicode.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { IDLE_MS = 1000, AFTER_ERROR_MS = 5000, JOIN_MS_MAX = 60000 };

struct run {
    struct literal_replay *replay;
    const struct recording_line *lines;
    size_t count;
    const struct recording_line **order; /* by start, as the vendor serves them */
    const struct recording_line **reply;
    const char **labels; /* of each line; the model is asked once */
    bool *is_scored;
    struct literal_window window;
    double last_time; /* the cursor, seconds */
    double last_suggestion;
    int64_t now_ms;
    uint64_t steps;
};

/* --- text --- */

size_t literal_replay_cut(const char *text, size_t size)
{
    size_t at = 0;
    uint32_t code_point;
    for (int taken = 0; at < size && taken < LITERAL_REPLAY_TEXT_MAX; taken++) {
        at += utf8_decode(text + at, size - at, &code_point, NULL);
    }
    return at;
}

/* Python also strips the four information separators, which Unicode does not call white space. */
static bool is_python_space(uint32_t code_point)
{
    return unicode_is_white_space(code_point) || (code_point >= 0x1C && code_point <= 0x1F);
}

bool literal_replay_is_blank(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        at += utf8_decode(text + at, size - at, &code_point, NULL);
        if (!is_python_space(code_point)) {
            return false;
        }
    }
    return true;
}

double literal_replay_label_score(const char *label, bool repaired)
{
    static const struct {
        const char *label;
        double score;
    } map[] = {{"POSITIVE", 1.0}, {"NEUTRAL", 0.5}, {"NEGATIVE", 0.0}};
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if ((repaired ? strcasecmp(label, map[i].label) : strcmp(label, map[i].label)) == 0) {
            return map[i].score;
        }
    }
    return 0.5;
}

const char *literal_replay_format(double mean, char out[LITERAL_REPLAY_SCORE_BYTES])
{
    int length = snprintf(out, LITERAL_REPLAY_SCORE_BYTES, "%.3f", mean);
    while (length > 3 && out[length - 1] == '0' && out[length - 2] != '.') {
        out[--length] = '\0';
    }
    return out;
}

/* --- the pretended vendor --- */

bool literal_replay_filter_find(const char *name, enum literal_replay_filter *filter)
{
    static const char *const names[] = {
        [LITERAL_REPLAY_FILTER_START_AFTER] = "start>",
        [LITERAL_REPLAY_FILTER_START_AT_LEAST] = "start>=",
        [LITERAL_REPLAY_FILTER_END_AFTER] = "end>",
        [LITERAL_REPLAY_FILTER_END_AT_LEAST] = "end>=",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *filter = (enum literal_replay_filter)i;
            return true;
        }
    }
    return false;
}

static bool is_after_cursor(enum literal_replay_filter filter, const struct segment *segment,
                            int64_t since_ms)
{
    switch (filter) {
    case LITERAL_REPLAY_FILTER_START_AFTER:
        return segment->start_ms > since_ms;
    case LITERAL_REPLAY_FILTER_START_AT_LEAST:
        return segment->start_ms >= since_ms;
    case LITERAL_REPLAY_FILTER_END_AFTER:
        return segment->end_ms > since_ms;
    case LITERAL_REPLAY_FILTER_END_AT_LEAST:
        break;
    }
    return segment->end_ms >= since_ms;
}

/* int(last_time * 1000), within what an integer holds. */
static int64_t cursor_ms(double last_time)
{
    double scaled = last_time * 1000.0;
    return scaled < 9.0e18 ? (int64_t)scaled : INT64_MAX;
}

static size_t fetch(struct run *run)
{
    int64_t since_ms = cursor_ms(run->last_time);
    size_t count = 0;
    run->now_ms += run->replay->round_trip_ms;
    run->replay->polls++;
    for (size_t i = 0; i < run->count; i++) {
        const struct recording_line *line = run->order[i];
        if (line->visible_ms <= run->now_ms &&
            is_after_cursor(run->replay->filter, recording_segment(line), since_ms)) {
            run->reply[count++] = line;
        }
    }
    return count;
}

/* --- the tutorial --- */

static int analyze(struct run *run, const struct recording_line *line, double *score, bool *raised,
                   struct error *err)
{
    const struct segment *segment = recording_segment(line);
    const char **label = &run->labels[line - run->lines];
    *score = 0.5;
    *raised = false;
    if (literal_replay_is_blank(segment->text, segment->text_bytes)) {
        return 0;
    }
    if (!*label) {
        size_t bytes = literal_replay_cut(segment->text, segment->text_bytes);
        int result = run->replay->label(run->replay->label_user, segment->text, bytes, label, err);
        if (result) {
            return result;
        }
    }
    *raised = !*label;
    if (!*raised) {
        *score = literal_replay_label_score(*label, run->replay->labels_repaired);
    }
    return 0;
}

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory to replay a call");
}

/* One final of a batch whose clock was read once, at the start of the batch. */
static int take_final(struct run *run, const struct recording_line *line, int64_t batch_ms,
                      bool *raised, struct error *err)
{
    struct literal_replay *replay = run->replay;
    const struct segment *segment = recording_segment(line);
    struct literal_replay_step step = {.at_ms = batch_ms, .line = line};
    char written[LITERAL_REPLAY_SCORE_BYTES];
    double now = (double)batch_ms / 1000.0;
    double end = (double)segment->end_ms / 1000.0;
    run->last_time = end > run->last_time ? end : run->last_time;
    int result = analyze(run, line, &step.score, raised, err);
    if (result || *raised) {
        return result;
    }
    if (!literal_window_add(&run->window, (double)segment->start_ms / 1000.0, step.score)) {
        return no_memory(err);
    }
    step.mean = literal_window_read(&run->window, now, &step.trend);
    step.written = literal_replay_format(step.mean, written);
    step.suggested = literal_suggests(step.mean, step.trend, now, run->last_suggestion);
    run->now_ms += replay->round_trip_ms; /* the PATCH */
    if (step.suggested) {
        run->now_ms += replay->round_trip_ms;
        run->last_suggestion = now;
        replay->suggestions++;
    }
    run->steps++;
    run->is_scored[line - run->lines] = true;
    replay->scored++;
    replay->on_step(replay->step_user, &step);
    return 0;
}

static int take_batch(struct run *run, size_t reply_count, bool *raised, struct error *err)
{
    int64_t batch_ms = run->now_ms;
    int result = 0;
    for (size_t i = 0; i < reply_count && !result && !*raised; i++) {
        if (recording_segment(run->reply[i])->is_final) {
            result = take_final(run, run->reply[i], batch_ms, raised, err);
        }
    }
    return result;
}

static int64_t next_visible_ms(const struct run *run)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < run->count; i++) {
        int64_t visible_ms = run->lines[i].visible_ms;
        next_ms = visible_ms > run->now_ms && visible_ms < next_ms ? visible_ms : next_ms;
    }
    return next_ms;
}

/* Passes over the polls that must come out as the last did: the next but for `pause_ms` is the
 * first that can see more, or the first after the end. */
static void skip_polls(struct run *run, int64_t pause_ms, int64_t end_ms)
{
    int64_t period_ms = pause_ms + run->replay->round_trip_ms;
    int64_t until_ms = next_visible_ms(run);
    until_ms = until_ms <= end_ms ? until_ms : end_ms + 1;
    run->now_ms += pause_ms;
    int64_t gap_ms = until_ms - run->replay->round_trip_ms - run->now_ms;
    if (gap_ms > 0) {
        int64_t polls = (gap_ms + period_ms - 1) / period_ms;
        run->replay->polls += (uint64_t)polls;
        run->now_ms += polls * period_ms;
    }
}

static bool has_final(const struct run *run, size_t reply_count)
{
    for (size_t i = 0; i < reply_count; i++) {
        if (recording_segment(run->reply[i])->is_final) {
            return true;
        }
    }
    return false;
}

static int play(struct run *run, int64_t end_ms, struct error *err)
{
    int result = 0;
    while (!result && run->now_ms <= end_ms && run->steps < LITERAL_REPLAY_STEPS_MAX) {
        size_t reply_count = fetch(run);
        bool raised = false;
        if (!has_final(run, reply_count)) {
            skip_polls(run, reply_count == 0 ? IDLE_MS : 0, end_ms);
            continue;
        }
        result = take_batch(run, reply_count, &raised, err);
        if (raised) {
            run->replay->raised++;
            run->now_ms += AFTER_ERROR_MS;
        }
    }
    run->replay->given_up |= run->steps >= LITERAL_REPLAY_STEPS_MAX;
    return result;
}

/* --- one call --- */

static int compare_starts(const void *left, const void *right)
{
    const struct recording_line *a = *(const struct recording_line *const *)left;
    const struct recording_line *b = *(const struct recording_line *const *)right;
    int64_t start_a = recording_segment(a)->start_ms;
    int64_t start_b = recording_segment(b)->start_ms;
    if (start_a != start_b) {
        return start_a < start_b ? -1 : 1;
    }
    return a->sequence < b->sequence ? -1 : 1;
}

/* From the call's begin, or a minute before the first segment is to be seen if that is later. */
static void find_span(const struct run *run, int64_t *begin_ms, int64_t *end_ms)
{
    int64_t start_ms = INT64_MAX;
    int64_t first_ms = INT64_MAX;
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < run->count; i++) {
        const struct segment *segment = recording_segment(&run->lines[i]);
        int64_t visible_ms = run->lines[i].visible_ms;
        start_ms = segment->start_ms < start_ms ? segment->start_ms : start_ms;
        first_ms = visible_ms < first_ms ? visible_ms : first_ms;
        last_ms = visible_ms > last_ms ? visible_ms : last_ms;
    }
    *begin_ms = start_ms > first_ms - JOIN_MS_MAX ? start_ms : first_ms - JOIN_MS_MAX;
    *begin_ms = *begin_ms < first_ms ? *begin_ms : first_ms;
    *end_ms = last_ms + LITERAL_REPLAY_TAIL_MS;
}

static void count_missed(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct segment *segment = recording_segment(&run->lines[i]);
        if (segment->is_final && segment->speaker == SPEAKER_CUSTOMER) {
            run->replay->finals++;
            run->replay->finals_missed += !run->is_scored[i];
        }
    }
}

int literal_replay_call(struct literal_replay *replay, const struct recording_line *lines,
                        size_t count, struct error *err)
{
    struct run run = {.replay = replay,
                      .lines = lines,
                      .count = count,
                      .order = calloc(count, sizeof *run.order),
                      .reply = calloc(count, sizeof *run.reply),
                      .labels = calloc(count, sizeof *run.labels),
                      .is_scored = calloc(count, sizeof *run.is_scored)};
    int result = 0;
    literal_window_init(&run.window);
    if (!run.order || !run.reply || !run.labels || !run.is_scored) {
        result = no_memory(err);
        goto out;
    }
    int64_t end_ms;
    for (size_t i = 0; i < count; i++) {
        run.order[i] = &lines[i];
    }
    qsort(run.order, count, sizeof *run.order, compare_starts);
    find_span(&run, &run.now_ms, &end_ms);
    result = play(&run, end_ms, err);
    count_missed(&run);
out:
    literal_window_done(&run.window);
    free((void *)run.order);
    free((void *)run.reply);
    free((void *)run.labels);
    free(run.is_scored);
    return result;
}
