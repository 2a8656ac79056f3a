/* x86_avx2.c - the kernels for AVX2 with FMA: every x86 server since about 2015.
 *
 * Everything is one product on register tiles: up to six rows by one panel of sixteen outputs, or
 * fewer rows by several panels, so that about twelve sums are always in flight and the two
 * multiply-add units never wait. Attention is the same product on keys and values packed into
 * panels in cache. Each sum is one chain of multiply-adds over the inputs in order, whatever the
 * tile: that is what keeps a row's bits independent of its neighbours. Vectors never run over a
 * dimension that a chain sums, except in LayerNorm and softmax, whose rows stand alone. */
#include "nlp/kernels/kernels.h"

#if defined(__x86_64__)

#include "nlp/kernels/cpu.h"
#include "nlp/kernels/x86_avx2.h"
#include "nlp/kernels/x86_avx2_math.h"
#include "nlp/kernels/x86_avx2_transpose.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8, SIXTEEN = 16, TILE_ROWS = 6, TILE_SUMS = 12 };

/* What a product of some rows with some panels needs to know. */
struct product {
    const float *x;
    size_t x_stride;
    size_t inputs;
    bool halves;        /* the panels are of halves, not floats */
    const void *panels; /* the first of them */
    const float *bias;  /* of the first panel; NULL for none */
    bool add;           /* to what y holds */
    uintptr_t ahead;    /* what to prefetch meanwhile, a line per panel and input; past the end of
                         * memory a prefetch does nothing */
    size_t ahead_step;  /* in bytes */
    float *y;           /* at the first panel's first column */
    size_t y_stride;
};

/* Bytes of sixteen weights. */
static inline size_t step_bytes(bool halves)
{
    return KERNELS_PANEL * (halves ? sizeof(uint16_t) : sizeof(float));
}

static inline __attribute__((always_inline)) __m256 load_weights(const bool halves,
                                                                 const unsigned char *at)
{
    if (halves) {
        return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)(const void *)at));
    }
    return _mm256_load_ps((const float *)(const void *)at);
}

/* halves, rows and panels are constants at every call, so that the loops over them unroll and the
 * sums live in registers; rows * panels * 2 <= TILE_SUMS. */
static inline __attribute__((always_inline)) void tile(const struct product *p, const bool halves,
                                                       const size_t rows, const size_t panels)
{
    const size_t inputs = p->inputs;
    const size_t vectors = 2 * panels;
    const size_t panel_bytes = inputs * step_bytes(halves);
    __m256 sums[TILE_SUMS];
    const float *x[TILE_ROWS];
    const unsigned char *w = p->panels;
    const size_t ahead_step = p->ahead_step;
    uintptr_t ahead = p->ahead;
#pragma GCC unroll 12
    for (size_t i = 0; i < rows * vectors; i++) {
        sums[i] = _mm256_setzero_ps();
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
        x[r] = p->x + r * p->x_stride;
    }
    for (size_t i = 0; i < inputs; i++, w += step_bytes(halves), ahead += ahead_step) {
        __m256 weights[TILE_SUMS];
#pragma GCC unroll 6
        for (size_t v = 0; v < panels; v++) {
            _mm_prefetch((const char *)(ahead + v * panel_bytes), _MM_HINT_T1);
        }
#pragma GCC unroll 12
        for (size_t v = 0; v < vectors; v++) {
            weights[v] =
                load_weights(halves, w + v / 2 * panel_bytes + v % 2 * step_bytes(halves) / 2);
        }
#pragma GCC unroll 6
        for (size_t r = 0; r < rows; r++) {
            __m256 value = _mm256_broadcast_ss(x[r] + i);
#pragma GCC unroll 12
            for (size_t v = 0; v < vectors; v++) {
                sums[r * vectors + v] = _mm256_fmadd_ps(value, weights[v], sums[r * vectors + v]);
            }
        }
    }
    const float *bias = p->bias;
    const bool add = p->add;
    float *y = p->y;
    const size_t y_stride = p->y_stride;
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++, y += y_stride) {
#pragma GCC unroll 12
        for (size_t v = 0; v < vectors; v++) {
            __m256 sum = sums[r * vectors + v];
            if (bias) {
                sum = _mm256_add_ps(sum, _mm256_load_ps(bias + v * LANES));
            }
            if (add) {
                sum = _mm256_add_ps(_mm256_loadu_ps(y + v * LANES), sum);
            }
            _mm256_storeu_ps(y + v * LANES, sum);
        }
    }
}

