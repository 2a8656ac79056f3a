/* safetensors.c - see safetensors.h. A file is accepted whole or not at all: lengths, then every
 * tensor on its own, then that all of them together tile the data without hole or overlap, which
 * is what the format demands and what rules out two names for the same bytes. Deliberately no
 * writing. */
#include "nlp/safetensors.h"

#include "base/json.h"
#include "base/lines.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LENGTH_BYTES = 8, INDEX_BYTES_MAX = 64 << 20 };

#define HINT_DAMAGED "the file is damaged or not safetensors: download it again"

struct shard {
    char *path;
    unsigned char *mapped; /* NULL until mapped */
    size_t mapped_bytes;
    const unsigned char *data; /* what offsets count from */
    size_t data_bytes;
    struct json_document *header; /* owns the tensors' names */
    struct safetensors_tensor *tensors;
    size_t tensor_count;
    struct map by_name;
};

struct safetensors {
    char *path;
    struct shard *shards;
    size_t shard_count;
    struct map by_name; /* names to tensors in use */
};

struct dtype {
    const char *name;
    size_t bytes;
    enum safetensors_dtype dtype;
};

static const struct dtype dtypes[] = {
    {"F32", 4, SAFETENSORS_F32},       {"F16", 2, SAFETENSORS_F16},
    {"BF16", 2, SAFETENSORS_BF16},     {"F64", 8, SAFETENSORS_F64},
    {"I64", 8, SAFETENSORS_OTHER},     {"U64", 8, SAFETENSORS_OTHER},
    {"I32", 4, SAFETENSORS_OTHER},     {"U32", 4, SAFETENSORS_OTHER},
    {"I16", 2, SAFETENSORS_OTHER},     {"U16", 2, SAFETENSORS_OTHER},
    {"I8", 1, SAFETENSORS_OTHER},      {"U8", 1, SAFETENSORS_OTHER},
    {"BOOL", 1, SAFETENSORS_OTHER},    {"F8_E4M3", 1, SAFETENSORS_OTHER},
    {"F8_E5M2", 1, SAFETENSORS_OTHER}, {"C64", 8, SAFETENSORS_OTHER},
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

/* ---- one tensor's entry in the header ---- */

static int read_dtype(const struct json *entry, struct safetensors_tensor *tensor,
                      size_t *element_bytes, struct error *err)
{
    const char *name = json_as_string(json_get(entry, "dtype"), NULL);
    if (!name) {
        return error_set(err, ERROR_FORMAT, "%s: tensor \"%.100s\" has no \"dtype\"; " HINT_DAMAGED,
                         tensor->file, tensor->name);
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            tensor->dtype_name = dtypes[i].name;
            tensor->dtype = dtypes[i].dtype;
            *element_bytes = dtypes[i].bytes;
            return 0;
        }
    }
    return error_set(
        err, ERROR_UNSUPPORTED,
        "%s: tensor \"%.100s\" has the unknown dtype \"%.20s\"; save the model as F32, "
        "F16 or BF16",
        tensor->file, tensor->name, name);
}

static int read_shape(const struct json *entry, struct safetensors_tensor *tensor,
                      struct error *err)
{
    const struct json *shape = json_get(entry, "shape");
    size_t rank = json_size(shape);
    if (json_kind(shape) != JSON_KIND_ARRAY || rank > SAFETENSORS_RANK_MAX) {
        return error_set(
            err, ERROR_FORMAT,
            "%s: tensor \"%.100s\" has no \"shape\" of at most %d numbers; " HINT_DAMAGED,
            tensor->file, tensor->name, SAFETENSORS_RANK_MAX);
    }
    tensor->rank = (unsigned)rank;
    tensor->elements = 1;
    for (size_t i = 0; i < rank; i++) {
        int64_t extent;
        if (!json_as_integer(json_at(shape, i), &extent) || extent < 0 ||
            __builtin_mul_overflow(tensor->elements, (uint64_t)extent, &tensor->elements)) {
            return error_set(err, ERROR_FORMAT,
                             "%s: tensor \"%.100s\" has an impossible \"shape\"; " HINT_DAMAGED,
                             tensor->file, tensor->name);
        }
        tensor->shape[i] = (uint64_t)extent;
    }
    return 0;
}

