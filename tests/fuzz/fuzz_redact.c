/* Any bytes as a text to redact: the answer is well-formed UTF-8, whatever is asked. The first byte
 * chooses the options.
 */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "redact/redact.h"

enum { OUT_BYTES_MAX = REDACT_TEXT_BYTES_MAX * 9 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || size > REDACT_TEXT_BYTES_MAX) {
        return 0;
    }
    struct redact_options options = {.strict = bytes[0] & 1, .expected = bytes[0] >> 1};
    const char *text = (const char *)bytes + 1;
    struct redact_counts counts = {0};
    struct buf once;
    buf_init(&once, OUT_BYTES_MAX);
    fuzz_require(redact_text(text, size - 1, &options, &once, &counts));
    fuzz_require(utf8_is_valid(buf_string(&once), once.size));
    (void)redact_expect(text, size - 1);
    buf_done(&once);
    return 0;
}
