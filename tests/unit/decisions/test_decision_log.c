/* The log of decisions: what is written is a chain, over files and restarts; what was tampered with
 * is found. The form of a line is the one that sha256sum gives (the first case). */
#include "decisions/decision_files.h"
#include "decisions/decision_log.h"
#include "decisions/decision_review.h"

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

static char folder[] = "/tmp/undertone-decisions-XXXXXX";
static char path[80];

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    bool made = mkdtemp(folder) != NULL;
    (void)snprintf(path, sizeof path, "%s/decisions.jsonl", folder);
    return made ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    uint64_t *lasts;
    size_t count;
    assert_int_equal(decision_files_list(path, &lasts, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        struct buf name;
        buf_init(&name, 200);
        assert_true(decision_files_name(path, lasts[i], &name));
        (void)unlink(buf_string(&name));
        buf_done(&name);
    }
    free(lasts);
    (void)unlink(path);
    return rmdir(folder);
}

static struct decision_log *open_log(uint64_t bytes_max, unsigned files_max, uint64_t *cut)
{
    struct decision_log *log;
    struct error err;
    const struct decision_log_options options = {path, bytes_max, files_max};
    if (decision_log_open(&log, &options, cut, &err)) {
        fail_msg("%s", err.message);
    }
    return log;
}

static void write_some(struct decision_log *log, int count)
{
    struct error err;
    for (int i = 0; i < count; i++) {
        struct json_writer *writer =
            decision_log_begin(log, "alert", (struct wall){1795508708206 + i});
        json_write_key(writer, "alert");
        json_write_integer(writer, i);
        if (decision_log_end(log, &err)) {
            fail_msg("%s", err.message);
        }
    }
}

static void write_run(uint64_t bytes_max, unsigned files_max, int count)
{
    uint64_t cut;
    struct decision_log *log = open_log(bytes_max, files_max, &cut);
    assert_int_equal(cut, 0);
    write_some(log, count);
    decision_log_close(log);
}

static size_t read_all(char *out, size_t out_bytes)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(out, 1, out_bytes - 1, file);
    (void)fclose(file);
    out[size] = '\0';
    return size;
}

