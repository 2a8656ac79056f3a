/* pickle_objects.c - see pickle.h. The names a pickle may use, what calling them makes, and how the
 * result is looked at. This table is the whole of what a pickle can reach: nothing in it does
 * anything but describe where numbers are. */
#include "nlp/pickle_internal.h"

#include <string.h>

static const struct pickle_name names[] = {
    {"collections", "OrderedDict", PICKLE_NAME_DICT, NULL, TENSOR_OTHER, 0},
    {"torch._utils", "_rebuild_tensor_v2", PICKLE_NAME_TENSOR, NULL, TENSOR_OTHER, 0},
    {"torch._utils", "_rebuild_tensor", PICKLE_NAME_TENSOR, NULL, TENSOR_OTHER, 0},
    {"torch._utils", "_rebuild_parameter", PICKLE_NAME_PARAMETER, NULL, TENSOR_OTHER, 0},
    {"torch", "DoubleStorage", PICKLE_NAME_STORAGE, "F64", TENSOR_F64, 8},
    {"torch", "FloatStorage", PICKLE_NAME_STORAGE, "F32", TENSOR_F32, 4},
    {"torch", "HalfStorage", PICKLE_NAME_STORAGE, "F16", TENSOR_F16, 2},
    {"torch", "BFloat16Storage", PICKLE_NAME_STORAGE, "BF16", TENSOR_BF16, 2},
    {"torch", "LongStorage", PICKLE_NAME_STORAGE, "I64", TENSOR_OTHER, 8},
    {"torch", "IntStorage", PICKLE_NAME_STORAGE, "I32", TENSOR_OTHER, 4},
    {"torch", "ShortStorage", PICKLE_NAME_STORAGE, "I16", TENSOR_OTHER, 2},
    {"torch", "CharStorage", PICKLE_NAME_STORAGE, "I8", TENSOR_OTHER, 1},
    {"torch", "ByteStorage", PICKLE_NAME_STORAGE, "U8", TENSOR_OTHER, 1},
    {"torch", "BoolStorage", PICKLE_NAME_STORAGE, "BOOL", TENSOR_OTHER, 1},
};

static bool same(struct pickle_text text, const char *word)
{
    return strlen(word) == text.size && memcmp(text.bytes, word, text.size) == 0;
}

/* ---- instructions: names ---- */

static int push_name(struct pickle *p, struct pickle_text module, struct pickle_text name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (same(module, names[i].module) && same(name, names[i].name)) {
            return pickle_push(p,
                               (struct pickle_value){.kind = PICKLE_KIND_NAME, .name = &names[i]});
        }
    }
    return error_set(p->err, ERROR_UNSUPPORTED,
                     "%s: its pickle asks for \"%.*s.%.*s\", which is no part of a model's weights "
                     "and is never run; do not trust this file",
                     p->path, (int)(module.size < 60 ? module.size : 60), module.bytes,
                     (int)(name.size < 60 ? name.size : 60), name.bytes);
}

int pickle_op_global(struct pickle *p)
{
    struct pickle_text module;
    struct pickle_text name;
    int code = pickle_take_line(p, &module);
    code = code ? code : pickle_take_line(p, &name);
    return code ? code : push_name(p, module, name);
}

int pickle_op_stack_global(struct pickle *p)
{
    const int32_t *args = pickle_top(p, 2);
    if (!args || pickle_value_at(p, args[0])->kind != PICKLE_KIND_TEXT ||
        pickle_value_at(p, args[1])->kind != PICKLE_KIND_TEXT) {
        return pickle_fail(p, "a name that is no text");
    }
    struct pickle_text module = pickle_value_at(p, args[0])->text;
    struct pickle_text name = pickle_value_at(p, args[1])->text;
    p->stack.count -= 2;
    return push_name(p, module, name);
}

/* ---- instructions: torch's objects ---- */

