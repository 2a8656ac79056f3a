"""The engines a user would otherwise pick, each at its best setting, behind one small interface.

An engine is made for a number of threads and answers texts(list of str, batch size). One request
after another uses all threads inside the engine; `Stream` instead lets one-threaded copies (or the
engine's own streams) take batches from a common queue, which is how each of them serves fastest.
bench/compare.py does the measuring.
"""

import copy
import queue
import threading
from pathlib import Path

from texts import default_stream, read_stream


def encode(tokenizer, texts, kind):
    return tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors=kind)


class Pipeline:
    """transformers.pipeline, as a script calls it."""

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

    def __init__(self, model, threads, streams=1):
        import openvino
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        core = openvino.Core()
        self.network = core.compile_model(self.read(core, model), "CPU", {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": self.precision,
        })
        self.request = self.network.create_infer_request()

    def read(self, core, model):
        return core.read_model(str(exported(model) / "raw.onnx"))

    def texts(self, texts, batch):
        for at in range(0, len(texts), batch):
            self.request.infer(onnx_inputs(self.tokenizer, texts[at : at + batch]))


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

    def __init__(self, model, threads, streams=1):
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
        self.encoder = ctranslate2.Encoder(str(made), device="cpu", inter_threads=streams,
                                           intra_threads=threads // streams,
                                           compute_type=self.kind)

    def texts(self, texts, batch):
        for at in range(0, len(texts), batch):
            encoded = self.tokenizer(texts[at : at + batch], truncation=True, max_length=512)
            self.encoder.forward_batch(encoded["input_ids"])


class CTranslate2Int8(CTranslate2):
    kind = "int8"


ENGINES = {
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


class Stream:
    """As many workers as threads, one thread each, taking batches as soon as they are free.

    OpenVINO and CTranslate2 bring streams of their own; ONNX Runtime runs in the caller's thread.
    PyTorch has no such form: its threads belong to the process.
    """

    kinds = (OnnxRuntime, OpenVino, CTranslate2)

    def __init__(self, kind, model, threads):
        if issubclass(kind, OnnxRuntime):
            engine = kind(model, 1)
        else:
            engine = kind(model, threads, streams=threads)
        self.engines = [self.for_worker(engine, model) for _ in range(threads)]

    @staticmethod
    def for_worker(engine, model):
        """Shares the weights, not what only one thread may use at a time."""
        from transformers import AutoTokenizer

        engine = copy.copy(engine)
        engine.tokenizer = AutoTokenizer.from_pretrained(model)
        if isinstance(engine, OpenVino):
            engine.request = engine.network.create_infer_request()
        return engine

    def texts(self, texts, batch):
        waiting = queue.SimpleQueue()
        for at in range(0, len(texts), batch):
            waiting.put(texts[at : at + batch])
        workers = [threading.Thread(target=self.work, args=(engine, waiting))
                   for engine in self.engines]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    @staticmethod
    def work(engine, waiting):
        while True:
            try:
                some = waiting.get_nowait()
            except queue.Empty:
                return
            engine.texts(some, len(some))
