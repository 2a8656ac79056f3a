#!/usr/bin/env python3
"""Holds the alerts of `undertone replay --compare --json` against what calls were labelled.

    tools/make_recordings.py --out DIR ms
    undertone replay --compare=A,B --json DIR/ms.jsonl | tools/compare_labels.py

Counts, for each judgement and each sentiment that the Microsoft sample calls carry, how many
calls had an alert. The labels were made by a language model for whole calls: weak, but not ours.
"""

import collections
import gzip
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LABELLED = "sim/data/ms-contact-center-synthetic/it_helpdesk_calls.jsonl.gz"


def read_labels():
    with gzip.open(os.path.join(ROOT, LABELLED), "rt", encoding="utf-8") as lines:
        return {
            f"ms-{number + 1}": json.loads(line)["sentiment"] for number, line in enumerate(lines)
        }


def main():
    labels = read_labels()
    totals = collections.Counter(labels.values())
    alerted = {}
    for line in sys.stdin:
        event = json.loads(line)
        calls = alerted.setdefault(event["judgement"], set())
        if event["kind"] == "alert" and event["interaction"] in labels:
            calls.add(event["interaction"])
    if not alerted:
        print("compare_labels: no events on standard input", file=sys.stderr)
        return 1
    for judgement, calls in alerted.items():
        hits = collections.Counter(labels[call] for call in calls)
        parts = (f"{hits[label]} of {totals[label]} {label}" for label in sorted(totals))
        print(f"{judgement}: {', '.join(parts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