/* The item of a tuple as a value of that kind; NULL if it is not. */
static const struct pickle_value *item_of(const struct pickle *p, const struct pickle_value *tuple,
                                          int32_t at, enum pickle_kind kind)
{
    if (tuple->kind != PICKLE_KIND_TUPLE || at >= tuple->tuple.count) {
        return NULL;
    }
    const struct pickle_value *item =
        pickle_value_at(p, ((const int32_t *)p->items.items)[tuple->tuple.first + at]);
    return item->kind == kind ? item : NULL;
}

static int32_t index_of(const struct pickle *p, const struct pickle_value *value)
{
    return (int32_t)(value - (const struct pickle_value *)p->values.items);
}

int pickle_op_persistent(struct pickle *p)
{
    const int32_t *args = pickle_top(p, 1);
    const struct pickle_value *id = args ? pickle_value_at(p, *args) : NULL;
    const struct pickle_value *word = id ? item_of(p, id, 0, PICKLE_KIND_TEXT) : NULL;
    const struct pickle_value *type = id ? item_of(p, id, 1, PICKLE_KIND_NAME) : NULL;
    const struct pickle_value *key = id ? item_of(p, id, 2, PICKLE_KIND_TEXT) : NULL;
    const struct pickle_value *elements = id ? item_of(p, id, 4, PICKLE_KIND_INTEGER) : NULL;
    if (!word || !same(word->text, "storage") || !type || type->name->use != PICKLE_NAME_STORAGE ||
        !key || !elements || elements->integer < 0) {
        return pickle_fail(p, "a reference that is no storage");
    }
    if (id->tuple.count == 6 && !item_of(p, id, 5, PICKLE_KIND_NONE)) {
        return error_set(
            p->err, ERROR_UNSUPPORTED,
            "%s: its storages are views of other storages, which torch stopped writing "
            "in 2018; load and save the model with a newer torch",
            p->path);
    }
    struct pickle_value storage = {
        .kind = PICKLE_KIND_STORAGE,
        .storage = {elements->integer, index_of(p, key), index_of(p, type)}};
    p->stack.count--;
    return pickle_push(p, storage);
}

/* _rebuild_tensor_v2(storage, offset, shape, strides, ...) */
static int rebuild_tensor(struct pickle *p, const struct pickle_value *args,
                          struct pickle_value *made)
{
    const struct pickle_value *storage = item_of(p, args, 0, PICKLE_KIND_STORAGE);
    const struct pickle_value *offset = item_of(p, args, 1, PICKLE_KIND_INTEGER);
    const struct pickle_value *shape = item_of(p, args, 2, PICKLE_KIND_TUPLE);
    const struct pickle_value *strides = item_of(p, args, 3, PICKLE_KIND_TUPLE);
    if (!storage || !offset || !shape || !strides) {
        return pickle_fail(p, "a tensor without storage, offset, shape and strides");
    }
    *made = (struct pickle_value){.kind = PICKLE_KIND_TENSOR,
                                  .tensor = {offset->integer, index_of(p, storage),
                                             index_of(p, shape), index_of(p, strides)}};
    return 0;
}

int pickle_op_reduce(struct pickle *p)
{
    const int32_t *call = pickle_top(p, 2);
    const struct pickle_value *function = call ? pickle_value_at(p, call[0]) : NULL;
    const struct pickle_value *args = call ? pickle_value_at(p, call[1]) : NULL;
    if (!call || function->kind != PICKLE_KIND_NAME || args->kind != PICKLE_KIND_TUPLE) {
        return pickle_fail(p, "a call of something that is no name");
    }
    struct pickle_value made = {.kind = PICKLE_KIND_DICT,
                                .chain = {PICKLE_NO_VALUE, PICKLE_NO_VALUE}};
    const struct pickle_value *tensor;
    int code = 0;
    switch (function->name->use) {
    case PICKLE_NAME_TENSOR:
        code = rebuild_tensor(p, args, &made);
        break;
    case PICKLE_NAME_PARAMETER:
        tensor = item_of(p, args, 0, PICKLE_KIND_TENSOR);
        if (!tensor) {
            return pickle_fail(p, "a parameter that is no tensor");
        }
        made = *tensor;
        break;
    case PICKLE_NAME_DICT:
        if (args->tuple.count != 0) {
            return pickle_fail(p, "a dict made of arguments");
        }
        break;
    case PICKLE_NAME_STORAGE:
        return pickle_fail(p, "a storage inside the pickle");
    }
    if (code != 0) {
        return code;
    }
    p->stack.count -= 2;
    return pickle_push(p, made);
}

