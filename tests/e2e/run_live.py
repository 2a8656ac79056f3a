#!/usr/bin/env python3
"""Runs undertone against the simulator in real time and lets the checker judge the run.

The short form is a test of every build; longer ones are campaigns:

    tests/e2e/run_live.py --build build/release --calls 300 --seconds 1800 --late 0.02 \\
        --revised 0.05 --duplicated 0.05 --out-of-order 0.05 --p50 2 --p99 6
"""

import argparse
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import check_ledger  # noqa: E402
import socket_bridge  # noqa: E402
import live  # noqa: E402
from ledger import read_ledger, read_logs, read_scores  # noqa: E402

def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--undertone", help="default: in the build folder")
    parser.add_argument("--sim", help="default: in the build folder")
    parser.add_argument("--out", default=os.path.join(ROOT, "tests/e2e/out"), help="a folder")
    parser.add_argument("--profile", choices=("simulator", "cxone-real"), default="simulator",
                        help="whose shapes both speak")
    parser.add_argument("--socket", action="store_true",
                        help="transcripts are pushed over the experimental socket")
    parser.add_argument("--socket-drop", type=float, metavar="S", help="which is cut so often")
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=75)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--quota", type=float, default=400, help="requests a second, 0: none")
    parser.add_argument("--call-quota", type=float, default=0, help="the same for one call")
    for name in ("late", "revised", "duplicated", "out-of-order", "fault-429", "fault-503"):
        parser.add_argument("--" + name, type=float, default=0, help="share, 0 to 1")
    parser.add_argument("--script", help="what goes wrong, and when: one of sim/scripts")
    parser.add_argument("--sim-option", action="append", default=[], help="as --sim-option=--x=y")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="a setting of undertone")
    check_ledger.add_options(parser)
    parser.set_defaults(grace_ms=250, flushed=True)
    return parser.parse_args()


def simulator_arguments(options):
    names = ("calls", "seed", "quota", "call_quota", "late", "revised", "duplicated",
             "out_of_order", "fault_429", "fault_503")
    arguments = []
    for name in names:
        arguments += ["--" + name.replace("_", "-"), f"{getattr(options, name):g}"]
    if options.profile == "cxone-real":
        arguments += ["--profile", options.profile]
    if options.script:
        arguments += ["--script", options.script]
    return arguments + options.sim_option


def daemon_settings(options, base_url):
    """A quota that the simulator keeps is one that undertone is told of."""
    real = options.profile == "cxone-real"
    settings = live.real_settings(options.out, base_url) if real else {}
    if options.quota:
        settings["rate.client_rps"] = options.quota
    if options.call_quota:
        settings["rate.interaction_rps"] = options.call_quota
    for assignment in options.set:
        key, _, value = assignment.partition("=")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = value
    return settings


def run(options):
    """Both programs, for a time; returns them ended."""
    os.makedirs(options.out, exist_ok=True)
    simulator = live.Simulator(
        options.sim or os.path.join(options.build, "undertone-sim"),
        options.out, simulator_arguments(options), tls=options.tls,
    )

    def start_daemon(base_url):
        if options.socket:
            # what is pushed last is asked for by the next poll, which may be 5 s away
            options.bridge = socket_bridge.Bridge(base_url, options.seconds - 8,
                                                  options.socket_drop)
            options.set.append(f"socket.url={options.bridge.url}")
        return live.Daemon(
            options.undertone or os.path.join(options.build, "undertone"),
            options.out, base_url, ca=simulator.ca, settings=daemon_settings(options, base_url),
        )

    return simulator, live.run_pair(simulator, start_daemon, options.seconds)


def main():
    options = parse_arguments()
    try:
        simulator, daemon = run(options)
    except (live.Failure, OSError) as problem:
        print(f"run_live: {problem}", file=sys.stderr)
        return 2
    ledger, log = read_ledger(simulator.ledger), read_logs([daemon.log])
    table = read_scores(os.path.join(ROOT, "tests/e2e/scores.tsv.gz"))
    report = check_ledger.check(ledger, log, table, daemon.key(), options)
    report["undertone"], report["simulator"] = daemon.cost(), simulator.cost()
    if not log.events["stopped"]:
        report["failures"].append("undertone logged no event 'stopped'")
    for line in check_ledger.summary_lines(report):
        print(line)
    for name in ("undertone", "simulator"):
        cost = report[name]
        print(
            f"{name:11} {cost['cpu_s']} CPU s in {cost['wall_s']} s "
            f"({100 * cost['cpu_share']:.1f} % of a core), {cost['rss_max_mib']} MiB at most"
        )
    if options.socket:
        bridge = options.bridge
        print(f"socket      opened {bridge.opened} times, {bridge.pushed} messages pushed, "
              f"{bridge.pongs} pings answered")
        if bridge.pushed == 0 or bridge.pongs == 0:
            report["failures"].append("nothing was pushed, or a ping was not answered")
    with open(os.path.join(options.out, "report.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
