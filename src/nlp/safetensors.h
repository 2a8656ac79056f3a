/* nlp/safetensors.h - reading the safetensors format (huggingface.co/docs/safetensors): one file,
 * or shards listed by model.safetensors.index.json.
 *
 * A file is eight bytes of header length, a JSON header, and raw little-endian data. Files come
 * from strangers, so every offset, shape and type is checked before open returns: afterwards each
 * tensor's bytes lie inside its file and are exactly as many as its shape and type need. Files are
 * mapped read-only; whoever truncates one while it is open kills the program, as with any mmap.
 */
#ifndef NLP_SAFETENSORS_H
#define NLP_SAFETENSORS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SAFETENSORS_HEADER_BYTES_MAX = 100000000, /* the format's own limit */
    SAFETENSORS_RANK_MAX = 8,
    SAFETENSORS_TENSORS_MAX = 65536, /* in one file */
    SAFETENSORS_SHARDS_MAX = 512,
};

/* Types this program can widen to float; all others are kept as OTHER and only skipped over. */
enum safetensors_dtype {
    SAFETENSORS_F64,
    SAFETENSORS_F32,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_OTHER,
};

/* Borrowed: lives as long as the struct safetensors it came from. */
struct safetensors_tensor {
    const char *name;
    const char *file; /* path, for messages */
    const char *dtype_name;
    enum safetensors_dtype dtype;
    unsigned rank;
    uint64_t shape[SAFETENSORS_RANK_MAX];
    size_t elements;
    const unsigned char *bytes; /* of any alignment */
    size_t size;
};

struct safetensors;

/* Opens DIRECTORY/model.safetensors, or, when there is none, all shards that
 * DIRECTORY/model.safetensors.index.json names. On failure *safetensors is NULL; errors name file
 * and tensor. */
int safetensors_open(struct safetensors **safetensors, const char *directory, struct error *err);

/* Accepts NULL. */
void safetensors_close(struct safetensors *safetensors);

/* The path of the file, or of the index, for messages. */
const char *safetensors_path(const struct safetensors *safetensors);

/* NULL when absent. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *safetensors,
                                                  const char *name);

/* Bytes of one element; 0 for SAFETENSORS_OTHER. */
size_t safetensors_element_bytes(enum safetensors_dtype dtype);

/* Converts count elements to float (exactly, but for F64, which is rounded). bytes may be
 * unaligned; dtype must not be SAFETENSORS_OTHER. */
void safetensors_widen(enum safetensors_dtype dtype, const unsigned char *bytes, size_t count,
                       float *out);

#endif
