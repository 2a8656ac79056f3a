#!/usr/bin/env python3
"""Trains the default model, one stage a run; a run that was stopped goes on where it was.

    tools/train/train.py general --data DATA --start BASE --out general
    tools/train/teach.py --data DATA general teacher.json
    tools/train/train.py calls --data DATA --start general --teacher teacher.json --out calls
    tools/train/train.py feelings --data DATA --start general --teacher teacher.json --out feelings

BASE is all-MiniLM-L6-v2. Stages and data: tools/train/README.md. State is kept in OUT every few
minutes and removed when the stage is done; OUT then holds a float32 checkpoint. Start with the same
arguments to resume: the order of the texts depends on nothing but the stage and the epoch.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

import corpora
import stages

BATCH = 48
SORTED_TOGETHER = 64  # batches whose texts are sorted by length, so that little is padding
TOKENS_MAX = 64
KEEP_EVERY_S = 240
SAY_EVERY = 100
EMOTIONS_RATE = 1e-3
EMOTIONS = corpora.GOEMOTIONS_NAMED + corpora.XED_NAMED


def distribution(target):
    """Three probabilities, of a class or as they are, and a mark for each emotion."""
    if isinstance(target, int):
        target = [float(target == one) for one in range(3)]
    return target + [corpora.UNNAMED] * (3 + EMOTIONS - len(target))


def batches(tokenizer, examples, rng):
    """(inputs, targets) of one epoch, in an order that rng alone decides."""
    rng.shuffle(examples)
    for start in range(0, len(examples), BATCH * SORTED_TOGETHER):
        part = examples[start : start + BATCH * SORTED_TOGETHER]
        ids = tokenizer([text for text, _ in part], truncation=True, max_length=TOKENS_MAX)
        order = sorted(range(len(part)), key=lambda i: len(ids["input_ids"][i]))
        chunks = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
        rng.shuffle(chunks)
        for chunk in chunks:
            inputs = {name: [column[i] for i in chunk] for name, column in ids.items()}
            yield (
                tokenizer.pad(inputs, return_tensors="pt"),
                torch.tensor([distribution(part[i][1]) for i in chunk]),
            )


class Learner(torch.nn.Module):
    """A checkpoint, and outputs for emotions beside its own where the stage has use for them."""

    def __init__(self, checkpoint, emotions):
        super().__init__()
        self.checkpoint = checkpoint
        self.emotions = None
        if emotions:
            self.emotions = torch.nn.Linear(checkpoint.config.hidden_size, EMOTIONS)
            torch.nn.init.constant_(self.emotions.bias, -3.0)  # few texts have any one of them

    def forward(self, inputs):
        """(logits of the classes, logits of the emotions or None)"""
        read = self.checkpoint.base_model(**inputs)
        if read.pooler_output is None:  # MPNet's classifier reads the first token itself
            classes, pooled = self.checkpoint.classifier(read[0]), read[0][:, 0]
        else:
            pooled = self.checkpoint.dropout(read.pooler_output)
            classes = self.checkpoint.classifier(pooled)
        return classes, self.emotions(pooled) if self.emotions else None


def load(start, stage):
    names = dict(enumerate(corpora.CLASSES))
    settings = {} if stage.dropout is None else {
        "hidden_dropout_prob": stage.dropout, "attention_probs_dropout_prob": stage.dropout
    }  # fmt: skip
    checkpoint = AutoModelForSequenceClassification.from_pretrained(
        start, num_labels=3, id2label=names, label2id={name: i for i, name in names.items()},
        attn_implementation="eager", torch_dtype=torch.float32, **settings,
    )  # fmt: skip
    body = checkpoint.base_model
    body.embeddings.word_embeddings.weight.requires_grad_(False)  # half of all, little gained
    for frozen in [body.embeddings, *body.encoder.layer[: stage.frozen]] if stage.frozen else []:
        frozen.requires_grad_(False)
    return Learner(checkpoint, stage.emotions), AutoTokenizer.from_pretrained(start)


def optimizer_of(model, stage, steps):
    head = list(model.checkpoint.classifier.parameters())
    emotions = list(model.emotions.parameters()) if stage.emotions else []
    heads = ("checkpoint.classifier", "emotions")
    body = [p for name, p in model.named_parameters()
            if p.requires_grad and not name.startswith(heads)]  # fmt: skip
    groups = [{"params": head, "lr": stage.head_rate}, {"params": body}]
    if emotions:
        groups.append({"params": emotions, "lr": EMOTIONS_RATE})
    optimizer = torch.optim.AdamW(groups, lr=stage.rate, weight_decay=0.01, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, int(steps * stage.warm_up), steps)
    return optimizer, schedule, head + emotions + body


class Average:
    """Mean of the weights over the last part of the stage: better than the last weights alone."""

    def __init__(self, model):
        self.count = 0
        self.sums = {name: torch.zeros_like(p) for name, p in model.named_parameters()
                     if p.requires_grad}  # fmt: skip

    def add(self, model):
        self.count += 1
        for name, p in model.named_parameters():
            if name in self.sums:
                self.sums[name] += (p.detach() - self.sums[name]) / self.count

    def put(self, model):
        if self.count:
            for name, p in model.named_parameters():
                if name in self.sums:
                    p.data.copy_(self.sums[name])


def keep(path, model, optimizer, schedule, average, epoch, step):
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(),
             "schedule": schedule.state_dict(), "sums": average.sums, "count": average.count,
             "epoch": epoch, "step": step, "random": torch.get_rng_state()}  # fmt: skip
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def resume(path, model, optimizer, schedule, average):
    """(epoch, steps done in it)"""
    if not path.exists():
        return 0, 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    average.sums, average.count = state["sums"], state["count"]
    torch.set_rng_state(state["random"])
    return state["epoch"], state["step"]


def missed_emotions(logits, marks):
    """Cross-entropy of the emotions asked for, summed over them, a text of the batch."""
    asked = (marks != corpora.UNNAMED).float()
    missed = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, marks.clamp(min=0), weight=asked, reduction="sum"
    )
    return missed / len(marks)


def learn(model, optimizer, trained, stage, inputs, targets):
    """One step; returns the classes' loss before it."""
    halves = {name: p.bfloat16() for name, p in model.named_parameters()}
    logits, emotions = torch.func.functional_call(model, halves, (inputs,))
    said = torch.nn.functional.cross_entropy(
        logits.float(), targets[:, :3], label_smoothing=stage.smoothing
    )
    loss = said
    if stage.emotions:
        loss = said + stage.emotions * missed_emotions(emotions.float(), targets[:, 3:])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return said.item()


