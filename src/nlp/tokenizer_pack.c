/* tokenizer_pack.c - a tokenizer of any family to and from a packed file (packed.h). The added
 * tokens that only loading asks for are left out. */
#include "nlp/bpe.h"
#include "nlp/tokenizer_internal.h"

#include <stdlib.h>

uint64_t tokenizer_pack_layout(void)
{
    const uint16_t order = 1;
    uint64_t first = *(const unsigned char *)&order; /* the byte order */
    return first | sizeof(size_t) << 8 | sizeof(struct vocab_edge) << 16 |
           sizeof(struct bpe_merge) << 24 | (uint64_t)sizeof(struct bpe_word) << 32;
}

static void pack_ids(uint32_t *ids, size_t *count, struct packed *packed, size_t id_count)
{
    packed_size(packed, count, TOKENIZER_FRAME_MAX);
    for (size_t i = 0; i < *count; i++) {
        packed_id(packed, &ids[i], (uint32_t)id_count - 1);
    }
}

/* The rest goes by the family and the number of ids. */
static void pack_all(struct tokenizer *tokenizer, struct packed *packed)
{
    size_t ids = tokenizer->vocab_count;
    pack_ids(tokenizer->frame.prefix, &tokenizer->frame.prefix_count, packed, ids);
    pack_ids(tokenizer->frame.suffix, &tokenizer->frame.suffix_count, packed, ids);
    packed_bytes(packed, &tokenizer->special, sizeof tokenizer->special);
    added_tokens_pack(&tokenizer->added, packed, ids);
    if (!packed_failed(packed)) {
        tokenizer->family->pack(&tokenizer->model, packed, ids);
    }
    if (tokenizer->frame.prefix_count == 0) {
        packed_fail(packed, "holds no token to begin with");
    }
}

void tokenizer_pack(const struct tokenizer *tokenizer, struct packed *packed)
{
    struct tokenizer view = *tokenizer;
    size_t family = 0;
    while (tokenizer_load_family(family) != view.family) {
        family++;
    }
    packed_size(packed, &family, SIZE_MAX);
    packed_size(packed, &view.vocab_count, TOKENIZER_IDS_MAX);
    pack_all(&view, packed);
}

void tokenizer_unpack(struct tokenizer **tokenizer, struct packed *packed)
{
    size_t family = 0;
    struct tokenizer *made = calloc(1, sizeof *made);
    *tokenizer = made;
    if (!made) {
        packed_fail(packed, "there is no memory for its tokenizer");
        return;
    }
    packed_size(packed, &family, SIZE_MAX);
    packed_size(packed, &made->vocab_count, TOKENIZER_IDS_MAX);
    made->family = tokenizer_load_family(family);
    if (!made->family || made->vocab_count == 0) {
        packed_fail(packed, "holds no tokenizer that this program knows");
        return;
    }
    pack_all(made, packed);
}
