/* What stands between a queued utterance and its score: the cache before the model, the fallback
 * after it, and the choice of a model by memory and self-test. A model that fails on some texts is
 * made from a fixture by making one token's embedding so large that its sum overflows.
 */
#include "app/score_pool.h"
#include "base/keyhash.h"
#include "base/lines.h"
#include "model/memory_room.h"
#include "model/model_choice.h"
#include "tests/unit/allocations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TINY    UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-bert"
#define DEFAULT UNDERTONE_SOURCE_DIR "/models/undertone-minilm-l6"
#define LISTS   UNDERTONE_SOURCE_DIR "/models/lexicon"

#define POISON "\xE2\x98\xB9" /* a token of the fixture's vocabulary */

enum { ANSWERS_MAX = 16, PATH_BYTES = 512, POISONED_HEADER_BYTES = 144, HIDDEN = 48 };

/* --- a pool on a loop --------------------------------------------------------------------------
 */

struct bench {
    struct loop *loop;
    struct score_pool *pool;
    size_t expected;
    size_t count;
    struct score_answer answers[ANSWERS_MAX]; /* by ticket.utterance */
};

static void take_answer(void *user, const struct score_answer *answer)
{
    struct bench *bench = user;
    assert_true(answer->ticket.utterance < ANSWERS_MAX);
    bench->answers[answer->ticket.utterance] = *answer;
    if (++bench->count == bench->expected) {
        loop_stop(bench->loop);
    }
}

static void open_bench(struct bench *bench, const struct score_pool_options *options)
{
    struct error err = {0};
    *bench = (struct bench){0};
    assert_int_equal(loop_create(&bench->loop, &err), 0);
    if (score_pool_create(&bench->pool, bench->loop, options, take_answer, bench, &err) != 0) {
        fail_msg("%s", err.message);
    }
}

static void close_bench(struct bench *bench)
{
    score_pool_destroy(bench->pool);
    loop_destroy(bench->loop);
}

static void judge(struct bench *bench, const char *const *texts, size_t count)
{
    bench->count = 0;
    bench->expected = count;
    for (size_t i = 0; i < count; i++) {
        const struct score_ticket ticket = {
            .utterance = (uint32_t)i, .interaction_id = "a", .english = true};
        assert_true(score_pool_submit(bench->pool, &ticket, texts[i], strlen(texts[i])));
    }
    loop_run(bench->loop);
    assert_int_equal(bench->count, count);
}

static struct scorer *open_scorer(const char *directory)
{
    struct scorer *scorer;
    struct error err = {0};
    if (scorer_open(&scorer, directory, NULL, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return scorer;
}

static struct result_cache *make_cache(void)
{
    struct result_cache *cache;
    assert_int_equal(result_cache_create(&cache, 1024, NULL), 0);
    return cache;
}

static struct lexicon *open_lexicon(void)
{
    struct lexicon *lexicon;
    assert_int_equal(lexicon_open(&lexicon, LISTS, NULL), 0);
    return lexicon;
}

static void what_was_said_before_is_answered_the_same_from_the_cache(void **state)
{
    (void)state;
    static const char *const texts[] = {"okay", "thank you so much", "this is terrible", "[noise]"};
    struct bench bench;
    struct scorer *scorer = open_scorer(TINY);
    struct result_cache *cache = make_cache();
    struct score_answer fresh[4];
    open_bench(&bench, &(struct score_pool_options){
                           .scorer = scorer, .cache = cache, .threads = 2, .batch_tokens = 64});
    judge(&bench, texts, 4);
    memcpy(fresh, bench.answers, sizeof fresh);
    assert_int_equal(result_cache_counts(cache).misses, 3);
    assert_int_equal(result_cache_counts(cache).hits, 0);
    judge(&bench, texts, 4);
    assert_int_equal(result_cache_counts(cache).misses, 3);
    assert_int_equal(result_cache_counts(cache).hits, 3);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bench.answers[i].scorable, i < 3);
        assert_int_equal(bench.answers[i].score, fresh[i].score);
        assert_int_equal(bench.answers[i].token_count, fresh[i].token_count);
        assert_false(bench.answers[i].degraded);
    }
    close_bench(&bench);
    result_cache_destroy(cache);
    scorer_close(scorer);
}

