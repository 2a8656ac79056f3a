#!/usr/bin/env python3
"""Recomputes the measures of `undertone replay --labels --evaluate --json` from the turns and calls
that it prints beside them, and compares to 1e-9.

    undertone replay --labels --evaluate --json labelled.jsonl | tools/check_evaluation.py

Shares no code with the program: measures are written here from their definitions, the generator of
the bootstrap too.
"""

import json
import math
import statistics
import sys
from collections import defaultdict

SUPPORT_MIN = 10
ROUNDS = 1000
SEED = 20261124
ERDE_TURNS = 10
CLASSES = (-1, 0, 1)
MASK = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Rand:
    """xoshiro256**, seeded by splitmix64's mixer."""

    def __init__(self, seed):
        self.s = [mix((seed + i * 0x9E3779B97F4A7C15) & MASK) for i in range(4)]

    def next(self):
        s = self.s
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result

    def below(self, bound):
        threshold = (1 << 64) % bound
        while True:
            x = self.next()
            if x >= threshold:
                return x % bound


def ratio(part, whole):
    return part / whole if whole else None


def macro_f1(turns, support_min):
    scores = []
    for c in CLASSES:
        occurs = sum(t["is"] == c for t in turns)
        if occurs and occurs >= support_min:
            hits = sum(t["is"] == c == t["taken"] for t in turns)
            named = sum(t["taken"] == c for t in turns)
            precision = hits / named if named else 0
            recall = hits / occurs
            scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return (statistics.fmean(scores) if scores else None), len(scores)


def kappa(turns):
    n = len(turns)
    if not n:
        return None
    observed = sum((t["is"] - t["taken"]) ** 2 for t in turns) / n
    expected = sum(
        (i - j) ** 2
        * (sum(t["is"] == i for t in turns) / n)
        * (sum(t["taken"] == j for t in turns) / n)
        for i in CLASSES
        for j in CLASSES
    )
    return 1 - observed / expected if expected else None


def calibration(pairs):
    bins = defaultdict(list)
    for p, right in pairs:
        bins[min(9, int(p * 10))].append((p, right))
    if not pairs:
        return None
    return sum(
        len(b) / len(pairs) * abs(statistics.fmean(p for p, _ in b) - sum(r for _, r in b) / len(b))
        for b in bins.values()
    )


def alert_measures(calls):
    told = [c for c in calls if c["told"]]
    wanted = [c for c in calls if c["wanted"]]
    calm = [c for c in calls if not c["wanted"]]
    right = [c for c in told if c["wanted"]]
    precision, recall = ratio(len(right), len(told)), ratio(len(right), len(wanted))
    if precision and recall:
        f1 = 2 * precision * recall / (precision + recall)
    else:
        f1 = 0.0 if told or wanted else None
    hours = sum(c["length_ms"] for c in calls) / 3.6e6
    recoveries = [c for c in right if c["recovery_wanted"]]

    def cost(c):
        if not c["told"]:
            return 1.0 if c["wanted"] else 0.0
        if not c["wanted"]:
            return len(wanted) / len(calls)
        return 1 - 1 / (1 + math.exp(c["turn"] + 1 - ERDE_TURNS))

    def median(values):
        return statistics.median(values) if values else None

    return {
        "calls": len(calls),
        "wanted": len(wanted),
        "told_right": len(right),
        "told_wrong": len(told) - len(right),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "calm_told": ratio(sum(c["told"] for c in calm), len(calm)),
        "alerts_a_call": ratio(sum(c["alerts"] for c in calls), len(calls)),
        "wrong_an_hour": ratio(sum(c["alerts"] for c in calm), hours),
        "turns_off": median([c["turns_off"] for c in right]),
        "seconds_off": median([c["off_ms"] / 1000 for c in right]),
        "early": ratio(sum(c["turns_off"] < -1 for c in right), len(right)),
        "late": ratio(sum(c["turns_off"] > 1 for c in right), len(right)),
        "seconds_to_tell": median([c["told_ms"] / 1000 for c in told]),
        "erde": ratio(sum(map(cost, calls)), len(calls)),
        "recoveries": len(recoveries),
        "recovered": ratio(sum(c["recovered"] for c in recoveries), len(recoveries)),
        "supervisor_precision": ratio(
            sum(c["supervisor"] and c["supervisor_wanted"] for c in calls),
            sum(c["supervisor"] for c in calls),
        ),
        "supervisor_recall": ratio(
            sum(c["supervisor"] and c["supervisor_wanted"] for c in calls),
            sum(c["supervisor_wanted"] for c in calls),
        ),
        "alert_calibration_error": calibration(
            [(c["confidence"], c["wanted"]) for c in told if c["confidence"] > 0]
        ),
    }


