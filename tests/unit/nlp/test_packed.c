/* A packed model answers as its checkpoint does, to the last bit, and a packed file that is stale,
 * cut, damaged, foreign or made to harm is passed over, never believed and never fatal. */
#include "base/json.h"
#include "base/keyhash.h"
#include "base/lines.h"
#include "base/rand.h"
#include "nlp/scorer.h"
#include "nlp/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURES   UNDERTONE_SOURCE_DIR "/tests/fixtures"
#define TOKENIZERS UNDERTONE_SOURCE_DIR "/tests/golden/tokenizers"
#define DEFAULT    UNDERTONE_SOURCE_DIR "/models/undertone-minilm-l6"

enum { TEXTS_MAX = 96, PATH_BYTES = 512, LINE_BYTES_MAX = 1 << 20, FILE_BYTES_MAX = 64 << 20 };

/* Where the file says things; see packed.c. */
enum {
    FILE_BYTES_AT = 8,
    NUMBERS_AT_AT = 16,
    NUMBERS_SUM_AT = 24,
    LAYOUT_AT = 32,
    SOURCE_AT = 40,
    SUM_AT = 48,
    HEADER_BYTES = 56,
};

struct room {
    char folder[64];
    char copy[PATH_BYTES];   /* of tiny-roberta, to be changed */
    char packed[PATH_BYTES]; /* the file under test */
    struct scorer_text texts[TEXTS_MAX];
    struct json_document *documents[TEXTS_MAX]; /* own the texts */
    size_t count;
};

static void join(char out[PATH_BYTES], const char *folder, const char *name)
{
    assert_true(snprintf(out, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES);
}

static char *read_all(const char *path, size_t *size)
{
    char *bytes;
    struct error err;
    if (lines_read_file(path, FILE_BYTES_MAX, &bytes, size, &err)) {
        fail_msg("%s", err.message);
    }
    return bytes;
}

static void write_all(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void copy_folder(const char *from, const char *to)
{
    DIR *folder = opendir(from);
    assert_non_null(folder);
    assert_int_equal(mkdir(to, 0700), 0);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char source[PATH_BYTES];
        char target[PATH_BYTES];
        size_t size;
        if (entry->d_name[0] != '.') {
            join(source, from, entry->d_name);
            join(target, to, entry->d_name);
            char *bytes = read_all(source, &size);
            write_all(target, bytes, size);
            free(bytes);
        }
    }
    closedir(folder);
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char name[PATH_BYTES];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            join(name, path, entry->d_name);
            (void)unlink(name);
        }
    }
    if (folder) {
        closedir(folder);
    }
    (void)rmdir(path);
}

static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static int set_up(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    struct lines *lines;
    struct error err = {0};
    const char *line;
    size_t size;
    assert_non_null(room);
    (void)snprintf(room->folder, sizeof room->folder, "/tmp/undertone-packed-XXXXXX");
    assert_non_null(mkdtemp(room->folder));
    join(room->copy, room->folder, "model");
    join(room->packed, room->folder, "file.packed");
    copy_folder(FIXTURES "/tiny-roberta", room->copy);
    assert_int_equal(
        lines_open(&lines, FIXTURES "/tiny-roberta/golden.jsonl", LINE_BYTES_MAX, &err), 0);
    while (room->count < TEXTS_MAX && lines_next(lines, &line, &size, &err) == 1) {
        struct json_document **document = &room->documents[room->count];
        assert_int_equal(json_parse(line, size, document, &err), 0);
        struct scorer_text *text = &room->texts[room->count++];
        text->bytes = json_as_string(json_get(json_root(*document), "text"), &text->size);
        assert_non_null(text->bytes);
    }
    lines_close(lines);
    assert_true(room->count > 20);
    *state = room;
    return 0;
}

static int tear_down(void **state)
{
    struct room *room = *state;
    for (size_t i = 0; i < room->count; i++) {
        json_free(room->documents[i]);
    }
    remove_folder(room->copy);
    remove_folder(room->folder);
    free(room);
    return 0;
}

/* NULL when this CPU lacks the precision. */
static struct scorer *open_model(const char *directory, enum scorer_precision precision,
                                 const char *packed)
{
    struct scorer *scorer;
    struct error err = {0};
    const struct scorer_options options = {.precision = precision, .packed = packed};
    int code = scorer_open(&scorer, directory, &options, &err);
    if (code != 0 && !(code == ERROR_UNSUPPORTED && precision == SCORER_PRECISION_BF16)) {
        fail_msg("%s", err.message);
    }
    return scorer;
}

