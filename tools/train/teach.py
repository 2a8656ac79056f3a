#!/usr/bin/env python3
"""Writes what a checkpoint thinks of each general text and of turns that nobody labelled: soft
targets for the next stage.

tools/train/teach.py --data DATA CHECKPOINT teacher.json
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import corpora
import stages

BATCH = 64
TOKENS_MAX = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("checkpoint")
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = AutoTokenizer.from_pretrained(args.checkpoint)
    model = AutoModelForSequenceClassification.from_pretrained(args.checkpoint).bfloat16().eval()
    texts = [text for text, _ in corpora.general(args.data)]
    texts = sorted(texts + corpora.unlabelled(args.data, stages.UNLABELLED), key=len)
    answers = {}
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            part = texts[start : start + BATCH]
            inputs = tokenizer(part, padding=True, truncation=True, max_length=TOKENS_MAX,
                               return_tensors="pt")  # fmt: skip
            chances = torch.softmax(model(**inputs).logits.float(), 1).tolist()
            for text, chance in zip(part, chances):
                answers[corpora.key(text)] = [round(p, 4) for p in chance]
    args.out.write_text(json.dumps(answers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
