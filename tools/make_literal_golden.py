#!/usr/bin/env python3
"""Runs the tutorial's own classes and writes what they answer to tests/golden/literal.

Takes the tutorial's text, which is not part of this repository, and puts the indentation of its
complete example back as tools/tutorial_listing.py does. Nothing else of it is changed: its imports
of httpx, torch and transformers find stand-ins (a vendor that answers from a list of segments, a
model that is a table), and its clock and sleep are pretended ones. numpy is the real one.

    windows.jsonl.gz  WindowedAggregator alone: {"does": [[time, score] to add, [time] to read],
                      "gives": [[mean, trend] of each read]}
    calls.jsonl.gz    CXoneSentimentProcessor.run(): {"name", "filter",
                      "segments": [{..., "visible", "label" (null: the pipeline raises),
                      "cut" (bytes the model was shown)}],
                      "as_written" and "repaired": what it did with labels in lower case, and
                      with the same in the case that its map expects}

Needs the Python package numpy. The same seed gives the same files.
"""

import argparse
import contextlib
import datetime
import gzip
import hashlib
import io
import itertools
import json
import os
import random
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import make_recordings  # noqa: E402
import tutorial_listing  # noqa: E402

ROUND_TRIP_MS = 50
TAIL_MS = 5000
JOIN_MS_MAX = 60000
LABELS = ("negative", "neutral", "positive")
TOO_LONG = "\u5f88"  # one token a character: 512 of them are more than the model takes

PASSES = {
    "start>": lambda start, end, since: start > since,
    "start>=": lambda start, end, since: start >= since,
    "end>": lambda start, end, since: end > since,
    "end>=": lambda start, end, since: end >= since,
}


class Over(BaseException):
    """The recording has ended. Not an Exception: the tutorial catches those."""


class World:
    """The clock, the vendor and the model that the tutorial's program meets."""

    def __init__(self):
        self.now_ms = 0
        self.segments = []

    def start(self, call, label_of):
        self.segments = sorted(call["segments"], key=lambda s: s["startTime"])
        first = min(s["visible"] for s in self.segments)
        begin = max(min(s["startTime"] for s in self.segments), first - JOIN_MS_MAX)
        self.now_ms = min(begin, first)
        self.end_ms = max(s["visible"] for s in self.segments) + TAIL_MS
        self.passes = PASSES[call["filter"]]
        self.label_of = label_of
        self.polls = 0
        self.raised = 0
        self.patches = []
        self.suggestions = []
        self.steps = []

    def fetch(self, since):
        if self.now_ms > self.end_ms:
            raise Over
        self.now_ms += ROUND_TRIP_MS
        self.polls += 1
        return [
            segment
            for segment in self.segments
            if segment["visible"] <= self.now_ms
            and self.passes(segment["startTime"], segment["endTime"], since)
        ]

    def sleep(self, seconds):
        self.now_ms += round(seconds * 1000)


class Response:
    status_code = 200
    headers = {}

    def __init__(self, body):
        self.body = body

    def json(self):
        return self.body

    def raise_for_status(self):
        pass


def stand_ins(world):
    """The modules that the listing imports and this machine need not have."""

    class AsyncClient:
        def __init__(self, timeout):
            pass

        async def __aenter__(self):
            return self

        async def __aexit__(self, *problem):
            return False

        async def get(self, url, headers, params):
            return Response(world.fetch(params["startTime"]))

        async def patch(self, url, headers, json):
            world.now_ms += ROUND_TRIP_MS
            values = list(json["attributes"].values())
            assert len(values) == 2
            world.patches.append(values)
            return Response(None)

        async def post(self, url, headers=None, json=None, data=None):
            if data is not None:
                return Response({"access_token": "t", "expires_in": 10**12})
            world.now_ms += ROUND_TRIP_MS
            world.suggestions.append(world.batch_time)
            return Response(None)

    def pipeline(task, model, device):
        def run(text):
            label = world.label_of(text)
            if label is None:
                world.raised += 1
                raise RuntimeError("more tokens than positions")
            return [{"label": label}]

        return run

    httpx = types.ModuleType("httpx")
    httpx.AsyncClient = AsyncClient
    httpx.HTTPStatusError = type("HTTPStatusError", (Exception,), {})
    torch = types.ModuleType("torch")
    torch.cuda = types.SimpleNamespace(is_available=lambda: False)
    transformers = types.ModuleType("transformers")
    transformers.pipeline = pipeline
    return {"httpx": httpx, "torch": torch, "transformers": transformers}


