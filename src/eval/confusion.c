/* confusion.c - see confusion.h. */
#include "eval/confusion.h"

#include <math.h>

void confusion_merge(struct confusion *into, const struct confusion *from)
{
    for (int i = 0; i < CONFUSION_CLASSES; i++) {
        for (int j = 0; j < CONFUSION_CLASSES; j++) {
            into->counts[i][j] += from->counts[i][j];
        }
    }
}

static uint64_t count_is(const struct confusion *confusion, int class)
{
    uint64_t sum = 0;
    for (int j = 0; j < CONFUSION_CLASSES; j++) {
        sum += confusion->counts[class][j];
    }
    return sum;
}

static uint64_t count_taken(const struct confusion *confusion, int class)
{
    uint64_t sum = 0;
    for (int i = 0; i < CONFUSION_CLASSES; i++) {
        sum += confusion->counts[i][class];
    }
    return sum;
}

uint64_t confusion_total(const struct confusion *confusion)
{
    uint64_t sum = 0;
    for (int i = 0; i < CONFUSION_CLASSES; i++) {
        sum += count_is(confusion, i);
    }
    return sum;
}

double confusion_accuracy(const struct confusion *confusion)
{
    uint64_t right = 0;
    for (int i = 0; i < CONFUSION_CLASSES; i++) {
        right += confusion->counts[i][i];
    }
    uint64_t total = confusion_total(confusion);
    return total ? (double)right / (double)total : NAN;
}

double confusion_macro_f1(const struct confusion *confusion, uint64_t support_min,
                          unsigned *classes)
{
    double sum = 0;
    unsigned counted = 0;
    for (int i = 0; i < CONFUSION_CLASSES; i++) {
        uint64_t is = count_is(confusion, i);
        if (is == 0 || is < support_min) {
            continue;
        }
        uint64_t both = confusion->counts[i][i];
        sum += 2.0 * (double)both / (double)(is + count_taken(confusion, i));
        counted++;
    }
    if (classes) {
        *classes = counted;
    }
    return counted ? sum / counted : NAN;
}

double confusion_kappa(const struct confusion *confusion)
{
    double total = (double)confusion_total(confusion);
    double observed = 0;
    double expected = 0;
    for (int i = 0; i < CONFUSION_CLASSES; i++) {
        for (int j = 0; j < CONFUSION_CLASSES; j++) {
            double weight = (i - j) * (i - j);
            observed += weight * (double)confusion->counts[i][j];
            expected +=
                weight * (double)count_is(confusion, i) * (double)count_taken(confusion, j) / total;
        }
    }
    return expected > 0 ? 1 - observed / expected : NAN;
}
