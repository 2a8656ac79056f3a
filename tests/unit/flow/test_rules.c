/* test_rules.c - rules beside the mood, through a pipeline: what a reply holds becomes an alert,
 * its own text goes to the agent, a mask takes it back, other rules take over. */
#include "world.h"

static const char first_yaml[] =
    "settle: 2s\n"
    "rules:\n"
    "- {name: boss, message: 'call the boss, {count}', cooldown: 0s,"
    " when: {said: {phrases: boss, by: customer}}}\n"
    "- {name: lawyer, message: m, tier: supervisor, when: {said: {phrases: lawyer}}}\n"
    "- {name: quiet, message: m, when: {silence: 20s}}\n";

static const char second_yaml[] =
    "rules:\n"
    "- {name: added, message: 'new text', when: {said: {phrases: order, by: agent}}}\n"
    "- {name: boss, message: m, when: {said: {phrases: boss, by: customer}}}\n";

static const char hints_yaml[] =
    "rules:\n"
    "- {name: boss, message: m, when: {said: {phrases: boss, by: customer}}}\n"
    "- {name: refund, message: m, when: {said: {phrases: refund, by: customer}}}\n";

struct scene {
    struct pipeline *pipeline;
    struct pipeline_options options;
    struct cues_rules *rules;
    uint64_t call;
    int64_t now_ms;
    char rule[64];    /* of the newest alert */
    char message[64]; /* of the newest suggestion */
    enum call_tier tier;
    int64_t said_end_ms;
    unsigned alerts;
    unsigned suggestions;
    unsigned dropped;
    unsigned sent;
    uint32_t sent_alert;  /* its number */
    uint32_t asked_alert; /* of the newest suggestion */
};

static struct cues_rules *read_rules(const char *yaml)
{
    struct cues_rules *rules = NULL;
    struct error err = {0};
    if (cues_parse("r.yaml", yaml, strlen(yaml), &rules, &err)) {
        fail_msg("%s", err.message);
    }
    return rules;
}

static void look_at(struct scene *scene, const struct effect *effect)
{
    scene->call = effect->call ? effect->call : scene->call;
    if (effect->kind == EFFECT_SUGGEST) {
        scene->suggestions++;
        scene->asked_alert = effect->episode;
        (void)snprintf(scene->message, sizeof scene->message, "%s",
                       effect->message ? effect->message : "none");
    } else if (effect->kind == EFFECT_NOTE && effect->note == NOTE_ALERT_OPENED) {
        scene->alerts++;
        scene->tier = effect->alert.tier;
        scene->said_end_ms = effect->said.end_ms;
        assert_int_equal(effect->alert.path, CALL_ALERT_RULE);
        (void)snprintf(scene->rule, sizeof scene->rule, "%s", effect->rule);
    } else if (effect->kind == EFFECT_NOTE && effect->note == NOTE_SUGGESTION) {
        scene->dropped += effect->suggestion_state == SUGGESTION_DROPPED;
        if (effect->suggestion_state == SUGGESTION_SENT) {
            scene->sent++;
            scene->sent_alert = effect->episode;
        }
    }
}

static void tell(struct scene *scene, struct pipeline_event event)
{
    struct call_now now = {.mono = {scene->now_ms * 1000}, .vendor_ms = epoch_ms + scene->now_ms};
    event.call = scene->call;
    struct effects *effects = pipeline_step(scene->pipeline, now, &event);
    for (size_t i = 0; i < effects->count; i++) {
        look_at(scene, &effects->items[i]);
    }
}

static void wait_until(struct scene *scene, int64_t now_ms)
{
    while (scene->now_ms < now_ms) {
        scene->now_ms += 500;
        tell(scene, (struct pipeline_event){.kind = PIPELINE_TICK});
    }
}

