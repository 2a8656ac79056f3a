/* test_load.c - what a rules file may not say: each mistake is named with its line and column. */
#include "talk.h"

#include "cues/pattern.h"

#include <stdio.h>
#include <stdlib.h>

#define GOOD_RULE "rules:\n- {name: a, message: m, when: {silence: 5s}}\n"

struct mistake {
    const char *yaml;
    const char *place; /* "LINE:COLUMN: " */
    const char *says;
};

static const struct mistake mistakes[] = {
    {"", "1:1: ", "empty"},
    {"rules: 5\n", "1:8: ", "rules must be a list"},
    {"settle: 5s\n", "1:1: ", "needs rules"},
    {"settle: 5\n" GOOD_RULE, "1:9: ", "with its unit"},
    {"settle: 6m\n" GOOD_RULE, "1:9: ", "at most"},
    {"setle: 5s\n" GOOD_RULE, "1:1: ", "unknown key 'setle'; known here: version, settle"},
    {"version: 2\n" GOOD_RULE, "1:10: ", "from 1 to 1"},
    {"language: x y\n" GOOD_RULE, "1:11: ", "language tag"},
    {"lists: [a]\n" GOOD_RULE, "1:8: ", "lists must be key: value"},
    {"rules:\n- {message: m, when: {silence: 5s}}\n", "2:3: ", "needs a name"},
    {"rules:\n- {name: A, message: m, when: {silence: 5s}}\n", "2:10: ", "a-z"},
    {"rules:\n- {name: a, when: {silence: 5s}}\n", "2:3: ", "needs a message"},
    {"rules:\n- {name: a, message: m}\n", "2:3: ", "needs a when"},
    {GOOD_RULE "- {name: a, message: m, when: {silence: 5s}}\n", "3:10: ", "another rule"},
    {"rules:\n- {name: a, message: m, name: b}\n", "2:25: ", "given twice"},
    {"rules:\n- {name: a, message: m, when: {}}\n", "2:31: ", "exactly one"},
    {"rules:\n- {name: a, message: m, when: {silence: 5s, call_time: 5s}}\n",
     "2:31: ", "exactly one"},
    {"rules:\n- {name: a, message: m, when: {sad: 5s}}\n", "2:32: ", "unknown key 'sad'"},
    {"rules:\n- {name: a, message: m, when: {silence: 7h}}\n", "2:41: ", "at most 6h"},
    {"rules:\n- {name: a, message: m, when: {said: {by: customer}}}\n",
     "2:38: ", "say what to look for"},
    {"rules:\n- {name: a, message: m, when: {said: {phrases: '?!'}}}\n",
     "2:48: ", "at least one word"},
    {"rules:\n- {name: a, message: m, when: {said: {list: nosuch}}}\n",
     "2:45: ", "no list is called 'nosuch'"},
    {"rules:\n- {name: a, message: m, when: {said: {phrases: x, by: boss}}}\n",
     "2:55: ", "any, customer, agent"},
    {"rules:\n- {name: a, message: m, when: {said: {phrases: x, within: soon}}}\n",
     "2:59: ", "or 'call'"},
    {"rules:\n- {name: a, message: m, when: {said: {phrases: x, within: 51 turns}}}\n",
     "2:59: ", "at most 50 turns"},
    {"rules:\n- {name: a, message: m, when: {said: {patterns: 'a('}}}\n",
     "2:49: ", "not a regular expression: missing closing parenthesis"},
    {"rules:\n- {name: a, message: m, when: {said: {patterns: 'x*'}}}\n",
     "2:49: ", "matches an empty text"},
    {"rules:\n- {name: a, message: m, when: {said: {patterns: '\\C'}}}\n",
     "2:49: ", "not a regular expression"},
    {"rules:\n- {name: a, message: m, when: {repeated: {phrases: x}}}\n", "2:42: ", "needs times"},
    {"rules:\n- {name: a, message: m, when: {repeated: {phrases: x, times: 1}}}\n",
     "2:62: ", "from 2 to 100"},
    {"rules:\n- {name: a, message: m, when: {not_said: {phrases: x}}}\n", "2:42: ", "needs within"},
    {"rules:\n- {name: a, message: m, when: {not_said: {phrases: x, within: call, after: "
     "{phrases: y}}}}\n",
     "2:76: ", "with after"},
    {"rules:\n- {name: a, message: m, when: {mood: {}}}\n", "2:38: ", "mood needs"},
    {"rules:\n- {name: a, message: m, when: {mood: {below: 1.5}}}\n", "2:46: ", "from 0 to 1"},
    {"rules:\n- {name: a, message: m, when: {mood: {below: 0.1234567}}}\n",
     "2:46: ", "from 0 to 1"},
    {"rules:\n- {name: a, message: m, when: {all: []}}\n", "2:37: ", "all of nothing"},
    {"rules:\n- {name: a, message: 'x {meen}', when: {silence: 5s}}\n",
     "2:22: ", "unknown variable {meen}"},
    {"rules:\n- {name: a, message: 'x {mean', when: {silence: 5s}}\n", "2:22: ", "without its }"},
    {"rules:\n- {name: a, message: 'x}', when: {silence: 5s}}\n", "2:22: ", "without its {"},
    {"rules:\n- {name: a, message: {}, when: {silence: 5s}}\n", "2:22: ", "in no language"},
    {"rules:\n- {name: a, message: {'!': x}, when: {silence: 5s}}\n", "2:23: ", "language tag"},
    {"rules:\n- {name: a, message: m, tier: boss, when: {silence: 5s}}\n",
     "2:31: ", "agent, supervisor"},
    {"rules:\n- {name: a, message: m, max_per_call: 0, when: {silence: 5s}}\n",
     "2:39: ", "from 1 to 1000"},
    {"rules:\n- {name: a, message: m, enabled: yes, when: {silence: 5s}}\n",
     "2:34: ", "true or false"},
    {"rules:\n- {name: a, message: m, when: {silence: 5s}, queues: {q: {when: 1}}}\n",
     "2:59: ", "unknown key 'when'"},
    {"rules:\n- name: a\n   x: y\n", "3:", "not valid YAML"},
};

