/* A packed file that is not what it was: the input says which of three small tokenizers is packed
 * and which of its words are changed (where in 3 bytes, the word in 4), in the numbers if the
 * topmost bit of where is set, else in the arrays. Sums are made right again, or nothing behind
 * them would ever be reached. Opening ends, and what can be opened gives ids of its vocabulary.
 */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz_file.h"

#include "base/keyhash.h"
#include "base/lines.h"
#include "nlp/packed.h"
#include "nlp/tokenizer.h"

#include <string.h>
#include <sys/stat.h>

enum { MODELS = 3, FILE_BYTES_MAX = 1 << 24, IDS_MAX = 4096, EDIT_BYTES = 7 };
enum { HEADER_PAGE = 4096, NUMBERS_AT_AT = 16, NUMBERS_SUM_AT = 24, SUM_AT = 48 }; /* packed.c */

static const struct packed_identity identity = {1, 2};

struct template
{
    char *bytes;
    size_t size;
    size_t numbers_at;
};

static void pack_model(const char *directory, struct template *template)
{
    char path[] = "/tmp/undertone-fuzz-packed-XXXXXX";
    struct tokenizer *tokenizer;
    struct packed *packed;
    struct error err = {0};
    uint64_t numbers_at;
    int fd = mkstemp(path);
    fuzz_require(fd >= 0 && close(fd) == 0);
    fuzz_require(tokenizer_open(&tokenizer, directory, &err) == 0);
    fuzz_require(packed_create(&packed, path, &identity, &err) == 0);
    tokenizer_pack(tokenizer, packed);
    fuzz_require(packed_commit(packed, &err) == 0);
    packed_close(packed);
    tokenizer_close(tokenizer);
    fuzz_require(lines_read_file(path, FILE_BYTES_MAX, &template->bytes, &template->size, &err) ==
                 0);
    memcpy(&numbers_at, template->bytes + NUMBERS_AT_AT, sizeof numbers_at);
    template->numbers_at = (size_t)numbers_at;
    (void)unlink(path);
}

static const struct template *open_template(size_t which)
{
    static const char *const directories[MODELS] = {
        UNDERTONE_SOURCE_DIR "/tests/golden/tokenizers/added",
        UNDERTONE_SOURCE_DIR "/tests/golden/tokenizers/variants/bpe-old",
        UNDERTONE_SOURCE_DIR "/tests/golden/tokenizers/variants/unigram-new"};
    static struct template templates[MODELS];
    for (size_t i = 0; i < MODELS && !templates[i].bytes; i++) {
        pack_model(directories[i], &templates[i]);
    }
    return &templates[which % MODELS];
}

static void put_sum(char *file, size_t at, const char *bytes, size_t size)
{
    static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = "undertone packed";
    uint64_t sum = keyhash_short(key, bytes, size);
    memcpy(file + at, &sum, sizeof sum);
}

static void edit(char *file, const struct template *template, const uint8_t *bytes, size_t size)
{
    for (; size >= EDIT_BYTES; bytes += EDIT_BYTES, size -= EDIT_BYTES) {
        bool in_numbers = (bytes[2] & 0x80) != 0;
        size_t where = bytes[0] | (size_t)bytes[1] << 8 | (size_t)(bytes[2] & 0x7F) << 16;
        size_t first = in_numbers ? template->numbers_at : HEADER_PAGE;
        size_t end = in_numbers ? template->size : template->numbers_at;
        memcpy(file + first + where % (end - first - 3), bytes + 3, 4);
    }
    put_sum(file, NUMBERS_SUM_AT, file + template->numbers_at,
            template->size - template->numbers_at);
    put_sum(file, SUM_AT, file, SUM_AT);
}

static void try_tokenizer(const struct tokenizer *tokenizer)
{
    static const char text[] = "Hello, <s>the aaa 12 [SEP]caf\xC3\xA9 \xE4\xB8\xAD\xEF\xBC\xA1 "
                               "it's  lower\xE2\x84\xA2\xFF\t<mask> hello";
    static uint32_t ids[IDS_MAX];
    struct tokenizer_scratch *scratch;
    struct error err = {0};
    fuzz_require(tokenizer_scratch_create(tokenizer, &scratch, &err) == 0);
    size_t count = tokenizer_encode(tokenizer, scratch, text, sizeof text - 1, ids, IDS_MAX);
    for (size_t i = 0; i < count && i < IDS_MAX; i++) {
        fuzz_require(ids[i] < tokenizer_vocab_count(tokenizer));
    }
    tokenizer_scratch_destroy(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct template *template = open_template(size > 0 ? bytes[0] : 0);
    struct fuzz_file file;
    struct packed *packed = NULL;
    struct tokenizer *tokenizer = NULL;
    struct error err = {0};
    char *copy = malloc(template->size);
    fuzz_require(copy != NULL);
    memcpy(copy, template->bytes, template->size);
    edit(copy, template, bytes + (size > 0), size - (size > 0));
    fuzz_file_open(&file, (const uint8_t *)copy, template->size);
    fuzz_require(fchmod(file.fd, 0600) == 0);
    fuzz_require(packed_open(&packed, file.path, &identity, &err) == 0);
    tokenizer_unpack(&tokenizer, packed);
    if (packed_finish(packed, &err) == 0) {
        try_tokenizer(tokenizer);
    }
    tokenizer_close(tokenizer);
    packed_close(packed);
    fuzz_file_close(&file);
    free(copy);
    return 0;
}