/* A reply with one utterance of two seconds that ended half a second ago; NULL: an empty one. */
static void say(struct scene *scene, enum speaker speaker, const char *text)
{
    struct segment segment = {
        .start_ms = epoch_ms + scene->now_ms - 2500,
        .end_ms = epoch_ms + scene->now_ms - 500,
        .speaker = speaker,
        .is_final = true,
        .text = text,
        .text_bytes = text ? strlen(text) : 0,
    };
    struct cxone_result result = {.outcome = text ? CXONE_OK : CXONE_EMPTY,
                                  .status = 200,
                                  .retry_after_ms = -1,
                                  .reason = "",
                                  .segments = &segment,
                                  .segment_count = text ? 1 : 0};
    tell(scene, (struct pipeline_event){.kind = PIPELINE_POLLED, .result = &result});
}

static void list(struct scene *scene, enum cxone_call_state state, int64_t since_ms)
{
    tell(scene, (struct pipeline_event){.kind = PIPELINE_CALL_LISTED,
                                        .interaction_id = "call",
                                        .from_discovery = true,
                                        .listing = {.state = state,
                                                    .since_ms = since_ms,
                                                    .asked_ms = epoch_ms + scene->now_ms}});
}

static void begin(struct scene *scene, const char *yaml)
{
    *scene = (struct scene){.options = test_options(), .rules = read_rules(yaml)};
    scene->options.session.rules = scene->rules;
    scene->options.session.interaction_rps = 0;
    scene->pipeline = pipeline_create(&scene->options);
    assert_non_null(scene->pipeline);
    list(scene, CXONE_CALL_ACTIVE, -1);
    wait_until(scene, 1000);
    say(scene, SPEAKER_CUSTOMER, "boss, says the history"); /* before we joined */
    assert_int_equal(scene->alerts, 0);
    wait_until(scene, 20000);
    say(scene, SPEAKER_AGENT, "hello");
}

static void end(struct scene *scene)
{
    pipeline_destroy(scene->pipeline);
    cues_release(scene->rules);
}

static void test_a_rule_hints_to_the_agent_in_its_own_words(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, first_yaml);
    wait_until(&scene, 25000);
    say(&scene, SPEAKER_AGENT, "the boss");
    assert_int_equal(scene.alerts, 0);
    wait_until(&scene, 28000);
    say(&scene, SPEAKER_CUSTOMER, "get me your boss");
    assert_int_equal(scene.alerts, 1);
    assert_string_equal(scene.rule, "boss");
    assert_int_equal(scene.said_end_ms, epoch_ms + 27500);
    wait_until(&scene, 29000);
    assert_int_equal(scene.suggestions, 1);
    assert_string_equal(scene.message, "call the boss, 1");
    end(&scene);
}

static void answer_suggestion(struct scene *scene, uint32_t alert, enum cxone_outcome outcome,
                              int status)
{
    struct cxone_result result = {.outcome = outcome,
                                  .status = status,
                                  .retry_after_ms = status == 503 ? 30000 : -1,
                                  .reason = ""};
    tell(scene,
         (struct pipeline_event){.kind = PIPELINE_SUGGESTED, .episode = alert, .result = &result});
}

static void test_a_hint_overtaken_on_its_way_is_accounted_for(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, hints_yaml);
    wait_until(&scene, 28000);
    say(&scene, SPEAKER_CUSTOMER, "get me your boss");
    wait_until(&scene, 29000);
    uint32_t first = scene.asked_alert;
    wait_until(&scene, 30000);
    say(&scene, SPEAKER_CUSTOMER, "and a refund");
    wait_until(&scene, 33000);
    assert_int_equal(scene.suggestions, 2);
    assert_int_not_equal(scene.asked_alert, first);
    answer_suggestion(&scene, first, CXONE_OK, 200);
    assert_int_equal(scene.sent, 1);
    assert_int_equal(scene.sent_alert, first);
    answer_suggestion(&scene, scene.asked_alert, CXONE_OK, 200);
    assert_int_equal(scene.sent, 2);
    end(&scene);
}

