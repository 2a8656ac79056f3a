/* scorer.c - see scorer.h. Texts are tokenized straight into one ragged batch until it is full,
 * then the batch runs and each sequence's answer goes back to its text; a long text is several
 * sequences whose probabilities become a running mean weighted by tokens, taken in text order.
 * Since the encoder's rows do not depend on their neighbours, where a batch is cut never shows. */
#include "nlp/scorer.h"

#include "base/buf.h"
#include "nlp/crew.h"
#include "nlp/output.h"
#include "nlp/scorer_internal.h"
#include "nlp/tweet.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PREPARED_BYTES_MAX = 256 << 20 };

_Static_assert((int)SCORER_LABELS_MAX >= (int)CHECKPOINT_LABELS_MAX, "a result holds all labels");

struct scorer_scratch {
    struct tokenizer_scratch *tokenizer;
    struct encoder_scratch *encoder;
    size_t batch_tokens;
    size_t sequences_max;
    uint32_t *ids;    /* batch_tokens, and room for one sequence more */
    uint32_t *starts; /* sequences_max + 1 */
    size_t *owners;   /* which text a sequence belongs to */
    float *logits;    /* [sequences_max x label_count] */
    float *dense;     /* the classifier's */
    size_t count;     /* sequences waiting; starts[count] is their tokens */
    struct buf prepared;
};

/* ---- scratch ---- */

static int allocate_scratch(const struct scorer *scorer, struct scorer_scratch *s,
                            struct error *err)
{
    size_t count = s->sequences_max;
    int code = tokenizer_scratch_create(scorer->tokenizer, &s->tokenizer, err);
    code = code ? code
                : encoder_scratch_create(scorer->encoder, s->batch_tokens, count, &s->encoder, err);
    if (code != 0) {
        return code;
    }
    buf_init(&s->prepared, PREPARED_BYTES_MAX);
    size_t dense = classifier_scratch_floats(scorer->classifier, count);
    s->ids = calloc(s->batch_tokens + scorer->tokens_max, sizeof *s->ids);
    s->starts = calloc(count + 1, sizeof *s->starts);
    s->owners = calloc(count, sizeof *s->owners);
    s->logits = calloc(count * scorer->config.label_count, sizeof *s->logits);
    s->dense = calloc(dense, sizeof *s->dense);
    if (!s->ids || !s->starts || !s->owners || !s->logits || !s->dense) {
        return error_set(err, ERROR_MEMORY, "no memory for a batch of %zu tokens", s->batch_tokens);
    }
    return 0;
}

int scorer_scratch_create(const struct scorer *scorer, size_t batch_tokens,
                          struct scorer_scratch **scratch, struct error *err)
{
    *scratch = NULL;
    struct scorer_scratch *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for a batch");
    }
    size_t shortest = scorer->frame.prefix_count + scorer->frame.suffix_count;
    made->batch_tokens = batch_tokens > scorer->tokens_max ? batch_tokens : scorer->tokens_max;
    made->sequences_max = made->batch_tokens / shortest;
    int code = allocate_scratch(scorer, made, err);
    if (code != 0) {
        scorer_scratch_destroy(made);
        return code;
    }
    *scratch = made;
    return 0;
}

void scorer_scratch_destroy(struct scorer_scratch *scratch)
{
    if (scratch) {
        tokenizer_scratch_destroy(scratch->tokenizer);
        encoder_scratch_destroy(scratch->encoder);
        free(scratch->ids);
        free(scratch->starts);
        free(scratch->owners);
        free(scratch->logits);
        free(scratch->dense);
        buf_done(&scratch->prepared);
        free(scratch);
    }
}

size_t scorer_scratch_bytes(const struct scorer_scratch *scratch)
{
    return encoder_scratch_bytes(scratch->encoder);
}

/* ---- running ---- */

void scorer_invite(struct scorer_scratch *scratch)
{
    crew_open(encoder_scratch_crew(scratch->encoder));
}

void scorer_dismiss(struct scorer_scratch *scratch)
{
    crew_close(encoder_scratch_crew(scratch->encoder));
}

void scorer_help(struct scorer_scratch *own, struct scorer_scratch *other, const atomic_bool *leave)
{
    crew_help(encoder_scratch_crew(other->encoder), own->encoder, leave);
}

