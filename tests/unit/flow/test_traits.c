/* test_traits.c - whose a call is and what is spoken in it, through a pipeline: a language that the
 * model does not know is followed without being judged, rules go by queue and language, and a
 * restart forgets neither; and when the words of a call are held. */
#include "world.h"

#include "../store/files.h"

static const char rules_yaml[] =
    "language: en\n"
    "rules:\n"
    "- name: jefe\n"
    "  when: {said: {phrases: [jefe, boss], by: customer}}\n"
    "  message: {en: 'in English, {queue}', es: 'en castellano, {queue}'}\n"
    "  queues:\n"
    "    retention: {tier: supervisor}\n"
    "    premium: {message: {es: 'con prisa, {queue}'}}\n"
    "- {name: gloom, tier: supervisor, message: m, when: {mood: {below: 0.9}}}\n";

struct scene {
    struct pipeline *pipeline;
    struct pipeline_options options;
    struct cues_rules *rules;
    uint64_t call;
    int64_t now_ms;
    unsigned asked;     /* utterances to be scored */
    unsigned english;   /* of those, sure to be */
    unsigned unjudged;  /* utterances that are not */
    unsigned written;   /* attributes */
    unsigned described; /* how often its queue or language was told, and as what: */
    char queue[SESSION_QUEUE_BYTES];
    char language[LANGUAGE_BYTES];
    bool judged;
    unsigned rule_alerts;
    unsigned mood_alerts;
    enum call_tier tier;
    char alert_queue[SESSION_QUEUE_BYTES];
    char message[64];
    unsigned dropped;
    bool closed;
    struct pipeline_event answers[64]; /* scores owed */
    size_t answer_count;
};

static void take_note(struct scene *scene, const struct effect *note)
{
    switch (note->note) {
    case NOTE_UTTERANCE_UNJUDGED:
        assert_null(note->segment.text);
        scene->unjudged++;
        break;
    case NOTE_CALL_DESCRIBED:
        scene->described++;
        (void)snprintf(scene->queue, sizeof scene->queue, "%s", note->queue);
        (void)snprintf(scene->language, sizeof scene->language, "%s", note->language);
        scene->judged = note->judged;
        break;
    case NOTE_ALERT_OPENED:
        *(note->rule ? &scene->rule_alerts : &scene->mood_alerts) += 1;
        scene->tier = note->alert.tier;
        (void)snprintf(scene->alert_queue, sizeof scene->alert_queue, "%s", note->queue);
        break;
    case NOTE_SUGGESTION:
        scene->dropped += note->suggestion_state == SUGGESTION_DROPPED;
        break;
    default:
        break;
    }
}

static void take(struct scene *scene, const struct effect *effect)
{
    scene->call = effect->call ? effect->call : scene->call;
    if (effect->kind == EFFECT_SCORE) {
        scene->asked++;
        scene->english += effect->english;
        assert_true(scene->answer_count < 64);
        scene->answers[scene->answer_count++] =
            (struct pipeline_event){.kind = PIPELINE_SCORED,
                                    .call = effect->call,
                                    .utterance = effect->utterance,
                                    .revision = effect->revision,
                                    .scorable = true,
                                    .score = 50000};
    } else if (effect->kind == EFFECT_ATTRIBUTES) {
        scene->written++;
    } else if (effect->kind == EFFECT_SUGGEST) {
        (void)snprintf(scene->message, sizeof scene->message, "%s",
                       effect->message ? effect->message : "the mood's");
    } else if (effect->kind == EFFECT_CLOSED) {
        scene->closed = true;
    } else if (effect->kind == EFFECT_NOTE) {
        take_note(scene, effect);
    }
}

static struct call_now now_of(const struct scene *scene)
{
    return (struct call_now){.mono = {scene->now_ms * 1000}, .vendor_ms = epoch_ms + scene->now_ms};
}

