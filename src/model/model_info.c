/* model_info.c - see model_info.h. */
#include "model/model_info.h"

#include "base/json_write.h"
#include "base/sha256.h"
#include "model/model_cache.h"
#include "nlp/activation.h"
#include "nlp/checkpoint.h"
#include "nlp/scorer.h"
#include "nlp/tokenizer.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH_TOKENS = 512 }; /* model.batch_tokens' default */

/* Beside the weights; the first tokenizer file that exists is the one that is read. */
static const char *const tokenizer_files[] = {"tokenizer.json", "vocab.txt", "vocab.json",
                                              "sentencepiece.bpe.model"};
static const char *const side_files[] = {
    "config.json", "model.yaml", "tokenizer.json",        "vocab.txt",
    "vocab.json",  "merges.txt", "tokenizer_config.json", "sentencepiece.bpe.model"};

struct opened {
    const char *directory;
    const struct scorer_options *options;
    struct buf packed; /* the path of the packed file; "": there is to be none */
    struct checkpoint *checkpoint;
    const struct checkpoint_config *config;
    struct tokenizer *tokenizer;
    struct scorer *scorer;
    struct scorer_scratch *scratch;
};

static void close_all(struct opened *o)
{
    scorer_scratch_destroy(o->scratch);
    scorer_close(o->scorer);
    buf_done(&o->packed);
    tokenizer_close(o->tokenizer);
    checkpoint_close(o->checkpoint);
}

/* From the packed file, if it can be used, as every other start. */
static int open_scorer(struct opened *o, struct error *err)
{
    struct scorer_options with = *o->options;
    buf_init(&o->packed, 2 * PATH_MAX);
    model_cache_path(NULL, o->directory, with.precision, &o->packed);
    with.packed = o->packed.size > 0 ? buf_string(&o->packed) : NULL;
    return scorer_open(&o->scorer, o->directory, &with, err);
}

static int open_all(struct opened *o, struct error *err)
{
    int code = checkpoint_open(&o->checkpoint, o->directory, err);
    if (code != 0) {
        return code;
    }
    o->config = checkpoint_config(o->checkpoint);
    code = tokenizer_open(&o->tokenizer, o->directory, err);
    code = code ? code : open_scorer(o, err);
    return code ? code : scorer_scratch_create(o->scorer, BATCH_TOKENS, &o->scratch, err);
}

/* ---- words ---- */

static const char *dtype_word(enum tensor_dtype dtype)
{
    static const char *const words[] = {[TENSOR_F64] = "float64",
                                        [TENSOR_F32] = "float32",
                                        [TENSOR_F16] = "float16",
                                        [TENSOR_BF16] = "bfloat16",
                                        [TENSOR_OTHER] = "other"};
    return words[dtype];
}

static const char *output_word(enum checkpoint_output output)
{
    static const char *const words[] = {[CHECKPOINT_OUTPUT_SOFTMAX] = "softmax",
                                        [CHECKPOINT_OUTPUT_SIGMOID] = "sigmoid",
                                        [CHECKPOINT_OUTPUT_RAW] = "none"};
    return words[output];
}

static bool file_path(const char *directory, const char *name, char path[PATH_MAX],
                      struct stat *status)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return size > 0 && size < PATH_MAX && stat(path, status) == 0;
}

static const char *tokenizer_file(const char *directory)
{
    char path[PATH_MAX];
    struct stat status;
    for (size_t i = 0; i < sizeof tokenizer_files / sizeof tokenizer_files[0]; i++) {
        if (file_path(directory, tokenizer_files[i], path, &status)) {
            return tokenizer_files[i];
        }
    }
    return "";
}

/* ---- files ---- */

typedef bool file_fn(void *user, const char *path, int64_t bytes, const char *sha256);

/* Calls fn for each file of the model: the small ones, then the weights. */
static int walk_files(const struct opened *o, file_fn *fn, void *user, struct error *err)
{
    char path[PATH_MAX];
    char hash[SHA256_TEXT_BYTES];
    struct stat status;
    int code = 0;
    for (size_t i = 0; i < sizeof side_files / sizeof side_files[0] && code == 0; i++) {
        if (!file_path(o->directory, side_files[i], path, &status)) {
            continue;
        }
        code = sha256_file(path, hash, err);
        if (code == 0 && !fn(user, side_files[i], status.st_size, hash)) {
            code = error_set(err, ERROR_MEMORY, "no memory for the description");
        }
    }
    const char *file;
    for (size_t i = 0; code == 0 && (file = checkpoint_file(o->checkpoint, i)) != NULL; i++) {
        const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
        code = sha256_file(file, hash, err);
        if (code == 0 && (stat(file, &status) != 0 || !fn(user, name, status.st_size, hash))) {
            code = error_set(err, ERROR_IO, "%s: cannot be described", file);
        }
    }
    return code;
}

