/* sweep.c - see sweep.h. Texts are scored once (score_memo); each value costs only judging. */
#include "commands/sweep.h"

#include "base/json_write.h"
#include "config/wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct point {
    double value;
    struct outcome_measures measures;
};

bool sweep_parse(const char *text, struct sweep *sweep)
{
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : sizeof sweep->key;
    if (size == 0 || size >= sizeof sweep->key) {
        return false;
    }
    memcpy(sweep->key, text, size);
    sweep->key[size] = '\0';
    double *numbers[] = {&sweep->from, &sweep->to, &sweep->step};
    const char *at = equals + 1;
    for (int i = 0; i < 3; i++) {
        char *rest;
        *numbers[i] = strtod(at, &rest);
        if (rest == at || *rest != (i < 2 ? ':' : '\0') || !isfinite(*numbers[i])) {
            return false;
        }
        at = rest + 1;
    }
    return sweep->step > 0 && sweep->to >= sweep->from &&
           (sweep->to - sweep->from) / sweep->step < SWEEP_POINTS_MAX - 1;
}

static int judge_at(const struct sweep *sweep, double value, struct evaluate *evaluate,
                    const struct command_line_config *line, const struct recording *recording,
                    const struct turns_labels *labels, struct error *err)
{
    char setting[sizeof sweep->key + 32];
    struct command_line_config with = *line;
    struct config config;
    (void)snprintf(setting, sizeof setting, "%s=%g", sweep->key, value);
    if (!command_line_add_override(&with, "replay", setting)) {
        return error_set(err, ERROR_USAGE, "too many --set beside --sweep");
    }
    int result = command_line_load_config(&with, &config, err);
    if (result) {
        return result;
    }
    wire_mood(&config, &evaluate->judges[0].replay.policy);
    config_free(&config);
    return evaluate_judge(evaluate, 0, recording, labels, err);
}

/* Whether b is better than a: 1, as good: 0, worse: -1. */
static int compare_points(const struct point *a, const struct point *b)
{
    double f1[] = {a->measures.f1, b->measures.f1};
    double precision[] = {a->measures.precision, b->measures.precision};
    for (int i = 0; i < 2; i++) {
        f1[i] = isnan(f1[i]) ? 0 : f1[i];
        precision[i] = isnan(precision[i]) ? 0 : precision[i];
    }
    int order = (f1[1] > f1[0]) - (f1[1] < f1[0]);
    return order ? order : (precision[1] > precision[0]) - (precision[1] < precision[0]);
}

/* The middle of the first run of best points. */
static size_t find_best(const struct point *points, size_t count)
{
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        first = compare_points(&points[first], &points[i]) > 0 ? i : first;
    }
    size_t last = first;
    while (last + 1 < count && compare_points(&points[first], &points[last + 1]) == 0) {
        last++;
    }
    return first + (last - first) / 2;
}

static void print_table(const struct sweep *sweep, const struct point *points, size_t count,
                        size_t best)
{
    printf("%-30s precision  recall     F1  calm calls  turns off  early  ERDE\n", sweep->key);
    for (size_t i = 0; i < count; i++) {
        const struct outcome_measures *measures = &points[i].measures;
        printf("%-30g %9.3f %7.3f %6.3f %11.3f %10.1f %6.3f %5.3f%s\n", points[i].value,
               measures->precision, measures->recall, measures->f1, measures->calm_told,
               measures->turns_off, measures->early, measures->erde, i == best ? "  <" : "");
    }
    printf("recommended: %s: %g\n", sweep->key, points[best].value);
}

static void print_json(const struct sweep *sweep, const struct point *points, size_t count,
                       size_t best)
{
    for (size_t i = 0; i < count; i++) {
        const struct outcome_measures *measures = &points[i].measures;
        const double values[] = {points[i].value, measures->precision, measures->recall,
                                 measures->f1, measures->calm_told};
        static const char *const keys[] = {"value", "precision", "recall", "f1", "calm_told"};
        struct json_writer writer;
        struct buf out;
        buf_init(&out, 4096);
        json_writer_init(&writer, &out);
        json_write_object_begin(&writer);
        json_write_member_text(&writer, "kind", "sweep");
        json_write_member_text(&writer, "key", sweep->key);
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            json_write_key(&writer, keys[j]);
            if (isnan(values[j])) {
                json_write_null(&writer);
            } else {
                json_write_number(&writer, values[j], 17);
            }
        }
        json_write_member_boolean(&writer, "recommended", i == best);
        json_write_object_end(&writer);
        puts(buf_string(&out));
        buf_done(&out);
    }
}

/* --- the plot -------------------------------------------------------------------------------- */

