/* replay_print.c - see replay_print.h. No words are printed unless asked for. */
#include "commands/replay_print.h"

#include "base/json_write.h"
#include "cxone/cxone.h"

#include <stdio.h>

/* --- readable --- */

static void print_time(struct buf *out, const struct replay_output *output, int64_t at_ms)
{
    int64_t seconds = (at_ms - output->start_ms) / 1000;
    seconds = seconds < 0 ? 0 : seconds;
    buf_printf(out, "%02lld:%02lld", (long long)(seconds / 60), (long long)(seconds % 60));
}

/* An utterance named by its times and speaker if its words may be shown, or NULL. */
static const struct segment *find_words(const struct replay_output *output,
                                        const struct replay_moment *moment, int64_t start_ms,
                                        int64_t end_ms, enum speaker speaker)
{
    for (size_t i = 0; output->text && i < moment->count; i++) {
        const struct segment *segment = recording_segment(&moment->lines[i]);
        if (segment->is_final && segment->start_ms == start_ms && segment->end_ms == end_ms &&
            segment->speaker == speaker) {
            return segment;
        }
    }
    return NULL;
}

/* Who made a rule fire. */
static enum speaker speaker_of(const struct cues_firing *firing)
{
    static const enum speaker speakers[] = {
        [CUES_UNKNOWN] = SPEAKER_UNKNOWN,
        [CUES_CUSTOMER] = SPEAKER_CUSTOMER,
        [CUES_AGENT] = SPEAKER_AGENT,
    };
    return speakers[firing->speaker];
}

static bool is_known(const struct call_reading *reading)
{
    return reading->utterances > 0;
}

static void print_words(struct buf *out, const struct segment *segment)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    if (segment) {
        buf_append_string(out, "  ");
        json_write_string(&writer, segment->text, segment->text_bytes);
    }
    buf_append_char(out, '\n');
}

static void print_said(struct replay_output *output, int64_t start_ms, int64_t end_ms,
                       enum speaker speaker)
{
    struct buf *out = &output->line;
    buf_append_string(out, "         ");
    print_time(out, output, start_ms);
    buf_append_char(out, '-');
    print_time(out, output, end_ms);
    buf_printf(out, " %s", speaker_name(speaker));
}

static void print_evidence(struct replay_output *output, const struct replay_moment *moment,
                           const struct call_evidence *evidence)
{
    char score[CXONE_SCORE_BYTES];
    print_said(output, evidence->start_ms, evidence->end_ms, evidence->speaker);
    buf_printf(&output->line, " %s, moved the mean by %+.3f",
               cxone_format_score(evidence->score, score),
               (double)evidence->contribution / MOOD_ONE);
    print_words(&output->line, find_words(output, moment, evidence->start_ms, evidence->end_ms,
                                          evidence->speaker));
}

/* What a rule's alert stands on and says. */
static void print_firing(struct replay_output *output, const struct replay_moment *moment)
{
    const struct cues_firing *firing = moment->firing;
    struct buf *out = &output->line;
    if (firing->has_evidence) {
        enum speaker speaker = speaker_of(firing);
        print_said(output, firing->begin_ms, firing->end_ms, speaker);
        print_words(out, find_words(output, moment, firing->begin_ms, firing->end_ms, speaker));
    }
    if (output->text) {
        buf_append_string(out, "         says: ");
        cues_message(moment->rules, firing, NULL, NULL, out);
        buf_append_char(out, '\n');
    }
}

static const char *audience_of(enum call_tier tier)
{
    return tier == CALL_TIER_SUPERVISOR ? "a supervisor too" : "the agent";
}

static void print_alert(struct replay_output *output, const struct replay_moment *moment,
                        const char *mood)
{
    const struct call_effect *effect = moment->effect;
    struct buf *out = &output->line;
    if (moment->firing) {
        const char *audience =
            effect->alert.tier == CALL_TIER_SUPERVISOR ? "a supervisor" : "the agent";
        buf_printf(out, "  ALERT %u, rule %s, for %s: %s\n", (unsigned)effect->episode,
                   cues_rule_name(moment->rules, moment->firing->rule), audience, mood);
        print_firing(output, moment);
        return;
    }
    buf_printf(out, "  ALERT %u, %s, for %s, %.0f %% sure: %s\n", (unsigned)effect->episode,
               call_alert_path_name(effect->alert.path), audience_of(effect->alert.tier),
               100 * (double)effect->alert.confidence / MOOD_ONE, mood);
    for (uint32_t i = 0; i < effect->evidence_count; i++) {
        print_evidence(output, moment, &effect->evidence[i]);
    }
}

static void print_readable(struct replay_output *output, const struct replay_moment *moment)
{
    const struct call_effect *effect = moment->effect;
    const struct call_reading *reading = &effect->reading;
    struct buf *out = &output->line;
    char score[CXONE_SCORE_BYTES];
    char mood[CXONE_SCORE_BYTES + 32] = "no mood yet";
    buf_append_string(out, "  ");
    print_time(out, output, moment->at_ms);
    cxone_format_score(reading->score, score);
    if (is_known(reading)) {
        (void)snprintf(mood, sizeof mood, "%s %s", score, call_trend_name(reading->trend));
    }
    if (effect->kind == CALL_EFFECT_ALERT) {
        print_alert(output, moment, mood);
    } else if (effect->kind == CALL_EFFECT_RAISED || effect->kind == CALL_EFFECT_REMINDED) {
        buf_printf(out, "  alert %u %s %s: %s\n", (unsigned)effect->episode,
                   effect->kind == CALL_EFFECT_RAISED ? "is now for" : "still stands, for",
                   audience_of(effect->alert.tier), mood);
    } else if (effect->kind == CALL_EFFECT_RECOVERED) {
        buf_printf(out, "  recovered from alert %u: %s\n", (unsigned)effect->episode, mood);
    } else {
        buf_printf(out, "  %-5s %-9s  %u in window, %u judged\n", score,
                   call_trend_name(reading->trend), (unsigned)reading->samples,
                   (unsigned)reading->utterances);
    }
}