/* ---- as text ---- */

static bool print_file(void *user, const char *name, int64_t bytes, const char *sha256)
{
    return buf_printf(user, "  %-28s %12lld  %s\n", name, (long long)bytes, sha256);
}

static void print_labels(const struct checkpoint_config *c, struct buf *out)
{
    buf_append_string(out, "labels      ");
    for (size_t i = 0; i < c->label_count; i++) {
        buf_printf(out, "%s%s (%g)", i > 0 ? ", " : "", c->labels[i].name, c->labels[i].polarity);
    }
    buf_printf(out, "; 0 is negative, 1 positive; output %s\n", output_word(c->output));
    if (c->output == CHECKPOINT_OUTPUT_RAW) {
        buf_printf(out, "range       %g to %g\n", (double)c->extra.range[0],
                   (double)c->extra.range[1]);
    }
    if (c->extra.is_there) {
        buf_printf(out, "model.yaml  preprocess %s, temperature %g, language %s\n",
                   c->extra.preprocess_tweets ? "tweet" : "none", (double)c->extra.temperature,
                   c->extra.language[0] ? c->extra.language : "not said");
    }
}

static void print_memory(const struct opened *o, struct buf *out)
{
    const double mib = 1024.0 * 1024.0;
    const struct error *fault = scorer_packed_fault(o->scorer);
    buf_printf(out,
               "memory      %.1f MiB of packed weights, %.1f MiB for each thread (batches of %d)\n",
               (double)scorer_weight_bytes(o->scorer) / mib,
               (double)scorer_scratch_bytes(o->scratch) / mib, BATCH_TOKENS);
    if (scorer_is_packed(o->scorer)) {
        buf_printf(out, "packed      mapped from %s, %.1f MiB shared by all processes\n",
                   buf_string(&o->packed), (double)scorer_packed_bytes(o->scorer) / mib);
    } else if (!fault) {
        buf_append_string(out, "packed      no: there is no folder to keep it in\n");
    } else if (fault->code == ERROR_IO) {
        buf_printf(out,
                   "packed      not yet at %s; the daemon or 'undertone model pack' makes it\n",
                   buf_string(&o->packed));
    } else {
        buf_printf(out, "packed      not used: %s\n", fault->message);
    }
}

static int print_text(const struct opened *o, struct buf *out, struct error *err)
{
    const struct checkpoint_config *c = o->config;
    buf_printf(out, "folder      %s\n", o->directory);
    buf_printf(out, "family      %s: %zu layers, hidden %zu, %zu heads, feed-forward %zu, %s\n",
               c->family->model_type, c->layer_count, c->hidden, c->head_count, c->ffn,
               activation_name(c->activation));
    print_labels(c, out);
    buf_printf(out, "tokenizer   %s, %zu tokens; texts of up to %zu at once\n",
               tokenizer_file(o->directory), tokenizer_vocab_count(o->tokenizer),
               scorer_tokens_max(o->scorer));
    buf_printf(out, "stored as   %s\n", dtype_word(checkpoint_dtype(o->checkpoint)));
    buf_printf(out, "runs with   kernels %s in %s\n", scorer_kernels_name(o->scorer),
               scorer_precision_name(o->scorer));
    print_memory(o, out);
    buf_append_string(out, "files       name, bytes, SHA-256\n");
    return walk_files(o, print_file, out, err);
}

/* ---- as JSON ---- */

static bool write_file(void *user, const char *name, int64_t bytes, const char *sha256)
{
    struct json_writer *w = user;
    json_write_object_begin(w);
    json_write_member_text(w, "name", name);
    json_write_member_integer(w, "bytes", bytes);
    json_write_member_text(w, "sha256", sha256);
    json_write_object_end(w);
    return true;
}

static void write_size(struct json_writer *w, const char *key, size_t size)
{
    json_write_member_integer(w, key, (int64_t)size);
}

static void write_labels(struct json_writer *w, const struct checkpoint_config *c)
{
    json_write_key(w, "labels");
    json_write_array_begin(w);
    for (size_t i = 0; i < c->label_count; i++) {
        json_write_object_begin(w);
        json_write_member_text(w, "name", c->labels[i].name);
        json_write_member_number(w, "polarity", c->labels[i].polarity, 6);
        json_write_object_end(w);
    }
    json_write_array_end(w);
    json_write_member_text(w, "output", output_word(c->output));
    json_write_member_text(w, "preprocess", c->extra.preprocess_tweets ? "tweet" : "none");
    json_write_member_number(w, "temperature", (double)c->extra.temperature, 6);
    json_write_member_text(w, "language", c->extra.language[0] ? c->extra.language : NULL);
}

