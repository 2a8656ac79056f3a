/* wordpiece_pack.c - a WordPiece model to and from a packed file (packed.h). */
#include "nlp/wordpiece.h"

#include <stdlib.h>

static void pack_pattern(struct wordpiece_pattern *pattern, struct packed *packed, size_t id_count)
{
    packed_size(packed, &pattern->count, WORDPIECE_PATTERN_CHARS_MAX);
    packed_id(packed, &pattern->id, (uint32_t)id_count - 1);
    packed_flag(packed, &pattern->single_word);
    size_t bytes = pattern->count * sizeof *pattern->code_points;
    if (!packed_writes(packed) && !packed_failed(packed)) {
        pattern->code_points = bytes > 0 ? malloc(bytes) : NULL;
        if (!pattern->code_points) {
            packed_fail(packed, "holds an empty token, or there is no memory");
            return;
        }
    }
    packed_bytes(packed, pattern->code_points, bytes);
}

/* They stand longest first. */
static void pack_patterns(struct wordpiece *wordpiece, struct packed *packed, size_t id_count)
{
    size_t count = wordpiece->pattern_count;
    packed_size(packed, &count, WORDPIECE_PATTERNS_MAX);
    if (!packed_writes(packed) && count > 0) {
        wordpiece->patterns = calloc(count, sizeof *wordpiece->patterns);
        if (!wordpiece->patterns) {
            packed_fail(packed, "there is no memory for its tokens");
            return;
        }
        wordpiece->pattern_count = count; /* what is not read stays zero */
    }
    for (size_t i = 0; i < count && !packed_failed(packed); i++) {
        pack_pattern(&wordpiece->patterns[i], packed, id_count);
        if (i > 0 && wordpiece->patterns[i].count > wordpiece->patterns[i - 1].count) {
            packed_fail(packed, "holds tokens in another order");
        }
    }
    wordpiece->pattern_chars_max = count > 0 ? wordpiece->patterns[0].count : 0;
}

void wordpiece_pack(struct wordpiece *wordpiece, struct packed *packed, size_t id_count)
{
    struct bert_normalizer normalizer = wordpiece->normalizer;
    size_t word_chars_max = wordpiece->word_chars_max;
    packed_flag(packed, &normalizer.clean_text);
    packed_flag(packed, &normalizer.handle_chinese_chars);
    packed_flag(packed, &normalizer.strip_accents);
    packed_flag(packed, &normalizer.lowercase);
    packed_size(packed, &word_chars_max, WORDPIECE_WORD_CHARS_MAX);
    if (!packed_writes(packed)) {
        wordpiece_init(wordpiece, normalizer, word_chars_max);
    }
    vocab_pack(&wordpiece->vocab, packed, id_count);
    packed_id(packed, &wordpiece->continuing, VOCAB_NODES_MAX);
    packed_id(packed, &wordpiece->unk, (uint32_t)id_count - 1);
    if (!packed_failed(packed) && wordpiece->continuing >= wordpiece->vocab.nodes) {
        packed_fail(packed, "holds a vocabulary that points astray");
    }
    pack_patterns(wordpiece, packed, id_count);
}