static void test_a_hint_that_waits_is_dropped_aloud_by_a_newer_one(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, hints_yaml);
    wait_until(&scene, 28000);
    say(&scene, SPEAKER_CUSTOMER, "get me your boss");
    wait_until(&scene, 29000);
    answer_suggestion(&scene, scene.asked_alert, CXONE_FAILED, 503);
    wait_until(&scene, 30000);
    say(&scene, SPEAKER_CUSTOMER, "and a refund");
    wait_until(&scene, 33000);
    assert_int_equal(scene.dropped, 1);
    end(&scene);
}

static void test_a_supervisors_rule_hints_nobody(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, first_yaml);
    wait_until(&scene, 25000);
    say(&scene, SPEAKER_CUSTOMER, "my lawyer");
    assert_int_equal(scene.alerts, 1);
    assert_int_equal(scene.tier, CALL_TIER_SUPERVISOR);
    wait_until(&scene, 30000);
    assert_int_equal(scene.suggestions, 0);
    end(&scene);
}

static void test_silence_is_noticed_without_a_reply(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, first_yaml); /* the last word ends at 19.5 s; 20 s and 2 s later */
    wait_until(&scene, 41000);
    assert_int_equal(scene.alerts, 0);
    wait_until(&scene, 42000);
    assert_int_equal(scene.alerts, 1);
    assert_string_equal(scene.rule, "quiet");
    end(&scene);
}

static void test_masked_words_fire_nothing_and_are_taken_back(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, first_yaml);
    list(&scene, CXONE_CALL_MASKED, epoch_ms + 21000);
    wait_until(&scene, 25000);
    say(&scene, SPEAKER_CUSTOMER, "the boss");
    assert_int_equal(scene.alerts, 0);
    list(&scene, CXONE_CALL_ACTIVE, epoch_ms + 26000);
    wait_until(&scene, 30000);
    say(&scene, SPEAKER_CUSTOMER, "the boss"); /* an alert whose hint has not left yet */
    assert_int_equal(scene.alerts, 1);
    list(&scene, CXONE_CALL_MASKED, epoch_ms + 29000);
    assert_int_equal(scene.suggestions + scene.dropped, 1);
    end(&scene);
}

static void test_new_rules_take_over_running_calls(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, first_yaml);
    wait_until(&scene, 25000);
    say(&scene, SPEAKER_CUSTOMER, "the boss");
    assert_int_equal(scene.alerts, 1);
    struct cues_rules *before = scene.rules;
    scene.rules = read_rules(second_yaml);
    scene.options.session.rules = scene.rules;
    tell(&scene, (struct pipeline_event){.kind = PIPELINE_OPTIONS, .options = &scene.options});
    cues_release(before);
    wait_until(&scene, 28000);
    say(&scene, SPEAKER_CUSTOMER, "well");
    assert_int_equal(scene.alerts, 1); /* "boss" still holds: it is the same rule */
    wait_until(&scene, 31000);
    say(&scene, SPEAKER_AGENT, "your order");
    assert_int_equal(scene.alerts, 2);
    assert_string_equal(scene.rule, "added");
    scene.options.session.rules = NULL;
    tell(&scene, (struct pipeline_event){.kind = PIPELINE_OPTIONS, .options = &scene.options});
    wait_until(&scene, 90000);
    say(&scene, SPEAKER_CUSTOMER, "the boss");
    assert_int_equal(scene.alerts, 2);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_hints_to_the_agent_in_its_own_words),
        cmocka_unit_test(test_a_supervisors_rule_hints_nobody),
        cmocka_unit_test(test_silence_is_noticed_without_a_reply),
        cmocka_unit_test(test_masked_words_fire_nothing_and_are_taken_back),
        cmocka_unit_test(test_new_rules_take_over_running_calls),
        cmocka_unit_test(test_a_hint_overtaken_on_its_way_is_accounted_for),
        cmocka_unit_test(test_a_hint_that_waits_is_dropped_aloud_by_a_newer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
