/* Any bytes as a checkpoint's config.json; what follows the first NUL is the model.yaml beside it.
 */
#include "tests/fuzz/fuzz.h"

#include "nlp/checkpoint_config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/undertone-fuzz-XXXXXX";

static void remove_folder(void)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/config.json", folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/model.yaml", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void write_file(const char *name, const uint8_t *bytes, size_t size)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    fuzz_require(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int is_made;
    struct checkpoint_config config;
    struct error err = {0};
    if (!is_made) {
        fuzz_require(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
        is_made = 1;
    }
    const uint8_t *nul = size > 0 ? memchr(bytes, '\0', size) : NULL;
    size_t first = nul ? (size_t)(nul - bytes) : size;
    write_file("config.json", size > 0 ? bytes : (const uint8_t *)"", first);
    write_file("model.yaml", nul ? nul + 1 : (const uint8_t *)"", nul ? size - first - 1 : 0);
    if (checkpoint_config_read(&config, folder, &err)) {
        fuzz_require(err.message[0] != '\0');
        return 0;
    }
    fuzz_require(config.label_count >= 1 && config.label_count <= CHECKPOINT_LABELS_MAX &&
                 config.hidden % config.head_count == 0 && checkpoint_tokens_max(&config) > 0);
    for (size_t i = 0; i < config.label_count; i++) {
        fuzz_require(config.labels[i].polarity >= 0 && config.labels[i].polarity <= 1);
    }
    return 0;
}