static void pack(const struct scorer *scorer, const char *directory, const char *path)
{
    struct error err = {0};
    if (scorer_pack(scorer, directory, path, &err) != 0) {
        fail_msg("%s", err.message);
    }
}

/* Packs the changeable copy. */
static void pack_copy(const struct room *room)
{
    struct scorer *scorer = open_model(room->copy, SCORER_PRECISION_INT8, NULL);
    pack(scorer, room->copy, room->packed);
    scorer_close(scorer);
}

static void score(const struct scorer *scorer, const struct room *room,
                  struct scorer_result results[TEXTS_MAX])
{
    struct error err = {0};
    struct scorer_scratch *scratch;
    assert_int_equal(scorer_scratch_create(scorer, 0, &scratch, &err), 0);
    assert_int_equal(
        scorer_run(scorer, scratch, room->texts, room->count, SCORER_LONG_CHUNK, results, &err), 0);
    scorer_scratch_destroy(scratch);
}

static void same_answers(const struct room *room, const char *directory,
                         enum scorer_precision precision)
{
    static struct scorer_result expected[TEXTS_MAX];
    static struct scorer_result results[TEXTS_MAX];
    struct error err;
    struct scorer *from_files = open_model(directory, precision, NULL);
    if (!from_files) {
        return;
    }
    assert_false(scorer_is_packed(from_files));
    pack(from_files, directory, room->packed);
    struct scorer *from_packed = open_model(directory, precision, room->packed);
    assert_null(scorer_packed_fault(from_packed));
    assert_true(scorer_is_packed(from_packed));
    assert_int_equal(scorer_packed_verify(from_packed, &err), 0);
    assert_int_equal(scorer_weight_bytes(from_packed), scorer_weight_bytes(from_files));
    assert_string_equal(scorer_precision_name(from_packed), scorer_precision_name(from_files));
    assert_string_equal(scorer_label_name(from_packed, 0), scorer_label_name(from_files, 0));
    memset(expected, 0, sizeof expected);
    memset(results, 0, sizeof results);
    score(from_files, room, expected);
    score(from_packed, room, results);
    for (size_t i = 0; i < room->count; i++) {
        assert_memory_equal(&results[i], &expected[i], sizeof results[i]);
    }
    scorer_close(from_packed);
    scorer_close(from_files);
}

static void a_packed_model_gives_the_checkpoints_answers_to_the_bit(void **state)
{
    static const char *const models[] = {
        FIXTURES "/tiny-bert",         FIXTURES "/tiny-bert-bf16",
        FIXTURES "/tiny-distilbert",   FIXTURES "/tiny-roberta",
        FIXTURES "/tiny-roberta-fp16", FIXTURES "/tiny-roberta-bin",
        FIXTURES "/tiny-xlm-roberta",  DEFAULT,
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        same_answers(*state, models[i], SCORER_PRECISION_FP32);
        same_answers(*state, models[i], SCORER_PRECISION_INT8);
        same_answers(*state, models[i], SCORER_PRECISION_BF16);
    }
}

/* ---- tokenizers alone ---- */

static void same_ids(const struct room *room, const struct tokenizer *expected,
                     const struct tokenizer *tokenizer)
{
    enum { IDS_MAX = 4096 };
    static uint32_t ids[2][IDS_MAX];
    struct tokenizer_scratch *scratches[2];
    struct error err;
    assert_int_equal(tokenizer_vocab_count(tokenizer), tokenizer_vocab_count(expected));
    assert_memory_equal(tokenizer_frame(tokenizer), tokenizer_frame(expected),
                        sizeof(struct tokenizer_frame));
    assert_int_equal(tokenizer_scratch_create(expected, &scratches[0], &err), 0);
    assert_int_equal(tokenizer_scratch_create(tokenizer, &scratches[1], &err), 0);
    for (size_t i = 0; i < room->count; i++) {
        const struct scorer_text *text = &room->texts[i];
        size_t count =
            tokenizer_encode(expected, scratches[0], text->bytes, text->size, ids[0], IDS_MAX);
        assert_int_equal(
            tokenizer_encode(tokenizer, scratches[1], text->bytes, text->size, ids[1], IDS_MAX),
            count);
        assert_memory_equal(ids[1], ids[0], (count < IDS_MAX ? count : IDS_MAX) * sizeof ids[0][0]);
    }
    tokenizer_scratch_destroy(scratches[0]);
    tokenizer_scratch_destroy(scratches[1]);
}

