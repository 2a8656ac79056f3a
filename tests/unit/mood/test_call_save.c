/* A call as bytes: the form stays what it is, bytes that are not a call are refused, and what was
 * folded away or masked comes back as it was. That a restored call goes on as if nothing had been
 * is shown by test_history. */
#include "harness.h"

#include "base/rand.h"
#include "mood/call_save.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGES = 8 };

struct saved {
    struct buf head;
    struct buf pages[PAGES];
    struct call_page list[PAGES];
    size_t count;
};

static void saved_init(struct saved *saved)
{
    buf_init(&saved->head, 4096);
    for (int i = 0; i < PAGES; i++) {
        buf_init(&saved->pages[i], CALL_PAGE_BYTES_MAX);
    }
}

static void saved_done(struct saved *saved)
{
    buf_done(&saved->head);
    for (int i = 0; i < PAGES; i++) {
        buf_done(&saved->pages[i]);
    }
}

/* Writes what has changed over what was there. */
static void save(struct harness *h, struct saved *saved)
{
    struct call_pages pages = call_save_pages(h->call);
    assert_true(pages.end <= PAGES);
    buf_clear(&saved->head);
    call_save_head(h->call, h->now, &saved->head);
    for (uint32_t i = pages.unsaved; i < pages.end; i++) {
        buf_clear(&saved->pages[i]);
        call_save_page(h->call, i, &saved->pages[i]);
    }
    call_save_done(h->call);
    saved->count = 0;
    for (uint32_t i = 0; i < PAGES; i++) {
        if (saved->pages[i].size > 0) {
            saved->list[saved->count++] =
                (struct call_page){i, saved->pages[i].bytes, saved->pages[i].size};
        }
    }
}

static struct call *restore(const struct saved *saved, struct call_now now, struct error *err)
{
    struct mood_policy policy;
    mood_policy_default(&policy);
    return call_restore(&policy, now, saved->head.bytes, saved->head.size, saved->list,
                        saved->count, err);
}

static void restart(struct harness *h, const struct saved *saved)
{
    struct error err;
    struct call *call = restore(saved, h->now, &err);
    if (!call) {
        fail_msg("%s", err.message);
    }
    call_destroy(h->call);
    h->call = call;
}

/* --- the form -------------------------------------------------------------------------------- */

/* Written down field by field with Python's struct module from the description of the form; the
 * hashes, eight bytes each at the end of a record, are left out. A file of an earlier version is
 * read by a later one only as long as this holds. */
static const char wanted_head[] =
    "02"                 /* version */
    "a0c132f29a010000"   /* saved: EPOCH + 4000 */
    "02000000"           /* numbers given out */
    "0000000000000000"   /* horizon */
    "0000000000000000"   /* base: sum */
    "0000000000000000"   /* CUSUM */
    "00000000"           /* rank */
    "00"                 /* trend */
    "00"                 /* masks */
    "0000000000000000"   /* closed to */
    "00000000"           /* episode: number */
    "00000000"           /* open, delivered, cooling, above */
    "0000000000000000"   /* above since */
    "2823000000000000"   /* cooling from: 9,000 ms before, when the clock began */
    "00000000"           /* numbers given to alerts */
    "0000000000000000"   /* opened */
    "0000000000000000"   /* told */
    "0000"               /* path, tier */
    "00000000"           /* rule */
    "0000000000000000"   /* confidence */
    "0000000000000000"   /* slope */
    "01801a060000000000" /* a reading: score */
    "00"                 /* trend */
    "0000000000000000"   /* difference */
    "01000000"           /* samples */
    "01000000"           /* utterances */
    "d0b932f29a010000"   /* as of EPOCH + 2000 */
    "60ea000000000000"   /* CUSUM: 460,000 - 400,000 */
    "0000000000000000"   /* mean before */
    "00000000"           /* samples before */
    "0000"               /* ended, held */
    "00b232f29a010000"   /* first start */
    "0000000000000000"   /* origin of the CUSUM */
    "d0b932f29a010000"   /* newest judged end */
    "d007000000000000" /* known for 2,000 ms */;
static const char wanted_first[] = "00"               /* slot */
                                   "11"               /* customer, scored */
                                   "00000000"         /* revision, ordinal */
                                   "801a0600"         /* score */
                                   "00b232f29a010000" /* start */
                                   "d0b932f29a010000" /* end */;
static const char wanted_second[] = "01"               /* slot */
                                    "21"               /* customer, to be asked for again */
                                    "00000000"         /* revision, ordinal */
                                    "00000000"         /* no score */
                                    "b8bd32f29a010000" /* start */
                                    "a0c132f29a010000" /* end */;

enum { RECORD_BYTES = 42, HASHES_BYTES = 16 };

