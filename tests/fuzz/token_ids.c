/* token_ids DIRECTORY [REPEATS] - token ids for comparisons with other tokenizers. Reads texts from
 * standard input, each a little-endian 32-bit size and its bytes; writes for each a count and the
 * ids in the same form, without the frame. With REPEATS, encodes all texts that often instead and
 * prints bytes, ids and seconds. Needs no model beside the tokenizer's files.
 */
#include "nlp/tokenizer.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEXT_BYTES_MAX = 1 << 24, IDS_MAX = 1 << 22, SPREAD = 61 };

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool read_number(uint32_t *out)
{
    unsigned char bytes[4];
    if (fread(bytes, 1, sizeof bytes, stdin) != sizeof bytes) {
        return false;
    }
    *out = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
    return true;
}

static void write_number(uint32_t number)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        (void)putchar((int)(number >> shift & 0xFF));
    }
}

/* Pulls a few ids at a time, so that the seams of the stream are crossed. */
static size_t encode(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                     const char *text, size_t size, uint32_t *ids)
{
    size_t count = 0;
    size_t more;
    tokenizer_start(tokenizer, scratch, text, size);
    while (count + SPREAD <= IDS_MAX &&
           (more = tokenizer_next(tokenizer, scratch, ids + count, SPREAD)) > 0) {
        count += more;
    }
    return count;
}

static int answer(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, char *text,
                  uint32_t *ids)
{
    uint32_t size;
    while (read_number(&size)) {
        if (size > TEXT_BYTES_MAX || fread(text, 1, size, stdin) != size) {
            return 1;
        }
        size_t count = encode(tokenizer, scratch, text, size, ids);
        write_number((uint32_t)count);
        for (size_t i = 0; i < count; i++) {
            write_number(ids[i]);
        }
    }
    return 0;
}

/* All texts behind one another, each with its size before it. */
static int time_all(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, char *all,
                    uint32_t *ids, long repeats)
{
    static uint32_t sizes[1 << 20];
    size_t texts = 0;
    size_t bytes = 0;
    size_t total = 0;
    while (texts < sizeof sizes / sizeof sizes[0] && read_number(&sizes[texts])) {
        if (sizes[texts] > TEXT_BYTES_MAX - bytes ||
            fread(all + bytes, 1, sizes[texts], stdin) != sizes[texts]) {
            return 1;
        }
        bytes += sizes[texts++];
    }
    int64_t start = now_ns();
    for (long i = 0; i < repeats; i++) {
        size_t at = 0;
        for (size_t t = 0; t < texts; t++) {
            total += encode(tokenizer, scratch, all + at, sizes[t], ids);
            at += sizes[t];
        }
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    printf("%zu %zu %.6f\n", bytes * (size_t)repeats, total, seconds);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct tokenizer *tokenizer = NULL;
    struct tokenizer_scratch *scratch = NULL;
    char *text = malloc(TEXT_BYTES_MAX);
    uint32_t *ids = malloc(IDS_MAX * sizeof *ids);
    int status = 1;
    if (argc < 2 || !text || !ids || tokenizer_open(&tokenizer, argv[1], &err) ||
        tokenizer_scratch_create(tokenizer, &scratch, &err)) {
        (void)fprintf(stderr, "token_ids: %s\n", argc < 2 ? "DIRECTORY [REPEATS]" : err.message);
    } else {
        long repeats = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
        status = repeats > 0 ? time_all(tokenizer, scratch, text, ids, repeats)
                             : answer(tokenizer, scratch, text, ids);
    }
    tokenizer_scratch_destroy(scratch);
    tokenizer_close(tokenizer);
    free(ids);
    free(text);
    return status;
}
