/* bpe.c - see bpe.h. Follows huggingface/tokenizers, models/bpe/word.rs: the pair of lowest rank
 * merges first, of equal ones the leftmost, and a heap finds it.
 *
 * No cache of words seen: the table of whole words catches nine of ten, holds nothing of what
 * customers said, and is shared by all threads. Loading is bpe_load.c.
 */
#include "nlp/bpe.h"

#include "base/utf8.h"
#include "nlp/byte_level.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_LOG2_FIRST = 10 };
#define NO_SYMBOL UINT32_MAX

void bpe_init(struct bpe *bpe)
{
    *bpe = (struct bpe){.use_regex = true};
    vocab_init(&bpe->vocab);
    added_tokens_init(&bpe->normalized);
}

void bpe_done(struct bpe *bpe)
{
    vocab_done(&bpe->vocab);
    added_tokens_done(&bpe->normalized);
    if (!bpe->is_mapped) {
        free(bpe->merges);
        free(bpe->words);
        free(bpe->word_bytes);
    }
    *bpe = (struct bpe){0};
}

/* The slot of the pair, or the free slot where it belongs. */
static struct bpe_merge *find_merge(const struct bpe *bpe, uint32_t left, uint32_t right)
{
    size_t mask = ((size_t)1 << bpe->merges_log2) - 1;
    uint64_t key = (uint64_t)left << 32 | right;
    size_t at = (size_t)((key * 0x9E3779B97F4A7C15u) >> (64 - bpe->merges_log2));
    while (bpe->merges[at].left != VOCAB_NO_ID &&
           (bpe->merges[at].left != left || bpe->merges[at].right != right)) {
        at = (at + 1) & mask;
    }
    return &bpe->merges[at];
}

static bool grow_merges(struct bpe *bpe)
{
    struct bpe grown = {.merges_log2 = bpe->merges ? bpe->merges_log2 + 1 : TABLE_LOG2_FIRST};
    size_t slots = (size_t)1 << grown.merges_log2;
    grown.merges = malloc(slots * sizeof *grown.merges);
    if (!grown.merges) {
        return false;
    }
    memset(grown.merges, 0xFF, slots * sizeof *grown.merges);
    size_t old_slots = bpe->merges ? (size_t)1 << bpe->merges_log2 : 0;
    for (size_t i = 0; i < old_slots; i++) {
        if (bpe->merges[i].left != VOCAB_NO_ID) {
            *find_merge(&grown, bpe->merges[i].left, bpe->merges[i].right) = bpe->merges[i];
        }
    }
    free(bpe->merges);
    bpe->merges = grown.merges;
    bpe->merges_log2 = grown.merges_log2;
    return true;
}

bool bpe_add_merge(struct bpe *bpe, const struct bpe_merge *merge, bool replace)
{
    bool half_full = !bpe->merges || bpe->merge_count * 2 >= (size_t)1 << bpe->merges_log2;
    if (bpe->merge_count >= BPE_MERGES_MAX || (half_full && !grow_merges(bpe))) {
        return false;
    }
    struct bpe_merge *slot = find_merge(bpe, merge->left, merge->right);
    bool is_new = slot->left == VOCAB_NO_ID;
    if (is_new || replace) {
        *slot = *merge;
    }
    bpe->merge_count += is_new;
    return true;
}

void bpe_seal(struct bpe *bpe, uint32_t unknown)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char spelled[BYTE_LEVEL_CHAR_BYTES];
        size_t size = byte_level_spell((uint8_t)byte, spelled);
        uint32_t id = vocab_find(&bpe->vocab, spelled, size);
        bpe->byte_ids[byte] = id == VOCAB_NO_ID ? unknown : id;
        bpe->byte_is_unknown[byte] = id == VOCAB_NO_ID;
    }
}

static void heap_push(struct bpe_scratch *scratch, uint64_t entry)
{
    size_t at = scratch->heap_count++;
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (scratch->heap[parent] <= entry) {
            break;
        }
        scratch->heap[at] = scratch->heap[parent];
        at = parent;
    }
    scratch->heap[at] = entry;
}