static void write_all(const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static int review_all(struct decision_review *review, struct error *err)
{
    uint64_t *lasts;
    size_t count;
    int result = decision_files_list(path, &lasts, &count, err);
    decision_review_init(review, NULL);
    for (size_t i = 0; i < count && !result; i++) {
        struct buf name;
        buf_init(&name, 200);
        assert_true(decision_files_name(path, lasts[i], &name));
        result = decision_review_read(review, buf_string(&name), NULL, NULL, err);
        buf_done(&name);
    }
    free(lasts);
    return result ? result : decision_review_read(review, path, NULL, NULL, err);
}

/* The hash is what `printf '%s' LINE | sha256sum` prints for what stands before it. */
static void a_line_is_as_documented(void **state)
{
    (void)state;
    char text[1024];
    write_run(1 << 20, 0, 1);
    (void)read_all(text, sizeof text);
    assert_string_equal(
        text, "{\"seq\":1,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000"
              "000\",\"time\":\"2026-11-24T08:25:08.206Z\",\"kind\":\"alert\",\"alert\":0,"
              "\"hash\":\"0ac75119209108617f4e2ce93caf81b35d51d45b43da7e0f907f19f4a837fee8\"}\n");
}

static void the_chain_goes_on_over_restarts_and_files(void **state)
{
    (void)state;
    struct decision_review review;
    struct error err = {0};
    for (int run = 0; run < 5; run++) {
        write_run(1000, 0, 7);
    }
    if (review_all(&review, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(review.first, 1);
    assert_int_equal(review.lines, 35);
    assert_int_equal(review.chain.seq, 35);
}

static void old_files_go_and_the_rest_is_whole(void **state)
{
    (void)state;
    struct decision_review review;
    uint64_t *lasts;
    size_t count;
    write_run(1000, 2, 40);
    assert_int_equal(decision_files_list(path, &lasts, &count, NULL), 0);
    assert_int_equal(count, 2);
    free(lasts);
    assert_int_equal(review_all(&review, NULL), 0);
    assert_true(review.first > 1);
    assert_int_equal(review.chain.seq, 40);
}

static void a_new_file_without_a_line_goes_on_after_the_full_one(void **state)
{
    (void)state;
    struct decision_review review;
    char name[120];
    write_run(1 << 20, 0, 3);
    (void)snprintf(name, sizeof name, "%s.000000000003", path);
    assert_int_equal(rename(path, name), 0);
    write_run(1 << 20, 0, 2);
    assert_int_equal(review_all(&review, NULL), 0);
    assert_int_equal(review.chain.seq, 5);
}

static void what_was_cut_off_is_cut_away(void **state)
{
    (void)state;
    char text[4096];
    struct decision_review review;
    write_run(1 << 20, 0, 3);
    size_t size = read_all(text, sizeof text);
    size_t two = (size_t)(strchr(strchr(text, '\n') + 1, '\n') + 1 - text);
    for (size_t end = two; end < size; end++) { /* every place in the third line */
        uint64_t cut;
        write_all(text, end);
        struct decision_log *log = open_log(1 << 20, 0, &cut);
        assert_int_equal(cut, end - two);
        assert_int_equal(decision_log_head(log)->seq, 2);
        write_some(log, 1);
        decision_log_close(log);
        assert_int_equal(review_all(&review, NULL), 0);
        assert_int_equal(review.lines, 3);
    }
}

static void every_changed_byte_is_found(void **state)
{
    (void)state;
    char text[4096];
    write_run(1 << 20, 0, 3);
    size_t size = read_all(text, sizeof text);
    for (size_t i = 0; i < size; i++) {
        struct decision_review review;
        struct error err = {0};
        char was = text[i];
        text[i] = was == '7' ? '8' : '7';
        write_all(text, size);
        text[i] = was;
        if (i + 1 == size) {
            continue; /* the last newline: a last line without one is a line */
        }
        if (review_all(&review, &err) == 0) {
            fail_msg("byte %zu", i);
        }
        assert_non_null(strstr(err.message, "decisions.jsonl:"));
    }
}

static void lines_taken_out_swapped_or_doubled_are_found(void **state)
{
    (void)state;
    static const char *const orders[] = {"02", "021", "0112", "12", "0122", "012"};
    char text[4096];
    char other[8192];
    write_run(1 << 20, 0, 3);
    (void)read_all(text, sizeof text);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        size_t size = 0;
        for (const char *at = orders[i]; *at; at++) {
            const char *line = text;
            for (int skip = *at - '0'; skip > 0; skip--) {
                line = strchr(line, '\n') + 1;
            }
            size_t bytes = (size_t)(strchr(line, '\n') + 1 - line);
            memcpy(other + size, line, bytes);
            size += bytes;
        }
        struct decision_review review;
        write_all(other, size);
        bool whole = review_all(&review, NULL) == 0;
        /* What begins later is told by `first`, what ends early by a hash kept elsewhere. */
        assert_int_equal(whole, strcmp(orders[i], "012") == 0 || strcmp(orders[i], "12") == 0);
        assert_int_equal(review.first > 1, orders[i][0] != '0');
    }
}

static void a_hash_kept_elsewhere_tells_what_was_cut_from_the_end(void **state)
{
    (void)state;
    struct decision_review review;
    uint64_t cut;
    char head[SHA256_TEXT_BYTES];
    char text[4096];
    struct decision_log *log = open_log(1 << 20, 0, &cut);
    write_some(log, 3);
    memcpy(head, decision_log_head(log)->hash, sizeof head);
    decision_log_close(log);
    decision_review_init(&review, head);
    assert_int_equal(decision_review_read(&review, path, NULL, NULL, NULL), 0);
    assert_true(review.found);
    (void)read_all(text, sizeof text);
    write_all(text, (size_t)(strchr(strchr(text, '\n') + 1, '\n') + 1 - text));
    decision_review_init(&review, head);
    assert_int_equal(decision_review_read(&review, path, NULL, NULL, NULL), 0);
    assert_false(review.found);
}

static void a_last_line_that_was_changed_is_not_written_on(void **state)
{
    (void)state;
    char text[4096];
    struct decision_log *log;
    struct error err = {0};
    uint64_t cut;
    const struct decision_log_options options = {path, 1 << 20, 0};
    write_run(1 << 20, 0, 2);
    size_t size = read_all(text, sizeof text);
    text[size - 100] ^= 1;
    write_all(text, size);
    assert_int_equal(decision_log_open(&log, &options, &cut, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "move the file away"));
}

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    struct decision_log *second;
    uint64_t cut;
    const struct decision_log_options options = {path, 1 << 20, 0};
    struct decision_log *log = open_log(1 << 20, 0, &cut);
    assert_int_equal(decision_log_open(&second, &options, &cut, NULL), ERROR_IO);
    decision_log_close(log);
}

static void what_is_too_long_is_left_out_and_the_chain_goes_on(void **state)
{
    (void)state;
    struct decision_review review;
    uint64_t cut;
    struct decision_log *log = open_log(1 << 20, 0, &cut);
    write_some(log, 1);
    struct json_writer *writer = decision_log_begin(log, "alert", (struct wall){0});
    for (int i = 0; i < 2000; i++) {
        json_write_key(writer, "0123456789");
        json_write_integer(writer, i);
    }
    assert_int_equal(decision_log_end(log, NULL), ERROR_LIMIT);
    write_some(log, 1);
    decision_log_close(log);
    assert_int_equal(review_all(&review, NULL), 0);
    assert_int_equal(review.lines, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        CASE(a_line_is_as_documented),
        CASE(the_chain_goes_on_over_restarts_and_files),
        CASE(old_files_go_and_the_rest_is_whole),
        CASE(a_new_file_without_a_line_goes_on_after_the_full_one),
        CASE(what_was_cut_off_is_cut_away),
        CASE(every_changed_byte_is_found),
        CASE(lines_taken_out_swapped_or_doubled_are_found),
        CASE(a_hash_kept_elsewhere_tells_what_was_cut_from_the_end),
        CASE(a_last_line_that_was_changed_is_not_written_on),
        CASE(a_second_writer_is_refused),
        CASE(what_is_too_long_is_left_out_and_the_chain_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
