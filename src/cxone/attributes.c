/* attributes.c - see attributes.h; also the score's text form (cxone.h).
 *
 * The vendor stores the score as text, and what the tutorial's Python wrote there is what reports
 * already read, so its str(round(x, 3)) is reproduced to the last digit. */
#include "cxone/attributes.h"

#include "base/json_write.h"

#include <stdio.h>
#include <string.h>

static void write_object(struct json_writer *writer, const struct cxone_attribute *attributes,
                         size_t count)
{
    json_write_object_begin(writer);
    json_write_key(writer, "attributes");
    json_write_object_begin(writer);
    for (size_t i = 0; i < count; i++) {
        json_write_member_text(writer, attributes[i].key, attributes[i].value);
    }
    json_write_object_end(writer);
    json_write_object_end(writer);
}

static void write_custom_fields(struct json_writer *writer,
                                const struct cxone_attribute *attributes, size_t count)
{
    json_write_array_begin(writer);
    for (size_t i = 0; i < count; i++) {
        json_write_object_begin(writer);
        json_write_member_text(writer, "ident", attributes[i].key);
        json_write_member_text(writer, "value", attributes[i].value);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

int attributes_write(const struct cxone_attribute *attributes, size_t count,
                     enum cxone_attribute_body form, struct buf *body, struct error *err)
{
    struct json_writer writer;
    for (size_t i = 0; i < count; i++) {
        if (!attributes[i].key || !attributes[i].key[0] || !attributes[i].value) {
            return error_set(err, ERROR_USAGE, "an attribute without a key or value");
        }
    }
    if (count == 0) {
        return error_set(err, ERROR_USAGE, "an attribute update without attributes");
    }
    json_writer_init(&writer, body);
    if (form == CXONE_ATTRIBUTE_BODY_OBJECT) {
        write_object(&writer, attributes, count);
    } else if (form == CXONE_ATTRIBUTE_BODY_CUSTOM_FIELDS) {
        write_custom_fields(&writer, attributes, count);
    }
    if (body->failed) {
        return error_set(err, ERROR_LIMIT, "an attribute update of more than %zu bytes",
                         body->limit);
    }
    return 0;
}

/* Both Python's round and the C library's printf round the double's exact binary value, ties to
 * even, so 0.0005 (stored a little above) gives 0.001 and 0.3125 (exact) gives 0.312. The decimal
 * separator is the locale's and is replaced. */
const char *cxone_format_score(int64_t score, char out[CXONE_SCORE_BYTES])
{
    int64_t clamped = score < 0 ? 0 : score > 1000000 ? 1000000 : score;
    char text[CXONE_SCORE_BYTES];
    int bytes = snprintf(text, sizeof text, "%.3f", (double)clamped / 1000000.0);
    const char *decimals = text + bytes - 3;
    int kept = decimals[2] != '0' ? 3 : decimals[1] != '0' ? 2 : 1;
    snprintf(out, CXONE_SCORE_BYTES, "%c.%.*s", text[0], kept, decimals);
    return out;
}