static uint64_t heap_pop(struct bpe_scratch *scratch)
{
    uint64_t top = scratch->heap[0];
    uint64_t last = scratch->heap[--scratch->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= scratch->heap_count) {
            break;
        }
        if (child + 1 < scratch->heap_count && scratch->heap[child + 1] < scratch->heap[child]) {
            child++;
        }
        if (scratch->heap[child] >= last) {
            break;
        }
        scratch->heap[at] = scratch->heap[child];
        at = child;
    }
    scratch->heap[at] = last;
    return top;
}

/* Queues the merge of the symbol at `left` with the one after it, if there is one. */
static void consider(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t left)
{
    const struct bpe_symbol *symbol = &scratch->symbols[left];
    if (symbol->next == NO_SYMBOL) {
        return;
    }
    const struct bpe_merge *merge = find_merge(bpe, symbol->id, scratch->symbols[symbol->next].id);
    if (merge->left != VOCAB_NO_ID) {
        heap_push(scratch, (uint64_t)merge->rank << 32 | left);
    }
}

/* Merges at `left` if the pair there still is the one that was queued with this rank. */
static void merge_at(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t left,
                     uint32_t rank)
{
    struct bpe_symbol *symbol = &scratch->symbols[left];
    if (symbol->id == VOCAB_NO_ID || symbol->next == NO_SYMBOL) {
        return;
    }
    struct bpe_symbol *right = &scratch->symbols[symbol->next];
    const struct bpe_merge *merge = find_merge(bpe, symbol->id, right->id);
    if (merge->left == VOCAB_NO_ID || merge->rank != rank) {
        return;
    }
    symbol->id = merge->merged;
    symbol->next = right->next;
    right->id = VOCAB_NO_ID;
    if (symbol->next != NO_SYMBOL) {
        scratch->symbols[symbol->next].previous = left;
    }
    if (symbol->previous != NO_SYMBOL) {
        consider(bpe, scratch, symbol->previous);
    }
    consider(bpe, scratch, left);
}

/* Bytes to symbols; a byte without a token is the unknown token, or nothing. */
static size_t make_symbols(const struct bpe *bpe, struct bpe_scratch *scratch, const char *bytes,
                           size_t size)
{
    size_t count = 0;
    bool was_unknown = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool is_unknown = bpe->byte_is_unknown[byte];
        if (bpe->byte_ids[byte] == VOCAB_NO_ID ||
            (is_unknown && was_unknown && bpe->fuse_unknown)) {
            continue;
        }
        was_unknown = is_unknown;
        scratch->symbols[count] = (struct bpe_symbol){.id = bpe->byte_ids[byte],
                                                      .previous = (uint32_t)count - 1,
                                                      .next = (uint32_t)count + 1};
        count++;
    }
    if (count > 0) {
        scratch->symbols[count - 1].next = NO_SYMBOL;
    }
    return count;
}

/* Leaves the word's ids in the first ids_count symbols. */
static void merge_word(const struct bpe *bpe, struct bpe_scratch *scratch, const char *bytes,
                       size_t size)
{
    size_t count = make_symbols(bpe, scratch, bytes, size);
    scratch->ids_at = 0;
    scratch->ids_count = count;
    if (bpe->merge_count == 0) {
        return;
    }
    scratch->heap_count = 0;
    for (size_t i = 0; i < count; i++) {
        consider(bpe, scratch, (uint32_t)i);
    }
    while (scratch->heap_count > 0) {
        uint64_t entry = heap_pop(scratch);
        merge_at(bpe, scratch, (uint32_t)entry, (uint32_t)(entry >> 32));
    }
    scratch->ids_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (scratch->symbols[i].id != VOCAB_NO_ID) {
            scratch->symbols[scratch->ids_count++].id = scratch->symbols[i].id;
        }
    }
}

