/* Writing JSON: escapes, commas, numbers; and whatever is written reads back the same. */
#include "base/json_write.h"

#include "base/json.h"
#include "base/rand.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <string.h>

static void commas_and_colons_stand_where_they_must(void **state)
{
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    json_write_object_begin(&w);
    json_write_key(&w, "a");
    json_write_array_begin(&w);
    json_write_integer(&w, 1);
    json_write_array_begin(&w);
    json_write_array_end(&w);
    json_write_object_begin(&w);
    json_write_object_end(&w);
    json_write_null(&w);
    json_write_array_end(&w);
    json_write_key(&w, "b");
    json_write_boolean(&w, true);
    json_write_key(&w, "c");
    json_write_cstring(&w, NULL);
    json_write_key(&w, "d");
    json_write_object_begin(&w);
    json_write_key(&w, "e");
    json_write_boolean(&w, false);
    json_write_object_end(&w);
    json_write_object_end(&w);
    assert_string_equal(buf_string(&out),
                        "{\"a\":[1,[],{},null],\"b\":true,\"c\":null,\"d\":{\"e\":false}}");
    assert_false(out.failed);
    buf_done(&out);
}

static void check_string(const char *bytes, size_t size, const char *json)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    json_write_string(&w, bytes, size);
    assert_string_equal(buf_string(&out), json);
    buf_done(&out);
}

static void text_is_escaped_and_repaired(void **state)
{
    (void)state;
    check_string("", 0, "\"\"");
    check_string("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    check_string("\n\r\t\b\x1F\x7F", 6, "\"\\n\\r\\t\\u0008\\u001f\\u007f\"");
    check_string("a\0b", 3, "\"a\\u0000b\"");
    check_string("\xC3\xA9\xF0\x9F\x98\x80", 6, "\"\xC3\xA9\xF0\x9F\x98\x80\"");
    check_string("x\xFFy\xE2\x82", 5, "\"x\xEF\xBF\xBDy\xEF\xBF\xBD\"");
    check_string("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void check_number(double value, int digits, const char *json)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    json_write_number(&w, value, digits);
    assert_string_equal(buf_string(&out), json);
    buf_done(&out);
}

static void numbers_have_no_locale_and_no_infinity(void **state)
{
    (void)state;
    (void)setlocale(LC_NUMERIC, "de_DE.UTF-8"); /* decides nothing where it is not installed */
    check_number(0.5, 9, "0.5");
    check_number(1.0 / 3, 9, "0.333333333");
    check_number(-0.1, 17, "-0.10000000000000001");
    check_number(1e300, 3, "1e+300");
    check_number(2, 9, "2");
    check_number((double)NAN, 9, "null");
    check_number((double)INFINITY, 9, "null");
    check_number((double)-INFINITY, 9, "null");
    (void)setlocale(LC_NUMERIC, "C");
}

static void integers_are_exact_at_both_ends(void **state)
{
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    json_write_array_begin(&w);
    json_write_integer(&w, INT64_MAX);
    json_write_integer(&w, INT64_MIN);
    json_write_array_end(&w);
    assert_string_equal(buf_string(&out), "[9223372036854775807,-9223372036854775808]");
    buf_done(&out);
}

static void failures_are_kept_for_the_end(void **state)
{
    (void)state;
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1000);
    json_writer_init(&w, &out);
    for (int i = 0; i < JSON_WRITE_DEPTH_MAX + 5; i++) {
        json_write_array_begin(&w);
    }
    assert_true(out.failed);
    buf_clear(&out);
    json_writer_init(&w, &out);
    json_write_array_end(&w); /* nothing was begun */
    assert_true(out.failed);
    buf_done(&out);
    buf_init(&out, 5);
    json_writer_init(&w, &out);
    json_write_cstring(&w, "longer than that");
    assert_true(out.failed);
    buf_done(&out);
}

/* --- what is written reads back --- */

enum { TEXT_MAX = 12 };

static size_t random_text(struct rand *rand, char *bytes)
{
    size_t size = (size_t)rand_below(rand, TEXT_MAX + 1);
    for (size_t i = 0; i < size; i++) {
        /* often hostile: quotes, controls, stray continuation bytes */
        static const char odd[] = "\"\\/\n\t\x01\x7F\xFF\x80\xC3\xA9\xE2\xF0";
        bytes[i] =
            rand_below(rand, 2) ? odd[rand_below(rand, sizeof odd)] : (char)rand_below(rand, 256);
    }
    return size;
}

