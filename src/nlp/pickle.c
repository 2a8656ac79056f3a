/* pickle.c - see pickle.h. Values live in one array and refer to each other by index; tuples are
 * runs of a second array, dicts and lists are chains through a third. An instruction is a byte,
 * its meaning a function in a table of 256; what the table lacks is refused by its place. Never
 * freed piecemeal: a pickle is read once, looked at, and dropped whole. */
#include "nlp/pickle_internal.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = PICKLE_VALUES_MAX, ITEMS_MAX = 3 * PICKLE_VALUES_MAX };

int pickle_fail(const struct pickle *p, const char *what)
{
    return error_set(p->err, ERROR_FORMAT,
                     "%s: byte %zu of its pickle: %s; the file is damaged or not a model's weights",
                     p->path, (size_t)(p->at - p->start), what);
}

/* ---- memory ---- */

static bool array_reserve(struct pickle_array *array, size_t item_bytes, size_t more, size_t max)
{
    if (more > max || array->count > max - more) {
        return false;
    }
    size_t wanted = array->count + more;
    if (wanted <= array->capacity) {
        return true;
    }
    size_t capacity = array->capacity * 2 > wanted ? array->capacity * 2 : wanted + 64;
    void *items = realloc(array->items, capacity * item_bytes);
    if (!items) {
        return false;
    }
    array->items = items;
    array->capacity = capacity;
    return true;
}

static int fail_memory(const struct pickle *p)
{
    return error_set(p->err, ERROR_LIMIT,
                     "%s: its pickle is too large, or there is no memory for it", p->path);
}

static int add_index(struct pickle *p, struct pickle_array *array, int32_t value)
{
    if (!array_reserve(array, sizeof value, 1, ITEMS_MAX)) {
        return fail_memory(p);
    }
    ((int32_t *)array->items)[array->count++] = value;
    return 0;
}

struct pickle_value *pickle_value_at(const struct pickle *p, int32_t value)
{
    return (struct pickle_value *)p->values.items + value;
}

int pickle_push(struct pickle *p, struct pickle_value value)
{
    if (!array_reserve(&p->values, sizeof value, 1, PICKLE_VALUES_MAX)) {
        return fail_memory(p);
    }
    *pickle_value_at(p, (int32_t)p->values.count) = value;
    return add_index(p, &p->stack, (int32_t)p->values.count++);
}

static int push_kind(struct pickle *p, enum pickle_kind kind)
{
    return pickle_push(p, (struct pickle_value){.kind = kind});
}

static int push_integer(struct pickle *p, int64_t number)
{
    return pickle_push(p, (struct pickle_value){.kind = PICKLE_KIND_INTEGER, .integer = number});
}

int32_t *pickle_top(const struct pickle *p, size_t count)
{
    if (count > p->stack.count) {
        return NULL;
    }
    int32_t *entries = (int32_t *)p->stack.items + p->stack.count - count;
    for (size_t i = 0; i < count; i++) {
        if (pickle_value_at(p, entries[i])->kind == PICKLE_KIND_MARK) {
            return NULL;
        }
    }
    return entries;
}

/* Everything above the last mark, which is at entries[-1]; NULL without a mark. */
static int32_t *above_mark(const struct pickle *p, size_t *count)
{
    int32_t *stack = p->stack.items;
    for (size_t at = p->stack.count; at-- > 0;) {
        if (pickle_value_at(p, stack[at])->kind == PICKLE_KIND_MARK) {
            *count = p->stack.count - at - 1;
            return stack + at + 1;
        }
    }
    return NULL;
}

/* ---- operands ---- */

static int take(struct pickle *p, size_t count, const unsigned char **bytes)
{
    if (count > (size_t)(p->end - p->at)) {
        return pickle_fail(p, "it ends in the middle of a value");
    }
    *bytes = p->at;
    p->at += count;
    return 0;
}

static int take_number(struct pickle *p, size_t count, uint64_t *number)
{
    const unsigned char *bytes = NULL;
    int code = take(p, count, &bytes);
    *number = 0;
    for (size_t i = count; code == 0 && i-- > 0;) {
        *number = *number << 8 | bytes[i];
    }
    return code;
}

int pickle_take_line(struct pickle *p, struct pickle_text *line)
{
    const unsigned char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
    if (!newline) {
        return pickle_fail(p, "it ends in the middle of a name");
    }
    *line = (struct pickle_text){(const char *)p->at, (size_t)(newline - p->at)};
    p->at = newline + 1;
    return 0;
}

