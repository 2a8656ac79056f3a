/* Any bytes as text, for a tokenizer of each family: pulling ids one by one and all at once gives
 * the same, and every id is in the vocabulary.
 */
#include "tests/fuzz/fuzz.h"

#include "nlp/tokenizer.h"

enum { MODELS = 3, IDS_MAX = 1 << 16 };

struct opened {
    struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
};

/* Opened once and left open, as libFuzzer calls without end. */
static const struct opened *open_models(void)
{
    static const char *const directories[MODELS] = {
        UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-bert",
        UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-roberta",
        UNDERTONE_SOURCE_DIR "/tests/fixtures/tiny-xlm-roberta"};
    static struct opened models[MODELS];
    for (size_t i = 0; i < MODELS && !models[i].scratch; i++) {
        struct error err = {0};
        fuzz_require(tokenizer_open(&models[i].tokenizer, directories[i], &err) == 0);
        fuzz_require(tokenizer_scratch_create(models[i].tokenizer, &models[i].scratch, &err) == 0);
    }
    return models;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint32_t ids[IDS_MAX];
    const struct opened *models = open_models();
    const char *text = size > 0 ? (const char *)bytes : "";
    for (size_t m = 0; m < MODELS; m++) {
        const struct opened *model = &models[m];
        size_t count = tokenizer_encode(model->tokenizer, model->scratch, text, size, ids, IDS_MAX);
        uint32_t id;
        tokenizer_start(model->tokenizer, model->scratch, text, size);
        for (size_t i = 0; i < count; i++) {
            fuzz_require(tokenizer_next(model->tokenizer, model->scratch, &id, 1) == 1);
            fuzz_require(id < tokenizer_vocab_count(model->tokenizer));
            fuzz_require(i >= IDS_MAX || id == ids[i]);
        }
        fuzz_require(tokenizer_next(model->tokenizer, model->scratch, &id, 1) == 0);
    }
    return 0;
}
