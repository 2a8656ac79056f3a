/* Every table this machine runs, against oracles in double precision written without knowledge of
 * tiles or panels, on shapes that end inside every tile; and the promise that a row's bits do not
 * depend on its neighbours. */
#include "base/rand.h"
#include "nlp/kernels/cpu.h"
#include "nlp/kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *floats(size_t count)
{
    void *memory = NULL;
    size_t bytes = count * sizeof(float);
    assert_int_equal(posix_memalign(&memory, 64, bytes ? bytes : 64), 0);
    memset(memory, 0, bytes);
    return memory;
}

static float *random_floats(struct rand *rand, size_t count, double spread)
{
    float *out = floats(count);
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)((rand_uniform(rand) * 2 - 1) * spread);
    }
    return out;
}

static double exact_gelu(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2.0));
}

static double exact_gelu_tanh(double x)
{
    return x * 0.5 * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

static void assert_close(const char *table, const char *what, double got, double expected,
                         double tolerance)
{
    if (!(fabs(got - expected) <= tolerance)) {
        fail_msg("%s %s: %.9g, expected %.9g within %.2g", table, what, got, expected, tolerance);
    }
}

/* Calls check with each table that runs here. */
static void with_each_table(void (*check)(const struct kernels *))
{
    const struct kernels *table;
    for (size_t i = 0; (table = kernels_at(i)) != NULL; i++) {
        if ((table->cpu_flags & ~cpu_flags()) == 0) {
            check(table);
        }
    }
}

/* ---- linear ---- */

struct problem {
    size_t rows, inputs, outputs;
    size_t x_stride, y_stride;
    float *x, *weights, *bias, *y, *memory;
    struct kernels_matrix matrix;
};

/* Packs the weights anew, in two parts, as keys and values are. */
static void problem_pack(struct problem *p, enum kernels_storage storage,
                         const struct kernels_outliers *outliers)
{
    size_t half = p->outputs / 2;
    free(p->memory);
    p->memory = floats(kernels_matrix_floats(storage, p->outputs, p->inputs, outliers));
    kernels_matrix_init(&p->matrix, storage, p->outputs, p->inputs, outliers, p->memory);
    kernels_matrix_set_rows(&p->matrix, 0, half, p->weights, p->bias);
    kernels_matrix_set_rows(&p->matrix, half, p->outputs - half, p->weights + half * p->inputs,
                            p->bias + half);
}

static void problem_make(struct problem *p, struct rand *rand, size_t rows, size_t inputs,
                         size_t outputs)
{
    *p = (struct problem){.rows = rows,
                          .inputs = inputs,
                          .outputs = outputs,
                          .x_stride = inputs + 3,
                          .y_stride = outputs + 5};
    p->x = random_floats(rand, rows * p->x_stride, 2);
    p->weights = random_floats(rand, inputs * outputs, 1);
    p->bias = random_floats(rand, outputs, 1);
    p->y = random_floats(rand, rows * p->y_stride, 1);
    p->memory = NULL;
    problem_pack(p, KERNELS_STORAGE_F32, NULL);
}

static void problem_free(struct problem *p)
{
    free(p->x);
    free(p->weights);
    free(p->bias);
    free(p->y);
    free(p->memory);
}

static void expect_product(const struct kernels *table, const struct problem *p,
                           enum kernels_epilogue epilogue, const float *y)
{
    for (size_t row = 0; row < p->rows; row++) {
        for (size_t o = 0; o < p->y_stride; o++) {
            double got = y[row * p->y_stride + o];
            double was = p->y[row * p->y_stride + o];
            if (o >= p->outputs) {
                assert_true(got == was); /* what lies between rows is not ours */
                continue;
            }
            double sum = p->bias[o];
            double size = fabs(sum);
            for (size_t i = 0; i < p->inputs; i++) {
                double term = (double)p->x[row * p->x_stride + i] * p->weights[o * p->inputs + i];
                sum += term;
                size += fabs(term);
            }
            double tolerance = sqrt((double)p->inputs) * 0x1p-23 * (size + fabs(was)) + 1e-12;
            double expected = sum;
            if (epilogue == KERNELS_EPILOGUE_ADD) {
                expected += was;
            } else if (epilogue == KERNELS_EPILOGUE_GELU) {
                expected = exact_gelu(sum);
                tolerance = 1.2 * tolerance + 1.2e-7 * fmax(1, fabs(sum));
            } else if (epilogue == KERNELS_EPILOGUE_GELU_TANH) {
                expected = exact_gelu_tanh(sum);
                tolerance = 1.2 * tolerance + 1.2e-7 * fmax(1, fabs(sum));
            }
            assert_close(table->name, "linear", got, expected, tolerance);
        }
    }
}

/* Calls check with a problem of every tail: rows, inputs and outputs that end inside every tile. */
static void with_each_problem(const struct kernels *table,
                              void (*check)(const struct kernels *, struct problem *))
{
    static const size_t sizes[][2] = {/* inputs, outputs */
                                      {1, 1},   {3, 2},   {7, 15}, {16, 16}, {48, 17}, {65, 33},
                                      {33, 48}, {12, 95}, {5, 96}, {9, 97},  {31, 140}};
    struct rand rand;
    rand_seed(&rand, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t rows = 0; rows <= 26; rows++) {
            struct problem p;
            problem_make(&p, &rand, rows, sizes[s][0], sizes[s][1]);
            check(table, &p);
            problem_free(&p);
        }
    }
}

