/* decision_recall.c - see decision_recall.h. Only lines that name one of the two kinds are parsed:
 * most are found in the newest file, and an alert that is nowhere costs a look at every line. */
#include "decisions/decision_recall.h"

#include "base/json.h"
#include "base/lines.h"
#include "decisions/chain.h"
#include "decisions/decision_files.h"

#include <stdlib.h>
#include <string.h>

void decision_recall_init(struct decision_recall *recall, size_t calls_max)
{
    *recall = (struct decision_recall){0};
    map_init(&recall->calls, calls_max);
}

void decision_recall_done(struct decision_recall *recall)
{
    size_t position = 0;
    struct decision_told *told;
    while ((told = map_next(&recall->calls, &position))) {
        free(told);
    }
    map_done(&recall->calls);
}

bool decision_recall_want(struct decision_recall *recall, const char *call, uint32_t alert)
{
    struct decision_told *told = calloc(1, sizeof *told);
    if (!told || !map_put(&recall->calls, call, strlen(call), told)) {
        free(told);
        return false;
    }
    told->expected = alert;
    recall->missing++;
    return true;
}

const struct decision_told *decision_recall_find(const struct decision_recall *recall,
                                                 const char *call)
{
    return map_get(&recall->calls, call, strlen(call));
}

static void take(struct decision_recall *recall, const struct json *line)
{
    const char *kind = json_as_string(json_get(line, "kind"), NULL);
    const char *call = json_as_string(json_get(line, "call"), NULL);
    struct decision_told *told = call ? map_get(&recall->calls, call, strlen(call)) : NULL;
    int64_t alert;
    if (!told || !kind || !json_as_integer(json_get(line, "alert"), &alert) || alert < 1 ||
        alert > UINT32_MAX) {
        return;
    }
    uint32_t *newest = strcmp(kind, "alert") == 0        ? &told->alert
                       : strcmp(kind, "suggestion") == 0 ? &told->suggestion
                                                         : NULL;
    if (newest && *newest < alert) {
        bool was_missing = told->alert < told->expected;
        *newest = (uint32_t)alert;
        recall->missing -= was_missing && told->alert >= told->expected;
    }
}

static int read_file(struct decision_recall *recall, const char *path, struct error *err)
{
    struct lines *lines;
    const char *line;
    size_t bytes;
    int more = 1;
    int result = lines_open(&lines, path, CHAIN_LINE_BYTES_MAX, err);
    while (!result && (more = lines_next(lines, &line, &bytes, err)) > 0) {
        struct json_document *document = NULL;
        if ((strstr(line, "\"kind\":\"alert\"") || strstr(line, "\"kind\":\"suggestion\"")) &&
            json_parse(line, bytes, &document, NULL) == 0) {
            take(recall, json_root(document));
        }
        json_free(document);
    }
    lines_close(lines);
    return result ? result : (more < 0 ? ERROR_IO : 0);
}

int decision_recall_read(struct decision_recall *recall, const char *path, struct error *err)
{
    uint64_t *lasts = NULL;
    size_t count = 0;
    struct buf name;
    int result = recall->missing > 0 ? read_file(recall, path, err) : 0;
    if (!result && recall->missing > 0) {
        result = decision_files_list(path, &lasts, &count, err);
    }
    buf_init(&name, 8192);
    while (!result && recall->missing > 0 && count > 0) {
        buf_clear(&name);
        result = decision_files_name(path, lasts[--count], &name)
                     ? read_file(recall, buf_string(&name), err)
                     : error_set(err, ERROR_MEMORY, "no memory for a file's name");
    }
    buf_done(&name);
    free(lasts);
    return result;
}