def run(stage, args):
    path = args.out / "state.pt"
    torch.manual_seed(args.seed)
    model, tokenizer = load(args.start, stage)
    teacher = json.loads(args.teacher.read_text()) if args.teacher else {}
    epochs = [stage.examples(args.data, random.Random(f"{stage.name} {args.seed} {epoch}"), epoch,
                             teacher) for epoch in range(stage.epochs)]  # fmt: skip
    steps = sum(-(-len(examples) // BATCH) for examples in epochs)
    optimizer, schedule, trained = optimizer_of(model, stage, steps)
    average = Average(model)
    first, skip = resume(path, model, optimizer, schedule, average)
    counts = [len(examples) for examples in epochs]
    print(f"{counts} texts, {steps} steps, from epoch {first} step {skip}", flush=True)
    model.train()
    seen, started, kept, done = 0.0, time.time(), time.time(), 0
    total = sum(-(-count // BATCH) for count in counts[:first]) + skip
    for epoch in range(first, stage.epochs):
        order = random.Random(f"order {args.seed} {epoch}")
        for step, (inputs, targets) in enumerate(batches(tokenizer, epochs[epoch], order)):
            if epoch == first and step < skip:
                continue
            loss = learn(model, optimizer, trained, stage, inputs, targets)
            schedule.step()
            done, total, seen = done + 1, total + 1, 0.98 * seen + 0.02 * loss
            if stage.averaged and total >= steps * (1 - stage.averaged) and total % 10 == 0:
                average.add(model)
            if done % SAY_EVERY == 0:
                print(f"step {total}/{steps} loss {seen:.3f} "
                      f"{(time.time() - started) / done:.3f} s/step", flush=True)  # fmt: skip
            if time.time() - kept > KEEP_EVERY_S:
                keep(path, model, optimizer, schedule, average, epoch, step + 1)
                kept = time.time()
    average.put(model)
    model.checkpoint.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    path.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("stage", choices=sorted(stages.STAGES))
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--start", required=True, help="checkpoint to start from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, help="what teach.py wrote")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    run(stages.STAGES[args.stage], args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