/* Up to six rows by one whole panel. */
static inline __attribute__((always_inline)) void tile_rows_of(const struct product *p,
                                                               const bool halves, size_t rows)
{
    switch (rows) {
    case 1:
        tile(p, halves, 1, 1);
        break;
    case 2:
        tile(p, halves, 2, 1);
        break;
    case 3:
        tile(p, halves, 3, 1);
        break;
    case 4:
        tile(p, halves, 4, 1);
        break;
    case 5:
        tile(p, halves, 5, 1);
        break;
    default:
        assert(rows == TILE_ROWS);
        tile(p, halves, 6, 1);
        break;
    }
}

static void tile_rows(const struct product *p, size_t rows)
{
    if (p->halves) {
        tile_rows_of(p, true, rows);
    } else {
        tile_rows_of(p, false, rows);
    }
}

/* One to three rows by six, three or two whole panels. */
static inline __attribute__((always_inline)) void tile_wide_of(const struct product *p,
                                                               const bool halves, size_t rows)
{
    switch (rows) {
    case 1:
        tile(p, halves, 1, 6);
        break;
    case 2:
        tile(p, halves, 2, 3);
        break;
    default:
        assert(rows == 3);
        tile(p, halves, 3, 2);
        break;
    }
}

static void tile_wide(const struct product *p, size_t rows)
{
    if (p->halves) {
        tile_wide_of(p, true, rows);
    } else {
        tile_wide_of(p, false, rows);
    }
}

/* How many rows the next tile takes of those left: six, or four and five where that spares a last
 * tile of one or two rows, which could not keep the units busy. */
static size_t next_rows(size_t left)
{
    switch (left) {
    case 7:
    case 8:
        return 4;
    case 9:
    case 10:
    case 13:
        return 5;
    default:
        return left < TILE_ROWS ? left : TILE_ROWS;
    }
}

/* The last panel's columns when the outputs end inside it: by way of a whole panel on the stack. */
static void tile_partial(const struct product *p, size_t rows, size_t columns)
{
    float whole[TILE_ROWS * KERNELS_PANEL] = {0};
    struct product inner = *p;
    inner.y = whole;
    inner.y_stride = KERNELS_PANEL;
    for (size_t r = 0; r < rows && p->add; r++) {
        memcpy(whole + r * KERNELS_PANEL, p->y + r * p->y_stride, columns * sizeof *whole);
    }
    tile_rows(&inner, rows);
    for (size_t r = 0; r < rows; r++) {
        memcpy(p->y + r * p->y_stride, whole + r * KERNELS_PANEL, columns * sizeof *whole);
    }
}

/* ---- elementwise ---- */

static void apply_gelu(const struct gelu_tail *form, float *x, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        _mm256_storeu_ps(x + i, avx2_gelu(form, _mm256_loadu_ps(x + i)));
    }
    if (i < count) {
        float rest[LANES] = {0};
        memcpy(rest, x + i, (count - i) * sizeof *x);
        _mm256_storeu_ps(rest, avx2_gelu(form, _mm256_loadu_ps(rest)));
        memcpy(x + i, rest, (count - i) * sizeof *x);
    }
}

static void avx2_gelu_all(float *x, size_t count)
{
    apply_gelu(&gelu_tail_exact, x, count);
}

static void avx2_gelu_tanh_all(float *x, size_t count)
{
    apply_gelu(&gelu_tail_tanh, x, count);
}

/* ---- linear ---- */

void x86_avx2_finish(enum kernels_epilogue epilogue, float *y, size_t y_stride, size_t rows,
                     size_t columns)
{
    for (size_t r = 0; r < rows; r++) {
        if (epilogue == KERNELS_EPILOGUE_GELU) {
            avx2_gelu_all(y + r * y_stride, columns);
        } else if (epilogue == KERNELS_EPILOGUE_GELU_TANH) {
            avx2_gelu_tanh_all(y + r * y_stride, columns);
        }
    }
}

/* All rows by the one panel that p stands at, of which columns are outputs. Meanwhile the next
 * panel is fetched, an equal part by each tile: weights come from far away, once per batch. */
