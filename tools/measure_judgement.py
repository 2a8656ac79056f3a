#!/usr/bin/env python3
"""Measures the judgement against what it must reach: labelled calls, calm calls, counterfactuals.

    tools/measure_judgement.py --data DIR [--undertone PROGRAM] [--set KEY=VALUE]... [--keep DIR]

DIR holds call-labels, harper-valley-samples, abcd-samples, sgd-dialogues and multidogo. All of it
goes through `undertone replay --labels --evaluate`, this configuration, the same without deferral,
and the tutorial's code. Prints one line for each measure: what is wanted, what is reached, and
whether that is enough; status 1 if something is not.

Counterfactuals, five of each call, from a seeded generator: an alert call whose negative customer
turns are replaced by neutral ones of the same source must stay quiet; a calm call into which three
turns of mood -2 (of the same source, or where it has fewer than three of any) are put, the agent
answering each, must alert between the first of them and one customer turn after the third.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COPIES = 5
CALM_LIMIT = 500
DOMAINS = ("airline", "fastfood", "finance", "insurance", "media", "software")
PLAIN, EAGER, REPAIRED = "undertone", "no-deferral.yaml", "tutorial-literal-repaired"


def listed(value):
    return value if isinstance(value, list) else [value]


def read_lines(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from file


def labelled(data):
    for name in ("calls", "written"):
        for line in read_lines(os.path.join(data, "call-labels", name + ".jsonl")):
            yield json.loads(line)


def harper_times(data):
    """Call -> text -> times of its turns, in order."""
    times = defaultdict(lambda: defaultdict(list))
    for line in read_lines(os.path.join(data, "harper-valley-samples/conversations.jsonl.gz")):
        record = json.loads(line)
        for s in sorted(record["segments"], key=lambda s: s["offset_ms"]):
            start = s["offset_ms"]
            times["harper-" + record["sid"]][s["human_transcript"]].append(
                (start, start + s["duration_ms"])
            )
    return times


def with_times(call, times):
    for turn in call["turns"]:
        known = times.get(call["call"], {}).get(turn["text"])
        if known:
            turn["start"], turn["end"] = known.pop(0)
    return call


def calm(source, name, turns):
    return {
        "call": f"calm-{source}-{name}",
        "source": "calm-" + source,
        "turns": [{"i": i, "role": r, "text": t} for i, (r, t) in enumerate(turns)],
        "alert": None,
        "supervisor": False,
        "recovered": None,
    }


def calm_sgd(data):
    calls = []
    for line in read_lines(os.path.join(data, "sgd-dialogues/dev.jsonl.gz")):
        record = json.loads(line)
        turns = [("customer" if t[0] == "U" else "agent", t[1]) for t in record["turns"]]
        calls.append(calm("sgd", record["id"], turns))
    random.Random(7).shuffle(calls)
    return calls[:CALM_LIMIT]


def calm_multidogo(data):
    """The customers' side; rows whose columns are not what they should be are left out."""
    turns = defaultdict(list)
    for domain in DOMAINS:
        for line in read_lines(os.path.join(data, f"multidogo/{domain}.dev.tsv.gz")):
            columns = line.rstrip("\n").split("\t")
            if len(columns) == 6 and columns[1].isdigit():
                turns[f"{domain}-{columns[0]}"].append((int(columns[1]), columns[3]))
    calls = [
        calm("multidogo", name, [("customer", text) for _, text in sorted(said)])
        for name, said in sorted(turns.items())
    ]
    random.Random(7).shuffle(calls)
    return calls[:CALM_LIMIT]


def calm_others(data):
    for line in read_lines(os.path.join(data, "abcd-samples/abcd_5_conversations.jsonl.gz")):
        record = json.loads(line)
        turns = [(r, t) for r, t in record["original"] if r in ("agent", "customer")]
        yield calm("abcd", record["convo_id"], turns)
    for line in read_lines(os.path.join(data, "harper-valley-samples/conversations.jsonl.gz")):
        record = json.loads(line)
        call = calm("harper", record["sid"], [])
        for i, s in enumerate(sorted(record["segments"], key=lambda s: s["offset_ms"])):
            role = "agent" if s["speaker_role"] == "agent" else "customer"
            start = s["offset_ms"]
            call["turns"].append(
                {
                    "i": i,
                    "role": role,
                    "text": s["human_transcript"],
                    "start": start,
                    "end": start + s["duration_ms"],
                }
            )
        yield call


