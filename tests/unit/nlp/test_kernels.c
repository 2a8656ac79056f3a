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
    p->memory = floats(kernels_matrix_floats(outputs, inputs));
    kernels_matrix_init(&p->matrix, outputs, inputs, p->memory);
    size_t half = outputs / 2; /* in two parts, as queries, keys and values are */
    kernels_matrix_set_rows(&p->matrix, 0, half, p->weights, p->bias, 0.5f);
    kernels_matrix_set_rows(&p->matrix, half, outputs - half, p->weights + half * inputs,
                            p->bias + half, 1);
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
            double scale = o < p->outputs / 2 ? 0.5 : 1;
            double sum = p->bias[o] * scale;
            double size = fabs(sum);
            for (size_t i = 0; i < p->inputs; i++) {
                double term = (double)p->x[row * p->x_stride + i] * p->weights[o * p->inputs + i];
                sum += term * scale;
                size += fabs(term * scale);
            }
            double tolerance = sqrt((double)p->inputs) * 0x1p-23 * (size + fabs(was)) + 1e-12;
            double expected = sum;
            if (epilogue == KERNELS_EPILOGUE_ADD) {
                expected += was;
            } else if (epilogue == KERNELS_EPILOGUE_GELU) {
                expected = exact_gelu(sum);
                tolerance = 1.2 * tolerance + 3e-7 * fmax(1, fabs(sum));
            } else if (epilogue == KERNELS_EPILOGUE_GELU_TANH) {
                expected = exact_gelu_tanh(sum);
                tolerance = 1.2 * tolerance + 3e-7 * fmax(1, fabs(sum));
            }
            assert_close(table->name, "linear", got, expected, tolerance);
        }
    }
}

static void check_linear(const struct kernels *table)
{
    static const size_t sizes[][2] = {/* inputs, outputs */
                                      {1, 1},   {3, 2},   {7, 15}, {16, 16}, {48, 17}, {65, 33},
                                      {33, 48}, {12, 95}, {5, 96}, {9, 97},  {31, 100}};
    struct rand rand;
    rand_seed(&rand, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t rows = 0; rows <= 20; rows++) {
            struct problem p;
            problem_make(&p, &rand, rows, sizes[s][0], sizes[s][1]);
            for (int e = KERNELS_EPILOGUE_SET; e <= KERNELS_EPILOGUE_GELU_TANH; e++) {
                float *y = floats(rows * p.y_stride);
                memcpy(y, p.y, rows * p.y_stride * sizeof *y);
                table->linear(&p.matrix, (enum kernels_epilogue)e, p.x, p.x_stride, rows, y,
                              p.y_stride);
                expect_product(table, &p, (enum kernels_epilogue)e, y);
                free(y);
            }
            problem_free(&p);
        }
    }
}

static void linear_equals_the_formula_on_every_tail(void **state)
{
    (void)state;
    with_each_table(check_linear);
}

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
        assert_close(table->name, "gelu", y[i], exact_gelu(x[i]), 3e-7 * fmax(1, fabs(x[i])));
    }
    memcpy(y, x, STEPS * sizeof *x);
    table->gelu_tanh(y, STEPS);
    for (int i = 0; i < STEPS; i++) {
        assert_close(table->name, "gelu_tanh", y[i], exact_gelu_tanh(x[i]),
                     3e-7 * fmax(1, fabs(x[i])));
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
                                          .out = out,
                                          .out_stride = q_stride,
                                          .scratch = scratch};
            table->attention(&a);
            expect_attention(table, &a);
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
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_equals_the_formula_on_every_tail),
        cmocka_unit_test(a_row_has_the_same_bits_in_any_company),
        cmocka_unit_test(gelu_is_the_exact_one_and_tanh_the_tanh_one),
        cmocka_unit_test(gelu_survives_extremes),
        cmocka_unit_test(softmax_equals_the_formula),
        cmocka_unit_test(layer_norm_equals_the_formula),
        cmocka_unit_test(attention_equals_the_formula),
        cmocka_unit_test(a_table_is_chosen_by_flags_and_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