/* A length of count bytes, and so many bytes. */
static int take_sized(struct pickle *p, size_t count, struct pickle_text *text)
{
    uint64_t size;
    const unsigned char *bytes = NULL;
    int code = take_number(p, count, &size);
    if (code == 0 && size > (uint64_t)(p->end - p->at)) {
        return pickle_fail(p, "a text that is longer than the file");
    }
    code = code ? code : take(p, (size_t)size, &bytes);
    *text = (struct pickle_text){(const char *)bytes, (size_t)size};
    return code;
}

/* ---- instructions: plain values ---- */

static int op_none(struct pickle *p)
{
    return push_kind(p, PICKLE_KIND_NONE);
}

static int op_bool(struct pickle *p)
{
    return push_kind(p, PICKLE_KIND_BOOL);
}

static int push_sized_integer(struct pickle *p, size_t bytes)
{
    uint64_t number;
    int code = take_number(p, bytes, &number);
    if (bytes == 4) {
        number = (uint64_t)(int64_t)(int32_t)(uint32_t)number; /* the only signed one */
    }
    return code ? code : push_integer(p, (int64_t)number);
}

static int op_integer1(struct pickle *p)
{
    return push_sized_integer(p, 1);
}

static int op_integer2(struct pickle *p)
{
    return push_sized_integer(p, 2);
}

static int op_integer4(struct pickle *p)
{
    return push_sized_integer(p, 4);
}

/* LONG1: little-endian two's complement of any length; over 8 bytes it is only passed over. */
static int op_long(struct pickle *p)
{
    struct pickle_text digits = {0};
    int code = take_sized(p, 1, &digits);
    if (code != 0 || digits.size > 8) {
        return code ? code : push_kind(p, PICKLE_KIND_OPAQUE);
    }
    bool negative = digits.size > 0 && ((unsigned char)digits.bytes[digits.size - 1] & 0x80) != 0;
    uint64_t number = negative ? UINT64_MAX : 0;
    for (size_t i = digits.size; i-- > 0;) {
        number = number << 8 | (unsigned char)digits.bytes[i];
    }
    return push_integer(p, (int64_t)number);
}

static int op_float(struct pickle *p)
{
    const unsigned char *bytes = NULL;
    int code = take(p, 8, &bytes);
    return code ? code : push_kind(p, PICKLE_KIND_OPAQUE);
}

static int push_text(struct pickle *p, size_t length_bytes)
{
    struct pickle_value value = {.kind = PICKLE_KIND_TEXT};
    int code = take_sized(p, length_bytes, &value.text);
    return code ? code : pickle_push(p, value);
}

static int op_text1(struct pickle *p)
{
    return push_text(p, 1);
}

static int op_text4(struct pickle *p)
{
    return push_text(p, 4);
}

/* ---- instructions: stack and memo ---- */

static int op_mark(struct pickle *p)
{
    return push_kind(p, PICKLE_KIND_MARK);
}

static int op_pop(struct pickle *p)
{
    if (!pickle_top(p, 1)) {
        return pickle_fail(p, "nothing to drop");
    }
    p->stack.count--;
    return 0;
}

static int op_pop_mark(struct pickle *p)
{
    size_t count;
    if (!above_mark(p, &count)) {
        return pickle_fail(p, "no mark");
    }
    p->stack.count -= count + 1;
    return 0;
}

static int op_duplicate(struct pickle *p)
{
    const int32_t *last = pickle_top(p, 1);
    return last ? add_index(p, &p->stack, *last) : pickle_fail(p, "nothing to repeat");
}

static int put(struct pickle *p, uint64_t slot)
{
    const int32_t *last = pickle_top(p, 1);
    if (!last || slot > p->memo.count) {
        return pickle_fail(p, "a value remembered out of order");
    }
    if (slot < p->memo.count) {
        ((int32_t *)p->memo.items)[slot] = *last;
        return 0;
    }
    return add_index(p, &p->memo, *last);
}

static int get(struct pickle *p, uint64_t slot)
{
    if (slot >= p->memo.count) {
        return pickle_fail(p, "a value that was never remembered");
    }
    return add_index(p, &p->stack, ((int32_t *)p->memo.items)[slot]);
}

static int op_put1(struct pickle *p)
{
    uint64_t slot;
    int code = take_number(p, 1, &slot);
    return code ? code : put(p, slot);
}