static void tell(struct scene *scene, struct pipeline_event event)
{
    event.call = scene->call;
    struct effects *effects = pipeline_step(scene->pipeline, now_of(scene), &event);
    for (size_t i = 0; i < effects->count; i++) {
        take(scene, &effects->items[i]);
    }
}

static void answer_scores(struct scene *scene)
{
    while (scene->answer_count > 0) {
        tell(scene, scene->answers[--scene->answer_count]);
    }
}

/* Polls are answered with nothing new, writes with success. */
static void wait_until(struct scene *scene, int64_t now_ms)
{
    struct cxone_result empty = {
        .outcome = CXONE_EMPTY, .status = 200, .retry_after_ms = -1, .reason = ""};
    while (scene->now_ms < now_ms && !scene->closed) {
        scene->now_ms += 500;
        unsigned written = scene->written;
        tell(scene, (struct pipeline_event){.kind = PIPELINE_TICK});
        if (scene->written != written) {
            tell(scene,
                 (struct pipeline_event){.kind = PIPELINE_ATTRIBUTES_DONE, .result = &empty});
        }
        tell(scene, (struct pipeline_event){.kind = PIPELINE_POLLED, .result = &empty});
    }
}

/* A reply with one utterance of two seconds that ended half a second ago. */
static void say_in(struct scene *scene, enum speaker speaker, const char *text,
                   const char *language)
{
    struct segment segment = {
        .start_ms = epoch_ms + scene->now_ms - 2500,
        .end_ms = epoch_ms + scene->now_ms - 500,
        .speaker = speaker,
        .is_final = true,
        .text = text,
        .text_bytes = strlen(text),
    };
    struct cxone_result result = {.outcome = CXONE_OK,
                                  .status = 200,
                                  .retry_after_ms = -1,
                                  .reason = "",
                                  .segments = &segment,
                                  .segment_count = 1,
                                  .language = language};
    tell(scene, (struct pipeline_event){.kind = PIPELINE_POLLED, .result = &result});
}

static void list(struct scene *scene, const char *queue, const char *language)
{
    tell(scene, (struct pipeline_event){.kind = PIPELINE_CALL_LISTED,
                                        .interaction_id = "call",
                                        .from_discovery = true,
                                        .traits = {queue, language},
                                        .listing = {.state = CXONE_CALL_ACTIVE,
                                                    .since_ms = -1,
                                                    .asked_ms = epoch_ms + scene->now_ms}});
}

static void begin(struct scene *scene, const char *queue, const char *language)
{
    struct error err = {0};
    *scene = (struct scene){.options = test_options()};
    if (cues_parse("r.yaml", rules_yaml, sizeof rules_yaml - 1, &scene->rules, &err)) {
        fail_msg("%s", err.message);
    }
    scene->options.session.rules = scene->rules;
    scene->options.session.interaction_rps = 0;
    assert_true(language_set_add(&scene->options.session.languages, "en"));
    scene->pipeline = pipeline_create(&scene->options);
    assert_non_null(scene->pipeline);
    list(scene, queue, language);
    wait_until(scene, 10000);
}

static void end(struct scene *scene)
{
    pipeline_destroy(scene->pipeline);
    cues_release(scene->rules);
}

static struct session_view look(const struct scene *scene)
{
    struct session_view view;
    assert_true(pipeline_look(scene->pipeline, "call", &view));
    return view;
}

static void complain(struct scene *scene, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        wait_until(scene, scene->now_ms + 4000);
        say_in(scene, SPEAKER_CUSTOMER, "muy mal", NULL);
        answer_scores(scene);
    }
}

