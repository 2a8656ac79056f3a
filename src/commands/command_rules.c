/* command_rules.c - undertone rules: checks a rules file, or tries it on recorded calls and says
 * which rule would fire where. Nothing is sent anywhere and no text is printed unless asked for.
 * No model is run: conditions on the mood hold nothing here; `undertone replay` judges both. */
#include "base/clock.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "commands/turns_file.h"
#include "config/wire.h"
#include "cues/cues.h"
#include "flow/session_cues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "  undertone rules check rules.yaml\n"
    "  undertone rules try rules.yaml calls.jsonl\n"
    "\n"
    "usage: undertone rules check FILE\n"
    "       undertone rules try [options] FILE CALLS...\n"
    "\n"
    "  check   says whether the file can be used, or what is wrong with it and where\n"
    "  try     which rule would fire where in recorded calls (as for undertone replay), without a\n"
    "          model: conditions on the mood hold nothing\n"
    "\n"
    "      --from FORMAT     what CALLS are: lines, labels, contact-lens or azure, as for replay\n"
    "      --queue NAME      judge as calls of this queue\n"
    "      --language TAG    write messages in this language\n"
    "      --show-text       show the messages, and the words that made a rule fire\n"
    "      --skip-bad        pass over malformed lines instead of stopping at the first\n"
    "  -h, --help            this text\n"
    "\n"
    "The form of the file: docs/RULES.md.\n";

enum { TICK_MS = 1000, TICKS_MAX = 24 * 3600, REPLY_MAX = 64 };

struct trial {
    struct cues_rules *rules;
    struct cues_state *state;
    const char *queue;
    const char *language;
    bool show_text;
    bool skip_bad;
    enum turns_format format;
    const struct recording_line *lines; /* of the call at hand */
    size_t count;
    int64_t start_ms;
    int64_t now_ms;
    size_t *fired; /* by rule */
    size_t utterances;
    int64_t spent_us; /* on them */
    size_t calls_fired;
    bool any;
};

static void print_clock(int64_t ms)
{
    long long seconds = (long long)(ms < 0 ? 0 : ms / 1000);
    (void)printf("%02lld:%02lld", seconds / 60, seconds % 60);
}

/* The utterance that made the rule fire, as it was said. */
static void print_words(const struct trial *trial, const struct cues_firing *firing)
{
    for (size_t i = 0; i < trial->count; i++) {
        const struct segment *segment = recording_segment(&trial->lines[i]);
        if (segment->is_final && segment->start_ms == firing->begin_ms &&
            segment->end_ms == firing->end_ms) {
            (void)printf("           said: %.*s\n", (int)segment->text_bytes, segment->text);
            return;
        }
    }
}

static void print_firing(struct trial *trial, const struct cues_firing *firing)
{
    static const char *const speakers[] = {"unknown", "customer", "agent"};
    if (!trial->any) {
        (void)printf("%s\n", trial->lines[0].interaction_id);
        trial->any = true;
        trial->calls_fired++;
    }
    trial->fired[firing->rule]++;
    (void)printf("  ");
    print_clock(trial->now_ms - trial->start_ms);
    (void)printf("  %s, %s", cues_rule_name(trial->rules, firing->rule),
                 cues_tier_name(firing->tier));
    if (firing->has_evidence) {
        (void)printf(", %s ", speakers[firing->speaker]);
        print_clock(firing->begin_ms - trial->start_ms);
        (void)printf("-");
        print_clock(firing->end_ms - trial->start_ms);
    }
    (void)printf("\n");
    if (trial->show_text) {
        struct buf message;
        buf_init(&message, CUES_MESSAGE_BYTES_MAX * 4);
        cues_message(trial->rules, firing, trial->language, trial->queue, &message);
        (void)printf("           says: %s\n", buf_string(&message));
        buf_done(&message);
        if (firing->has_evidence) {
            print_words(trial, firing);
        }
    }
}

static int step(struct trial *trial, struct cues_event *event, struct error *err)
{
    struct cues_firings firings = {0};
    event->now_ms = trial->now_ms;
    event->queue = trial->queue;
    if (!cues_step(trial->state, trial->rules, event, &firings)) {
        return error_set(err, ERROR_MEMORY, "no memory for the rules' state of a call");
    }
    for (size_t i = 0; i < firings.count; i++) {
        print_firing(trial, &firings.items[i]);
    }
    return 0;
}

/* Second by second, as far as the passing of time can make a rule fire. */
static int advance(struct trial *trial, int64_t to_ms, struct error *err)
{
    int code = 0;
    for (int i = 0; i < TICKS_MAX && !code && cues_due(trial->state) < to_ms; i++) {
        struct cues_event tick = {.kind = CUES_TICK};
        int64_t due_ms = cues_due(trial->state);
        trial->now_ms = due_ms > trial->now_ms ? due_ms : trial->now_ms;
        code = step(trial, &tick, err);
    }
    trial->now_ms = to_ms > trial->now_ms ? to_ms : trial->now_ms;
    return code;
}

static int take_reply(struct trial *trial, size_t first, size_t *next, struct error *err)
{
    struct cues_utterance utterances[REPLY_MAX];
    struct cues_event event = {.kind = CUES_REPLY, .utterances = utterances};
    size_t at = first;
    while (at < trial->count && event.count < REPLY_MAX &&
           trial->lines[at].visible_ms == trial->lines[first].visible_ms) {
        const struct segment *segment = recording_segment(&trial->lines[at++]);
        if (segment->is_final) {
            session_cues_utterance(segment, &utterances[event.count++]);
        }
    }
    *next = at;
    struct mono begun = clock_mono();
    int code = step(trial, &event, err);
    trial->spent_us += clock_mono().us - begun.us;
    trial->utterances += event.count;
    return code;
}

