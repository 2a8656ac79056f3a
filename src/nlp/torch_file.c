/* torch_file.c - see torch_file.h. Storages are found first, by key; then each entry of the pickled
 * dict that is a tensor is checked against its storage. A dense tensor stays where it is in the
 * mapped file. One that is a transposed or strided view is copied together, and all copies may take
 * no more than the file itself, so that a small file cannot ask for much memory. */
#include "nlp/torch_file.h"

#include "base/map.h"
#include "nlp/mapped_file.h"
#include "nlp/pickle.h"
#include "nlp/zip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HINT_DAMAGED "the file is damaged: download it again"

struct storage {
    const unsigned char *bytes;
    size_t size;
};

/* A copied tensor's bytes. */
struct copy {
    struct copy *next;
    unsigned char bytes[];
};

struct torch_file {
    char *path;
    struct mapped_file mapped;
    struct zip zip;
    struct pickle *pickle;
    struct storage *storages;
    size_t storage_count;
    struct map storage_by_key;
    struct tensor *tensors;
    size_t tensor_count;
    char *names; /* of the tensors, each NUL-terminated */
    struct copy *copies;
    size_t copied_bytes;
};

static int out_of_memory(const struct torch_file *file, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "%s: not enough memory to read it", file->path);
}

/* ---- storages ---- */

static int add_storage(struct torch_file *file, struct pickle_text key, struct storage storage,
                       struct error *err)
{
    if (map_get(&file->storage_by_key, key.bytes, key.size)) {
        return error_set(err, ERROR_FORMAT, "%s: holds a storage twice; " HINT_DAMAGED, file->path);
    }
    struct storage *kept = &file->storages[file->storage_count++];
    *kept = storage;
    return map_put(&file->storage_by_key, key.bytes, key.size, kept) ? 0 : out_of_memory(file, err);
}

static int allocate_storages(struct torch_file *file, size_t count, struct error *err)
{
    file->storages = calloc(count + 1, sizeof *file->storages);
    map_init(&file->storage_by_key, count + 1);
    return file->storages ? 0 : out_of_memory(file, err);
}

/* ---- since torch 1.6: an archive ---- */

/* The archive's name, which every entry's begins with, is what stands before "/data.pkl". */
static const struct zip_entry *find_pickle(const struct zip *zip, size_t *folder_bytes)
{
    static const char name[] = "/data.pkl";
    const size_t name_bytes = sizeof name - 1;
    for (size_t i = 0; i < zip->entry_count; i++) {
        const struct zip_entry *entry = &zip->entries[i];
        if (entry->name_bytes >= name_bytes &&
            memcmp(entry->name + entry->name_bytes - name_bytes, name, name_bytes) == 0) {
            *folder_bytes = entry->name_bytes - name_bytes;
            return entry;
        }
    }
    return NULL;
}

/* What comes after FOLDER/PREFIX in the entry's name; false when it begins otherwise. */
static bool name_after(const struct zip_entry *entry, const char *folder, size_t folder_bytes,
                       const char *prefix, struct pickle_text *rest)
{
    size_t prefix_bytes = strlen(prefix);
    if (entry->name_bytes < folder_bytes + prefix_bytes ||
        memcmp(entry->name, folder, folder_bytes) != 0 ||
        memcmp(entry->name + folder_bytes, prefix, prefix_bytes) != 0) {
        return false;
    }
    *rest = (struct pickle_text){entry->name + folder_bytes + prefix_bytes,
                                 entry->name_bytes - folder_bytes - prefix_bytes};
    return true;
}

static int open_archive(struct torch_file *file, struct error *err)
{
    size_t folder_bytes = 0;
    size_t used;
    int code = zip_open(&file->zip, file->mapped.bytes, file->mapped.size, file->path, err);
    if (code != 0) {
        return code;
    }
    const struct zip_entry *pickled = find_pickle(&file->zip, &folder_bytes);
    if (!pickled) {
        return error_set(err, ERROR_FORMAT, "%s: a zip archive, but not one of torch.save's",
                         file->path);
    }
    code = allocate_storages(file, file->zip.entry_count, err);
    for (size_t i = 0; i < file->zip.entry_count && code == 0; i++) {
        const struct zip_entry *entry = &file->zip.entries[i];
        struct pickle_text rest;
        if (name_after(entry, pickled->name, folder_bytes, "/data/", &rest)) {
            code = add_storage(file, rest, (struct storage){entry->bytes, entry->size}, err);
        } else if (name_after(entry, pickled->name, folder_bytes, "/byteorder", &rest) &&
                   (entry->size != 6 || memcmp(entry->bytes, "little", 6) != 0)) {
            code = error_set(err, ERROR_UNSUPPORTED,
                             "%s: was written on a big-endian machine; save it as safetensors",
                             file->path);
        }
    }
    return code ? code
                : pickle_load(&file->pickle, pickled->bytes, pickled->size, file->path, &used, err);
}

