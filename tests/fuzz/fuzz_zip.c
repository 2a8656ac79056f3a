/* Any bytes as a zip archive: every entry lies inside it. */
#include "tests/fuzz/fuzz.h"

#include "nlp/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct zip zip;
    struct error err = {0};
    if (zip_open(&zip, bytes, size, "x.zip", &err)) {
        fuzz_require(err.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < zip.entry_count; i++) {
        const struct zip_entry *entry = &zip.entries[i];
        const uint8_t *name = (const uint8_t *)entry->name;
        fuzz_require(entry->bytes >= bytes && entry->bytes <= bytes + size &&
                     entry->size <= (size_t)(bytes + size - entry->bytes));
        fuzz_require(name >= bytes && entry->name_bytes <= (size_t)(bytes + size - name));
    }
    zip_done(&zip);
    return 0;
}