static float *copy_of_y(const struct problem *p)
{
    float *y = floats(p->rows * p->y_stride);
    memcpy(y, p->y, p->rows * p->y_stride * sizeof *y);
    return y;
}

static void check_linear_problem(const struct kernels *table, struct problem *p)
{
    for (int e = KERNELS_EPILOGUE_SET; e <= KERNELS_EPILOGUE_GELU_TANH; e++) {
        float *y = copy_of_y(p);
        table->linear(&p->matrix, (enum kernels_epilogue)e, p->x, p->x_stride, p->rows, y,
                      p->y_stride);
        expect_product(table, p, (enum kernels_epilogue)e, y);
        free(y);
    }
}

static void check_linear(const struct kernels *table)
{
    with_each_problem(table, check_linear_problem);
}

static void linear_equals_the_formula_on_every_tail(void **state)
{
    (void)state;
    with_each_table(check_linear);
}

/* Weights that halves hold exactly: packed either way, every table gives the same bits. */
static void check_halves_problem(const struct kernels *table, struct problem *p)
{
    for (size_t i = 0; i < p->inputs * p->outputs; i++) {
        double tiny = i % 3 == 0 ? 0x1p-24 : 0x1p-11; /* subnormal halves as well */
        p->weights[i] = (float)(floor((double)p->weights[i] * 1000) * tiny);
    }
    problem_pack(p, KERNELS_STORAGE_F32, NULL);
    float *wide = copy_of_y(p);
    float *narrow = copy_of_y(p);
    table->linear(&p->matrix, KERNELS_EPILOGUE_ADD, p->x, p->x_stride, p->rows, wide, p->y_stride);
    problem_pack(p, KERNELS_STORAGE_F16, NULL);
    table->linear(&p->matrix, KERNELS_EPILOGUE_ADD, p->x, p->x_stride, p->rows, narrow,
                  p->y_stride);
    assert_memory_equal(wide, narrow, p->rows * p->y_stride * sizeof *wide);
    free(wide);
    free(narrow);
}

static void check_halves(const struct kernels *table)
{
    with_each_problem(table, check_halves_problem);
}

static void weights_kept_as_halves_change_no_bit(void **state)
{
    (void)state;
    with_each_table(check_halves);
}

/* ---- bytes ---- */

struct bytes {
    struct kernels_bytes rows;
    size_t row_bytes;
};

static void bytes_make(struct bytes *bytes, const struct problem *p,
                       const struct kernels_outliers *outliers)
{
    bytes->row_bytes = kernels_row_bytes(KERNELS_STORAGE_S8, p->inputs, outliers);
    size_t stride = bytes->row_bytes + 4;
    bytes->rows = (struct kernels_bytes){.values = calloc(p->rows + 1, stride),
                                         .stride = stride,
                                         .steps = floats(p->rows),
                                         .zeros = calloc(p->rows + 1, sizeof(int32_t))};
    assert_non_null(bytes->rows.values);
    assert_non_null(bytes->rows.zeros);
}

static void bytes_free(struct bytes *bytes)
{
    free(bytes->rows.values);
    free(bytes->rows.steps);
    free(bytes->rows.zeros);
}

static int8_t weight_byte(const struct kernels_matrix *matrix, size_t output, size_t input)
{
    const int8_t *panel = (const int8_t *)matrix->panels + output / 16 * matrix->steps * 64;
    return panel[input / 4 * 64 + output % 16 * 4 + input % 4];
}