static uint32_t hash_word(const char *bytes, size_t size)
{
    uint64_t hash = 0xCBF29CE484222325u ^ size;
    uint64_t chunk = 0;
    while (size >= sizeof chunk) {
        memcpy(&chunk, bytes, sizeof chunk);
        hash = (hash ^ chunk) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
        bytes += sizeof chunk;
        size -= sizeof chunk;
    }
    chunk = 0;
    memcpy(&chunk, bytes, size);
    hash = (hash ^ chunk) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash >> 32);
}

/* The slot of the word, or the free slot where it belongs. */
static struct bpe_word *find_word(const struct bpe *bpe, const char *bytes, size_t size)
{
    size_t mask = ((size_t)1 << bpe->words_log2) - 1;
    uint32_t hash = hash_word(bytes, size);
    size_t at = hash & mask;
    for (;;) {
        struct bpe_word *word = &bpe->words[at];
        if (word->id == VOCAB_NO_ID || (word->hash == hash && word->size == size &&
                                        memcmp(bpe->word_bytes + word->start, bytes, size) == 0)) {
            return word;
        }
        at = (at + 1) & mask;
    }
}

static bool grow_words(struct bpe *bpe)
{
    unsigned log2 = bpe->words ? bpe->words_log2 + 1 : TABLE_LOG2_FIRST;
    size_t slots = (size_t)1 << log2;
    size_t mask = slots - 1;
    struct bpe_word *grown = malloc(slots * sizeof *grown);
    if (!grown) {
        return false;
    }
    memset(grown, 0xFF, slots * sizeof *grown);
    size_t old_slots = bpe->words ? (size_t)1 << bpe->words_log2 : 0;
    for (size_t i = 0; i < old_slots; i++) {
        size_t at = bpe->words[i].hash & mask;
        while (bpe->words[i].id != VOCAB_NO_ID && grown[at].id != VOCAB_NO_ID) {
            at = (at + 1) & mask;
        }
        if (bpe->words[i].id != VOCAB_NO_ID) {
            grown[at] = bpe->words[i];
        }
    }
    free(bpe->words);
    bpe->words = grown;
    bpe->words_log2 = log2;
    return true;
}

static bool reserve_word_bytes(struct bpe *bpe, size_t size)
{
    size_t needed = bpe->word_bytes_size + size;
    if (needed > bpe->word_bytes_capacity) {
        size_t capacity = needed * 2;
        char *grown = capacity <= UINT32_MAX ? realloc(bpe->word_bytes, capacity) : NULL;
        if (!grown) {
            return false;
        }
        bpe->word_bytes = grown;
        bpe->word_bytes_capacity = capacity;
    }
    return true;
}

bool bpe_add_word(struct bpe *bpe, struct bpe_scratch *scratch, const char *token, size_t size,
                  uint32_t id)
{
    if (size == 0 || size > BPE_WORD_BYTES_MAX) {
        return true;
    }
    size_t bytes = byte_level_read(token, size, scratch->word);
    if (bytes == 0) {
        return true;
    }
    merge_word(bpe, scratch, scratch->word, bytes);
    bool merges_to_itself = scratch->ids_count == 1 && scratch->symbols[0].id == id;
    if (!merges_to_itself && !bpe->ignore_merges) {
        return true;
    }
    bool half_full = !bpe->words || bpe->word_count * 2 >= (size_t)1 << bpe->words_log2;
    if ((half_full && !grow_words(bpe)) || !reserve_word_bytes(bpe, bytes)) {
        return false;
    }
    struct bpe_word *word = find_word(bpe, scratch->word, bytes);
    if (word->id == VOCAB_NO_ID) {
        *word = (struct bpe_word){.id = id,
                                  .hash = hash_word(scratch->word, bytes),
                                  .start = (uint32_t)bpe->word_bytes_size,
                                  .size = (uint32_t)bytes};
        memcpy(bpe->word_bytes + bpe->word_bytes_size, scratch->word, bytes);
        bpe->word_bytes_size += bytes;
        bpe->word_count++;
    }
    return true;
}

