/* weights.c - see weights.h. A shard is one file of either format; an index is JSON that says which
 * shard holds which tensor, and is believed only where the shard agrees. */
#include "nlp/weights.h"

#include "base/json.h"
#include "base/lines.h"
#include "base/map.h"
#include "nlp/safetensors.h"
#include "nlp/torch_file.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INDEX_BYTES_MAX = 64 << 20 };

struct shard {
    char *path;
    struct safetensors *safetensors; /* this one */
    struct torch_file *torch;        /* or that */
    const struct tensor *tensors;
    size_t tensor_count;
    struct map by_name;
};

struct weights {
    char *path;
    struct shard *shards;
    size_t shard_count;
    struct map by_name; /* names to tensors in use */
};

static char *join_path(const char *directory, const char *name)
{
    size_t bytes = strlen(directory) + strlen(name) + 2;
    char *path = malloc(bytes);
    if (path) {
        (void)snprintf(path, bytes, "%s/%s", directory, name);
    }
    return path;
}

static int out_of_memory(const char *path, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: not enough memory to read it", path);
}

/* ---- one file ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t text_bytes = strlen(text);
    size_t end_bytes = strlen(end);
    return text_bytes >= end_bytes && strcmp(text + text_bytes - end_bytes, end) == 0;
}

/* Takes path over. */
static int open_shard(struct shard *shard, char *path, struct error *err)
{
    shard->path = path;
    int code;
    if (ends_with(path, ".safetensors")) {
        code = safetensors_open(&shard->safetensors, path, err);
    } else {
        code = torch_file_open(&shard->torch, path, err);
    }
    if (code != 0) {
        return code;
    }
    shard->tensors = shard->safetensors
                         ? safetensors_tensors(shard->safetensors, &shard->tensor_count)
                         : torch_file_tensors(shard->torch, &shard->tensor_count);
    map_init(&shard->by_name, TENSOR_COUNT_MAX);
    for (size_t i = 0; i < shard->tensor_count; i++) {
        const struct tensor *tensor = &shard->tensors[i];
        if (!map_put(&shard->by_name, tensor->name, strlen(tensor->name), (void *)tensor)) {
            return out_of_memory(shard->path, err);
        }
    }
    return 0;
}

static void close_shard(struct shard *shard)
{
    map_done(&shard->by_name);
    safetensors_close(shard->safetensors);
    torch_file_close(shard->torch);
    free(shard->path);
}

/* ---- the set of files ---- */

static int use_tensor(struct weights *weights, const struct tensor *tensor, struct error *err)
{
    if (!map_put(&weights->by_name, tensor->name, strlen(tensor->name), (void *)tensor)) {
        return error_set(err, ERROR_LIMIT, "%s: more than %d tensors, or no memory for them",
                         weights->path, TENSOR_COUNT_MAX);
    }
    return 0;
}

static int open_single(struct weights *weights, struct error *err)
{
    weights->shards = calloc(1, sizeof *weights->shards);
    char *path = strdup(weights->path);
    if (!weights->shards || !path) {
        free(path);
        return out_of_memory(weights->path, err);
    }
    weights->shard_count = 1;
    struct shard *shard = &weights->shards[0];
    int code = open_shard(shard, path, err);
    for (size_t i = 0; code == 0 && i < shard->tensor_count; i++) {
        code = use_tensor(weights, &shard->tensors[i], err);
    }
    return code;
}

/* A shard's name must stay in the directory: "../../etc/x" is an attack, not a checkpoint. */
static bool is_plain_name(const char *name)
{
    return name && *name != '\0' && strlen(name) <= NAME_MAX && !strchr(name, '/') &&
           !strchr(name, '\\') && strcmp(name, ".") != 0 && !strstr(name, "..");
}

static int find_shard(struct weights *weights, const char *directory, const char *file,
                      struct map *opened, struct shard **shard, struct error *err)
{
    *shard = map_get(opened, file, strlen(file));
    if (*shard) {
        return 0;
    }
    if (weights->shard_count == WEIGHTS_FILES_MAX) {
        return error_set(err, ERROR_LIMIT, "%s: names more than %d files", weights->path,
                         WEIGHTS_FILES_MAX);
    }
    char *path = join_path(directory, file);
    *shard = &weights->shards[weights->shard_count];
    if (!path || !map_put(opened, file, strlen(file), *shard)) {
        free(path);
        return out_of_memory(weights->path, err);
    }
    weights->shard_count++;
    return open_shard(*shard, path, err);
}

