/* compare.c - see compare.h. A call belongs to the source of its first line. Agreement is not
 * judged here: the table only counts, and the reader sees the time lines. */
#include "commands/compare.h"

#include "base/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_BYTES_MAX = 1 << 20, CELL_BYTES = 64, CELL_COLUMNS = 34 };

struct tally {
    uint64_t calls;
    uint64_t alerted;
    uint64_t alerts;
    uint64_t finals;
    uint64_t finals_missed;
    int64_t *first_ms; /* of each alerted call: from its begin to its first alert */
};

struct compare_source {
    const char *name;
    struct tally tallies[COMPARE_JUDGES_MAX];
};

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory to compare");
}

int compare_open(struct compare *compare, char *names, const struct command_line_config *line,
                 enum literal_replay_filter filter, struct error *err)
{
    char *list[COMPARE_JUDGES_MAX];
    size_t count = 0;
    for (char *name = names; name && count <= COMPARE_JUDGES_MAX; count++) {
        char *comma = strchr(name, ',');
        if (count == COMPARE_JUDGES_MAX || *name == '\0' || name == comma) {
            count = 0;
            break;
        }
        list[count] = name;
        if (comma) {
            *comma = '\0';
        }
        name = comma ? comma + 1 : NULL;
    }
    if (count < 2) {
        return error_set(err, ERROR_USAGE,
                         "--compare takes two to %d of " JUDGE_LITERAL ", " JUDGE_LITERAL_REPAIRED
                         ", " JUDGE_UNDERTONE " and configuration files, separated by commas",
                         COMPARE_JUDGES_MAX);
    }
    int result = 0;
    for (size_t i = 0; i < count && !result; i++) {
        result = judge_open(&compare->judges[i], list[i], line, filter, err);
        compare->judge_count += !result;
    }
    if (result) {
        compare_close(compare);
    }
    return result;
}

void compare_close(struct compare *compare)
{
    for (size_t i = 0; i < compare->judge_count; i++) {
        judge_close(&compare->judges[i]);
    }
    for (size_t i = 0; i < compare->source_count; i++) {
        for (size_t j = 0; j < COMPARE_JUDGES_MAX; j++) {
            free(compare->sources[i].tallies[j].first_ms);
        }
    }
    free(compare->sources);
    *compare = (struct compare){0};
}

/* --- counting --- */

static const char *source_name(const struct recording_line *line)
{
    const char *slash = strrchr(line->source, '/');
    return slash ? slash + 1 : line->source;
}

static struct compare_source *find_source(struct compare *compare, const char *name)
{
    for (size_t i = 0; i < compare->source_count; i++) {
        if (strcmp(compare->sources[i].name, name) == 0) {
            return &compare->sources[i];
        }
    }
    struct compare_source *sources =
        realloc(compare->sources, (compare->source_count + 1) * sizeof *sources);
    if (!sources) {
        return NULL;
    }
    compare->sources = sources;
    sources[compare->source_count] = (struct compare_source){.name = name};
    return &sources[compare->source_count++];
}

static bool count_call(struct tally *tally, const struct judge *judge, int64_t start_ms)
{
    uint64_t alerts = 0;
    int64_t first_ms = 0;
    for (size_t i = 0; i < judge->event_count; i++) {
        if (judge->events[i].kind == JUDGE_EVENT_ALERT && alerts++ == 0) {
            first_ms = judge->events[i].at_ms - start_ms;
        }
    }
    tally->calls++;
    tally->alerts += alerts;
    if (alerts > 0) {
        int64_t *all = realloc(tally->first_ms, (tally->alerted + 1) * sizeof *all);
        if (!all) {
            return false;
        }
        tally->first_ms = all;
        all[tally->alerted++] = first_ms;
    }
    return true;
}

/* --- time lines --- */

static void print_clock(struct buf *out, int64_t ms)
{
    int64_t seconds = ms > 0 ? ms / 1000 : 0;
    buf_printf(out, "%02lld:%02lld", (long long)(seconds / 60), (long long)(seconds % 60));
}