static void a_warm_pool_asks_for_no_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {"okay", "thank you so much", "this is terrible", "[noise]"};
    enum { ROUNDS = 100 };
    struct bench bench;
    struct lexicon *lexicon = open_lexicon();
    if (!CAN_COUNT_ALLOCATIONS) {
        print_message("not checked: the allocator is a sanitizer's, or not glibc's\n");
        lexicon_close(lexicon);
        skip();
    }
    open_bench(&bench,
               &(struct score_pool_options){.lexicon = lexicon, .threads = 2, .batch_tokens = 64});
    judge(&bench, texts, 4);
    size_t before = allocations_so_far();
    for (size_t i = 0; i < ROUNDS; i++) {
        judge(&bench, texts, 4);
    }
    assert_int_equal(allocations_so_far(), before);
    close_bench(&bench);
    lexicon_close(lexicon);
}

/* One worker is busy with a long text meanwhile, for milliseconds at least. */
static void what_waits_past_the_deadline_is_judged_by_the_lexicon(void **state)
{
    (void)state;
    enum { LONG, LATE, BLANK, HISTORY, FOREIGN, COUNT, LONG_WORDS = 300 };
    char words[LONG_WORDS * 5 + 1] = "";
    const char *const texts[COUNT] = {words, "this is terrible", "[noise]", "this is terrible",
                                      "das ist nicht gut"};
    struct bench bench;
    struct scorer *scorer = open_scorer(DEFAULT);
    struct lexicon *lexicon = open_lexicon();
    for (size_t i = 0; i < LONG_WORDS; i++) {
        memcpy(words + i * 5, "well ", 6);
    }
    open_bench(&bench, &(struct score_pool_options){.scorer = scorer,
                                                    .lexicon = lexicon,
                                                    .threads = 1,
                                                    .batch_tokens = 64,
                                                    .deadline_ms = 1});
    bench.expected = COUNT;
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct score_ticket ticket = {.utterance = i,
                                            .interaction_id = "a",
                                            .backlog = i == HISTORY,
                                            .english = i != FOREIGN};
        assert_true(score_pool_submit(bench.pool, &ticket, texts[i], strlen(texts[i])));
    }
    loop_run(bench.loop);
    assert_true(bench.answers[LATE].late);
    assert_true(bench.answers[LATE].degraded);
    assert_true(bench.answers[LATE].scorable);
    assert_int_equal(bench.answers[LATE].token_count, 0);
    assert_false(bench.answers[BLANK].late);
    assert_false(bench.answers[HISTORY].late);
    assert_false(bench.answers[HISTORY].degraded);
    assert_true(bench.answers[HISTORY].token_count > 0);
    assert_false(bench.answers[FOREIGN].late);
    assert_true(bench.answers[FOREIGN].token_count > 0);
    close_bench(&bench);
    lexicon_close(lexicon);
    scorer_close(scorer);
}

static void the_cache_knows_a_text_as_cleaned(void **state)
{
    (void)state;
    static const char *const spoken[] = {"well okay"};
    static const char *const noisy[] = {"  well [laughter]  okay "};
    struct bench bench;
    struct scorer *scorer = open_scorer(TINY);
    struct result_cache *cache = make_cache();
    open_bench(&bench,
               &(struct score_pool_options){.scorer = scorer, .cache = cache, .batch_tokens = 64});
    judge(&bench, spoken, 1);
    judge(&bench, noisy, 1);
    assert_int_equal(result_cache_counts(cache).hits, 1);
    close_bench(&bench);
    result_cache_destroy(cache);
    scorer_close(scorer);
}

static void without_a_model_the_lexicon_judges_and_says_so(void **state)
{
    (void)state;
    static const char *const texts[] = {"that is terrible", "okay", "it is a Tuesday"};
    struct bench bench;
    struct lexicon *lexicon = open_lexicon();
    open_bench(&bench, &(struct score_pool_options){.lexicon = lexicon, .degraded = true});
    judge(&bench, texts, 3);
    assert_true(bench.answers[0].scorable && bench.answers[0].degraded);
    assert_int_equal(bench.answers[0].score, 250000);
    assert_false(bench.answers[1].scorable); /* nothing to judge is no failure */
    assert_null(bench.answers[1].failure);
    assert_int_equal(bench.answers[2].score, 500000);
    close_bench(&bench);
    lexicon_close(lexicon);
}

