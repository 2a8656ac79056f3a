/* command_replay.c - undertone replay: recorded calls through the same cleaning, model and
 * judgement as live ones, printing what would have been published and when, and the evidence for
 * each alert. Nothing is sent anywhere.
 */
#include "commands/command_line.h"
#include "commands/commands.h"
#include "commands/compare.h"
#include "commands/replay.h"
#include "commands/replay_print.h"
#include "commands/sweep.h"
#include "commands/turns_file.h"
#include "config/wire.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "  undertone replay calls.jsonl\n"
    "  undertone replay --json calls.jsonl.gz | jq 'select(.kind == \"alert\")'\n"
    "  undertone replay --set alert.threshold=0.3 --text calls.jsonl\n"
    "  undertone replay --compare calls.jsonl\n"
    "  undertone replay --compare=old.yaml,new.yaml --summary calls.jsonl\n"
    "  undertone replay --labels --evaluate labelled.jsonl\n"
    "  undertone replay --labels --sweep alert.sustained_limit=0.4:2:0.1 --plot pr.svg "
    "labelled.jsonl\n"
    "\n"
    "usage: undertone replay [options] FILE...\n"
    "\n"
    "Each line of a FILE is one segment: {\"interactionId\", \"text\", \"startTime\", "
    "\"endTime\",\n"
    "\"direction\", \"isFinal\"}, times in milliseconds. Prints each call's changes of reading, "
    "its\n"
    "alerts with their evidence, and its recoveries. A line may add \"visible\", from when on "
    "the\n"
    "vendor shows it (else 0.7 s after its end), and \"source\" (else the file's name).\n"
    "\n"
    "  -c, --config FILE    the YAML file\n"
    "      --env-file FILE  KEY=VALUE lines, for variables that the environment does not set\n"
    "  -s, --set KEY=VALUE  set one key; may be repeated\n"
    "  -j, --json           one JSON object a line\n"
    "      --text           show the words of the evidence, and what rules say\n"
    "      --skip-bad       pass over malformed lines instead of stopping at the first\n"
    "      --compare[=A,B]  several judgements side by side, each one of\n"
    "                         " JUDGE_LITERAL "           the tutorial's code as it is written\n"
    "                         " JUDGE_LITERAL_REPAIRED "  the same, labels read in any case\n"
    "                         " JUDGE_UNDERTONE "                  this configuration\n"
    "                         FILE                       another configuration\n"
    "                       two to four of them; alone: " JUDGE_LITERAL "," JUDGE_UNDERTONE "\n"
    "      --summary        with --compare: only the table of each source\n"
    "      --filter RULE    with --compare: what the vendor's startTime selects for the\n"
    "                       tutorial: start> start>= end> end>= (start>)\n"
    "      --from FORMAT    what each FILE is: lines (as above), labels, contact-lens (Amazon),\n"
    "                       azure; without times, people speak 150 words a minute\n"
    "      --labels         --from labels: one labelled call a line\n"
    "      --evaluate       hold the judgements against the labels: turns and alerts, per source,\n"
    "                       with 95 % intervals; --compare names the judgements, the tutorial's\n"
    "                       are always among them\n"
    "      --sweep KEY=FROM:TO:STEP  try these values of one key, and recommend one\n"
    "      --plot FILE      with --sweep: precision and recall, as SVG\n"
    "  -h, --help           this text\n";

struct replay_options {
    struct command_line_config config;
    char **files;
    bool skip_bad;
    struct replay_output output;
    char *compare; /* names of judgements, or NULL */
    bool summary;
    const char *filter; /* as typed, or NULL */
    enum turns_format format;
    bool evaluate;
    const char *sweep; /* as typed, or NULL */
    const char *plot;
};

static int replay_calls(struct replay *replay, struct replay_options *options,
                        const struct recording *recording, struct error *err)
{
    int result = 0;
    for (size_t first = 0, next; first < recording->count && !result; first = next) {
        const struct recording_line *lines = &recording->lines[first];
        options->output.start_ms = recording_call_span(recording, first, &next);
        if (!options->output.json) {
            printf("call %s\n", lines->interaction_id);
        }
        result = replay_call(replay, lines, next - first, replay_print, &options->output, err);
    }
    if (!result && !options->output.json) {
        printf("calls: %zu, customer utterances judged: %llu, alerts: %llu\n",
               recording->call_count, (unsigned long long)replay->judged,
               (unsigned long long)replay->alerts);
    }
    return result;
}

