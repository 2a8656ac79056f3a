#!/usr/bin/env python3
"""How fast a model loads and how much memory it holds, from its checkpoint and when packed.

    measure_loading.py --undertone build/release/undertone [--precision fp32,int8] DIR...

Starts `undertone score` with its input held open, so that the model is loaded and nothing scored:
resident memory then (VmRSS: everything, shared pages included). Then one line goes in, and the time
from the start of another process to its answer is taken, page cache warm, the best of three. Last,
several such processes run at once from one packed file: their proportional memory (Pss), all
together, says whether they share it. The packed file goes to a folder that is removed afterwards.

The bound is 1.15 times the packed weights and 30 MB; exits with 1 where it does not hold.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

LINE = b"thank you so much, that was very kind of you\n"


def status_of(pid, name, field):
    with open("/proc/%d/%s" % (pid, name), encoding="ascii") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise SystemExit("no %s of process %d" % (field, pid))


def start(options, directory, precision, cache):
    environment = dict(os.environ, UNDERTONE_MODEL_CACHE=cache)
    return subprocess.Popen([options.undertone, "score", "--model", directory, "--precision",
                             precision, "--threads", "1"], env=environment,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def settled(process):
    """Its resident memory once it has stopped growing: it waits for its input."""
    before = -1
    while True:
        time.sleep(0.4)
        with open("/proc/%d/stat" % process.pid, encoding="ascii") as text:
            state = text.read().rsplit(")", 1)[1].split()[0]
        now = status_of(process.pid, "status", "VmRSS")
        if now == before and state == "S":
            return now
        before = now


def finish(process):
    answer, _ = process.communicate(LINE)
    if process.returncode != 0:
        raise SystemExit("undertone score failed")
    return answer


def first_answer_ms(options, directory, precision, cache):
    best = float("inf")
    for _ in range(3):
        begun = time.monotonic()
        finish(start(options, directory, precision, cache))
        best = min(best, (time.monotonic() - begun) * 1e3)
    return best


def shared(options, directory, precision, cache):
    """Proportional memory of several processes together, once each has loaded the model."""
    processes = [start(options, directory, precision, cache) for _ in range(options.processes)]
    for process in processes:
        settled(process)
    total = sum(status_of(p.pid, "smaps_rollup", "Pss") for p in processes)
    for process in processes:
        finish(process)
    return total


def measure(options, directory, precision, folder):
    environment = dict(os.environ, UNDERTONE_MODEL_CACHE=folder)
    weights = json.loads(subprocess.run(
        [options.undertone, "model", "info", "--json", "--precision", precision, directory],
        env=environment, stdout=subprocess.PIPE, check=True).stdout)["packed_bytes"]
    bound = 1.15 * weights + 30e6
    checkpoint = start(options, directory, precision, "off")
    rss = settled(checkpoint)
    finish(checkpoint)
    times = [first_answer_ms(options, directory, precision, "off")]
    subprocess.run([options.undertone, "model", "pack", "--cache", folder, "--precision", precision,
                    directory], stdout=subprocess.DEVNULL, check=True)
    mapped = start(options, directory, precision, folder)
    mapped_rss = settled(mapped)
    finish(mapped)
    times.append(first_answer_ms(options, directory, precision, folder))
    pss = shared(options, directory, precision, folder)
    print("| %s %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |" % (
        os.path.basename(os.path.normpath(directory)), precision, weights / 1e6, bound / 1e6,
        rss / 1e6, mapped_rss / 1e6, pss / 1e6, times[0], times[1]), flush=True)
    return rss <= bound


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--undertone", required=True)
    parser.add_argument("--precision", default="fp32,int8")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("directories", nargs="+", metavar="DIR")
    options = parser.parse_args()
    print("| model | packed weights, MB | bound | resident, from checkpoint | from packed | "
          "%d processes from packed | first answer from checkpoint, ms | from packed |" %
          options.processes)
    print("|---|---|---|---|---|---|---|---|")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for directory in options.directories:
            for precision in options.precision.split(","):
                good = measure(options, directory, precision, folder) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
