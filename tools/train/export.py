#!/usr/bin/env python3
"""Makes the model's folder from a trained checkpoint: float16 weights and PyTorch's own answers.

    tools/train/export.py --data DATA CHECKPOINT models/undertone-minilm-l6
    tools/train/export.py --data DATA --keep CHECKPOINT OUT        (as it is, not calibrated)

A temperature and two biases (of negative and positive) are fitted to the calls kept for choosing,
by likelihood, and folded into the classifier: whoever loads the checkpoint gets calibrated
probabilities. golden.jsonl keeps the texts and ids it has, its logits are computed anew from the
float16 weights, in float32. Tokenizer and configuration in the folder are left as they are; a
checkpoint that does not fit them is refused.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import stages

KEPT = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "vocab_size", "max_position_embeddings", "id2label", "hidden_act")  # fmt: skip


def logits_of(model, tokenizer, texts, limit=512):
    rows = []
    with torch.inference_mode():
        for text in texts:
            inputs = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
            rows.append(model(**inputs).logits[0].numpy())
    return np.array(rows)


def fit(logits, marks, prior):
    """(temperature, biases) of the greatest likelihood; prior holds the biases near 0."""

    def loss(x):
        scaled = logits / np.exp(x[0]) + np.array([x[1], 0, x[2]])
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return -scaled[np.arange(len(marks)), marks].sum() + prior * (x[1] ** 2 + x[2] ** 2)

    found = minimize(loss, np.zeros(3), method="Nelder-Mead").x
    return float(np.exp(found[0])), np.array([found[1], 0, found[2]])


def fold(model, tokenizer, data, prior):
    turns = [turn for turn in stages.labelled_turns(data) if stages.is_for_choosing(turn[0])]
    logits = logits_of(model, tokenizer, [turn[2] for turn in turns])
    temperature, biases = fit(logits, np.array([turn[3] for turn in turns]), prior)
    print(f"{len(turns)} turns: temperature {temperature:.2f}, bias negative {biases[0]:+.2f}, "
          f"positive {biases[2]:+.2f}")  # fmt: skip
    with torch.no_grad():
        model.classifier.weight /= temperature
        model.classifier.bias /= temperature
        model.classifier.bias += torch.tensor(biases, dtype=torch.float32)


def write_golden(path, model, tokenizer):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with open(path, "w", encoding="utf-8") as out:
        for line in lines:
            if tokenizer(line["text"], truncation=True, max_length=512)["input_ids"] != line["ids"]:
                raise SystemExit(f"export: the tokenizer has changed: {line['text']!r}")
            logits = logits_of(model, tokenizer, [line["text"]])[0]
            line["logits"] = [float(x) for x in logits]
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--keep", action="store_true", help="fit nothing")
    parser.add_argument("--prior", type=float, default=0.0, help="weight that holds biases near 0")
    parser.add_argument("checkpoint")
    parser.add_argument("out", type=Path, help="folder with config.json, tokenizer, golden.jsonl")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(args.out)
    model = AutoModelForSequenceClassification.from_pretrained(args.checkpoint).float().eval()
    config = json.loads((args.out / "config.json").read_text())
    new = json.loads(model.config.to_json_string(use_diff=False))
    for name in KEPT:
        if config[name] != new[name]:
            raise SystemExit(f"export: {name} is {new[name]}, {args.out} has {config[name]}")
    if not args.keep:
        fold(model, tokenizer, args.data, args.prior)
    model.half()
    text = (args.out / "config.json").read_bytes()
    model.save_pretrained(args.out)
    (args.out / "config.json").write_bytes(text)
    (args.out / "model.safetensors").chmod(0o644)
    write_golden(args.out / "golden.jsonl", model.float(), tokenizer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