/* ---- before: five pickles (a magic number, a version, the writer's machine, the tensors, the
 * storages' keys), then for each key its number of elements and the elements ---- */

static int read_pickle(struct torch_file *file, size_t *at, struct pickle **pickle,
                       struct error *err)
{
    size_t used = 0;
    int code = pickle_load(pickle, file->mapped.bytes + *at, file->mapped.size - *at, file->path,
                           &used, err);
    *at += used;
    return code;
}

static int skip_pickle(struct torch_file *file, size_t *at, struct error *err)
{
    struct pickle *skipped;
    int code = read_pickle(file, at, &skipped, err);
    pickle_free(skipped);
    return code;
}

/* The size of an element of each storage that the tensors' pickle mentions, by key. */
static int note_types(const struct torch_file *file, struct map *types, size_t *sizes,
                      struct error *err)
{
    struct pickle_storage storage;
    for (int32_t i = 0; i < pickle_value_count(file->pickle); i++) {
        if (pickle_as_storage(file->pickle, i, &storage)) {
            sizes[i] = storage.element_bytes;
            if (!map_put(types, storage.key.bytes, storage.key.size, &sizes[i])) {
                return out_of_memory(file, err);
            }
        }
    }
    return 0;
}

static int read_storage(struct torch_file *file, size_t *at, struct pickle_text key,
                        size_t element_bytes, struct error *err)
{
    size_t left = file->mapped.size - *at;
    uint64_t elements = 0;
    for (size_t i = 8; left >= 8 && i-- > 0;) {
        elements = elements << 8 | file->mapped.bytes[*at + i];
    }
    if (left < 8 || elements > (left - 8) / element_bytes) {
        return error_set(err, ERROR_FORMAT,
                         "%s: ends in the middle of its data: the download was cut short, fetch it "
                         "again",
                         file->path);
    }
    size_t size = (size_t)elements * element_bytes;
    struct storage storage = {file->mapped.bytes + *at + 8, size};
    *at += 8 + size;
    return add_storage(file, key, storage, err);
}

static int read_storages(struct torch_file *file, size_t at, const struct pickle *keys,
                         const struct map *types, struct error *err)
{
    int32_t position = PICKLE_NO_VALUE;
    int32_t none;
    int32_t item;
    int code = allocate_storages(file, (size_t)pickle_value_count(keys), err);
    while (code == 0 && pickle_next(keys, pickle_root(keys), &position, &none, &item)) {
        struct pickle_text key;
        const size_t *element_bytes =
            pickle_as_text(keys, item, &key) ? map_get(types, key.bytes, key.size) : NULL;
        code = element_bytes
                   ? read_storage(file, &at, key, *element_bytes, err)
                   : error_set(err, ERROR_FORMAT,
                               "%s: holds a storage no tensor names; " HINT_DAMAGED, file->path);
    }
    return code;
}

static int open_stream(struct torch_file *file, struct error *err)
{
    size_t at = 0;
    struct pickle *keys = NULL;
    size_t *sizes = NULL;
    struct map types = {0};
    int code = 0;
    for (int i = 0; i < 3 && code == 0; i++) {
        code = skip_pickle(file, &at, err);
    }
    code = code ? code : read_pickle(file, &at, &file->pickle, err);
    code = code ? code : read_pickle(file, &at, &keys, err);
    if (code != 0) {
        goto out;
    }
    size_t count = (size_t)pickle_value_count(file->pickle);
    map_init(&types, count);
    sizes = calloc(count, sizeof *sizes);
    code = sizes ? note_types(file, &types, sizes, err) : out_of_memory(file, err);
    code = code ? code : read_storages(file, at, keys, &types, err);
out:
    map_done(&types);
    free(sizes);
    pickle_free(keys);
    return code;
}

