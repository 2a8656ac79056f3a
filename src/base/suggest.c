/* suggest.c - see suggest.h. Optimal string alignment distance over three rolling rows: swapping
 * neighbours is the commonest slip of a keyboard, so it counts as one edit. */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(const char *left, const char *right)
{
    size_t rows[3][SUGGEST_WORD_BYTES_MAX + 1];
    size_t left_bytes = strlen(left);
    size_t right_bytes = strlen(right);
    if (left_bytes > SUGGEST_WORD_BYTES_MAX || right_bytes > SUGGEST_WORD_BYTES_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= right_bytes; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= left_bytes; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i - 1) % 3];
        const size_t *before_that = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= right_bytes; j++) {
            size_t same = left[i - 1] == right[j - 1] ? 0 : 1;
            now[j] = smaller(smaller(before[j], now[j - 1]) + 1, before[j - 1] + same);
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                now[j] = smaller(now[j], before_that[j - 2] + 1);
            }
        }
    }
    return rows[left_bytes % 3][right_bytes];
}

void suggest_offer(struct suggest *best, const char *typed, const char *known)
{
    size_t bytes = strlen(typed);
    size_t limit = bytes / 3 > 2 ? bytes / 3 : 2;
    size_t distance = suggest_distance(typed, known);
    if (distance <= limit && distance < bytes && (!best->word || distance < best->distance)) {
        *best = (struct suggest){known, distance};
    }
}