/* Adds one sequence's logits to its text's answer. */
static int add_answer(const struct scorer *scorer, const float *logits, uint32_t tokens,
                      struct scorer_result *result, struct error *err)
{
    float probabilities[SCORER_LABELS_MAX];
    for (size_t i = 0; i < scorer->config.label_count; i++) {
        if (!isfinite(logits[i])) {
            return error_set(err, ERROR_INTERNAL,
                             "the model gave a logit that is not finite for a text of %u tokens",
                             (unsigned)tokens);
        }
        result->logits[i] = logits[i];
    }
    output_probabilities(&scorer->config, scorer->kernels, logits, probabilities);
    result->chunk_count++;
    result->token_count += tokens;
    float share = (float)tokens / (float)result->token_count; /* 1 for the first chunk */
    for (size_t i = 0; i < scorer->config.label_count; i++) {
        float was = result->probabilities[i];
        result->probabilities[i] =
            result->chunk_count == 1 ? probabilities[i] : was + share * (probabilities[i] - was);
    }
    return 0;
}

/* Runs what waits in the batch and empties it. */
static int run_batch(const struct scorer *scorer, struct scorer_scratch *s,
                     struct scorer_result *results, struct error *err)
{
    if (s->count == 0) {
        return 0;
    }
    const float *first = encoder_run(scorer->encoder, s->encoder, s->ids, s->starts, s->count);
    classifier_run(scorer->classifier, first, s->count, s->dense, s->logits);
    int code = 0;
    for (size_t i = 0; i < s->count && code == 0; i++) {
        code = add_answer(scorer, s->logits + i * scorer->config.label_count,
                          s->starts[i + 1] - s->starts[i], &results[s->owners[i]], err);
    }
    s->count = 0;
    return code;
}

/* Takes the text's next chunk behind the batch, with its frame; returns its tokens. *last tells
 * whether the text is done, which the tokenizer shows by giving fewer ids than asked for. */
static size_t take_chunk(const struct scorer *scorer, struct scorer_scratch *s, bool *last)
{
    const struct tokenizer_frame *frame = &scorer->frame;
    size_t room = scorer->tokens_max - frame->prefix_count - frame->suffix_count;
    uint32_t *ids = s->ids + s->starts[s->count];
    memcpy(ids, frame->prefix, frame->prefix_count * sizeof *ids);
    size_t took = tokenizer_next(scorer->tokenizer, s->tokenizer, ids + frame->prefix_count, room);
    memcpy(ids + frame->prefix_count + took, frame->suffix, frame->suffix_count * sizeof *ids);
    *last = took < room;
    return frame->prefix_count + took + frame->suffix_count;
}

/* What the model's card wants done to every text. */
static int prepare_text(const struct scorer *scorer, struct scorer_scratch *s,
                        struct scorer_text *text, struct error *err)
{
    if (!scorer->config.extra.preprocess_tweets) {
        return 0;
    }
    if (!tweet_prepare(&s->prepared, text->bytes, text->size)) {
        return error_set(err, ERROR_LIMIT, "a text of %zu bytes is too long to prepare",
                         text->size);
    }
    *text = (struct scorer_text){buf_string(&s->prepared), s->prepared.size};
    return 0;
}

static int add_text(const struct scorer *scorer, struct scorer_scratch *s, struct scorer_text text,
                    size_t owner, enum scorer_long long_text, struct scorer_result *results,
                    struct error *err)
{
    size_t frame_tokens = scorer->frame.prefix_count + scorer->frame.suffix_count;
    bool last = false;
    int prepared = prepare_text(scorer, s, &text, err);
    if (prepared != 0) {
        return prepared;
    }
    tokenizer_start(scorer->tokenizer, s->tokenizer, text.bytes, text.size);
    for (size_t chunk = 0; !last; chunk++) {
        size_t tokens = take_chunk(scorer, s, &last);
        if (chunk > 0 && tokens == frame_tokens) {
            break; /* the chunk before ended exactly with the text */
        }
        size_t start = s->starts[s->count];
        if (start + tokens > s->batch_tokens) {
            int code = run_batch(scorer, s, results, err);
            if (code != 0) {
                return code;
            }
            memmove(s->ids, s->ids + start, tokens * sizeof *s->ids);
            start = 0;
        }
        assert(s->count < s->sequences_max);
        s->owners[s->count] = owner;
        s->count++;
        s->starts[s->count] = (uint32_t)(start + tokens);
        last = last || long_text == SCORER_LONG_TRUNCATE;
    }
    return 0;
}

