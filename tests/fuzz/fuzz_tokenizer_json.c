/* Any bytes as tokenizer.json: it loads or it does not, and what loads encodes in bounds. */
#include "tests/fuzz/fuzz.h"

#include "nlp/tokenizer_internal.h"

static const char sample[] = "<s> the 'them'  3.5 \xC3\xA9\xE4\xB8\xAD\xFF <mask> a\r\nb";

static void encode_sample(const struct tokenizer *tokenizer)
{
    struct error err = {0};
    struct tokenizer_scratch *scratch = NULL;
    uint32_t ids[256];
    fuzz_require(tokenizer_scratch_create(tokenizer, &scratch, &err) == 0);
    size_t count = tokenizer_encode(tokenizer, scratch, sample, sizeof sample - 1, ids,
                                    sizeof ids / sizeof ids[0]);
    for (size_t i = 0; i < count && i < sizeof ids / sizeof ids[0]; i++) {
        fuzz_require(ids[i] < tokenizer_vocab_count(tokenizer));
    }
    tokenizer_scratch_destroy(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    struct json_document *document = NULL;
    if (json_parse(size > 0 ? (const char *)bytes : "", size, &document, &err)) {
        return 0;
    }
    struct tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    fuzz_require(tokenizer != NULL);
    struct tokenizer_files files = {.directory = ".",
                                    .path = "tokenizer.json",
                                    .root = json_root(document),
                                    .config_path = "tokenizer_config.json"};
    if (tokenizer_load_files(tokenizer, &files, &err) == 0) {
        encode_sample(tokenizer);
    } else {
        fuzz_require(err.message[0] != '\0');
    }
    tokenizer_close(tokenizer);
    json_free(document);
    return 0;
}
