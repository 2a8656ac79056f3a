/* nlp/tensor.h - one named tensor of a checkpoint, whatever file format it came in. */
#ifndef NLP_TENSOR_H
#define NLP_TENSOR_H

#include <stddef.h>
#include <stdint.h>

enum {
    TENSOR_RANK_MAX = 8,
    TENSOR_COUNT_MAX = 65536, /* in one file */
};

/* Types this program can widen to float; all others are kept as OTHER and only skipped over. */
enum tensor_dtype {
    TENSOR_F64,
    TENSOR_F32,
    TENSOR_F16,
    TENSOR_BF16,
    TENSOR_OTHER,
};

/* Borrowed: lives as long as the file it came from. Row-major and dense: size is elements times the
 * size of one. */
struct tensor {
    const char *name;
    const char *file; /* path, for messages */
    const char *dtype_name;
    enum tensor_dtype dtype;
    unsigned rank;
    uint64_t shape[TENSOR_RANK_MAX];
    size_t elements;
    const unsigned char *bytes; /* little-endian, of any alignment */
    size_t size;
};

/* Bytes of one element; 0 for TENSOR_OTHER. */
size_t tensor_element_bytes(enum tensor_dtype dtype);

/* Converts count elements to float (exactly, but for F64, which is rounded). bytes may be
 * unaligned; dtype must not be TENSOR_OTHER. */
void tensor_widen(enum tensor_dtype dtype, const unsigned char *bytes, size_t count, float *out);

#endif
