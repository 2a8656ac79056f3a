/* outliers.c - see outliers.h. A column is expected to reach bias + 3 gain, since what a LayerNorm
 * scales has variance one; it is an outlier from one and a half times the median of all columns,
 * and is held as often as it takes to bring each copy below that. When that would lengthen rows
 * by more than an eighth, the bar is raised. */
#include "nlp/outliers.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { EXTRA_PART = 8 };

static const float REACH = 3.0f;
static const float FIRST_BAR = 1.5f; /* times the median */
static const float RAISE = 1.25f;

size_t outliers_extra_max(size_t width)
{
    return width / EXTRA_PART;
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left;
    float b = *(const float *)right;
    return a < b ? -1 : a > b;
}

static float expected(const float *gain, const float *bias, size_t column)
{
    return REACH * fabsf(gain[column]) + fabsf(bias[column]);
}

static float median_of(const float *gain, const float *bias, size_t width, float *scratch)
{
    for (size_t i = 0; i < width; i++) {
        scratch[i] = expected(gain, bias, i);
    }
    qsort(scratch, width, sizeof *scratch, compare_floats);
    return scratch[width / 2];
}

/* False when that bar makes more outliers than fit. */
static bool take_above(struct outliers *outliers, const float *gain, const float *bias,
                       size_t width, float bar)
{
    size_t extra = 0;
    size_t count = 0;
    for (size_t i = 0; i < width; i++) {
        float times = expected(gain, bias, i) / bar;
        if (times <= 1) {
            continue;
        }
        if (count == OUTLIERS_MAX || times > (float)width) {
            return false;
        }
        outliers->columns[count] = (uint32_t)i;
        outliers->copies[count] = (uint32_t)ceilf(times);
        extra += outliers->copies[count] - 1;
        count++;
    }
    outliers->view.count = count;
    return extra <= outliers_extra_max(width);
}

void outliers_find(struct outliers *outliers, const float *gain, const float *bias, size_t width,
                   float *shrink, float *scratch)
{
    float bar = FIRST_BAR * median_of(gain, bias, width, scratch);
    outliers->view = (struct kernels_outliers){
        .columns = outliers->columns, .copies = outliers->copies, .shrink = shrink};
    if (bar > 0x1p-100f) {
        while (!take_above(outliers, gain, bias, width, bar)) {
            bar *= RAISE;
        }
    }
    for (size_t i = 0; i < width; i++) {
        shrink[i] = 1;
    }
    for (size_t i = 0; i < outliers->view.count; i++) {
        shrink[outliers->columns[i]] = 1.0f / (float)outliers->copies[i];
    }
}