static int read_offsets(const struct shard *shard, const struct json *entry, size_t element_bytes,
                        struct safetensors_tensor *tensor, struct error *err)
{
    const struct json *offsets = json_get(entry, "data_offsets");
    int64_t begin;
    int64_t end;
    if (json_size(offsets) != 2 || !json_as_integer(json_at(offsets, 0), &begin) ||
        !json_as_integer(json_at(offsets, 1), &end) || begin < 0 || end < begin) {
        return error_set(
            err, ERROR_FORMAT,
            "%s: tensor \"%.100s\" has no \"data_offsets\" [begin, end]; " HINT_DAMAGED,
            tensor->file, tensor->name);
    }
    if ((uint64_t)end > shard->data_bytes) {
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.100s\" ends at byte %lld of the data, but the file holds "
                         "only %zu: the download was cut short, fetch it again",
                         tensor->file, tensor->name, (long long)end, shard->data_bytes);
    }
    size_t needed;
    if (__builtin_mul_overflow(tensor->elements, element_bytes, &needed) ||
        needed != (size_t)(end - begin)) {
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.100s\" takes %lld bytes, which its shape and dtype %s do "
                         "not give; " HINT_DAMAGED,
                         tensor->file, tensor->name, (long long)(end - begin), tensor->dtype_name);
    }
    tensor->bytes = shard->data + begin;
    tensor->size = needed;
    return 0;
}

static int read_tensor(const struct shard *shard, const char *name, const struct json *entry,
                       struct safetensors_tensor *tensor, struct error *err)
{
    size_t element_bytes = 0;
    *tensor = (struct safetensors_tensor){.name = name, .file = shard->path};
    int code = read_dtype(entry, tensor, &element_bytes, err);
    if (code == 0) {
        code = read_shape(entry, tensor, err);
    }
    if (code == 0) {
        code = read_offsets(shard, entry, element_bytes, tensor, err);
    }
    return code;
}

/* ---- one file ---- */

static int compare_places(const void *a, const void *b)
{
    const struct safetensors_tensor *left = a;
    const struct safetensors_tensor *right = b;
    if (left->bytes != right->bytes) {
        return left->bytes < right->bytes ? -1 : 1;
    }
    return (left->size > right->size) - (left->size < right->size);
}

static int check_tiling(struct shard *shard, struct error *err)
{
    if (shard->tensor_count > 1) {
        qsort(shard->tensors, shard->tensor_count, sizeof *shard->tensors, compare_places);
    }
    const unsigned char *expected = shard->data;
    for (size_t i = 0; i < shard->tensor_count; i++) {
        const struct safetensors_tensor *tensor = &shard->tensors[i];
        if (tensor->bytes != expected) {
            return error_set(err, ERROR_FORMAT, "%s: tensor \"%.100s\" %s; " HINT_DAMAGED,
                             shard->path, tensor->name,
                             tensor->bytes < expected ? "overlaps another tensor's data"
                                                      : "has unused bytes in front of its data");
        }
        expected += tensor->size;
    }
    size_t used = (size_t)(expected - shard->data);
    if (used != shard->data_bytes) {
        return error_set(err, ERROR_FORMAT,
                         "%s: %zu bytes at the end belong to no tensor; " HINT_DAMAGED, shard->path,
                         shard->data_bytes - used);
    }
    return 0;
}

static int read_header(struct shard *shard, struct error *err)
{
    const struct json *root = json_root(shard->header);
    size_t members = json_size(root);
    if (json_kind(root) != JSON_KIND_OBJECT || members > SAFETENSORS_TENSORS_MAX) {
        return error_set(err, ERROR_FORMAT, "%s: the header does not list at most %d tensors; %s",
                         shard->path, SAFETENSORS_TENSORS_MAX, HINT_DAMAGED);
    }
    shard->tensors = calloc(members + 1, sizeof *shard->tensors);
    if (!shard->tensors) {
        return out_of_memory(shard->path, err);
    }
    void *iterator = NULL;
    const char *name;
    const struct json *entry;
    while (json_next(root, &iterator, &name, &entry)) {
        if (strcmp(name, "__metadata__") == 0) {
            continue;
        }
        int code = read_tensor(shard, name, entry, &shard->tensors[shard->tensor_count], err);
        if (code != 0) {
            return code;
        }
        shard->tensor_count++;
    }
    int code = check_tiling(shard, err);
    if (code != 0) {
        return code;
    }
    map_init(&shard->by_name, SAFETENSORS_TENSORS_MAX);
    for (size_t i = 0; i < shard->tensor_count; i++) {
        struct safetensors_tensor *tensor = &shard->tensors[i];
        if (!map_put(&shard->by_name, tensor->name, strlen(tensor->name), tensor)) {
            return out_of_memory(shard->path, err);
        }
    }
    return 0;
}

