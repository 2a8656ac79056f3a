#!/usr/bin/env python3
"""A second judgement of the calls test_history.c invented, in another language and with fractions.

    MOOD_TRACE=/tmp/trace.jsonl build/dev/test_mood_history
    tests/unit/mood/twin.py /tmp/trace.jsonl

Replays each event of the trace and compares every effect. It shares nothing with the C code: sets
are list comprehensions, means are fractions, and everything is recomputed after each event.
"""
import functools
import itertools
import json
import math
import sys
from fractions import Fraction

DEFAULTS = {
    "window_ms": 30000,
    "window_widest_ms": 120000,
    "window_utterances": 3,
    "samples_min": 2,
    "trend_enter": 50000,
    "trend_leave": 30000,
    "alert_below": 280000,
    "recover_above": 450000,
    "recover_hold_ms": 10000,
    "cooldown_ms": 15000,
    "sustained_reference": 460000,
    "sustained_limit": 900000,
    "lateness_ms": 60000,
    "future_tolerance_ms": 5000,
    "weighting": 0,
    "trend_confidence": 650000,
    "confirm_below": 350000,
    "confirm_of": 4,
    "confirm_count": 2,
    "calm_share": 80000,
    "defer_above": 350000,
    "supervisor_limit": 1400000,
    "remind_ms": 0,
}


