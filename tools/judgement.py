"""The judgement of a call, written a second time from its rules (docs/GUARANTEES.md).

For the checker only; it shares nothing with src/mood. A call is a list of (end_ms, score) of its
customer utterances. Because scores of two engines differ a little, the trend is folded as the
set of trends that are possible if each difference may be off by `slack`.
"""

WINDOW_MS = 30_000
WIDEST_MS = 120_000
WINDOW_UTTERANCES = 3
SAMPLES_MIN = 2
TREND_ENTER = 0.05
TREND_LEAVE = 0.03

STABLE, IMPROVING, DECLINING = "stable", "improving", "declining"


def window_at(judged, t):
    """The utterances of the window that ends at t, and whether it had to be widened."""
    narrow = [u for u in judged if t - WINDOW_MS < u[0] <= t]
    if len(narrow) >= WINDOW_UTTERANCES:
        return narrow, False
    reachable = sorted((u for u in judged if t - WIDEST_MS < u[0] <= t), reverse=True)
    if len(reachable) <= WINDOW_UTTERANCES:
        return reachable, True
    oldest = reachable[WINDOW_UTTERANCES - 1][0]
    return [u for u in reachable if u[0] >= oldest], True


def mean(window):
    return sum(score for _, score in window) / len(window)


def windows_at(judged, t):
    """The current window at t and the one it is compared with."""
    current, widened = window_at(judged, t)
    before = min(end for end, _ in current) - 1 if widened else t - WINDOW_MS
    previous, _ = window_at(judged, before)
    return current, previous


def next_trend(trend, difference):
    """One step of the hysteresis."""
    if difference > TREND_ENTER:
        return IMPROVING
    if difference < -TREND_ENTER:
        return DECLINING
    if trend == IMPROVING and difference >= TREND_LEAVE:
        return IMPROVING
    if trend == DECLINING and difference <= -TREND_LEAVE:
        return DECLINING
    return STABLE


def judge(judged, slack=0.0):
    """(mean of the last window, set of possible trends) after the whole call; None if empty.

    next_trend changes only at the limits, so trying the difference itself, both ends of its
    slack and each limit in between (and a hair to both sides) covers all that can happen.
    """
    if not judged:
        return None
    trends, current = {STABLE}, []
    limits = (TREND_ENTER, TREND_LEAVE, -TREND_LEAVE, -TREND_ENTER)
    for t in sorted({end for end, _ in judged}):
        current, previous = windows_at(judged, t)
        if len(current) < SAMPLES_MIN or len(previous) < SAMPLES_MIN:
            trends = {STABLE}
            continue
        difference = mean(current) - mean(previous)
        candidates = [difference, difference - slack, difference + slack]
        for limit in limits:
            if abs(limit - difference) <= slack:
                candidates += [limit - 1e-9, limit + 1e-9]
        trends = {next_trend(trend, d) for trend in trends for d in candidates}
    return mean(current), trends
