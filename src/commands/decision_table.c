/* decision_table.c - see decision_table.h. What came before the first file that was read is not
 * known: what became of an alert without the alert itself is passed over. */
#include "commands/decision_table.h"

#include "base/json_write.h"
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 40, FEEDBACK_BYTES = 96, ALERTS_MAX = 10000000 };

struct row {
    struct row *next;
    char call[WORD_BYTES];
    int64_t alert;
    char time[WORD_BYTES];
    char why[WORD_BYTES]; /* the path, or the rule's name */
    char tier[WORD_BYTES];
    double score;
    double before;
    double confidence;
    char suggestion[WORD_BYTES];
    char recovered[WORD_BYTES]; /* when, or "" */
    char feedback[FEEDBACK_BYTES];
};

struct decision_table {
    const char *call;
    struct map by_alert;
    struct row *first;
    struct row **end;
};

struct decision_table *decision_table_create(const char *call)
{
    struct decision_table *table = calloc(1, sizeof *table);
    if (table) {
        table->call = call;
        table->end = &table->first;
        map_init(&table->by_alert, ALERTS_MAX);
    }
    return table;
}

void decision_table_destroy(struct decision_table *table)
{
    if (!table) {
        return;
    }
    while (table->first) {
        struct row *row = table->first;
        table->first = row->next;
        free(row);
    }
    map_done(&table->by_alert);
    free(table);
}

static void copy_word(const struct json *line, const char *member, char *out, size_t out_bytes)
{
    const char *text = json_as_string(json_get(line, member), NULL);
    (void)snprintf(out, out_bytes, "%s", text ? text : "");
}

static double number(const struct json *line, const char *member)
{
    double value = 0;
    (void)json_as_number(json_get(line, member), &value);
    return value;
}

static bool add_row(struct decision_table *table, const struct json *line, const char *key)
{
    struct row *row = calloc(1, sizeof *row);
    if (!row || !map_put(&table->by_alert, key, strlen(key), row)) {
        free(row);
        return false;
    }
    copy_word(line, "call", row->call, sizeof row->call);
    (void)json_as_integer(json_get(line, "alert"), &row->alert);
    copy_word(line, "time", row->time, sizeof row->time);
    copy_word(line, json_get(line, "rule") ? "rule" : "path", row->why, sizeof row->why);
    copy_word(line, "tier", row->tier, sizeof row->tier);
    row->score = number(line, "score");
    row->before = number(line, "scoreBefore");
    row->confidence = number(line, "confidence");
    *table->end = row;
    table->end = &row->next;
    return true;
}

/* All that was said of it, in order, as far as it fits. */
static void add_feedback(struct row *row, const char *word)
{
    size_t used = strlen(row->feedback);
    (void)snprintf(row->feedback + used, sizeof row->feedback - used, "%s%s", used ? "," : "",
                   word);
}

static void add_course(struct row *row, const char *kind, const struct json *line)
{
    if (strcmp(kind, "suggestion") == 0) {
        copy_word(line, "state", row->suggestion, sizeof row->suggestion);
    } else if (strcmp(kind, "recovered") == 0) {
        copy_word(line, "time", row->recovered, sizeof row->recovered);
    } else if (strcmp(kind, "raised") == 0) {
        copy_word(line, "tier", row->tier, sizeof row->tier);
    } else if (strcmp(kind, "feedback") == 0) {
        char word[WORD_BYTES];
        copy_word(line, "feedback", word, sizeof word);
        add_feedback(row, word);
    }
}

bool decision_table_take(void *user, const struct json *line)
{
    struct decision_table *table = user;
    const char *call = json_as_string(json_get(line, "call"), NULL);
    const char *kind = json_as_string(json_get(line, "kind"), NULL);
    int64_t alert;
    char key[WORD_BYTES + 24];
    if (!call || !kind || !json_as_integer(json_get(line, "alert"), &alert) ||
        (table->call && strcmp(table->call, call) != 0)) {
        return true;
    }
    (void)snprintf(key, sizeof key, "%s %lld", call, (long long)alert);
    struct row *row = map_get(&table->by_alert, key, strlen(key));
    if (strcmp(kind, "alert") == 0) {
        return row || add_row(table, line, key);
    }
    if (row) {
        add_course(row, kind, line);
    }
    return true;
}

static void write_json(const struct row *row, struct buf *out)
{
    struct json_writer writer;
    const struct {
        const char *key;
        const char *text;
    } texts[] = {{"time", row->time},           {"path", row->why},
                 {"tier", row->tier},           {"suggestion", row->suggestion},
                 {"recovered", row->recovered}, {"feedback", row->feedback}};
    json_writer_init(&writer, out);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "call", row->call);
    json_write_member_integer(&writer, "alert", row->alert);
    json_write_member_number(&writer, "score", row->score, 9);
    json_write_member_number(&writer, "scoreBefore", row->before, 9);
    json_write_member_number(&writer, "confidence", row->confidence, 9);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_write_member_text(&writer, texts[i].key, texts[i].text[0] ? texts[i].text : NULL);
    }
    json_write_object_end(&writer);
    (void)buf_append_char(out, '\n');
}

void decision_table_write(const struct decision_table *table, bool as_json, struct buf *out)
{
    if (!as_json) {
        (void)buf_printf(out, "%-24s  %-32s %5s  %-18s %-10s %6s %6s  %-9s %-24s  %s\n", "time",
                         "call", "alert", "why", "tier", "before", "score", "hint", "recovered",
                         "feedback");
    }
    for (const struct row *row = table->first; row; row = row->next) {
        if (as_json) {
            write_json(row, out);
            continue;
        }
        (void)buf_printf(out, "%-24s  %-32s %5lld  %-18s %-10s %6.3f %6.3f  %-9s %-24s  %s\n",
                         row->time, row->call, (long long)row->alert, row->why, row->tier,
                         row->before, row->score, row->suggestion[0] ? row->suggestion : "-",
                         row->recovered[0] ? row->recovered : "-",
                         row->feedback[0] ? row->feedback : "-");
    }
}
