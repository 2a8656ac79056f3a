/* bert_normalizer.c - see bert_normalizer.h. Facts follow huggingface/tokenizers,
 * normalizers/bert.rs and pre_tokenizers/bert.rs.
 *
 * The library mixes tables of three Unicode versions: categories of 8.0, a normalizer of about 9.0
 * and the lower case of a current Rust. We take utf8proc's one version and correct it by a small
 * generated table, which a sweep over every code point keeps honest (test_tokenizer_ids.c).
 */
#include "nlp/bert_normalizer.h"

#include "base/unicode.h"

struct exception {
    uint32_t first;
    uint32_t last;
    enum bert_class class;
    bool inert; /* neither decomposed nor reordered: unknown to the library's normalizer */
};

struct lower_exception {
    uint32_t first;
    uint32_t last;
    int32_t delta;
};

#include "nlp/bert_normalizer_table.h"

static const struct exception *find_exception(uint32_t code_point)
{
    size_t low = 0;
    size_t high = sizeof exceptions / sizeof exceptions[0];
    if (code_point < exceptions[0].first) {
        return NULL;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_point > exceptions[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found =
        low < sizeof exceptions / sizeof exceptions[0] && code_point >= exceptions[low].first;
    return found ? &exceptions[low] : NULL;
}

static bool is_ascii_punctuation(uint32_t c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

enum bert_class bert_normalizer_class(uint32_t code_point)
{
    const struct exception *exception = find_exception(code_point);
    if (exception) {
        return exception->class;
    }
    if (code_point == 0x0B || code_point == 0x0C || code_point == 0x85) {
        return BERT_CLASS_CONTROL_SPACE;
    }
    if (unicode_is_white_space(code_point)) {
        return BERT_CLASS_SPACE;
    }
    enum unicode_category category = unicode_category(code_point);
    if (code_point == 0xFFFD || category >= UNICODE_CATEGORY_CC) {
        return BERT_CLASS_CONTROL;
    }
    if (is_ascii_punctuation(code_point) || unicode_is_punctuation(code_point)) {
        return BERT_CLASS_PUNCTUATION;
    }
    return category == UNICODE_CATEGORY_MN ? BERT_CLASS_MARK : BERT_CLASS_WORD;
}

/* The library's own block list: it starts extension E at U+2B920, where Unicode and the original
 * Python say U+2B820. */
static bool is_chinese(uint32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static size_t write_lower(uint32_t code_point, uint32_t *out)
{
    for (size_t i = 0; i < sizeof lower_exceptions / sizeof lower_exceptions[0]; i++) {
        const struct lower_exception *row = &lower_exceptions[i];
        if (code_point >= row->first && code_point <= row->last) {
            out[0] = (uint32_t)((int32_t)code_point + row->delta);
            return 1;
        }
    }
    return unicode_lower(code_point, out);
}

static size_t write_settled(const struct bert_normalizer *normalizer, uint32_t code_point,
                            uint32_t *out)
{
    if (normalizer->lowercase) {
        return write_lower(code_point, out);
    }
    out[0] = code_point;
    return 1;
}

static size_t write_run(const struct bert_normalizer *normalizer,
                        struct bert_normalizer_state *state, uint32_t *out)
{
    size_t written = 0;
    for (size_t i = 0; i < state->count; i++) {
        written += write_settled(normalizer, state->code_points[i], out + written);
    }
    state->count = 0;
    return written;
}

/* Insertion keeps marks of one class in their order, as canonical ordering asks. */
static void insert_into_run(struct bert_normalizer_state *state, uint32_t code_point, uint8_t class)
{
    size_t at = state->count++;
    while (at > 0 && state->classes[at - 1] > class) {
        state->classes[at] = state->classes[at - 1];
        state->code_points[at] = state->code_points[at - 1];
        at--;
    }
    state->classes[at] = class;
    state->code_points[at] = code_point;
}

/* Takes one fully decomposed code point on its way through NFD and the removal of accents. An
 * accent of class 0 still ends a run, though it is dropped itself. */
static size_t push_decomposed(const struct bert_normalizer *normalizer,
                              struct bert_normalizer_state *state, uint32_t code_point,
                              uint32_t *out)
{
    const struct exception *exception = find_exception(code_point);
    bool inert = exception && exception->inert;
    unsigned class = inert ? 0 : unicode_combining_class(code_point);
    size_t written = 0;
    if (class == 0 || state->count == BERT_RUN_MAX) {
        written = write_run(normalizer, state, out);
    }
    if (bert_normalizer_class(code_point) == BERT_CLASS_MARK) {
        return written;
    }
    if (class == 0) {
        return written + write_settled(normalizer, code_point, out + written);
    }
    insert_into_run(state, code_point, (uint8_t) class);
    return written;
}

static size_t push_spaced(const struct bert_normalizer *normalizer,
                          struct bert_normalizer_state *state, uint32_t code_point, uint32_t *out)
{
    if (!normalizer->strip_accents) {
        return write_settled(normalizer, code_point, out);
    }
    const struct exception *exception = find_exception(code_point);
    uint32_t parts[UNICODE_DECOMPOSED_MAX] = {code_point};
    size_t count = exception && exception->inert ? 1 : unicode_decompose(code_point, parts);
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        written += push_decomposed(normalizer, state, parts[i], out + written);
    }
    return written;
}

void bert_normalizer_start(struct bert_normalizer_state *state)
{
    state->count = 0;
}

size_t bert_normalizer_push(const struct bert_normalizer *normalizer,
                            struct bert_normalizer_state *state, uint32_t code_point,
                            uint32_t out[BERT_OUT_MAX])
{
    if (normalizer->clean_text) {
        enum bert_class class = bert_normalizer_class(code_point);
        if (class == BERT_CLASS_CONTROL || class == BERT_CLASS_CONTROL_SPACE) {
            return 0;
        }
        if (class == BERT_CLASS_SPACE) {
            code_point = ' ';
        }
    }
    if (!normalizer->handle_chinese_chars || !is_chinese(code_point)) {
        return push_spaced(normalizer, state, code_point, out);
    }
    size_t written = push_spaced(normalizer, state, ' ', out);
    written += push_spaced(normalizer, state, code_point, out + written);
    return written + push_spaced(normalizer, state, ' ', out + written);
}

size_t bert_normalizer_finish(const struct bert_normalizer *normalizer,
                              struct bert_normalizer_state *state, uint32_t out[BERT_OUT_MAX])
{
    return write_run(normalizer, state, out);
}