static void print_cell(struct buf *out, const struct judge *judge, const struct judge_event *event)
{
    static const char *const kinds[] = {[JUDGE_EVENT_READING] = "",
                                        [JUDGE_EVENT_ALERT] = "ALERT ",
                                        [JUDGE_EVENT_RAISED] = "supervisor ",
                                        [JUDGE_EVENT_RECOVERED] = "recovered "};
    char cell[CELL_BYTES] = "";
    const char *rule = event ? judge_event_rule(judge, event) : NULL;
    if (rule) {
        (void)snprintf(cell, sizeof cell, "ALERT %s", rule);
    } else if (event) {
        (void)snprintf(cell, sizeof cell, "%s%s %s", kinds[event->kind], event->written,
                       call_trend_name(event->trend));
    }
    buf_printf(out, "%-*s", CELL_COLUMNS, cell);
}

static void end_line(struct buf *out)
{
    while (out->size > 0 && out->bytes[out->size - 1] == ' ') {
        out->size--;
    }
    buf_append_char(out, '\n');
}

static void print_rows(struct buf *out, const struct compare *compare, int64_t start_ms)
{
    size_t at[COMPARE_JUDGES_MAX] = {0};
    for (;;) {
        int64_t second = INT64_MAX;
        for (size_t j = 0; j < compare->judge_count; j++) {
            const struct judge *judge = &compare->judges[j];
            if (at[j] < judge->event_count) {
                int64_t its = (judge->events[at[j]].at_ms - start_ms) / 1000;
                second = its < second ? its : second;
            }
        }
        if (second == INT64_MAX) {
            return;
        }
        buf_append_string(out, "  ");
        print_clock(out, second * 1000);
        buf_append_string(out, "  ");
        for (size_t j = 0; j < compare->judge_count; j++) {
            const struct judge *judge = &compare->judges[j];
            bool has = at[j] < judge->event_count &&
                       (judge->events[at[j]].at_ms - start_ms) / 1000 == second;
            print_cell(out, judge, has ? &judge->events[at[j]] : NULL);
            at[j] += has;
        }
        end_line(out);
    }
}

static void print_call(struct buf *out, const struct compare *compare, const char *source,
                       const struct recording_line *line, int64_t start_ms)
{
    buf_printf(out, "call %s (%s)\n         ", line->interaction_id, source);
    for (size_t j = 0; j < compare->judge_count; j++) {
        buf_printf(out, "%-*s", CELL_COLUMNS, compare->judges[j].name);
    }
    end_line(out);
    print_rows(out, compare, start_ms);
}

static void print_json_call(struct buf *out, const struct judge *judge, const char *source,
                            const struct recording_line *line)
{
    static const char *const kinds[] = {[JUDGE_EVENT_READING] = "reading",
                                        [JUDGE_EVENT_ALERT] = "alert",
                                        [JUDGE_EVENT_RAISED] = "raised",
                                        [JUDGE_EVENT_RECOVERED] = "recovered"};
    for (size_t i = 0; i < judge->event_count; i++) {
        const struct judge_event *event = &judge->events[i];
        struct json_writer writer;
        json_writer_init(&writer, out);
        json_write_object_begin(&writer);
        json_write_member_text(&writer, "interaction", line->interaction_id);
        json_write_member_text(&writer, "source", source);
        json_write_member_text(&writer, "judgement", judge->name);
        json_write_member_integer(&writer, "t", event->at_ms);
        json_write_member_text(&writer, "kind", kinds[event->kind]);
        if (judge_event_rule(judge, event)) {
            json_write_member_text(&writer, "rule", judge_event_rule(judge, event));
        }
        json_write_member_number(&writer, "score", event->score, 17);
        json_write_member_text(&writer, "trend", call_trend_name(event->trend));
        json_write_object_end(&writer);
        buf_append_char(out, '\n');
    }
}

/* --- the table --- */

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The middle one, the lower of two; the tally has at least one. */
static int64_t median_first_ms(struct tally *tally)
{
    qsort(tally->first_ms, tally->alerted, sizeof *tally->first_ms, compare_times);
    return tally->first_ms[(tally->alerted - 1) / 2];
}

static double per_call(const struct tally *tally)
{
    return (double)tally->alerts / (double)tally->calls;
}

static void print_table_row(struct buf *out, const char *source, const struct judge *judge,
                            struct tally *tally)
{
    buf_printf(out, "%-14s %-26s %6llu %8llu %7llu %9.2f  ", source, judge->name,
               (unsigned long long)tally->calls, (unsigned long long)tally->alerted,
               (unsigned long long)tally->alerts, per_call(tally));
    if (tally->alerted > 0) {
        print_clock(out, median_first_ms(tally));
    } else {
        buf_append_string(out, "    -");
    }
    if (judge->is_literal && tally->finals > 0) {
        buf_printf(out, " %12.1f %%\n",
                   100.0 * (double)tally->finals_missed / (double)tally->finals);
    } else {
        buf_append_string(out, "              -\n");
    }
}

