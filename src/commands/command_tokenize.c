/* command_tokenize.c - undertone tokenize: the model's token ids for each utterance, special tokens
 * included and never cut, one JSON array a line. */
#include "base/json_write.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "commands/utterances.h"
#include "model/model_cache.h"
#include "model/model_path.h"
#include "nlp/scorer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "  echo 'this is the third time i call' | undertone tokenize\n"
    "  undertone tokenize --jsonl golden.jsonl\n"
    "\n"
    "usage: undertone tokenize [options] [FILE]\n"
    "\n"
    "  -m, --model DIR|NAME   the checkpoint (default " MODEL_PATH_DEFAULT_NAME ")\n"
    "      --jsonl            read {\"text\": ...} lines\n"
    "  -h, --help             this text\n";

enum { OUT_BYTES_MAX = 32 << 20 };

struct ids {
    uint32_t *items;
    size_t capacity;
};

static int reserve_ids(struct ids *ids, size_t count, struct error *err)
{
    if (count <= ids->capacity) {
        return 0;
    }
    uint32_t *items = realloc(ids->items, count * sizeof *items);
    if (!items) {
        return error_set(err, ERROR_MEMORY, "no memory for %zu tokens", count);
    }
    *ids = (struct ids){items, count};
    return 0;
}

static int print_ids(const uint32_t *ids, size_t count, struct buf *out, struct error *err)
{
    struct json_writer writer;
    buf_clear(out);
    json_writer_init(&writer, out);
    json_write_array_begin(&writer);
    for (size_t i = 0; i < count; i++) {
        json_write_integer(&writer, (int64_t)ids[i]);
    }
    json_write_array_end(&writer);
    buf_append_char(out, '\n');
    if (out->failed) {
        return error_set(err, ERROR_MEMORY, "no memory for the answers");
    }
    if (fwrite(buf_string(out), 1, out->size, stdout) != out->size) {
        return error_set(err, ERROR_IO, "cannot write to standard output");
    }
    return 0;
}

static int tokenize_all(const struct scorer *scorer, struct scorer_scratch *scratch,
                        struct utterances *utterances, struct error *err)
{
    struct ids ids = {0};
    struct buf out;
    int result = 0;
    buf_init(&out, OUT_BYTES_MAX);
    while (!result) {
        struct scorer_text text;
        int got = utterances_next(utterances, &text.bytes, &text.size, err);
        if (got != 1) {
            result = got < 0 ? (int)err->code : 0;
            break;
        }
        size_t count = scorer_tokens(scorer, scratch, text, SCORER_LONG_CHUNK, NULL, 0);
        result = reserve_ids(&ids, count, err);
        if (!result) {
            count =
                scorer_tokens(scorer, scratch, text, SCORER_LONG_CHUNK, ids.items, ids.capacity);
            result = print_ids(ids.items, count, &out, err);
        }
        if (!result && !utterances_ready(utterances)) {
            (void)fflush(stdout);
        }
    }
    free(ids.items);
    buf_done(&out);
    return result;
}

static int tokenize(const char *model, const char *file, bool jsonl, struct error *err)
{
    struct scorer *scorer = NULL;
    struct scorer_scratch *scratch = NULL;
    struct utterances *utterances = NULL;
    struct buf path;
    buf_init(&path, PATH_MAX);
    int result = model_path_find(model, &path, err);
    result = result ? result : model_cache_open(&scorer, NULL, buf_string(&path), NULL, err);
    result = result ? result : scorer_scratch_create(scorer, 0, &scratch, err);
    result = result ? result : utterances_open(&utterances, file, jsonl, err);
    result = result ? result : tokenize_all(scorer, scratch, utterances, err);
    utterances_close(utterances);
    scorer_scratch_destroy(scratch);
    scorer_close(scorer);
    buf_done(&path);
    return result;
}

int command_tokenize(int argc, char **argv)
{
    static const struct option options[] = {{"model", required_argument, NULL, 'm'},
                                            {"jsonl", no_argument, NULL, COMMAND_LINE_LONG_ONLY},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *model = NULL;
    bool jsonl = false;
    struct error err;
    int option;
    while ((option = command_line_option(argc, argv, "m:h", options)) != -1) {
        switch (option) {
        case 'm':
            model = optarg;
            break;
        case COMMAND_LINE_LONG_ONLY:
            jsonl = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    if (argc - optind > 1) {
        return command_line_misuse("tokenize", "one file at a time");
    }
    if (tokenize(model, optind < argc ? argv[optind] : "-", jsonl, &err)) {
        return command_line_fail(&err);
    }
    return command_line_finish(0);
}
