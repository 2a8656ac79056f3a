/* bpe_pack.c - a BPE model to and from a packed file (packed.h). The hash tables lie in the file as
 * they are in memory; that a search in them ends, and where a word's bytes are, is checked once. */
#include "nlp/bpe.h"

enum { TABLE_LOG2_MIN = 10, MERGES_LOG2_MAX = 23, WORDS_LOG2_MAX = 26 };

static bool are_merges_sound(const struct bpe *bpe, size_t id_count)
{
    size_t slots = (size_t)1 << bpe->merges_log2;
    size_t used = 0;
    for (size_t i = 0; i < slots; i++) {
        if (bpe->merges[i].left != VOCAB_NO_ID) {
            used++;
            if (bpe->merges[i].merged >= id_count) {
                return false;
            }
        }
    }
    return used < slots;
}

static bool are_words_sound(const struct bpe *bpe, size_t id_count)
{
    size_t slots = (size_t)1 << bpe->words_log2;
    size_t used = 0;
    for (size_t i = 0; i < slots; i++) {
        const struct bpe_word *word = &bpe->words[i];
        if (word->id != VOCAB_NO_ID) {
            used++;
            if (word->id >= id_count || word->start > bpe->word_bytes_size ||
                word->size > bpe->word_bytes_size - word->start) {
                return false;
            }
        }
    }
    return used < slots;
}

static bool are_bytes_sound(const struct bpe *bpe, size_t id_count)
{
    for (size_t i = 0; i < 256; i++) {
        if (bpe->byte_ids[i] != VOCAB_NO_ID && bpe->byte_ids[i] >= id_count) {
            return false;
        }
    }
    return true;
}

static void pack_tables(struct bpe *bpe, struct packed *packed)
{
    packed_size(packed, &bpe->merge_count, BPE_MERGES_MAX);
    packed_id(packed, &bpe->merges_log2, MERGES_LOG2_MAX);
    packed_id(packed, &bpe->words_log2, WORDS_LOG2_MAX);
    packed_size(packed, &bpe->word_count, (size_t)1 << WORDS_LOG2_MAX);
    packed_size(packed, &bpe->word_bytes_size, UINT32_MAX);
    bool are_small = (bpe->merge_count > 0 && bpe->merges_log2 < TABLE_LOG2_MIN) ||
                     (bpe->word_count > 0 && bpe->words_log2 < TABLE_LOG2_MIN);
    if (are_small) {
        packed_fail(packed, "holds tables that are too small");
    }
    if (bpe->merge_count > 0) {
        size_t slots = (size_t)1 << bpe->merges_log2;
        bpe->merges = packed_array(packed, bpe->merges, slots * sizeof *bpe->merges);
    }
    if (bpe->word_count > 0) {
        size_t slots = (size_t)1 << bpe->words_log2;
        bpe->words = packed_array(packed, bpe->words, slots * sizeof *bpe->words);
        bpe->word_bytes = packed_array(packed, bpe->word_bytes, bpe->word_bytes_size);
    }
}

void bpe_pack(struct bpe *bpe, struct packed *packed, size_t id_count)
{
    vocab_pack(&bpe->vocab, packed, id_count);
    packed_bytes(packed, bpe->byte_ids, sizeof bpe->byte_ids);
    for (size_t i = 0; i < 256; i++) {
        packed_flag(packed, &bpe->byte_is_unknown[i]);
    }
    packed_flag(packed, &bpe->add_prefix_space);
    packed_flag(packed, &bpe->use_regex);
    packed_flag(packed, &bpe->ignore_merges);
    packed_flag(packed, &bpe->fuse_unknown);
    added_tokens_pack(&bpe->normalized, packed, id_count);
    pack_tables(bpe, packed);
    if (packed_writes(packed)) {
        return;
    }
    bpe->is_mapped = true;
    bool is_sound =
        packed_failed(packed) || (are_bytes_sound(bpe, id_count) &&
                                  (bpe->merge_count == 0 || are_merges_sound(bpe, id_count)) &&
                                  (bpe->word_count == 0 || are_words_sound(bpe, id_count)));
    if (!is_sound) {
        packed_fail(packed, "holds merges or words that point astray");
    }
}