def load(tutorial, world):
    """The tutorial's names, with its clock and sleep exchanged."""
    listing = tutorial_listing.listing_of(tutorial)
    source = "\n".join(
        "    " * int(level) + line.strip() for level, line in zip(tutorial_listing.LEVELS, listing)
    )
    sys.modules.update(stand_ins(world))
    module = types.ModuleType("tutorial")
    sys.modules["tutorial"] = module
    exec(compile(source, "tutorial", "exec"), module.__dict__)

    async def sleep(seconds):
        world.sleep(seconds)

    class Now(datetime.datetime):
        @classmethod
        def now(cls, zone):
            epoch = datetime.datetime(1970, 1, 1, tzinfo=zone)
            return epoch + datetime.timedelta(milliseconds=world.now_ms)

    module.asyncio = types.SimpleNamespace(sleep=sleep)
    module.datetime = Now
    module.time = types.SimpleNamespace(time=lambda: world.now_ms / 1000.0)
    return module


def watch(processor, world):
    """Notes every score, mean and trend on its way."""
    analyze, read, add = (
        processor.engine.analyze,
        processor.aggregator.get_trend,
        processor.aggregator.add_score,
    )
    seen = {}

    def noting_analyze(text):
        seen["score"] = analyze(text)
        return seen["score"]

    def noting_add(timestamp, score):
        seen["start"] = timestamp
        add(timestamp, score)

    def noting_read(current_time):
        world.batch_time = current_time
        mean, trend = read(current_time)
        world.steps.append([current_time, seen["start"], seen["score"], mean, trend.value])
        return mean, trend

    processor.engine.analyze = noting_analyze
    processor.aggregator.add_score = noting_add
    processor.aggregator.get_trend = noting_read


def play(module, world, call, label_of):
    world.start(call, label_of)
    processor = module.CXoneSentimentProcessor("vendor.example", "id", "secret", "call")
    watch(processor, world)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            processor.run().send(None)
    except Over:
        pass
    return {
        "polls": world.polls,
        "raised": world.raised,
        "steps": world.steps,
        "patches": world.patches,
        "suggestions": world.suggestions,
    }


# --- sequences for the windows alone ---


def random_score(rng, kind):
    if kind == "labels":
        return rng.choice((0.0, 0.5, 1.0))
    if kind == "thirds":
        return rng.randrange(4) / 3
    return rng.random()


# A step of exactly 0.05, up and down; an entry exactly at the cutoff.
BOUNDARIES = (
    [[0.0, 0.0], [0.0], [40.0, 0.05], [40.0]],
    [[0.0, 0.05], [0.0], [40.0, 0.0], [40.0]],
    [[0.0, 0.0], [30.0, 1.0], [30.0], [30.5]],
)


def window_sequence(rng):
    """Mostly in order, sometimes late, early, on a boundary or all at once."""
    kind = rng.choice(("labels", "thirds", "graded", "graded"))
    crowd = rng.random() < 0.06
    pace = rng.choice((0.05, 0.02)) if crowd else rng.choice((0.5, 4.0, 9.0))
    now = rng.choice((0.0, 1698765432.1, 1.7e9))
    does = []
    for _ in range(rng.randrange(150, 700) if crowd else rng.randrange(1, 36)):
        now += rng.choice((0.0, pace, rng.uniform(0, 2 * pace)))
        at = now - rng.choice((0.0, 0.0, 2.5, rng.uniform(0, 8), 30.0, 45.0))
        does.append([at, random_score(rng, kind)])
        if rng.random() < (0.05 if crowd else 0.8):
            behind = -30.0 * (rng.random() < 0.03)
            does.append([now + rng.choice((0.0, 0.7, rng.uniform(0, 3), behind))])
    does.append([now])
    return does


def run_windows(module, does):
    aggregator = module.WindowedAggregator()
    gives = []
    for action in does:
        if len(action) == 2:
            aggregator.add_score(*action)
        else:
            mean, trend = aggregator.get_trend(*action)
            gives.append([mean, trend.value])
    return gives


# --- calls ---

BLANKS = ("", " ", "\t\n", "\x1c\x1f", "\u00a0\u2003", "\u3000", "\u2028\x85", "\u1680 \u205f")
NEARLY_BLANK = ("\u200b", "\ufeff", "\u180e", "\u2060", ".")


def random_text(rng, n):
    chance = rng.random()
    if chance < 0.08:
        return rng.choice(BLANKS)
    if chance < 0.11:
        return rng.choice(NEARLY_BLANK) + str(n) * (rng.random() < 0.5)
    if chance < 0.15:
        piece = rng.choice(("word ", "\u00e9t\u00e9 ", "\U0001f621"))
        return f"{n} " + piece * rng.randrange(90, 300)
    if chance < 0.165:
        return TOO_LONG * rng.randrange(500, 600)
    return f"utterance {n} of {rng.randrange(10**6)}"