/* From the packed bytes, in 64 bits: what every table must give to the last bit. */
static void expect_exact_bytes(const struct kernels *table, const struct problem *p,
                               const struct bytes *x, const float *y)
{
    for (size_t row = 0; row < p->rows; row++) {
        for (size_t o = 0; o < p->outputs; o++) {
            int64_t sum = 0;
            for (size_t i = 0; i < x->row_bytes; i++) {
                int64_t byte = x->rows.values[row * x->rows.stride + i];
                sum += (byte - x->rows.zeros[row]) * weight_byte(&p->matrix, o, i);
            }
            assert_true(sum >= INT32_MIN && sum <= INT32_MAX);
            float scale = x->rows.steps[row] * p->matrix.scales[o];
            float expected = p->y[row * p->y_stride + o] + ((float)sum * scale + p->bias[o]);
            if (memcmp(&expected, &y[row * p->y_stride + o], sizeof expected) != 0) {
                fail_msg("%s: row %zu, output %zu is %.9g, not %.9g", table->name, row, o,
                         y[row * p->y_stride + o], expected);
            }
        }
    }
}

static void check_bytes_problem(const struct kernels *table, struct problem *p)
{
    struct bytes x;
    problem_pack(p, KERNELS_STORAGE_S8, NULL);
    bytes_make(&x, p, NULL);
    table->quantise(NULL, p->x, p->x_stride, p->rows, p->inputs, &x.rows);
    float *y = copy_of_y(p);
    table->linear_s8(&p->matrix, KERNELS_EPILOGUE_ADD, &x.rows, p->rows, y, p->y_stride);
    expect_exact_bytes(table, p, &x, y);
    free(y);
    for (int e = KERNELS_EPILOGUE_GELU; e <= KERNELS_EPILOGUE_GELU_TANH; e++) {
        float *plain = copy_of_y(p);
        y = copy_of_y(p);
        table->linear_s8(&p->matrix, KERNELS_EPILOGUE_SET, &x.rows, p->rows, plain, p->y_stride);
        table->linear_s8(&p->matrix, (enum kernels_epilogue)e, &x.rows, p->rows, y, p->y_stride);
        for (size_t row = 0; row < p->rows; row++) {
            float *at = plain + row * p->y_stride;
            (e == KERNELS_EPILOGUE_GELU ? table->gelu : table->gelu_tanh)(at, p->outputs);
        }
        for (size_t i = 0; i < p->rows * p->y_stride; i++) {
            assert_close(table->name, "epilogue", y[i], plain[i], 1e-6);
        }
        free(plain);
        free(y);
    }
    bytes_free(&x);
}

static void check_bytes(const struct kernels *table)
{
    with_each_problem(table, check_bytes_problem);
}

static void integer_products_are_exact_on_every_tail(void **state)
{
    (void)state;
    with_each_table(check_bytes);
}

/* The largest weights that packing lets through, against the largest bytes: sums of pairs in 16
 * bits would saturate if anything could make them. */
static void check_extreme_bytes(const struct kernels *table)
{
    enum { ROWS = 3, INPUTS = 3072, OUTPUTS = 48 };
    static const float signs[][2] = {{1, 1}, {-1, -1}, {1, -1}, {1, 0.01f}, {-1, 0}};
    struct rand rand;
    struct problem p;
    struct bytes x;
    rand_seed(&rand, 6);
    problem_make(&p, &rand, ROWS, INPUTS, OUTPUTS);
    for (size_t s = 0; s < sizeof signs / sizeof signs[0]; s++) {
        for (size_t i = 0; i < (size_t)INPUTS * OUTPUTS; i++) {
            p.weights[i] = signs[s][i % 2];
        }
        problem_pack(&p, KERNELS_STORAGE_S8, NULL);
        bytes_make(&x, &p, NULL);
        for (size_t row = 0; row < ROWS; row++) {
            x.rows.steps[row] = 1;
            x.rows.zeros[row] = row == 0 ? 0 : row == 1 ? 255 : 128;
            memset(x.rows.values + row * x.rows.stride, row == 1 ? 0 : 255, INPUTS);
        }
        float *y = copy_of_y(&p);
        table->linear_s8(&p.matrix, KERNELS_EPILOGUE_ADD, &x.rows, ROWS, y, p.y_stride);
        expect_exact_bytes(table, &p, &x, y);
        free(y);
        bytes_free(&x);
    }
    problem_free(&p);
}

static void nothing_saturates_at_the_extremes(void **state)
{
    (void)state;
    with_each_table(check_extreme_bytes);
}

