/* evaluate_print.c - see evaluate_print.h. */
#include "commands/evaluate_print.h"

#include "base/json_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES_MAX = 1 << 16, DIGITS = 17 };

static void put_number(struct json_writer *writer, const char *key, double value)
{
    json_write_key(writer, key);
    if (isnan(value)) {
        json_write_null(writer);
    } else {
        json_write_number(writer, value, DIGITS);
    }
}

static void begin(struct buf *line, struct json_writer *writer, const char *kind,
                  const char *source, const char *judgement)
{
    buf_init(line, LINE_BYTES_MAX);
    json_writer_init(writer, line);
    json_write_object_begin(writer);
    json_write_member_text(writer, "kind", kind);
    json_write_member_text(writer, "source", source);
    json_write_member_text(writer, "judgement", judgement);
}

static void end(struct buf *line, struct json_writer *writer)
{
    json_write_object_end(writer);
    buf_append_char(line, '\n');
    (void)fwrite(buf_string(line), 1, line->size, stdout);
    buf_done(line);
}

void evaluate_print_turn(const struct judge *judge, const char *source,
                         const struct recording_line *line, size_t ordinal, int is, int taken,
                         double probability)
{
    struct buf out;
    struct json_writer writer;
    begin(&out, &writer, "turn", source, judge->name);
    json_write_member_text(&writer, "interaction", line->interaction_id);
    json_write_member_integer(&writer, "turn", (int64_t)ordinal);
    json_write_member_integer(&writer, "is", is);
    json_write_member_integer(&writer, "taken", taken);
    put_number(&writer, "probability", probability);
    end(&out, &writer);
}

/* By name, how often those that fired have. */
static void put_fired(struct json_writer *writer, const struct cues_rules *rules, size_t count,
                      const uint32_t *fired)
{
    json_write_key(writer, "rules");
    json_write_object_begin(writer);
    for (uint32_t i = 0; i < count; i++) {
        if (fired[i] > 0) {
            json_write_member_integer(writer, cues_rule_name(rules, i), fired[i]);
        }
    }
    json_write_object_end(writer);
}

