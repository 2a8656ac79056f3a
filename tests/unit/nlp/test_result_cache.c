/* The exact cache: what comes out is what went in, bit for bit; bounded; the clock keeps what is
 * used; counters add up; many threads at once (also run with -DUNDERTONE_TSAN=ON). */
#include "nlp/result_cache.h"

#include "base/clock.h"
#include "base/keyhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT UNDERTONE_SOURCE_DIR "/models/undertone-minilm-l6"

enum { THREADS = 4, ROUNDS = 20000, TEXTS = 400, SMALL = 128 };

static struct result_cache *make_cache(size_t entries)
{
    struct result_cache *cache;
    struct error err = {0};
    if (result_cache_create(&cache, entries, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return cache;
}

/* A text of its own for every number, and a result that only that number has. */
static struct result_cache_key key_of(const struct result_cache *cache, unsigned number)
{
    char text[32];
    int size = snprintf(text, sizeof text, "utterance %u", number);
    return result_cache_key(cache, text, (size_t)size);
}

static struct scorer_result result_of(unsigned number)
{
    struct scorer_result result;
    memset(&result, 0, sizeof result); /* padding too: results are compared as bytes */
    result.score = (double)number / 7;
    result.token_count = number;
    result.chunk_count = 1;
    for (int i = 0; i < SCORER_LABELS_MAX; i++) {
        result.logits[i] = (float)number - (float)i / 3;
        result.probabilities[i] = 1 / (float)(number + 1);
    }
    return result;
}

static void put(struct result_cache *cache, unsigned number)
{
    struct scorer_result result = result_of(number);
    result_cache_put(cache, key_of(cache, number), &result);
}

static bool has(struct result_cache *cache, unsigned number)
{
    struct scorer_result result;
    struct scorer_result expected = result_of(number);
    memset(&result, 0, sizeof result);
    if (!result_cache_find(cache, key_of(cache, number), &result)) {
        return false;
    }
    assert_memory_equal(&result, &expected, sizeof result);
    return true;
}

static void what_was_put_in_comes_out(void **state)
{
    (void)state;
    struct result_cache *cache = make_cache(4096);
    assert_false(has(cache, 1));
    for (unsigned i = 0; i < TEXTS; i++) {
        put(cache, i);
    }
    for (unsigned i = 0; i < TEXTS; i++) {
        assert_true(has(cache, i));
    }
    assert_false(has(cache, TEXTS));
    struct result_cache_counts counts = result_cache_counts(cache);
    assert_int_equal(counts.hits, TEXTS);
    assert_int_equal(counts.misses, 2);
    assert_int_equal(counts.evictions, 0);
    result_cache_destroy(cache);
}

static void every_byte_of_a_text_counts(void **state)
{
    (void)state;
    struct result_cache *cache = make_cache(SMALL);
    struct scorer_result result = result_of(1);
    const struct result_cache_key key = result_cache_key(cache, "okay", 4);
    result_cache_put(cache, key, &result);
    assert_true(result_cache_find(cache, result_cache_key(cache, "okay", 4), &result));
    assert_false(result_cache_find(cache, result_cache_key(cache, "Okay", 4), &result));
    assert_false(result_cache_find(cache, result_cache_key(cache, "okay.", 5), &result));
    assert_false(result_cache_find(cache, result_cache_key(cache, "oka", 3), &result));
    assert_false(result_cache_find(cache, result_cache_key(cache, "okay\0", 5), &result));
    assert_false(result_cache_find(cache, result_cache_key(cache, "", 0), &result));
    result_cache_destroy(cache);
}

static void two_caches_know_a_text_by_different_keys(void **state)
{
    (void)state;
    struct result_cache *one = make_cache(SMALL);
    struct result_cache *other = make_cache(SMALL);
    struct result_cache_key key = key_of(one, 1);
    assert_true(key.high != key_of(other, 1).high && key.low != key_of(other, 1).low);
    assert_true(key.high != key.low);
    result_cache_destroy(one);
    result_cache_destroy(other);
}

static void a_full_cache_puts_out_as_many_as_it_takes_in(void **state)
{
    (void)state;
    struct result_cache *cache = make_cache(SMALL);
    const unsigned many = 10 * SMALL;
    unsigned kept = 0;
    for (unsigned i = 0; i < many; i++) {
        put(cache, i);
    }
    for (unsigned i = 0; i < many; i++) {
        kept += has(cache, i);
    }
    struct result_cache_counts counts = result_cache_counts(cache);
    assert_int_equal(kept + counts.evictions, many);
    assert_in_range(kept, SMALL / 2, SMALL);
    result_cache_destroy(cache);
}

static void what_is_asked_for_outlives_what_is_not(void **state)
{
    (void)state;
    struct result_cache *cache = make_cache(SMALL);
    put(cache, 0);
    for (unsigned i = 1; i < 100 * SMALL; i++) {
        assert_true(has(cache, 0));
        put(cache, i);
    }
    assert_true(has(cache, 0));
    result_cache_destroy(cache);
}

static void putting_the_same_twice_takes_one_place(void **state)
{
    (void)state;
    struct result_cache *cache = make_cache(SMALL);
    for (unsigned i = 0; i < 10 * SMALL; i++) {
        put(cache, 5);
    }
    assert_true(has(cache, 5));
    assert_int_equal(result_cache_counts(cache).evictions, 0);
    result_cache_destroy(cache);
}

static void sizes_out_of_bounds_are_refused(void **state)
{
    (void)state;
    struct result_cache *cache;
    struct error err;
    assert_int_equal(result_cache_create(&cache, 0, &err), ERROR_LIMIT);
    assert_int_equal(result_cache_create(&cache, RESULT_CACHE_ENTRIES_MAX + 1, &err), ERROR_LIMIT);
    assert_null(cache);
    result_cache_destroy(NULL);
    result_cache_destroy(make_cache(1));
}

/* --- many threads ------------------------------------------------------------------------------
 */

struct visitor {
    struct result_cache *cache;
    pthread_t thread;
    unsigned seed;
    uint64_t asked;
    bool wrong;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        visitor->seed = visitor->seed * 1664525u + 1013904223u;
        unsigned number = (visitor->seed >> 16) % TEXTS;
        struct scorer_result expected = result_of(number);
        struct scorer_result result;
        memset(&result, 0, sizeof result);
        struct result_cache_key key = key_of(visitor->cache, number);
        visitor->asked++;
        if (!result_cache_find(visitor->cache, key, &result)) {
            result_cache_put(visitor->cache, key, &expected);
        } else if (memcmp(&result, &expected, sizeof result) != 0) {
            visitor->wrong = true;
        }
    }
    return NULL;
}

static void threads_never_see_another_texts_answer(void **state)
{
    (void)state;
    struct visitor visitors[THREADS];
    struct result_cache *cache = make_cache(SMALL); /* fewer than TEXTS: entries come and go */
    uint64_t asked = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){.cache = cache, .seed = i};
        assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(visitors[i].thread, NULL);
        assert_false(visitors[i].wrong);
        asked += visitors[i].asked;
    }
    struct result_cache_counts counts = result_cache_counts(cache);
    assert_int_equal(counts.hits + counts.misses, asked);
    assert_true(counts.evictions > 0);
    result_cache_destroy(cache);
}