static void no_pair_of_packed_weights_can_overflow_16_bits(void **state)
{
    (void)state;
    struct rand rand;
    struct problem p;
    rand_seed(&rand, 7);
    problem_make(&p, &rand, 0, 513, 40);
    problem_pack(&p, KERNELS_STORAGE_S8, NULL);
    for (size_t o = 0; o < p.outputs; o++) {
        for (size_t i = 0; i < p.matrix.steps * 4; i += 2) {
            int one = weight_byte(&p.matrix, o, i);
            int two = weight_byte(&p.matrix, o, i + 1);
            int most = 255 * ((one > 0 ? one : 0) + (two > 0 ? two : 0));
            int least = 255 * ((one < 0 ? one : 0) + (two < 0 ? two : 0));
            assert_true(most <= INT16_MAX && least >= INT16_MIN);
        }
    }
    problem_free(&p);
}

static double gaussian(struct rand *rand)
{
    double u = 1 - rand_uniform(rand);
    return sqrt(-2 * log(u)) * cos(2 * acos(-1.0) * rand_uniform(rand));
}

/* Root mean square of the error of int8 products, relative to that of the exact ones. */
static double relative_error(const struct kernels *table, const struct problem *p,
                             const struct bytes *x)
{
    float *y = floats(p->rows * p->y_stride);
    double off = 0;
    double size = 0;
    table->linear_s8(&p->matrix, KERNELS_EPILOGUE_SET, &x->rows, p->rows, y, p->y_stride);
    for (size_t row = 0; row < p->rows; row++) {
        for (size_t o = 0; o < p->outputs; o++) {
            double sum = p->bias[o];
            for (size_t i = 0; i < p->inputs; i++) {
                sum += (double)p->x[row * p->x_stride + i] * p->weights[o * p->inputs + i];
            }
            off += pow(y[row * p->y_stride + o] - sum, 2);
            size += sum * sum;
        }
    }
    free(y);
    return sqrt(off / size);
}

/* Two columns twenty times the others, known as such, cost nothing: without copies the error is
 * several times as large. */
static void check_outliers(const struct kernels *table)
{
    enum { ROWS = 8, INPUTS = 769, OUTPUTS = 64, TIMES = 20 };
    static float shrink[INPUTS];
    static const uint32_t columns[] = {77, INPUTS - 1};
    static const uint32_t copies[] = {TIMES, TIMES};
    const struct kernels_outliers outliers = {2, columns, copies, shrink};
    struct rand rand;
    struct problem p;
    rand_seed(&rand, 8);
    problem_make(&p, &rand, ROWS, INPUTS, OUTPUTS);
    for (size_t i = 0; i < (size_t)INPUTS * OUTPUTS; i++) {
        p.weights[i] = (float)gaussian(&rand);
    }
    for (size_t i = 0; i < INPUTS; i++) {
        bool outlier = i == columns[0] || i == columns[1];
        shrink[i] = outlier ? 1.0f / TIMES : 1;
        for (size_t row = 0; row < ROWS; row++) {
            p.x[row * p.x_stride + i] = (float)(gaussian(&rand) * (outlier ? TIMES : 1));
        }
    }
    double errors[2];
    for (int known = 0; known < 2; known++) {
        const struct kernels_outliers *given = known ? &outliers : NULL;
        struct bytes x;
        problem_pack(&p, KERNELS_STORAGE_S8, given);
        bytes_make(&x, &p, given);
        table->quantise(given, p.x, p.x_stride, ROWS, INPUTS, &x.rows);
        errors[known] = relative_error(table, &p, &x);
        bytes_free(&x);
    }
    assert_true(errors[1] < 0.015);
    assert_true(errors[0] > 2 * errors[1]);
    problem_free(&p);
}

static void known_outliers_do_not_coarsen_the_rest(void **state)
{
    (void)state;
    with_each_table(check_outliers);
}

