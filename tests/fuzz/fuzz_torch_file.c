/* Any bytes as a pytorch_model.bin: archive, pickles, views. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz_file.h"

#include "nlp/torch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_file file;
    struct torch_file *opened;
    struct error err = {0};
    fuzz_file_open(&file, bytes, size);
    if (torch_file_open(&opened, file.path, &err) == 0) {
        size_t count;
        const struct tensor *tensors = torch_file_tensors(opened, &count);
        fuzz_file_touch(tensors, count);
    } else {
        fuzz_require(err.message[0] != '\0' && opened == NULL);
    }
    torch_file_close(opened);
    fuzz_file_close(&file);
    return 0;
}