/* ---- tensors ---- */

static int fail_tensor(const struct tensor *tensor, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s: tensor \"%.100s\" %s; " HINT_DAMAGED, tensor->file,
                     tensor->name, what);
}

/* Sets shape and elements, and the index of the last element a view reaches. */
static int read_view(const struct pickle_tensor *view, struct tensor *tensor, uint64_t *last,
                     struct error *err)
{
    uint64_t elements = 1;
    uint64_t reach = (uint64_t)view->offset;
    bool sane = view->offset >= 0;
    for (size_t i = 0; i < view->rank && sane; i++) {
        uint64_t extent = (uint64_t)view->shape[i];
        uint64_t step;
        sane = view->shape[i] >= 0 && view->strides[i] >= 0 &&
               !__builtin_mul_overflow(elements, extent, &elements);
        sane = sane &&
               !__builtin_mul_overflow((uint64_t)view->strides[i], extent ? extent - 1 : 0, &step);
        sane = sane && !__builtin_add_overflow(reach, step, &reach);
        tensor->shape[i] = extent;
    }
    tensor->rank = (unsigned)view->rank;
    tensor->elements = elements;
    *last = reach;
    return sane ? 0 : fail_tensor(tensor, "has an impossible shape", err);
}

static bool is_dense(const struct pickle_tensor *view)
{
    uint64_t step = 1;
    for (size_t i = view->rank; i-- > 0;) {
        if (view->shape[i] != 1 && (uint64_t)view->strides[i] != step) {
            return false;
        }
        step *= (uint64_t)view->shape[i];
    }
    return true;
}

static void gather(const struct pickle_tensor *view, const unsigned char *storage, size_t elements,
                   unsigned char *out)
{
    size_t element_bytes = view->storage.element_bytes;
    int64_t index[TENSOR_RANK_MAX] = {0};
    size_t from = (size_t)view->offset;
    for (size_t i = 0; i < elements; i++) {
        memcpy(out + i * element_bytes, storage + from * element_bytes, element_bytes);
        for (size_t axis = view->rank; axis-- > 0;) {
            from += (size_t)view->strides[axis];
            if (++index[axis] < view->shape[axis]) {
                break;
            }
            from -= (size_t)(view->strides[axis] * view->shape[axis]);
            index[axis] = 0;
        }
    }
}

static int copy_view(struct torch_file *file, const struct pickle_tensor *view,
                     const struct storage *storage, struct tensor *tensor, struct error *err)
{
    if (tensor->size > file->mapped.size - file->copied_bytes) {
        return fail_tensor(tensor, "is a view that is larger than its data", err);
    }
    struct copy *copy = malloc(sizeof *copy + tensor->size);
    if (!copy) {
        return out_of_memory(file, err);
    }
    copy->next = file->copies;
    file->copies = copy;
    file->copied_bytes += tensor->size;
    gather(view, storage->bytes, tensor->elements, copy->bytes);
    tensor->bytes = copy->bytes;
    return 0;
}

static int read_tensor(struct torch_file *file, const struct pickle_tensor *view,
                       struct tensor *tensor, struct error *err)
{
    uint64_t last;
    const size_t element_bytes = view->storage.element_bytes;
    tensor->dtype = view->storage.dtype;
    tensor->dtype_name = view->storage.dtype_name;
    const struct storage *storage =
        map_get(&file->storage_by_key, view->storage.key.bytes, view->storage.key.size);
    if (!storage) {
        return fail_tensor(tensor, "has no data in the file", err);
    }
    int code = read_view(view, tensor, &last, err);
    if (code != 0 || tensor->elements == 0) {
        tensor->bytes = storage->bytes;
        return code;
    }
    uint64_t room = storage->size / element_bytes;
    if (last >= room || tensor->elements > room) {
        return fail_tensor(tensor, "is larger than its data in the file", err);
    }
    tensor->size = tensor->elements * element_bytes;
    if (!is_dense(view)) {
        return copy_view(file, view, storage, tensor, err);
    }
    tensor->bytes = storage->bytes + (size_t)view->offset * element_bytes;
    return 0;
}

