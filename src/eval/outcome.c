/* outcome.c - see outcome.h. */
#include "eval/outcome.h"

#include <math.h>
#include <stdlib.h>

struct selection {
    const struct outcome *outcomes;
    const size_t *chosen;
    size_t count;
};

static const struct outcome *pick(const struct selection *of, size_t i)
{
    return &of->outcomes[of->chosen ? of->chosen[i] : i];
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    if (count == 0) {
        return NAN;
    }
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double erde_cost(const struct outcome *outcome, double wanted_share)
{
    if (!outcome->told) {
        return outcome->wanted ? 1 : 0;
    }
    double heard = outcome->turn + 1.0;
    return outcome->wanted ? 1 - 1 / (1 + exp(heard - OUTCOME_ERDE_TURNS)) : wanted_share;
}

static void measure_calls(const struct selection *of, struct outcome_measures *out)
{
    uint64_t alerts = 0;
    uint64_t wrong = 0;
    int64_t length_ms = 0;
    for (size_t i = 0; i < of->count; i++) {
        const struct outcome *outcome = pick(of, i);
        out->wanted += outcome->wanted;
        out->told_right += outcome->told && outcome->wanted;
        out->told_wrong += outcome->told && !outcome->wanted;
        alerts += outcome->alerts;
        wrong += outcome->wanted ? 0 : outcome->alerts;
        length_ms += outcome->length_ms;
    }
    const double hour_ms = 3600000;
    out->calls = of->count;
    out->precision = share(out->told_right, out->told_right + out->told_wrong);
    out->recall = share(out->told_right, out->wanted);
    out->f1 = share(2 * out->told_right, out->told_right + out->told_wrong + out->wanted);
    out->calm_told = share(out->told_wrong, out->calls - out->wanted);
    out->alerts_a_call = share(alerts, out->calls);
    out->wrong_an_hour = length_ms > 0 ? (double)wrong * hour_ms / (double)length_ms : NAN;
}

static void measure_times(const struct selection *of, double *scratch, struct outcome_measures *out)
{
    uint64_t early = 0;
    uint64_t late = 0;
    size_t told = 0;
    double cost = 0;
    for (size_t i = 0; i < of->count; i++) {
        const struct outcome *outcome = pick(of, i);
        cost += erde_cost(outcome, (double)out->wanted / (double)out->calls);
        if (outcome->told && outcome->wanted) {
            early += outcome->turns_off < -1;
            late += outcome->turns_off > 1;
            scratch[told++] = outcome->turns_off;
        }
    }
    out->turns_off = median(scratch, told);
    told = 0;
    for (size_t i = 0; i < of->count; i++) {
        if (pick(of, i)->told && pick(of, i)->wanted) {
            scratch[told++] = (double)pick(of, i)->off_ms / 1000;
        }
    }
    out->seconds_off = median(scratch, told);
    out->early = share(early, told);
    out->late = share(late, told);
    told = 0;
    for (size_t i = 0; i < of->count; i++) {
        if (pick(of, i)->told) {
            scratch[told++] = (double)pick(of, i)->told_ms / 1000;
        }
    }
    out->seconds_to_tell = median(scratch, told);
    out->erde = out->calls ? cost / (double)out->calls : NAN;
}

static void measure_more(const struct selection *of, struct outcome_measures *out)
{
    uint64_t recovered = 0;
    uint64_t wanted = 0;
    uint64_t told = 0;
    uint64_t right = 0;
    for (size_t i = 0; i < of->count; i++) {
        const struct outcome *outcome = pick(of, i);
        bool counts = outcome->wanted && outcome->told && outcome->recovery_wanted;
        out->recoveries += counts;
        recovered += counts && outcome->recovered;
        wanted += outcome->supervisor_wanted;
        told += outcome->supervisor;
        right += outcome->supervisor && outcome->supervisor_wanted;
    }
    out->recovered = share(recovered, out->recoveries);
    out->supervisor_precision = share(right, told);
    out->supervisor_recall = share(right, wanted);
}

void outcome_measure(const struct outcome *outcomes, const size_t *chosen, size_t count,
                     double *scratch, struct outcome_measures *out)
{
    const struct selection of = {outcomes, chosen, count};
    *out = (struct outcome_measures){0};
    measure_calls(&of, out);
    measure_times(&of, scratch, out);
    measure_more(&of, out);
}
