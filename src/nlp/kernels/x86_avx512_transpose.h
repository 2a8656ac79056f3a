/* x86_avx512_transpose.h - a square of sixteen by sixteen floats, turned over in registers. For the
 * x86_avx512*.c files only. */
#ifndef NLP_KERNELS_X86_AVX512_TRANSPOSE_H
#define NLP_KERNELS_X86_AVX512_TRANSPOSE_H

#include <immintrin.h>
#include <stddef.h>

/* Turns over the squares of four by four: column c of square l goes to lane l of row c. */
static inline __attribute__((always_inline)) void avx512_turn_squares(__m512 *rows)
{
    __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[0], rows[1]));
    __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[0], rows[1]));
    __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[2], rows[3]));
    __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[2], rows[3]));
    rows[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
    rows[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
    rows[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
    rows[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
}

/* Then the squares change places: lane l of rows[4 s + c] becomes lane s of rows[4 l + c]. */
static inline __attribute__((always_inline)) void avx512_move_squares(__m512 *rows, size_t c)
{
    enum { EVEN = 0x88, ODD = 0xDD }; /* lanes 0 and 2, or 1 and 3, of both operands */
    __m512 even01 = _mm512_shuffle_f32x4(rows[c], rows[4 + c], EVEN);
    __m512 odd01 = _mm512_shuffle_f32x4(rows[c], rows[4 + c], ODD);
    __m512 even23 = _mm512_shuffle_f32x4(rows[8 + c], rows[12 + c], EVEN);
    __m512 odd23 = _mm512_shuffle_f32x4(rows[8 + c], rows[12 + c], ODD);
    rows[c] = _mm512_shuffle_f32x4(even01, even23, EVEN);
    rows[4 + c] = _mm512_shuffle_f32x4(odd01, odd23, EVEN);
    rows[8 + c] = _mm512_shuffle_f32x4(even01, even23, ODD);
    rows[12 + c] = _mm512_shuffle_f32x4(odd01, odd23, ODD);
}

/* rows[i][j] becomes rows[j][i]. */
static inline __attribute__((always_inline)) void avx512_transpose(__m512 rows[16])
{
#pragma GCC unroll 4
    for (size_t four = 0; four < 4; four++) {
        avx512_turn_squares(rows + 4 * four);
    }
#pragma GCC unroll 4
    for (size_t column = 0; column < 4; column++) {
        avx512_move_squares(rows, column);
    }
}

#endif
