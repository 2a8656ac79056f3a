/* Any bytes as a safetensors file. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz_file.h"

#include "nlp/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_file file;
    struct safetensors *opened;
    struct error err = {0};
    fuzz_file_open(&file, bytes, size);
    if (safetensors_open(&opened, file.path, &err) == 0) {
        size_t count;
        const struct tensor *tensors = safetensors_tensors(opened, &count);
        fuzz_file_touch(tensors, count);
    } else {
        fuzz_require(err.message[0] != '\0' && opened == NULL);
    }
    safetensors_close(opened);
    fuzz_file_close(&file);
    return 0;
}