static void test_a_language_the_model_does_not_know_is_followed_and_not_judged(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, NULL, "es_US");
    assert_int_equal(scene.described, 1);
    assert_string_equal(scene.language, "es-US");
    assert_false(scene.judged);
    complain(&scene, 8);
    say_in(&scene, SPEAKER_CUSTOMER, "muy mal", NULL); /* served again */
    assert_int_equal(scene.unjudged, 8);
    assert_int_equal(scene.asked + scene.mood_alerts + scene.rule_alerts, 0);
    struct session_view view = look(&scene);
    assert_false(view.judged);
    assert_false(view.has_reading);
    assert_int_equal(pipeline_calls_unjudged(scene.pipeline), 1);
    assert_int_equal(pipeline_alerting(scene.pipeline), 0);
    tell(&scene, (struct pipeline_event){.kind = PIPELINE_CALL_GONE,
                                         .interaction_id = "call",
                                         .end_reason = END_REASON_DISCOVERY});
    wait_until(&scene, scene.now_ms + 120000);
    assert_true(scene.closed);
    assert_int_equal(scene.written, 0);
    end(&scene);
}

static void test_without_a_language_a_call_is_judged(void **state)
{
    (void)state;
    static const char *const known[] = {NULL, "", "en-AU", "und", "nonsense!"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct scene scene;
        begin(&scene, NULL, known[i]);
        complain(&scene, 8);
        wait_until(&scene, scene.now_ms + 3000);
        assert_int_equal(scene.asked, 8);
        assert_int_equal(scene.english, 8);
        assert_int_equal(scene.unjudged, 0);
        assert_true(scene.mood_alerts > 0 && scene.written > 0);
        assert_true(look(&scene).judged && look(&scene).has_reading);
        end(&scene);
    }
}

static void test_rules_speak_the_calls_language_and_go_by_its_queue(void **state)
{
    (void)state;
    static const struct {
        const char *queue;
        const char *language;
        enum call_tier tier;
        const char *message; /* "": none for the agent */
    } cases[] = {
        {NULL, NULL, CALL_TIER_AGENT, "in English, "},
        {"sales", "es-US", CALL_TIER_AGENT, "en castellano, sales"},
        {"premium", "es", CALL_TIER_AGENT, "con prisa, premium"},
        {"sales", "fr", CALL_TIER_AGENT, "in English, sales"},
        {"retention", "es", CALL_TIER_SUPERVISOR, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene;
        begin(&scene, cases[i].queue, cases[i].language);
        say_in(&scene, SPEAKER_CUSTOMER, "el jefe", NULL);
        wait_until(&scene, scene.now_ms + 2000);
        assert_int_equal(scene.rule_alerts, 1);
        assert_int_equal(scene.tier, cases[i].tier);
        assert_string_equal(scene.message, cases[i].message);
        assert_string_equal(scene.alert_queue, cases[i].queue ? cases[i].queue : "");
        end(&scene);
    }
}

static void test_a_transcript_knows_better_than_a_list(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, "q1", "en");
    say_in(&scene, SPEAKER_CUSTOMER, "muy mal", "es-US");
    assert_int_equal(scene.asked, 0);
    assert_int_equal(scene.unjudged, 1);
    unsigned described = scene.described;
    list(&scene, "q1", "en");
    assert_int_equal(scene.described, described); /* neither is news */
    list(&scene, "q2", "en");
    assert_string_equal(scene.queue, "q2");
    assert_string_equal(scene.language, "es-US");
    wait_until(&scene, 15000);
    say_in(&scene, SPEAKER_CUSTOMER, "bad", "en-US");
    assert_int_equal(scene.asked, 1);
    assert_true(scene.judged);
    end(&scene);
}

static void test_what_was_judged_before_its_language_was_known_is_told_no_more(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, NULL, NULL);
    complain(&scene, 8);
    assert_true(scene.mood_alerts > 0);
    assert_true(look(&scene).episode_open > 0);
    unsigned alerts = scene.mood_alerts;
    say_in(&scene, SPEAKER_AGENT, "hola", "es");
    unsigned written = scene.written;
    struct session_view view = look(&scene);
    assert_false(view.judged || view.has_reading);
    assert_int_equal(view.episode_open, 0);
    assert_int_equal(pipeline_alerting(scene.pipeline), 0);
    complain(&scene, 4);
    wait_until(&scene, scene.now_ms + 60000);
    assert_int_equal(scene.written, written);
    assert_int_equal(scene.mood_alerts, alerts);
    end(&scene);
}

