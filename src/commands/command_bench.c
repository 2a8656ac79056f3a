/* command_bench.c - undertone bench: the engine's speed on this machine, beside what its arithmetic
 * could do at best. One JSON line compares with those of bench/peers.py. */
#include "base/json_write.h"
#include "commands/bench.h"
#include "commands/bench_serve.h"
#include "commands/bench_team.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "model/model_cache.h"
#include "model/model_path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 100, SERVE_SECONDS_MAX = 600, SEED_MAX = 1 << 30 };

static const char help[] =
    "  undertone bench\n"
    "  undertone bench --threads 2 --stream utterances.txt --json\n"
    "  undertone bench --serve 20 --precision int8\n"
    "\n"
    "usage: undertone bench [options]\n"
    "\n"
    "Measures utterances a second and milliseconds an utterance, and what part of the machine's\n"
    "multiply-add peak the encoder reaches. Takes some seconds; use an idle machine.\n"
    "\n"
    "  -m, --model DIR|NAME  the checkpoint (default " MODEL_PATH_DEFAULT_NAME ")\n"
    "      --stream FILE     utterances, one a line, or .jsonl with \"text\" (default: the "
    "model's\n"
    "                        golden.jsonl)\n"
    "      --texts N         of these, from the start (default: all)\n"
    "      --rounds N        each rate is the best of so many (default 3)\n"
    "  -t, --threads N       scoring threads (default: one per core)\n"
    "      --precision P     auto, fp32, int8 or bf16 (default auto: fp32)\n"
    "      --kernels NAME    arithmetic kernels, as model.kernels (default: the best here)\n"
    "      --serve SECONDS   instead: how long callers wait when utterances come at random, at\n"
    "                        25, 50, 75 and 90 % of capacity, so many seconds each\n"
    "      --seed N          of the random arrivals (default 1)\n"
    "  -j, --json            one JSON line; not with --serve\n"
    "  -h, --help            this text\n";

struct bench_options {
    const char *model;
    const char *stream;
    long texts;
    long rounds;
    long threads;
    long serve_s; /* 0: the usual measures */
    long seed;
    struct scorer_options scorer;
    bool json;
};

static double fraction(const struct bench_figures *figures)
{
    return figures->stream_rate / ((figures->peak_before + figures->peak_after) / 2);
}

static void print_plain(const struct bench_figures *f, const struct scorer *scorer, long threads)
{
    printf("kernels %s, %s, %ld threads, mean %.1f tokens\n", scorer_kernels_name(scorer),
           scorer_precision_name(scorer), threads, f->mean_tokens);
    printf("one by one             %8.1f utterances/s\n", f->single);
    printf("batches of 8           %8.1f utterances/s\n", f->pad8);
    printf("sorted batches of 32   %8.1f utterances/s\n", f->sorted32);
    printf("stream                 %8.1f utterances/s\n", f->stream);
    printf("8, 24, 64 tokens       %8.2f %.2f %.2f ms\n", f->ms8, f->ms24, f->ms64);
    printf("peak before, after     %8.1f %.1f Gop/s\n", f->peak_before, f->peak_after);
    printf("stream                 %8.1f Gop/s, %.0f %% of peak\n", f->stream_rate,
           100 * fraction(f));
}

static void print_json(const struct bench_figures *f, const struct scorer *scorer, long threads)
{
    const struct {
        const char *key;
        double value;
        int digits;
    } figures[] = {{"mean_tokens", f->mean_tokens, 3},
                   {"single", f->single, 5},
                   {"pad8", f->pad8, 5},
                   {"sorted32", f->sorted32, 5},
                   {"ms8", f->ms8, 4},
                   {"ms24", f->ms24, 4},
                   {"ms64", f->ms64, 4},
                   {"stream", f->stream, 5},
                   {"peak_before", f->peak_before, 4},
                   {"peak_after", f->peak_after, 4},
                   {"stream_gops", f->stream_rate, 4},
                   {"fraction", fraction(f), 3}};
    struct buf line;
    struct json_writer writer;
    buf_init(&line, 4096);
    json_writer_init(&writer, &line);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "engine", "undertone");
    json_write_member_text(&writer, "precision", scorer_precision_name(scorer));
    json_write_member_text(&writer, "kernels", scorer_kernels_name(scorer));
    json_write_member_integer(&writer, "threads", threads);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        json_write_member_number(&writer, figures[i].key, figures[i].value, figures[i].digits);
    }
    json_write_object_end(&writer);
    printf("%s\n", buf_string(&line));
    buf_done(&line);
}

static void print_serving(const struct bench_serve_figures *f, const struct scorer *scorer,
                          const struct bench_options *options)
{
    printf("kernels %s, %s, %ld threads, capacity %.1f utterances/s, seed %llu\n",
           scorer_kernels_name(scorer), scorer_precision_name(scorer), options->threads,
           f->capacity, (unsigned long long)f->seed);
    printf("| load | offered/s | answered/s | wait p50, p95, p99, ms | answer p50, p95, p99, ms | "
           "most queued |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < BENCH_SERVE_LOADS; i++) {
        const struct bench_serve_load *l = &f->loads[i];
        printf("| %u %% | %.1f | %.1f | %.2f, %.2f, %.2f | %.2f, %.2f, %.2f | %zu |\n", l->percent,
               l->offered, l->answered, l->wait_ms[0], l->wait_ms[1], l->wait_ms[2], l->total_ms[0],
               l->total_ms[1], l->total_ms[2], l->queued_max);
    }
}

