/* What is written to the vendor: attributes, the score's text, suggestions. */
#include "cxone/attributes.h"
#include "cxone/suggestions.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Made with Python 3: str(round(score / 1000000, 3)). */
static const struct {
    int64_t score;
    const char *text;
} python_scores[] = {
    {0, "0.0"},        {1, "0.0"},        {499, "0.0"},      {500, "0.001"},    {501, "0.001"},
    {999, "0.001"},    {1000, "0.001"},   {1499, "0.001"},   {1500, "0.002"},   {1501, "0.002"},
    {2500, "0.003"},   {3500, "0.004"},   {4500, "0.004"},   {5500, "0.005"},   {12500, "0.013"},
    {62500, "0.062"},  {99500, "0.1"},    {100000, "0.1"},   {125000, "0.125"}, {125500, "0.126"},
    {187500, "0.188"}, {250000, "0.25"},  {267500, "0.268"}, {280000, "0.28"},  {312500, "0.312"},
    {333333, "0.333"}, {349500, "0.349"}, {350000, "0.35"},  {437500, "0.438"}, {499500, "0.499"},
    {500000, "0.5"},   {500500, "0.5"},   {562500, "0.562"}, {666667, "0.667"}, {687500, "0.688"},
    {700500, "0.701"}, {749500, "0.75"},  {812500, "0.812"}, {875500, "0.875"}, {937500, "0.938"},
    {987500, "0.988"}, {999000, "0.999"}, {999499, "0.999"}, {999500, "1.0"},   {999501, "1.0"},
    {999999, "1.0"},   {1000000, "1.0"},
};

static void score_text_is_what_python_prints(void **state)
{
    (void)state;
    char text[CXONE_SCORE_BYTES];
    for (size_t i = 0; i < sizeof python_scores / sizeof python_scores[0]; i++) {
        assert_string_equal(cxone_format_score(python_scores[i].score, text),
                            python_scores[i].text);
    }
}

/* FNV-1a over Python's text of every score from 0 to 1 000 000, each followed by a newline. */
static void score_text_is_what_python_prints_over_the_whole_range(void **state)
{
    (void)state;
    uint64_t hash = 0xcbf29ce484222325u;
    char text[CXONE_SCORE_BYTES];
    for (int64_t score = 0; score <= 1000000; score++) {
        cxone_format_score(score, text);
        for (const char *c = text; *c; c++) {
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
        }
        hash = (hash ^ '\n') * 0x100000001b3u;
    }
    assert_true(hash == 0x7fa4859e9cf8bc28u);
}

static void score_outside_its_range_is_clamped(void **state)
{
    (void)state;
    char text[CXONE_SCORE_BYTES];
    assert_string_equal(cxone_format_score(-1, text), "0.0");
    assert_string_equal(cxone_format_score(INT64_MAX, text), "1.0");
}

static void score_text_ignores_the_locale(void **state)
{
    (void)state;
    char text[CXONE_SCORE_BYTES];
    const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    bool set = false;
    for (size_t i = 0; i < 3 && !set; i++) {
        set = setlocale(LC_NUMERIC, names[i]) != NULL;
    }
    if (!set) {
        skip(); /* no locale with a comma is installed */
    }
    cxone_format_score(280000, text);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(text, "0.28");
}

static void attributes_are_the_tutorials_body(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 1024);
    const struct cxone_attribute attributes[] = {{"realtime_sentiment_score", "0.28"},
                                                 {"sentiment_trend", "declining"}};
    assert_int_equal(attributes_write(attributes, 2, CXONE_ATTRIBUTE_BODY_OBJECT, &body, NULL), 0);
    assert_string_equal(buf_string(&body), "{\"attributes\":{\"realtime_sentiment_score\":\"0.28\","
                                           "\"sentiment_trend\":\"declining\"}}");
    buf_done(&body);
}

static void attributes_without_content_are_refused(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 64);
    const struct cxone_attribute no_key = {"", "x"};
    const struct cxone_attribute no_value = {"x", NULL};
    char longer[80];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const struct cxone_attribute too_long = {"x", longer};
    assert_int_equal(attributes_write(NULL, 0, CXONE_ATTRIBUTE_BODY_OBJECT, &body, NULL),
                     ERROR_USAGE);
    assert_int_equal(attributes_write(&no_key, 1, CXONE_ATTRIBUTE_BODY_OBJECT, &body, NULL),
                     ERROR_USAGE);
    buf_clear(&body);
    assert_int_equal(attributes_write(&no_value, 1, CXONE_ATTRIBUTE_BODY_OBJECT, &body, NULL),
                     ERROR_USAGE);
    buf_clear(&body);
    assert_int_equal(attributes_write(&too_long, 1, CXONE_ATTRIBUTE_BODY_OBJECT, &body, NULL),
                     ERROR_LIMIT);
    buf_done(&body);
}

static void suggestion_is_the_tutorials_body(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 1024);
    assert_int_equal(suggestions_write("123e4567", "text", "Say \"sorry\".\n", &body, NULL), 0);
    assert_string_equal(buf_string(&body),
                        "{\"interactionId\":\"123e4567\",\"suggestions\":[{\"type\":\"text\","
                        "\"content\":\"Say \\\"sorry\\\".\\n\"}]}");
    buf_done(&body);
}

static void suggestion_past_the_limit_is_refused(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 32);
    assert_int_equal(suggestions_write("1", "text", "longer than thirty-two", &body, NULL),
                     ERROR_LIMIT);
    buf_done(&body);
}

static void tracking_id_is_found_in_every_known_place(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *id; /* NULL: none */
    } rows[] = {
        {"{\"suggestionId\":\"a-1\"}", "a-1"},
        {"{\"trackingId\":\"a-2\"}", "a-2"},
        {"{\"id\":\"a-3\"}", "a-3"},
        {"{\"id\":9007199254740993}", "9007199254740993"},
        {"{\"suggestions\":[{\"id\":\"a-4\"}]}", "a-4"},
        {"{\"id\":\"later\",\"suggestionId\":\"first\"}", "first"},
        {"{\"suggestionId\":null,\"id\":\"b\"}", "b"},
        {"{\"suggestions\":[]}", NULL},
        {"{\"suggestionId\":\"\"}", NULL},
        {"{\"suggestionId\":1.5}", NULL},
        {"[]", NULL},
        {"<html>", NULL},
        {"", NULL},
        {"{\"suggestionId\":\"a-1", NULL},
        {"{\"id\":\"a\\u0000b\"}", NULL},
    };
    char id[SUGGESTIONS_TRACKING_BYTES];
    struct cxone_mapping map;
    cxone_mapping_default(&map);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *found =
            suggestions_tracking_id(&map.tracking, rows[i].body, strlen(rows[i].body), id);
        if (rows[i].id) {
            assert_non_null(found);
            assert_string_equal(found, rows[i].id);
        } else {
            assert_null(found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_text_is_what_python_prints),
        cmocka_unit_test(score_text_is_what_python_prints_over_the_whole_range),
        cmocka_unit_test(score_outside_its_range_is_clamped),
        cmocka_unit_test(score_text_ignores_the_locale),
        cmocka_unit_test(attributes_are_the_tutorials_body),
        cmocka_unit_test(attributes_without_content_are_refused),
        cmocka_unit_test(suggestion_is_the_tutorials_body),
        cmocka_unit_test(suggestion_past_the_limit_is_refused),
        cmocka_unit_test(tracking_id_is_found_in_every_known_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
