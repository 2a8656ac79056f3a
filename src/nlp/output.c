/* output.c - see output.h. */
#include "nlp/output.h"

#include <math.h>

void output_probabilities(const struct checkpoint_config *config, const struct kernels *kernels,
                          const float *logits, float *probabilities)
{
    bool is_raw = config->output == CHECKPOINT_OUTPUT_RAW;
    for (size_t i = 0; i < config->label_count; i++) {
        probabilities[i] = is_raw ? logits[i] : logits[i] / config->extra.temperature;
        if (config->output == CHECKPOINT_OUTPUT_SIGMOID) {
            probabilities[i] = 1.0f / (1.0f + expf(-probabilities[i]));
        }
    }
    if (config->output == CHECKPOINT_OUTPUT_SOFTMAX) {
        kernels->softmax(probabilities, config->label_count);
    }
}

static double between(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

double output_score(const struct checkpoint_config *config, const float *probabilities)
{
    if (config->output == CHECKPOINT_OUTPUT_RAW) {
        double low = (double)config->extra.range[0];
        double high = (double)config->extra.range[1];
        return between(((double)probabilities[0] - low) / (high - low), 0, 1);
    }
    double sum = 0;
    double weights = 0;
    for (size_t i = 0; i < config->label_count; i++) {
        sum += (double)probabilities[i] * config->labels[i].polarity;
        weights += (double)probabilities[i];
    }
    if (config->output == CHECKPOINT_OUTPUT_SIGMOID) {
        if (config->label_count == 1) {
            double for_it = (double)probabilities[0];
            double polarity = config->labels[0].polarity;
            sum = for_it * polarity + (1 - for_it) * (1 - polarity);
        } else {
            /* Each label was asked about on its own: they need not add up to one. */
            sum = weights > 0 ? sum / weights : 0.5;
        }
    }
    return between(sum, 0, 1); /* rounding may carry a sum past one by a last bit */
}
