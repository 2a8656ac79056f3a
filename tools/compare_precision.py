#!/usr/bin/env python3
"""Compares the answers of one precision with those of another, utterance by utterance.

    tools/compare_precision.py utterances.txt
    tools/compare_precision.py --model roberta --precision bf16 utterances.txt

Prints how many labels agree, the mean and largest difference of scores and of logits, and fails
when fewer labels agree, or scores differ by more, than a fast precision may.
"""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def answers(args, precision, kernels):
    command = [args.program, "score", "--json", "--precision", precision, args.file]
    command += ["--model", args.model] if args.model else []
    command += ["--kernels", kernels] if kernels else []
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    return [json.loads(line) for line in lines]


def compare(exact, fast):
    """(utterances, labels that agree, score differences, logit differences)"""
    same, scores, logits = 0, [], []
    for one, two in zip(exact, fast, strict=True):
        if one["label"] is None:
            continue
        same += one["label"] == two["label"]
        scores.append(abs(one["score"] - two["score"]))
        if one["logits"] and two["logits"]:
            logits.append(max(abs(a - b) for a, b in zip(one["logits"], two["logits"])))
    return len(scores), same, scores, logits


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="utterances, one a line")
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/undertone"))
    parser.add_argument("--model", help="directory or name (default: the default model)")
    parser.add_argument("--reference", default="fp32")
    parser.add_argument("--reference-kernels")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--kernels")
    parser.add_argument("--labels", type=float, default=0.995, help="least part that must agree")
    parser.add_argument("--score", type=float, default=0.005, help="most mean score difference")
    args = parser.parse_args()
    exact = answers(args, args.reference, args.reference_kernels)
    fast = answers(args, args.precision, args.kernels)
    count, same, scores, logits = compare(exact, fast)
    if count == 0:
        sys.exit(f"{args.file} holds no utterances")
    mean = sum(scores) / count
    print(f"{count} utterances: {100 * same / count:.2f} % same label, score differs by "
          f"{mean:.5f} on average, {max(scores):.4f} at most; logits by "
          f"{sum(logits) / len(logits):.4f} and {max(logits):.4f}")
    sys.exit(0 if same >= args.labels * count and mean <= args.score else 1)


if __name__ == "__main__":
    main()