static int open_listed(struct weights *weights, const char *directory,
                       const struct json *weight_map, struct map *opened, struct error *err)
{
    void *iterator = NULL;
    const char *name;
    const struct json *value;
    while (json_next(weight_map, &iterator, &name, &value)) {
        const char *file = json_as_string(value, NULL);
        if (!is_plain_name(file)) {
            return error_set(err, ERROR_FORMAT,
                             "%s: \"weight_map\" gives \"%.100s\" a file outside the checkpoint's "
                             "directory; use a plain file name",
                             weights->path, name);
        }
        struct shard *shard;
        int code = find_shard(weights, directory, file, opened, &shard, err);
        if (code != 0) {
            return code;
        }
        struct tensor *tensor = map_get(&shard->by_name, name, strlen(name));
        if (!tensor) {
            return error_set(
                err, ERROR_FORMAT,
                "%s: \"weight_map\" places tensor \"%.100s\" in %s, which lacks it; the "
                "files are of different versions, download them all again",
                weights->path, name, shard->path);
        }
        code = use_tensor(weights, tensor, err);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int open_indexed(struct weights *weights, const char *directory, struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    struct json_document *index = NULL;
    struct map opened;
    map_init(&opened, WEIGHTS_FILES_MAX);

    int code = lines_read_file(weights->path, INDEX_BYTES_MAX, &text, &size, err);
    if (code != 0) {
        goto out;
    }
    code = json_parse(text, size, &index, err);
    if (code != 0) {
        error_wrap(err, "%s", weights->path);
        goto out;
    }
    const struct json *weight_map = json_get(json_root(index), "weight_map");
    if (json_kind(weight_map) != JSON_KIND_OBJECT) {
        code = error_set(err, ERROR_FORMAT, "%s: has no \"weight_map\" object", weights->path);
        goto out;
    }
    weights->shards = calloc(WEIGHTS_FILES_MAX, sizeof *weights->shards);
    if (!weights->shards) {
        code = out_of_memory(weights->path, err);
        goto out;
    }
    code = open_listed(weights, directory, weight_map, &opened, err);
out:
    map_done(&opened);
    json_free(index);
    free(text);
    return code;
}

static int open_first(struct weights *weights, const char *directory, struct error *err)
{
    static const struct {
        const char *name;
        bool is_index;
    } forms[] = {
        {"model.safetensors", false},
        {"model.safetensors.index.json", true},
        {"pytorch_model.bin", false},
        {"pytorch_model.bin.index.json", true},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        free(weights->path);
        weights->path = join_path(directory, forms[i].name);
        if (!weights->path) {
            return out_of_memory(directory, err);
        }
        if (access(weights->path, F_OK) == 0) {
            return forms[i].is_index ? open_indexed(weights, directory, err)
                                     : open_single(weights, err);
        }
    }
    return error_set(err, ERROR_IO,
                     "%s: holds no weights: neither model.safetensors nor pytorch_model.bin, nor "
                     "an index of either (model.safetensors.index.json)",
                     directory);
}

int weights_open(struct weights **weights, const char *directory, struct error *err)
{
    *weights = NULL;
    struct weights *made = calloc(1, sizeof *made);
    if (!made) {
        return out_of_memory(directory, err);
    }
    map_init(&made->by_name, TENSOR_COUNT_MAX);
    int code = open_first(made, directory, err);
    if (code != 0) {
        weights_close(made);
        return code;
    }
    *weights = made;
    return 0;
}

void weights_close(struct weights *weights)
{
    if (!weights) {
        return;
    }
    map_done(&weights->by_name);
    for (size_t i = 0; i < weights->shard_count; i++) {
        close_shard(&weights->shards[i]);
    }
    free(weights->shards);
    free(weights->path);
    free(weights);
}

const char *weights_path(const struct weights *weights)
{
    return weights->path;
}

const char *weights_file(const struct weights *weights, size_t index)
{
    return index < weights->shard_count ? weights->shards[index].path : NULL;
}

const struct tensor *weights_find(const struct weights *weights, const char *name)
{
    return map_get(&weights->by_name, name, strlen(name));
}

const struct tensor *weights_next(const struct weights *weights, size_t *position)
{
    return map_next(&weights->by_name, position);
}