def pool_of(calls, wanted):
    pool = defaultdict(list)
    for call in calls:
        for turn in call["turns"]:
            if "mood" in turn and all(m == wanted for m in listed(turn["mood"])):
                pool[call["source"]].append(turn["text"])
    return pool


def neutralised(calls, rng):
    """Turns of which any reader says that they are negative are replaced."""
    pool = pool_of(calls, 0)
    for call in calls:
        if any(a is None for a in listed(call["alert"])):
            continue
        for copy in range(COPIES):
            turns = [
                (t["role"], rng.choice(pool[call["source"]]))
                if "mood" in t and min(listed(t["mood"])) < 0
                else (t["role"], t["text"])
                for t in call["turns"]
            ]
            made = calm(call["source"], f"{call['call']}-{copy}", turns)
            yield {**made, "source": "neutral-" + call["source"]}


def inserted(calls, rng):
    pool = pool_of(calls, -2)
    everywhere = sorted(text for texts in pool.values() for text in texts)
    for call in calls:
        if any(a is not None for a in listed(call["alert"])):
            continue
        texts = pool[call["source"]] if len(pool[call["source"]]) >= 3 else everywhere
        customers = [i for i, t in enumerate(call["turns"]) if t["role"] == "customer"]
        for copy in range(COPIES):
            at = rng.choice(customers[1:] or customers)
            rows = [(t["role"], t["text"]) for t in call["turns"]]
            extra = []
            for text in rng.sample(texts, 3):
                extra += [("customer", text), ("agent", "okay let me look into that for you")]
            made = calm(call["source"], f"{call['call']}-{copy}", rows[:at] + extra + rows[at:])
            made["alert"] = at + 4  # the third
            yield {**made, "source": "angered-" + call["source"]}


def write_corpora(data, folder):
    calls = list(labelled(data))
    times = harper_times(data)
    corpora = {
        "labelled": [with_times(json.loads(json.dumps(call)), times) for call in calls],
        "calm": [*calm_sgd(data), *calm_multidogo(data), *calm_others(data)],
        "neutral": list(neutralised(calls, random.Random(11))),
        "angered": list(inserted(calls, random.Random(12))),
    }
    paths = []
    for name, corpus in corpora.items():
        path = os.path.join(folder, name + ".jsonl")
        paths.append(path)
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(call) + "\n" for call in corpus)
    return paths


def evaluate(options, paths, folder):
    eager = os.path.join(folder, EAGER)
    with open(eager, "w", encoding="ascii") as out:
        out.write("alert:\n  defer_above: 1\n")
    command = [options.undertone, "replay", "--labels", "--evaluate", "--json"]
    command += [f"--compare={PLAIN},{eager}"]
    for setting in options.set:
        command += ["--set", setting]
    done = subprocess.run([*command, *paths], capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.decode())
    records = [json.loads(line) for line in done.stdout.decode().splitlines()]
    for record in records:
        record["judgement"] = os.path.basename(record["judgement"])
    return records


class Table:
    def __init__(self):
        self.failed = 0

    def line(self, what, goal, got, enough, detail=""):
        self.failed += enough is False
        mark = {True: "ok", False: "NO", None: ""}[enough]
        print(f"{what:<46} {goal:<14} {got:<10} {mark:<3} {detail}".rstrip())


def share(calls):
    return f"{sum(calls)} of {len(calls)}", sum(calls) / len(calls) if calls else 0.0


def interval(row, key):
    low, high = row[key + "_95"]
    return "" if low is None else f"({low:.3f} to {high:.3f})"


def of_prefix(calls, prefix, judgement):
    return [c for c in calls if c["judgement"] == judgement and c["source"].startswith(prefix)]


