/* nlp/pickle_internal.h - the machine's insides; for pickle.c and pickle_objects.c only. */
#ifndef NLP_PICKLE_INTERNAL_H
#define NLP_PICKLE_INTERNAL_H

#include "nlp/pickle.h"

enum pickle_kind {
    PICKLE_KIND_MARK, /* on the stack only */
    PICKLE_KIND_NONE,
    PICKLE_KIND_BOOL,
    PICKLE_KIND_INTEGER,
    PICKLE_KIND_OPAQUE, /* a float, bytes: read, of no use here */
    PICKLE_KIND_TEXT,
    PICKLE_KIND_TUPLE,
    PICKLE_KIND_LIST,
    PICKLE_KIND_DICT,
    PICKLE_KIND_NAME, /* an entry of names */
    PICKLE_KIND_STORAGE,
    PICKLE_KIND_TENSOR,
};

struct pickle_value {
    enum pickle_kind kind;
    union {
        int64_t integer;
        struct pickle_text text;
        struct {
            int32_t first;
            int32_t count;
        } tuple;
        struct {
            int32_t first;
            int32_t last;
        } chain;
        const struct pickle_name *name;
        struct {
            int64_t elements;
            int32_t key;
            int32_t type; /* a value of PICKLE_KIND_NAME */
        } storage;
        struct {
            int64_t offset;
            int32_t storage;
            int32_t shape;
            int32_t strides;
        } tensor;
    };
};

struct pickle_node {
    int32_t key;
    int32_t item;
    int32_t next;
};

enum pickle_name_use {
    PICKLE_NAME_DICT,
    PICKLE_NAME_STORAGE,
    PICKLE_NAME_TENSOR,
    PICKLE_NAME_PARAMETER
};

struct pickle_name {
    const char *module;
    const char *name;
    enum pickle_name_use use;
    const char *dtype_name; /* of storages, as the rest */
    enum tensor_dtype dtype;
    size_t element_bytes;
};

/* A growing array with a bound. */
struct pickle_array {
    void *items;
    size_t count;
    size_t capacity;
};

struct pickle {
    struct pickle_array values; /* struct pickle_value */
    struct pickle_array items;  /* int32_t: what tuples hold */
    struct pickle_array nodes;  /* struct pickle_node */
    struct pickle_array stack;  /* int32_t */
    struct pickle_array memo;   /* int32_t */
    int32_t root;

    /* while running */
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    const char *path;
    struct error *err;
    bool stopped;
};

/* ---- pickle.c ---- */

int pickle_fail(const struct pickle *p, const char *what);
struct pickle_value *pickle_value_at(const struct pickle *p, int32_t value);
int pickle_push(struct pickle *p, struct pickle_value value);

/* The count topmost entries of the stack, the deepest first; NULL when there are not so many above
 * the last mark. */
int32_t *pickle_top(const struct pickle *p, size_t count);

/* Takes an operand up to and past a newline. */
int pickle_take_line(struct pickle *p, struct pickle_text *line);

/* ---- pickle_objects.c: the instructions that speak of names and objects ---- */

int pickle_op_global(struct pickle *p);
int pickle_op_stack_global(struct pickle *p);
int pickle_op_persistent(struct pickle *p);
int pickle_op_reduce(struct pickle *p);

#endif
