/* utterances.c - see utterances.h. */
#include "commands/utterances.h"

#include "base/json.h"
#include "base/lines.h"

#include <stdlib.h>
#include <string.h>

struct utterances {
    struct lines *lines;
    struct json_document *document; /* of the last JSON line: holds its text */
    const char *name;               /* for messages */
    bool is_jsonl;
};

int utterances_open(struct utterances **utterances, const char *path, bool is_jsonl,
                    struct error *err)
{
    *utterances = NULL;
    struct utterances *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory to open %s", path);
    }
    created->name = strcmp(path, "-") == 0 ? "standard input" : path;
    created->is_jsonl = is_jsonl;
    int result = lines_open(&created->lines, path, UTTERANCES_LINE_BYTES_MAX, err);
    if (result) {
        free(created);
        return result;
    }
    *utterances = created;
    return 0;
}

/* Input that cannot be used is a failure of the run (status 1), not of the configuration. */
static int fail(struct error *err)
{
    if (err) {
        err->code = ERROR_IO;
    }
    return -1;
}

static int read_json(struct utterances *utterances, const char *line, size_t bytes,
                     const char **text, size_t *size, struct error *err)
{
    size_t number = lines_number(utterances->lines);
    json_free(utterances->document);
    if (json_parse(line, bytes, &utterances->document, err)) {
        error_wrap(err, "%s:%zu", utterances->name, number);
        return fail(err);
    }
    *text = json_as_string(json_get(json_root(utterances->document), "text"), size);
    if (!*text) {
        error_set(err, ERROR_FORMAT, "%s:%zu: not an object with a string \"text\"",
                  utterances->name, number);
        return fail(err);
    }
    return 1;
}

int utterances_next(struct utterances *utterances, const char **text, size_t *size,
                    struct error *err)
{
    const char *line;
    size_t bytes;
    int got = lines_next(utterances->lines, &line, &bytes, err);
    if (got != 1) {
        return got < 0 ? fail(err) : 0;
    }
    if (utterances->is_jsonl) {
        return read_json(utterances, line, bytes, text, size, err);
    }
    *text = line;
    *size = bytes;
    return 1;
}

bool utterances_ready(const struct utterances *utterances)
{
    return lines_ready(utterances->lines);
}

void utterances_close(struct utterances *utterances)
{
    if (utterances) {
        json_free(utterances->document);
        lines_close(utterances->lines);
        free(utterances);
    }
}

bool utterances_is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!strchr(" \t\r\n\v\f", text[i]) || text[i] == '\0') {
            return false;
        }
    }
    return true;
}
