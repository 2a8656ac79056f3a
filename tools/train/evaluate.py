#!/usr/bin/env python3
"""Measures checkpoints on texts that none was trained on: one table, a row a set.

    tools/train/evaluate.py --data DATA models/undertone-minilm-l6
    tools/train/evaluate.py --data DATA OLD NEW          (the last against the first as well)
    tools/train/evaluate.py --data DATA --errors NEW     (the turns of calls it gets wrong)

Calls: macro-F1 over the classes with at least 10 turns in the source; where that is one class,
accuracy on all turns. Elsewhere and pooled: macro-F1 over 3 classes. Intervals hold 95 % of 2,000
bootstrap samples, of whole calls where there are calls, the same samples for every checkpoint.
ECE: expected calibration error in 15 bins. --training measures on the calls kept out of training
for choosing (stages.is_for_choosing) instead, which is where settings are to be chosen. A
temperature in a checkpoint's model.yaml is heeded.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import corpora
import stages

SAMPLES = 2000
TURNS_MIN = 10
BINS = 15
TOKENS_MAX = 256


@dataclass
class Set:
    name: str
    texts: list
    classes: np.ndarray
    groups: np.ndarray  # texts of one call are drawn together
    per_source: bool  # classes with few turns do not count


def call_sets(turns):
    by_source = {}
    for call, source, text, mark in turns:
        by_source.setdefault(source, []).append((call, text, mark))
    named = [(f"calls: {source}", rows, True) for source, rows in sorted(by_source.items())]
    if len(named) > 1:
        named.append(("calls: all", [row for _, rows, _ in named for row in rows], False))
    for name, rows, per_source in named:
        numbers = {call: number for number, call in enumerate(dict.fromkeys(r[0] for r in rows))}
        yield Set(name, [r[1] for r in rows], np.array([r[2] for r in rows]),
                  np.array([numbers[r[0]] for r in rows]), per_source)  # fmt: skip


def text_set(name, pairs):
    pairs = list(pairs)
    return Set(name, [text for text, _ in pairs], np.array([mark for _, mark in pairs]),
               np.arange(len(pairs)), False)  # fmt: skip


def all_sets(data, training):
    if training:
        turns = stages.labelled_turns(data)
        return list(call_sets([turn for turn in turns if stages.is_for_choosing(turn[0])]))
    turns = []
    for name in ("calls", "written"):
        turns += corpora.turns(data / f"call-labels/{name}.jsonl")
    sets = list(call_sets(turns))
    sets.append(text_set("goemotions dev", corpora.goemotions(data, "dev")))
    for name, pairs in (("xed", corpora.xed(data)), ("vader", corpora.vader(data))):
        sets.append(text_set(f"{name}, held out", (p for p in pairs if corpora.is_held_out(p[0]))))
    return sets


def temperature_of(directory):
    settings = Path(directory) / "model.yaml"
    text = settings.read_text() if settings.exists() else ""
    found = re.search(r"^temperature: *([0-9.]+)", text, re.M)
    return float(found[1]) if found else 1.0


def probabilities(directory, sets):
    """One array of class probabilities a set, in float32."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForSequenceClassification.from_pretrained(directory, dtype=torch.float32)
    model.eval()
    temperature = temperature_of(directory)
    texts = sorted({text for one in sets for text in one.texts}, key=len)
    answers = {}
    with torch.inference_mode():
        for start in range(0, len(texts), 64):
            part = texts[start : start + 64]
            inputs = tokenizer(part, padding=True, truncation=True, max_length=TOKENS_MAX,
                               return_tensors="pt")  # fmt: skip
            logits = model(**inputs).logits / temperature
            answers.update(zip(part, torch.softmax(logits, 1).numpy()))
    return [np.array([answers[text] for text in one.texts]) for one in sets]


def macro_f1(confusion, counted):
    """confusion: [..., labelled, answered]"""
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    both = confusion.sum(-1) + confusion.sum(-2)
    return np.where(both > 0, 2 * right / np.maximum(both, 1), 0)[..., counted].mean(-1)


def measure(one, answers):
    """(value, bootstrap values)"""
    counts = np.bincount(one.classes, minlength=3)
    counted = counts >= TURNS_MIN if one.per_source else np.ones(3, bool)
    groups = one.groups.max() + 1
    tables = np.zeros((groups, 3, 3))
    np.add.at(tables, (one.groups, one.classes, answers.argmax(1)), 1)
    drawn = np.random.default_rng(1).multinomial(groups, np.full(groups, 1 / groups), SAMPLES)
    samples = np.tensordot(drawn, tables, 1)
    if counted.sum() == 1:
        accuracy = lambda c: np.trace(c, axis1=-2, axis2=-1) / np.maximum(c.sum((-2, -1)), 1)
        return accuracy(tables.sum(0)), accuracy(samples)
    return macro_f1(tables.sum(0), counted), macro_f1(samples, counted)


def calibration_error(one, answers):
    sure, right = answers.max(1), answers.argmax(1) == one.classes
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    return sum(abs(sure[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)) / len(sure)


def interval(samples):
    low, high = np.percentile(samples, (2.5, 97.5))
    return f"{low:+.3f}..{high:+.3f}" if low < 0 or high < 0 else f"{low:.3f}..{high:.3f}"


def print_table(sets, names, answers):
    print("| set | neg / neu / pos |", " | ".join(f"{n} | ECE" for n in names), end=" |")
    print(" difference |" if len(names) > 1 else "")
    print("|---" * (2 + 2 * len(names) + (len(names) > 1)) + "|")
    for number, one in enumerate(sets):
        cells, first = [], None
        for of_set in answers:
            value, samples = measure(one, of_set[number])
            cells.append(f"{value:.3f} ({interval(samples)}) | "
                         f"{calibration_error(one, of_set[number]):.3f}")  # fmt: skip
            first = first or (value, samples)
        if len(answers) > 1:
            cells.append(f"{value - first[0]:+.3f} ({interval(samples - first[1])})")
        counts = " / ".join(str(c) for c in np.bincount(one.classes, minlength=3))
        print(f"| {one.name} | {counts} |", " | ".join(cells), "|")


def print_errors(sets, answers):
    for one, of_set in zip(sets, answers):
        if one.name.startswith("calls: ") and one.per_source:
            print(f"\n{one.name}")
            for text, mark, answer in zip(one.texts, one.classes, of_set):
                if answer.argmax() != mark:
                    chances = " ".join(f"{a:.2f}" for a in answer)
                    print(f"  {corpora.CLASSES[mark]} [{chances}] {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--training", action="store_true", help="on the calls kept for choosing")
    parser.add_argument(
        "--errors", action="store_true", help="also the turns that the last gets wrong"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    sets = all_sets(args.data, args.training)
    answers = [probabilities(directory, sets) for directory in args.checkpoints]
    print_table(sets, [Path(directory).name for directory in args.checkpoints], answers)
    if args.errors:
        print_errors(sets, answers[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
