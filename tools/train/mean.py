#!/usr/bin/env python3
"""Averages the weights of checkpoints that were trained from the same one.

    tools/train/mean.py --out mean calls feelings

Runs that start alike end close enough for their mean to be better than either; tokenizer and
configuration are the last one's.
"""

import argparse
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("checkpoints", nargs="+")
    args = parser.parse_args()
    models = [AutoModelForSequenceClassification.from_pretrained(path, dtype=torch.float32)
              for path in args.checkpoints]  # fmt: skip
    states = [model.state_dict() for model in models]
    mean = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[-1]}
    models[-1].load_state_dict(mean)
    models[-1].save_pretrained(args.out)
    AutoTokenizer.from_pretrained(args.checkpoints[-1]).save_pretrained(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
