/* activation.c - see activation.h. The two GELUs, which nearly all checkpoints use, are fused into
 * the products by the kernels. The rest run here, in plain C: right, and fast enough for what is
 * seldom met. */
#include "nlp/activation.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    enum checkpoint_activation activation;
} names[] = {
    {"gelu", CHECKPOINT_ACTIVATION_GELU},
    {"gelu_python", CHECKPOINT_ACTIVATION_GELU},
    {"gelu_new", CHECKPOINT_ACTIVATION_GELU_TANH},
    {"gelu_pytorch_tanh", CHECKPOINT_ACTIVATION_GELU_TANH},
    {"gelu_fast", CHECKPOINT_ACTIVATION_GELU_TANH},
    {"gelu_accurate", CHECKPOINT_ACTIVATION_GELU_TANH},
    {"quick_gelu", CHECKPOINT_ACTIVATION_QUICK_GELU},
    {"relu", CHECKPOINT_ACTIVATION_RELU},
    {"silu", CHECKPOINT_ACTIVATION_SILU},
    {"swish", CHECKPOINT_ACTIVATION_SILU},
    {"mish", CHECKPOINT_ACTIVATION_MISH},
    {"tanh", CHECKPOINT_ACTIVATION_TANH},
};

bool activation_find(const char *name, enum checkpoint_activation *activation)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, name) == 0) {
            *activation = names[i].activation;
            return true;
        }
    }
    return false;
}

const char *activation_name(enum checkpoint_activation activation)
{
    size_t i = 0;
    while (names[i].activation != activation) {
        i++;
    }
    return names[i].name;
}

enum kernels_epilogue activation_epilogue(enum checkpoint_activation activation)
{
    switch (activation) {
    case CHECKPOINT_ACTIVATION_GELU:
        return KERNELS_EPILOGUE_GELU;
    case CHECKPOINT_ACTIVATION_GELU_TANH:
        return KERNELS_EPILOGUE_GELU_TANH;
    default:
        return KERNELS_EPILOGUE_SET;
    }
}

static void apply_silu(float *x, size_t count, float slope)
{
    for (size_t i = 0; i < count; i++) {
        x[i] = x[i] / (1.0f + expf(-slope * x[i]));
    }
}

/* Above 20, log(1 + e^x) is x to float precision, and its tanh 1. */
static float mish_of(float x)
{
    return x * tanhf(x > 20.0f ? x : log1pf(expf(x)));
}

void activation_apply(enum checkpoint_activation activation, float *x, size_t count)
{
    switch (activation) {
    case CHECKPOINT_ACTIVATION_GELU:
    case CHECKPOINT_ACTIVATION_GELU_TANH:
        break;
    case CHECKPOINT_ACTIVATION_QUICK_GELU:
        apply_silu(x, count, 1.702f);
        break;
    case CHECKPOINT_ACTIVATION_RELU:
        for (size_t i = 0; i < count; i++) {
            x[i] = x[i] < 0 ? 0 : x[i]; /* not-a-number stays */
        }
        break;
    case CHECKPOINT_ACTIVATION_SILU:
        apply_silu(x, count, 1.0f);
        break;
    case CHECKPOINT_ACTIVATION_MISH:
        for (size_t i = 0; i < count; i++) {
            x[i] = mish_of(x[i]);
        }
        break;
    case CHECKPOINT_ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++) {
            x[i] = tanhf(x[i]);
        }
        break;
    }
}
