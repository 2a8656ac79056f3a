/* unigram_pack.c - a Unigram model to and from a packed file (packed.h). */
#include "nlp/unigram.h"

static void pack_step(struct unigram_normalizer_step *step, struct packed *packed)
{
    size_t kind = (size_t)step->kind;
    packed_size(packed, &kind, UNIGRAM_NORMALIZER_KIND_COLLAPSE);
    packed_flag(packed, &step->left);
    packed_flag(packed, &step->right);
    packed_bytes(packed, step->content, sizeof step->content);
    packed_size(packed, &step->content_size, sizeof step->content);
    step->kind = (enum unigram_normalizer_kind)kind;
}

static void pack_normalizer(struct unigram_normalizer *normalizer, struct packed *packed)
{
    size_t collapses = 0;
    charsmap_pack(&normalizer->map, packed);
    packed_size(packed, &normalizer->step_count, UNIGRAM_NORMALIZER_STEPS_MAX);
    for (size_t i = 0; i < normalizer->step_count; i++) {
        pack_step(&normalizer->steps[i], packed);
        collapses += normalizer->steps[i].kind == UNIGRAM_NORMALIZER_KIND_COLLAPSE;
    }
    if (collapses > 1) {
        packed_fail(packed, "holds more than one replacement of spaces");
    }
}

static void pack_words(struct unigram_words *words, struct packed *packed)
{
    size_t prepend = (size_t)words->prepend;
    packed_flag(packed, &words->split_white_space);
    packed_flag(packed, &words->metaspace);
    packed_flag(packed, &words->split);
    packed_size(packed, &prepend, UNIGRAM_PREPEND_NEVER);
    packed_bytes(packed, words->replacement, sizeof words->replacement);
    packed_size(packed, &words->replacement_size, sizeof words->replacement);
    if (words->metaspace && words->replacement_size == 0) {
        packed_fail(packed, "holds no mark for spaces");
    }
    words->prepend = (enum unigram_prepend)prepend;
}

void unigram_pack(struct unigram *unigram, struct packed *packed, size_t id_count)
{
    packed_size(packed, &unigram->count, id_count);
    vocab_pack(&unigram->vocab, packed, unigram->count);
    unigram->scores =
        packed_array(packed, unigram->scores, unigram->count * sizeof *unigram->scores);
    unigram->is_mapped = !packed_writes(packed);
    packed_id(packed, &unigram->unk, (uint32_t)id_count - 1);
    packed_bytes(packed, &unigram->unk_score, sizeof unigram->unk_score);
    pack_normalizer(&unigram->normalizer, packed);
    added_tokens_pack(&unigram->normalized, packed, id_count);
    added_tokens_pack(&unigram->symbols, packed, id_count);
    pack_words(&unigram->words, packed);
}