static void panel_product(struct product p, enum kernels_epilogue epilogue, size_t rows,
                          size_t columns)
{
    size_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    p.ahead = (uintptr_t)p.panels + p.inputs * step_bytes(p.halves);
    p.ahead_step = step_bytes(p.halves) / tiles;
    for (size_t at = 0, count; at < rows; at += count) {
        count = next_rows(rows - at);
        if (columns == KERNELS_PANEL) {
            tile_rows(&p, count);
        } else {
            tile_partial(&p, count, columns);
        }
        x86_avx2_finish(epilogue, p.y, p.y_stride, count, columns);
        p.ahead += p.inputs * p.ahead_step;
        p.x += count * p.x_stride;
        p.y += count * p.y_stride;
    }
}

static void avx2_linear(const struct kernels_matrix *matrix, enum kernels_epilogue epilogue,
                        const float *x, size_t x_stride, size_t rows, float *y, size_t y_stride)
{
    bool halves = matrix->storage == KERNELS_STORAGE_F16;
    assert(halves || matrix->storage == KERNELS_STORAGE_F32);
    if (rows == 0) {
        return;
    }
    size_t wide = rows <= 3 ? TILE_ROWS / rows * KERNELS_PANEL : SIZE_MAX;
    size_t panel_bytes = matrix->inputs * step_bytes(halves);
    size_t columns;
    for (size_t first = 0; first < matrix->outputs; first += columns) {
        const unsigned char *panels = matrix->panels;
        struct product p = {.x = x,
                            .x_stride = x_stride,
                            .inputs = matrix->inputs,
                            .halves = halves,
                            .panels = panels + first / KERNELS_PANEL * panel_bytes,
                            .bias = matrix->bias + first,
                            .add = epilogue == KERNELS_EPILOGUE_ADD,
                            .y = y + first,
                            .y_stride = y_stride};
        size_t left = matrix->outputs - first;
        if (left >= wide) {
            columns = wide;
            p.ahead = (uintptr_t)p.panels + wide / KERNELS_PANEL * panel_bytes;
            p.ahead_step = step_bytes(halves);
            tile_wide(&p, rows);
            x86_avx2_finish(epilogue, p.y, p.y_stride, rows, columns);
        } else {
            columns = left < KERNELS_PANEL ? left : KERNELS_PANEL;
            panel_product(p, epilogue, rows, columns);
        }
    }
}

/* ---- rows that stand alone ---- */

static inline float sum_lanes(__m256 x)
{
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float max_lanes(__m256 x)
{
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/* Rows are summed as sixteen partial sums, whatever the vectors, and those as a tree: the order of
 * every table, so that all give the same bits. */
struct sixteen {
    __m256 low;
    __m256 high;
};

static inline struct sixteen load_sixteen(const float *x)
{
    return (struct sixteen){_mm256_loadu_ps(x), _mm256_loadu_ps(x + LANES)};
}

static inline float sum_sixteen(struct sixteen sums)
{
    return sum_lanes(_mm256_add_ps(sums.low, sums.high));
}

/* The last count numbers of a row, filled up. */
static void copy_rest(float *rest, const float *x, size_t count, float fill)
{
    for (size_t i = 0; i < SIXTEEN; i++) {
        rest[i] = i < count ? x[i] : fill;
    }
}

static inline void add_squares(struct sixteen *squares, const float *x, __m256 mean)
{
    struct sixteen value = load_sixteen(x);
    __m256 low = _mm256_sub_ps(value.low, mean);
    __m256 high = _mm256_sub_ps(value.high, mean);
    squares->low = _mm256_fmadd_ps(low, low, squares->low);
    squares->high = _mm256_fmadd_ps(high, high, squares->high);
}

static float mean_of_row(const float *x, size_t width)
{
    struct sixteen sums = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    size_t whole = width / SIXTEEN * SIXTEEN;
    float rest[SIXTEEN];
    copy_rest(rest, x + whole, width - whole, 0);
    for (size_t i = 0; i < whole; i += SIXTEEN) {
        struct sixteen value = load_sixteen(x + i);
        sums.low = _mm256_add_ps(sums.low, value.low);
        sums.high = _mm256_add_ps(sums.high, value.high);
    }
    struct sixteen value = load_sixteen(rest);
    sums.low = _mm256_add_ps(sums.low, value.low);
    sums.high = _mm256_add_ps(sums.high, value.high);
    return sum_sixteen(sums) / (float)width;
}

static float variance_of_row(const float *x, size_t width, float mean)
{
    struct sixteen squares = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    __m256 means = _mm256_set1_ps(mean);
    size_t whole = width / SIXTEEN * SIXTEEN;
    float rest[SIXTEEN];
    copy_rest(rest, x + whole, width - whole, mean);
    for (size_t i = 0; i < whole; i += SIXTEEN) {
        add_squares(&squares, x + i, means);
    }
    add_squares(&squares, rest, means);
    return sum_sixteen(squares) / (float)width;
}

static void norm_row(float *x, size_t width, const float *gamma, const float *beta, float epsilon)
{
    float mean = mean_of_row(x, width);
    float scale = 1.0f / sqrtf(variance_of_row(x, width, mean) + epsilon);
    __m256 means = _mm256_set1_ps(mean);
    __m256 scales = _mm256_set1_ps(scale);
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) {
        __m256 off = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(x + i), means), scales);
        off = _mm256_fmadd_ps(off, _mm256_loadu_ps(gamma + i), _mm256_loadu_ps(beta + i));
        _mm256_storeu_ps(x + i, off);
    }
    for (; i < width; i++) {
        x[i] = fmaf((x[i] - mean) * scale, gamma[i], beta[i]);
    }
}

