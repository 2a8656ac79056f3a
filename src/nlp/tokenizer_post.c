/* tokenizer_post.c - reads "post_processor" of tokenizer.json: the frame of special tokens around a
 * sequence. Only what happens to a single sequence is read; pairs are never scored.
 */
#include "nlp/tokenizer_internal.h"

#include <inttypes.h>
#include <string.h>

/* A [token, id] pair or a template's token: its id must be the vocabulary's own. */
static int add_to_frame(struct tokenizer *tokenizer, const struct json *token,
                        const struct json *id_value, bool before, const char *path,
                        struct error *err)
{
    size_t size = 0;
    int64_t id = -1;
    const char *content = json_as_string(token, &size);
    if (!content || !json_as_integer(id_value, &id)) {
        return error_set(err, ERROR_FORMAT, "%s: post_processor: a special token needs text and id",
                         path);
    }
    uint32_t known = tokenizer_load_find(tokenizer, content, size);
    if (known == TOKENIZER_NO_ID || (int64_t)known != id) {
        return error_set(err, ERROR_FORMAT,
                         "%s: post_processor: the special token with id %" PRId64
                         " is not that token in the vocabulary",
                         path, id);
    }
    struct tokenizer_frame *frame = &tokenizer->frame;
    size_t *count = before ? &frame->prefix_count : &frame->suffix_count;
    if (*count == TOKENIZER_FRAME_MAX) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: post_processor: more than %d special tokens on one side", path,
                         TOKENIZER_FRAME_MAX);
    }
    uint32_t *ids = before ? frame->prefix : frame->suffix;
    ids[(*count)++] = known;
    return 0;
}

/* {"SpecialToken": {"id": NAME}} stands for the ids that "special_tokens" gives for NAME. */
static int add_template_token(struct tokenizer *tokenizer, const struct json *processor,
                              const struct json *piece, bool before, const char *path,
                              struct error *err)
{
    const char *name = json_as_string(json_get(piece, "id"), NULL);
    const struct json *special =
        name ? json_get(json_get(processor, "special_tokens"), name) : NULL;
    const struct json *ids = json_get(special, "ids");
    const struct json *tokens = json_get(special, "tokens");
    if (json_size(ids) == 0 || json_size(ids) != json_size(tokens)) {
        return error_set(err, ERROR_FORMAT,
                         "%s: post_processor.single names a token that special_tokens lacks", path);
    }
    for (size_t i = 0; i < json_size(ids); i++) {
        int result =
            add_to_frame(tokenizer, json_at(tokens, i), json_at(ids, i), before, path, err);
        if (result) {
            return result;
        }
    }
    return 0;
}

static int load_template(struct tokenizer *tokenizer, const struct json *processor,
                         const char *path, struct error *err)
{
    const struct json *single = json_get(processor, "single");
    size_t sequences = 0;
    for (size_t i = 0; i < json_size(single); i++) {
        const struct json *special = json_get(json_at(single, i), "SpecialToken");
        const struct json *sequence = json_get(json_at(single, i), "Sequence");
        const struct json *piece = special ? special : sequence;
        int64_t type_id = 0;
        (void)json_as_integer(json_get(piece, "type_id"), &type_id);
        if (!piece || type_id != 0) {
            return error_set(err, ERROR_UNSUPPORTED,
                             "%s: post_processor.single[%zu] is not a special token or sequence of "
                             "type 0",
                             path, i);
        }
        sequences += sequence != NULL;
        int result =
            special ? add_template_token(tokenizer, processor, piece, sequences == 0, path, err)
                    : 0;
        if (result) {
            return result;
        }
    }
    if (sequences != 1) {
        return error_set(err, ERROR_FORMAT, "%s: post_processor.single must hold one sequence",
                         path);
    }
    return 0;
}

static int load_pair(struct tokenizer *tokenizer, const struct json *processor, const char *path,
                     struct error *err)
{
    const struct json *cls = json_get(processor, "cls");
    const struct json *sep = json_get(processor, "sep");
    int result = add_to_frame(tokenizer, json_at(cls, 0), json_at(cls, 1), true, path, err);
    return result ? result
                  : add_to_frame(tokenizer, json_at(sep, 0), json_at(sep, 1), false, path, err);
}

/* ByteLevel's post-processor moves offsets, which are no concern here. */
static int load_processor(struct tokenizer *tokenizer, const struct json *processor,
                          const char *path, struct error *err)
{
    const char *type = json_as_string(json_get(processor, "type"), NULL);
    if (type && strcmp(type, "TemplateProcessing") == 0) {
        return load_template(tokenizer, processor, path, err);
    }
    if (type && (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0)) {
        return load_pair(tokenizer, processor, path, err);
    }
    if (type && strcmp(type, "ByteLevel") == 0) {
        return 0;
    }
    return error_set(err, ERROR_UNSUPPORTED,
                     "%s: post_processor.type is %s; this build reads TemplateProcessing, "
                     "BertProcessing, RobertaProcessing, ByteLevel and a Sequence of them",
                     path, type ? type : "missing");
}

int tokenizer_post_load(struct tokenizer *tokenizer, const struct tokenizer_files *files,
                        struct error *err)
{
    const struct json *processor = json_get(files->root, "post_processor");
    const char *type = json_as_string(json_get(processor, "type"), NULL);
    int result = 0;
    if (type && strcmp(type, "Sequence") == 0) {
        const struct json *processors = json_get(processor, "processors");
        for (size_t i = 0; !result && i < json_size(processors); i++) {
            result = load_processor(tokenizer, json_at(processors, i), files->path, err);
        }
    } else {
        result = load_processor(tokenizer, processor, files->path, err);
    }
    if (!result && tokenizer->frame.prefix_count == 0) {
        result = error_set(err, ERROR_UNSUPPORTED,
                           "%s: post_processor puts no token first; a classifier reads that token",
                           files->path);
    }
    return result;
}