static int op_put4(struct pickle *p)
{
    uint64_t slot;
    int code = take_number(p, 4, &slot);
    return code ? code : put(p, slot);
}

static int op_memoize(struct pickle *p)
{
    return put(p, p->memo.count);
}

static int op_get1(struct pickle *p)
{
    uint64_t slot;
    int code = take_number(p, 1, &slot);
    return code ? code : get(p, slot);
}

static int op_get4(struct pickle *p)
{
    uint64_t slot;
    int code = take_number(p, 4, &slot);
    return code ? code : get(p, slot);
}

/* ---- instructions: containers ---- */

/* Replaces the count topmost entries by a tuple of them. */
static int make_tuple(struct pickle *p, const int32_t *entries, size_t count)
{
    if (!entries) {
        return pickle_fail(p, "a tuple of nothing");
    }
    struct pickle_value value = {.kind = PICKLE_KIND_TUPLE,
                                 .tuple = {(int32_t)p->items.count, (int32_t)count}};
    for (size_t i = 0; i < count; i++) {
        int code = add_index(p, &p->items, entries[i]);
        if (code != 0) {
            return code;
        }
    }
    p->stack.count -= count;
    return pickle_push(p, value);
}

static int op_tuple(struct pickle *p)
{
    size_t count;
    const int32_t *entries = above_mark(p, &count);
    if (!entries) {
        return pickle_fail(p, "no mark");
    }
    /* The mark's own place is free once the tuple is made; the tuple moves down into it. */
    int code = make_tuple(p, entries, count);
    if (code == 0) {
        int32_t *stack = p->stack.items;
        stack[p->stack.count - 2] = stack[p->stack.count - 1];
        p->stack.count--;
    }
    return code;
}

static int op_tuple0(struct pickle *p)
{
    return push_kind(p, PICKLE_KIND_TUPLE);
}

static int op_tuple1(struct pickle *p)
{
    return make_tuple(p, pickle_top(p, 1), 1);
}

static int op_tuple2(struct pickle *p)
{
    return make_tuple(p, pickle_top(p, 2), 2);
}

static int op_tuple3(struct pickle *p)
{
    return make_tuple(p, pickle_top(p, 3), 3);
}

static int push_chain(struct pickle *p, enum pickle_kind kind)
{
    return pickle_push(
        p, (struct pickle_value){.kind = kind, .chain = {PICKLE_NO_VALUE, PICKLE_NO_VALUE}});
}

static int op_dict(struct pickle *p)
{
    return push_chain(p, PICKLE_KIND_DICT);
}

static int op_list(struct pickle *p)
{
    return push_chain(p, PICKLE_KIND_LIST);
}

static int add_node(struct pickle *p, int32_t container, int32_t key, int32_t item)
{
    if (!array_reserve(&p->nodes, sizeof(struct pickle_node), 1, NODES_MAX)) {
        return fail_memory(p);
    }
    struct pickle_node *nodes = p->nodes.items;
    int32_t added = (int32_t)p->nodes.count++;
    nodes[added] = (struct pickle_node){key, item, PICKLE_NO_VALUE};
    struct pickle_value *value = pickle_value_at(p, container);
    if (value->chain.last == PICKLE_NO_VALUE) {
        value->chain.first = added;
    } else {
        nodes[value->chain.last].next = added;
    }
    value->chain.last = added;
    return 0;
}

/* entries[-1 - below] is the container, entries the pairs or items. */
static int extend(struct pickle *p, enum pickle_kind kind, const int32_t *entries, size_t count,
                  size_t below)
{
    size_t step = kind == PICKLE_KIND_DICT ? 2 : 1;
    if (!entries || p->stack.count < count + below + 1 ||
        pickle_value_at(p, entries[-1 - (ptrdiff_t)below])->kind != kind || count % step != 0) {
        return pickle_fail(p, "items for something that holds none");
    }
    int32_t container = entries[-1 - (ptrdiff_t)below];
    for (size_t i = 0; i < count; i += step) {
        int code = step == 2 ? add_node(p, container, entries[i], entries[i + 1])
                             : add_node(p, container, PICKLE_NO_VALUE, entries[i]);
        if (code != 0) {
            return code;
        }
    }
    p->stack.count -= count + below;
    return 0;
}

static int op_set_item(struct pickle *p)
{
    return extend(p, PICKLE_KIND_DICT, pickle_top(p, 2), 2, 0);
}

