#!/usr/bin/env python3
"""A second judgement of the calls test_history.c invented, in another language and with fractions.

    MOOD_TRACE=/tmp/trace.jsonl build/dev/test_mood_history
    tests/unit/mood/twin.py /tmp/trace.jsonl

Replays each event of the trace and compares every effect. It shares nothing with the C code: sets
are list comprehensions, means are fractions, and everything is recomputed after each event.
"""
import json
import sys
from fractions import Fraction

DEFAULTS = {
    "window_ms": 30000,
    "window_widest_ms": 120000,
    "window_utterances": 3,
    "samples_min": 2,
    "trend_enter": 50000,
    "trend_leave": 30000,
    "alert_below": 350000,
    "recover_above": 450000,
    "recover_hold_ms": 10000,
    "cooldown_ms": 15000,
    "sustained_reference": 460000,
    "sustained_limit": 900000,
    "lateness_ms": 60000,
    "future_tolerance_ms": 5000,
}


def nearest(value):
    """Halves away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def mean(window):
    return Fraction(sum(u["score"] for u in window), len(window))


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
        self.published = None

    def judged(self):
        return [u for u in self.known if u["score"] is not None and u["speaker"] == "customer"]

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
        return mean(current) - mean(previous)

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
            nearest(mean(current)),
            self.trend(),
            nearest(self.difference(t) or 0),
            len(current),
            len(judged),
            t,
            self.sustained(),
            nearest(mean(previous)) if previous else 0,
            len(previous),
        ]

    def note_newest(self, now):
        ends = [u["end"] for u in self.judged()]
        if ends and max(ends) != self.newest:
            self.newest, self.newest_at = max(ends), now["mono_us"]

    def evidence(self, t):
        current, previous = self.windows(t)
        if self.path == "declining":
            reference = mean(previous)
        else:
            reference = Fraction(self.policy["sustained_reference"])
        worst = sorted(current, key=lambda u: (u["score"], u["end"], u["start"]))[:5]
        return [
            [u["start"], u["end"], u["score"], nearest((u["score"] - reference) / len(current))]
            for u in worst
        ]

    def judge(self, now, reading):
        p = self.policy
        t = reading[5]
        if any(u["pending"] and u["end"] <= t for u in self.known):
            return []
        current, _ = self.windows(t)
        effect = {"reading": reading, "path": self.path}
        if self.open:
            if mean(current) <= p["recover_above"]:
                self.above_since = None
                return []
            if self.above_since is None:
                self.above_since = t
            event_now = self.newest + (now["mono_us"] - self.newest_at) // 1000
            if event_now - self.above_since < p["recover_hold_ms"]:
                return []
            self.open, self.origin = False, t
            return [{**effect, "is": "recovered", "episode": self.episode}]
        cooled = self.cooling_from is None or (
            now["mono_us"] >= self.cooling_from + p["cooldown_ms"] * 1000
        )
        declining = reading[1] == "declining"
        if (
            not cooled
            or len(current) < p["samples_min"]
            or t < now["vendor_ms"] - p["lateness_ms"]
            or mean(current) >= p["alert_below"]
            or not (declining or reading[6] > p["sustained_limit"])
        ):
            return []
        self.open, self.delivered, self.above_since = True, False, None
        self.episode += 1
        self.cooling_from = now["mono_us"]
        self.path = "declining" if declining else "sustained_low"
        return [
            {
                "is": "alert",
                "reading": reading,
                "episode": self.episode,
                "path": self.path,
                "evidence": self.evidence(t),
            }
        ]

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