static int map_file(struct shard *shard, struct error *err)
{
    int code = 0;
    int fd = open(shard->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(err, ERROR_IO, "%s: cannot be opened: %s", shard->path, strerror(errno));
    }
    struct stat status;
    if (fstat(fd, &status) != 0) {
        code = error_set(err, ERROR_IO, "%s: cannot be read: %s", shard->path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode) || status.st_size < LENGTH_BYTES) {
        code = error_set(err, ERROR_FORMAT, "%s: is not a file of at least %d bytes; " HINT_DAMAGED,
                         shard->path, LENGTH_BYTES);
        goto out;
    }
    shard->mapped_bytes = (size_t)status.st_size;
    void *mapped = mmap(NULL, shard->mapped_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
        code = error_set(err, ERROR_IO, "%s: cannot be mapped: %s", shard->path, strerror(errno));
        goto out;
    }
    shard->mapped = mapped;
out:
    close(fd);
    return code;
}

/* Takes path over. */
static int open_shard(struct shard *shard, char *path, struct error *err)
{
    shard->path = path;
    int code = map_file(shard, err);
    if (code != 0) {
        return code;
    }
    uint64_t header_bytes = 0;
    for (size_t i = LENGTH_BYTES; i-- > 0;) {
        header_bytes = header_bytes << 8 | shard->mapped[i];
    }
    const char *header = (const char *)shard->mapped + LENGTH_BYTES;
    if (header_bytes > SAFETENSORS_HEADER_BYTES_MAX ||
        header_bytes > shard->mapped_bytes - LENGTH_BYTES || header_bytes == 0 || *header != '{') {
        return error_set(err, ERROR_FORMAT,
                         "%s: does not start with the length of a JSON header; " HINT_DAMAGED,
                         path);
    }
    shard->data = shard->mapped + LENGTH_BYTES + header_bytes;
    shard->data_bytes = shard->mapped_bytes - LENGTH_BYTES - (size_t)header_bytes;
    code = json_parse(header, (size_t)header_bytes, &shard->header, err);
    if (code != 0) {
        return error_wrap(err, "%s: in the header", path);
    }
    return read_header(shard, err);
}

static void close_shard(struct shard *shard)
{
    map_done(&shard->by_name);
    free(shard->tensors);
    json_free(shard->header);
    if (shard->mapped) {
        (void)munmap(shard->mapped, shard->mapped_bytes);
    }
    free(shard->path);
}

/* ---- the set of files ---- */

static int use_tensor(struct safetensors *safetensors, struct safetensors_tensor *tensor,
                      struct error *err)
{
    if (!map_put(&safetensors->by_name, tensor->name, strlen(tensor->name), tensor)) {
        return error_set(err, ERROR_LIMIT, "%s: more than %d tensors, or no memory for them",
                         safetensors->path, SAFETENSORS_TENSORS_MAX);
    }
    return 0;
}

static int open_single(struct safetensors *safetensors, const char *directory, struct error *err)
{
    safetensors->shards = calloc(1, sizeof *safetensors->shards);
    char *path = join_path(directory, "model.safetensors");
    if (!safetensors->shards || !path) {
        free(path);
        return out_of_memory(directory, err);
    }
    safetensors->shard_count = 1;
    struct shard *shard = &safetensors->shards[0];
    int code = open_shard(shard, path, err);
    for (size_t i = 0; code == 0 && i < shard->tensor_count; i++) {
        code = use_tensor(safetensors, &shard->tensors[i], err);
    }
    return code;
}

/* A shard's name must stay in the directory: "../../etc/x" is an attack, not a checkpoint. */
static bool is_plain_name(const char *name)
{
    return name && *name != '\0' && strlen(name) <= NAME_MAX && !strchr(name, '/') &&
           !strchr(name, '\\') && strcmp(name, ".") != 0 && !strstr(name, "..");
}

