/* nlp/kernels/matrix.h - the weights of one linear layer, packed once at load for every table.
 *
 * Each storage is read in steps of four bytes of a row of activations (one float, two bfloat16 or
 * four bytes), for 16 outputs at a time, strictly forwards. Panel p holds outputs 16 p .. 16 p +
 * 15; within it, step s holds for each of those outputs in turn its weights for the step's inputs.
 * Outputs past the last and inputs that fill up the last step are zero.
 */
#ifndef NLP_KERNELS_MATRIX_H
#define NLP_KERNELS_MATRIX_H

#include <stddef.h>
#include <stdint.h>

enum { KERNELS_PANEL = 16, KERNELS_STEP_BYTES = 4 };

/* KERNELS_PAIR_MAX: what two neighbouring weights of one sign may add up to in KERNELS_STORAGE_S8,
 * so that their products with any two unsigned bytes stay inside 16 bits (255 * 128 = 32640): some
 * instruction sets add pairs there, and saturate. */
enum { KERNELS_WEIGHT_MAX = 127, KERNELS_PAIR_MAX = 128 };

enum kernels_storage {
    KERNELS_STORAGE_F32,
    KERNELS_STORAGE_F16,  /* times float32 activations; exact where the checkpoint holds halves */
    KERNELS_STORAGE_BF16, /* times bfloat16 activations, summed in float32 */
    KERNELS_STORAGE_S8,   /* times unsigned bytes, summed in 32-bit integers */
};

/* Columns whose activations are expected to be much larger than the rest, found by whoever knows
 * where the rows come from. In KERNELS_STORAGE_S8 such a column is held several times and its
 * value is divided among the copies, so that it does not coarsen the scale of the others. */
struct kernels_outliers {
    size_t count;
    const uint32_t *columns; /* ascending */
    const uint32_t *copies;  /* of each, at least 2 */
    const float *shrink;     /* [inputs]: 1 / copies, 1 for all other columns */
};

/* W [outputs x inputs] and b [outputs], packed. Memory is borrowed, 64-byte aligned. */
struct kernels_matrix {
    enum kernels_storage storage;
    size_t outputs;
    size_t inputs;
    size_t steps; /* of each panel */
    void *panels;
    float *bias;   /* padded with zeros to whole panels, like the two below */
    float *scales; /* S8: weight = scale * byte */
    int32_t *sums; /* S8: the sum of an output's bytes, copies included */
    const struct kernels_outliers *outliers; /* S8: NULL for none; borrowed */
};

/* Floats that a packed matrix takes, bias and all included; a multiple of 16. */
size_t kernels_matrix_floats(enum kernels_storage storage, size_t outputs, size_t inputs,
                             const struct kernels_outliers *outliers);

/* Makes a matrix of what lies in memory already, packed before; memory is not written. */
void kernels_matrix_place(struct kernels_matrix *matrix, enum kernels_storage storage,
                          size_t outputs, size_t inputs, const struct kernels_outliers *outliers,
                          float *memory);

/* Makes a matrix of zeros in memory of that many floats, 64-byte aligned. */
void kernels_matrix_init(struct kernels_matrix *matrix, enum kernels_storage storage,
                         size_t outputs, size_t inputs, const struct kernels_outliers *outliers,
                         float *memory);

/* Packs rows [rows x inputs] and bias [rows] as outputs first .. first + rows. F16 and BF16 round
 * to nearest even; S8 rounds each row to its own scale. */
void kernels_matrix_set_rows(struct kernels_matrix *matrix, size_t first, size_t rows,
                             const float *weights, const float *bias);

/* Some of a matrix's outputs as a matrix of their own, which borrows its memory: those of panels
 * first_panel .. first_panel + panels, as far as there are any. */
struct kernels_matrix kernels_matrix_part(const struct kernels_matrix *matrix, size_t first_panel,
                                          size_t panels);

/* Bytes of a quantised or rounded row that a product reads; a multiple of 4. */
size_t kernels_row_bytes(enum kernels_storage storage, size_t inputs,
                         const struct kernels_outliers *outliers);

#endif