static void every_kind_of_tokenizer_survives_packing(void **state)
{
    static const char *const tokenizers[] = {
        "roberta-base",           "added",
        "variants/bpe-dropped",   "variants/bpe-old",
        "variants/bpe-unknown",   "variants/bpe-whole",
        "variants/unigram-bare",  "variants/unigram-first",
        "variants/unigram-never", "variants/unigram-new",
        "variants/unigram-old",
    };
    const struct room *room = *state;
    const struct packed_identity identity = {1, 2};
    for (size_t i = 0; i < sizeof tokenizers / sizeof tokenizers[0]; i++) {
        char directory[PATH_BYTES];
        struct tokenizer *expected;
        struct tokenizer *tokenizer;
        struct packed *packed;
        struct error err = {0};
        join(directory, TOKENIZERS, tokenizers[i]);
        assert_int_equal(tokenizer_open(&expected, directory, &err), 0);
        assert_int_equal(packed_create(&packed, room->packed, &identity, &err), 0);
        tokenizer_pack(expected, packed);
        assert_int_equal(packed_commit(packed, &err), 0);
        packed_close(packed);
        assert_int_equal(packed_open(&packed, room->packed, &identity, &err), 0);
        tokenizer_unpack(&tokenizer, packed);
        assert_int_equal(packed_finish(packed, &err), 0);
        same_ids(room, expected, tokenizer);
        tokenizer_close(tokenizer);
        packed_close(packed);
        tokenizer_close(expected);
    }
}

/* ---- files that are not to be used ---- */

/* Opens the copy with whatever the file is now; it must load either way. Returns why the file was
 * passed over, ERROR_NONE when it was used. */
static enum error_code fault_of_file(const struct room *room)
{
    struct scorer *scorer = open_model(room->copy, SCORER_PRECISION_INT8, room->packed);
    const struct error *fault = scorer_packed_fault(scorer);
    assert_int_equal(scorer_is_packed(scorer), !fault);
    enum error_code code = fault ? fault->code : ERROR_NONE;
    if (fault && code != ERROR_IO) {
        assert_non_null(strstr(fault->message, room->packed));
    }
    scorer_close(scorer);
    return code;
}

static void a_missing_file_is_no_fault_to_speak_of(void **state)
{
    struct room *room = *state;
    (void)unlink(room->packed);
    assert_int_equal(fault_of_file(room), ERROR_IO);
}

static void a_file_cut_anywhere_is_passed_over(void **state)
{
    struct room *room = *state;
    size_t size;
    pack_copy(room);
    char *bytes = read_all(room->packed, &size);
    for (size_t cut = 0; cut < size; cut += cut < 4096 ? 512 : 4096) {
        assert_int_equal(truncate(room->packed, 0), 0);
        write_all(room->packed, bytes, cut);
        assert_int_equal(fault_of_file(room), ERROR_FORMAT);
    }
    write_all(room->packed, bytes, size - 1);
    assert_int_equal(fault_of_file(room), ERROR_FORMAT);
    write_all(room->packed, bytes, size);
    assert_int_equal(fault_of_file(room), ERROR_NONE);
    free(bytes);
}

static void a_flipped_bit_in_header_or_numbers_is_found(void **state)
{
    struct room *room = *state;
    size_t size;
    uint64_t numbers_at;
    pack_copy(room);
    char *bytes = read_all(room->packed, &size);
    memcpy(&numbers_at, bytes + NUMBERS_AT_AT, sizeof numbers_at);
    for (size_t at = 0; at < size; at = at + 1 == HEADER_BYTES ? (size_t)numbers_at : at + 1) {
        bytes[at] ^= 0x10;
        write_all(room->packed, bytes, size);
        bytes[at] ^= 0x10;
        assert_int_equal(fault_of_file(room), ERROR_FORMAT);
        at += at > HEADER_BYTES ? 6 : 0; /* every seventh of the many numbers */
    }
    free(bytes);
}

