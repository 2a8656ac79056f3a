#!/usr/bin/env python3
"""Measures undertone and the engines a user would otherwise pick, on one model and the same texts.

Every engine runs in a process of its own, so that no one's threads disturb another's; rounds are
interleaved, so that a slow minute of the machine is everybody's. Per engine: utterances/s one by
one, in batches of 8 and in batches of 32 sorted by length (best of the rounds), and milliseconds
for one text of 8, 24 and 64 tokens (median). `stream` is how each serves fastest: undertone its
ragged micro-batches, a peer one-threaded workers on a common queue, by ones or by sixteens of
equal length, whichever is faster. An engine that cannot run makes the comparison fail: a shorter
table would flatter. So does work of others: how much there was is printed.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from engines import ENGINES, Stream
from shapes import SHAPES, make_checkpoint
from texts import default_stream, read_stream

ROOT = Path(__file__).resolve().parent.parent
RATES = ("single", "pad8", "sorted32", "stream")
TIMES = ("ms8", "ms24", "ms64")
PROBES = {f"ms{count}": ("time " * (count - 2)).strip() for count in (8, 24, 64)}
TIMINGS = 7


# With --isa: what undertone's kernels are called, what holds the peers to that instruction set
# (each by its own documented variable), and whom nothing holds. ONNX Runtime's kernels ask the
# processor alone; OpenVINO, told by oneDNN's variable, finds no kernel for softmax and stops.
HELD_TO = {"avx2": {"kernels": "avx2", "not_held": ("onnxruntime", "openvino"), "environment": {
    "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "CT2_FORCE_CPU_ISA": "AVX2"}}}

# --- one engine in a process of its own: a command a line in, a JSON line out -------------------


def rate(engine, texts, batch):
    begun = time.perf_counter()
    engine.texts(texts, batch)
    return len(texts) / (time.perf_counter() - begun)


def serve_peer(options):
    from transformers import AutoTokenizer

    texts = read_stream(options.stream)[: options.texts]
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    lengths = [len(ids) for ids in tokenizer(texts)["input_ids"]]
    ordered = [text for _, text in sorted(zip(lengths, texts))]
    kind = ENGINES[options.serve]
    engine = kind(options.model, options.threads)
    engine.texts(texts[:8], 1)
    stream = None
    if issubclass(kind, Stream.kinds):
        stream = Stream(kind, options.model, options.threads)
        stream.texts(texts[:8], 1)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        measured = {"single": rate(engine, texts, 1), "pad8": rate(engine, texts, 8),
                    "sorted32": rate(engine, ordered, 32)}
        if stream:
            measured["stream"] = max(rate(stream, texts, 1), rate(stream, ordered, 16))
        for key, text in PROBES.items():
            times = [1e3 / rate(engine, [text], 1) for _ in range(TIMINGS)]
            measured[key] = statistics.median(times)
        print(json.dumps(measured), flush=True)


class PeerProcess:
    def __init__(self, name, options):
        arguments = [sys.executable, __file__, "--serve", name, "--model", options.model,
                     "--threads", str(options.threads), "--stream", options.stream,
                     "--texts", str(options.texts)]
        held = HELD_TO.get(options.isa, {})
        is_held = held and not name.startswith(held["not_held"])
        self.name = f"{name} (not held)" if held and not is_held else name
        environment = dict(os.environ, **held["environment"]) if is_held else None
        self.process = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if options.quiet else None,
                                        text=True)
        self.answer()

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        sys.exit(f"bench/compare.py: {self.name} stopped: the comparison is void (try --verbose)")

    def round(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def seconds(self):
        """Of processor time, so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.kill()  # nothing is left to do, and some take long to take themselves apart
        self.process.communicate()


class Undertone:
    """A fresh process for each round: loading is not part of any figure."""

    def __init__(self, precision, options):
        self.name = f"undertone {precision}"
        self.command = [options.undertone, "bench", "--json", "--model", options.model, "--stream",
                        options.stream, "--texts", str(options.texts), "--threads",
                        str(options.threads), "--rounds", "1", "--precision", precision]
        if options.kernels:
            self.command += ["--kernels", options.kernels]

    def round(self):
        result = subprocess.run(self.command, capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"bench/compare.py: {self.name}: {result.stderr.strip()}")
        return json.loads(result.stdout)

    def seconds(self):
        return 0  # in the children's

    def close(self):
        pass


# --- the machine --------------------------------------------------------------------------------


def processor():
    info = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    known = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "i8mm")
    flags = info.get("flags", info.get("Features", "")).split()
    return (f"{info.get('model name', 'unknown processor')} family {info.get('cpu family', '?')} "
            f"model {info.get('model', '?')} ({' '.join(f for f in known if f in flags)})")


