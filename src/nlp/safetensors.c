/* safetensors.c - see safetensors.h. A file is accepted whole or not at all: lengths, then every
 * tensor on its own, then that all of them together tile the data without hole or overlap, which
 * is what the format demands and what rules out two names for the same bytes. Deliberately no
 * writing. */
#include "nlp/safetensors.h"

#include "base/json.h"
#include "nlp/mapped_file.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8 };

#define HINT_DAMAGED "the file is damaged or not safetensors: download it again"

struct safetensors {
    char *path;
    struct mapped_file mapped;
    const unsigned char *data; /* what offsets count from */
    size_t data_bytes;
    struct json_document *header; /* owns the tensors' names */
    struct tensor *tensors;
    size_t tensor_count;
};

struct dtype {
    const char *name;
    size_t bytes;
    enum tensor_dtype dtype;
};

static const struct dtype dtypes[] = {
    {"F32", 4, TENSOR_F32},    {"F16", 2, TENSOR_F16},       {"BF16", 2, TENSOR_BF16},
    {"F64", 8, TENSOR_F64},    {"I64", 8, TENSOR_OTHER},     {"U64", 8, TENSOR_OTHER},
    {"I32", 4, TENSOR_OTHER},  {"U32", 4, TENSOR_OTHER},     {"I16", 2, TENSOR_OTHER},
    {"U16", 2, TENSOR_OTHER},  {"I8", 1, TENSOR_OTHER},      {"U8", 1, TENSOR_OTHER},
    {"BOOL", 1, TENSOR_OTHER}, {"F8_E4M3", 1, TENSOR_OTHER}, {"F8_E5M2", 1, TENSOR_OTHER},
    {"C64", 8, TENSOR_OTHER},
};

static int out_of_memory(const char *path, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: not enough memory to read it", path);
}

/* ---- one tensor's entry in the header ---- */

static int read_dtype(const struct json *entry, struct tensor *tensor, size_t *element_bytes,
                      struct error *err)
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

static int read_shape(const struct json *entry, struct tensor *tensor, struct error *err)
{
    const struct json *shape = json_get(entry, "shape");
    size_t rank = json_size(shape);
    if (json_kind(shape) != JSON_KIND_ARRAY || rank > TENSOR_RANK_MAX) {
        return error_set(
            err, ERROR_FORMAT,
            "%s: tensor \"%.100s\" has no \"shape\" of at most %d numbers; " HINT_DAMAGED,
            tensor->file, tensor->name, TENSOR_RANK_MAX);
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

static int read_offsets(const struct safetensors *file, const struct json *entry,
                        size_t element_bytes, struct tensor *tensor, struct error *err)
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
    if ((uint64_t)end > file->data_bytes) {
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.100s\" ends at byte %lld of the data, but the file holds "
                         "only %zu: the download was cut short, fetch it again",
                         tensor->file, tensor->name, (long long)end, file->data_bytes);
    }
    size_t needed;
    if (__builtin_mul_overflow(tensor->elements, element_bytes, &needed) ||
        needed != (size_t)(end - begin)) {
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.100s\" takes %lld bytes, which its shape and dtype %s do "
                         "not give; " HINT_DAMAGED,
                         tensor->file, tensor->name, (long long)(end - begin), tensor->dtype_name);
    }
    tensor->bytes = file->data + begin;
    tensor->size = needed;
    return 0;
}

static int read_tensor(const struct safetensors *file, const char *name, const struct json *entry,
                       struct tensor *tensor, struct error *err)
{
    size_t element_bytes = 0;
    *tensor = (struct tensor){.name = name, .file = file->path};
    int code = read_dtype(entry, tensor, &element_bytes, err);
    if (code == 0) {
        code = read_shape(entry, tensor, err);
    }
    if (code == 0) {
        code = read_offsets(file, entry, element_bytes, tensor, err);
    }
    return code;
}

/* ---- one file ---- */

static int compare_places(const void *a, const void *b)
{
    const struct tensor *left = a;
    const struct tensor *right = b;
    if (left->bytes != right->bytes) {
        return left->bytes < right->bytes ? -1 : 1;
    }
    return (left->size > right->size) - (left->size < right->size);
}