static void check_quantise_problem(const struct kernels *table, struct problem *p)
{
    static float shrink[128];
    const uint32_t column = (uint32_t)p->inputs / 2;
    const uint32_t copies = 5;
    const struct kernels_outliers outliers = {1, &column, &copies, shrink};
    for (size_t i = 0; i < p->inputs; i++) {
        shrink[i] = i == column ? 0.2f : 1;
    }
    for (size_t row = 0; row < p->rows; row++) {
        float *x = p->x + row * p->x_stride;
        x[column] *= 5;
        if (row % 5 == 0) {
            memset(x, 0, p->inputs * sizeof *x); /* nothing to scale by */
        }
    }
    for (int known = 0; known < 2; known++) {
        const struct kernels_outliers *given = known ? &outliers : NULL;
        struct bytes x;
        struct bytes expected;
        bytes_make(&x, p, given);
        bytes_make(&expected, p, given);
        table->quantise(given, p->x, p->x_stride, p->rows, p->inputs, &x.rows);
        kernels_ref.quantise(given, p->x, p->x_stride, p->rows, p->inputs, &expected.rows);
        assert_memory_equal(x.rows.values, expected.rows.values, p->rows * x.rows.stride);
        assert_memory_equal(x.rows.steps, expected.rows.steps, p->rows * sizeof(float));
        assert_memory_equal(x.rows.zeros, expected.rows.zeros, p->rows * sizeof(int32_t));
        for (size_t row = 0; row < p->rows; row++) {
            const uint8_t *bytes = x.rows.values + row * x.rows.stride;
            double step = x.rows.steps[row];
            for (size_t i = 0; i < p->inputs; i++) {
                double sum = bytes[i] - x.rows.zeros[row];
                for (size_t copy = 0; known && i == column && copy + 1 < copies; copy++) {
                    sum += bytes[p->inputs + copy] - x.rows.zeros[row];
                }
                assert_close(table->name, "quantise", sum * step, p->x[row * p->x_stride + i],
                             0.502 * step + 1e-30);
            }
        }
        bytes_free(&x);
        bytes_free(&expected);
    }
}

static void check_quantise(const struct kernels *table)
{
    with_each_problem(table, check_quantise_problem);
}

static void rows_become_the_same_bytes_everywhere(void **state)
{
    (void)state;
    with_each_table(check_quantise);
}

/* ---- bfloat16 ---- */

static void check_brains_problem(const struct kernels *table, struct problem *p)
{
    /* Seven bits of fraction are exact in bfloat16; then only the sum may round. */
    for (size_t i = 0; i < p->inputs * p->outputs; i++) {
        p->weights[i] = (float)(floor((double)p->weights[i] * 100) / 128);
    }
    for (size_t i = 0; i < p->rows * p->x_stride; i++) {
        p->x[i] = (float)(floor((double)p->x[i] * 50) / 64);
    }
    problem_pack(p, KERNELS_STORAGE_BF16, NULL);
    size_t stride = kernels_row_bytes(KERNELS_STORAGE_BF16, p->inputs, NULL) / 2 + 2;
    uint16_t *x = calloc(p->rows + 1, stride * sizeof *x);
    assert_non_null(x);
    table->round_bf16(p->x, p->x_stride, p->rows, p->inputs, x, stride);
    for (int e = KERNELS_EPILOGUE_SET; e <= KERNELS_EPILOGUE_GELU_TANH; e++) {
        float *y = copy_of_y(p);
        table->linear_bf16(&p->matrix, (enum kernels_epilogue)e, x, stride, p->rows, y,
                           p->y_stride);
        expect_product(table, p, (enum kernels_epilogue)e, y);
        free(y);
    }
    free(x);
}

static void check_brains(const struct kernels *table)
{
    if (table->linear_bf16) {
        with_each_problem(table, check_brains_problem);
    }
}

static void bfloat16_products_equal_the_formula(void **state)
{
    (void)state;
    with_each_table(check_brains);
}

static void check_rounding_to_brains(const struct kernels *table)
{
    static const struct {
        float from;
        uint16_t to;
    } cases[] = {{0, 0},
                 {1, 0x3F80},
                 {-2.5f, 0xC020},
                 {1 + 0x1p-8f, 0x3F80},            /* a tie, to even */
                 {1 + 0x1p-7f + 0x1p-8f, 0x3F82},  /* the other tie */
                 {1 + 0x1p-8f + 0x1p-20f, 0x3F81}, /* just above it */
                 {INFINITY, 0x7F80},
                 {-0.0f, 0x8000}};
    enum { COUNT = sizeof cases / sizeof cases[0] };
    float x[COUNT];
    uint16_t got[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = cases[i].from;
    }
    if (table->round_bf16) {
        table->round_bf16(x, COUNT, 1, COUNT, got, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(got[i], cases[i].to);
        }
    }
}

static void rounding_to_bfloat16_goes_to_the_nearest(void **state)
{
    (void)state;
    with_each_table(check_rounding_to_brains);
}

/* ---- company ---- */