static int try_call(struct trial *trial, struct error *err)
{
    static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = {0};
    struct cues_event ended = {.kind = CUES_ENDED};
    int code = 0;
    trial->any = false;
    trial->now_ms = trial->lines[0].visible_ms;
    trial->state = cues_state_create(trial->rules, key);
    if (!trial->state) {
        return error_set(err, ERROR_MEMORY, "no memory for the rules' state of a call");
    }
    for (size_t at = 0; at < trial->count && !code;) {
        code = advance(trial, trial->lines[at].visible_ms, err);
        code = code ? code : take_reply(trial, at, &at, err);
    }
    code = code ? code : step(trial, &ended, err);
    cues_state_destroy(trial->state);
    trial->state = NULL;
    return code;
}

static int try_all(struct trial *trial, struct recording *recording, struct error *err)
{
    int code = 0;
    recording_sort(recording);
    for (size_t first = 0; first < recording->count && !code;) {
        size_t next;
        trial->start_ms = recording_call_span(recording, first, &next);
        trial->lines = &recording->lines[first];
        trial->count = next - first;
        code = try_call(trial, err);
        first = next;
    }
    if (code) {
        return code;
    }
    (void)printf("%zu calls, rules fired in %zu\n", recording->call_count, trial->calls_fired);
    (void)printf("%zu utterances, %.2f us each\n", trial->utterances,
                 trial->utterances ? (double)trial->spent_us / (double)trial->utterances : 0.0);
    for (uint32_t i = 0; i < cues_rule_count(trial->rules); i++) {
        (void)printf("  %-32s %zu\n", cues_rule_name(trial->rules, i), trial->fired[i]);
    }
    return 0;
}

static int load_and_try(struct trial *trial, char **files, struct error *err)
{
    struct command_line_config line = {0};
    struct recording recording;
    struct turns_labels labels = {0};
    struct config config;
    struct cxone_options cxone;
    int code = command_line_load_config(&line, &config, err);
    if (code) {
        return code;
    }
    wire_cxone(&config, 0, &cxone);
    recording_init(&recording);
    code = cues_load(files[0], &trial->rules, err);
    for (char **file = files + 1; *file && !code; file++) {
        code = trial->format == TURNS_LINES
                   ? recording_read(&recording, *file, &cxone.profile, trial->skip_bad, err)
                   : turns_file_read(&recording, &labels, *file, trial->format, err);
    }
    if (!code) {
        trial->fired = calloc(cues_rule_count(trial->rules) + 1, sizeof *trial->fired);
        code = trial->fired ? try_all(trial, &recording, err)
                            : error_set(err, ERROR_MEMORY, "no memory to try the rules");
    }
    free(trial->fired);
    cues_release(trial->rules);
    turns_labels_done(&labels);
    recording_done(&recording);
    config_free(&config);
    return code;
}

static int check_file(const char *path, struct error *err)
{
    struct cues_rules *rules;
    struct cues_summary summary;
    int code = cues_load(path, &rules, err);
    if (code) {
        return code;
    }
    cues_summarize(rules, &summary);
    (void)printf("%s: good: %zu rules, %zu phrases, %zu patterns%s%s\n", path, summary.rules,
                 summary.phrases, summary.patterns,
                 summary.patterns_interpreted ? " (interpreted: this system lets no program make"
                                                " code)"
                                              : "",
                 summary.needs_mood ? "; some ask for the mood" : "");
    cues_release(rules);
    return 0;
}

int command_rules(int argc, char **argv)
{
    enum { FROM = COMMAND_LINE_LONG_ONLY, QUEUE, LANGUAGE, SHOW_TEXT, SKIP_BAD };
    static const struct option options[] = {{"from", required_argument, NULL, FROM},
                                            {"queue", required_argument, NULL, QUEUE},
                                            {"language", required_argument, NULL, LANGUAGE},
                                            {"show-text", no_argument, NULL, SHOW_TEXT},
                                            {"skip-bad", no_argument, NULL, SKIP_BAD},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct trial trial = {0};
    struct error err;
    int option;
    while ((option = command_line_option(argc, argv, "h", options)) != -1) {
        switch (option) {
        case FROM:
            if (!turns_format_find(optarg, &trial.format)) {
                return command_line_misuse("rules",
                                           "--from takes lines, labels, contact-lens or azure");
            }
            break;
        case QUEUE:
            trial.queue = optarg;
            break;
        case LANGUAGE:
            trial.language = optarg;
            break;
        case SHOW_TEXT:
            trial.show_text = true;
            break;
        case SKIP_BAD:
            trial.skip_bad = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    int left = argc - optind;
    if (strcmp(verb, "check") == 0 && left == 1) {
        return check_file(argv[optind], &err) ? command_line_fail(&err) : command_line_finish(0);
    }
    if (strcmp(verb, "try") == 0 && left >= 2) {
        return load_and_try(&trial, argv + optind, &err) ? command_line_fail(&err)
                                                         : command_line_finish(0);
    }
    return command_line_misuse("rules", "say 'check FILE' or 'try FILE CALLS...'");
}