static int check_tiling(struct safetensors *file, struct error *err)
{
    if (file->tensor_count > 1) {
        qsort(file->tensors, file->tensor_count, sizeof *file->tensors, compare_places);
    }
    const unsigned char *expected = file->data;
    for (size_t i = 0; i < file->tensor_count; i++) {
        const struct tensor *tensor = &file->tensors[i];
        if (tensor->bytes != expected) {
            return error_set(err, ERROR_FORMAT, "%s: tensor \"%.100s\" %s; " HINT_DAMAGED,
                             file->path, tensor->name,
                             tensor->bytes < expected ? "overlaps another tensor's data"
                                                      : "has unused bytes in front of its data");
        }
        expected += tensor->size;
    }
    size_t used = (size_t)(expected - file->data);
    if (used != file->data_bytes) {
        return error_set(err, ERROR_FORMAT,
                         "%s: %zu bytes at the end belong to no tensor; " HINT_DAMAGED, file->path,
                         file->data_bytes - used);
    }
    return 0;
}

static int read_header(struct safetensors *file, struct error *err)
{
    const struct json *root = json_root(file->header);
    size_t members = json_size(root);
    if (json_kind(root) != JSON_KIND_OBJECT || members > TENSOR_COUNT_MAX) {
        return error_set(err, ERROR_FORMAT, "%s: the header does not list at most %d tensors; %s",
                         file->path, TENSOR_COUNT_MAX, HINT_DAMAGED);
    }
    file->tensors = calloc(members + 1, sizeof *file->tensors);
    if (!file->tensors) {
        return out_of_memory(file->path, err);
    }
    void *iterator = NULL;
    const char *name;
    const struct json *entry;
    while (json_next(root, &iterator, &name, &entry)) {
        if (strcmp(name, "__metadata__") == 0) {
            continue;
        }
        int code = read_tensor(file, name, entry, &file->tensors[file->tensor_count], err);
        if (code != 0) {
            return code;
        }
        file->tensor_count++;
    }
    return check_tiling(file, err);
}

static int open_mapped(struct safetensors *file, struct error *err)
{
    const unsigned char *bytes = file->mapped.bytes;
    uint64_t header_bytes = 0;
    for (size_t i = LENGTH_BYTES; i-- > 0;) {
        header_bytes = header_bytes << 8 | bytes[i];
    }
    const char *header = (const char *)bytes + LENGTH_BYTES;
    if (header_bytes > SAFETENSORS_HEADER_BYTES_MAX ||
        header_bytes > file->mapped.size - LENGTH_BYTES || header_bytes == 0 || *header != '{') {
        return error_set(err, ERROR_FORMAT,
                         "%s: does not start with the length of a JSON header; " HINT_DAMAGED,
                         file->path);
    }
    file->data = bytes + LENGTH_BYTES + header_bytes;
    file->data_bytes = file->mapped.size - LENGTH_BYTES - (size_t)header_bytes;
    int code = json_parse(header, (size_t)header_bytes, &file->header, err);
    if (code != 0) {
        return error_wrap(err, "%s: in the header", file->path);
    }
    return read_header(file, err);
}

int safetensors_open(struct safetensors **file, const char *path, struct error *err)
{
    *file = NULL;
    struct safetensors *made = calloc(1, sizeof *made);
    char *copy = strdup(path);
    if (!made || !copy) {
        free(copy);
        free(made);
        return out_of_memory(path, err);
    }
    made->path = copy;
    int code = mapped_file_open(&made->mapped, path, LENGTH_BYTES, err);
    code = code ? code : open_mapped(made, err);
    if (code != 0) {
        safetensors_close(made);
        return code;
    }
    *file = made;
    return 0;
}

void safetensors_close(struct safetensors *file)
{
    if (file) {
        free(file->tensors);
        json_free(file->header);
        mapped_file_close(&file->mapped);
        free(file->path);
        free(file);
    }
}

const struct tensor *safetensors_tensors(const struct safetensors *file, size_t *count)
{
    *count = file->tensor_count;
    return file->tensors;
}
