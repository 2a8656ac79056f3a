#!/usr/bin/env python3
"""Compares what the simulator served and received with what undertone says it did.

Every customer utterance served must be scored once in each of its forms and no more; no agent may
be told twice; the last attributes of each ended call must be those that the rules of judgement
(tools/judgement.py) give for PyTorch's scores. Shares no code with undertone.

Exit status 1 if anything was lost, doubled or judged wrongly, or a threshold given was missed;
2 if the inputs cannot be read.
"""

import argparse
import collections
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import judgement  # noqa: E402
from ledger import (  # noqa: E402
    interaction_hash,
    read_ledger,
    read_logs,
    read_scores,
    utterance_hash,
)

# What must be zero, with what it means.
MUST_BE_ZERO = {
    "lost": "served to undertone and never scored",
    "scored_twice": "scored more than once in the same form",
    "scored_unserved": "scored although no such form was served",
    "wrongly_blank": "called unscorable although there is something to judge",
    "wrongly_scored": "scored although nothing is left after cleaning",
    "masked_scored": "spoken while masked, as undertone had been told, and scored all the same",
    "misjudged": "judged in a language that the model does not know, or not judged in one it knows",
    "doubled": "suggestions an agent saw twice, or without an alert",
    "attribute_mismatches": "calls whose last attributes are wrong",
    "count_regressions": "attribute writes that went back to an older state",
    "leaked": "texts or names of calls that stand in undertone's log",
    "foreign_texts": "texts that the score table does not know: make it again",
}


def score_of(table, form):
    """The table's score; None if blank; 'foreign' if the table does not know the text."""
    try:
        return table.lookup(form["text"])
    except KeyError:
        return "foreign"


def served_scorings(calls, key):
    """(utterance hash, revision) -> (utterance, version), for every customer form served."""
    served = {}
    for call in calls:
        ordinals = collections.Counter()
        for utterance in call.arrivals:
            name = utterance_hash(key, call.name, utterance.start, ordinals[utterance.start])
            ordinals[utterance.start] += 1
            for revision, version in enumerate(utterance.served):
                served[name, revision] = utterance, version
    return served


def check_masked(served, log):
    """What was spoken while masked must not be scored, by those who had been told in time."""
    known = {name for name, (utterance, _) in served.items() if utterance.masked_known}
    masked = {name for name, (utterance, _) in served.items() if utterance.masked}
    return {
        "masked": len(known),
        "masked_untold": len(masked) - len(known),
        "masked_scored": sum(1 for name in known if log.scored[name]),
    }


def check_scorings(ledger, log, table, key, grace_ms):
    """served_final, scored, lost, scored_twice and their kin. A form that was served for the first
    time in the very last moment may have been cut off by the end of the run: in_flight."""
    served = served_scorings(ledger.calls.values(), key)
    expected = {name: found for name, found in served.items() if not found[0].masked}
    foreign = served_scorings([c for c in ledger.calls.values() if not c.is_judged()], key)
    names = ("scored", "blank", "not_judged", "misjudged", "lost", "in_flight",
             "scored_twice", "foreign_texts", "wrongly_blank", "wrongly_scored")
    found = dict.fromkeys(names, 0)
    found["served_final"] = len(expected)
    found.update(check_masked(served, log))
    for name, (utterance, version) in expected.items():
        form, served_t = utterance.forms[version], utterance.served_t[version]
        scored, blank, left = log.scored[name], log.unscorable[name], log.not_judged[name]
        found["not_judged"] += left > 0
        found["misjudged"] += (scored + blank > 0) if name in foreign else (left > 0)
        score = score_of(table, form)
        missing = "in_flight" if served_t > ledger.last_t - grace_ms else "lost"
        found["scored"] += scored > 0
        found["blank"] += blank > 0
        found[missing] += scored + blank + left == 0
        found["scored_twice"] += scored + blank + left > 1
        found["foreign_texts"] += score == "foreign"
        found["wrongly_blank"] += blank > 0 and score is not None
        found["wrongly_scored"] += scored > 0 and score is None
    found["scored_unserved"] = sum(
        1 for name in set(log.scored) | set(log.unscorable) | set(log.not_judged)
        if name not in served
    )
    return found


def check_suggestions(ledger, log, key):
    """Suggestions and those that an agent should not have seen."""
    shown_total = repeats = doubled = 0
    for call in ledger.calls.values():
        shown = [key_sent for _, key_sent, repeat in call.suggestions if not repeat]
        repeats += len(call.suggestions) - len(shown)
        shown_total += len(shown)
        named = [key_sent for key_sent in shown if key_sent]
        same_key = len(named) - len(set(named))
        alerts = log.alerts[interaction_hash(key, call.name)]
        doubled += max(same_key, len(shown) - alerts, 0)
    return {
        "suggestions": shown_total,
        "suggestion_repeats": repeats,
        "alerts": sum(log.alerts.values()),
        "doubled": doubled,
    }