void evaluate_print_call(const struct judge *judge, const char *source,
                         const struct evaluate_call *call, size_t rule_count, const uint32_t *fired)
{
    struct buf out;
    struct json_writer writer;
    const struct outcome *outcome = &call->outcome;
    begin(&out, &writer, "call", source, judge->name);
    json_write_member_text(&writer, "interaction", call->line->interaction_id);
    json_write_member_boolean(&writer, "labelled", call->labelled);
    json_write_member_boolean(&writer, "wanted", outcome->wanted);
    json_write_member_boolean(&writer, "told", outcome->told);
    json_write_member_integer(&writer, "alerts", outcome->alerts);
    json_write_member_integer(&writer, "turn", outcome->turn);
    json_write_member_integer(&writer, "turns_off", outcome->turns_off);
    json_write_member_integer(&writer, "off_ms", outcome->off_ms);
    json_write_member_integer(&writer, "told_ms", outcome->told_ms);
    json_write_member_integer(&writer, "length_ms", outcome->length_ms);
    json_write_member_boolean(&writer, "recovery_wanted", outcome->recovery_wanted);
    json_write_member_boolean(&writer, "recovered", outcome->recovered);
    json_write_member_boolean(&writer, "supervisor_wanted", outcome->supervisor_wanted);
    json_write_member_boolean(&writer, "supervisor", outcome->supervisor);
    put_number(&writer, "confidence", call->confidence);
    if (rule_count > 0) {
        put_fired(&writer, judge->replay.rules, rule_count, fired);
    }
    end(&out, &writer);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void put_interval(struct json_writer *writer, const char *key,
                         const struct bootstrap_interval *interval)
{
    json_write_key(writer, key);
    json_write_array_begin(writer);
    for (int i = 0; i < 2; i++) {
        double bound = i == 0 ? interval->low : interval->high;
        if (isnan(bound)) {
            json_write_null(writer);
        } else {
            json_write_number(writer, bound, DIGITS);
        }
    }
    json_write_array_end(writer);
}

static void put_alerts(struct json_writer *writer, const struct evaluate_row *row)
{
    const struct outcome_measures *alerts = &row->alerts;
    json_write_member_integer(writer, "calls", (int64_t)alerts->calls);
    json_write_member_integer(writer, "wanted", (int64_t)alerts->wanted);
    json_write_member_integer(writer, "told_right", (int64_t)alerts->told_right);
    json_write_member_integer(writer, "told_wrong", (int64_t)alerts->told_wrong);
    put_number(writer, "precision", alerts->precision);
    put_interval(writer, "precision_95", &row->intervals[EVALUATE_PRECISION]);
    put_number(writer, "recall", alerts->recall);
    put_interval(writer, "recall_95", &row->intervals[EVALUATE_RECALL]);
    put_number(writer, "f1", alerts->f1);
    put_interval(writer, "f1_95", &row->intervals[EVALUATE_F1]);
    put_number(writer, "calm_told", alerts->calm_told);
    put_interval(writer, "calm_told_95", &row->intervals[EVALUATE_CALM_TOLD]);
    put_number(writer, "alerts_a_call", alerts->alerts_a_call);
    put_number(writer, "wrong_an_hour", alerts->wrong_an_hour);
    put_number(writer, "turns_off", alerts->turns_off);
    put_number(writer, "seconds_off", alerts->seconds_off);
    put_number(writer, "early", alerts->early);
    put_number(writer, "late", alerts->late);
    put_number(writer, "seconds_to_tell", alerts->seconds_to_tell);
    put_number(writer, "erde", alerts->erde);
    json_write_member_integer(writer, "recoveries", (int64_t)alerts->recoveries);
    put_number(writer, "recovered", alerts->recovered);
    put_number(writer, "supervisor_precision", alerts->supervisor_precision);
    put_number(writer, "supervisor_recall", alerts->supervisor_recall);
    put_number(writer, "alert_calibration_error", calibration_error(&row->alert_calibration));
}

static void put_turns(struct json_writer *writer, const struct evaluate_row *row)
{
    json_write_member_integer(writer, "turns", (int64_t)confusion_total(&row->turns));
    put_number(writer, "accuracy", confusion_accuracy(&row->turns));
    put_number(writer, "macro_f1", row->macro_f1);
    put_interval(writer, "macro_f1_95", &row->intervals[EVALUATE_MACRO_F1]);
    json_write_member_integer(writer, "classes", row->classes);
    put_number(writer, "kappa", confusion_kappa(&row->turns));
    put_interval(writer, "kappa_95", &row->intervals[EVALUATE_KAPPA]);
    put_number(writer, "turn_calibration_error", calibration_error(&row->turn_calibration));
}

static void print_json(bool with_turns, const struct evaluate_row *row)
{
    struct buf out;
    struct json_writer writer;
    begin(&out, &writer, "measures", row->source, row->judgement);
    put_alerts(&writer, row);
    if (with_turns) {
        put_turns(&writer, row);
    }
    end(&out, &writer);
}

static void print_value(const char *what, double value, const struct bootstrap_interval *interval)
{
    if (isnan(value)) {
        printf("    %-28s -\n", what);
    } else if (interval && !isnan(interval->low)) {
        printf("    %-28s %.3f   (%.3f to %.3f)\n", what, value, interval->low, interval->high);
    } else {
        printf("    %-28s %.3f\n", what, value);
    }
}

static void print_text(bool with_turns, const struct evaluate_row *row)
{
    const struct outcome_measures *alerts = &row->alerts;
    printf(
        "%s, %s: %llu calls, an alert wanted in %llu; told of %llu of these and of %llu others\n",
        row->source, row->judgement, (unsigned long long)alerts->calls,
        (unsigned long long)alerts->wanted, (unsigned long long)alerts->told_right,
        (unsigned long long)alerts->told_wrong);
    print_value("precision", alerts->precision, &row->intervals[EVALUATE_PRECISION]);
    print_value("recall", alerts->recall, &row->intervals[EVALUATE_RECALL]);
    print_value("F1", alerts->f1, &row->intervals[EVALUATE_F1]);
    print_value("calm calls with an alert", alerts->calm_told, &row->intervals[EVALUATE_CALM_TOLD]);
    print_value("alerts per call", alerts->alerts_a_call, NULL);
    print_value("false alarms per agent-hour", alerts->wrong_an_hour, NULL);
    print_value("turns off, median", alerts->turns_off, NULL);
    print_value("seconds off, median", alerts->seconds_off, NULL);
    print_value("more than a turn early", alerts->early, NULL);
    print_value("more than a turn late", alerts->late, NULL);
    print_value("seconds to the first alert", alerts->seconds_to_tell, NULL);
    print_value("ERDE, half at 10 turns", alerts->erde, NULL);
    print_value("recovery told", alerts->recovered, NULL);
    print_value("supervisor, precision", alerts->supervisor_precision, NULL);
    print_value("supervisor, recall", alerts->supervisor_recall, NULL);
    print_value("alert calibration error", calibration_error(&row->alert_calibration), NULL);
    if (with_turns) {
        printf("  turns: %llu, classes that count: %u\n",
               (unsigned long long)confusion_total(&row->turns), row->classes);
        print_value("accuracy", confusion_accuracy(&row->turns), NULL);
        print_value("macro-F1", row->macro_f1, &row->intervals[EVALUATE_MACRO_F1]);
        print_value("weighted kappa", confusion_kappa(&row->turns),
                    &row->intervals[EVALUATE_KAPPA]);
        print_value("calibration error", calibration_error(&row->turn_calibration), NULL);
    }
}

void evaluate_print_row(bool json, bool with_turns, const struct evaluate_row *row)
{
    if (json) {
        print_json(with_turns, row);
    } else {
        print_text(with_turns, row);
    }
}

static void print_json_rule(const struct evaluate_rule *rule, double precision)
{
    struct buf out;
    struct json_writer writer;
    begin(&out, &writer, "rule", rule->source, rule->judgement);
    json_write_member_text(&writer, "rule", rule->name);
    json_write_member_integer(&writer, "fired", (int64_t)rule->fired);
    json_write_member_integer(&writer, "right", (int64_t)rule->right);
    json_write_member_integer(&writer, "wrong", (int64_t)rule->wrong);
    put_number(&writer, "precision", precision);
    end(&out, &writer);
}

void evaluate_print_rule(bool json, const struct evaluate_rule *rule)
{
    uint64_t calls = rule->right + rule->wrong;
    double precision = calls > 0 ? (double)rule->right / (double)calls : (double)NAN;
    if (json) {
        print_json_rule(rule, precision);
        return;
    }
    printf("  rule %s: %llu alerts, in %llu calls that want one and in %llu others", rule->name,
           (unsigned long long)rule->fired, (unsigned long long)rule->right,
           (unsigned long long)rule->wrong);
    if (calls > 0) {
        printf(", precision %.3f", precision);
    }
    printf("\n");
}