/* --- words ----------------------------------------------------------------------------------- */

static const char *words_of(const struct scene *scene, int64_t end_ms)
{
    const struct segment said = {
        .start_ms = end_ms - 2000, .end_ms = end_ms, .speaker = SPEAKER_CUSTOMER};
    return pipeline_words(scene->pipeline, scene->call, &said);
}

static void begin_with_words(struct scene *scene, const char *language)
{
    begin(scene, NULL, language);
    pipeline_destroy(scene->pipeline);
    scene->options.session.keep_words = true;
    scene->options.keep_state = true;
    scene->pipeline = pipeline_create(&scene->options);
    list(scene, NULL, language);
    wait_until(scene, 20000);
}

static void test_redacted_words_are_held_where_policy_wants_them(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, NULL, NULL); /* as by default */
    say_in(&scene, SPEAKER_CUSTOMER, "muy mal", NULL);
    assert_null(words_of(&scene, epoch_ms + scene.now_ms - 500));
    assert_int_equal(pipeline_words_bytes(scene.pipeline), 0);
    end(&scene);
    begin_with_words(&scene, NULL);
    say_in(&scene, SPEAKER_CUSTOMER, "my card 4111 1111 1111 1111", NULL);
    int64_t end_ms = epoch_ms + scene.now_ms - 500;
    assert_string_equal(words_of(&scene, end_ms), "my card [CARD]");
    scene.options.session.keep_words = false;
    tell(&scene, (struct pipeline_event){.kind = PIPELINE_OPTIONS, .options = &scene.options});
    assert_null(words_of(&scene, end_ms));
    assert_int_equal(pipeline_words_bytes(scene.pipeline), 0);
    end(&scene);
}

static void test_a_mask_takes_words_away_and_lets_none_in(void **state)
{
    (void)state;
    struct scene scene;
    begin_with_words(&scene, NULL);
    say_in(&scene, SPEAKER_CUSTOMER, "before", NULL);
    int64_t before_ms = epoch_ms + scene.now_ms - 500;
    wait_until(&scene, 25000);
    say_in(&scene, SPEAKER_CUSTOMER, "within", NULL);
    int64_t within_ms = epoch_ms + scene.now_ms - 500;
    assert_non_null(words_of(&scene, within_ms));
    tell(&scene, (struct pipeline_event){.kind = PIPELINE_CALL_LISTED,
                                         .interaction_id = "call",
                                         .from_discovery = true,
                                         .listing = {.state = CXONE_CALL_MASKED,
                                                     .since_ms = epoch_ms + 22000,
                                                     .asked_ms = epoch_ms + scene.now_ms}});
    assert_null(words_of(&scene, within_ms));
    say_in(&scene, SPEAKER_CUSTOMER, "within", NULL); /* served again */
    assert_null(words_of(&scene, within_ms));
    assert_string_equal(words_of(&scene, before_ms), "before");
    end(&scene);
}

static void test_words_that_redaction_cannot_read_are_not_held(void **state)
{
    (void)state;
    struct scene scene;
    begin_with_words(&scene, "es");
    say_in(&scene, SPEAKER_CUSTOMER, "cuatro uno uno uno", NULL);
    assert_int_equal(pipeline_words_bytes(scene.pipeline), 0);
    end(&scene);
    begin_with_words(&scene, NULL);
    say_in(&scene, SPEAKER_CUSTOMER, "cuatro uno uno uno", NULL);
    assert_true(pipeline_words_bytes(scene.pipeline) > 0);
    list(&scene, NULL, "es");
    assert_int_equal(pipeline_words_bytes(scene.pipeline), 0);
    end(&scene);
}

/* --- a restart ------------------------------------------------------------------------------- */

static bool restore_call(void *user, const struct store_saved *saved)
{
    struct scene *scene = user;
    tell(scene, (struct pipeline_event){.kind = PIPELINE_CALL_RESTORED, .saved = saved});
    return true;
}