/* ---- looking at the result ---- */

int32_t pickle_root(const struct pickle *pickle)
{
    return pickle->root;
}

int32_t pickle_value_count(const struct pickle *pickle)
{
    return (int32_t)pickle->values.count;
}

bool pickle_is_dict(const struct pickle *pickle, int32_t value)
{
    return pickle_value_at(pickle, value)->kind == PICKLE_KIND_DICT;
}

bool pickle_as_text(const struct pickle *pickle, int32_t value, struct pickle_text *text)
{
    const struct pickle_value *at = pickle_value_at(pickle, value);
    if (at->kind != PICKLE_KIND_TEXT) {
        return false;
    }
    *text = at->text;
    return true;
}

bool pickle_as_integer(const struct pickle *pickle, int32_t value, int64_t *number)
{
    const struct pickle_value *at = pickle_value_at(pickle, value);
    if (at->kind != PICKLE_KIND_INTEGER) {
        return false;
    }
    *number = at->integer;
    return true;
}

bool pickle_as_storage(const struct pickle *pickle, int32_t value, struct pickle_storage *storage)
{
    const struct pickle_value *at = pickle_value_at(pickle, value);
    if (at->kind != PICKLE_KIND_STORAGE) {
        return false;
    }
    const struct pickle_name *type = pickle_value_at(pickle, at->storage.type)->name;
    *storage =
        (struct pickle_storage){pickle_value_at(pickle, at->storage.key)->text, type->dtype_name,
                                type->dtype, type->element_bytes, at->storage.elements};
    return true;
}

static bool read_extents(const struct pickle *pickle, int32_t tuple, size_t rank, int64_t *out)
{
    for (size_t i = 0; i < rank; i++) {
        const struct pickle_value *item =
            item_of(pickle, pickle_value_at(pickle, tuple), (int32_t)i, PICKLE_KIND_INTEGER);
        if (!item) {
            return false;
        }
        out[i] = item->integer;
    }
    return true;
}

bool pickle_as_tensor(const struct pickle *pickle, int32_t value, struct pickle_tensor *tensor)
{
    const struct pickle_value *at = pickle_value_at(pickle, value);
    if (at->kind != PICKLE_KIND_TENSOR) {
        return false;
    }
    int32_t rank = pickle_value_at(pickle, at->tensor.shape)->tuple.count;
    if (rank > TENSOR_RANK_MAX ||
        pickle_value_at(pickle, at->tensor.strides)->tuple.count != rank) {
        return false;
    }
    *tensor = (struct pickle_tensor){.offset = at->tensor.offset, .rank = (size_t)rank};
    return pickle_as_storage(pickle, at->tensor.storage, &tensor->storage) &&
           read_extents(pickle, at->tensor.shape, tensor->rank, tensor->shape) &&
           read_extents(pickle, at->tensor.strides, tensor->rank, tensor->strides);
}

bool pickle_next(const struct pickle *pickle, int32_t value, int32_t *position, int32_t *key,
                 int32_t *item)
{
    const struct pickle_value *at = pickle_value_at(pickle, value);
    const struct pickle_node *nodes = pickle->nodes.items;
    if (at->kind != PICKLE_KIND_DICT && at->kind != PICKLE_KIND_LIST) {
        return false;
    }
    *position = *position == PICKLE_NO_VALUE ? at->chain.first : nodes[*position].next;
    if (*position == PICKLE_NO_VALUE) {
        return false;
    }
    *key = nodes[*position].key;
    *item = nodes[*position].item;
    return true;
}
