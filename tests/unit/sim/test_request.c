/* What requests must look like: tables of what is taken and what is refused. */
#include "sim/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void transcript_parameters_are_all_required_and_exact(void **unused)
{
    (void)unused;
    static const struct {
        const char *direction, *include_final, *start_time;
        const char *wrong; /* the parameter named, or NULL if accepted */
    } cases[] = {
        {"both", "true", "0", NULL},
        {"customer", "false", "1698765432000", NULL},
        {"agent", "true", "999999999999999", NULL},
        {NULL, "true", "0", "direction"},
        {"", "true", "0", "direction"},
        {"Both", "true", "0", "direction"},
        {"both,agent", "true", "0", "direction"},
        {"both", NULL, "0", "includeFinal"},
        {"both", "1", "0", "includeFinal"},
        {"both", "True", "0", "includeFinal"},
        {"both", "true", NULL, "startTime"},
        {"both", "true", "", "startTime"},
        {"both", "true", "-1", "startTime"},
        {"both", "true", "+1", "startTime"},
        {"both", "true", "1.5", "startTime"},
        {"both", "true", "1e3", "startTime"},
        {"both", "true", " 1", "startTime"},
        {"both", "true", "0x10", "startTime"},
        {"both", "true", "9999999999999999", "startTime"},
        {"both", "true", "99999999999999999999999", "startTime"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct request_transcripts out;
        struct request_refusal refusal = {0};
        bool ok = request_parse_transcripts(cases[i].direction, cases[i].include_final,
                                            cases[i].start_time, &out, &refusal);
        assert_int_equal(ok, cases[i].wrong == NULL);
        if (!ok) {
            assert_string_equal(refusal.parameter, cases[i].wrong);
            assert_non_null(refusal.message);
        }
    }
    struct request_transcripts out;
    struct request_refusal refusal;
    assert_true(request_parse_transcripts("agent", "true", "1698765432000", &out, &refusal));
    assert_true(out.agent && !out.customer && out.finals);
    assert_int_equal(out.start_ms, 1698765432000);
}

static bool takes_attributes(const char *body)
{
    struct json_document *document = NULL;
    const struct json *attributes;
    struct request_refusal refusal = {0};
    bool ok = request_parse_attributes(body, strlen(body), &document, &attributes, &refusal);
    assert_true(ok == (document != NULL));
    assert_true(ok == (refusal.message == NULL));
    json_free(document);
    return ok;
}

static void attributes_must_be_one_to_64_strings(void **unused)
{
    (void)unused;
    assert_true(takes_attributes("{\"attributes\":{\"realtime_sentiment_score\":\"0.28\","
                                 "\"sentiment_trend\":\"declining\"}}"));
    assert_true(takes_attributes("{\"attributes\":{\"k\":\"\"}}"));
    static const char *const refused[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"attributes\":{}}",
        "{\"attributes\":[]}",
        "{\"attributes\":\"x\"}",
        "{\"attributes\":{\"k\":1}}",
        "{\"attributes\":{\"k\":0.28}}",
        "{\"attributes\":{\"k\":null}}",
        "{\"attributes\":{\"k\":true}}",
        "{\"attributes\":{\"k\":{}}}",
        "{\"attributes\":{\"\":\"v\"}}",
        "{\"attributes\":{\"k\":\"v\"},\"more\":1}",
        "{\"Attributes\":{\"k\":\"v\"}}",
        "{\"attributes\":{\"k\":\"v\"}} x",
        "{\"attributes\":{\"k\":\"v\"}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(takes_attributes(refused[i]));
    }
    for (unsigned count = 64; count <= 65; count++) {
        char body[2048] = "{\"attributes\":{";
        size_t at = strlen(body);
        for (unsigned i = 0; i < count; i++) {
            at += (size_t)snprintf(body + at, sizeof body - at, "%s\"k%u\":\"v\"", i > 0 ? "," : "",
                                   i);
        }
        snprintf(body + at, sizeof body - at, "}}");
        assert_int_equal(takes_attributes(body), count == 64);
    }
}

static bool takes_suggestion(const char *body)
{
    struct json_document *document = NULL;
    const char *id;
    size_t id_bytes;
    const struct json *suggestions;
    struct request_refusal refusal = {0};
    bool ok = request_parse_suggestions(body, strlen(body), &document, &id, &id_bytes, &suggestions,
                                        &refusal);
    assert_true(ok == (document != NULL));
    json_free(document);
    return ok;
}

static void suggestions_must_be_the_documented_body(void **unused)
{
    (void)unused;
    assert_true(takes_suggestion("{\"interactionId\":\"123e4567-e89b-12d3-a456-426614174000\","
                                 "\"suggestions\":[{\"type\":\"text\",\"content\":\"Hint.\"}]}"));
    static const char *const refused[] = {
        "",
        "[]",
        "{\"interactionId\":\"i\"}",
        "{\"interactionId\":\"i\",\"suggestions\":[]}",
        "{\"interactionId\":\"i\",\"suggestions\":{}}",
        "{\"interactionId\":\"i\",\"suggestions\":[\"x\"]}",
        "{\"interactionId\":\"i\",\"suggestions\":[{\"type\":\"text\"}]}",
        "{\"interactionId\":\"i\",\"suggestions\":[{\"type\":\"card\",\"content\":\"x\"}]}",
        "{\"interactionId\":\"i\",\"suggestions\":[{\"type\":\"text\",\"content\":\"\"}]}",
        "{\"interactionId\":\"i\",\"suggestions\":[{\"type\":\"text\",\"content\":1}]}",
        "{\"interactionId\":\"i\",\"suggestions\":[{\"type\":\"text\",\"content\":\"x\","
        "\"more\":1}]}",
        "{\"interactionId\":1,\"suggestions\":[{\"type\":\"text\",\"content\":\"x\"}]}",
        "{\"interactionId\":\"\",\"suggestions\":[{\"type\":\"text\",\"content\":\"x\"}]}",
        "{\"interactionId\":\"i\",\"suggestions\":[{\"type\":\"text\",\"content\":\"x\"}],"
        "\"more\":1}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(takes_suggestion(refused[i]));
    }
}

static void accept_must_allow_json(void **unused)
{
    (void)unused;
    static const struct {
        const char *accept;
        bool ok;
    } cases[] = {
        {NULL, true},
        {"*/*", true},
        {"application/json", true},
        {"Application/JSON;q=0.5", true},
        {"text/html, application/json;charset=utf-8", true},
        {"text/html,*/*;q=0.1", true},
        {"application/*", true},
        {"text/html", false},
        {"", false},
        {"application/jsonp", false},
        {"application/json;q=0", false},
        {"application/json; q=0.000", false},
        {"text/*", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(request_accepts_json(cases[i].accept), cases[i].ok);
    }
}

static void content_types_compare_without_parameters_and_case(void **unused)
{
    (void)unused;
    assert_true(request_has_content_type("application/json", "application/json"));
    assert_true(request_has_content_type("Application/Json ; charset=utf-8", "application/json"));
    assert_false(request_has_content_type(NULL, "application/json"));
    assert_false(request_has_content_type("", "application/json"));
    assert_false(request_has_content_type("application/json-patch+json", "application/json"));
    assert_false(request_has_content_type("text/plain", "application/json"));
}

static void idempotency_keys_are_short_and_printable(void **unused)
{
    (void)unused;
    char key[257];
    memset(key, 'k', 256);
    key[256] = '\0';
    assert_false(request_is_idempotency_key(key));
    key[255] = '\0';
    assert_true(request_is_idempotency_key(key));
    assert_false(request_is_idempotency_key(""));
    assert_false(request_is_idempotency_key("a\tb"));
    assert_false(request_is_idempotency_key("\xc3\xa9"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transcript_parameters_are_all_required_and_exact),
        cmocka_unit_test(attributes_must_be_one_to_64_strings),
        cmocka_unit_test(suggestions_must_be_the_documented_body),
        cmocka_unit_test(accept_must_allow_json),
        cmocka_unit_test(content_types_compare_without_parameters_and_case),
        cmocka_unit_test(idempotency_keys_are_short_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
