/* nlp/pickle.h - reading the pickles that torch.save writes, without running anything.
 *
 * A pickle is a program for a stack machine (Python's pickletools documents it), and the usual way
 * to attack a model's user is to let it call os.system. This machine knows a dozen names, all of
 * them data: OrderedDict, torch's storages, and the functions that make a tensor of a storage. Any
 * other name is an error that says it. Memory is bounded by the number of instructions, nothing is
 * recursive, and shared or cyclic values stay references.
 */
#ifndef NLP_PICKLE_H
#define NLP_PICKLE_H

#include "base/error.h"
#include "nlp/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICKLE_BYTES_MAX = 4 << 20, PICKLE_VALUES_MAX = 1 << 20, PICKLE_NO_VALUE = -1 };

struct pickle;

struct pickle_text {
    const char *bytes; /* borrowed from the pickle; not NUL-terminated */
    size_t size;
};

/* ("storage", type, key, place, elements): raw numbers kept outside the pickle. */
struct pickle_storage {
    struct pickle_text key;
    const char *dtype_name;
    enum tensor_dtype dtype;
    size_t element_bytes;
    int64_t elements;
};

/* A view of a storage, as the file claims it: nothing here is checked against the storage. */
struct pickle_tensor {
    struct pickle_storage storage;
    int64_t offset; /* in elements, as the strides */
    size_t rank;
    int64_t shape[TENSOR_RANK_MAX];
    int64_t strides[TENSOR_RANK_MAX];
};

/* Runs the first pickle of bytes, which stay borrowed; *used is its length. `path` is for messages,
 * copied nowhere, so it must outlive the pickle. On failure *pickle is NULL. */
int pickle_load(struct pickle **pickle, const unsigned char *bytes, size_t size, const char *path,
                size_t *used, struct error *err);

/* Accepts NULL. */
void pickle_free(struct pickle *pickle);

/* Values are numbers from 0; the result is the root. */
int32_t pickle_root(const struct pickle *pickle);
bool pickle_is_dict(const struct pickle *pickle, int32_t value);
bool pickle_as_text(const struct pickle *pickle, int32_t value, struct pickle_text *text);
bool pickle_as_integer(const struct pickle *pickle, int32_t value, int64_t *number);
bool pickle_as_storage(const struct pickle *pickle, int32_t value, struct pickle_storage *storage);

/* False as well for a rank over TENSOR_RANK_MAX, or sizes and strides that are not integers. */
bool pickle_as_tensor(const struct pickle *pickle, int32_t value, struct pickle_tensor *tensor);

/* All values made on the way, in order: any from 0 below this. */
int32_t pickle_value_count(const struct pickle *pickle);

/* Walks a dict or list in order: start with *position = PICKLE_NO_VALUE; false at the end. For a
 * list *key is PICKLE_NO_VALUE. */
bool pickle_next(const struct pickle *pickle, int32_t value, int32_t *position, int32_t *key,
                 int32_t *item);

#endif