static int op_append(struct pickle *p)
{
    return extend(p, PICKLE_KIND_LIST, pickle_top(p, 1), 1, 0);
}

static int op_set_items(struct pickle *p)
{
    size_t count = 0;
    const int32_t *entries = above_mark(p, &count);
    return extend(p, PICKLE_KIND_DICT, entries, count, 1);
}

static int op_appends(struct pickle *p)
{
    size_t count = 0;
    const int32_t *entries = above_mark(p, &count);
    return extend(p, PICKLE_KIND_LIST, entries, count, 1);
}

/* BUILD gives an object its attributes; a state dict has "_metadata", which nobody needs. */
static int op_build(struct pickle *p)
{
    const int32_t *args = pickle_top(p, 2);
    if (!args || pickle_value_at(p, args[0])->kind != PICKLE_KIND_DICT) {
        return pickle_fail(p, "attributes for something that has none");
    }
    p->stack.count--;
    return 0;
}

/* ---- the machine ---- */

static int op_protocol(struct pickle *p)
{
    uint64_t protocol;
    int code = take_number(p, 1, &protocol);
    return code == 0 && protocol > 5 ? pickle_fail(p, "a protocol that is not known") : code;
}

static int op_frame(struct pickle *p)
{
    const unsigned char *bytes = NULL;
    return take(p, 8, &bytes); /* a hint for readers of streams */
}

static int op_stop(struct pickle *p)
{
    const int32_t *last = pickle_top(p, 1);
    if (!last || p->stack.count != 1) {
        return pickle_fail(p, "it stops without one result");
    }
    p->root = *last;
    p->stopped = true;
    return 0;
}

/* By the letters of Python's pickletools. */
static int (*const instructions[256])(struct pickle *) = {
    ['N'] = op_none,          [0x88] = op_bool,
    [0x89] = op_bool,         ['K'] = op_integer1,
    ['M'] = op_integer2,      ['J'] = op_integer4,
    [0x8A] = op_long,         ['G'] = op_float,
    ['X'] = op_text4,         [0x8C] = op_text1,
    ['T'] = op_text4,         ['U'] = op_text1,
    ['c'] = pickle_op_global, [0x93] = pickle_op_stack_global,
    ['('] = op_mark,          ['0'] = op_pop,
    ['1'] = op_pop_mark,      ['2'] = op_duplicate,
    ['q'] = op_put1,          ['r'] = op_put4,
    [0x94] = op_memoize,      ['h'] = op_get1,
    ['j'] = op_get4,          ['t'] = op_tuple,
    [')'] = op_tuple0,        [0x85] = op_tuple1,
    [0x86] = op_tuple2,       [0x87] = op_tuple3,
    ['}'] = op_dict,          [']'] = op_list,
    ['s'] = op_set_item,      ['u'] = op_set_items,
    ['a'] = op_append,        ['e'] = op_appends,
    ['b'] = op_build,         ['Q'] = pickle_op_persistent,
    ['R'] = pickle_op_reduce, [0x80] = op_protocol,
    [0x95] = op_frame,        ['.'] = op_stop,
};

static int run(struct pickle *p)
{
    while (!p->stopped) {
        if (p->at == p->end) {
            return pickle_fail(p, "it ends without a result");
        }
        int (*instruction)(struct pickle *) = instructions[*p->at];
        if (!instruction) {
            return pickle_fail(p, "an instruction that torch.save does not use");
        }
        p->at++;
        int code = instruction(p);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

int pickle_load(struct pickle **pickle, const unsigned char *bytes, size_t size, const char *path,
                size_t *used, struct error *err)
{
    *pickle = NULL;
    struct pickle *made = calloc(1, sizeof *made);
    if (!made) {
        return error_set(err, ERROR_MEMORY, "%s: not enough memory to read it", path);
    }
    made->start = bytes;
    made->at = bytes;
    made->end = bytes + (size < PICKLE_BYTES_MAX ? size : PICKLE_BYTES_MAX);
    made->path = path;
    made->err = err;
    int code = run(made);
    if (code != 0) {
        pickle_free(made);
        return code;
    }
    *used = (size_t)(made->at - made->start);
    *pickle = made;
    return 0;
}

void pickle_free(struct pickle *pickle)
{
    if (pickle) {
        free(pickle->values.items);
        free(pickle->items.items);
        free(pickle->nodes.items);
        free(pickle->stack.items);
        free(pickle->memo.items);
        free(pickle);
    }
}
