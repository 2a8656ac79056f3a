/* redact.c - see redact.h. The text is cut into tokens once; each finder marks what it knows, the
 * surest first, and never what another has marked; then the text is copied with labels in place of
 * what is marked. */
#include "redact/redact_internal.h"

#include "base/utf8.h"

const char *redact_label(enum redact_kind kind)
{
    static const char *const labels[] = {"[CARD]",  "[CVV]",   "[SSN]",  "[ACCOUNT]",
                                         "[EMAIL]", "[PHONE]", "[NAME]", "[NUMBER]"};
    return labels[kind];
}

/* Copies bytes [from, to), repaired. */
static void copy_text(const struct tokens *tokens, size_t from, size_t to, struct buf *out)
{
    while (from < to) {
        uint32_t code_point;
        bool valid;
        size_t taken = utf8_decode(tokens->text + from, to - from, &code_point, &valid);
        char bytes[UTF8_BYTES_MAX];
        if (valid) {
            buf_append(out, tokens->text + from, taken);
        } else {
            buf_append(out, bytes, utf8_encode(UTF8_REPLACEMENT, bytes));
        }
        from += taken;
    }
}

static void write_out(const struct tokens *tokens, struct buf *out, struct redact_counts *counts)
{
    size_t copied = 0;
    for (size_t i = 0; i < tokens->count;) {
        const struct token *token = &tokens->items[i];
        if (token->span == 0) {
            i++;
            continue;
        }
        size_t end = i;
        while (end < tokens->count && tokens->items[end].span == token->span) {
            end++;
        }
        copy_text(tokens, copied, token->begin, out);
        buf_append_string(out, redact_label((enum redact_kind)token->found));
        copied = tokens->items[end - 1].end;
        if (counts) {
            counts->found[token->found]++;
        }
        i = end;
    }
    copy_text(tokens, copied, tokens->bytes, out);
}

bool redact_text(const char *text, size_t bytes, const struct redact_options *options,
                 struct buf *out, struct redact_counts *counts)
{
    static const struct redact_options plain = {0};
    struct tokens tokens;
    if (bytes > REDACT_TEXT_BYTES_MAX || !tokens_cut(&tokens, text, bytes)) {
        return false;
    }
    options = options ? options : &plain;
    email_find(&tokens);
    number_find(&tokens, options);
    name_find(&tokens, options);
    write_out(&tokens, out, counts);
    tokens_done(&tokens);
    return !out->failed;
}

uint32_t redact_expect(const char *text, size_t bytes)
{
    struct tokens tokens;
    if (bytes > REDACT_TEXT_BYTES_MAX || !tokens_cut(&tokens, text, bytes)) {
        return 0;
    }
    uint32_t asked = number_asked(&tokens) | (name_is_asked(&tokens) ? 1u << REDACT_NAME : 0);
    for (size_t at = 0; at < tokens.count; at++) {
        asked |= tokens_is(&tokens, at, "email") ? 1u << REDACT_EMAIL : 0;
    }
    tokens_done(&tokens);
    return asked;
}