static void assert_bytes(const char *bytes, size_t size, const char *wanted)
{
    assert_int_equal(strlen(wanted), size * 2);
    for (size_t i = 0; i < size; i++) {
        char two[3];
        (void)snprintf(two, sizeof two, "%02x", (unsigned)(unsigned char)bytes[i]);
        if (strncmp(two, wanted + i * 2, 2) != 0) {
            fail_msg("byte %zu is %s, not %.2s", i, two, wanted + i * 2);
        }
    }
}

static void form_is_what_it_was(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    harness_start(&h, NULL);
    saved_init(&saved);
    harness_say(&h, 2000, 400000);
    harness_at(&h, 4000);
    struct segment segment = harness_segment(SPEAKER_CUSTOMER, 3000, 4000, "words");
    harness_reply(&h, &segment, 1);
    save(&h, &saved);
    assert_bytes(saved.head.bytes, saved.head.size, wanted_head);
    assert_int_equal(saved.count, 1);
    assert_int_equal(saved.pages[0].size, 2 * RECORD_BYTES);
    assert_bytes(saved.pages[0].bytes, RECORD_BYTES - HASHES_BYTES, wanted_first);
    assert_bytes(saved.pages[0].bytes + RECORD_BYTES, RECORD_BYTES - HASHES_BYTES, wanted_second);
    saved_done(&saved);
    harness_stop(&h);
}

/* The head of form 1 with an open episode, as its description had it. */
static const char first_form[] =
    "01a0c132f29a010000020000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000"
    "03000000"         /* episode: number */
    "01000100"         /* open, delivered, cooling, above */
    "01"               /* path: sustained low */
    "0000000000000000" /* above since */
    "2823000000000000" /* cooling from */
    "00"               /* no reading */
    "0000"             /* ended, held */
    "00b232f29a010000" /* first start */
    "0000000000000000" /* origin of the CUSUM */
    "0000000000000000" /* newest judged end */
    "d007000000000000" /* known for 2,000 ms */;

static void a_form_without_tiers_is_still_read(void **state)
{
    (void)state;
    unsigned char head[sizeof first_form / 2];
    struct mood_policy policy;
    struct error err;
    const struct call_now now = {.mono = {.us = 5000000}, .vendor_ms = EPOCH + 4000};
    mood_policy_default(&policy);
    for (size_t i = 0; i < sizeof head; i++) {
        unsigned byte;
        assert_int_equal(sscanf(first_form + 2 * i, "%2x", &byte), 1);
        head[i] = (unsigned char)byte;
    }
    struct call *call = call_restore(&policy, now, head, sizeof head, NULL, 0, &err);
    assert_non_null(call);
    assert_int_equal(call_episode_open(call), 3);
    call_destroy(call);
}

static void hashes_of_texts_depend_on_the_key(void **state)
{
    (void)state;
    struct saved saved[2];
    for (int i = 0; i < 2; i++) {
        struct harness h;
        struct mood_policy policy;
        mood_policy_default(&policy);
        policy.identity_key[3] = (unsigned char)i;
        harness_start(&h, &policy);
        saved_init(&saved[i]);
        harness_say(&h, 2000, 400000);
        save(&h, &saved[i]);
        harness_stop(&h);
    }
    size_t form = RECORD_BYTES - 8;
    assert_memory_not_equal(saved[0].pages[0].bytes + form, saved[1].pages[0].bytes + form, 8);
    saved_done(&saved[0]);
    saved_done(&saved[1]);
}

/* --- bytes that are not a call --------------------------------------------------------------- */

static void make_rich_call(struct harness *h)
{
    harness_start(h, NULL);
    for (int i = 0; i < 70; i++) {
        harness_say(h, 4000 * (i + 1), i < 30 ? 700000 : 100000);
    }
    assert_int_equal(h->alerts, 1);
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_MASKED, .at_ms = EPOCH + 290000});
    harness_step(h, &(struct call_event){.kind = CALL_EVENT_UNMASKED, .at_ms = EPOCH + 295000});
}

static void another_version_is_refused_by_name(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    struct error err;
    make_rich_call(&h);
    saved_init(&saved);
    save(&h, &saved);
    saved.head.bytes[0] = 3;
    assert_null(restore(&saved, h.now, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "form 3"));
    saved_done(&saved);
    harness_stop(&h);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    struct error err;
    make_rich_call(&h);
    saved_init(&saved);
    save(&h, &saved);
    size_t whole = saved.head.size;
    for (saved.head.size = 1; saved.head.size < whole; saved.head.size++) {
        assert_null(restore(&saved, h.now, &err));
        assert_int_equal(err.code, ERROR_FORMAT);
    }
    size_t page = saved.list[1].size;
    for (size_t size = 1; size < page; size++) {
        saved.list[1].size = size;
        struct call *call = restore(&saved, h.now, &err);
        assert_true(size % RECORD_BYTES == 0 ? call != NULL : call == NULL);
        call_destroy(call);
    }
    saved_done(&saved);
    harness_stop(&h);
}