def random_call(rng, number):
    count = rng.randrange(1, 50)
    at = 1698765432000 + rng.randrange(10**9)
    late = rng.choice((0.0, 0.0, 0.1))
    delay = rng.choice((700, 700, 700, 0, 2000, 20000, 45000))
    segments = []
    for n in range(count):
        length = rng.choice((0, 400, 1800, rng.randrange(1, 9000)))
        segment = {
            "text": random_text(rng, n),
            "startTime": at,
            "endTime": at + length,
            "direction": rng.choice(("customer", "agent")),
            "isFinal": rng.random() < 0.93,
        }
        segment["visible"] = segment["endTime"] + delay
        if rng.random() < late:
            segment["visible"] += rng.randrange(20000)
        segments.append(segment)
        at += rng.choice((length, length + 600, length - 300 if length > 300 else 0, 0,
                          length + rng.randrange(12000)))
    # A filter on ends, or a segment without length, makes it poll without pause and score one
    # segment for ever: real, but large, so in short calls only.
    name = "start>" if rng.random() < 0.7 else rng.choice(sorted(PASSES))
    if name != "start>":
        segments = segments[: rng.randrange(1, 5)]
        at = segments[0]["startTime"]
        for segment in segments:  # close together
            shift = segment["startTime"] - at
            for key in ("startTime", "endTime", "visible"):
                segment[key] -= shift - min(shift, 3000)
            segment["visible"] = min(segment["visible"], segment["endTime"] + 2000)
    return {"name": f"random-{number}", "filter": name, "segments": segments}


def hashed_label(text):
    """Any label, always the same for a text."""
    if TOO_LONG * 500 in text:
        return None
    return LABELS[hashlib.sha256(text.encode()).digest()[0] * 10 // 256 % 3]


def read_scores():
    path = os.path.join(ROOT, "tests/e2e/scores.tsv.gz")
    with gzip.open(path, "rt", encoding="ascii") as lines:
        return dict(line.rstrip("\n").split("\t") for line in lines)


def scored_label(scores, text):
    score = scores.get(hashlib.sha256(text.encode()).hexdigest()[:16], "-")
    if score == "-":
        return "neutral"
    return LABELS[0 if float(score) < 1 / 3 else 2 if float(score) > 2 / 3 else 1]


KEPT = ("text", "startTime", "endTime", "direction", "isFinal", "visible")


def recorded_calls(limits):
    for source, limit in limits:
        for number, lines in enumerate(make_recordings.calls_of(source)):
            if number == limit:
                break
            for line in lines:
                line["visible"] = line["endTime"] + 700
            yield {
                "name": lines[0]["interactionId"],
                "filter": "start>",
                "segments": [{key: line[key] for key in KEPT} for line in lines],
            }


def golden_call(module, world, call, label_of):
    call["as_written"] = play(module, world, call, label_of)

    def upper(text):
        label = label_of(text)
        return label and label.upper()

    call["repaired"] = play(module, world, call, upper)
    for segment in call["segments"]:
        shown = segment["text"][:512]
        segment["label"] = label_of(shown)
        segment["cut"] = len(shown.encode())
    return call


def write(path, records):
    """Without a time stamp, so that the same content is the same file."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as file:
        for record in records:
            file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("tutorial", help="the tutorial's text file")
    parser.add_argument("--out", default=os.path.join(ROOT, "tests/golden/literal"))
    parser.add_argument("--windows", type=int, default=400, help="sequences (%(default)s)")
    parser.add_argument("--calls", type=int, default=240, help="random calls (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    world = World()
    try:
        with open(options.tutorial, encoding="utf-8") as file:
            module = load(file.read(), world)
    except (OSError, ValueError) as problem:
        print(f"make_literal_golden: {options.tutorial}: {problem}", file=sys.stderr)
        return 1
    os.makedirs(options.out, exist_ok=True)
    sequences = itertools.chain(
        BOUNDARIES, (window_sequence(rng) for _ in range(options.windows))
    )
    write(
        os.path.join(options.out, "windows.jsonl.gz"),
        ({"does": does, "gives": run_windows(module, does)} for does in sequences),
    )
    calls = [
        golden_call(module, world, random_call(rng, n), hashed_label) for n in range(options.calls)
    ]
    scores = read_scores()
    for call in recorded_calls((("harper", 7), ("abcd", 5), ("ms", 6), ("cucom", 30))):
        calls.append(golden_call(module, world, call, lambda text: scored_label(scores, text)))
    write(os.path.join(options.out, "calls.jsonl.gz"), calls)
    steps = sum(len(call["repaired"]["steps"]) for call in calls)
    suggestions = sum(len(call["repaired"]["suggestions"]) for call in calls)
    print(f"{len(calls)} calls, {steps} steps, {suggestions} suggestions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
