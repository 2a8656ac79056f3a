/* board_table.c - see board_table.h. Rows are pointers into the document, sorted; a cell is written
 * into a small text first, so that columns keep their width whatever is in them. What comes from
 * the vendor (a call's id) is printed with control characters replaced. */
#include "commands/board_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_BYTES = 64, ID_COLUMNS = 36 };

static const char alarm_colour[] = "\x1b[31m";
static const char faint_colour[] = "\x1b[2m";
static const char no_colour[] = "\x1b[0m";

struct row {
    const struct json *item;
    double rank;       /* smaller is further up */
    int64_t newest_ms; /* among equals the greatest first */
};

/* ---- members ---- */

static const char *text_of(const struct json *item, const char *key)
{
    const char *text = json_as_string(json_get(item, key), NULL);
    return text ? text : "";
}

static int64_t integer_of(const struct json *item, const char *key)
{
    int64_t value = 0;
    (void)json_as_integer(json_get(item, key), &value);
    return value;
}

static bool truth_of(const struct json *item, const char *key)
{
    bool value = false;
    (void)json_as_boolean(json_get(item, key), &value);
    return value;
}

static double number_of(const struct json *item, const char *key)
{
    double value = 0;
    (void)json_as_number(json_get(item, key), &value);
    return value;
}

static bool is_kind(const struct json *item, const char *kind)
{
    return strcmp(text_of(item, "kind"), kind) == 0;
}

/* ---- cells ---- */

/* "7 s", "4 min", "2 h 10 min": what a person would say. */
static const char *span_cell(int64_t ms, char cell[CELL_BYTES])
{
    int64_t seconds = ms < 0 ? 0 : ms / 1000;
    if (seconds < 120) {
        (void)snprintf(cell, CELL_BYTES, "%" PRId64 " s", seconds);
    } else if (seconds < 7200) {
        (void)snprintf(cell, CELL_BYTES, "%" PRId64 " min", seconds / 60);
    } else {
        (void)snprintf(cell, CELL_BYTES, "%" PRId64 " h %" PRId64 " min", seconds / 3600,
                       seconds / 60 % 60);
    }
    return cell;
}

/* A terminal obeys what it is sent: of an id only what is printable is shown as it is. */
static const char *id_cell(const struct json *item, char cell[CELL_BYTES])
{
    (void)snprintf(cell, CELL_BYTES, "%s", text_of(item, "id"));
    for (char *at = cell; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = '?';
        }
    }
    return cell;
}

static const char *path_words(const struct json *alert, char cell[CELL_BYTES])
{
    const char *path = text_of(alert, "path");
    if (strcmp(path, "declining") == 0) {
        return "falling";
    }
    if (strcmp(path, "sustained_low") == 0) {
        return "stays low";
    }
    const char *rule = text_of(alert, "rule");
    (void)snprintf(cell, CELL_BYTES, "%.*s", 20, *rule ? rule : path);
    return cell;
}

static const char *trend_words(const struct json *call)
{
    const char *trend = text_of(call, "trend");
    if (!truth_of(call, "has_reading")) {
        return "";
    }
    if (integer_of(call, "samples") < 2 || integer_of(call, "samples_before") < 2) {
        return "too early";
    }
    return strcmp(trend, "declining") == 0   ? "falling"
           : strcmp(trend, "improving") == 0 ? "rising"
           : strcmp(trend, "stable") == 0    ? "steady"
                                             : "too early";
}

/* ---- rows ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return x->newest_ms != y->newest_ms ? (x->newest_ms > y->newest_ms ? -1 : 1) : 0;
}

/* An open alert comes before any mood, a mood before none. */
static double rank_of_call(const struct json *call)
{
    double mood = truth_of(call, "has_reading") ? number_of(call, "score") : 2;
    return integer_of(call, "alert") > 0 ? mood - 10 : mood;
}

static double rank_of_alert(const struct json *alert)
{
    return integer_of(alert, "closed_ms") != 0;
}

static bool is_live_call(const struct json *item)
{
    return is_kind(item, "call") && truth_of(item, "live");
}

static bool is_alert(const struct json *item)
{
    return is_kind(item, "alert");
}

/* The wanted items in order; the caller frees *rows. */
static bool collect(const struct json *board, bool (*wanted)(const struct json *),
                    double (*rank)(const struct json *), const char *newest_key, struct row **rows,
                    size_t *count)
{
    const struct json *items = json_get(board, "items");
    size_t all = json_size(items);
    *count = 0;
    *rows = calloc(all + 1, sizeof **rows);
    if (!*rows) {
        return false;
    }
    for (size_t i = 0; i < all; i++) {
        const struct json *item = json_at(items, i);
        if (wanted(item)) {
            (*rows)[(*count)++] = (struct row){
                .item = item, .rank = rank(item), .newest_ms = integer_of(item, newest_key)};
        }
    }
    qsort(*rows, *count, sizeof **rows, compare_rows);
    return true;
}

static double no_rank(const struct json *alert)
{
    (void)alert;
    return 0;
}

/* Among alerts collected by number, the greatest first. */
static const struct json *alert_numbered(const struct row *alerts, size_t count, int64_t number)
{
    const struct row key = {.newest_ms = number};
    const struct row *found = bsearch(&key, alerts, count, sizeof *alerts, compare_rows);
    return number > 0 && found ? found->item : NULL;
}

static size_t shown_rows(size_t count, const struct board_table_options *options)
{
    return options->rows_max && options->rows_max < count ? options->rows_max : count;
}

static void print_rest(FILE *out, size_t count, size_t shown)
{
    if (shown < count) {
        (void)fprintf(out, "... and %zu more\n", count - shown);
    }
}

