#!/usr/bin/env python3
"""Measures undertone and the engines a user would otherwise pick, on one model and the same texts.

Every engine runs in a process of its own, so that no one's threads disturb another's; rounds are
interleaved, so that a slow minute of the machine is everybody's. Per engine: utterances/s one by
one, in batches of 8 and in batches of 32 sorted by length (best of the rounds), and milliseconds
for one text of 8, 24 and 64 tokens (median). undertone also reports its ragged stream. An engine
that cannot run makes the comparison fail: a shorter table would flatter.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("single", "pad8", "sorted32", "stream")
TIMES = ("ms8", "ms24", "ms64")


# --- engines: each is a class with texts(list of str, batch size) -------------------------------


def encode(tokenizer, texts, kind):
    return tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors=kind)


class Pipeline:
    """transformers.pipeline, as the tutorial calls it."""

    def __init__(self, model, threads):
        import torch
        from transformers import pipeline

        torch.set_num_threads(threads)
        self.run = pipeline("sentiment-analysis", model=model, tokenizer=model, device=-1)

    def texts(self, texts, batch):
        self.run(texts, batch_size=batch)


class Torch:
    """PyTorch itself, without the pipeline around it."""

    half = False

    def __init__(self, model, threads):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        torch.set_num_threads(threads)
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        network = AutoModelForSequenceClassification.from_pretrained(model).float().eval()
        self.network = network.bfloat16() if self.half else network

    def texts(self, texts, batch):
        with self.torch.inference_mode():
            for at in range(0, len(texts), batch):
                self.network(**encode(self.tokenizer, texts[at : at + batch], "pt"))


class TorchBf16(Torch):
    half = True


def exported(model):
    """The ONNX forms of the model, made once beside it: raw, fused fp32, dynamic int8."""
    folder = Path(model) / "onnx"
    if (folder / "int8.onnx").exists():
        return folder
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import AutoConfig, AutoModelForSequenceClassification

    folder.mkdir(exist_ok=True)
    config = AutoConfig.from_pretrained(model)
    network = AutoModelForSequenceClassification.from_pretrained(model, attn_implementation="eager")
    ids = torch.full((2, 9), 5, dtype=torch.long)
    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(
        network.float().eval(), (ids, torch.ones_like(ids)), str(folder / "raw.onnx"),
        input_names=["input_ids", "attention_mask"], output_names=["logits"], opset_version=17,
        dynamo=False, dynamic_axes={"input_ids": axes, "attention_mask": axes},
    )
    fusion = FusionOptions("bert")
    fusion.enable_gelu_approximation = False
    heads = getattr(config, "num_attention_heads", None) or config.n_heads
    hidden = getattr(config, "hidden_size", None) or config.dim
    fused = optimize_model(str(folder / "raw.onnx"), model_type="bert", num_heads=heads,
                           hidden_size=hidden, optimization_options=fusion)
    fused.save_model_to_file(str(folder / "fp32.onnx"))
    quantize_dynamic(str(folder / "fp32.onnx"), str(folder / "int8.onnx"), per_channel=True,
                     reduce_range=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    return folder


def onnx_inputs(tokenizer, texts):
    import numpy

    encoded = encode(tokenizer, texts, "np")
    return {name: encoded[name].astype(numpy.int64) for name in ("input_ids", "attention_mask")}


class OnnxRuntime:
    file = "fp32.onnx"

    def __init__(self, model, threads):
        import onnxruntime
        from transformers import AutoTokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(exported(model) / self.file), options, providers=["CPUExecutionProvider"])
        self.tokenizer = AutoTokenizer.from_pretrained(model)

    def texts(self, texts, batch):
        for at in range(0, len(texts), batch):
            self.session.run(None, onnx_inputs(self.tokenizer, texts[at : at + batch]))


class OnnxRuntimeInt8(OnnxRuntime):
    file = "int8.onnx"


class OpenVino:
    precision = "f32"

    def __init__(self, model, threads):
        import openvino
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        core = openvino.Core()
        self.network = core.compile_model(self.read(core, model), "CPU", {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
        })

    def read(self, core, model):
        return core.read_model(str(exported(model) / "raw.onnx"))

    def texts(self, texts, batch):
        for at in range(0, len(texts), batch):
            self.network(onnx_inputs(self.tokenizer, texts[at : at + batch]))


class OpenVinoBf16(OpenVino):
    precision = "bf16"


class OpenVinoInt8(OpenVino):
    """Post-training int8 by NNCF, calibrated on texts like those measured."""

    def read(self, core, model):
        made = Path(model) / "openvino-int8.xml"
        if not made.exists():
            import nncf
            import openvino

            texts = read_stream(default_stream())[:128]
            data = nncf.Dataset(texts, lambda text: onnx_inputs(self.tokenizer, [text]))
            quantized = nncf.quantize(core.read_model(str(exported(model) / "raw.onnx")), data,
                                      model_type=nncf.ModelType.TRANSFORMER, subset_size=128)
            openvino.save_model(quantized, str(made))
        return core.read_model(str(made))


class CTranslate2:
    """The encoder only: its classifier would run elsewhere. Generous to the peer."""

    kind = "float32"

    def __init__(self, model, threads):
        import ctranslate2
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        made = Path(model) / f"ctranslate2-{self.kind}"
        if not made.exists():
            encoder = Path(model) / "encoder"
            AutoModel.from_pretrained(model).float().save_pretrained(encoder)
            self.tokenizer.save_pretrained(encoder)
            converter = ctranslate2.converters.TransformersConverter(str(encoder))
            converter.convert(str(made), quantization=self.kind)
        self.encoder = ctranslate2.Encoder(str(made), device="cpu", intra_threads=threads,
                                           inter_threads=1, compute_type=self.kind)

    def texts(self, texts, batch):
        for at in range(0, len(texts), batch):
            encoded = self.tokenizer(texts[at : at + batch], truncation=True, max_length=512)
            self.encoder.forward_batch(encoded["input_ids"])


class CTranslate2Int8(CTranslate2):
    kind = "int8"


PEERS = {
    "pipeline": Pipeline,
    "torch": Torch,
    "torch-bf16": TorchBf16,
    "onnxruntime": OnnxRuntime,
    "onnxruntime-int8": OnnxRuntimeInt8,
    "openvino": OpenVino,
    "openvino-bf16": OpenVinoBf16,
    "openvino-int8": OpenVinoInt8,
    "ctranslate2": CTranslate2,
    "ctranslate2-int8": CTranslate2Int8,
}


# --- one engine in a process of its own: a command a line in, a JSON line out -------------------


def serve_peer(name, model, threads, stream):
    from transformers import AutoTokenizer

    texts = read_stream(stream)
    tokenizer = AutoTokenizer.from_pretrained(model)
    lengths = [len(ids) for ids in tokenizer(texts)["input_ids"]]
    ordered = [text for _, text in sorted(zip(lengths, texts))]
    probes = {count: ("time " * (count - 2)).strip() for count in (8, 24, 64)}
    engine = PEERS[name](model, threads)
    engine.texts(texts[:8], 1)
    print(json.dumps({"ready": True, "mean_tokens": sum(lengths) / len(lengths)}), flush=True)
    for _ in sys.stdin:
        measured = {}
        ways = (("single", texts, 1), ("pad8", texts, 8), ("sorted32", ordered, 32))
        for key, chosen, batch in ways:
            begun = time.perf_counter()
            engine.texts(chosen, batch)
            measured[key] = len(chosen) / (time.perf_counter() - begun)
        for count, text in probes.items():
            times = []
            for _ in range(7):
                begun = time.perf_counter()
                engine.texts([text], 1)
                times.append(1e3 * (time.perf_counter() - begun))
            measured[f"ms{count}"] = statistics.median(times)
        print(json.dumps(measured), flush=True)


class PeerProcess:
    def __init__(self, name, options):
        arguments = [sys.executable, __file__, "--serve", name, "--model", options.model,
                     "--threads", str(options.threads), "--stream", options.stream]
        self.name = name
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
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

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Undertone:
    def __init__(self, precision, options):
        self.name = f"undertone {precision}"
        self.command = [options.undertone, "bench", "--json", "--model", options.model, "--stream",
                        options.stream, "--threads", str(options.threads)]
        if precision != "fp32":
            self.command += ["--precision", precision]
        self.last = None

    def round(self):
        result = subprocess.run(self.command, capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"bench/compare.py: {self.name}: {result.stderr.strip()}")
        self.last = json.loads(result.stdout)
        return self.last

    def close(self):
        pass


# --- the run ------------------------------------------------------------------------------------


def default_stream():
    return str(ROOT / "bench/stream.txt")


def read_stream(path):
    return Path(path).read_text(encoding="utf-8").splitlines()


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def summarise(rounds):
    best = {key: max((r[key] for r in rounds if key in r), default=None) for key in KEYS}
    best.update({key: statistics.median(r[key] for r in rounds) for key in TIMES})
    return best


def print_table(results, options):
    print(f"\n{processor()}, {options.threads} threads, {options.model}")
    print(f"{'engine':<20}{'single':>9}{'batch 8':>9}{'sorted 32':>11}{'stream':>9}"
          f"{'8 tok':>8}{'24 tok':>8}{'64 tok':>8}")
    print(f"{'':<20}{'utterances/s':>38}{'ms':>24}")
    for name, row in results.items():
        cells = [("-" if row[k] is None else f"{row[k]:.0f}") for k in KEYS]
        times = [f"{row[k]:.2f}" for k in TIMES]
        print(f"{name:<20}{cells[0]:>9}{cells[1]:>9}{cells[2]:>11}{cells[3]:>9}"
              f"{times[0]:>8}{times[1]:>8}{times[2]:>8}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models/undertone-minilm-l6"))
    parser.add_argument("--stream", default=default_stream(), help="texts, one a line")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated")
    parser.add_argument("--precisions", default="fp32", help="of undertone, comma-separated")
    parser.add_argument("--undertone", default=str(ROOT / "build/release/undertone"))
    parser.add_argument("--json", help="also write all rounds to this file")
    parser.add_argument("--verbose", dest="quiet", action="store_false",
                        help="show the peers' messages")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.serve:
        serve_peer(options.serve, options.model, options.threads, options.stream)
        return
    engines = [Undertone(p, options) for p in options.precisions.split(",")]
    engines += [PeerProcess(name, options) for name in filter(None, options.peers.split(","))]
    rounds = {engine.name: [] for engine in engines}
    for number in range(options.rounds):
        for engine in engines:
            rounds[engine.name].append(engine.round())
            print(f"round {number + 1}: {engine.name}", file=sys.stderr, flush=True)
    for engine in engines:
        engine.close()
    print_table({name: summarise(rows) for name, rows in rounds.items()}, options)
    for engine in engines:
        if isinstance(engine, Undertone):
            print(f"{engine.name}: kernels {engine.last['kernels']}, machine peak "
                  f"{engine.last['peak_before']:.0f} and {engine.last['peak_after']:.0f} Gop/s, "
                  f"stream at {engine.last['fraction']:.2f} of it")
    if options.json:
        Path(options.json).write_text(json.dumps(rounds, indent=1))


if __name__ == "__main__":
    main()