static void finish_result(const struct scorer *scorer, struct scorer_result *result)
{
    result->score = output_score(&scorer->config, result->probabilities);
    result->label = 0;
    for (size_t i = 1; i < scorer->config.label_count; i++) {
        if (result->probabilities[i] > result->probabilities[result->label]) {
            result->label = (uint32_t)i;
        }
    }
}

int scorer_run(const struct scorer *scorer, struct scorer_scratch *scratch,
               const struct scorer_text *texts, size_t count, enum scorer_long long_text,
               struct scorer_result *results, struct error *err)
{
    int code = 0;
    scratch->count = 0;
    scratch->starts[0] = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        results[i] = (struct scorer_result){0};
        code = add_text(scorer, scratch, texts[i], i, long_text, results, err);
    }
    code = code ? code : run_batch(scorer, scratch, results, err);
    for (size_t i = 0; i < count && code == 0; i++) {
        finish_result(scorer, &results[i]);
    }
    return code;
}

size_t scorer_tokens(const struct scorer *scorer, struct scorer_scratch *scratch,
                     struct scorer_text text, enum scorer_long long_text, uint32_t *ids,
                     size_t ids_max)
{
    const struct tokenizer_frame *frame = &scorer->frame;
    size_t frame_tokens = frame->prefix_count + frame->suffix_count;
    size_t room = ids_max > frame->prefix_count ? ids_max - frame->prefix_count : 0;
    struct error ignored;
    (void)prepare_text(scorer, scratch, &text, &ignored);
    size_t inner = tokenizer_encode(scorer->tokenizer, scratch->tokenizer, text.bytes, text.size,
                                    room ? ids + frame->prefix_count : NULL, room);
    if (long_text == SCORER_LONG_TRUNCATE && inner > scorer->tokens_max - frame_tokens) {
        inner = scorer->tokens_max - frame_tokens;
    }
    for (size_t i = 0; i < frame->prefix_count && i < ids_max; i++) {
        ids[i] = frame->prefix[i];
    }
    for (size_t i = 0; i < frame->suffix_count; i++) {
        size_t at = frame->prefix_count + inner + i;
        if (at < ids_max) {
            ids[at] = frame->suffix[i];
        }
    }
    return frame_tokens + inner;
}

/* ---- self-test ---- */

/* Whether the answer is on that side of neutral, in its score and in its label. */
static int expect_side(const struct scorer *scorer, const struct scorer_result *result, double side,
                       const char *what, struct error *err)
{
    const struct checkpoint_label *label = &scorer->config.labels[result->label];
    double polarity = scorer->config.label_count > 1 ? label->polarity : result->score;
    if ((polarity - 0.5) * side > 0 && (result->score - 0.5) * side > 0) {
        return 0;
    }
    return error_set(
        err, ERROR_CONFIG,
        "the model calls a plainly %s sentence \"%s\" (score %.3f): the order of "
        "\"id2label\" in config.json, or model.yaml beside it, is wrong, or this model "
        "does not know English (then say its language in model.yaml)",
        what, label->name, result->score);
}

/* No language said means English. */
const char *scorer_language(const struct scorer *scorer)
{
    return scorer->config.extra.language[0] ? scorer->config.extra.language : "en";
}

/* So does any of its regions; "multi" means many. */
static bool knows_english(const struct scorer *scorer)
{
    const char *language = scorer_language(scorer);
    return strcmp(language, "multi") == 0 || strcmp(language, "en") == 0 ||
           strncmp(language, "en-", 3) == 0;
}

int scorer_self_test(const struct scorer *scorer, struct error *err)
{
    static const char negative[] = "This is terrible service, I am very angry and disappointed.";
    static const char positive[] = "Thank you so much, this is wonderful, I am very happy.";
    const struct scorer_text texts[] = {{negative, sizeof negative - 1},
                                        {positive, sizeof positive - 1}};
    struct scorer_result results[2];
    struct scorer_scratch *scratch;
    if (!knows_english(scorer)) {
        return 0;
    }
    int code = scorer_scratch_create(scorer, 0, &scratch, err);
    if (code != 0) {
        return code;
    }
    code = scorer_run(scorer, scratch, texts, 2, SCORER_LONG_CHUNK, results, err);
    code = code ? code : expect_side(scorer, &results[0], -1, "negative", err);
    code = code ? code : expect_side(scorer, &results[1], 1, "positive", err);
    scorer_scratch_destroy(scratch);
    return code;
}
