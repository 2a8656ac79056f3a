/* Reading lines from plain, compressed, cut-off and live files. */
#include "base/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/undertone-lines-XXXXXX";

static void put(const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

/* Opens the file and expects these lines, then the end. */
static void expect_lines(size_t line_bytes_max, const char *const *expected, size_t count)
{
    struct lines *lines;
    struct error err;
    const char *line;
    size_t bytes;
    assert_int_equal(lines_open(&lines, path, line_bytes_max, &err), 0);
    assert_int_equal(lines_number(lines), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(lines_next(lines, &line, &bytes, &err), 1);
        assert_string_equal(line, expected[i]);
        assert_int_equal(bytes, strlen(expected[i]));
        assert_int_equal(lines_number(lines), i + 1);
    }
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 0);
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 0); /* the end stays the end */
    lines_close(lines);
}

static void line_ends_of_both_kinds_are_removed(void **state)
{
    (void)state;
    static const char *const expected[] = {"one", "", "three\rstill", "", "last without newline"};
    static const char text[] = "one\n\nthree\rstill\r\n\r\nlast without newline";
    put(text, sizeof text - 1);
    expect_lines(100, expected, 5);
    put("", 0);
    expect_lines(100, NULL, 0);
    put("\n", 1);
    expect_lines(100, (const char *const[]){""}, 1);
    put("x", 1); /* too short to tell whether it is gzip */
    expect_lines(100, (const char *const[]){"x"}, 1);
}

static void nul_bytes_are_part_of_a_line(void **state)
{
    (void)state;
    struct lines *lines;
    struct error err;
    const char *line;
    size_t bytes;
    put("a\0b\nc\n", 6);
    assert_int_equal(lines_open(&lines, path, 100, &err), 0);
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 1);
    assert_int_equal(bytes, 3);
    assert_memory_equal(line, "a\0b", 4);
    lines_close(lines);
}

static void a_line_over_the_limit_is_named(void **state)
{
    (void)state;
    struct lines *lines;
    struct error err;
    const char *line;
    size_t bytes;
    put("12345\n123456\n1\n", 15);
    assert_int_equal(lines_open(&lines, path, 5, &err), 0);
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 1);
    assert_int_equal(lines_next(lines, &line, &bytes, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "%s:2: line is longer than 5 bytes", path);
    assert_string_equal(err.message, wanted);
    lines_close(lines);
}

static void a_line_longer_than_the_read_buffer_is_whole(void **state)
{
    (void)state;
    enum { SIZE = 200000 };
    char *text = malloc(SIZE + 3);
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i++) {
        text[i] = (char)('a' + i % 26);
    }
    memcpy(text + SIZE, "\nz", 3);
    put(text, SIZE + 2);
    text[SIZE] = '\0';
    const char *const expected[] = {text, "z"};
    expect_lines(SIZE, expected, 2);
    free(text);
}

/* printf 'one\ntwo\n' | gzip -n | xxd -i, and the same for 'three' without a newline. */
static const unsigned char gzip_one_two[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0xcf, 0x4b, 0xe5,
    0x2a, 0x29, 0xcf, 0xe7, 0x02, 0x00, 0xe6, 0x0b, 0xba, 0x12, 0x08, 0x00, 0x00, 0x00};
static const unsigned char gzip_three[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                           0x03, 0x2b, 0xc9, 0x28, 0x4a, 0x4d, 0x05, 0x00, 0xf5,
                                           0xd8, 0xc5, 0x46, 0x05, 0x00, 0x00, 0x00};

static void gzip_is_told_by_its_content(void **state)
{
    (void)state;
    static const char *const expected[] = {"one", "two", "three"};
    unsigned char both[sizeof gzip_one_two + sizeof gzip_three + 4] = {0};
    put(gzip_one_two, sizeof gzip_one_two);
    expect_lines(100, expected, 2);
    memcpy(both, gzip_one_two, sizeof gzip_one_two);
    memcpy(both + sizeof gzip_one_two, gzip_three, sizeof gzip_three);
    put(both, sizeof both - 4); /* two members in a row are one file */
    expect_lines(100, expected, 3);
    put(both, sizeof both); /* zeros behind the data are padding */
    expect_lines(100, expected, 3);
}

