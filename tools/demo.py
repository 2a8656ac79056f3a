#!/usr/bin/env python3
"""The demonstration behind ./demo.sh: undertone watches simulated calls over HTTPS.

Without arguments it goes on until Ctrl-C and tells every few seconds, in plain lines, what is
going on. With --check it runs for 90 seconds without a person, lets the ledger checker judge the
run, and succeeds only if an agent was told something within 60 seconds and nothing was lost.
"""

import argparse
import os
import signal
import socket
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import check_ledger  # noqa: E402
import live  # noqa: E402
from ledger import read_ledger, read_logs, read_scores  # noqa: E402

DISORDER = ["--late", "0.02", "--revised", "0.05", "--duplicated", "0.05", "--out-of-order", "0.05"]
CHECK_S = 90
PORT = 8090
TELL_EVERY_S = 5


class Teller:
    """Turns the daemon's log into lines for people, as it grows."""

    def __init__(self):
        self.offset = 0
        self.counts = {}
        self.told_at = time.monotonic()

    def __call__(self, daemon):
        fresh, self.offset = daemon.log_lines(self.offset)
        for line in fresh:
            event = line.get("event")
            self.counts[event] = self.counts.get(event, 0) + 1
            text = self.describe(event, line)
            if text:
                print(f"  {line.get('ts', '')[11:19]}  {text}", flush=True)
        if time.monotonic() - self.told_at >= TELL_EVERY_S:
            self.told_at = time.monotonic()
            print(self.summary(), flush=True)

    def describe(self, event, line):
        call = str(line.get("interaction", ""))[:8]
        if event == "alert_opened":
            why = {"declining": "mood is falling", "sustained_low": "mood stays low"}
            said = why.get(line["path"], line["path"])
            return f"ALERT       call {call}: {said}, at {line['score']:.2f} of 1"
        if event == "alert_recovered":
            return f"RECOVERED   call {call}: mood is back at {line['score']:.2f}"
        if event == "suggestion_sent":
            return f"SUGGESTION  call {call}: the agent has been told"
        if event == "started" and line.get("http_port"):
            return f"wallboard   http://127.0.0.1:{line['http_port']}/   (open it in a browser)"
        if line.get("level") in ("warn", "error"):
            return f"{line['level']:11} {line.get('msg', event)}"
        return None

    def summary(self):
        live_calls = self.counts.get("call_opened", 0) - self.counts.get("call_closed", 0)
        return (
            f"{live_calls} calls followed, {self.counts.get('utterance_scored', 0)} utterances "
            f"scored, {self.counts.get('alert_opened', 0)} alerts"
        )


def usual_port():
    """The wallboard's usual port, or 0 for any free one if somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="90 s, no person, a verdict")
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--out", help="folder for ledger, log and configuration")
    check_ledger.add_options(parser)
    parser.set_defaults(grace_ms=250, flushed=True, min_suggestions=1)
    return parser.parse_args()


def run(options):
    out = options.out or os.path.join(options.build, "demo")
    os.makedirs(out, mode=0o700, exist_ok=True)
    arguments = ["--calls", str(options.calls), "--seed", str(options.seed)] + DISORDER
    simulator = live.Simulator(
        os.path.join(options.build, "undertone-sim"), out, arguments, tls=True
    )

    def start_daemon(base_url):
        print(f"simulator   {base_url}, {options.calls} calls, ledger {simulator.ledger}")
        daemon = live.Daemon(
            os.path.join(options.build, "undertone"), out, base_url, ca=simulator.ca,
            settings={"http.listen": f"127.0.0.1:{usual_port()}"},
        )
        print(f"undertone   {' '.join(daemon.command)}, log {daemon.log}", flush=True)
        return daemon

    seconds = CHECK_S if options.check else None
    return simulator, live.run_pair(simulator, start_daemon, seconds, Teller())


def judge(simulator, daemon, options):
    report = check_ledger.check(
        read_ledger(simulator.ledger),
        read_logs([daemon.log]),
        read_scores(os.path.join(ROOT, "tests/e2e/scores.tsv.gz")),
        daemon.key(),
        options,
    )
    print()
    for line in check_ledger.summary_lines(report):
        print(line)
    return 1 if report["failures"] else 0


def main():
    options = parse_arguments()
    if options.check and options.first_suggestion is None:
        options.first_suggestion = 60
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        simulator, daemon = run(options)
    except KeyboardInterrupt:
        print("\nstopped")
        return 0 if not options.check else 130
    except (live.Failure, OSError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 2
    return judge(simulator, daemon, options) if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
