/* peak_chains.h - twelve chains of one instruction in registers, for the *_peak.c files: two units
 * of latency four or five need eight to ten in flight. Variables, not an array, because compilers
 * keep arrays that assembly touches in memory. */
#ifndef NLP_KERNELS_PEAK_CHAINS_H
#define NLP_KERNELS_PEAK_CHAINS_H

enum { PEAK_CHAINS = 12 };

#define PEAK_TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#endif
