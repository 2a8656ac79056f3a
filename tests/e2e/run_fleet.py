#!/usr/bin/env python3
"""Runs undertone on one core against the simulator on another, as many calls as are asked for, and
prints besides the checker's verdict what the fleet costs and where the time goes.

The ledger of latencies starts at the end of each customer utterance: until the vendor served it in
its transcript for the first time (visible), until its score was durable and said in the log
(scored), until an attribute write that covers it was accepted, and until an accepted suggestion
(from the end of the newest customer utterance that had been scored when its alert was opened).
CPU is that of the daemon's threads between warm-up and end: the loop does everything but inference
and commits.

    tests/e2e/run_fleet.py --build build/release --calls 3000 --model lexicon
    tests/e2e/run_fleet.py --build build/release --calls 1200
    tests/e2e/run_fleet.py --build build/release --growth 100,300,1000,3000,10000 --model lexicon
"""

import argparse
import bisect
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import check_ledger  # noqa: E402
import live  # noqa: E402
from ledger import (  # noqa: E402
    interaction_hash,
    read_ledger,
    read_logs,
    read_scores,
    timestamp_ms,
    utterance_hash,
)

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Conversations as dense as a busy center's: about 0.25 final utterances a second and call.
SOURCES = "harper=2,cucom=1,ms=0,abcd=2"


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--out", default=os.path.join(ROOT, "tests/e2e/out/fleet"), help="a folder")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=180, help="of the whole run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quota", type=float, default=600, help="requests a second")
    parser.add_argument("--call-quota", type=float, default=1, help="the same for one call")
    parser.add_argument("--model", default="", help="lexicon: a scorer that costs next to nothing")
    parser.add_argument("--cores", default="0,1", help="the daemon's, the simulator's")
    parser.add_argument("--growth", help="sizes A,B,C: one run each, quota 0.2 a second and call")
    parser.add_argument("--sim-option", action="append", default=[], help="as --sim-option=--x=y")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="a setting of undertone")
    check_ledger.add_options(parser)
    parser.set_defaults(grace_ms=2000, flushed=True, warm_up=45)
    options = parser.parse_args()
    options.cores = [int(core) for core in options.cores.split(",")]
    return options


def thread_cpu_s(pid):
    """(the loop's CPU seconds, the other threads' together)."""
    loop = others = 0.0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        spent = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        if int(task) == pid:
            loop += spent
        else:
            others += spent
    return loop, others


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Sampler:
    """What the daemon has used, once a second."""

    def __init__(self):
        self.samples = []  # (epoch ms, loop s, others s, resident bytes)

    def __call__(self, daemon):
        pid = daemon.child.pid
        now_ms = live.time.time() * 1000
        self.samples.append((now_ms, *thread_cpu_s(pid), resident_bytes(pid)))

    def between(self, from_ms):
        """Wall seconds, the loop's and the others' CPU seconds, from the first sample then on, and
        the times those two samples bear."""
        kept = [sample for sample in self.samples if sample[0] >= from_ms] or self.samples[-1:]
        first, last = kept[0], kept[-1]
        return {
            "from_ms": first[0],
            "to_ms": last[0],
            "wall_s": (last[0] - first[0]) / 1000,
            "loop_s": last[1] - first[1],
            "others_s": last[2] - first[2],
            "resident_bytes": last[3],
        }


def settings_of(options):
    settings = {
        "rate.client_rps": options.quota,
        "rate.interaction_rps": options.call_quota,
        "model.threads": 1,
        "discover.max": max(10000, 2 * options.calls),
    }
    if options.model:
        settings["model.dir"] = options.model
    for assignment in options.set:
        key, _, value = assignment.partition("=")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = value
    return settings


def run(options, out):
    """Both programs, each on its core; returns simulator, daemon and the samples."""
    os.makedirs(out, exist_ok=True)
    arguments = ["--calls", str(options.calls), "--seed", str(options.seed)]
    arguments += ["--quota", f"{options.quota:g}", "--call-quota", f"{options.call_quota:g}"]
    arguments += ["--sources", SOURCES, "--partials", "off"] + options.sim_option
    simulator = live.Simulator(
        os.path.join(options.build, "undertone-sim"), out, arguments, cpu=options.cores[1]
    )
    sampler = Sampler()

    def start_daemon(base_url):
        return live.Daemon(
            os.path.join(options.build, "undertone"), out, base_url,
            settings=settings_of(options), cpu=options.cores[0],
        )

    daemon = live.run_pair(simulator, start_daemon, options.seconds, sampler)
    return simulator, daemon, sampler