static int write_json(const struct opened *o, struct buf *out, struct error *err)
{
    const struct checkpoint_config *c = o->config;
    struct json_writer w;
    json_writer_init(&w, out);
    json_write_object_begin(&w);
    json_write_member_text(&w, "folder", o->directory);
    json_write_member_text(&w, "family", c->family->model_type);
    write_size(&w, "layers", c->layer_count);
    write_size(&w, "hidden", c->hidden);
    write_size(&w, "heads", c->head_count);
    write_size(&w, "feed_forward", c->ffn);
    json_write_member_text(&w, "activation", activation_name(c->activation));
    write_labels(&w, c);
    json_write_member_text(&w, "tokenizer", tokenizer_file(o->directory));
    write_size(&w, "tokens", tokenizer_vocab_count(o->tokenizer));
    write_size(&w, "text_tokens_max", scorer_tokens_max(o->scorer));
    json_write_member_text(&w, "stored_as", dtype_word(checkpoint_dtype(o->checkpoint)));
    json_write_member_text(&w, "kernels", scorer_kernels_name(o->scorer));
    json_write_member_text(&w, "precision", scorer_precision_name(o->scorer));
    write_size(&w, "packed_bytes", scorer_weight_bytes(o->scorer));
    write_size(&w, "thread_bytes", scorer_scratch_bytes(o->scratch));
    json_write_member_text(&w, "packed_file", o->packed.size > 0 ? buf_string(&o->packed) : NULL);
    json_write_member_boolean(&w, "packed_file_used", scorer_is_packed(o->scorer));
    json_write_key(&w, "files");
    json_write_array_begin(&w);
    int code = walk_files(o, write_file, &w, err);
    json_write_array_end(&w);
    json_write_object_end(&w);
    buf_append_char(out, '\n');
    return code;
}

int model_info_describe(const char *directory, const struct scorer_options *options, bool as_json,
                        struct buf *out, struct error *err)
{
    struct opened o = {.directory = directory, .options = options};
    int code = open_all(&o, err);
    if (code == 0) {
        code = as_json ? write_json(&o, out, err) : print_text(&o, out, err);
    }
    if (code == 0 && out->failed) {
        code = error_set(err, ERROR_MEMORY, "no memory for the description");
    }
    close_all(&o);
    return code;
}

/* Reads the packed file through, if there is one for these files. */
static int check_packed(struct opened *o, struct buf *out, struct error *err)
{
    scorer_close(o->scorer);
    o->scorer = NULL;
    int code = open_scorer(o, err);
    code = code ? code : scorer_packed_verify(o->scorer, err);
    if (code == 0 && scorer_is_packed(o->scorer)) {
        buf_printf(out, "ok  packed file, read through: %s\n", buf_string(&o->packed));
    } else if (code == 0 && scorer_packed_fault(o->scorer) &&
               scorer_packed_fault(o->scorer)->code != ERROR_IO) {
        buf_printf(out, "--  packed file, not used: %s\n", scorer_packed_fault(o->scorer)->message);
    }
    return code;
}

int model_info_check(const char *directory, const struct scorer_options *options, struct buf *out,
                     struct error *err)
{
    struct opened o = {.directory = directory, .options = options};
    int code = checkpoint_open(&o.checkpoint, directory, err);
    if (code == 0) {
        o.config = checkpoint_config(o.checkpoint);
        buf_printf(out, "ok  configuration and weights: %s, %zu layers of %zu\n",
                   o.config->family->model_type, o.config->layer_count, o.config->hidden);
        code = tokenizer_open(&o.tokenizer, directory, err);
    }
    if (code == 0) {
        buf_printf(out, "ok  tokenizer: %zu tokens\n", tokenizer_vocab_count(o.tokenizer));
        code = scorer_open(&o.scorer, directory, options, err);
    }
    if (code == 0) {
        buf_printf(out, "ok  they fit together; every weight is finite\n");
        code = scorer_self_test(o.scorer, err);
    }
    if (code == 0) {
        buf_append_string(out, "ok  it tells an angry sentence from a happy one\n");
        code = check_packed(&o, out, err);
    }
    if (code == 0) {
        buf_printf(out, "%s is usable\n", directory);
    }
    close_all(&o);
    return code;
}