/* --- a model that fails ------------------------------------------------------------------------
 */

static const char *const tiny_files[] = {"config.json",
                                         "model-00001-of-00004.safetensors",
                                         "model-00002-of-00004.safetensors",
                                         "model-00003-of-00004.safetensors",
                                         "model-00004-of-00004.safetensors",
                                         "model.safetensors.index.json",
                                         "special_tokens_map.json",
                                         "tokenizer.json",
                                         "tokenizer_config.json",
                                         "vocab.txt"};

enum { TINY_FILES = sizeof tiny_files / sizeof tiny_files[0] };

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static long token_id(const char *token)
{
    struct lines *lines;
    const char *line;
    size_t size;
    long id = -1;
    assert_int_equal(lines_open(&lines, TINY "/vocab.txt", 256, NULL), 0);
    while (lines_next(lines, &line, &size, NULL) == 1) {
        if (strcmp(line, token) == 0) {
            id = (long)lines_number(lines) - 1;
        }
    }
    lines_close(lines);
    assert_true(id > 0);
    return id;
}

static void make_failing_model(const char *folder)
{
    char path[PATH_BYTES];
    const float poison[] = {3e38f, 3e38f, 3e38f, 3e38f}; /* finite, or it would not load */
    for (size_t i = 0; i < TINY_FILES; i++) {
        char *bytes;
        size_t size;
        (void)snprintf(path, sizeof path, "%s/%s", TINY, tiny_files[i]);
        assert_int_equal(lines_read_file(path, 1 << 20, &bytes, &size, NULL), 0);
        (void)snprintf(path, sizeof path, "%s/%s", folder, tiny_files[i]);
        if (i == 1) { /* holds the word embeddings alone, in float32 */
            size_t row = (size_t)token_id(POISON) * HIDDEN * sizeof poison[0];
            memcpy(bytes + POISONED_HEADER_BYTES + row, poison, sizeof poison);
        }
        write_file(path, bytes, size);
        free(bytes);
    }
}