static void avx2_layer_norm(float *x, size_t stride, size_t rows, size_t width, const float *gamma,
                            const float *beta, float epsilon)
{
    for (size_t row = 0; row < rows; row++) {
        norm_row(x + row * stride, width, gamma, beta, epsilon);
    }
}

static float max_of_row(const float *x, size_t count)
{
    __m256 most = _mm256_set1_ps(-INFINITY);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        most = _mm256_max_ps(most, _mm256_loadu_ps(x + i));
    }
    float max = max_lanes(most);
    for (; i < count; i++) {
        max = x[i] > max ? x[i] : max;
    }
    return max;
}

/* exp(scale * (x - max)) in place on sixteen numbers. */
static inline struct sixteen exp_sixteen(float *x, __m256 max, __m256 scale)
{
    struct sixteen value = load_sixteen(x);
    value.low = avx2_exp(_mm256_mul_ps(_mm256_sub_ps(value.low, max), scale));
    value.high = avx2_exp(_mm256_mul_ps(_mm256_sub_ps(value.high, max), scale));
    _mm256_storeu_ps(x, value.low);
    _mm256_storeu_ps(x + LANES, value.high);
    return value;
}

/* softmax(scale * x), for a positive scale */
static inline void soften(float *x, size_t count, float scale)
{
    __m256 max = _mm256_set1_ps(max_of_row(x, count));
    __m256 factor = _mm256_set1_ps(scale);
    struct sixteen sums = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    size_t whole = count / SIXTEEN * SIXTEEN;
    for (size_t i = 0; i < whole; i += SIXTEEN) {
        struct sixteen e = exp_sixteen(x + i, max, factor);
        sums.low = _mm256_add_ps(sums.low, e.low);
        sums.high = _mm256_add_ps(sums.high, e.high);
    }
    if (whole < count) {
        float rest[SIXTEEN];
        copy_rest(rest, x + whole, count - whole, 0);
        (void)exp_sixteen(rest, max, factor);
        copy_rest(rest, rest, count - whole, 0);
        memcpy(x + whole, rest, (count - whole) * sizeof *x);
        struct sixteen e = load_sixteen(rest);
        sums.low = _mm256_add_ps(sums.low, e.low);
        sums.high = _mm256_add_ps(sums.high, e.high);
    }
    float share = 1.0f / sum_sixteen(sums);
    for (size_t i = 0; i < count; i++) {
        x[i] *= share;
    }
}

static void avx2_softmax(float *x, size_t count)
{
    soften(x, count, 1);
}

/* ---- attention ---- */

static size_t round_to_panel(size_t count)
{
    return (count + KERNELS_PANEL - 1) / KERNELS_PANEL * KERNELS_PANEL;
}

static inline __m256 load_first(const float *x, size_t count)
{
    if (count >= LANES) {
        return _mm256_loadu_ps(x);
    }
    float some[LANES] = {0};
    memcpy(some, x, count * sizeof *some);
    return _mm256_loadu_ps(some);
}

