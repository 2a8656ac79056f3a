#!/usr/bin/env python3
"""Runs the tutorial's own program against the simulator: what it was written for must work.

A separate command, because it needs the tutorial's text and the Python package httpx:

    tests/e2e/run_tutorial.py --tutorial FILE [--python PYTHON]

Passes if every request was answered with 2xx and at least one attribute and one suggestion
arrived. One call is played from its beginning, a complaint that opens with an angry sentence.
"""

import argparse
import collections
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import live  # noqa: E402
import tutorial_listing  # noqa: E402
from ledger import read_ledger  # noqa: E402

CALL = "123e4567-e89b-12d3-a456-426614174000"
SKIPPED = 77


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tutorial", help="the tutorial's text file")
    parser.add_argument("--python", default=sys.executable, help="one that has httpx")
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--sim", help="default: undertone-sim in the build folder")
    parser.add_argument("--out", default=os.path.join(ROOT, "tests/e2e/out/tutorial"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def reason_to_skip(options):
    if not options.tutorial:
        return "no tutorial file given (--tutorial FILE)"
    found = subprocess.run([options.python, "-c", "import httpx"], capture_output=True)
    if found.returncode:
        return f"{options.python} has no package httpx (Debian: python3-httpx)"
    return None


def run(options):
    """The ledger of one run, and what the program printed."""
    os.makedirs(options.out, exist_ok=True)
    script = os.path.join(options.out, "tutorial.py")
    with open(options.tutorial, encoding="utf-8") as file:
        source = tutorial_listing.runnable(
            file.read(), os.path.join(ROOT, "tests/e2e/scores.tsv.gz")
        )
    live.write_private(script, source)
    simulator = live.Simulator(
        options.sim or os.path.join(options.build, "undertone-sim"),
        options.out,
        ["--calls", "1", "--ids", CALL, "--sources", "cucom=1", "--mid-call", "off",
         "--seed", str(options.seed), "--filter", "start>", "--expires-in", "3600"],
        tls=True,
    )
    output = os.path.join(options.out, "tutorial.log")
    try:
        simulator.await_ready()
        environment = live.clean_environment() | {
            "CXONE_ENV": simulator.address,
            "CXONE_CLIENT_ID": "demo-client",
            "CXONE_CLIENT_SECRET": live.SECRET,
            "CXONE_INTERACTION_ID": CALL,
            "SSL_CERT_FILE": simulator.ca,
        }
        with open(output, "wb") as log:
            program = subprocess.Popen(
                [options.python, "-u", script], env=environment, stdout=log, stderr=log
            )
            time.sleep(options.seconds)
            ended = program.poll()
            program.kill()
            program.wait()
        if ended is not None:
            raise live.Failure(f"the tutorial's program ended with {ended}: see {output}")
    finally:
        simulator.stop(10)
    with open(output, encoding="utf-8", errors="replace") as log:
        return read_ledger(simulator.ledger), log.read()


def main():
    options = parse_arguments()
    reason = reason_to_skip(options)
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    try:
        ledger, output = run(options)
    except (live.Failure, OSError, ValueError) as problem:
        print(f"run_tutorial: {problem}", file=sys.stderr)
        return 2
    answers = collections.Counter()
    for (kind, status), count in ledger.statuses.items():
        answers[f"{kind} {status}"] += count
    refused = sum(n for (_, status), n in ledger.statuses.items() if not 200 <= status < 300)
    print(", ".join(f"{answer}: {count}" for answer, count in sorted(answers.items())))
    print(f"printed {output.count('[ALERT]')} alerts and {output.count('[ERROR]')} errors")
    failures = [f"{refused} requests refused: {dict(ledger.reasons)}"] if refused else []
    for wanted in ("served 200", "attributes 204", "suggestion 200"):
        if not answers[wanted]:
            failures.append(f"no {wanted}")
    print("\n".join(f"FAILED {f}" for f in failures) if failures else "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
