/* command_score.c - undertone score: one utterance a line in, one line out, in order.
 *
 * Text reaches the model exactly as it stands, as PyTorch would get it; --clean applies what the
 * daemon does to a transcript first. Which thread scores a line never shows in its answer.
 */
#include "base/json_write.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "commands/line_pool.h"
#include "commands/utterances.h"
#include "model/model_cache.h"
#include "model/model_path.h"
#include "nlp/clean.h"
#include "nlp/scorer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "  echo 'nobody helps me' | undertone score\n"
    "  undertone score --json calls.txt\n"
    "  undertone score --jsonl --long truncate --json golden.jsonl\n"
    "\n"
    "usage: undertone score [options] [FILE]\n"
    "\n"
    "Scores each line of FILE or standard input: label, score from 0 (negative) to 1 (positive),\n"
    "tokens, separated by tabs. A blank line has no label.\n"
    "\n"
    "  -m, --model DIR|NAME   the checkpoint (default " MODEL_PATH_DEFAULT_NAME ")\n"
    "      --precision P      fp32: PyTorch's numbers (default); int8: nearly the same, several\n"
    "                         times faster; bf16: in between, on CPUs that have it\n"
    "      --kernels NAME     arithmetic kernels, as model.kernels (default: the best here)\n"
    "  -t, --threads N        scoring threads (default: one per core)\n"
    "      --long HOW         chunk: long text is scored in pieces (default); truncate: its end "
    "is\n"
    "                         cut off, as PyTorch does\n"
    "      --clean            clean the text first, as the daemon does\n"
    "  -j, --json             answer with one JSON object a line\n"
    "      --jsonl            read {\"text\": ...} lines; blank and multi-line text is scored too\n"
    "  -h, --help             this text\n";

enum { BATCH_TOKENS = 512 };

struct score_options {
    const char *model;
    const char *file;
    struct scorer_options scorer;
    enum scorer_long long_text;
    long threads;
    bool clean;
    bool json;
    bool jsonl;
};

struct score_worker {
    const struct scorer *scorer;
    const struct score_options *options;
    struct scorer_scratch *scratch;
    struct buf cleaned;
    struct scorer_text texts[LINE_POOL_BLOCK_TEXTS];
    struct scorer_result results[LINE_POOL_BLOCK_TEXTS];
};

/* --- answers --- */

static void write_values(struct json_writer *writer, const struct scorer *scorer,
                         const float *values, bool named)
{
    for (unsigned i = 0; i < scorer_label_count(scorer); i++) {
        if (named) {
            json_write_key(writer, scorer_label_name(scorer, i));
        }
        json_write_number(writer, (double)values[i], 9);
    }
}

/* A text that was not scored has nulls and no tokens. */
static void write_json(const struct scorer *scorer, const struct scorer_result *result,
                       struct buf *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "label",
                           result ? scorer_label_name(scorer, result->label) : NULL);
    json_write_key(&writer, "score");
    if (result) {
        json_write_number(&writer, result->score, 9);
    } else {
        json_write_null(&writer);
    }
    json_write_key(&writer, "probabilities");
    if (result) {
        json_write_object_begin(&writer);
        write_values(&writer, scorer, result->probabilities, true);
        json_write_object_end(&writer);
    } else {
        json_write_null(&writer);
    }
    json_write_key(&writer, "logits");
    if (result && result->chunk_count == 1) {
        json_write_array_begin(&writer);
        write_values(&writer, scorer, result->logits, false);
        json_write_array_end(&writer);
    } else {
        json_write_null(&writer);
    }
    json_write_member_integer(&writer, "tokens", result ? (int64_t)result->token_count : 0);
    json_write_object_end(&writer);
    buf_append_char(out, '\n');
}

static void write_plain(const struct scorer *scorer, const struct scorer_result *result,
                        struct buf *out)
{
    if (result) {
        buf_printf(out, "%s\t%.4f\t%u\n", scorer_label_name(scorer, result->label), result->score,
                   (unsigned)result->token_count);
    } else {
        buf_append_string(out, "null\tnull\t0\n");
    }
}

/* --- work --- */

/* Cleans all texts of a block into the worker's buffer, which is grown once, so that the views into
 * it stay good. */
static int clean_block(struct score_worker *worker, const struct scorer_text *texts, size_t count,
                       struct scorer_text *cleaned, struct error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += texts[i].size;
    }
    buf_clear(&worker->cleaned);
    if (!buf_reserve(&worker->cleaned, bytes * 3)) {
        return error_set(err, ERROR_MEMORY, "no memory to clean text");
    }
    char *at = worker->cleaned.bytes;
    for (size_t i = 0; i < count; i++) {
        cleaned[i] = (struct scorer_text){at, clean_text(texts[i].bytes, texts[i].size, at)};
        at += cleaned[i].size;
    }
    return 0;
}