def report_labelled(table, calls):
    """Pooled over the labelled sources, which the command's own `all` is not: that has all."""
    mine = [c for c in calls if c["judgement"] == PLAIN and "-" not in c["source"]]
    told = [c for c in mine if c["told"]]
    right = [c for c in told if c["wanted"]]
    wanted = sum(c["wanted"] for c in mine)
    precision, recall = len(right) / len(told), len(right) / wanted
    f1 = 2 * len(right) / (len(told) + wanted)
    table.line("labelled calls: precision", ">= 0.92", f"{precision:.3f}", precision >= 0.92)
    table.line("labelled calls: recall", "", f"{recall:.3f}", None)
    table.line("labelled calls: F1", ">= 0.93", f"{f1:.3f}", f1 >= 0.93)
    off = sorted(abs(c["turns_off"]) for c in right)
    median = off[len(off) // 2]
    early = sum(c["turns_off"] < -1 for c in right) / len(right)
    table.line("median distance from the labelled turn", "<= 1 turn", str(median), median <= 1)
    table.line("more than one turn early", "<= 10 %", f"{early:.1%}", early <= 0.1)
    recoveries = [c["recovered"] for c in right if c["recovery_wanted"]]
    text, part = share(recoveries)
    table.line("recovery told", ">= 0.8", f"{part:.3f}", part >= 0.8, text)
    stayed = [c["recovered"] for c in right if not c["recovery_wanted"]]
    table.line("recovery told where none is labelled", "", share(stayed)[0], None)


def report_sources(table, rows):
    for row in rows:
        if row["judgement"] != PLAIN or "-" in row["source"] or row["source"] == "all":
            continue
        few = row["wanted"] < 5
        f1 = row["f1"]
        table.line(
            f"  {row['source']}: F1 ({row['wanted']} wanted of {row['calls']})",
            "" if few else ">= 0.85",
            "-" if f1 is None else f"{f1:.3f}",
            None if few else f1 >= 0.85,
            interval(row, "f1") + f" told right {row['told_right']}, wrong {row['told_wrong']}",
        )
    for row in rows:
        if row["judgement"] != PLAIN or "-" in row["source"] or row["source"] == "all":
            continue
        single = row["classes"] < 2
        value = row["accuracy"] if single else row["macro_f1"]
        what = "accuracy" if single else f"macro-F1 of {row['classes']}"
        detail = "" if single else interval(row, "macro_f1")
        label = f"  {row['source']}: turn mood, {what}"
        table.line(label, ">= 0.75", f"{value:.3f}", value >= 0.75, detail)


def report_calm(table, calls):
    mine = [c for c in calls if c["judgement"] == PLAIN and not c["wanted"]]
    groups = {"call-labels": [c for c in mine if "-" not in c["source"]]}
    for source in ("harper", "abcd", "sgd", "multidogo"):
        groups[source] = [c for c in mine if c["source"] == "calm-" + source]
    for name, group in groups.items():
        text, part = share([c["told"] for c in group])
        table.line(f"calm calls with an alert: {name}", "<= 5 %", f"{part:.1%}", part <= 0.05, text)


def report_counterfactuals(table, calls):
    for judgement, wanted in ((PLAIN, True), (REPAIRED, False)):
        note = "" if wanted else f" ({judgement})"
        quiet = [c["told"] for c in of_prefix(calls, "neutral-", judgement)]
        text, part = share(quiet)
        table.line("alert calls made neutral, with an alert" + note, "<= 5 %" if wanted else "",
                   f"{part:.1%}", part <= 0.05 if wanted else None, text)
        # The label is the third turn; the first lies two before it.
        heard = [c["told"] and -2 <= c["turns_off"] <= 1
                 for c in of_prefix(calls, "angered-", judgement)]
        text, part = share(heard)
        table.line("calm calls made angry, told in time" + note, ">= 95 %" if wanted else "",
                   f"{part:.1%}", part >= 0.95 if wanted else None, text)


def report_deferral(table, calls):
    for judgement in (EAGER, PLAIN):
        mine = [c for c in calls if c["judgement"] == judgement and c["source"].split("-")[0] !=
                "angered"]
        calm_calls = [c["told"] for c in mine if not c["wanted"]]
        bad = [c["told"] for c in mine if c["wanted"]]
        what = "without deferral" if judgement == EAGER else "with deferral"
        table.line(f"{what}: calm calls with an alert", "", share(calm_calls)[0], None,
                   f"told of {share(bad)[0]} that want it")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--undertone", default=os.path.join(ROOT, "build/release/undertone"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--keep", help="folder for the calls that are made up")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        records = evaluate(options, write_corpora(options.data, folder), folder)
    calls = [r for r in records if r["kind"] == "call"]
    rows = [r for r in records if r["kind"] == "measures"]
    table = Table()
    report_labelled(table, calls)
    report_sources(table, rows)
    report_calm(table, calls)
    report_counterfactuals(table, calls)
    report_deferral(table, calls)
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