/* --- with the model ----------------------------------------------------------------------------
 */

static void a_kept_answer_is_the_models_own_bit_for_bit(void **state)
{
    (void)state;
    static const char *const lines[] = {"okay", "thank you", "this is the third time I call",
                                        "I am very disappointed", "\xE2\x82\xAC 5?"};
    enum { LINES = sizeof lines / sizeof lines[0] };
    struct error err = {0};
    struct scorer *scorer;
    struct scorer_scratch *scratch;
    struct result_cache *cache = make_cache(SMALL);
    struct scorer_text texts[LINES];
    struct scorer_result fresh[LINES];
    assert_int_equal(scorer_open(&scorer, DEFAULT, NULL, &err), 0);
    assert_int_equal(scorer_scratch_create(scorer, 0, &scratch, &err), 0);
    for (size_t i = 0; i < LINES; i++) {
        texts[i] = (struct scorer_text){lines[i], strlen(lines[i])};
    }
    assert_int_equal(scorer_run(scorer, scratch, texts, LINES, SCORER_LONG_CHUNK, fresh, &err), 0);
    for (size_t i = 0; i < LINES; i++) {
        result_cache_put(cache, result_cache_key(cache, texts[i].bytes, texts[i].size), &fresh[i]);
    }
    for (size_t i = 0; i < LINES; i++) {
        struct scorer_result kept;
        struct scorer_result again;
        assert_true(result_cache_find(cache, result_cache_key(cache, texts[i].bytes, texts[i].size),
                                      &kept));
        assert_int_equal(scorer_run(scorer, scratch, &texts[i], 1, SCORER_LONG_CHUNK, &again, &err),
                         0);
        assert_memory_equal(kept.logits, again.logits, sizeof kept.logits);
        assert_memory_equal(kept.probabilities, again.probabilities, sizeof kept.probabilities);
        assert_memory_equal(&kept.score, &again.score, sizeof kept.score);
        assert_int_equal(kept.token_count, again.token_count);
        assert_int_equal(kept.label, again.label);
    }
    scorer_scratch_destroy(scratch);
    scorer_close(scorer);
    result_cache_destroy(cache);
}

/* Prints the cost of key and hit; no bound, since the machine may be busy. */
static void a_hit_is_quick(void **state)
{
    (void)state;
    enum { HITS = 200000 };
    static const char text[] = "yeah I just wanted to ask about my bill from last month";
    struct result_cache *cache = make_cache(65536);
    struct scorer_result result = result_of(1);
    uint64_t found = 0;
    result_cache_put(cache, result_cache_key(cache, text, sizeof text - 1), &result);
    struct mono begun = clock_mono();
    for (int i = 0; i < HITS; i++) {
        found += result_cache_find(cache, result_cache_key(cache, text, sizeof text - 1), &result);
    }
    int64_t us = clock_mono().us - begun.us;
    assert_int_equal(found, HITS);
    print_message("a hit: %.0f ns\n", (double)us * 1e3 / HITS);
    result_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_comes_out),
        cmocka_unit_test(every_byte_of_a_text_counts),
        cmocka_unit_test(two_caches_know_a_text_by_different_keys),
        cmocka_unit_test(a_full_cache_puts_out_as_many_as_it_takes_in),
        cmocka_unit_test(what_is_asked_for_outlives_what_is_not),
        cmocka_unit_test(putting_the_same_twice_takes_one_place),
        cmocka_unit_test(sizes_out_of_bounds_are_refused),
        cmocka_unit_test(threads_never_see_another_texts_answer),
        cmocka_unit_test(a_kept_answer_is_the_models_own_bit_for_bit),
        cmocka_unit_test(a_hit_is_quick),
    };
    if (keyhash_library_init() != 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