static void damaged_gzip_is_an_error_not_a_short_file(void **state)
{
    (void)state;
    for (size_t size = 3; size < sizeof gzip_one_two; size++) {
        char *bytes;
        size_t got;
        struct error err;
        put(gzip_one_two, size);
        assert_int_equal(lines_read_file(path, 1000, &bytes, &got, &err), ERROR_IO);
        assert_non_null(strstr(err.message, "ends too early"));
        assert_null(bytes);
    }
    unsigned char bad[sizeof gzip_one_two];
    memcpy(bad, gzip_one_two, sizeof bad);
    bad[22] ^= 1; /* its checksum */
    put(bad, sizeof bad);
    char *bytes;
    size_t got;
    struct error err;
    assert_int_equal(lines_read_file(path, 1000, &bytes, &got, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "damaged"));
}

static void whole_files_have_a_limit(void **state)
{
    (void)state;
    char *bytes;
    size_t size;
    struct error err;
    put("12345", 5);
    assert_int_equal(lines_read_file(path, 5, &bytes, &size, &err), 0);
    assert_int_equal(size, 5);
    assert_string_equal(bytes, "12345");
    free(bytes);
    assert_int_equal(lines_read_file(path, 4, &bytes, &size, &err), ERROR_LIMIT);
    assert_null(bytes);
    put("", 0);
    assert_int_equal(lines_read_file(path, 4, &bytes, &size, &err), 0);
    assert_string_equal(bytes, "");
    free(bytes);
    put(gzip_one_two, sizeof gzip_one_two); /* the limit is on the content */
    assert_int_equal(lines_read_file(path, 8, &bytes, &size, &err), 0);
    assert_string_equal(bytes, "one\ntwo\n");
    free(bytes);
    assert_int_equal(lines_read_file(path, 7, &bytes, &size, &err), ERROR_LIMIT);
}

static void a_file_that_cannot_be_opened_is_named(void **state)
{
    (void)state;
    struct lines *lines;
    struct error err;
    char *bytes;
    size_t size;
    assert_int_equal(lines_open(&lines, "/nonexistent/x", 10, &err), ERROR_IO);
    assert_null(lines);
    assert_string_equal(err.message, "cannot open /nonexistent/x: No such file or directory");
    assert_int_equal(lines_read_file("/tmp", 10, &bytes, &size, &err), ERROR_IO);
    assert_string_equal(err.message, "cannot read /tmp: Is a directory");
}

/* A line written into a pipe comes out at once, though the writer keeps it open. */
static void a_live_pipe_is_read_line_by_line(void **state)
{
    (void)state;
    struct lines *lines;
    struct error err;
    const char *line;
    size_t bytes;
    int ends[2];
    int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
    assert_int_equal(lines_open(&lines, "-", 100, &err), 0);
    assert_false(lines_ready(lines));
    assert_int_equal(write(ends[1], "hello\nwor", 9), 9);
    assert_true(lines_ready(lines));
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 1);
    assert_string_equal(line, "hello");
    assert_false(lines_ready(lines)); /* half a line is none */
    assert_int_equal(write(ends[1], "ld", 2), 2);
    close(ends[1]);
    assert_true(lines_ready(lines));
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 1);
    assert_string_equal(line, "world");
    assert_int_equal(lines_next(lines, &line, &bytes, &err), 0);
    lines_close(lines);
    assert_true(dup2(saved, STDIN_FILENO) >= 0);
    close(saved);
    close(ends[0]);
}

static void closing_nothing_is_harmless(void **state)
{
    (void)state;
    lines_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_of_both_kinds_are_removed),
        cmocka_unit_test(nul_bytes_are_part_of_a_line),
        cmocka_unit_test(a_line_over_the_limit_is_named),
        cmocka_unit_test(a_line_longer_than_the_read_buffer_is_whole),
        cmocka_unit_test(gzip_is_told_by_its_content),
        cmocka_unit_test(damaged_gzip_is_an_error_not_a_short_file),
        cmocka_unit_test(whole_files_have_a_limit),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_named),
        cmocka_unit_test(a_live_pipe_is_read_line_by_line),
        cmocka_unit_test(closing_nothing_is_harmless),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