static void pages_out_of_order_or_twice_are_refused(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    make_rich_call(&h);
    saved_init(&saved);
    save(&h, &saved);
    assert_int_equal(saved.count, 3);
    saved.list[1].number = 0;
    assert_null(restore(&saved, h.now, NULL));
    saved.list[1].number = UINT32_MAX;
    assert_null(restore(&saved, h.now, NULL));
    saved.list[1].number = 1;
    memcpy(saved.pages[1].bytes + RECORD_BYTES, saved.pages[1].bytes, RECORD_BYTES);
    assert_null(restore(&saved, h.now, NULL));
    saved_done(&saved);
    harness_stop(&h);
}

/* Whatever is accepted can be gone on with; the sanitizers watch. */
static void spoilt_bytes_do_no_harm(void **state)
{
    (void)state;
    struct harness h;
    struct saved good;
    struct saved saved;
    struct rand rand;
    unsigned accepted = 0;
    rand_seed(&rand, 5);
    make_rich_call(&h);
    saved_init(&good);
    saved_init(&saved);
    save(&h, &good);
    for (int run = 0; run < 20000; run++) {
        saved.count = good.count;
        buf_clear(&saved.head);
        assert_true(buf_append(&saved.head, good.head.bytes, good.head.size));
        for (size_t i = 0; i < good.count; i++) {
            buf_clear(&saved.pages[i]);
            assert_true(buf_append(&saved.pages[i], good.pages[i].bytes, good.pages[i].size));
            saved.list[i] =
                (struct call_page){(uint32_t)i, saved.pages[i].bytes, saved.pages[i].size};
        }
        for (uint64_t flaws = 1 + rand_below(&rand, 3); flaws > 0; flaws--) {
            struct buf *buf =
                rand_below(&rand, 2) ? &saved.head : &saved.pages[rand_below(&rand, 3)];
            buf->bytes[1 + rand_below(&rand, buf->size - 1)] = (char)rand_u64(&rand);
        }
        struct harness spoilt = h;
        spoilt.call = restore(&saved, h.now, NULL);
        if (spoilt.call) {
            accepted++;
            harness_tick(&spoilt);
            struct segment segment = harness_segment(SPEAKER_CUSTOMER, 300000, 301000, "more");
            harness_reply(&spoilt, &segment, 1);
            harness_score(&spoilt, spoilt.asked.utterance, spoilt.asked.revision, 1);
            harness_step(&spoilt, &(struct call_event){.kind = CALL_EVENT_ENDED});
            call_destroy(spoilt.call);
            h.effects = spoilt.effects;
        }
    }
    assert_true(accepted > 100);
    saved_done(&good);
    saved_done(&saved);
    harness_stop(&h);
}

/* --- what comes back ------------------------------------------------------------------------- */

/* Two calls hear the same; one is restored now and then from what was written of it. */
static void folded_history_comes_back(void **state)
{
    (void)state;
    struct mood_policy policy;
    struct harness whole;
    struct harness h;
    struct saved saved;
    mood_policy_default(&policy);
    policy.utterances_max = 16;
    harness_start(&whole, &policy);
    harness_start(&h, &policy);
    saved_init(&saved);
    for (int i = 0; i < 200; i++) {
        int64_t score = (i / 25 % 2 ? 50000 : 750000) + (i * 7919) % 11 * 20000;
        harness_say(&whole, 3000 * (i + 1), score);
        harness_say(&h, 3000 * (i + 1), score);
        if (i % 3 == 0) {
            save(&h, &saved);
        }
        if (i % 9 == 0) {
            struct error err;
            call_destroy(h.call);
            h.call = call_restore(&policy, h.now, saved.head.bytes, saved.head.size, saved.list,
                                  saved.count, &err);
            assert_non_null(h.call);
        }
        struct call_reading a = harness_reading(&whole);
        struct call_reading b = harness_reading(&h);
        assert_int_equal(a.score, b.score);
        assert_int_equal(a.trend, b.trend);
        assert_int_equal(a.difference, b.difference);
        assert_int_equal(a.samples, b.samples);
        assert_int_equal(a.utterances, b.utterances);
        assert_int_equal(a.sustained, b.sustained);
        assert_int_equal(whole.alerts, h.alerts);
        assert_int_equal(whole.recoveries, h.recoveries);
    }
    assert_true(whole.alerts > 0);
    saved_done(&saved);
    harness_stop(&whole);
    harness_stop(&h);
}