def log_times(path):
    """(utterance hash, revision 0 -> scored at; interaction hash -> alert and suggestion times)."""
    scored, alerts, sent = {}, {}, {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if '"utterance_scored"' not in line and '"alert_opened"' not in line \
                    and '"suggestion_sent"' not in line:
                continue
            entry = json.loads(line)
            at = timestamp_ms(entry["ts"])
            if entry["event"] == "utterance_scored":
                scored.setdefault((entry["utterance"], entry["revision"]), at)
            else:
                table = alerts if entry["event"] == "alert_opened" else sent
                table[entry["interaction"], entry["episode"]] = at
    return scored, alerts, sent


def stages(ledger, table, key, log_path, options):
    """Stage -> seconds since the end of the utterance, one for each that was live."""
    scored_at, alert_at, sent_at = log_times(log_path)
    found = {"visible": [], "served": [], "scored": [], "attribute accepted": [],
             "suggestion accepted": []}
    live_from = ledger.vendor_ms(ledger.first_served_t + options.warm_up * 1000)
    scored_of_call = {}
    for call in ledger.calls.values():
        counts = list(check_ledger.counts_of(call, options.count_key))
        ordinals, rank, at = {}, 0, 0
        for utterance in call.arrivals:
            ordinal = ordinals.get(utterance.start, 0)
            ordinals[utterance.start] = ordinal + 1
            form = utterance.first()
            name = utterance_hash(key, call.name, utterance.start, ordinal)
            scored = scored_at.get((name, 0))
            if scored is None or check_ledger.score_of(table, form) in (None, "foreign"):
                continue
            scored_of_call.setdefault(call.name, []).append((scored, form["end"]))
            rank += 1
            while at < len(counts) and counts[at][1] < rank:
                at += 1
            if form["visible"] <= live_from:
                continue
            found["visible"].append((form["visible"] - form["end"]) / 1000)
            first_served = utterance.served_t[utterance.served[0]]
            found["served"].append((ledger.vendor_ms(first_served) - form["end"]) / 1000)
            found["scored"].append((ledger.vendor_ms(scored) - form["end"]) / 1000)
            if at < len(counts):
                wrote = ledger.vendor_ms(counts[at][0])
                found["attribute accepted"].append((wrote - form["end"]) / 1000)
    for name, answers in scored_of_call.items():
        answers.sort()
        hashed = interaction_hash(key, name)
        for (interaction, episode), opened in alert_at.items():
            if interaction != hashed or (interaction, episode) not in sent_at:
                continue
            index = bisect.bisect_right(answers, (opened + 1, float("inf"))) - 1
            if index >= 0 and ledger.vendor_ms(opened) > live_from:
                end = max(end for _, end in answers[: index + 1])
                sent = ledger.vendor_ms(sent_at[interaction, episode])
                found["suggestion accepted"].append((sent - end) / 1000)
    return {stage: check_ledger.quantiles(values) for stage, values in found.items()}


def costs(ledger, sampler, options):
    """CPU per poll and memory, between warm-up and end."""
    spent = sampler.between(ledger.first_served_t + options.warm_up * 1000)
    requests = sum(
        1 for t in ledger.request_times if spent["from_ms"] <= t <= spent["to_ms"]
    )
    finals = sum(
        1
        for call in ledger.calls.values()
        for utterance in call.utterances.values()
        for form in list(utterance.forms.values())[:1]
        if spent["from_ms"] <= form["visible"] <= spent["to_ms"]
    )
    wall = spent["wall_s"] or 1
    return {
        **{name: round(value, 2) for name, value in spent.items() if name.endswith("_s")},
        "requests_per_s": round(requests / wall, 1),
        "finals_per_s_and_call": round(finals / wall / options.calls, 3),
        "loop_us_per_request": round(1e6 * spent["loop_s"] / max(1, requests), 1),
        "all_us_per_request": round(
            1e6 * (spent["loop_s"] + spent["others_s"]) / max(1, requests), 1
        ),
        "resident_mib": round(spent["resident_bytes"] / 2**20, 1),
        "resident_bytes": spent["resident_bytes"],
    }


def judge(simulator, daemon, sampler, options):
    ledger, log = read_ledger(simulator.ledger), read_logs([daemon.log])
    table = read_scores(os.path.join(ROOT, "tests/e2e/scores.tsv.gz"))
    report = check_ledger.check(ledger, log, table, daemon.key(), options)
    if options.model == "lexicon":
        # The table holds the default model's scores, and the lexicon calls blank what has no word
        # of opinion; counts and losses are checked all the same.
        report["wrongly_blank"] = report["attribute_mismatches"] = 0
        report["attribute_faults"] = []
        report["failures"] = check_ledger.failures_of(report, options)
    report["stages_s"] = stages(ledger, table, daemon.key(), daemon.log, options)
    report["cost"] = costs(ledger, sampler, options)
    report["undertone"], report["simulator"] = daemon.cost(), simulator.cost()
    burst = max(1, options.quota / 4)
    if report["busiest_second"] > options.quota + burst:
        report["failures"].append(
            f"{report['busiest_second']} requests in one second, at most "
            f"{options.quota + burst:g} wanted"
        )
    if report["share_429"] >= 0.005:
        report["failures"].append(f"429 share {report['share_429']}, less than 0.005 wanted")
    return report


def print_report(report, options):
    for line in check_ledger.summary_lines(report):
        print(line)
    heads = " ".join(f"{name:>7}" for name in ("p50", "p95", "p99"))
    print(f"{'seconds since the end of an utterance':38} {'count':>6} {heads}")
    for stage, found in report["stages_s"].items():
        numbers = " ".join(
            f"{found[name]:7.2f}" if found[name] is not None else "      -"
            for name in ("p50", "p95", "p99")
        )
        print(f"{stage:38} {found['count']:6} {numbers}")
    cost = report["cost"]
    print(
        f"cost        {options.calls} calls, {cost['finals_per_s_and_call']} finals a second and "
        f"call, {cost['requests_per_s']} requests a second; loop {cost['loop_s']} CPU s in "
        f"{cost['wall_s']} s = {cost['loop_us_per_request']} us a request, all threads "
        f"{cost['all_us_per_request']} us; resident {cost['resident_mib']} MiB"
    )


def one(options):
    out = os.path.join(options.out, str(options.calls))
    simulator, daemon, sampler = run(options, out)
    report = judge(simulator, daemon, sampler, options)
    print_report(report, options)
    with open(os.path.join(out, "report.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    return report


def growth(options):
    """One run for each size; what each further call costs, from size to size."""
    rows = []
    for calls in (int(size) for size in options.growth.split(",")):
        options.calls, options.quota = calls, max(20, 0.2 * calls)
        print(f"== {calls} calls", flush=True)
        report = one(options)
        rows.append((calls, report["cost"], bool(report["failures"])))
    print(f"{'calls':>6} {'requests/s':>10} {'us/request':>10} {'CPU ms/s/call':>13} {'MiB':>7} "
          f"{'KiB/call from the size before':>29}")
    before = None
    for calls, cost, failed in rows:
        each = "-"
        if before:
            grown = cost["resident_bytes"] - before[1]["resident_bytes"]
            each = f"{grown / (calls - before[0]) / 1024:.1f}"
        share = 1000 * cost["loop_s"] / cost["wall_s"] / calls
        print(f"{calls:6} {cost['requests_per_s']:10} {cost['loop_us_per_request']:10} "
              f"{share:13.4f} {cost['resident_mib']:7} {each:>29}{'  FAILED' if failed else ''}")
        before = calls, cost
    return any(failed for _, _, failed in rows)


def main():
    options = parse_arguments()
    try:
        failed = growth(options) if options.growth else bool(one(options)["failures"])
    except (live.Failure, OSError) as problem:
        print(f"run_fleet: {problem}", file=sys.stderr)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
