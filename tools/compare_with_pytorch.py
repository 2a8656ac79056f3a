#!/usr/bin/env python3
"""Compares this program with PyTorch on your own checkpoint, line by line.

    pip install torch transformers            (and sentencepiece for XLM-RoBERTa's .model files)
    python3 tools/compare_with_pytorch.py my-checkpoint calls.txt
    python3 tools/compare_with_pytorch.py --undertone build/undertone --limit 1000 DIR FILE

DIR is a folder with config.json, FILE has one text a line ("-": standard input). Both get the same
texts, cut to the model's length. Prints the worst difference and where it is; exits 1 if any logit
differs by more than --tolerance, or any line's tokens by number.
"""

import argparse
import json
import subprocess
import sys


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="the checkpoint's folder")
    parser.add_argument("texts", help="a file with one text a line, or -")
    parser.add_argument("--undertone", default="undertone", help="the program (default: from PATH)")
    parser.add_argument("--limit", type=int, help="only so many lines")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of a logit (default 1e-4)")
    parser.add_argument("--show", type=int, default=5, help="print the worst N lines (default 5)")
    return parser.parse_args()


def read_texts(args):
    source = sys.stdin if args.texts == "-" else open(args.texts, encoding="utf-8", newline="\n")
    with source:
        texts = [line.rstrip("\n") for line in source]
    return texts[: args.limit]


def ask_undertone(args, texts):
    """Logits and token counts; blank texts are scored too, as PyTorch would."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run(
        [args.undertone, "score", "-m", args.model, "--precision", "fp32", "--long", "truncate",
         "--jsonl", "--json"],
        input=lines.encode(), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{args.undertone} exited with {done.returncode}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [(answer["logits"], answer["tokens"]) for answer in answers]


def model_length(model, tokenizer):
    """What both programs cut to: the rows of the position table that a text can use."""
    config = model.config
    pad = config.pad_token_id if config.model_type in ("roberta", "xlm-roberta") else None
    rows = config.max_position_embeddings - (pad + 1 if pad is not None else 0)
    return min(rows, tokenizer.model_max_length)


def tweets(text):
    """model.yaml's "preprocess: tweet"."""
    words = ("@user" if w.startswith("@") and len(w) > 1 else "http" if w.startswith("http") else w
             for w in text.split(" "))
    return " ".join(words)


def prepares_tweets(folder):
    try:
        with open(f"{folder}/model.yaml", encoding="utf-8") as file:
            return any(line.split("#")[0].split() == ["preprocess:", "tweet"] for line in file)
    except FileNotFoundError:
        return False


def ask_pytorch(args, texts):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForSequenceClassification.from_pretrained(args.model).float().eval()
    longest = model_length(model, tokenizer)
    prepare = tweets if prepares_tweets(args.model) else str
    with torch.inference_mode():
        for text in texts:
            batch = tokenizer(prepare(text), return_tensors="pt", truncation=True,
                              max_length=longest)
            yield model(**batch).logits[0].tolist(), batch["input_ids"].shape[1]


def main():
    args = parse()
    texts = read_texts(args)
    ours = ask_undertone(args, texts)
    differences, token_faults = [], []
    for number, (mine, theirs) in enumerate(zip(ours, ask_pytorch(args, texts), strict=True), 1):
        if mine[1] != theirs[1]:
            token_faults.append(number)
            print(f"line {number}: {mine[1]} tokens, PyTorch's tokenizer has {theirs[1]}")
        worst = max(abs(a - b) for a, b in zip(mine[0], theirs[0], strict=True))
        differences.append((worst, number, mine[0], theirs[0]))
    differences.sort(reverse=True)
    for worst, number, mine, theirs in differences[: args.show]:
        print(f"line {number}: differs by {worst:.2g}: {mine} and {theirs}")
    worst = differences[0][0] if differences else 0.0
    fine = worst <= args.tolerance and not token_faults
    print(f"{len(texts)} lines, worst logit difference {worst:.2g}, "
          f"{len(token_faults)} with other tokens: {'equal' if fine else 'NOT equal'}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