/* Keys become the outputs of a product, their elements its inputs. Here half a panel of them; those
 * that only fill it are zero. */
static void pack_half_panel(const float *k, size_t stride, size_t keys, size_t width, float *panel)
{
    for (size_t first = 0; first < width; first += LANES) {
        __m256 square[LANES];
        size_t columns = width - first < LANES ? width - first : LANES;
#pragma GCC unroll 8
        for (size_t key = 0; key < LANES; key++) {
            square[key] =
                key < keys ? load_first(k + key * stride + first, columns) : _mm256_setzero_ps();
        }
        avx2_transpose(square);
#pragma GCC unroll 8
        for (size_t i = 0; i < LANES; i++) {
            if (i < columns) {
                _mm256_store_ps(panel + (first + i) * KERNELS_PANEL, square[i]);
            }
        }
    }
}

static void pack_keys(const struct kernels_attention *a, float *panels)
{
    _Static_assert((int)KERNELS_PANEL == (int)SIXTEEN, "a panel of keys is two squares wide");
    size_t columns = round_to_panel(a->keys);
    for (size_t key = 0; key < columns; key += LANES) {
        size_t left = key < a->keys ? a->keys - key : 0;
        float *panel = panels + key / KERNELS_PANEL * KERNELS_PANEL * a->width;
        pack_half_panel(left > 0 ? a->k + key * a->kv_stride : a->k, a->kv_stride,
                        left < LANES ? left : LANES, a->width, panel + key % KERNELS_PANEL);
    }
}

/* Values are the inputs of a product already; only their rows move together. */
static void pack_values(const struct kernels_attention *a, float *panels)
{
    for (size_t first = 0; first < a->width; first += KERNELS_PANEL) {
        size_t left = a->width - first;
        size_t columns = left < KERNELS_PANEL ? left : KERNELS_PANEL;
        for (size_t key = 0; key < a->keys; key++, panels += KERNELS_PANEL) {
            const float *v = a->v + key * a->kv_stride + first;
            memcpy(panels, v, columns * sizeof *panels);
            memset(panels + columns, 0, (KERNELS_PANEL - columns) * sizeof *panels);
        }
    }
}

static void avx2_attention(const struct kernels_attention *a)
{
    size_t key_columns = round_to_panel(a->keys);
    float *keys = a->scratch;
    float *values = keys + key_columns * a->width;
    float *weights = values + round_to_panel(a->width) * a->keys;
    pack_keys(a, keys);
    pack_values(a, values);
    for (size_t query = 0, rows; query < a->queries; query += rows) {
        rows = next_rows(a->queries - query);
        struct product scores = {.x = a->q + query * a->q_stride,
                                 .x_stride = a->q_stride,
                                 .inputs = a->width,
                                 .y_stride = key_columns};
        for (size_t first = 0; first < a->keys; first += KERNELS_PANEL) {
            scores.panels = keys + first * a->width;
            scores.ahead = (uintptr_t)scores.panels;
            scores.y = weights + first;
            tile_rows(&scores, rows);
        }
        for (size_t row = 0; row < rows; row++) {
            soften(weights + row * key_columns, a->keys, a->scale);
        }
        struct product mean = {.x = weights,
                               .x_stride = key_columns,
                               .inputs = a->keys,
                               .panels = values,
                               .ahead = (uintptr_t)values,
                               .y = a->out + query * a->out_stride,
                               .y_stride = a->out_stride};
        size_t columns = a->width;
        for (; columns >= KERNELS_PANEL; columns -= KERNELS_PANEL) {
            tile_rows(&mean, rows);
            mean.panels = (const float *)mean.panels + a->keys * KERNELS_PANEL;
            mean.y += KERNELS_PANEL;
        }
        if (columns > 0) {
            tile_partial(&mean, rows, columns);
        }
    }
}

const struct kernels kernels_x86_avx2 = {
    .name = "avx2",
    .cpu_flags = CPU_FLAG_X86_AVX2,
    .linear = avx2_linear,
    .quantise = x86_avx2_quantise,
    .linear_s8 = x86_avx2_linear_s8,
    .layer_norm = avx2_layer_norm,
    .softmax = avx2_softmax,
    .gelu = avx2_gelu_all,
    .gelu_tanh = avx2_gelu_tanh_all,
    .attention = avx2_attention,
};

#endif