static void print_table(struct buf *out, const struct compare *compare)
{
    buf_append_string(out, "source         judgement                   calls  alerted  alerts  "
                           "per call  first   never scored\n");
    for (size_t i = 0; i < compare->source_count; i++) {
        struct compare_source *source = &compare->sources[i];
        for (size_t j = 0; j < compare->judge_count; j++) {
            print_table_row(out, j == 0 ? source->name : "", &compare->judges[j],
                            &source->tallies[j]);
        }
    }
}

static void print_json_table_row(struct buf *out, const char *source, const struct judge *judge,
                                 struct tally *tally)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "source", source);
    json_write_member_text(&writer, "judgement", judge->name);
    json_write_member_integer(&writer, "calls", (int64_t)tally->calls);
    json_write_member_integer(&writer, "alerted", (int64_t)tally->alerted);
    json_write_member_integer(&writer, "alerts", (int64_t)tally->alerts);
    json_write_member_number(&writer, "suggestions_per_call", per_call(tally), 9);
    if (tally->alerted > 0) {
        json_write_member_integer(&writer, "first_alert_ms", median_first_ms(tally));
    }
    if (judge->is_literal) {
        json_write_member_integer(&writer, "finals", (int64_t)tally->finals);
        json_write_member_integer(&writer, "finals_never_scored", (int64_t)tally->finals_missed);
    }
    json_write_object_end(&writer);
    buf_append_char(out, '\n');
}

static void print_json_table(struct buf *out, const struct compare *compare)
{
    for (size_t i = 0; i < compare->source_count; i++) {
        for (size_t j = 0; j < compare->judge_count; j++) {
            print_json_table_row(out, compare->sources[i].name, &compare->judges[j],
                                 &compare->sources[i].tallies[j]);
        }
    }
}

/* --- all of it --- */

static int judge_all(struct compare *compare, struct compare_source *source,
                     const struct recording_line *lines, size_t count, int64_t start_ms,
                     struct error *err)
{
    for (size_t j = 0; j < compare->judge_count; j++) {
        struct judge *judge = &compare->judges[j];
        struct tally *tally = &source->tallies[j];
        int result = judge_call(judge, lines, count, err);
        if (result) {
            return result;
        }
        if (!count_call(tally, judge, start_ms)) {
            return no_memory(err);
        }
        tally->finals += judge->literal.finals;
        tally->finals_missed += judge->literal.finals_missed;
        judge->literal.finals = 0;
        judge->literal.finals_missed = 0;
    }
    return 0;
}

static void print_judged(struct buf *out, const struct compare *compare, const char *source,
                         const struct recording_line *line, int64_t start_ms)
{
    if (compare->summary_only) {
        return;
    }
    if (!compare->json) {
        print_call(out, compare, source, line, start_ms);
        return;
    }
    for (size_t j = 0; j < compare->judge_count; j++) {
        print_json_call(out, &compare->judges[j], source, line);
    }
}

static int flush(struct buf *out, struct error *err)
{
    if (out->failed) {
        return no_memory(err);
    }
    (void)fwrite(buf_string(out), 1, out->size, stdout);
    buf_clear(out);
    return 0;
}

int compare_run(struct compare *compare, const struct recording *recording, struct error *err)
{
    struct buf out;
    int result = 0;
    buf_init(&out, OUT_BYTES_MAX);
    for (size_t first = 0, next; first < recording->count && !result; first = next) {
        const struct recording_line *line = &recording->lines[first];
        struct compare_source *source = find_source(compare, source_name(line));
        int64_t start_ms = recording_call_span(recording, first, &next);
        result =
            source ? judge_all(compare, source, line, next - first, start_ms, err) : no_memory(err);
        if (!result) {
            print_judged(&out, compare, source->name, line, start_ms);
            result = flush(&out, err);
        }
    }
    if (!result && compare->json && compare->summary_only) {
        print_json_table(&out, compare);
    } else if (!result && !compare->json) {
        print_table(&out, compare);
    }
    result = result ? result : flush(&out, err);
    buf_done(&out);
    return result;
}

uint64_t compare_quarantined(const struct compare *compare)
{
    uint64_t most = 0;
    for (size_t j = 0; j < compare->judge_count; j++) {
        uint64_t its = compare->judges[j].replay.quarantined;
        most = its > most ? its : most;
    }
    return most;
}