static void test_mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct cues_rules *rules = NULL;
        struct error err = {0};
        char place[64];
        (void)snprintf(place, sizeof place, "r.yaml:%s", mistakes[i].place);
        assert_int_equal(
            cues_parse("r.yaml", mistakes[i].yaml, strlen(mistakes[i].yaml), &rules, &err),
            ERROR_CONFIG);
        assert_null(rules);
        if (strncmp(err.message, place, strlen(place)) != 0 ||
            !strstr(err.message, mistakes[i].says)) {
            fail_msg("mistake %zu: wanted '%s...%s', got '%s'", i, place, mistakes[i].says,
                     err.message);
        }
    }
}

static void test_conditions_nest_to_a_bound(void **state)
{
    (void)state;
    char yaml[1000] = "rules:\n- {name: a, message: m, when: ";
    for (int depth = 0; depth < 8; depth++) {
        (void)strncat(yaml, "{not: ", sizeof yaml - strlen(yaml) - 1);
    }
    (void)strncat(yaml, "{silence: 5s}", sizeof yaml - strlen(yaml) - 1);
    for (int depth = 0; depth < 9; depth++) {
        (void)strncat(yaml, "}", sizeof yaml - strlen(yaml) - 1);
    }
    struct cues_rules *rules = NULL;
    struct error err = {0};
    assert_int_equal(cues_parse("r", yaml, strlen(yaml), &rules, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "nested deeper than 8"));
}

static void test_the_example_is_a_rules_file(void **state)
{
    (void)state;
    struct cues_rules *rules = NULL;
    struct error err = {0};
    struct cues_summary summary;
    if (cues_load(UNDERTONE_SOURCE_DIR "/docs/rules.example.yaml", &rules, &err)) {
        fail_msg("%s", err.message);
    }
    cues_summarize(rules, &summary);
    assert_true(summary.rules >= 8 && summary.phrases >= 50 && summary.patterns >= 1);
    assert_int_equal(summary.patterns_interpreted, 0);
    cues_release(rules);
}