static void report_losses(uint64_t quarantined, const struct recording *recording)
{
    if (recording->skipped > 0) {
        (void)fprintf(stderr, "undertone: malformed lines passed over: %zu\n", recording->skipped);
    }
    if (quarantined > 0) {
        (void)fprintf(stderr,
                      "undertone: %llu segments have times that cannot be (zero, or far outside "
                      "their call) and were not judged\n",
                      (unsigned long long)quarantined);
    }
}

static int read_files(struct recording *recording, struct turns_labels *labels,
                      const struct config *config, const struct replay_options *options,
                      struct error *err)
{
    struct cxone_options cxone;
    int result = 0;
    wire_cxone(config, 0, &cxone);
    for (char **file = options->files; *file && !result; file++) {
        result = options->format == TURNS_LINES
                     ? recording_read(recording, *file, &cxone.profile, options->skip_bad, err)
                     : turns_file_read(recording, labels, *file, options->format, err);
    }
    if (result == ERROR_FORMAT || result == ERROR_LIMIT) {
        err->code = ERROR_IO; /* unusable input is not a wrong configuration: status 1 */
        result = ERROR_IO;
    }
    recording_sort(recording);
    return result;
}

static int replay(struct replay_options *options, const struct config *config,
                  const struct recording *recording, struct error *err)
{
    struct replay replay = {0};
    int result = replay_open(&replay, config, err);
    result = result ? result : replay_calls(&replay, options, recording, err);
    if (!result) {
        report_losses(replay.quarantined, recording);
    }
    replay_close(&replay);
    return result;
}

static int find_filter(const struct replay_options *options, enum literal_replay_filter *filter,
                       struct error *err)
{
    *filter = LITERAL_REPLAY_FILTER_START_AFTER;
    if (options->filter && !literal_replay_filter_find(options->filter, filter)) {
        return error_set(err, ERROR_USAGE,
                         "--filter takes start>, start>=, end> or end>= (quoted for the shell)");
    }
    return 0;
}

static int compare(const struct replay_options *options, const struct recording *recording,
                   struct error *err)
{
    struct compare compare = {.json = options->output.json, .summary_only = options->summary};
    enum literal_replay_filter filter;
    int result = find_filter(options, &filter, err);
    result =
        result ? result : compare_open(&compare, options->compare, &options->config, filter, err);
    result = result ? result : compare_run(&compare, recording, err);
    if (!result) {
        report_losses(compare_quarantined(&compare), recording);
    }
    compare_close(&compare);
    return result;
}

static int evaluate(const struct replay_options *options, const struct recording *recording,
                    const struct turns_labels *labels, struct error *err)
{
    struct evaluate evaluate = {.json = options->output.json};
    struct sweep sweep;
    enum literal_replay_filter filter;
    int result = find_filter(options, &filter, err);
    if (!result && options->sweep && !sweep_parse(options->sweep, &sweep)) {
        result = error_set(err, ERROR_USAGE, "--sweep takes KEY=FROM:TO:STEP of at most %d values",
                           SWEEP_POINTS_MAX);
    }
    result =
        result ? result : evaluate_open(&evaluate, options->compare, &options->config, filter, err);
    if (!result && options->evaluate) {
        result = evaluate_run(&evaluate, recording, labels, err);
    }
    if (!result && options->sweep) {
        result =
            sweep_run(&sweep, &evaluate, &options->config, recording, labels, options->plot, err);
    }
    evaluate_close(&evaluate);
    return result;
}

static int run(struct replay_options *options, const struct config *config,
               const struct recording *recording, const struct turns_labels *labels,
               struct error *err)
{
    if (options->evaluate || options->sweep) {
        return evaluate(options, recording, labels, err);
    }
    return options->compare ? compare(options, recording, err)
                            : replay(options, config, recording, err);
}

static int read_and_replay(struct replay_options *options, const struct config *config,
                           struct error *err)
{
    struct recording recording;
    recording_init(&recording);
    struct turns_labels labels = {0};
    int result = read_files(&recording, &labels, config, options, err);
    result = result ? result : run(options, config, &recording, &labels, err);
    turns_labels_done(&labels);
    recording_done(&recording);
    return result;
}