def judged_of(call, table, with_untold=False):
    """(end, score) of the customer utterances served, in their last form; None if a text is
    foreign. Those spoken while masked count only where asked for, and undertone was not told."""
    judged = []
    for utterance in call.arrivals:
        if utterance.masked and not (with_untold and not utterance.masked_known):
            continue
        score = score_of(table, utterance.last())
        if score == "foreign":
            return None
        if score is not None:
            judged.append((utterance.last()["end"], score))
    return judged


def attribute_fault(attributes, judged, options):
    """(what is wrong with the last attributes of a call or None, whether the trend was near a
    limit so that either was accepted)."""
    mean, trends = judgement.judge(judged, options.slack)
    near = len(trends) > 1
    try:
        score = float(attributes[options.score_key])
    except (KeyError, ValueError):
        return f"no usable {options.score_key}", near
    if abs(score - mean) > options.tolerance:
        return f"score {score}, should be {mean:.3f}", near
    trend = attributes.get(options.trend_key)
    if trend not in trends:
        return f"trend {trend}, should be {' or '.join(sorted(trends))}", near
    count = attributes.get(options.count_key)
    if count is not None and count != str(len(judged)):
        return f"{options.count_key} {count}, should be {len(judged)}", near
    return None, near


def is_settled(call, ledger, options):
    """Its last attributes must have arrived: it is over, and has been for a while, or undertone
    was asked to stop and has delivered what it owed."""
    if options.flushed:
        return True
    last = max(call.ended_t or 0, call.last_served_t or 0)
    return call.ended_t is not None and ledger.last_t - last >= options.settle * 1000


def check_attributes(ledger, table, options):
    """The last attributes of every ended call against the rules of judgement."""
    checked = near_limit = 0
    faults = []
    for call in ledger.calls.values():
        judged = judged_of(call, table)
        if not call.is_judged():
            faults += [f"{call.name}: written, though not judged"] if call.patches else []
            continue
        if not judged or not is_settled(call, ledger, options):
            continue
        checked += 1
        merged = {}
        for _, attributes in call.patches:
            merged.update(attributes)
        fault, near = attribute_fault(merged, judged, options)
        if fault and any(u.masked and not u.masked_known for u in call.arrivals):
            fault, near = attribute_fault(merged, judged_of(call, table, True), options)
        near_limit += near
        if fault:
            faults.append(f"{call.name}: {fault}")
    return {
        "calls": len(ledger.calls),
        "calls_ended": sum(1 for call in ledger.calls.values() if call.ended_t is not None),
        "calls_checked": checked,
        "near_limit": near_limit,
        "attribute_mismatches": len(faults),
        "attribute_faults": faults,
    }


def counts_of(call, count_key):
    """(t, judged utterances) of the attribute writes that say so."""
    for t, attributes in call.patches:
        text = attributes.get(count_key, "")
        if text.isdigit():
            yield t, int(text)


def call_latencies(call, ledger, table, options):
    """Seconds from visible to the attribute write that covers it, for the utterances that became
    visible while undertone was polling; and how many no write covers."""
    counts = list(counts_of(call, options.count_key))
    if not call.is_judged():
        return [], 0
    live_from = ledger.vendor_ms(ledger.first_served_t + options.warm_up * 1000)
    latencies, uncovered, rank, at = [], 0, 0, 0
    for utterance in call.arrivals:
        form = utterance.first()
        if utterance.masked or score_of(table, form) in (None, "foreign"):
            continue
        rank += 1
        while at < len(counts) and counts[at][1] < rank:
            at += 1
        if form["visible"] <= live_from:
            continue
        if at == len(counts):
            uncovered += 1
            continue
        waited = (ledger.vendor_ms(counts[at][0]) - form["visible"]) / ledger.speed()
        latencies.append(waited / 1000)
    return latencies, uncovered