static void remove_failing_model(const char *folder)
{
    char path[PATH_BYTES];
    for (size_t i = 0; i < TINY_FILES; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, tiny_files[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void what_the_model_fails_on_goes_to_the_lexicon_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"hello there", POISON " that is terrible", "good morning"};
    char folder[] = "/tmp/undertone-failing-XXXXXX";
    struct bench bench;
    assert_non_null(mkdtemp(folder));
    make_failing_model(folder);
    struct scorer *sound = open_scorer(TINY);
    struct scorer *failing = open_scorer(folder);
    struct lexicon *lexicon = open_lexicon();
    struct result_cache *cache = make_cache();
    int64_t expected[3];
    open_bench(&bench, &(struct score_pool_options){.scorer = sound, .batch_tokens = 512});
    judge(&bench, texts, 3);
    for (int i = 0; i < 3; i++) {
        expected[i] = bench.answers[i].score;
    }
    close_bench(&bench);

    open_bench(&bench,
               &(struct score_pool_options){
                   .scorer = failing, .lexicon = lexicon, .cache = cache, .batch_tokens = 512});
    for (int round = 0; round < 2; round++) { /* a fallback's answer must not come from the cache */
        judge(&bench, texts, 3);
        assert_int_equal(bench.answers[0].score, expected[0]);
        assert_int_equal(bench.answers[2].score, expected[2]);
        assert_false(bench.answers[0].degraded || bench.answers[2].degraded);
        assert_true(bench.answers[1].scorable && bench.answers[1].degraded);
        assert_int_equal(bench.answers[1].score, 250000);
    }
    close_bench(&bench);

    open_bench(&bench, &(struct score_pool_options){.scorer = failing, .batch_tokens = 512});
    judge(&bench, texts, 3);
    assert_false(bench.answers[1].scorable);
    assert_non_null(bench.answers[1].failure);
    assert_int_equal(bench.answers[0].score, expected[0]);
    close_bench(&bench);

    result_cache_destroy(cache);
    lexicon_close(lexicon);
    scorer_close(failing);
    scorer_close(sound);
    remove_failing_model(folder);
}

/* --- choosing ----------------------------------------------------------------------------------
 */

static void the_model_asked_for_is_used_when_it_can_be(void **state)
{
    (void)state;
    static const char *const fallback[] = {TINY, MODEL_CHOICE_LEXICON};
    struct model_choice choice;
    struct error err = {0};
    const struct model_choice_options options = {
        .model = DEFAULT, .fallback = fallback, .fallback_count = 2, .memory_bytes = UINT64_MAX};
    if (model_choice_make(&choice, &options, &err) != 0) {
        fail_msg("%s", err.message);
    }
    assert_non_null(choice.scorer);
    assert_non_null(choice.lexicon); /* for what the model fails on */
    assert_false(choice.degraded);
    model_choice_free(&choice);
}

static void a_failed_self_test_leads_to_the_next(void **state)
{
    (void)state;
    static const char *const fallback[] = {DEFAULT};
    struct model_choice choice;
    struct error err = {0};
    const struct model_choice_options options = {
        .model = TINY, .fallback = fallback, .fallback_count = 1, .memory_bytes = UINT64_MAX};
    if (model_choice_make(&choice, &options, &err) != 0) {
        fail_msg("%s", err.message);
    }
    assert_true(choice.degraded);
    assert_string_equal(buf_string(&choice.directory), DEFAULT);
    assert_true(choice.reason.message[0] != '\0');
    model_choice_free(&choice);
}

static void want_of_memory_leads_to_the_lexicon_at_last(void **state)
{
    (void)state;
    static const char *const fallback[] = {TINY, MODEL_CHOICE_LEXICON};
    struct model_choice choice;
    struct error err = {0};
    struct model_choice_options options = {
        .model = DEFAULT, .fallback = fallback, .fallback_count = 2, .memory_bytes = 1 << 20};
    assert_int_equal(model_choice_make(&choice, &options, &err), 0);
    assert_null(choice.scorer);
    assert_non_null(choice.lexicon);
    assert_true(choice.degraded);
    assert_int_equal(choice.reason.code, ERROR_MEMORY);
    model_choice_free(&choice);

    options.fallback_count = 0;
    assert_int_equal(model_choice_make(&choice, &options, &err), ERROR_MEMORY);
    assert_non_null(strstr(err.message, "model.fallback"));
    model_choice_free(&choice);
}

static void the_lexicon_may_be_asked_for(void **state)
{
    (void)state;
    struct model_choice choice;
    struct error err = {0};
    struct model_choice_options options = {.model = MODEL_CHOICE_LEXICON, .memory_bytes = 1 << 20};
    assert_int_equal(model_choice_make(&choice, &options, &err), 0);
    assert_null(choice.scorer);
    assert_non_null(choice.lexicon);
    assert_false(choice.degraded);
    model_choice_free(&choice);
}

static void a_missing_model_is_not_papered_over(void **state)
{
    (void)state;
    static const char *const fallback[] = {DEFAULT, MODEL_CHOICE_LEXICON};
    struct model_choice choice;
    struct error err = {0};
    const struct model_choice_options options = {
        .model = "/nowhere", .fallback = fallback, .fallback_count = 2, .memory_bytes = UINT64_MAX};
    assert_int_not_equal(model_choice_make(&choice, &options, &err), 0);
    assert_non_null(strstr(err.message, "/nowhere"));
    model_choice_free(&choice);
}

static void the_estimate_is_of_the_weight_files(void **state)
{
    (void)state;
    const uint64_t weights = 288144 + 83928 + 97016 + 87916; /* ls -l of the fixture */
    assert_int_equal(model_choice_estimate_bytes(TINY), weights + weights / 8 + (32 << 20));
    assert_int_equal(model_choice_estimate_bytes(LISTS), 0);
    assert_int_equal(model_choice_estimate_bytes("/nowhere"), 0);
}

/* --- memory ------------------------------------------------------------------------------------
 */

/* A small /proc and /sys: file names and contents. */
struct machine {
    const char *files[12][2];
    bool known;
    uint64_t bytes;
};

#define MEMINFO "MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:   4000 kB\n"

static const struct machine machines[] = {
    {{{"proc/meminfo", MEMINFO}}, true, 4000 * 1024},
    {{{"proc/meminfo", "MemTotal: 8000 kB\n"}}, false, 0},
    {{{NULL}}, false, 0},
    /* version 2: the group's own limit, what can be dropped counted as free */
    {{{"proc/meminfo", MEMINFO},
      {"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/b/memory.max", "1000000\n"},
      {"sys/fs/cgroup/a/b/memory.current", "700000\n"},
      {"sys/fs/cgroup/a/b/memory.stat", "anon 1\nfile 600000\ninactive_file 200000\n"}},
     true,
     500000},
    /* no limit of its own, but one above it */
    {{{"proc/meminfo", MEMINFO},
      {"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/b/memory.max", "max\n"},
      {"sys/fs/cgroup/a/b/memory.current", "5\n"},
      {"sys/fs/cgroup/a/memory.max", "1000\n"},
      {"sys/fs/cgroup/a/memory.current", "400\n"}},
     true,
     600},
    /* over its limit already */
    {{{"proc/self/cgroup", "0::/\n"},
      {"sys/fs/cgroup/memory.max", "1000\n"},
      {"sys/fs/cgroup/memory.current", "1400\n"}},
     true,
     0},
    /* version 1 beside an empty version 2; a huge number stands for no limit */
    {{{"proc/meminfo", MEMINFO},
      {"proc/self/cgroup", "9:cpu,memory_not:/x\n4:memory:/jobs/7\n0::/\n"},
      {"sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "2000000\n"},
      {"sys/fs/cgroup/memory/jobs/7/memory.usage_in_bytes", "500000\n"},
      {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {"sys/fs/cgroup/memory/memory.usage_in_bytes", "500000\n"}},
     true,
     1500000},
};

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
}

/* Removes a file and the folders above it that this leaves empty, down to the root. */
static void remove_upward(char *path, size_t root_bytes)
{
    unlink(path);
    for (char *slash = strrchr(path, '/'); slash && slash > path + root_bytes;
         slash = strrchr(path, '/')) {
        *slash = '\0';
        rmdir(path);
    }
}

static void the_least_room_counts(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof machines / sizeof machines[0]; m++) {
        const struct machine *machine = &machines[m];
        char root[] = "/tmp/undertone-machine-XXXXXX";
        char path[PATH_BYTES];
        uint64_t bytes = 0;
        assert_non_null(mkdtemp(root));
        for (size_t i = 0; i < 12 && machine->files[i][0]; i++) {
            (void)snprintf(path, sizeof path, "%s/%s", root, machine->files[i][0]);
            make_folders(path);
            write_file(path, machine->files[i][1], strlen(machine->files[i][1]));
        }
        bool known = memory_room_read(root, &bytes);
        for (size_t i = 0; i < 12 && machine->files[i][0]; i++) {
            (void)snprintf(path, sizeof path, "%s/%s", root, machine->files[i][0]);
            remove_upward(path, strlen(root));
        }
        rmdir(root);
        if (known != machine->known || (known && bytes != machine->bytes)) {
            fail_msg("machine %zu: %d %llu", m, known, (unsigned long long)bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_before_is_answered_the_same_from_the_cache),
        cmocka_unit_test(a_warm_pool_asks_for_no_memory),
        cmocka_unit_test(what_waits_past_the_deadline_is_judged_by_the_lexicon),
        cmocka_unit_test(the_cache_knows_a_text_as_cleaned),
        cmocka_unit_test(without_a_model_the_lexicon_judges_and_says_so),
        cmocka_unit_test(what_the_model_fails_on_goes_to_the_lexicon_alone),
        cmocka_unit_test(the_model_asked_for_is_used_when_it_can_be),
        cmocka_unit_test(a_failed_self_test_leads_to_the_next),
        cmocka_unit_test(want_of_memory_leads_to_the_lexicon_at_last),
        cmocka_unit_test(the_lexicon_may_be_asked_for),
        cmocka_unit_test(a_missing_model_is_not_papered_over),
        cmocka_unit_test(the_estimate_is_of_the_weight_files),
        cmocka_unit_test(the_least_room_counts),
    };
    if (keyhash_library_init() != 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