static void another_build_or_another_checkpoint_is_told_apart(void **state)
{
    struct room *room = *state;
    char weights[PATH_BYTES];
    char yaml[PATH_BYTES];
    size_t size;
    struct stat before;
    join(weights, room->copy, "model.safetensors");
    join(yaml, room->copy, "model.yaml");
    pack_copy(room);
    write_all(yaml, "temperature: 2\n", 15); /* read anew each time */
    assert_int_equal(fault_of_file(room), ERROR_NONE);
    (void)unlink(yaml);

    assert_int_equal(stat(weights, &before), 0);
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    char *bytes = read_all(weights, &size);
    bytes[size - 1] ^= 1; /* as large, and as old */
    write_all(weights, bytes, size);
    assert_int_equal(utimensat(AT_FDCWD, weights, times, 0), 0);
    assert_int_equal(fault_of_file(room), ERROR_UNSUPPORTED);

    bytes[size - 1] ^= 1;
    write_all(weights, bytes, size);
    assert_int_equal(utimensat(AT_FDCWD, weights, times, 0), 0);
    assert_int_equal(fault_of_file(room), ERROR_NONE);
    times[1].tv_sec++; /* touched */
    assert_int_equal(utimensat(AT_FDCWD, weights, times, 0), 0);
    assert_int_equal(fault_of_file(room), ERROR_UNSUPPORTED);
    free(bytes);
}

static void a_file_of_another_precision_is_passed_over(void **state)
{
    struct room *room = *state;
    struct scorer *scorer = open_model(room->copy, SCORER_PRECISION_FP32, NULL);
    pack(scorer, room->copy, room->packed);
    scorer_close(scorer);
    assert_int_equal(fault_of_file(room), ERROR_FORMAT);
}

