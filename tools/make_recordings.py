#!/usr/bin/env python3
"""Turns the conversations in sim/data into recordings for `undertone replay`.

    tools/make_recordings.py --out DIRECTORY                  # every source, every call
    tools/make_recordings.py --out DIRECTORY cucom=500 abcd   # some of them, some calls each

Writes SOURCE.jsonl to the directory: one final segment a line. Harper Valley's calls keep their
real times; the others have none, so they are spoken at 150 words a minute with 0.6 s between
turns. --overlap lets that share of those turns begin 0.8 s before the one before has ended, and
--late has the vendor show everything that many seconds after it was said.
"""

import argparse
import gzip
import json
import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import transcripts  # noqa: E402

SOURCES = {
    "harper": "harper-valley-samples/conversations.jsonl.gz",
    "abcd": "abcd-samples/abcd_5_conversations.jsonl.gz",
    "ms": "ms-contact-center-synthetic/it_helpdesk_calls.jsonl.gz",
    "cucom": "cucom-ecommerce-synthetic/conversations.jsonl.gz",
}

AGENT_NAMES = {"agent"}
BEGIN_MS = 1765000000000
APART_MS = 3600 * 1000  # from one call's begin to the next's
WORDS_A_MINUTE = 150
PAUSE_MS = 600
OVERLAP_MS = 800


def direction_of(role):
    role = role.lower()
    if role in transcripts.CUSTOMER_NAMES:
        return "customer"
    return "agent" if role in AGENT_NAMES else None


def spoken(pairs, overlap, rng):
    """(role, text, start, end) of turns without times, in milliseconds from the call's begin."""
    at = 0
    for role, text in pairs:
        if not isinstance(text, str) or not direction_of(role):
            continue
        text = " ".join(text.split())
        length = max(len(text.split()), 1) * 60000 // WORDS_A_MINUTE
        yield role, text, at, at + length
        overlaps = rng.random() < overlap and length > OVERLAP_MS
        at += length + (-OVERLAP_MS if overlaps else PAUSE_MS)


def timed(segments):
    for segment in sorted(segments, key=lambda s: s["offset_ms"]):
        start = segment["offset_ms"]
        text = segment["human_transcript"]
        yield segment["speaker_role"], text, start, start + segment["duration_ms"]


def calls_of(source, overlap=0.0):
    """Each call as a list of replay lines."""
    rng = random.Random(1)
    path = os.path.join(ROOT, "sim/data", SOURCES[source])
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            record = json.loads(line)
            begin = BEGIN_MS + number * APART_MS
            if "segments" in record:
                turns = timed(record["segments"])
            else:
                turns = spoken(transcripts.turns_of(record), overlap, rng)
            call = [
                {
                    "interactionId": f"{source}-{number + 1}",
                    "text": text,
                    "startTime": begin + start,
                    "endTime": begin + end,
                    "direction": direction_of(role),
                    "isFinal": True,
                    "source": source,
                }
                for role, text, start, end in turns
            ]
            if call:
                yield call


def write(options, source, limit):
    calls = 0
    with open(os.path.join(options.out, source + ".jsonl"), "w", encoding="utf-8") as out:
        for call in calls_of(source, options.overlap):
            if calls == limit:
                break
            calls += 1
            for line in call:
                if options.late is not None:
                    line["visible"] = line["endTime"] + round(options.late * 1000)
                json.dump(line, out, ensure_ascii=False, separators=(",", ":"))
                out.write("\n")
    return calls


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, help="directory to write to")
    parser.add_argument("--overlap", type=float, default=0.0, help="share of turns, 0 to 1")
    parser.add_argument("--late", type=float, help="seconds (undertone's own default: 0.7)")
    parser.add_argument("sources", nargs="*", help="SOURCE or SOURCE=CALLS: " + ", ".join(SOURCES))
    options = parser.parse_args()
    wanted = [text.partition("=")[::2] for text in options.sources or SOURCES]
    for source, limit in wanted:
        if source not in SOURCES or not (limit == "" or limit.isdecimal()):
            known = ", ".join(SOURCES)
            parser.error(f"{source}={limit}: not one of {known}, or no number of calls")
    os.makedirs(options.out, exist_ok=True)
    for source, limit in wanted:
        print(f"{source}: {write(options, source, int(limit) if limit else None)} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