/* --- JSON --- */

static void put_fixed(struct json_writer *writer, const char *key, int64_t value)
{
    json_write_member_number(writer, key, (double)value / MOOD_ONE, 9);
}

static void put_said(struct json_writer *writer, int64_t start_ms, int64_t end_ms,
                     enum speaker speaker)
{
    json_write_member_integer(writer, "start", start_ms);
    json_write_member_integer(writer, "end", end_ms);
    json_write_member_text(writer, "speaker", speaker_name(speaker));
}

static void put_words(struct json_writer *writer, const struct segment *segment)
{
    if (segment) {
        json_write_key(writer, "text");
        json_write_string(writer, segment->text, segment->text_bytes);
    }
}

static void put_evidence(struct json_writer *writer, const struct replay_output *output,
                         const struct replay_moment *moment)
{
    const struct call_effect *effect = moment->effect;
    json_write_key(writer, "evidence");
    json_write_array_begin(writer);
    for (uint32_t i = 0; i < effect->evidence_count; i++) {
        const struct call_evidence *evidence = &effect->evidence[i];
        json_write_object_begin(writer);
        put_said(writer, evidence->start_ms, evidence->end_ms, evidence->speaker);
        put_fixed(writer, "score", evidence->score);
        put_fixed(writer, "contribution", evidence->contribution);
        put_words(writer, find_words(output, moment, evidence->start_ms, evidence->end_ms,
                                     evidence->speaker));
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void put_firing(struct json_writer *writer, const struct replay_output *output,
                       const struct replay_moment *moment)
{
    const struct cues_firing *firing = moment->firing;
    json_write_member_text(writer, "rule", cues_rule_name(moment->rules, firing->rule));
    if (firing->has_evidence) {
        enum speaker speaker = speaker_of(firing);
        json_write_key(writer, "said");
        json_write_object_begin(writer);
        put_said(writer, firing->begin_ms, firing->end_ms, speaker);
        put_words(writer, find_words(output, moment, firing->begin_ms, firing->end_ms, speaker));
        json_write_object_end(writer);
    }
    if (output->text) {
        struct buf message;
        buf_init(&message, CUES_MESSAGE_BYTES_MAX * 4);
        cues_message(moment->rules, firing, NULL, NULL, &message);
        json_write_member_text(writer, "message", buf_string(&message));
        buf_done(&message);
    }
}

/* Before the first one only a score of null. */
static void put_reading(struct json_writer *writer, const struct call_reading *reading)
{
    if (!is_known(reading)) {
        json_write_key(writer, "score");
        json_write_null(writer);
        return;
    }
    put_fixed(writer, "score", reading->score);
    json_write_member_text(writer, "trend", call_trend_name(reading->trend));
    put_fixed(writer, "difference", reading->difference);
    json_write_member_integer(writer, "samples", reading->samples);
    json_write_member_integer(writer, "utterances", reading->utterances);
    json_write_member_integer(writer, "as_of", reading->as_of_ms);
}

static void put_alert(struct json_writer *writer, const struct replay_output *output,
                      const struct replay_moment *moment)
{
    const struct call_alert *alert = &moment->effect->alert;
    json_write_member_text(writer, "path", call_alert_path_name(alert->path));
    if (moment->firing) {
        put_firing(writer, output, moment);
        return;
    }
    put_fixed(writer, "confidence", alert->confidence);
    put_fixed(writer, "slope_a_minute", alert->slope);
    put_evidence(writer, output, moment);
}

static void print_json(struct replay_output *output, const struct replay_moment *moment)
{
    static const char *const kinds[] = {
        [CALL_EFFECT_READING] = "reading",     [CALL_EFFECT_ALERT] = "alert",
        [CALL_EFFECT_RAISED] = "raised",       [CALL_EFFECT_REMINDED] = "reminded",
        [CALL_EFFECT_RECOVERED] = "recovered",
    };
    const struct call_effect *effect = moment->effect;
    struct json_writer writer;
    json_writer_init(&writer, &output->line);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "interaction", moment->lines[0].interaction_id);
    json_write_member_integer(&writer, "t", moment->at_ms);
    json_write_member_text(&writer, "kind", kinds[effect->kind]);
    put_reading(&writer, &effect->reading);
    if (effect->kind != CALL_EFFECT_READING) {
        json_write_member_integer(&writer, "episode", effect->episode);
        json_write_member_text(&writer, "tier", call_tier_name(effect->alert.tier));
    }
    if (effect->kind == CALL_EFFECT_ALERT) {
        put_alert(&writer, output, moment);
    }
    json_write_object_end(&writer);
    buf_append_char(&output->line, '\n');
}

void replay_print(void *user, const struct replay_moment *moment)
{
    struct replay_output *output = user;
    buf_clear(&output->line);
    if (output->json) {
        print_json(output, moment);
    } else {
        print_readable(output, moment);
    }
    (void)fwrite(buf_string(&output->line), 1, output->line.size, stdout);
}
