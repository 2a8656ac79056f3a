/* nlp/kernels/gelu.h - what both GELUs are made of, for all tables; for kernels/ only.
 *
 * gelu(x) = max(x, 0) - m tail(m) with m = |x|, which loses nothing to cancellation where x is
 * negative. tail(m) falls smoothly from 1/2 to nothing, so eight polynomials do, chosen by the
 * nearest integer n to m * GELU_SCALE: no exponential, no division, and a table that a vector's
 * permutation holds. The pieces are within 5e-8 of m tail(m), half of what a float keeps at 1. */
#ifndef NLP_KERNELS_GELU_H
#define NLP_KERNELS_GELU_H

#include <stdalign.h>

enum { GELU_PIECES = 8, GELU_TERMS = 7 };

/* Coefficients by term, lowest first, of powers of m * GELU_SCALE - n; of piece 7 all zero. */
struct gelu_tail {
    alignas(32) float terms[GELU_TERMS][GELU_PIECES];
};

#define GELU_SCALE (8.0f / 7.0f)
#define GELU_MOST  6.125f /* m goes no further: the middle of piece 7 */

/* Added to a number of 0 to 7, this leaves the nearest integer as the lowest bits; subtracted
 * again, as a float. */
#define GELU_ROUND 12582912.0f

extern const struct gelu_tail gelu_tail_exact; /* by erf */
extern const struct gelu_tail gelu_tail_tanh;  /* by tanh */

#endif