enum {
    OPTION_TEXT = COMMAND_LINE_LONG_ONLY,
    OPTION_ENV_FILE,
    OPTION_SKIP_BAD,
    OPTION_COMPARE,
    OPTION_SUMMARY,
    OPTION_FILTER,
    OPTION_FROM,
    OPTION_LABELS,
    OPTION_EVALUATE,
    OPTION_SWEEP,
    OPTION_PLOT
};

static bool set_option(struct replay_options *options, int option)
{
    static char compared[] = JUDGE_LITERAL "," JUDGE_UNDERTONE;
    switch (option) {
    case 'c':
        options->config.file = optarg;
        return true;
    case 's':
        return command_line_add_override(&options->config, "replay", optarg);
    case 'j':
        options->output.json = true;
        return true;
    case OPTION_ENV_FILE:
        options->config.env_file = optarg;
        return true;
    case OPTION_TEXT:
        options->output.text = true;
        return true;
    case OPTION_SKIP_BAD:
        options->skip_bad = true;
        return true;
    case OPTION_COMPARE:
        options->compare = optarg ? optarg : compared;
        return true;
    case OPTION_SUMMARY:
        options->summary = true;
        return true;
    case OPTION_FILTER:
        options->filter = optarg;
        return true;
    case OPTION_FROM:
        return turns_format_find(optarg, &options->format) ||
               (command_line_misuse("replay", "--from takes lines, labels, contact-lens or azure"),
                false);
    case OPTION_LABELS:
        options->format = TURNS_LABELS;
        return true;
    case OPTION_EVALUATE:
        options->evaluate = true;
        return true;
    case OPTION_SWEEP:
        options->sweep = optarg;
        return true;
    case OPTION_PLOT:
        options->plot = optarg;
        return true;
    default:
        return false;
    }
}

int command_replay(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"env-file", required_argument, NULL, OPTION_ENV_FILE},
        {"json", no_argument, NULL, 'j'},
        {"text", no_argument, NULL, OPTION_TEXT},
        {"skip-bad", no_argument, NULL, OPTION_SKIP_BAD},
        {"compare", optional_argument, NULL, OPTION_COMPARE},
        {"summary", no_argument, NULL, OPTION_SUMMARY},
        {"filter", required_argument, NULL, OPTION_FILTER},
        {"from", required_argument, NULL, OPTION_FROM},
        {"labels", no_argument, NULL, OPTION_LABELS},
        {"evaluate", no_argument, NULL, OPTION_EVALUATE},
        {"sweep", required_argument, NULL, OPTION_SWEEP},
        {"plot", required_argument, NULL, OPTION_PLOT},
        {"help", no_argument, NULL, 'h'},
        {0}};
    struct replay_options options = {0};
    struct config config;
    struct error err;
    int option;
    while ((option = command_line_option(argc, argv, "c:s:jh", long_options)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return command_line_finish(0);
        }
        if (!set_option(&options, option)) {
            return error_exit_status(ERROR_USAGE);
        }
    }
    if (optind == argc) {
        return command_line_misuse("replay", "name the files of recorded calls");
    }
    if (!options.compare && (options.summary || options.filter)) {
        return command_line_misuse("replay", "--summary and --filter go with --compare");
    }
    if (options.compare && options.output.text) {
        return command_line_misuse("replay", "--compare shows no words: leave --text out");
    }
    if ((options.evaluate || options.sweep) && options.format != TURNS_LABELS) {
        return command_line_misuse("replay", "--evaluate and --sweep go with --labels");
    }
    if (options.plot && !options.sweep) {
        return command_line_misuse("replay", "--plot goes with --sweep");
    }
    options.files = argv + optind;
    if (command_line_load_config(&options.config, &config, &err)) {
        return command_line_fail(&err);
    }
    buf_init(&options.output.line, REPLAY_PRINT_BYTES_MAX);
    int failed = read_and_replay(&options, &config, &err);
    buf_done(&options.output.line);
    config_free(&config);
    return failed ? command_line_fail(&err) : command_line_finish(0);
}