static void test_a_file_that_is_not_there(void **state)
{
    (void)state;
    struct cues_rules *rules = NULL;
    struct error err = {0};
    assert_int_equal(cues_load("/no/such/rules.yaml", &rules, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "/no/such/rules.yaml"));
    assert_null(rules);
}

static void test_own_lists_replace_those_that_come_with_the_program(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, "lists: {escalation: [chieftain]}\n" TALK_RULE(
                       "{said: {list: [escalation, legal], within: call}}"));
    talk_say(&t, CUES_CUSTOMER, 10, "a supervisor");
    assert_int_equal(talk_fired(&t), 0);
    talk_say(&t, CUES_CUSTOMER, 20, "your chieftain");
    assert_int_equal(talk_fired(&t), 1);
    talk_end(&t);
}

static void test_phrases_are_whole_words_in_any_script(void **state)
{
    (void)state;
    static const struct {
        const char *phrase;
        const char *text;
        bool found;
    } cases[] = {
        {"supervisor", "Supervisor!", true},
        {"supervisor", "supervisors", false},
        {"don't care", "I dont care", true},
        {"dont care", "I don\xE2\x80\x99t, care", true},
        {"third time, I call", "the third time i call.", true},
        {"third time", "third", false},
        {"time third", "third time third", true},
        {"\xC3\x9C"
         "berpr\xC3\xBC"
         "fung",
         "eine \xC3\xBC"
         "berpr\xC3\x9C"
         "FUNG",
         true},
        {"\xD0\xBD\xD0\xB0\xD1\x87", "\xD0\x9D\xD0\x90\xD0\xA7", true},
        {"one", "\xFF\xFEone\xC3", true},
        {"a", "", false},
        {"a b", "a  b", true},
        {"a b", "a-b", true},
        {"a b", "ab", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t;
        char yaml[200];
        (void)snprintf(yaml, sizeof yaml,
                       "rules:\n- {name: a, message: m, when: {said: {phrases: \"%s\"}}}\n",
                       cases[i].phrase);
        talk_begin(&t, yaml);
        talk_say(&t, CUES_CUSTOMER, 10, cases[i].text);
        if ((talk_fired(&t) == 1) != cases[i].found) {
            fail_msg("case %zu", i);
        }
        talk_end(&t);
    }
}

static void test_a_pattern_that_runs_away_is_given_up(void **state)
{
    (void)state;
    struct pattern *pattern = NULL;
    struct error err = {0};
    char text[200];
    memset(text, 'a', sizeof text);
    assert_int_equal(pattern_compile("(a+)+(b|c)\\1$", true, &pattern, &err), 0);
    assert_int_equal(pattern_match(pattern, text, sizeof text), PATTERN_GIVEN_UP);
    assert_int_equal(pattern_match(pattern, "aba", 3), PATTERN_FOUND);
    assert_int_equal(pattern_match(pattern, "ABA", 3), PATTERN_ABSENT);
    pattern_free(pattern);
}

static void test_given_up_matches_are_counted(void **state)
{
    (void)state;
    struct talk t;
    char text[4000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    talk_begin(&t, TALK_RULE("{said: {patterns: '(a+)+(b|c)\\1$'}}"));
    talk_say(&t, CUES_CUSTOMER, 10, text);
    assert_int_equal(talk_fired(&t), 0);
    assert_int_equal(cues_counts(t.state)->given_up, 1);
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_are_named_with_their_place),
        cmocka_unit_test(test_conditions_nest_to_a_bound),
        cmocka_unit_test(test_the_example_is_a_rules_file),
        cmocka_unit_test(test_a_file_that_is_not_there),
        cmocka_unit_test(test_own_lists_replace_those_that_come_with_the_program),
        cmocka_unit_test(test_phrases_are_whole_words_in_any_script),
        cmocka_unit_test(test_a_pattern_that_runs_away_is_given_up),
        cmocka_unit_test(test_given_up_matches_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
