/* unigram.c - see unigram.h. Follows huggingface/tokenizers, models/unigram/model.rs and
 * pre_tokenizers/metaspace.rs: Viterbi's algorithm in double precision, the first of equal sums
 * wins, neighbouring unknowns are one. Loading is unigram_load.c.
 */
#include "nlp/unigram.h"

#include "base/unicode.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_WAY UINT32_MAX

static bool is_ascii(char byte)
{
    return (unsigned char)byte < 0x80;
}

void unigram_init(struct unigram *unigram)
{
    *unigram = (struct unigram){.unk = VOCAB_NO_ID};
    vocab_init(&unigram->vocab);
    charsmap_init(&unigram->normalizer.map);
    added_tokens_init(&unigram->normalized);
    added_tokens_init(&unigram->symbols);
}

void unigram_done(struct unigram *unigram)
{
    vocab_done(&unigram->vocab);
    if (!unigram->is_mapped) {
        free(unigram->scores);
    }
    unigram->scores = NULL;
    charsmap_done(&unigram->normalizer.map);
    added_tokens_done(&unigram->normalized);
    added_tokens_done(&unigram->symbols);
}

bool unigram_set_pieces(struct unigram *unigram, const struct unigram_piece *pieces, size_t count,
                        uint32_t unk)
{
    const double unk_penalty = 10.0;
    double lowest = (double)INFINITY;
    unigram->scores = malloc((count + 1) * sizeof *unigram->scores);
    if (!unigram->scores) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        unigram->scores[i] = pieces[i].score;
        lowest = pieces[i].score < lowest ? pieces[i].score : lowest;
    }
    for (size_t i = count; i > 0; i--) {
        const struct unigram_piece *piece = &pieces[i - 1];
        if (vocab_add(&unigram->vocab, piece->bytes, piece->size, (uint32_t)(i - 1)) ==
            VOCAB_ADDED_NO_MEMORY) {
            return false;
        }
    }
    unigram->count = count;
    unigram->unk = unk;
    unigram->unk_score = lowest - unk_penalty;
    return true;
}

/* Takes a token that ends at node, if that is better than what led there before. */
static inline void offer(struct unigram_node *node, size_t from, uint32_t id, double score)
{
    if (node->from == NO_WAY || score > node->score) {
        *node = (struct unigram_node){.score = score, .from = (uint32_t)from, .id = id};
    }
}

/* Fills scratch->nodes for the first size bytes of scratch->piece. */
static void find_ways(const struct unigram *unigram, struct unigram_scratch *scratch, size_t size)
{
    struct unigram_node *nodes = scratch->nodes;
    for (size_t i = 0; i <= size; i++) {
        nodes[i] = (struct unigram_node){.from = NO_WAY};
    }
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        size_t first = is_ascii(scratch->piece[at])
                           ? 1
                           : utf8_decode(scratch->piece + at, size - at, &code_point, NULL);
        bool has_single = false;
        uint32_t node = VOCAB_ROOT;
        for (size_t to = at + 1; to <= size; to++) {
            node = vocab_step(&unigram->vocab, node, scratch->piece[to - 1]);
            if (node == VOCAB_NO_NODE) {
                break;
            }
            uint32_t id = unigram->vocab.ids[node];
            if (id != VOCAB_NO_ID) {
                offer(&nodes[to], at, id, unigram->scores[id] + nodes[at].score);
                has_single = has_single || to == at + first;
            }
        }
        if (!has_single) {
            offer(&nodes[at + first], at, unigram->unk, unigram->unk_score + nodes[at].score);
        }
        at += first;
    }
}

/* Cuts the first size bytes of scratch->piece into tokens. Like the library, looks the text of
 * joined unknowns up once more. */
static void cut_piece(const struct unigram *unigram, struct unigram_scratch *scratch, size_t size)
{
    find_ways(unigram, scratch, size);
    scratch->ids_at = UNIGRAM_PIECE_BYTES_MAX;
    for (size_t end = size; end > 0;) {
        size_t start = scratch->nodes[end].from;
        uint32_t id = scratch->nodes[end].id;
        if (id == unigram->unk) {
            while (start > 0 && scratch->nodes[start].id == unigram->unk) {
                start = scratch->nodes[start].from;
            }
            uint32_t known = vocab_find(&unigram->vocab, scratch->piece + start, end - start);
            id = known == VOCAB_NO_ID ? unigram->unk : known;
        }
        scratch->ids[--scratch->ids_at] = id;
        end = start;
    }
}

/* The size of the replacement or of the space at the head of bytes[0..size), or 0. */
static size_t mark_size(const struct unigram_words *words, const char *bytes, size_t size)
{
    if (*bytes == ' ') {
        return 1;
    }
    bool is_mark = *bytes == words->replacement[0] && size >= words->replacement_size &&
                   memcmp(bytes, words->replacement, words->replacement_size) == 0;
    return is_mark ? words->replacement_size : 0;
}

static bool prepends(const struct unigram *unigram, const struct unigram_scratch *scratch)
{
    const struct unigram_words *words = &unigram->words;
    bool is_torn = scratch->normalizer.is_torn && scratch->at == scratch->normalizer.text;
    if (is_torn || mark_size(words, scratch->at, (size_t)(scratch->end - scratch->at)) > 0) {
        return false;
    }
    return words->prepend == UNIGRAM_PREPEND_ALWAYS ||
           (words->prepend == UNIGRAM_PREPEND_FIRST && scratch->may_be_first);
}