/* The text with each malformed part replaced, made with the decoder alone. */
static size_t repaired(const char *bytes, size_t size, char *out)
{
    size_t made = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        at += utf8_decode(bytes + at, size - at, &c, NULL);
        made += utf8_encode(c, out + made);
    }
    return made;
}

static void write_random(struct rand *rand, struct json_writer *w, int depth)
{
    char text[TEXT_MAX];
    uint64_t kind = rand_below(rand, depth > 0 ? 6 : 4);
    if (kind == 0) {
        json_write_string(w, text, random_text(rand, text));
    } else if (kind == 1) {
        json_write_integer(w, (int64_t)rand_u64(rand));
    } else if (kind == 2) {
        json_write_number(w, (rand_uniform(rand) - 0.5) * ldexp(1, (int)rand_below(rand, 200)), 17);
    } else if (kind == 3) {
        json_write_boolean(w, rand_below(rand, 2) == 1);
    } else if (kind == 4) {
        json_write_array_begin(w);
        for (uint64_t i = rand_below(rand, 5); i > 0; i--) {
            write_random(rand, w, depth - 1);
        }
        json_write_array_end(w);
    } else {
        json_write_object_begin(w);
        for (uint64_t i = rand_below(rand, 5); i > 0; i--) {
            const char key[] = {'k', (char)('0' + i), '\0'};
            json_write_key(w, key);
            write_random(rand, w, depth - 1);
        }
        json_write_object_end(w);
    }
}

/* Draws the same random numbers again and compares with what was read. */
static void check_random(struct rand *rand, const struct json *value, int depth)
{
    char text[TEXT_MAX];
    uint64_t kind = rand_below(rand, depth > 0 ? 6 : 4);
    if (kind == 0) {
        char wanted[3 * TEXT_MAX + 1];
        size_t size;
        size_t wanted_size = repaired(text, random_text(rand, text), wanted);
        const char *got = json_as_string(value, &size);
        assert_non_null(got);
        assert_int_equal(size, wanted_size);
        assert_memory_equal(got, wanted, size);
    } else if (kind == 1) {
        int64_t got;
        assert_true(json_as_integer(value, &got));
        assert_true(got == (int64_t)rand_u64(rand));
    } else if (kind == 2) {
        double got;
        double share = rand_uniform(rand) - 0.5;
        assert_true(json_as_number(value, &got));
        assert_true(got == share * ldexp(1, (int)rand_below(rand, 200)));
    } else if (kind == 3) {
        bool got;
        assert_true(json_as_boolean(value, &got));
        assert_int_equal(got, rand_below(rand, 2) == 1);
    } else if (kind == 4) {
        uint64_t count = rand_below(rand, 5);
        assert_int_equal(json_size(value), count);
        for (size_t i = 0; i < count; i++) {
            check_random(rand, json_at(value, i), depth - 1);
        }
    } else {
        uint64_t count = rand_below(rand, 5);
        assert_int_equal(json_size(value), count);
        for (uint64_t i = count; i > 0; i--) {
            const char key[] = {'k', (char)('0' + i), '\0'};
            check_random(rand, json_get(value, key), depth - 1);
        }
    }
}

static void random_values_read_back(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 20);
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct rand rand;
        struct json_writer w;
        struct json_document *document;
        struct error err;
        rand_seed(&rand, seed);
        buf_clear(&out);
        json_writer_init(&w, &out);
        write_random(&rand, &w, 4);
        assert_false(out.failed);
        assert_true(utf8_is_valid(out.bytes, out.size));
        if (json_parse(out.bytes, out.size, &document, &err)) {
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.message);
        }
        rand_seed(&rand, seed);
        check_random(&rand, json_root(document), 4);
        json_free(document);
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_colons_stand_where_they_must),
        cmocka_unit_test(text_is_escaped_and_repaired),
        cmocka_unit_test(numbers_have_no_locale_and_no_infinity),
        cmocka_unit_test(integers_are_exact_at_both_ends),
        cmocka_unit_test(failures_are_kept_for_the_end),
        cmocka_unit_test(random_values_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