def quantiles(values):
    """p50, p95, p99 (nearest rank) and maximum."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0, "p50": None, "p95": None, "p99": None, "max": None}

    def rank(percent):
        return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 3)

    return {
        "count": len(ordered),
        "p50": rank(50),
        "p95": rank(95),
        "p99": rank(99),
        "max": round(ordered[-1], 3),
    }


def check_latency(ledger, table, options):
    latencies, uncovered, regressions = [], 0, 0
    for call in ledger.calls.values():
        counts = [count for _, count in counts_of(call, options.count_key)]
        if not any(u.masked and not u.masked_known for u in call.arrivals):
            # Otherwise undertone has to take back what it could not know to be masked.
            regressions += sum(1 for a, b in zip(counts, counts[1:]) if b < a)
        if ledger.first_served_t is not None:
            found, missing = call_latencies(call, ledger, table, options)
            latencies += found
            uncovered += missing
    return {
        "latency_s": quantiles(latencies),
        "uncovered": uncovered,
        "count_regressions": regressions,
    }


def first_suggestion_s(ledger, log):
    """Seconds from the daemon's start to the first suggestion shown; None without one."""
    times = [s[0] for call in ledger.calls.values() for s in call.suggestions if not s[2]]
    if not times or log.started_ms is None:
        return None
    return round((min(times) - log.started_ms) / 1000, 3)


def busiest_second(times):
    """The most requests in any one second, wherever it begins."""
    times = sorted(times)
    most = first = 0
    for last, t in enumerate(times):
        while t - times[first] >= 1000:
            first += 1
        most = max(most, last - first + 1)
    return most


def describe_traffic(ledger):
    total = sum(ledger.statuses.values())
    by_status = collections.Counter()
    for (_, status), count in ledger.statuses.items():
        by_status[str(status)] += count
    return {
        "requests": total,
        "requests_by_status": dict(sorted(by_status.items())),
        "requests_by_kind": {
            f"{kind} {status}": count for (kind, status), count in sorted(ledger.statuses.items())
        },
        "rejected_why": dict(ledger.reasons.most_common()),
        "share_429": round(by_status["429"] / total, 6) if total else 0.0,
        "busiest_second": busiest_second(ledger.request_times),
        "attribute_writes": ledger.statuses["attributes", 204],
    }


LEAK_WORDS_MIN = 3  # shorter texts stand in any log by chance
LEAK_NAME_MIN = 8


def check_privacy(ledger, log):
    """No text of either speaker and no name of a call may be read in the log."""
    everything = "\n".join(log.words)
    sentences = "\n".join(word for word in log.words if " " in word)
    texts = {
        form["text"]
        for call in ledger.calls.values()
        for utterance in call.utterances.values()
        for form in utterance.forms.values()
        if len(form["text"].split()) >= LEAK_WORDS_MIN
    }
    names = [name for name in ledger.calls if len(name) >= LEAK_NAME_MIN]
    leaked = sum(text in sentences for text in texts) + sum(name in everything for name in names)
    return {"leaked": leaked, "texts_looked_for": len(texts)}


def check(ledger, log, table, key, options):
    """All of it as one flat dictionary."""
    report = {}
    report.update(check_scorings(ledger, log, table, key, options.grace_ms))
    report.update(check_suggestions(ledger, log, key))
    report.update(check_attributes(ledger, table, options))
    report.update(check_latency(ledger, table, options))
    report.update(check_privacy(ledger, log))
    report["first_suggestion_s"] = first_suggestion_s(ledger, log)
    report.update(describe_traffic(ledger))
    report["disorder"] = dict(ledger.disorder.most_common())
    report["log_events"] = dict(log.events.most_common())
    report["log_levels"] = dict(log.levels.most_common())
    report["log_foreign_lines"] = log.foreign_lines
    report["ledger_broken_lines"] = ledger.broken_lines
    report["failures"] = failures_of(report, options)
    return report


def failures_of(report, options):
    failures = [
        f"{name} = {report[name]}: {meaning}"
        for name, meaning in MUST_BE_ZERO.items()
        if report[name]
    ]
    if report["log_foreign_lines"]:
        failures.append(f"{report['log_foreign_lines']} log lines are not JSON")
    measured = (
        ("p50", report["latency_s"]["p50"], options.p50),
        ("p99", report["latency_s"]["p99"], options.p99),
        ("first suggestion", report["first_suggestion_s"], options.first_suggestion),
    )
    for name, value, limit in measured:
        if limit is not None and (value is None or value > limit):
            failures.append(f"{name} is {value} s, at most {limit} s wanted")
    for name in options.expect:
        if not report["disorder"].get(name) and not report["rejected_why"].get(name):
            failures.append(f"{name} never happened: the run did not test it")
    for name in ("served_final", "calls_checked", "suggestions"):
        least = getattr(options, "min_" + name)
        if report[name] < least:
            failures.append(f"{name} = {report[name]}: at least {least} wanted")
    return failures


def seconds(value):
    return "none" if value is None else f"{value:.2f} s"


