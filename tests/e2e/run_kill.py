#!/usr/bin/env python3
"""Kills undertone with signal 9 at random moments under load, starts it again over the same store,
and lets the checker judge all its logs together, and what the store alone can tell.

A line that undertone logs about something counted is written after the commit that holds it, so a
kill may cut the line off but never the fact: after each kill the utterances that the database says
were answered, and no log names, are counted as proved by the store. One that is proved and logged
later all the same was scored twice.

    tests/e2e/run_kill.py --build build/release --kills 200 --calls 40
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import check_ledger  # noqa: E402
import live  # noqa: E402
from ledger import read_ledger, read_logs, read_scores, utterance_hash  # noqa: E402

# A record of a page: slot, flags, revision, ordinal, score, start, end, key, form.
RECORD = struct.Struct("<BBHHIqqQQ")
CUSTOMER, SCORED, UNANSWERED = 1, 0x10, 0x20


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--undertone", help="default: in the build folder")
    parser.add_argument("--sim", help="default: in the build folder")
    parser.add_argument("--out", default=os.path.join(ROOT, "tests/e2e/out/kill"), help="a folder")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--lives", type=float, nargs=2, default=(0.05, 2.0), metavar="S",
                        help="seconds from started to killed, at least and at most")
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="of the moments, and the simulator's")
    parser.add_argument("--settle-s", type=float, default=8, help="the last run's length, at least")
    parser.add_argument("--sim-option", action="append", default=[], help="as --sim-option=--x=y")
    parser.add_argument("--full-first", type=int, metavar="BYTES",
                        help="store.max_bytes of the first run, which lives 6 s with a full store")
    parser.add_argument("--first-poll", type=float, metavar="S",
                        help="most seconds from the start of a process to its first poll, median")
    check_ledger.add_options(parser)
    parser.set_defaults(grace_ms=250, flushed=True)
    return parser.parse_args()


def answered_in_store(path, key):
    """(scored, unscorable): the names of utterances that the database holds an answer for."""
    scored, blank = set(), set()
    with sqlite3.connect(path, timeout=10) as store:
        integrity = store.execute("PRAGMA integrity_check").fetchone()[0]
        if integrity != "ok":
            raise live.Failure(f"{path}: {integrity}")
        rows = store.execute(
            "SELECT id, bytes FROM page JOIN call ON page.call = call.number WHERE id IS NOT NULL"
        ).fetchall()
    store.close()
    for interaction, page in rows:
        for _, flags, revision, ordinal, _, start, *_ in RECORD.iter_unpack(page):
            if flags & 3 == CUSTOMER and not flags & UNANSWERED:
                name = utterance_hash(key, interaction, start, ordinal), revision
                (scored if flags & SCORED else blank).add(name)
    return scored, blank


def store_states(path):
    """How many suggestions are in which state."""
    names = {1: "waiting", 2: "intended", 3: "sent", 4: "unknown", 5: "dropped"}
    store = sqlite3.connect(path, timeout=10)
    found = dict(store.execute("SELECT state, count(*) FROM suggestion GROUP BY state"))
    store.close()
    return {names[state]: count for state, count in found.items()}


class Campaign:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.store = os.path.join(options.out, "state.db")
        self.decisions = os.path.join(options.out, "decisions.jsonl")
        self.logs = []
        self.starts_ms = []
        self.kills_ms = []
        self.proved = (set(), set())  # scored, unscorable
        self.daemon = None

    def start(self, base_url):
        settings = {"store.path": self.store, "rate.client_rps": 400,
                    "decisions.path": self.decisions}
        if self.options.full_first and not self.logs:
            settings["store.max_bytes"] = self.options.full_first
        self.starts_ms.append(time.time() * 1000)
        program = self.options.undertone or os.path.join(self.options.build, "undertone")
        self.daemon = live.Daemon(
            program, self.options.out, base_url, settings=settings, run=len(self.logs)
        )
        self.logs.append(self.daemon.log)
        self.daemon.await_started()

    def kill(self):
        full = self.options.full_first and len(self.logs) == 1
        time.sleep(6 if full else self.random.uniform(*self.options.lives))
        if not self.daemon.running():
            raise live.Failure(
                f"undertone ended with {self.daemon.status}:\n{self.daemon.log_tail()}"
            )
        self.daemon.kill()
        self.kills_ms.append(time.time() * 1000)
        log = read_logs(self.logs)
        in_store = answered_in_store(self.store, self.daemon.key())
        logged = set(log.scored) | set(log.unscorable)
        for proved, found in zip(self.proved, in_store):
            proved |= found - logged
        twice = [name for name in log.scored if log.scored[name] > 1]
        if twice:
            raise live.Failure(f"after {len(self.kills_ms)} kills {len(twice)} are scored twice")

    def await_scored(self, timeout_s=120):
        """Until nothing waits for the scorer: under a sanitizer it is many times slower."""
        started = [line for line in self.daemon.log_lines()[0] if line.get("event") == "started"]
        url = f"http://127.0.0.1:{started[0]['http_port']}/metrics"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with urllib.request.urlopen(url, timeout=10) as reply:
                if "\nundertone_scorer_queue_depth 0\n" in reply.read().decode():
                    return
            time.sleep(0.05)

    def run(self, simulator):
        base_url = simulator.await_ready()
        for number in range(self.options.kills):
            self.start(base_url)
            self.kill()
            if sys.stderr.isatty() or number % 20 == 19:
                print(f"{number + 1} kills", file=sys.stderr)
        self.start(base_url)
        time.sleep(self.options.settle_s)
        self.await_scored()
        if self.daemon.stop(live.STOP_S) != 0 or simulator.stop(live.STOP_S) != 0:
            raise live.Failure(
                f"undertone ended with {self.daemon.status}, undertone-sim with "
                f"{simulator.status}:\n{self.daemon.log_tail()}"
            )


def first_polls(campaign, ledger):
    """Seconds from each start to the first request that was counted, where one came in time."""
    times, found, at = sorted(ledger.request_times), [], 0
    ends = campaign.kills_ms + [float("inf")]
    for start, end in zip(campaign.starts_ms, ends):
        while at < len(times) and times[at] < start:
            at += 1
        if at < len(times) and times[at] < end:
            found.append((times[at] - start) / 1000)
    return found


def check_decisions(campaign, report):
    """Each alert that a log told of has one line in the log of decisions, whose chain is whole."""
    program = campaign.options.undertone or os.path.join(campaign.options.build, "undertone")
    done = subprocess.run([program, "decisions", "verify", campaign.decisions],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        report["failures"].append(f"the log of decisions: {done.stderr.strip()}")
        return
    with open(campaign.decisions, encoding="utf-8") as file:
        alerts = [line for line in map(json.loads, file) if line["kind"] == "alert"]
    told = [(line["call"], line["alert"]) for line in alerts]
    opened = set()
    for log in campaign.logs:
        with open(log, encoding="utf-8") as file:
            for text in file:
                if '"alert_opened"' in text and text.endswith("}\n"):
                    line = json.loads(text)
                    opened.add((line["interaction"], line["episode"]))
    twice, missing = len(told) - len(set(told)), len(opened - set(told))
    report["decisions"] = {
        "alerts": len(told), "twice": twice, "missing": missing,
        "reconstructed": sum(bool(line.get("reconstructed")) for line in alerts),
    }
    if twice or missing:
        report["failures"].append(f"decisions: {twice} alerts twice, {missing} missing")


def judge(campaign, simulator):
    options = campaign.options
    ledger, log = read_ledger(simulator.ledger), read_logs(campaign.logs)
    for names, logged in zip(campaign.proved, (log.scored, log.unscorable)):
        logged.update(names)
    table = read_scores(os.path.join(ROOT, "tests/e2e/scores.tsv.gz"))
    report = check_ledger.check(ledger, log, table, campaign.daemon.key(), options)
    report["kills"] = len(campaign.kills_ms)
    report["proved_by_store"] = sum(len(names) for names in campaign.proved)
    report["suggestions_in_store"] = store_states(campaign.store)
    check_decisions(campaign, report)
    polls = first_polls(campaign, ledger)
    report["first_poll_s"] = check_ledger.quantiles(polls)
    if options.first_poll and statistics.median(polls) > options.first_poll:
        report["failures"].append(f"first poll after {statistics.median(polls):.2f} s, median")
    if log.events["state_lost"] or log.events["store_failed"] != bool(options.full_first):
        report["failures"].append("the store failed, or did not where it should, or lost a state")
    return report


def main():
    options = parse_arguments()
    shutil.rmtree(options.out, ignore_errors=True)
    os.makedirs(options.out)
    arguments = ["--calls", str(options.calls), "--seed", str(options.seed), "--quota", "400"]
    simulator = live.Simulator(
        options.sim or os.path.join(options.build, "undertone-sim"),
        options.out, arguments + options.sim_option,
    )
    campaign = Campaign(options)
    try:
        campaign.run(simulator)
    except (live.Failure, OSError, sqlite3.Error) as problem:
        print(f"run_kill: {problem}", file=sys.stderr)
        return 2
    finally:
        if campaign.daemon:
            campaign.daemon.stop(10)
        simulator.stop(10)
    report = judge(campaign, simulator)
    polls = report["first_poll_s"]
    print(
        f"kills       {report['kills']}; answers whose log line was cut off and that the store "
        f"proves {report['proved_by_store']}; suggestions in the store "
        f"{report['suggestions_in_store']}; start to first poll p50 {polls['p50']} s, "
        f"max {polls['max']} s"
    )
    print(f"decisions   {report.get('decisions', 'not readable')}")
    for line in check_ledger.summary_lines(report):
        print(line)
    with open(os.path.join(options.out, "report.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