static int measure_serving(const struct bench_options *options, const struct scorer *scorer,
                           const struct bench_texts *texts, struct error *err)
{
    struct bench_serve_figures figures;
    int result =
        bench_serve_measure(scorer, texts, (unsigned)options->threads, (unsigned)options->serve_s,
                            (uint64_t)options->seed, &figures, err);
    if (!result) {
        print_serving(&figures, scorer, options);
    }
    return result;
}

static int measure_speed(const struct bench_options *options, const struct scorer *scorer,
                         const struct bench_texts *texts, struct error *err)
{
    struct bench_figures figures;
    int result = bench_measure(scorer, texts, (unsigned)options->threads, (unsigned)options->rounds,
                               &figures, err);
    if (!result && options->json) {
        print_json(&figures, scorer, options->threads);
    } else if (!result) {
        print_plain(&figures, scorer, options->threads);
    }
    return result;
}

/* The file asked for, or the model's own golden texts. */
static int find_stream(const struct bench_options *options, struct buf *path, struct error *err)
{
    if (options->stream) {
        buf_clear(path);
        buf_append_string(path, options->stream);
        return 0;
    }
    buf_append_string(path, "/golden.jsonl");
    if (path->failed || access(buf_string(path), R_OK) != 0) {
        return error_set(err, ERROR_USAGE,
                         "the model has no golden.jsonl to take utterances from: give --stream "
                         "FILE");
    }
    return 0;
}

static int bench(const struct bench_options *options, struct error *err)
{
    struct scorer *scorer = NULL;
    struct bench_texts texts = {0};
    struct buf path;
    buf_init(&path, PATH_MAX);
    int result = model_path_find(options->model, &path, err);
    result =
        result ? result : model_cache_open(&scorer, NULL, buf_string(&path), &options->scorer, err);
    result = result ? result : find_stream(options, &path, err);
    result = result
                 ? result
                 : bench_texts_read(&texts, buf_string(&path), (size_t)options->texts, scorer, err);
    if (!result) {
        result = options->serve_s > 0 ? measure_serving(options, scorer, &texts, err)
                                      : measure_speed(options, scorer, &texts, err);
    }
    bench_texts_done(&texts);
    scorer_close(scorer);
    buf_done(&path);
    return result;
}

/* Takes one option over; false after a message. */
static bool take_option(struct bench_options *options, int option)
{
    switch (option) {
    case 'm':
        options->model = optarg;
        return true;
    case 's':
        options->stream = optarg;
        return true;
    case 'n':
        return command_line_count("bench", "--texts", optarg, BENCH_TEXTS_MAX, &options->texts);
    case 'r':
        return command_line_count("bench", "--rounds", optarg, ROUNDS_MAX, &options->rounds);
    case 't':
        return command_line_count("bench", "--threads", optarg, BENCH_TEAM_MAX, &options->threads);
    case 'S':
        return command_line_count("bench", "--serve", optarg, SERVE_SECONDS_MAX, &options->serve_s);
    case 'e':
        return command_line_count("bench", "--seed", optarg, SEED_MAX, &options->seed);
    case 'p':
        return command_line_precision("bench", optarg, &options->scorer.precision);
    case 'k':
        options->scorer.kernels = optarg;
        return true;
    case 'j':
        options->json = true;
        return true;
    default:
        return false;
    }
}

int command_bench(int argc, char **argv)
{
    static const struct option long_options[] = {{"model", required_argument, NULL, 'm'},
                                                 {"stream", required_argument, NULL, 's'},
                                                 {"texts", required_argument, NULL, 'n'},
                                                 {"rounds", required_argument, NULL, 'r'},
                                                 {"threads", required_argument, NULL, 't'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {"serve", required_argument, NULL, 'S'},
                                                 {"seed", required_argument, NULL, 'e'},
                                                 {"precision", required_argument, NULL, 'p'},
                                                 {"kernels", required_argument, NULL, 'k'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    struct bench_options options = {.texts = BENCH_TEXTS_MAX,
                                    .rounds = 3,
                                    .seed = 1,
                                    .threads = command_line_cores(BENCH_TEAM_MAX)};
    struct error err;
    int option;
    while ((option = command_line_option(argc, argv, "m:t:jh", long_options)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return command_line_finish(0);
        }
        if (!take_option(&options, option)) {
            return error_exit_status(ERROR_USAGE);
        }
    }
    if (optind < argc) {
        return command_line_misuse("bench", "unexpected argument '%s'", argv[optind]);
    }
    if (options.serve_s > 0 && options.json) {
        return command_line_misuse("bench", "--serve has no JSON line");
    }
    return bench(&options, &err) ? command_line_fail(&err) : command_line_finish(0);
}