/* ---- calls ---- */

static void print_call(FILE *out, int64_t now_ms, const struct json *call, const struct json *alert,
                       bool colour)
{
    char id[CELL_BYTES];
    char mood[CELL_BYTES] = "";
    char heard[CELL_BYTES] = "";
    char why[CELL_BYTES];
    char since[CELL_BYTES];
    char alarm[CELL_BYTES] = "";
    bool known = truth_of(call, "has_reading");
    if (known) {
        (void)snprintf(mood, sizeof mood, "%.2f", number_of(call, "score"));
        (void)span_cell(now_ms - integer_of(call, "as_of_ms"), heard);
    }
    if (alert) {
        (void)snprintf(alarm, sizeof alarm, "%.24s, %.24s", path_words(alert, why),
                       span_cell(now_ms - integer_of(alert, "opened_ms"), since));
    }
    const char *shade = !colour ? "" : alert ? alarm_colour : known ? "" : faint_colour;
    (void)fprintf(out, "%s%-*s  %4s  %-9s  %10" PRId64 "  %10s  %-22s  %s%s\n", shade, ID_COLUMNS,
                  id_cell(call, id), mood, trend_words(call), integer_of(call, "utterances"), heard,
                  alarm, text_of(call, "state"), *shade ? no_colour : "");
}

bool board_table_print_calls(FILE *out, const struct json *board,
                             const struct board_table_options *options)
{
    struct row *rows = NULL;
    struct row *alerts = NULL;
    size_t count;
    size_t alert_count;
    int64_t now_ms = integer_of(json_get(board, "status"), "now_ms");
    bool good = collect(board, is_live_call, rank_of_call, "as_of_ms", &rows, &count) &&
                collect(board, is_alert, no_rank, "number", &alerts, &alert_count);
    if (good) {
        (void)fprintf(out, "%-*s  %4s  %-9s  %10s  %10s  %-22s  %s\n", ID_COLUMNS, "CALL", "MOOD",
                      "TREND", "UTTERANCES", "LAST HEARD", "ALERT", "STATE");
        size_t shown = shown_rows(count, options);
        for (size_t i = 0; i < shown; i++) {
            const struct json *call = rows[i].item;
            print_call(out, now_ms, call,
                       alert_numbered(alerts, alert_count, integer_of(call, "alert")),
                       options->colour);
        }
        print_rest(out, count, shown);
    }
    free(alerts);
    free(rows);
    return good;
}

/* ---- alerts ---- */

static void print_alert(FILE *out, const struct json *board, const struct json *alert, bool colour)
{
    char id[CELL_BYTES];
    char why[CELL_BYTES];
    char age[CELL_BYTES];
    char lasted[CELL_BYTES];
    char sure[CELL_BYTES] = "";
    int64_t now_ms = integer_of(json_get(board, "status"), "now_ms");
    int64_t opened_ms = integer_of(alert, "opened_ms");
    int64_t closed_ms = integer_of(alert, "closed_ms");
    double confidence = number_of(alert, "confidence");
    const char *state = !closed_ms ? "open" : truth_of(alert, "recovered") ? "recovered" : "over";
    if (confidence > 0) {
        (void)snprintf(sure, sizeof sure, "%.2f", confidence);
    }
    const char *shade = !colour ? "" : closed_ms ? faint_colour : alarm_colour;
    (void)fprintf(out, "%s%-*s  %6" PRId64 "  %-20s  %-10s  %4s  %10s  %10s  %-9s  %s%s\n", shade,
                  ID_COLUMNS, id_cell(alert, id), integer_of(alert, "number"),
                  path_words(alert, why), text_of(alert, "tier"), sure,
                  span_cell(now_ms - opened_ms, age),
                  span_cell((closed_ms ? closed_ms : now_ms) - opened_ms, lasted), state,
                  text_of(alert, "suggestion"), *shade ? no_colour : "");
}

bool board_table_print_alerts(FILE *out, const struct json *board,
                              const struct board_table_options *options)
{
    struct row *rows;
    size_t count;
    if (!collect(board, is_alert, rank_of_alert, "opened_ms", &rows, &count)) {
        return false;
    }
    (void)fprintf(out, "%-*s  %6s  %-20s  %-10s  %4s  %10s  %10s  %-9s  %s\n", ID_COLUMNS, "CALL",
                  "NUMBER", "WHY", "FOR", "SURE", "OPENED AGO", "LASTED", "STATE", "HINT");
    size_t shown = shown_rows(count, options);
    for (size_t i = 0; i < shown; i++) {
        print_alert(out, board, rows[i].item, options->colour);
    }
    print_rest(out, count, shown);
    free(rows);
    return true;
}

/* ---- status ---- */

void board_table_print_status(FILE *out, const struct json *board)
{
    const struct json *status = json_get(board, "status");
    const struct json *troubles = json_get(status, "troubles");
    int64_t scored = integer_of(status, "scored_recent");
    (void)fprintf(out, "%" PRId64 " live calls, %" PRId64 " open alerts",
                  integer_of(status, "calls_live"), integer_of(status, "alerts_open"));
    if (scored > 0) {
        (void)fprintf(out, ", %" PRId64 " %% scored within 3 s",
                      integer_of(status, "scored_prompt") * 100 / scored);
    }
    (void)fputc('\n', out);
    for (size_t i = 0; i < json_size(troubles); i++) {
        const struct json *trouble = json_at(troubles, i);
        (void)fprintf(out, "%s: %s\n", text_of(trouble, "level"), text_of(trouble, "text"));
    }
}