static void check_row_independence(const struct kernels *table)
{
    struct rand rand;
    rand_seed(&rand, 2);
    struct problem p;
    enum { ROWS = 25, INPUTS = 77, OUTPUTS = 113 };
    problem_make(&p, &rand, ROWS, INPUTS, OUTPUTS);
    for (int e = KERNELS_EPILOGUE_SET; e <= KERNELS_EPILOGUE_GELU_TANH; e++) {
        float alone[ROWS][OUTPUTS];
        for (size_t row = 0; row < ROWS; row++) {
            memcpy(alone[row], p.y + row * p.y_stride, sizeof alone[row]);
            table->linear(&p.matrix, (enum kernels_epilogue)e, p.x + row * p.x_stride, p.x_stride,
                          1, alone[row], OUTPUTS);
        }
        for (size_t first = 0; first < ROWS; first++) {
            for (size_t rows = 1; first + rows <= ROWS; rows++) {
                float *y = floats(ROWS * p.y_stride);
                memcpy(y, p.y, ROWS * p.y_stride * sizeof *y);
                table->linear(&p.matrix, (enum kernels_epilogue)e, p.x + first * p.x_stride,
                              p.x_stride, rows, y + first * p.y_stride, p.y_stride);
                for (size_t row = first; row < first + rows; row++) {
                    assert_memory_equal(y + row * p.y_stride, alone[row], sizeof alone[row]);
                }
                free(y);
            }
        }
    }
    problem_free(&p);
}

static void a_row_has_the_same_bits_in_any_company(void **state)
{
    (void)state;
    with_each_table(check_row_independence);
}

/* ---- elementwise ---- */

static void check_gelu(const struct kernels *table)
{
    enum { STEPS = 200001 };
    float *x = floats(STEPS);
    float *y = floats(STEPS);
    for (int i = 0; i < STEPS; i++) {
        x[i] = (float)(i - STEPS / 2) * 2e-4f; /* -20 to 20 */
    }
    memcpy(y, x, STEPS * sizeof *x);
    table->gelu(y, STEPS);
    for (int i = 0; i < STEPS; i++) {
        assert_close(table->name, "gelu", y[i], exact_gelu(x[i]), 1.2e-7 * fmax(1, fabs(x[i])));
    }
    memcpy(y, x, STEPS * sizeof *x);
    table->gelu_tanh(y, STEPS);
    for (int i = 0; i < STEPS; i++) {
        assert_close(table->name, "gelu_tanh", y[i], exact_gelu_tanh(x[i]),
                     1.2e-7 * fmax(1, fabs(x[i])));
    }
    free(x);
    free(y);
}

static void gelu_is_the_exact_one_and_tanh_the_tanh_one(void **state)
{
    (void)state;
    assert_true(fabs(exact_gelu(2.7) - exact_gelu_tanh(2.7)) > 1e-4); /* they can be told apart */
    with_each_table(check_gelu);
}

static void check_gelu_extremes(const struct kernels *table)
{
    void (*const functions[])(float *, size_t) = {table->gelu, table->gelu_tanh};
    for (size_t f = 0; f < 2; f++) {
        float x[] = {0, -0.0f, 1e30f, -1e12f, INFINITY, NAN, 1e-30f, -100};
        functions[f](x, sizeof x / sizeof x[0]);
        assert_true(x[0] == 0 && x[1] == 0);
        assert_true(x[2] == 1e30f);
        assert_true(fabsf(x[3]) < 1e-30f);
        assert_true(isinf(x[4]) && x[4] > 0);
        assert_true(isnan(x[5]));
        assert_close(table->name, "gelu", x[6], 0.5e-30, 1e-36);
        assert_true(fabsf(x[7]) < 1e-30f);
    }
}

static void gelu_survives_extremes(void **state)
{
    (void)state;
    with_each_table(check_gelu_extremes);
}

static void check_softmax(const struct kernels *table)
{
    struct rand rand;
    rand_seed(&rand, 3);
    static const double spreads[] = {0, 1, 20, 300};
    for (size_t count = 1; count <= 67; count++) {
        for (size_t s = 0; s < sizeof spreads / sizeof spreads[0]; s++) {
            float *x = random_floats(&rand, count, spreads[s]);
            float *y = floats(count);
            memcpy(y, x, count * sizeof *x);
            table->softmax(y, count);
            double max = -INFINITY;
            double sum = 0;
            for (size_t i = 0; i < count; i++) {
                max = fmax(max, x[i]);
            }
            for (size_t i = 0; i < count; i++) {
                sum += exp(x[i] - max);
            }
            for (size_t i = 0; i < count; i++) {
                assert_close(table->name, "softmax", y[i], exp(x[i] - max) / sum, 5e-7);
            }
            free(x);
            free(y);
        }
    }
}

