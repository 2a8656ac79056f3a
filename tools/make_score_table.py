#!/usr/bin/env python3
"""Scores every customer text the simulator can serve with PyTorch, for tools/check_ledger.py.

The checker may not use undertone's own engine, and continuous integration has no PyTorch: so the
answers are computed once, here, in float32, and committed as tests/e2e/scores.tsv.gz: one line
a text, the first 16 hexadecimal digits of the SHA-256 of the raw text, a tab, and
P(positive) + 0.5 P(neutral) with six decimals, or "-" where nothing is left after cleaning.

Needs the Python packages torch and transformers (the only command here that does). It may be
interrupted and started again: finished scores are kept in the --cache file.
"""

import argparse
import gzip
import hashlib
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import transcripts  # noqa: E402

POLARITY = {"negative": 0.0, "neutral": 0.5, "positive": 1.0}


def digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def read_cache(path):
    scores = {}
    if os.path.exists(path):
        with open(path, encoding="ascii") as lines:
            for line in lines:
                key, _, score = line.rstrip("\n").partition("\t")
                if len(key) == 16 and len(score) == 8:
                    scores[key] = score
    return scores


class Scorer:
    """A checkpoint in Hugging Face layout, run in float32 on the CPU."""

    def __init__(self, directory, threads):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        torch.set_num_threads(threads)
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        self.model = AutoModelForSequenceClassification.from_pretrained(
            directory, torch_dtype=torch.float32
        ).eval()
        labels = self.model.config.id2label
        self.polarity = torch.tensor(
            [POLARITY[labels[i].lower()] for i in range(len(labels))], dtype=torch.float64
        )

    def token_count(self, text):
        return len(self.tokenizer(text)["input_ids"])

    def score(self, texts):
        with self.torch.inference_mode():
            batch = self.tokenizer(texts, padding=True, return_tensors="pt")
            logits = self.model(**batch).logits
            probabilities = self.torch.softmax(logits, dim=-1).double()
            return (probabilities @ self.polarity).tolist()


def score_missing(cleaned, scores, options):
    """Adds to scores (and the cache file) what it lacks of the cleaned texts."""
    missing = sorted({t for t in cleaned if t and digest(t) not in scores})
    print(f"{len(missing)} texts to score", flush=True)
    if not missing:
        return
    scorer = Scorer(options.model, options.threads)
    missing.sort(key=lambda text: (len(text), text))
    began = time.monotonic()
    with open(options.cache, "a", encoding="ascii") as cache:
        for start in range(0, len(missing), options.batch):
            texts = missing[start : start + options.batch]
            for text, score in zip(texts, scorer.score(texts)):
                scores[digest(text)] = f"{score:.6f}"
                cache.write(f"{digest(text)}\t{score:.6f}\n")
            cache.flush()
            if start // options.batch % 100 == 0:
                print(f"{start + len(texts)} after {time.monotonic() - began:.0f} s", flush=True)


def write_table(path, raw, scores):
    lines = []
    for text in raw:
        cleaned = transcripts.clean(text)
        lines.append(f"{digest(text)}\t{scores[digest(cleaned)] if cleaned else '-'}\n")
    body = "".join(sorted(set(lines))).encode("ascii")
    with open(path, "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as out:
            out.write(body)
    print(f"{path}: {len(set(lines))} texts, {os.path.getsize(path)} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", default=os.path.join(ROOT, "sim/data"))
    parser.add_argument("--model", default=os.path.join(ROOT, "models/undertone-minilm-l6"))
    parser.add_argument("--out", default=os.path.join(ROOT, "tests/e2e/scores.tsv.gz"))
    parser.add_argument("--cache", default=os.path.join(ROOT, "build/scores.cache"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()

    full = transcripts.customer_texts(options.data)
    drafts = [d for d in map(transcripts.draft_of, full) if d]
    raw = sorted(set(full) | set(drafts))
    scores = read_cache(options.cache)
    score_missing([transcripts.clean(t) for t in raw], scores, options)
    write_table(options.out, raw, scores)


if __name__ == "__main__":
    main()
