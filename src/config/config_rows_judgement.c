/* config_rows_judgement.c - keys about calls: how often each is asked, the windows, the trend and
 * when an alert is given. See config_table.h. */
#include "config/config_rows.h"

#include "mood/policy.h"

const struct config_row config_rows_judgement[] = {
    {SPAN("poll.active", poll_active_ms, 100, HOUR, "1s",
          "pace while a call talks; this and the next two hold while the quota is plentiful")},
    {SPAN("poll.idle", poll_idle_ms, 100, HOUR, "2s", "pace after 10 s of silence")},
    {SPAN("poll.quiet", poll_quiet_ms, 100, HOUR, "5s",
          "pace after a minute of silence, and on hold")},
    {SPAN("poll.max", poll_max_ms, 100, HOUR, "10s",
          "longest time between two polls of a call when the quota is scarce (`poll.quiet` at "
          "least); when it must be longer, the log says `schedule_degraded`")},
    {SPAN("poll.floor", poll_floor_ms, 50, HOUR, "500ms",
          "least time between two polls of one call, whatever happens")},
    {SPAN("poll.overlap", poll_overlap_ms, 0, HOUR, "30s",
          "how far each poll reaches back; raised by what is learnt of late finals")},
    {SPAN("poll.overlap_max", poll_overlap_max_ms, 0, HOUR, "180s", "bound of that")},
    {SPAN("poll.deep_interval", poll_deep_interval_ms, SECOND, HOUR, "20s",
          "how often one poll reaches back `poll.overlap_max`")},
    {.key = "poll.start_from",
     .type = CONFIG_TYPE_START_FROM,
     .offset = AT(poll_lookback_ms),
     .max = 24.0 * HOUR,
     .initial = "now-60s",
     .initial_literal = "beginning",
     .meaning = "where a call is picked up: `now-60s`, or `beginning`"},
    {SPAN("poll.lateness", poll_lateness_ms, 0, HOUR, "60s",
          "an utterance that ended longer ago never opens an alert")},

    {SHARE("window.seconds", window_seconds, 1, 3600, "30", "width of the current window")},
    {WHOLE("window.max_seconds", window_max_seconds, 1, 3600, "120",
           "how far a thin window is widened")},
    {WHOLE("window.min_utterances", window_min_utterances, 1, 100, "3",
           "a window with fewer customer utterances is thin"),
     .initial_literal = "1"},
    {.key = "window.weighting",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(window_weighting),
     .initial = "utterance",
     .choices = {"utterance", "duration"},
     .meaning = "what counts in a mean: each utterance alike, or its whole seconds, 1 to 30"},
    {SHARE("trend.delta", trend_delta, 0, 1, "0.05",
           "a change of the mean beyond this is a trend")},
    {SHARE("trend.leave", trend_leave, 0, 1, "0.03", "a change below this ends it")},
    {SHARE("trend.confidence", trend_confidence, 0, 1, "0.65",
           "a decline alerts only if it is as sure as this not to be an accident (exact "
           "Mann-Kendall test over both windows)"),
     .initial_literal = "0"},
    {SHARE("alert.threshold", alert_threshold, 0, 1, "0.28",
           "a declining mean below this opens an alert"),
     .initial_literal = "0.35"},
    {SHARE("alert.confirm_below", alert_confirm_below, 0, 1, "0.35",
           "an utterance with a lower score is low")},
    {WHOLE("alert.confirm_count", alert_confirm_count, 0, MOOD_CONFIRM_MAX, "2",
           "so many low ones are wanted for an alert; 0: none"),
     .initial_literal = "0"},
    {WHOLE("alert.confirm_of", alert_confirm_of, 1, MOOD_CONFIRM_MAX, "4",
           "among so many of the customer's newest")},
    {SHARE("alert.calm_share", alert_calm_share, 0, 1, "0.08",
           "share of low utterances in calm calls, from which the confidence of a sustained-low "
           "alert is reckoned")},
    {SHARE("alert.defer_above", alert_defer_above, 0, 1, "0.35",
           "no alert opens while the newest score is above: a recovery may be under way; 1: "
           "never wait"),
     .initial_literal = "1"},
    {SHARE("alert.recover", alert_recover, 0, 1, "0.45", "a mean above this ends it")},
    {SPAN("alert.recover_hold", alert_recover_hold_ms, 0, HOUR, "10s",
          "how long it must stay above")},
    {SPAN("alert.cooldown", alert_cooldown_ms, 0, HOUR, "15s",
          "from a delivered suggestion to the next alert of that call")},
    {WHOLE("alert.min_samples", alert_min_samples, 1, 100, "2",
           "fewer utterances in a window never alert"),
     .initial_literal = "1"},
    {SHARE("alert.sustained_reference", alert_sustained_reference, 0, 1, "0.46",
           "CUSUM reference of the sustained-low path: scores below it add up")},
    {SHARE("alert.sustained_limit", alert_sustained_limit, 0.01, 1000, "0.9",
           "the sum that opens a sustained-low alert")},

    {SHARE("alert.supervisor_limit", alert_supervisor_limit, 0, 1000, "1.4",
           "the sum from which an alert concerns a supervisor too")},
    {SPAN("alert.remind_after", alert_remind_ms, 0, HOUR, "0s",
          "an alert that stays open is told of again after as long as this; 0: never")},
};

const size_t config_rows_judgement_count =
    sizeof config_rows_judgement / sizeof config_rows_judgement[0];