static int score_block(void *context, const struct scorer_text *texts, size_t count,
                       struct buf *out, struct error *err)
{
    struct score_worker *worker = context;
    const struct score_options *options = worker->options;
    struct scorer_text cleaned[LINE_POOL_BLOCK_TEXTS];
    bool scored[LINE_POOL_BLOCK_TEXTS];
    size_t scored_count = 0;
    int result = options->clean ? clean_block(worker, texts, count, cleaned, err) : 0;
    if (result) {
        return result;
    }
    texts = options->clean ? cleaned : texts;
    for (size_t i = 0; i < count; i++) {
        scored[i] = options->clean
                        ? texts[i].size > 0
                        : options->jsonl || !utterances_is_blank(texts[i].bytes, texts[i].size);
        if (scored[i]) {
            worker->texts[scored_count++] = texts[i];
        }
    }
    result = scorer_run(worker->scorer, worker->scratch, worker->texts, scored_count,
                        options->long_text, worker->results, err);
    const struct scorer_result *next = worker->results;
    for (size_t i = 0; i < count && !result; i++) {
        const struct scorer_result *answer = scored[i] ? next++ : NULL;
        if (options->json) {
            write_json(worker->scorer, answer, out);
        } else {
            write_plain(worker->scorer, answer, out);
        }
    }
    return result;
}

static int run_workers(const struct scorer *scorer, const struct score_options *options,
                       struct utterances *utterances, struct error *err)
{
    struct score_worker *workers = calloc((size_t)options->threads, sizeof *workers);
    void *contexts[LINE_POOL_THREADS_MAX];
    int result = workers ? 0 : error_set(err, ERROR_MEMORY, "no memory for the scoring threads");
    for (long i = 0; i < options->threads && !result; i++) {
        workers[i].scorer = scorer;
        workers[i].options = options;
        buf_init(&workers[i].cleaned, (size_t)64 << 20);
        contexts[i] = &workers[i];
        result = scorer_scratch_create(scorer, BATCH_TOKENS, &workers[i].scratch, err);
    }
    if (!result) {
        result = line_pool_run(utterances, score_block, contexts, (unsigned)options->threads, err);
    }
    for (long i = 0; i < options->threads && workers; i++) {
        scorer_scratch_destroy(workers[i].scratch);
        buf_done(&workers[i].cleaned);
    }
    free(workers);
    return result;
}

static int score(const struct score_options *options, struct error *err)
{
    struct scorer *scorer = NULL;
    struct utterances *utterances = NULL;
    struct buf path;
    buf_init(&path, PATH_MAX);
    int result = model_path_find(options->model, &path, err);
    result =
        result ? result : model_cache_open(&scorer, NULL, buf_string(&path), &options->scorer, err);
    result = result ? result : utterances_open(&utterances, options->file, options->jsonl, err);
    result = result ? result : run_workers(scorer, options, utterances, err);
    utterances_close(utterances);
    scorer_close(scorer);
    buf_done(&path);
    return result;
}

/* --- options --- */

enum {
    OPTION_PRECISION = COMMAND_LINE_LONG_ONLY,
    OPTION_KERNELS,
    OPTION_LONG,
    OPTION_CLEAN,
    OPTION_JSONL,
};

static bool set_long(struct score_options *options, const char *text)
{
    bool truncate = strcmp(text, "truncate") == 0;
    if (!truncate && strcmp(text, "chunk") != 0) {
        command_line_misuse("score", "--long takes chunk or truncate");
        return false;
    }
    options->long_text = truncate ? SCORER_LONG_TRUNCATE : SCORER_LONG_CHUNK;
    return true;
}

static bool set_option(struct score_options *options, int option)
{
    switch (option) {
    case 'm':
        options->model = optarg;
        return true;
    case 't':
        return command_line_count("score", "--threads", optarg, LINE_POOL_THREADS_MAX,
                                  &options->threads);
    case 'j':
        options->json = true;
        return true;
    case OPTION_PRECISION:
        return command_line_precision("score", optarg, &options->scorer.precision);
    case OPTION_KERNELS:
        options->scorer.kernels = optarg;
        return true;
    case OPTION_LONG:
        return set_long(options, optarg);
    case OPTION_CLEAN:
        options->clean = true;
        return true;
    case OPTION_JSONL:
        options->jsonl = true;
        return true;
    default:
        return false;
    }
}

int command_score(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"model", required_argument, NULL, 'm'},
        {"precision", required_argument, NULL, OPTION_PRECISION},
        {"kernels", required_argument, NULL, OPTION_KERNELS},
        {"threads", required_argument, NULL, 't'},
        {"long", required_argument, NULL, OPTION_LONG},
        {"clean", no_argument, NULL, OPTION_CLEAN},
        {"json", no_argument, NULL, 'j'},
        {"jsonl", no_argument, NULL, OPTION_JSONL},
        {"help", no_argument, NULL, 'h'},
        {0}};
    struct score_options options = {.file = "-",
                                    .threads = command_line_cores(LINE_POOL_THREADS_MAX)};
    struct error err;
    int option;
    while ((option = command_line_option(argc, argv, "m:t:jh", long_options)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return command_line_finish(0);
        }
        if (!set_option(&options, option)) {
            return error_exit_status(ERROR_USAGE);
        }
    }
    if (argc - optind > 1) {
        return command_line_misuse("score", "one file at a time");
    }
    options.file = optind < argc ? argv[optind] : options.file;
    if (score(&options, &err)) {
        return command_line_fail(&err);
    }
    return command_line_finish(0);
}