static int find_shard(struct safetensors *safetensors, const char *directory, const char *file,
                      struct map *opened, struct shard **shard, struct error *err)
{
    *shard = map_get(opened, file, strlen(file));
    if (*shard) {
        return 0;
    }
    if (safetensors->shard_count == SAFETENSORS_SHARDS_MAX) {
        return error_set(err, ERROR_LIMIT, "%s: names more than %d files", safetensors->path,
                         SAFETENSORS_SHARDS_MAX);
    }
    char *path = join_path(directory, file);
    *shard = &safetensors->shards[safetensors->shard_count];
    if (!path || !map_put(opened, file, strlen(file), *shard)) {
        free(path);
        return out_of_memory(safetensors->path, err);
    }
    safetensors->shard_count++;
    return open_shard(*shard, path, err);
}

static int open_listed(struct safetensors *safetensors, const char *directory,
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
                             safetensors->path, name);
        }
        struct shard *shard;
        int code = find_shard(safetensors, directory, file, opened, &shard, err);
        if (code != 0) {
            return code;
        }
        struct safetensors_tensor *tensor = map_get(&shard->by_name, name, strlen(name));
        if (!tensor) {
            return error_set(
                err, ERROR_FORMAT,
                "%s: \"weight_map\" places tensor \"%.100s\" in %s, which lacks it; the "
                "files are of different versions, download them all again",
                safetensors->path, name, shard->path);
        }
        code = use_tensor(safetensors, tensor, err);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int open_indexed(struct safetensors *safetensors, const char *directory, struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    struct json_document *index = NULL;
    struct map opened;
    map_init(&opened, SAFETENSORS_SHARDS_MAX);

    int code = lines_read_file(safetensors->path, INDEX_BYTES_MAX, &text, &size, err);
    if (code != 0) {
        goto out;
    }
    code = json_parse(text, size, &index, err);
    if (code != 0) {
        error_wrap(err, "%s", safetensors->path);
        goto out;
    }
    const struct json *weight_map = json_get(json_root(index), "weight_map");
    if (json_kind(weight_map) != JSON_KIND_OBJECT) {
        code = error_set(err, ERROR_FORMAT, "%s: has no \"weight_map\" object", safetensors->path);
        goto out;
    }
    safetensors->shards = calloc(SAFETENSORS_SHARDS_MAX, sizeof *safetensors->shards);
    if (!safetensors->shards) {
        code = out_of_memory(safetensors->path, err);
        goto out;
    }
    code = open_listed(safetensors, directory, weight_map, &opened, err);
out:
    map_done(&opened);
    json_free(index);
    free(text);
    return code;
}

int safetensors_open(struct safetensors **safetensors, const char *directory, struct error *err)
{
    *safetensors = NULL;
    struct safetensors *made = calloc(1, sizeof *made);
    if (!made) {
        return out_of_memory(directory, err);
    }
    map_init(&made->by_name, SAFETENSORS_TENSORS_MAX);
    int code = 0;
    made->path = join_path(directory, "model.safetensors");
    if (!made->path) {
        code = out_of_memory(directory, err);
    } else if (access(made->path, F_OK) == 0) {
        code = open_single(made, directory, err);
    } else {
        free(made->path);
        made->path = join_path(directory, "model.safetensors.index.json");
        if (!made->path) {
            code = out_of_memory(directory, err);
        } else if (access(made->path, F_OK) == 0) {
            code = open_indexed(made, directory, err);
        } else {
            code =
                error_set(err, ERROR_IO,
                          "%s: holds neither model.safetensors nor model.safetensors.index.json; "
                          "save the model with save_pretrained(safe_serialization=True)",
                          directory);
        }
    }
    if (code != 0) {
        safetensors_close(made);
        return code;
    }
    *safetensors = made;
    return 0;
}

void safetensors_close(struct safetensors *safetensors)
{
    if (!safetensors) {
        return;
    }
    map_done(&safetensors->by_name);
    for (size_t i = 0; i < safetensors->shard_count; i++) {
        close_shard(&safetensors->shards[i]);
    }
    free(safetensors->shards);
    free(safetensors->path);
    free(safetensors);
}

const char *safetensors_path(const struct safetensors *safetensors)
{
    return safetensors->path;
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *safetensors,
                                                  const char *name)
{
    return map_get(&safetensors->by_name, name, strlen(name));
}

size_t safetensors_element_bytes(enum safetensors_dtype dtype)
{
    switch (dtype) {
    case SAFETENSORS_F64:
        return 8;
    case SAFETENSORS_F32:
        return 4;
    case SAFETENSORS_F16:
    case SAFETENSORS_BF16:
        return 2;
    case SAFETENSORS_OTHER:
        break;
    }
    return 0;
}
