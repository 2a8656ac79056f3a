/* nlp/activation.h - the activation functions a config.json may name. */
#ifndef NLP_ACTIVATION_H
#define NLP_ACTIVATION_H

#include "nlp/checkpoint.h"
#include "nlp/kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

#define ACTIVATION_NAMES \
    "gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, relu, silu, mish and tanh"

/* The activation of that name in transformers' activations.py; false if there is none here. */
bool activation_find(const char *name, enum checkpoint_activation *activation);

/* The name most files use. */
const char *activation_name(enum checkpoint_activation activation);

/* What a product's epilogue can do about it; SET where the rest is left to activation_apply. */
enum kernels_epilogue activation_epilogue(enum checkpoint_activation activation);

/* In place, for those without an epilogue; does nothing for the others. */
void activation_apply(enum checkpoint_activation activation, float *x, size_t count);

#endif