void bpe_start(const struct bpe *bpe, struct bpe_scratch *scratch, const char *bytes, size_t size)
{
    (void)bpe;
    added_cursor_start(&scratch->cursor, bytes, size);
    scratch->at = bytes;
    scratch->end = bytes;
    scratch->prefix_space = false;
    scratch->ids_at = 0;
    scratch->ids_count = 0;
}

/* Copies bytes[0..size) behind `used` bytes of the word, with U+FFFD in place of what is malformed,
 * as far as there is room; returns how many bytes were read. */
static size_t copy_word(struct bpe_scratch *scratch, size_t *used, const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint32_t code_point;
        char encoded[UTF8_BYTES_MAX];
        size_t taken = utf8_decode(bytes + at, size - at, &code_point, NULL);
        size_t count = utf8_encode(code_point, encoded);
        if (*used + count > BPE_WORD_BYTES_MAX) {
            break;
        }
        memcpy(scratch->word + *used, encoded, count);
        *used += count;
        at += taken;
    }
    return at;
}

/* How far to look for the end of a word: to the end of the stretch, or to where a longer word is
 * cut anyway, between code points. */
static size_t word_room(const struct bpe_scratch *scratch)
{
    size_t left = (size_t)(scratch->end - scratch->at);
    size_t room = left < BPE_WORD_BYTES_MAX ? left : BPE_WORD_BYTES_MAX;
    for (size_t i = 1; room < left && i < UTF8_BYTES_MAX; i++) {
        if (((unsigned char)scratch->at[room] & 0xC0) != 0x80) {
            break;
        }
        room--;
    }
    return room;
}

/* The next word, in *bytes; what is malformed in it has been repaired. */
static size_t read_word(const struct bpe *bpe, struct bpe_scratch *scratch, const char **bytes)
{
    size_t size = word_room(scratch);
    size_t used = 0;
    bool spaced = scratch->prefix_space;
    bool valid = bpe->use_regex;
    if (bpe->use_regex) {
        size = byte_level_word(scratch->at, size, spaced, &valid);
    }
    *bytes = scratch->at;
    if (valid && !spaced) {
        scratch->at += size;
        return size;
    }
    if (spaced) {
        scratch->word[used++] = ' ';
        scratch->prefix_space = false;
    }
    scratch->at += copy_word(scratch, &used, *bytes, size);
    *bytes = scratch->word;
    return used;
}

/* Goes on to the next stretch between normalized added tokens; one of those is written to *id. */
static enum added_step next_stretch(const struct bpe *bpe, struct bpe_scratch *scratch,
                                    uint32_t *id)
{
    size_t start = 0;
    size_t stop = 0;
    enum added_step step = added_cursor_next(&scratch->cursor, &bpe->normalized, &start, &stop, id);
    if (step == ADDED_STEP_TEXT) {
        scratch->at = scratch->cursor.bytes + start;
        scratch->end = scratch->cursor.bytes + stop;
        scratch->prefix_space = bpe->add_prefix_space && *scratch->at != ' ';
    }
    return step;
}

size_t bpe_next(const struct bpe *bpe, struct bpe_scratch *scratch, uint32_t *ids, size_t ids_max)
{
    size_t count = 0;
    while (count < ids_max) {
        if (scratch->ids_at < scratch->ids_count) {
            ids[count++] = scratch->symbols[scratch->ids_at++].id;
        } else if (scratch->at < scratch->end) {
            const char *bytes;
            size_t size = read_word(bpe, scratch, &bytes);
            const struct bpe_word *word = bpe->words ? find_word(bpe, bytes, size) : NULL;
            if (word && word->id != VOCAB_NO_ID) {
                ids[count++] = word->id;
            } else {
                merge_word(bpe, scratch, bytes, size);
            }
        } else {
            enum added_step step = next_stretch(bpe, scratch, &ids[count]);
            if (step == ADDED_STEP_END) {
                break;
            }
            count += step == ADDED_STEP_TOKEN;
        }
    }
    return count;
}
