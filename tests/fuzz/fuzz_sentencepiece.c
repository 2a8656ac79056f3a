/* Any bytes as a sentencepiece model; what its map makes of a text stays in bounds. */
#include "tests/fuzz/fuzz.h"

#include "nlp/charsmap.h"
#include "nlp/sentencepiece.h"

static const char sample[] = "A\xCC\x81 \xE2\x84\xA2\r\n\xF0\x9F\x98\x80\xE2\x80\x8D\xC2\xA9 \xFFz";

static void map_sample(const struct sentencepiece *model)
{
    struct charsmap map;
    struct charsmap_reader reader;
    charsmap_init(&map);
    if (model->charsmap &&
        charsmap_read(&map, model->charsmap, model->charsmap_size) == CHARSMAP_READ) {
        charsmap_start(&reader, sample, sizeof sample - 1);
        while (reader.at < reader.end) {
            char out[CHARSMAP_OUT_MAX];
            fuzz_require(charsmap_next(&map, &reader, out) <= sizeof out);
        }
    }
    charsmap_done(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    struct sentencepiece model;
    if (sentencepiece_read(&model, size > 0 ? (const char *)bytes : "", size, "model", &err)) {
        fuzz_require(err.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < model.count; i++) {
        const char *end = (const char *)bytes + size;
        fuzz_require(model.pieces[i].size <= size &&
                     (model.pieces[i].size == 0 || model.pieces[i].bytes < end));
    }
    map_sample(&model);
    sentencepiece_done(&model);
    return 0;
}