def nearest(value):
    """Halves away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def fixed_power(base, exponent):
    value = 1000000
    for _ in range(exponent):
        value = nearest(Fraction(value * base, 1000000))
    return value


@functools.lru_cache(maxsize=None)
def orders(counts):
    """How many orders of a multiset have 0, 1, ... inversions: by what stands last."""
    if sum(counts) == 0:
        return (1,)
    total = [0] * (sum(counts) ** 2 + 1)
    for i, count in enumerate(counts):
        if count:
            above = sum(counts[i + 1 :])
            for k, ways in enumerate(orders((*counts[:i], count - 1, *counts[i + 1 :]))):
                total[k + above] += ways
    return tuple(total)


def falling(points):
    scores = [score for _, score in points]
    if len(scores) < 2:
        return 0
    counts = tuple(scores.count(value) for value in sorted(set(scores)))
    observed = sum(a > b for a, b in itertools.combinations(scores, 2))
    ways = orders(counts)
    return nearest(Fraction(sum(ways[:observed]) * 1000000, sum(ways)))


def slope(points):
    slopes = sorted(
        nearest(Fraction((b[1] - a[1]) * 60000, b[0] - a[0]))
        for a, b in itertools.combinations(points, 2)
        if b[0] > a[0]
    )
    if not slopes:
        return 0
    return nearest(Fraction(slopes[(len(slopes) - 1) // 2] + slopes[len(slopes) // 2], 2))


class Call:
    def __init__(self, policy):
        self.policy = {**DEFAULTS, **policy}
        self.known = []
        self.first_start = None
        self.newest = self.newest_at = None
        self.origin = 0
        self.episode = 0
        self.open = self.delivered = self.ended = False
        self.above_since = None
        self.cooling_from = None
        self.path = None
        self.tier = "agent"
        self.sure = [0, 0]
        self.told = None
        self.published = None

    def judged(self):
        return [u for u in self.known if u["score"] is not None and u["speaker"] == "customer"]

    def weight(self, u):
        seconds = (u["end"] - u["start"]) // 1000
        return min(30, seconds) if self.policy["weighting"] and seconds >= 1 else 1

    def mean(self, window):
        weights = sum(self.weight(u) for u in window)
        return Fraction(sum(self.weight(u) * u["score"] for u in window), weights)

    def window(self, t):
        p = self.policy
        past = [u for u in self.judged() if u["end"] <= t]
        inside = [u for u in past if u["end"] > t - p["window_ms"]]
        if len(inside) >= p["window_utterances"]:
            return inside, False
        newest = sorted((u["end"] for u in past), reverse=True)[: p["window_utterances"]]
        bound = newest[-1] if newest else t
        widest = t - p["window_widest_ms"]
        return [u for u in past if u["end"] >= bound and u["end"] > widest], True

    def windows(self, t):
        current, widened = self.window(t)
        if widened and current:
            before = min(u["end"] for u in current) - 1
        else:
            before = t - self.policy["window_ms"]
        return current, self.window(before)[0]

    def difference(self, t):
        current, previous = self.windows(t)
        if min(len(current), len(previous)) < self.policy["samples_min"]:
            return None
        return self.mean(current) - self.mean(previous)

    def trend(self):
        enter, leave = self.policy["trend_enter"], self.policy["trend_leave"]
        trend = "stable"
        for t in sorted({u["end"] for u in self.judged()}):
            d = self.difference(t)
            if d is None:
                trend = "stable"
            elif d > enter:
                trend = "improving"
            elif d < -enter:
                trend = "declining"
            elif not (
                (trend == "improving" and d >= leave) or (trend == "declining" and d <= -leave)
            ):
                trend = "stable"
        return trend

    def sustained(self):
        s = 0
        for u in sorted(self.judged(), key=lambda u: (u["end"], u["score"])):
            if u["end"] > self.origin:
                s = max(0, s + self.policy["sustained_reference"] - u["score"])
        return s

    def reading(self):
        judged = self.judged()
        if not judged:
            return None
        t = max(u["end"] for u in judged)
        current, previous = self.windows(t)
        return [
            nearest(self.mean(current)),
            self.trend(),
            nearest(self.difference(t) or 0),
            len(current),
            len(judged),
            t,
            self.sustained(),
            nearest(self.mean(previous)) if previous else 0,
            len(previous),
        ]

    def note_newest(self, now):
        ends = [u["end"] for u in self.judged()]
        if ends and max(ends) != self.newest:
            self.newest, self.newest_at = max(ends), now["mono_us"]

    def evidence(self, t):
        current, previous = self.windows(t)
        if self.path == "declining" and previous:
            reference = self.mean(previous)
        else:
            reference = Fraction(self.policy["sustained_reference"])
        weights = sum(self.weight(u) for u in current)

        def pull(u):
            return self.weight(u) * (u["score"] - reference) / weights

        worst = sorted(current, key=lambda u: (pull(u), u["end"], u["score"], u["start"]))[:5]
        return [[u["start"], u["end"], u["score"], nearest(pull(u))] for u in worst]

    def confirms(self):
        p = self.policy
        newest = sorted(self.judged(), key=lambda u: (u["end"], u["score"]))[-p["confirm_of"] :]
        low = sum(u["score"] < p["confirm_below"] for u in newest)
        n = len(newest)
        sure = sum(
            math.comb(n, i)
            * nearest(
                Fraction(
                    fixed_power(p["calm_share"], i) * fixed_power(1000000 - p["calm_share"], n - i),
                    1000000,
                )
            )
            for i in range(low)
        )
        ready = low >= p["confirm_count"] and newest[-1]["score"] <= p["defer_above"]
        return ready, min(sure, 1000000)

    def told_as(self, kind, reading):
        return {
            "is": kind,
            "reading": reading,
            "episode": self.episode,
            "path": self.path,
            "tier": self.tier,
            "sure": self.sure,
        }

    def judge_low(self, reading, event_now):
        p = self.policy
        current, _ = self.windows(reading[5])
        raised = self.tier == "agent" and reading[6] > p["supervisor_limit"]
        remind = p["remind_ms"] > 0 and event_now - self.told >= p["remind_ms"]
        if self.mean(current) >= p["alert_below"] or not (raised or remind):
            return []
        self.told = event_now
        self.tier = "supervisor" if raised else self.tier
        effect = self.told_as("raised" if raised else "reminded", reading)
        return [{**effect, "evidence": self.evidence(reading[5])}]

    def judge(self, now, reading):
        p = self.policy
        t = reading[5]
        if any(u["pending"] and u["end"] <= t for u in self.known):
            return []
        current, previous = self.windows(t)
        if self.open:
            event_now = self.newest + (now["mono_us"] - self.newest_at) // 1000
            if self.mean(current) <= p["recover_above"]:
                self.above_since = None
                return self.judge_low(reading, event_now)
            if self.above_since is None:
                self.above_since = t
            if event_now - self.above_since < p["recover_hold_ms"]:
                return []
            self.open, self.origin = False, t
            return [self.told_as("recovered", reading)]
        cooled = self.cooling_from is None or (
            now["mono_us"] >= self.cooling_from + p["cooldown_ms"] * 1000
        )
        first = min(u["end"] for u in previous or current)
        points = sorted((u["end"], u["score"]) for u in self.judged() if u["end"] >= first)[-15:]
        fall = falling(points)
        ready, confirmed = self.confirms()
        declining = reading[1] == "declining" and fall >= p["trend_confidence"]
        if (
            not cooled
            or len(current) < p["samples_min"]
            or t < now["vendor_ms"] - p["lateness_ms"]
            or not ready
            or self.mean(current) >= p["alert_below"]
            or not (declining or reading[6] > p["sustained_limit"])
        ):
            return []
        self.open, self.delivered, self.above_since = True, False, None
        self.episode += 1
        self.cooling_from = now["mono_us"]
        self.path = "declining" if declining else "sustained_low"
        self.tier = "supervisor" if reading[6] > p["supervisor_limit"] else "agent"
        self.sure = [fall if declining else confirmed, slope(points)]
        self.told = t
        return [{**self.told_as("alert", reading), "evidence": self.evidence(t)}]

    def settle(self, now, publish):
        if any(u["pending"] and u["backlog"] for u in self.known):
            return []
        reading = self.reading()
        if reading is None:
            return []
        effects = []
        if publish and reading != self.published:
            self.published = reading
            effects.append({"is": "reading", "reading": reading})
        return effects + self.judge(now, reading)

    def admit(self, raw, vendor_ms):
        _, _, start, end, _ = raw
        judged = max(start, end)
        if min(start, end) <= 0 or judged > vendor_ms + 86400000:
            return None
        if self.first_start is not None and judged < self.first_start - 3600000:
            return None
        self.first_start = start if self.first_start is None else min(self.first_start, start)
        return min(judged, vendor_ms + self.policy["future_tolerance_ms"])

    def reply(self, event):
        finals = []
        for raw in event["segments"]:
            end = self.admit(raw, event["vendor_ms"])
            if end is not None:
                key = ("id", raw[0]) if raw[0] else (raw[1], raw[2])
                finals.append((key, (raw[3], raw[4]), end, raw))
        effects = []
        keys = {}
        held = {(key, form) for key, form, _, _ in finals}
        for u in self.known:
            keys.setdefault(u["key"], []).append(u)
        open_to_revision = {
            key: sorted(
                (u for u in group if (key, u["form"]) not in held), key=lambda u: u["ordinal"]
            )
            for key, group in keys.items()
        }
        seen = {(u["key"], u["form"]) for u in self.known}
        for key, form, end, raw in finals:
            if (key, form) in seen:
                continue
            seen.add((key, form))
            backlog = event["backlog"]
            if open_to_revision.get(key):
                u = open_to_revision[key].pop(0)
                u["revision"] += 1
                backlog = backlog or (u["pending"] and u["backlog"])
            else:
                group = keys.setdefault(key, [])
                u = {"key": key, "number": len(self.known), "revision": 0, "score": None}
                u["ordinal"] = 1 + max((v["ordinal"] for v in group), default=-1)
                group.append(u)
                self.known.append(u)
            scorable = raw[1] == "customer"
            u.update(form=form, end=end, start=raw[2], speaker=raw[1])
            u.update(pending=scorable, backlog=scorable and backlog)
            if not scorable:
                u["score"] = None
                continue
            effects.append(
                {
                    "is": "score",
                    "utterance": u["number"],
                    "revision": u["revision"],
                    "ordinal": u["ordinal"],
                }
            )
        self.note_newest(event)
        return effects

    def answer(self, event):
        for u in self.known:
            if u["number"] == event["utterance"] and u["revision"] == event["revision"]:
                if u["pending"]:
                    u["pending"] = False
                    u["score"] = event["score"] if event["event"] == "scored" else None
                    self.note_newest(event)
                    return self.settle(event, True)
        return []

    def step(self, event):
        kind = event["event"]
        if self.ended:
            return []
        if kind == "reply":
            return self.reply(event)
        if kind in ("scored", "unscorable"):
            return self.answer(event)
        if kind == "tick":
            return self.settle(event, False)
        if kind == "delivered":
            if event["episode"] == self.episode > 0 and not self.delivered:
                self.delivered, self.cooling_from = True, event["mono_us"]
            return []
        self.ended = True
        reading = self.reading() or self.published
        return [{"is": "reading", "reading": reading}] if reading else []


def main():
    call = None
    calls = events = effects = alerts = 0
    with open(sys.argv[1], encoding="ascii") as lines:
        for number, line in enumerate(lines, 1):
            event = json.loads(line)
            if event["event"] == "start":
                del event["event"]
                call = Call(event)
                calls += 1
                continue
            wanted = call.step(event)
            if wanted != event["effects"]:
                print(f"line {number}: {event['event']}\n twin {wanted}\n C    {event['effects']}")
                return 1
            events += 1
            effects += len(wanted)
            alerts += sum(e["is"] == "alert" for e in wanted)
    print(f"{calls} calls, {events} events, {effects} effects, {alerts} alerts: equal")
    return 0 if calls else 1


if __name__ == "__main__":
    sys.exit(main())