def summary_lines(report):
    """The report for people."""
    latency = report["latency_s"]
    yield (
        f"utterances  served {report['served_final']}, scored {report['scored']}, "
        f"blank {report['blank']}, lost {report['lost']}, twice {report['scored_twice']}, "
        f"unserved {report['scored_unserved']}, in flight at the end {report['in_flight']}"
    )
    yield (
        f"calls       {report['calls']} seen, {report['calls_ended']} ended, "
        f"{report['calls_checked']} checked, {report['attribute_mismatches']} wrong, "
        f"{report['near_limit']} near a limit"
    )
    yield (
        f"writes      attributes {report['attribute_writes']}, "
        f"suggestions {report['suggestions']} for {report['alerts']} alerts, "
        f"doubled {report['doubled']}, first after {seconds(report['first_suggestion_s'])}"
    )
    yield (
        f"latency     visible to attribute: p50 {seconds(latency['p50'])}, "
        f"p95 {seconds(latency['p95'])}, p99 {seconds(latency['p99'])}, "
        f"max {seconds(latency['max'])} ({latency['count']} utterances, "
        f"{report['uncovered']} without a write)"
    )
    statuses = ", ".join(f"{s}: {n}" for s, n in report["requests_by_status"].items())
    yield (
        f"requests    {report['requests']} ({statuses}), 429 share "
        f"{100 * report['share_429']:.3f} %, busiest second {report['busiest_second']}"
    )
    yield (
        f"privacy     {report['texts_looked_for']} texts and {report['calls']} names of calls "
        f"looked for in the log, {report['leaked']} found"
    )
    if report["disorder"]:
        things = ", ".join(f"{name}: {n}" for name, n in report["disorder"].items() if n)
        yield (
            f"disorder    {things or 'none'}; masked utterances {report['masked']}, "
            f"{report['masked_untold']} before undertone was told, scored {report['masked_scored']}"
        )
    if report["rejected_why"]:
        reasons = ", ".join(f"{why}: {n}" for why, n in report["rejected_why"].items())
        yield f"refused     {reasons}"
    events = ", ".join(f"{event}: {n}" for event, n in report["log_events"].items())
    yield f"log         {events}"
    for fault in report["attribute_faults"][:10]:
        yield f"wrong       {fault}"
    for failure in report["failures"]:
        yield f"FAILED      {failure}"
    if not report["failures"]:
        yield "passed"


def add_options(parser):
    parser.add_argument("--tolerance", type=float, default=0.01, help="of the score attribute")
    parser.add_argument("--slack", type=float, default=0.001, help="of differences at a limit")
    parser.add_argument("--settle", type=float, default=10, help="seconds a call must be over")
    parser.add_argument("--grace-ms", type=int, default=0, help="replies cut off by the end")
    parser.add_argument("--flushed", action="store_true", help="check running calls as well")
    parser.add_argument("--score-key", default="realtime_sentiment_score")
    parser.add_argument("--trend-key", default="sentiment_trend")
    parser.add_argument("--count-key", default="sentiment_utterances")
    parser.add_argument("--warm-up", type=float, default=0, metavar="S",
                        help="latencies count from S seconds after the first poll")
    parser.add_argument("--expect", action="append", default=[], metavar="NAME",
                        help="a disorder, or reason of a refusal, that must have happened")
    parser.add_argument("--p50", type=float, help="most seconds from visible to attribute, median")
    parser.add_argument("--p99", type=float, help="the same for 99 of 100")
    parser.add_argument("--first-suggestion", type=float, help="most seconds from start to it")
    parser.add_argument("--min-served-final", type=int, default=1)
    parser.add_argument("--min-calls-checked", type=int, default=0)
    parser.add_argument("--min-suggestions", type=int, default=0)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--log", required=True, action="append", help="again for a restarted run")
    parser.add_argument("--scores", default=os.path.join(ROOT, "tests/e2e/scores.tsv.gz"))
    parser.add_argument("--hash-key", required=True, help="a file with 64 hexadecimal digits")
    parser.add_argument("--json", help="also write the report here")
    add_options(parser)
    options = parser.parse_args()
    try:
        with open(options.hash_key, encoding="ascii") as file:
            key = bytes.fromhex(file.read().strip())
        ledger, log = read_ledger(options.ledger), read_logs(options.log)
        table = read_scores(options.scores)
    except (OSError, ValueError) as problem:
        print(f"check_ledger: {problem}", file=sys.stderr)
        return 2
    report = check(ledger, log, table, key, options)
    for line in summary_lines(report):
        print(line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