/* How many tensors the dict holds, and what their names take. */
static void measure(const struct torch_file *file, size_t *count, size_t *name_bytes)
{
    const struct pickle *pickle = file->pickle;
    int32_t position = PICKLE_NO_VALUE;
    int32_t key;
    int32_t item;
    struct pickle_text name;
    *count = 0;
    *name_bytes = 0;
    while (pickle_next(pickle, pickle_root(pickle), &position, &key, &item)) {
        if (pickle_as_text(pickle, key, &name)) {
            *count += 1;
            *name_bytes += name.size + 1;
        }
    }
}

static int read_tensors(struct torch_file *file, struct error *err)
{
    const struct pickle *pickle = file->pickle;
    size_t count;
    size_t name_bytes;
    if (!pickle_is_dict(pickle, pickle_root(pickle))) {
        return error_set(err, ERROR_FORMAT, "%s: does not hold a dict of tensors", file->path);
    }
    measure(file, &count, &name_bytes);
    if (count > TENSOR_COUNT_MAX || name_bytes > file->mapped.size + count) {
        return error_set(err, ERROR_LIMIT, "%s: holds more than %d tensors", file->path,
                         TENSOR_COUNT_MAX);
    }
    file->tensors = calloc(count + 1, sizeof *file->tensors);
    file->names = malloc(name_bytes + 1);
    if (!file->tensors || !file->names) {
        return out_of_memory(file, err);
    }
    int32_t position = PICKLE_NO_VALUE;
    int32_t key;
    int32_t item;
    int code = 0;
    char *name = file->names;
    while (code == 0 && pickle_next(pickle, pickle_root(pickle), &position, &key, &item)) {
        struct pickle_text text;
        struct pickle_tensor view;
        if (!pickle_as_text(pickle, key, &text) || !pickle_as_tensor(pickle, item, &view)) {
            continue; /* a version number, an optimizer's state */
        }
        struct tensor *tensor = &file->tensors[file->tensor_count++];
        memcpy(name, text.bytes, text.size);
        name[text.size] = '\0';
        tensor->name = name;
        tensor->file = file->path;
        name += text.size + 1;
        code = read_tensor(file, &view, tensor, err);
    }
    return code;
}

/* ---- the file ---- */

static int open_mapped(struct torch_file *file, struct error *err)
{
    const unsigned char *bytes = file->mapped.bytes;
    const size_t size = file->mapped.size;
    const size_t magic_at = 257; /* POSIX ustar */
    int code;
    if (zip_is_zip(bytes, size)) {
        code = open_archive(file, err);
    } else if (bytes[0] == 0x80) {
        code = open_stream(file, err);
    } else if (size > magic_at + 5 && memcmp(bytes + magic_at, "ustar", 5) == 0) {
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s: is of torch's tar format of 2017; load and save the model with a "
                         "newer torch",
                         file->path);
    } else {
        return error_set(
            err, ERROR_FORMAT,
            "%s: is neither a zip archive nor a pickle (a Git LFS pointer, or an error "
            "page saved as a file, looks so); download it again",
            file->path);
    }
    return code ? code : read_tensors(file, err);
}

int torch_file_open(struct torch_file **file, const char *path, struct error *err)
{
    *file = NULL;
    struct torch_file *made = calloc(1, sizeof *made);
    char *copy = strdup(path);
    if (!made || !copy) {
        free(made);
        free(copy);
        return error_set(err, ERROR_MEMORY, "%s: not enough memory to read it", path);
    }
    made->path = copy;
    int code = mapped_file_open(&made->mapped, path, 2, err);
    code = code ? code : open_mapped(made, err);
    if (code != 0) {
        torch_file_close(made);
        return code;
    }
    *file = made;
    return 0;
}

void torch_file_close(struct torch_file *file)
{
    if (!file) {
        return;
    }
    while (file->copies) {
        struct copy *copy = file->copies;
        file->copies = copy->next;
        free(copy);
    }
    free(file->names);
    free(file->tensors);
    map_done(&file->storage_by_key);
    free(file->storages);
    pickle_free(file->pickle);
    zip_done(&file->zip);
    mapped_file_close(&file->mapped);
    free(file->path);
    free(file);
}

const struct tensor *torch_file_tensors(const struct torch_file *file, size_t *count)
{
    *count = file->tensor_count;
    return file->tensors;
}
