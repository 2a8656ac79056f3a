/* tokenizer.c - see tokenizer.h. Cuts a text at the added tokens found in it and lets the family's
 * model turn the stretches between them into ids. Loading is tokenizer_load.c; the models are the
 * families' (tokenizer_internal.h).
 */
#include "nlp/tokenizer.h"

#include "nlp/tokenizer_internal.h"

#include <stdalign.h>
#include <stdlib.h>

struct tokenizer_scratch {
    struct added_cursor cursor;
    bool in_stretch; /* the model still has ids of its stretch */
    alignas(max_align_t) unsigned char model[];
};

int tokenizer_open(struct tokenizer **tokenizer, const char *directory, struct error *err)
{
    *tokenizer = NULL;
    struct tokenizer *opened = calloc(1, sizeof *opened);
    if (!opened) {
        return error_set(err, ERROR_MEMORY, "no memory for the tokenizer of %s", directory);
    }
    int result = tokenizer_load(opened, directory, err);
    if (result) {
        tokenizer_close(opened);
        return result;
    }
    *tokenizer = opened;
    return 0;
}

void tokenizer_close(struct tokenizer *tokenizer)
{
    if (!tokenizer) {
        return;
    }
    if (tokenizer->model) {
        tokenizer->family->close(tokenizer->model);
    }
    added_tokens_done(&tokenizer->added);
    added_tokens_done(&tokenizer->listed);
    free(tokenizer);
}

size_t tokenizer_vocab_count(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab_count;
}

const struct tokenizer_frame *tokenizer_frame(const struct tokenizer *tokenizer)
{
    return &tokenizer->frame;
}

const struct tokenizer_special *tokenizer_special(const struct tokenizer *tokenizer)
{
    return &tokenizer->special;
}

int tokenizer_scratch_create(const struct tokenizer *tokenizer, struct tokenizer_scratch **scratch,
                             struct error *err)
{
    *scratch = calloc(1, sizeof **scratch + tokenizer->family->scratch_bytes);
    if (!*scratch) {
        return error_set(err, ERROR_MEMORY, "no memory for a tokenizer's scratch");
    }
    tokenizer_start(tokenizer, *scratch, "", 0);
    return 0;
}

void tokenizer_scratch_destroy(struct tokenizer_scratch *scratch)
{
    free(scratch);
}

void tokenizer_start(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                     const char *bytes, size_t size)
{
    (void)tokenizer;
    added_cursor_start(&scratch->cursor, bytes, size);
    scratch->in_stretch = false;
}

size_t tokenizer_next(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                      uint32_t *ids, size_t ids_max)
{
    const struct tokenizer_family *family = tokenizer->family;
    size_t count = 0;
    while (count < ids_max) {
        size_t start = 0;
        size_t stop = 0;
        if (scratch->in_stretch) {
            count += family->next(tokenizer->model, scratch->model, ids + count, ids_max - count);
            scratch->in_stretch = count == ids_max;
            continue;
        }
        switch (
            added_cursor_next(&scratch->cursor, &tokenizer->added, &start, &stop, &ids[count])) {
        case ADDED_STEP_TEXT:
            family->start(tokenizer->model, scratch->model, scratch->cursor.bytes + start,
                          stop - start, start == 0);
            scratch->in_stretch = true;
            break;
        case ADDED_STEP_TOKEN:
            count++;
            break;
        case ADDED_STEP_END:
            return count;
        }
    }
    return count;
}

size_t tokenizer_encode(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch,
                        const char *bytes, size_t size, uint32_t *ids, size_t ids_max)
{
    enum { SURPLUS = 64 };
    uint32_t surplus[SURPLUS];
    tokenizer_start(tokenizer, scratch, bytes, size);
    size_t count = ids_max > 0 ? tokenizer_next(tokenizer, scratch, ids, ids_max) : 0;
    if (count < ids_max) {
        return count;
    }
    for (;;) {
        size_t more = tokenizer_next(tokenizer, scratch, surplus, SURPLUS);
        count += more;
        if (more < SURPLUS) {
            return count;
        }
    }
}