def rule_measures(calls, rule):
    with_it = [c for c in calls if c["rules"].get(rule)]
    right = sum(c["wanted"] for c in with_it)
    return {
        "fired": sum(c["rules"][rule] for c in with_it),
        "right": right,
        "wrong": len(with_it) - right,
        "precision": ratio(right, len(with_it)),
    }


def turn_measures(turns, support_min):
    f1, classes = macro_f1(turns, support_min)
    return {
        "turns": len(turns),
        "accuracy": ratio(sum(t["is"] == t["taken"] for t in turns), len(turns)),
        "macro_f1": f1,
        "classes": classes,
        "kappa": kappa(turns),
        "turn_calibration_error": calibration(
            [(t["probability"], t["is"] == t["taken"]) for t in turns]
        ),
    }


def intervals(calls, turns_of, support_min):
    rand = Rand(SEED)
    drawn = defaultdict(list)
    for _ in range(ROUNDS):
        chosen = [calls[rand.below(len(calls))] for _ in calls]
        turns = [t for c in chosen for t in turns_of[c["interaction"]]]
        alerts = alert_measures(chosen)
        values = {k: alerts[k] for k in ("precision", "recall", "f1", "calm_told")}
        values["macro_f1"] = macro_f1(turns, support_min)[0]
        values["kappa"] = kappa(turns)
        for key, value in values.items():
            if value is not None:
                drawn[key].append(value)
    out = {}
    for key in ("precision", "recall", "f1", "calm_told", "macro_f1", "kappa"):
        values = sorted(drawn[key])
        n = len(values)
        low = values[n * 25 // 1000] if n else None
        high = values[-(-n * 975 // 1000) - 1] if n else None
        out[key + "_95"] = [low, high]
    return out


def differs(got, want):
    if isinstance(want, list):
        return any(differs(g, w) for g, w in zip(got, want, strict=True))
    if got is None or want is None:
        return got is not want
    return abs(got - want) > 1e-9


def main():
    turns, calls, rows, rules = [], [], [], []
    kinds = {"turn": turns, "call": calls, "measures": rows, "rule": rules}
    for line in sys.stdin:
        record = json.loads(line)
        if record["kind"] in kinds:
            kinds[record["kind"]].append(record)
    wrong = compared = 0

    def compare(row, want):
        nonlocal wrong, compared
        for key, value in want.items():
            if key not in row:
                continue
            compared += 1
            if differs(row[key], value):
                wrong += 1
                print(f"{row['source']}, {row['judgement']}: {key} is {row[key]}, here {value}")

    def calls_of(row):
        return [
            c
            for c in calls
            if c["judgement"] == row["judgement"]
            and c["labelled"]
            and row["source"] in ("all", c["source"])
        ]

    for row in rules:
        compare(row, rule_measures(calls_of(row), row["rule"]))
    for row in rows:
        support_min = 1 if row["source"] == "all" else SUPPORT_MIN
        mine = calls_of(row)
        turns_of = defaultdict(list)
        for t in turns:
            if t["judgement"] == row["judgement"]:
                turns_of[t["interaction"]].append(t)
        want = alert_measures(mine)
        want |= turn_measures([t for c in mine for t in turns_of[c["interaction"]]], support_min)
        want |= intervals(mine, turns_of, support_min)
        compare(row, want)
    print(f"{len(rows)} rows, {compared} measures compared, {wrong} differ")
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