class OthersClock:
    """Processor time that was neither ours nor idle: other processes, and the host's other guests.
    """

    def __init__(self, engines):
        self.engines = engines
        self.begun = time.monotonic()
        self.used = self.of_others()

    def of_others(self):
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        user, nice, system, _idle, _wait, irq, soft, steal = map(int, fields)
        total = (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
        ours = sum(engine.seconds() for engine in self.engines)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            ours += usage.ru_utime + usage.ru_stime
        return total - ours

    def share(self):
        cores = (time.monotonic() - self.begun) * os.cpu_count()
        return max(0.0, self.of_others() - self.used) / cores


# --- the run ------------------------------------------------------------------------------------


def summarise(rounds):
    best = {key: max((r[key] for r in rounds if key in r), default=None) for key in RATES}
    best.update({key: statistics.median(r[key] for r in rounds) for key in TIMES})
    return best


def print_table(results, options):
    print(f"\n{processor()}, {options.threads} threads, {options.shape or options.model}, "
          f"{options.texts} texts, {options.rounds} rounds")
    if options.isa:
        print(f"Held to {options.isa}: an estimate of another processor. Those marked \"not held\" "
              "used all that this one has; there a ratio to them is at least what it is here.")
    print("| engine | one by one | batches of 8 | sorted 32 | stream | 8 tokens | 24 tokens "
          "| 64 tokens |\n|---|---|---|---|---|---|---|---|")
    for name, row in results.items():
        cells = ["" if row[k] is None else f"{row[k]:.1f}" for k in RATES]
        cells += [f"{row[k]:.2f} ms" for k in TIMES]
        print(f"| {name} | {' | '.join(cells)} |")


def print_machine(engine, rounds):
    """The fraction is of the highest peak seen: a peak measured beside others' work flatters."""
    last = rounds[-1]
    peaks = [r[key] for r in rounds for key in ("peak_before", "peak_after")]
    best = max(rounds, key=lambda r: r["stream"])
    print(f"{engine.name}: kernels {last['kernels']}, {best['stream'] * last['mean_tokens']:.0f} "
          f"tokens/s (mean {last['mean_tokens']:.1f} a text); machine peak {min(peaks):.0f} to "
          f"{max(peaks):.0f} Gop/s, stream {best['stream_gops']:.0f}: "
          f"{best['stream_gops'] / max(peaks):.2f} of the highest")


def run_rounds(engines, options):
    rounds = {engine.name: [] for engine in engines}
    for number in range(options.rounds):
        if options.wait:
            print(f"round {number + 1}: press Enter when the machine is quiet", flush=True)
            sys.stdin.readline()
        others = OthersClock(engines)
        for engine in engines:
            rounds[engine.name].append(engine.round())
        print(f"round {number + 1}: others took {100 * others.share():.1f} % of the processors",
              flush=True)
    return rounds


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models/undertone-minilm-l6"))
    parser.add_argument("--shape", choices=SHAPES, help="instead of --model: random weights of a "
                        "well-known shape, made in build/shapes")
    parser.add_argument("--stream", default=default_stream(), help="texts, one a line")
    parser.add_argument("--texts", type=int, default=256, help="of the stream, from its start")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(ENGINES), help="comma-separated")
    parser.add_argument("--precisions", default="fp32,int8", help="of undertone, comma-separated")
    parser.add_argument("--kernels", help="of undertone (default: the best here)")
    parser.add_argument("--isa", choices=HELD_TO, help="hold undertone and those peers that can be "
                        "held to this instruction set; bf16 is left out")
    parser.add_argument("--undertone", default=str(ROOT / "build/release/undertone"))
    parser.add_argument("--json", help="also write all rounds to this file")
    parser.add_argument("--wait", action="store_true", help="for Enter before each round")
    parser.add_argument("--verbose", dest="quiet", action="store_false",
                        help="show the peers' messages")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.isa:
        if options.kernels:
            parser.error("--isa chooses the kernels: leave --kernels out")
        options.kernels = HELD_TO[options.isa]["kernels"]
        for key in ("peers", "precisions"):
            names = getattr(options, key).split(",")
            setattr(options, key, ",".join(name for name in names if "bf16" not in name))
    return options


def main():
    options = parse_arguments()
    if options.serve:
        serve_peer(options)
        return
    if options.shape:
        options.model = str(make_checkpoint(options.shape, ROOT / "build/shapes" / options.shape))
    engines = [Undertone(p, options) for p in filter(None, options.precisions.split(","))]
    engines += [PeerProcess(name, options) for name in filter(None, options.peers.split(","))]
    rounds = run_rounds(engines, options)
    for engine in engines:
        engine.close()
    print_table({name: summarise(rows) for name, rows in rounds.items()}, options)
    for engine in engines:
        if isinstance(engine, Undertone):
            print_machine(engine, rounds[engine.name])
    if options.json:
        Path(options.json).write_text(json.dumps(rounds, indent=1))


if __name__ == "__main__":
    main()
