/* Any bytes as a pickle; every value of what is accepted is looked at in every way. */
#include "tests/fuzz/fuzz.h"

#include "nlp/pickle.h"

static void look(const struct pickle *pickle, int32_t value)
{
    struct pickle_text text;
    struct pickle_storage storage;
    struct pickle_tensor tensor;
    int64_t number;
    int32_t position = PICKLE_NO_VALUE;
    int32_t key;
    int32_t item;
    (void)pickle_as_text(pickle, value, &text);
    (void)pickle_as_integer(pickle, value, &number);
    (void)pickle_as_storage(pickle, value, &storage);
    if (pickle_as_tensor(pickle, value, &tensor)) {
        fuzz_require(tensor.rank <= TENSOR_RANK_MAX && tensor.storage.elements >= 0);
    }
    while (pickle_next(pickle, value, &position, &key, &item)) {
        fuzz_require(item >= 0 && item < pickle_value_count(pickle));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pickle *pickle;
    struct error err = {0};
    size_t used = 0;
    if (pickle_load(&pickle, bytes, size, "x.bin", &used, &err)) {
        fuzz_require(err.message[0] != '\0' && pickle == NULL);
        return 0;
    }
    fuzz_require(used <= size);
    for (int32_t i = 0; i < pickle_value_count(pickle); i++) {
        look(pickle, i);
    }
    pickle_free(pickle);
    return 0;
}