static void unanswered_in_a_mask_is_not_asked_again(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    int64_t start_ms;
    harness_start(&h, NULL);
    saved_init(&saved);
    struct segment segments[2] = {harness_segment(SPEAKER_CUSTOMER, 1000, 2000, "before"),
                                  harness_segment(SPEAKER_CUSTOMER, 3000, 4000, "card number")};
    harness_at(&h, 5000);
    harness_reply(&h, segments, 2);
    save(&h, &saved);
    restart(&h, &saved);
    assert_int_equal(call_pending(h.call), 0);
    assert_int_equal(call_unasked(h.call, &start_ms), 2);
    assert_int_equal(start_ms, EPOCH + 1000);
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_MASKED, .at_ms = EPOCH + 2500});
    unsigned asked = h.scores_asked;
    harness_reply(&h, segments, 2);
    assert_int_equal(h.scores_asked, asked + 1);
    assert_int_equal(h.asked.segment.start_ms, EPOCH + 1000);
    assert_int_equal(call_unasked(h.call, &start_ms), 0);
    saved_done(&saved);
    harness_stop(&h);
}

/* 15 s from the alert to the next, of which 10 pass while nobody runs. */
static void cooldown_goes_on_between_processes(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    harness_start(&h, NULL);
    saved_init(&saved);
    for (int i = 0; h.alerts == 0; i++) {
        assert_true(i < 40);
        harness_say(&h, 4000 * (i + 1), i < 10 ? 900000 : 100000);
    }
    int64_t opened_ms = h.now.vendor_ms - EPOCH;
    harness_step(&h, &(struct call_event){.kind = CALL_EVENT_DELIVERED, .episode = 1});
    save(&h, &saved);
    h.now.mono.us = 77000000; /* another clock */
    h.now.vendor_ms += 10000;
    restart(&h, &saved);
    struct call_reading reading = harness_reading(&h);
    assert_int_equal(reading.as_of_ms, EPOCH + opened_ms);
    assert_int_equal(call_episode_open(h.call), 1);
    struct saved again;
    saved_init(&again);
    save(&h, &again);
    /* cooling from, in the head: 10 s and no more have been added */
    struct unpack in = unpack_from(again.head.bytes, again.head.size);
    in.at += 1 + 8 + 4 + 8 + 8 + 8 + 4 + 1 + 1 + 8 + 4 + 4 + 8;
    in.left = 8;
    assert_int_equal(unpack_i64(&in), 10000);
    saved_done(&again);
    saved_done(&saved);
    harness_stop(&h);
}

static void smaller_policy_keeps_what_was_saved(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    struct mood_policy policy;
    struct error err;
    make_rich_call(&h);
    saved_init(&saved);
    save(&h, &saved);
    mood_policy_default(&policy);
    policy.utterances_max = 8;
    struct call *call = call_restore(&policy, h.now, saved.head.bytes, saved.head.size, saved.list,
                                     saved.count, &err);
    assert_non_null(call);
    call_destroy(call);
    saved_done(&saved);
    harness_stop(&h);
}

/* A trend of the old policy, whose earlier window is empty under the new one. */
static void another_policy_goes_on_from_the_old_trend(void **state)
{
    (void)state;
    struct harness h;
    struct saved saved;
    struct mood_policy policy;
    struct error err;
    mood_policy_default(&policy);
    policy.alert_below = 0;
    harness_start(&h, &policy);
    saved_init(&saved);
    for (int i = 0; i < 12; i++) {
        harness_say(&h, 6000 * (i + 1), i < 7 ? 900000 : 100000);
    }
    assert_int_equal(harness_reading(&h).trend, CALL_TREND_DECLINING);
    save(&h, &saved);
    policy.alert_below = 350000;
    policy.window_ms = 1000;
    policy.window_widest_ms = 1000;
    policy.window_utterances = 1;
    policy.samples_min = 1;
    call_destroy(h.call);
    h.call = call_restore(&policy, h.now, saved.head.bytes, saved.head.size, saved.list,
                          saved.count, &err);
    assert_non_null(h.call);
    harness_tick(&h);
    assert_int_equal(h.alerts, 1);
    assert_int_equal(h.alert.evidence_count, 1);
    assert_int_equal(h.alert.evidence[0].score, 100000);
    saved_done(&saved);
    harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_is_what_it_was),
        cmocka_unit_test(a_form_without_tiers_is_still_read),
        cmocka_unit_test(hashes_of_texts_depend_on_the_key),
        cmocka_unit_test(another_version_is_refused_by_name),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(pages_out_of_order_or_twice_are_refused),
        cmocka_unit_test(spoilt_bytes_do_no_harm),
        cmocka_unit_test(folded_history_comes_back),
        cmocka_unit_test(unanswered_in_a_mask_is_not_asked_again),
        cmocka_unit_test(cooldown_goes_on_between_processes),
        cmocka_unit_test(smaller_policy_keeps_what_was_saved),
        cmocka_unit_test(another_policy_goes_on_from_the_old_trend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