static void a_file_that_others_may_write_is_passed_over(void **state)
{
    struct room *room = *state;
    struct stat status;
    pack_copy(room);
    assert_int_equal(stat(room->packed, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(chmod(room->packed, 0664), 0);
    assert_int_equal(fault_of_file(room), ERROR_PERMISSION);
}

static void verifying_finds_a_flipped_weight(void **state)
{
    struct room *room = *state;
    size_t size;
    struct error err = {0};
    pack_copy(room);
    char *bytes = read_all(room->packed, &size);
    bytes[size / 2] ^= 1;
    write_all(room->packed, bytes, size);
    free(bytes);
    struct scorer *scorer = open_model(room->copy, SCORER_PRECISION_INT8, room->packed);
    assert_true(scorer_is_packed(scorer)); /* it is not read through on opening */
    assert_int_equal(scorer_packed_verify(scorer, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, room->packed));
    scorer_close(scorer);
}

static void packing_fails_cleanly_or_not_at_all(void **state)
{
    struct room *room = *state;
    char weights[PATH_BYTES];
    char nowhere[PATH_BYTES];
    struct error err = {0};
    size_t size;
    (void)unlink(room->packed);
    size_t files = files_in(room->folder);
    join(weights, room->copy, "model.safetensors");
    join(nowhere, weights, "file.packed");
    struct scorer *scorer = open_model(room->copy, SCORER_PRECISION_INT8, NULL);
    assert_int_equal(scorer_pack(scorer, room->copy, nowhere, &err), ERROR_IO);
    char *bytes = read_all(weights, &size);
    write_all(weights, bytes, size); /* another time: the scorer may not be these files any more */
    free(bytes);
    struct timespec times[2] = {{1, 0}, {1, 0}};
    assert_int_equal(utimensat(AT_FDCWD, weights, times, 0), 0);
    assert_int_equal(scorer_pack(scorer, room->copy, room->packed, &err), ERROR_CONFIG);
    assert_int_equal(files_in(room->folder), files);
    scorer_close(scorer);
}

/* ---- files made to harm ---- */

static uint64_t sum_of(const void *bytes, size_t size)
{
    static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = "undertone packed";
    return keyhash_short(key, bytes, size);
}

/* Makes the sums of a changed file right again. */
static void forge(char *bytes, size_t size)
{
    uint64_t numbers_at;
    memcpy(&numbers_at, bytes + NUMBERS_AT_AT, sizeof numbers_at);
    if (numbers_at <= size) {
        uint64_t numbers_sum = sum_of(bytes + numbers_at, size - (size_t)numbers_at);
        memcpy(bytes + NUMBERS_SUM_AT, &numbers_sum, sizeof numbers_sum);
    }
    uint64_t sum = sum_of(bytes, SUM_AT);
    memcpy(bytes + SUM_AT, &sum, sizeof sum);
}

/* Whatever the file says, opening and scoring end, within their memory (ASan watches). */
static void survive(const struct room *room)
{
    static struct scorer_result results[TEXTS_MAX];
    struct error err = {0};
    struct scorer_scratch *scratch;
    struct scorer *scorer = open_model(room->copy, SCORER_PRECISION_INT8, room->packed);
    if (scorer_is_packed(scorer)) {
        assert_int_equal(scorer_scratch_create(scorer, 0, &scratch, &err), 0);
        (void)scorer_run(scorer, scratch, room->texts, 12, SCORER_LONG_CHUNK, results, &err);
        scorer_scratch_destroy(scratch);
    }
    scorer_close(scorer);
}

static void forged_numbers_do_no_harm(void **state)
{
    struct room *room = *state;
    size_t size;
    uint64_t numbers_at;
    pack_copy(room);
    char *bytes = read_all(room->packed, &size);
    memcpy(&numbers_at, bytes + NUMBERS_AT_AT, sizeof numbers_at);
    const uint64_t hostile[] = {0, 1, 64, size, (uint64_t)1 << 40, UINT64_MAX - 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        size_t step = i == 6 ? 8 : 56; /* all of them once, some of them often */
        for (size_t at = (size_t)numbers_at + i * 8; at + 8 <= size; at += step) {
            char was[8];
            memcpy(was, bytes + at, sizeof was);
            memcpy(bytes + at, &hostile[i], sizeof hostile[i]);
            forge(bytes, size);
            write_all(room->packed, bytes, size);
            memcpy(bytes + at, was, sizeof was);
            survive(room);
        }
        uint64_t true_at = numbers_at;
        memcpy(bytes + NUMBERS_AT_AT, &hostile[i], sizeof hostile[i]);
        forge(bytes, size);
        write_all(room->packed, bytes, size);
        survive(room);
        memcpy(bytes + NUMBERS_AT_AT, &true_at, sizeof true_at);
    }
    free(bytes);
}

static void forged_arrays_do_no_harm(void **state)
{
    enum { ROUNDS = 250, WORDS = 40 };
    struct room *room = *state;
    size_t size;
    uint64_t numbers_at;
    struct rand rand;
    rand_seed(&rand, 20261124);
    pack_copy(room);
    char *bytes = read_all(room->packed, &size);
    char *forged = malloc(size);
    assert_non_null(forged);
    memcpy(&numbers_at, bytes + NUMBERS_AT_AT, sizeof numbers_at);
    for (size_t round = 0; round < ROUNDS; round++) {
        memcpy(forged, bytes, size);
        /* The tokenizer's tables, of which one index follows another, come first. */
        size_t reach = round % 2 ? (size_t)numbers_at : (size_t)numbers_at / 4;
        for (size_t i = 0; i < WORDS; i++) {
            size_t at = 4096 + (size_t)(rand_below(&rand, reach - 4096 - 4)) / 4 * 4;
            uint32_t word = (uint32_t)rand_u64(&rand);
            word = round % 3 == 0 ? word : word % 3000;
            memcpy(forged + at, &word, sizeof word);
        }
        write_all(room->packed, forged, size);
        survive(room);
    }
    free(forged);
    free(bytes);
}

static void a_table_without_a_free_slot_is_refused(void **state)
{
    struct room *room = *state;
    size_t size;
    uint64_t numbers_at;
    pack_copy(room);
    char *bytes = read_all(room->packed, &size);
    memcpy(&numbers_at, bytes + NUMBERS_AT_AT, sizeof numbers_at);
    for (size_t at = 4096; at + 8 <= (size_t)numbers_at && at < 4096 + 65536; at += 8) {
        uint32_t edge[2];
        memcpy(edge, bytes + at, sizeof edge);
        edge[1] = edge[1] ? edge[1] : 1; /* every edge leads somewhere: a search would not end */
        memcpy(bytes + at, edge, sizeof edge);
    }
    write_all(room->packed, bytes, size);
    assert_int_equal(fault_of_file(room), ERROR_FORMAT);
    free(bytes);
}

int main(void)
{
    assert_int_equal(keyhash_library_init(), 0);
#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROOM_TEST(a_packed_model_gives_the_checkpoints_answers_to_the_bit),
        ROOM_TEST(every_kind_of_tokenizer_survives_packing),
        ROOM_TEST(a_missing_file_is_no_fault_to_speak_of),
        ROOM_TEST(a_file_cut_anywhere_is_passed_over),
        ROOM_TEST(a_flipped_bit_in_header_or_numbers_is_found),
        ROOM_TEST(another_build_or_another_checkpoint_is_told_apart),
        ROOM_TEST(a_file_of_another_precision_is_passed_over),
        ROOM_TEST(a_file_that_others_may_write_is_passed_over),
        ROOM_TEST(verifying_finds_a_flipped_weight),
        ROOM_TEST(packing_fails_cleanly_or_not_at_all),
        ROOM_TEST(forged_numbers_do_no_harm),
        ROOM_TEST(forged_arrays_do_no_harm),
        ROOM_TEST(a_table_without_a_free_slot_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