/* Takes the next piece of scratch->at into scratch->piece and returns its size. */
static size_t read_piece(const struct unigram *unigram, struct unigram_scratch *scratch)
{
    const struct unigram_words *words = &unigram->words;
    bool is_fresh = scratch->is_fresh;
    size_t used = 0;
    scratch->is_fresh = false;
    if (is_fresh && words->metaspace && prepends(unigram, scratch)) {
        memcpy(scratch->piece, words->replacement, words->replacement_size);
        used = words->replacement_size;
    }
    for (bool is_head = used == 0; scratch->at < scratch->end; is_head = false) {
        size_t left = (size_t)(scratch->end - scratch->at);
        size_t mark = words->metaspace ? mark_size(words, scratch->at, left) : 0;
        if (mark > 0 && words->split && !is_head) {
            break;
        }
        uint32_t code_point;
        const char *source = mark > 0 ? words->replacement : scratch->at;
        size_t taken =
            mark > 0 || is_ascii(*source) ? 1 : utf8_decode(source, left, &code_point, NULL);
        size_t added = mark > 0 ? words->replacement_size : taken;
        if (used + added > UNIGRAM_PIECE_BYTES_MAX) {
            break;
        }
        for (size_t i = 0; i < added; i++) {
            scratch->piece[used + i] = source[i];
        }
        used += added;
        scratch->at += mark > 0 ? mark : taken;
    }
    return used;
}

/* Moves on to the next part of the split that is free of white space, or to all of it. */
static void next_part(const struct unigram *unigram, struct unigram_scratch *scratch)
{
    size_t taken = 0;
    uint32_t code_point;
    scratch->at = scratch->split;
    scratch->end = scratch->split_end;
    scratch->is_fresh = true;
    if (unigram->words.split_white_space) {
        while (scratch->at < scratch->split_end) {
            taken = utf8_decode(scratch->at, (size_t)(scratch->split_end - scratch->at),
                                &code_point, NULL);
            if (!unicode_is_white_space(code_point)) {
                break;
            }
            scratch->at += taken;
            scratch->may_be_first = false;
        }
        scratch->end = scratch->at;
        while (scratch->end < scratch->split_end) {
            taken = utf8_decode(scratch->end, (size_t)(scratch->split_end - scratch->end),
                                &code_point, NULL);
            if (unicode_is_white_space(code_point)) {
                break;
            }
            scratch->end += taken;
        }
    }
    scratch->split = scratch->end;
}

void unigram_start(const struct unigram *unigram, struct unigram_scratch *scratch,
                   const char *bytes, size_t size, bool at_start)
{
    (void)unigram;
    unigram_normalizer_start(&scratch->normalizer, bytes, size);
    added_cursor_start(&scratch->cursor, bytes, 0);
    scratch->at_start = at_start;
    scratch->split = bytes;
    scratch->split_end = bytes;
    scratch->at = bytes;
    scratch->end = bytes;
    scratch->ids_at = UNIGRAM_PIECE_BYTES_MAX;
}

/* Goes on to the next stretch between normalized added tokens; one of those is written to *id. */
static enum added_step next_split(const struct unigram *unigram, struct unigram_scratch *scratch,
                                  uint32_t *id)
{
    size_t start = 0;
    size_t stop = 0;
    enum added_step step =
        added_cursor_next(&scratch->cursor, &unigram->normalized, &start, &stop, id);
    while (step == ADDED_STEP_END) {
        scratch->may_be_first = scratch->at_start && !scratch->normalizer.began;
        if (!unigram_normalizer_next(&unigram->normalizer, &scratch->normalizer)) {
            return step;
        }
        scratch->may_be_first = scratch->may_be_first && !scratch->normalizer.lost_its_start;
        added_cursor_start(&scratch->cursor, scratch->normalizer.text, scratch->normalizer.size);
        step = added_cursor_next(&scratch->cursor, &unigram->normalized, &start, &stop, id);
    }
    if (step == ADDED_STEP_TEXT) {
        scratch->split = scratch->cursor.bytes + start;
        scratch->split_end = scratch->cursor.bytes + stop;
        scratch->may_be_first = scratch->may_be_first && start == 0;
    }
    return step;
}

size_t unigram_next(const struct unigram *unigram, struct unigram_scratch *scratch, uint32_t *ids,
                    size_t ids_max)
{
    size_t count = 0;
    while (count < ids_max) {
        if (scratch->ids_at < UNIGRAM_PIECE_BYTES_MAX) {
            ids[count++] = scratch->ids[scratch->ids_at++];
        } else if (scratch->at < scratch->end) {
            cut_piece(unigram, scratch, read_piece(unigram, scratch));
        } else if (scratch->split < scratch->split_end) {
            next_part(unigram, scratch);
        } else {
            enum added_step step = next_split(unigram, scratch, &ids[count]);
            if (step == ADDED_STEP_END) {
                break;
            }
            count += step == ADDED_STEP_TOKEN;
        }
    }
    return count;
}
