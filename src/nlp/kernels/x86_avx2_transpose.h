/* x86_avx2_transpose.h - a square of eight by eight floats, turned over in registers. For the
 * x86_avx2*.c files only. */
#ifndef NLP_KERNELS_X86_AVX2_TRANSPOSE_H
#define NLP_KERNELS_X86_AVX2_TRANSPOSE_H

#include <immintrin.h>
#include <stddef.h>

/* Turns over the squares of four by four: column c of square l goes to lane l of row c. */
static inline __attribute__((always_inline)) void avx2_turn_squares(__m256 *rows)
{
    __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(rows[0], rows[1]));
    __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(rows[0], rows[1]));
    __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(rows[2], rows[3]));
    __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(rows[2], rows[3]));
    rows[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    rows[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    rows[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    rows[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
}

/* rows[i][j] becomes rows[j][i]. */
static inline __attribute__((always_inline)) void avx2_transpose(__m256 rows[8])
{
    enum { LOW = 0x20, HIGH = 0x31 }; /* that lane of both operands */
    avx2_turn_squares(rows);
    avx2_turn_squares(rows + 4);
#pragma GCC unroll 4
    for (size_t column = 0; column < 4; column++) {
        __m256 upper = rows[column];
        __m256 lower = rows[4 + column];
        rows[column] = _mm256_permute2f128_ps(upper, lower, LOW);
        rows[4 + column] = _mm256_permute2f128_ps(upper, lower, HIGH);
    }
}

#endif