static void restart(struct scene *scene, struct store *store)
{
    struct error err;
    struct store_batch *batch = store_batch_create();
    assert_true(pipeline_save(scene->pipeline, now_of(scene), batch));
    store_submit(store, batch, (struct wall){epoch_ms + scene->now_ms});
    store_wait(store);
    assert_ptr_equal(store_collect(store, &err), batch);
    assert_int_equal(err.code, 0);
    store_batch_destroy(batch);
    pipeline_destroy(scene->pipeline);
    scene->pipeline = pipeline_create(&scene->options);
    assert_int_equal(store_load_live(store, restore_call, scene, NULL), 0);
}

static void test_a_restart_forgets_neither_queue_nor_language(void **state)
{
    (void)state;
    struct files files;
    struct scene scene;
    files_make(&files);
    struct store *store = files_open(&files);
    begin(&scene, NULL, NULL);
    pipeline_destroy(scene.pipeline);
    scene.options.keep_state = true;
    scene.pipeline = pipeline_create(&scene.options);
    list(&scene, "premium", "en");
    say_in(&scene, SPEAKER_CUSTOMER, "muy mal", "es-US");
    restart(&scene, store);
    struct session_view view = look(&scene);
    assert_string_equal(view.queue, "premium");
    assert_string_equal(view.language, "es-US");
    assert_false(view.judged);
    list(&scene, NULL, "en"); /* the transcript still knows better */
    assert_string_equal(look(&scene).language, "es-US");
    assert_true(language_set_add(&scene.options.session.languages, "es"));
    restart(&scene, store);
    assert_true(look(&scene).judged);
    end(&scene);
    store_close(store);
    files_remove(&files);
}

static bool holds(const char *bytes, size_t size, const char *word)
{
    size_t word_bytes = strlen(word);
    for (size_t i = 0; i + word_bytes <= size; i++) {
        if (memcmp(bytes + i, word, word_bytes) == 0) {
            return true;
        }
    }
    return false;
}

static bool look_for_words(void *user, const struct store_saved *saved)
{
    unsigned *found = user;
    *found += holds(saved->head, saved->head_bytes, "awful");
    for (size_t i = 0; i < saved->page_count; i++) {
        *found += holds(saved->pages[i].bytes, saved->pages[i].size, "awful");
    }
    return true;
}

static void test_no_word_outlives_the_process(void **state)
{
    (void)state;
    struct files files;
    struct scene scene;
    unsigned found = 0;
    files_make(&files);
    struct store *store = files_open(&files);
    begin_with_words(&scene, NULL);
    say_in(&scene, SPEAKER_CUSTOMER, "this is awful", NULL);
    int64_t end_ms = epoch_ms + scene.now_ms - 500;
    assert_string_equal(words_of(&scene, end_ms), "this is awful");
    restart(&scene, store);
    assert_int_equal(store_load_live(store, look_for_words, &found, NULL), 0);
    assert_int_equal(found, 0);
    assert_null(words_of(&scene, end_ms));
    end(&scene);
    store_close(store);
    files_remove(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_language_the_model_does_not_know_is_followed_and_not_judged),
        cmocka_unit_test(test_without_a_language_a_call_is_judged),
        cmocka_unit_test(test_rules_speak_the_calls_language_and_go_by_its_queue),
        cmocka_unit_test(test_a_transcript_knows_better_than_a_list),
        cmocka_unit_test(test_what_was_judged_before_its_language_was_known_is_told_no_more),
        cmocka_unit_test(test_redacted_words_are_held_where_policy_wants_them),
        cmocka_unit_test(test_a_mask_takes_words_away_and_lets_none_in),
        cmocka_unit_test(test_words_that_redaction_cannot_read_are_not_held),
        cmocka_unit_test(test_no_word_outlives_the_process),
        cmocka_unit_test(test_a_restart_forgets_neither_queue_nor_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