static void softmax_equals_the_formula(void **state)
{
    (void)state;
    with_each_table(check_softmax);
}

static void check_layer_norm(const struct kernels *table)
{
    struct rand rand;
    rand_seed(&rand, 4);
    for (size_t width = 1; width <= 70; width++) {
        size_t stride = width + 2;
        float *x = random_floats(&rand, 3 * stride, 30);
        float *gamma = random_floats(&rand, width, 2);
        float *beta = random_floats(&rand, width, 2);
        float *y = floats(3 * stride);
        memcpy(y, x, 3 * stride * sizeof *x);
        table->layer_norm(y, stride, 3, width, gamma, beta, 1e-5f);
        for (size_t row = 0; row < 3; row++) {
            const float *in = x + row * stride;
            double mean = 0;
            double variance = 0;
            for (size_t i = 0; i < width; i++) {
                mean += in[i] / (double)width;
            }
            for (size_t i = 0; i < width; i++) {
                variance += (in[i] - mean) * (in[i] - mean) / (double)width;
            }
            for (size_t i = 0; i < width; i++) {
                double expected = (in[i] - mean) / sqrt(variance + 1e-5) * gamma[i] + beta[i];
                assert_close(table->name, "layer_norm", y[row * stride + i], expected,
                             2e-6 * fmax(1, fabs(expected)));
            }
            assert_memory_equal(y + row * stride + width, in + width, 2 * sizeof *y);
        }
        free(x);
        free(gamma);
        free(beta);
        free(y);
    }
}

static void layer_norm_equals_the_formula(void **state)
{
    (void)state;
    with_each_table(check_layer_norm);
}

/* ---- attention ---- */

static void expect_attention(const struct kernels *table, const struct kernels_attention *a)
{
    double *weights = calloc(a->keys, sizeof *weights);
    for (size_t query = 0; query < a->queries; query++) {
        double max = -INFINITY;
        double sum = 0;
        for (size_t key = 0; key < a->keys; key++) {
            weights[key] = 0;
            for (size_t i = 0; i < a->width; i++) {
                weights[key] +=
                    (double)a->q[query * a->q_stride + i] * (double)a->k[key * a->kv_stride + i];
            }
            weights[key] *= (double)a->scale;
            max = fmax(max, weights[key]);
        }
        for (size_t key = 0; key < a->keys; key++) {
            weights[key] = exp(weights[key] - max);
            sum += weights[key];
        }
        for (size_t i = 0; i < a->width; i++) {
            double expected = 0;
            for (size_t key = 0; key < a->keys; key++) {
                expected += weights[key] / sum * (double)a->v[key * a->kv_stride + i];
            }
            assert_close(table->name, "attention", a->out[query * a->out_stride + i], expected,
                         2e-6);
        }
    }
    free(weights);
}

static void check_attention(const struct kernels *table)
{
    static const size_t widths[] = {1, 12, 16, 32, 33, 64};
    static const size_t lengths[] = {1, 2, 3, 5, 6, 7, 8, 13, 15, 16, 17, 21, 33, 100};
    struct rand rand;
    rand_seed(&rand, 5);
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
            size_t width = widths[w];
            size_t keys = lengths[l];
            size_t q_stride = width + 1;
            size_t kv_stride = 2 * width + 3;
            float *q = random_floats(&rand, keys * q_stride, 1);
            float *kv = random_floats(&rand, keys * kv_stride, 1);
            float *out = floats(keys * q_stride);
            float *scratch = floats(kernels_attention_floats(keys, width));
            struct kernels_attention a = {.q = q,
                                          .q_stride = q_stride,
                                          .k = kv,
                                          .v = kv + width,
                                          .kv_stride = kv_stride,
                                          .queries = keys,
                                          .keys = keys,
                                          .width = width,
                                          .scale = 0.75f,
                                          .out = out,
                                          .out_stride = q_stride,
                                          .scratch = scratch};
            kernels_ref.attention(&a);
            float *expected = floats(keys * q_stride);
            memcpy(expected, out, keys * q_stride * sizeof *out);
            table->attention(&a);
            expect_attention(table, &a);
            assert_memory_equal(out, expected, keys * q_stride * sizeof *out);
            free(expected);
            float first[64];
            memcpy(first, out, width * sizeof *out);
            a.queries = 1; /* as the last layer asks: the same bits as among all queries */
            table->attention(&a);
            assert_memory_equal(first, out, width * sizeof *out);
            free(q);
            free(kv);
            free(out);
            free(scratch);
        }
    }
}