enum { PLOT_WIDTH = 640, PLOT_HEIGHT = 480, PLOT_LEFT = 64, PLOT_BOTTOM = 56, PLOT_TOP = 40 };

static double plot_x(double recall)
{
    return PLOT_LEFT + recall * (PLOT_WIDTH - PLOT_LEFT - 24);
}

static double plot_y(double precision)
{
    return PLOT_TOP + (1 - precision) * (PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM);
}

static void plot_axes(FILE *out, const char *key)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-"
            "serif\" font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"24\" font-size=\"15\">Precision and recall of alerts per call, "
            "by %s</text>\n",
            PLOT_WIDTH, PLOT_HEIGHT, PLOT_LEFT, key);
    for (int i = 0; i <= 5; i++) {
        double at = i / 5.0;
        fprintf(out,
                "<path d=\"M%.1f %.1fV%.1fM%.1f %.1fH%.1f\" stroke=\"#ddd\"/>\n<text x=\"%.1f\" "
                "y=\"%.1f\" text-anchor=\"middle\">%.1f</text>\n<text x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"end\">%.1f</text>\n",
                plot_x(at), plot_y(0), plot_y(1), plot_x(0), plot_y(at), plot_x(1), plot_x(at),
                plot_y(0) + 18, at, plot_x(0) - 8, plot_y(at) + 4, at);
    }
    fprintf(out,
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">recall</text>\n<text x=\"18\" "
            "y=\"%.1f\" text-anchor=\"middle\" transform=\"rotate(-90 18 %.1f)\">precision</text>"
            "\n",
            plot_x(0.5), PLOT_HEIGHT - 14, plot_y(0.5), plot_y(0.5));
}

static void plot_points(FILE *out, const struct point *points, size_t count, size_t best)
{
    const char *verb = "M";
    fputs("<path fill=\"none\" stroke=\"#1f5f99\" stroke-width=\"2\" d=\"", out);
    for (size_t i = 0; i < count; i++) {
        const struct outcome_measures *measures = &points[i].measures;
        if (!isnan(measures->precision) && !isnan(measures->recall)) {
            fprintf(out, "%s%.1f %.1f", verb, plot_x(measures->recall),
                    plot_y(measures->precision));
            verb = "L";
        }
    }
    fputs("\"/>\n", out);
    for (size_t i = 0; i < count; i++) {
        const struct outcome_measures *measures = &points[i].measures;
        if (isnan(measures->precision) || isnan(measures->recall)) {
            continue;
        }
        fprintf(out,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"><title>%g</title>"
                "</circle>\n",
                plot_x(measures->recall), plot_y(measures->precision), i == best ? 6 : 3,
                i == best ? "#b3261e" : "#1f5f99", points[i].value);
    }
    const struct outcome_measures *measures = &points[best].measures;
    if (!isnan(measures->precision)) {
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#b3261e\">%g: "
                "precision %.2f, recall %.2f</text>\n",
                plot_x(measures->recall) - 10, plot_y(measures->precision) + 24, points[best].value,
                measures->precision, measures->recall);
    }
    fputs("</svg>\n", out);
}

static int write_plot(const struct sweep *sweep, const struct point *points, size_t count,
                      size_t best, const char *path, struct error *err)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        return error_set(err, ERROR_IO, "%s: cannot be written", path);
    }
    plot_axes(out, sweep->key);
    plot_points(out, points, count, best);
    bool written = !ferror(out);
    if (fclose(out) != 0 || !written) {
        return error_set(err, ERROR_IO, "%s: could not be written whole", path);
    }
    return 0;
}

int sweep_run(const struct sweep *sweep, struct evaluate *evaluate,
              const struct command_line_config *line, const struct recording *recording,
              const struct turns_labels *labels, const char *plot, struct error *err)
{
    struct point points[SWEEP_POINTS_MAX];
    size_t count = 0;
    bool json = evaluate->json;
    int result = 0;
    evaluate->json = false;
    size_t wanted = (size_t)((sweep->to - sweep->from) / sweep->step + 1.5);
    for (; count < wanted && !result; count++) {
        struct evaluate_row row = {0};
        points[count].value = sweep->from + (double)count * sweep->step;
        result = judge_at(sweep, points[count].value, evaluate, line, recording, labels, err);
        if (!result && !evaluate_measure(evaluate, SIZE_MAX, &row)) {
            result = error_set(err, ERROR_MEMORY, "no memory to evaluate");
        }
        points[count].measures = row.alerts;
    }
    evaluate->json = json;
    if (result) {
        return result;
    }
    size_t best = find_best(points, count);
    (json ? print_json : print_table)(sweep, points, count, best);
    return plot ? write_plot(sweep, points, count, best, plot, err) : 0;
}
