/* eval/confusion.h - how often each class was taken for which, and what is made of that. Pure. */
#ifndef EVAL_CONFUSION_H
#define EVAL_CONFUSION_H

#include <stdint.h>

/* Negative, neutral, positive: in order, for the weights of kappa. */
enum { CONFUSION_CLASSES = 3 };

struct confusion {
    uint64_t counts[CONFUSION_CLASSES][CONFUSION_CLASSES]; /* [what it is][what it was taken for] */
};

void confusion_merge(struct confusion *into, const struct confusion *from);
uint64_t confusion_total(const struct confusion *confusion);

/* These are NaN where nothing was counted. */
double confusion_accuracy(const struct confusion *confusion);

/* Mean of F1 over the classes that occur at least support_min times; how many those are goes to
 * *classes unless it is NULL. A class never named although it occurs has F1 0. */
double confusion_macro_f1(const struct confusion *confusion, uint64_t support_min,
                          unsigned *classes);

/* Cohen's kappa with quadratic weights (Cohen, Psychological Bulletin 70, 1968): 1 for full
 * agreement, 0 for chance; NaN also where one class alone occurs and was named. */
double confusion_kappa(const struct confusion *confusion);

#endif