static void attention_equals_the_formula(void **state)
{
    (void)state;
    with_each_table(check_attention);
}

/* ---- one table and another ---- */

static void check_same_bits(const struct kernels *table)
{
    enum { COUNT_MAX = 70 };
    struct rand rand;
    rand_seed(&rand, 9);
    float *gamma = random_floats(&rand, COUNT_MAX, 2);
    float *beta = random_floats(&rand, COUNT_MAX, 2);
    for (size_t count = 1; count <= COUNT_MAX; count++) {
        float *x = random_floats(&rand, count, 5);
        float y[2][COUNT_MAX];
        for (int what = 0; what < 4; what++) {
            for (int which = 0; which < 2; which++) {
                const struct kernels *k = which ? table : &kernels_ref;
                memcpy(y[which], x, count * sizeof *x);
                if (what == 0) {
                    k->softmax(y[which], count);
                } else if (what == 1) {
                    k->gelu(y[which], count);
                } else if (what == 2) {
                    k->gelu_tanh(y[which], count);
                } else {
                    k->layer_norm(y[which], count, 1, count, gamma, beta, 1e-5f);
                }
            }
            if (memcmp(y[0], y[1], count * sizeof *x) != 0) {
                fail_msg("%s differs from ref in function %d on %zu numbers", table->name, what,
                         count);
            }
        }
        free(x);
    }
    free(gamma);
    free(beta);
}

static void everything_but_float_products_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    with_each_table(check_same_bits);
}

/* ---- choosing ---- */

static void a_table_is_chosen_by_flags_and_by_name(void **state)
{
    (void)state;
    const struct kernels *table = NULL;
    struct error err = {0};
    assert_ptr_equal(kernels_select(0), &kernels_ref);
    assert_int_equal(kernels_find(NULL, 0, &table, &err), 0);
    assert_ptr_equal(table, &kernels_ref);
    assert_int_equal(kernels_find("ref", UINT32_MAX, &table, &err), 0);
    assert_ptr_equal(table, &kernels_ref);
    assert_int_equal(kernels_find("sse9", 0, &table, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "\"sse9\""));
    assert_non_null(strstr(err.message, "runs: ref"));
#if defined(__x86_64__)
    assert_ptr_equal(kernels_select(CPU_FLAG_X86_AVX2), &kernels_x86_avx2);
    assert_int_equal(kernels_find("avx2", 0, &table, &err), ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "CPU lacks"));
    unsigned flags = CPU_FLAG_X86_AVX2 | CPU_FLAG_X86_AVX512;
    assert_ptr_equal(kernels_select(flags), &kernels_x86_avx512);
    flags |= CPU_FLAG_X86_AVX512VNNI;
    assert_ptr_equal(kernels_select(flags), &kernels_x86_avx512vnni);
    flags |= CPU_FLAG_X86_AVX512BF16;
    assert_ptr_equal(kernels_select(flags), &kernels_x86_avx512bf16);
    assert_int_equal(kernels_find("avx512", flags, &table, &err), 0);
    assert_ptr_equal(table, &kernels_x86_avx512);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_equals_the_formula_on_every_tail),
        cmocka_unit_test(weights_kept_as_halves_change_no_bit),
        cmocka_unit_test(integer_products_are_exact_on_every_tail),
        cmocka_unit_test(nothing_saturates_at_the_extremes),
        cmocka_unit_test(no_pair_of_packed_weights_can_overflow_16_bits),
        cmocka_unit_test(known_outliers_do_not_coarsen_the_rest),
        cmocka_unit_test(rows_become_the_same_bytes_everywhere),
        cmocka_unit_test(bfloat16_products_equal_the_formula),
        cmocka_unit_test(rounding_to_bfloat16_goes_to_the_nearest),
        cmocka_unit_test(a_row_has_the_same_bits_in_any_company),
        cmocka_unit_test(gelu_is_the_exact_one_and_tanh_the_tanh_one),
        cmocka_unit_test(gelu_survives_extremes),
        cmocka_unit_test(softmax_equals_the_formula),
        cmocka_unit_test(layer_norm_equals_the_formula),
        cmocka_unit_test(attention_equals_the_formula),
        cmocka_unit_test(everything_but_float_products_has_the_same_bits_everywhere),
        cmocka_unit_test(a_table_is_chosen_by_flags_and_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
