"""What each stage of training sees. See README.md for the reasons."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import contrasts
import corpora

UNLABELLED = 12000  # turns of which only the teacher's view is known

HERE = Path(__file__).resolve().parent


def is_for_choosing(call):
    """True for a tenth of the labelled calls: settings are chosen on them, not trained on them."""
    return int.from_bytes(hashlib.sha256(call.encode()).digest()[:4], "big") % 10 == 0


def labelled_turns(data):
    for name in ("read", "written"):
        yield from corpora.turns(data / f"call-training/{name}.jsonl")


@dataclass(frozen=True)
class Stage:
    name: str  # its random numbers go by it
    examples: Callable  # of (data, rng, epoch, teacher): [(text, class probabilities)]
    epochs: int
    rate: float
    head_rate: float
    warm_up: float  # part of all steps
    smoothing: float = 0.05
    averaged: float = 0.0  # last part of the steps whose weights are averaged
    emotions: float = 0.0  # weight of telling which emotions the readers named
    frozen: int = 0  # so many lowest layers, and what is below them, stay as they are
    dropout: float | None = None  # None: as the checkpoint says


def own_turns(file="turns.tsv"):
    """Turns labelled or written for this model."""
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            mark, _, text = line.split("\t")
            yield text, corpora.CLASSES.index(mark)


def silences(rng, count):
    """What a recogniser writes where nobody speaks is neutral."""
    return [(" ".join(rng.choices(corpora.TAGS, k=rng.choice((1, 1, 2)))), corpora.NEUTRAL)
            for _ in range(count)]  # fmt: skip


def heard(examples, part, rng, how=corpora.as_transcribed):
    """The same examples, a part of them as a speech recogniser writes them."""
    return [(how(text, rng) or text if rng.random() < part else text, target)
            for text, target in examples]  # fmt: skip


def mixed(mark, taught, part=0.5):
    """A label and, for that part, what the teacher thinks."""
    hard = [float(mark == one) for one in range(len(corpora.CLASSES))]
    return [(1 - part) * h + part * t for h, t in zip(hard, taught)] if taught else hard


def general(data, rng, _epoch, _teacher):
    return heard(corpora.general(data), 0.5, rng)


def shipped_calls(data, rng, _epoch, _teacher):
    """The second step of the first default model, to compare with: each labelled call thrice."""
    calls = [(text, mark) for _, _, text, mark in labelled_turns(data)]
    return heard(calls * 3, 0.6, rng) + heard(rng.sample(corpora.general(data), 14000), 0.5, rng)


def calls(data, rng, epoch, teacher, more_turns=(), emotions=None, is_large=False):
    """Calls among general texts, half of these an epoch: what was learnt from them is kept.

    The teacher is the checkpoint of the first stage: what it thinks of a general text counts as
    much as the one label that the text has, which is often a matter of taste. A large one counts
    twice as much, two thirds of the texts are seen an epoch, and turns that nobody labelled.
    """
    labelled = [turn[2:] for turn in labelled_turns(data) if not is_for_choosing(turn[0])]
    labelled += [*own_turns(), *more_turns]
    known = {corpora.key(text) for text, _ in labelled}
    emotions = emotions or {}
    part = 2 / 3 if is_large else 1 / 2
    texts = [(text, mixed(mark, teacher.get(corpora.key(text)), part)
              + emotions.get(corpora.key(text), []))
             for text, mark in corpora.general(data, thanks=False)
             if corpora.key(text) not in known]  # fmt: skip
    taught = []
    if is_large:
        texts = [one for number, one in enumerate(texts) if number % 3 != epoch]
        taught = [(text, teacher[corpora.key(text)])
                  for text in corpora.unlabelled(data, UNLABELLED)][epoch % 2 :: 2]  # fmt: skip
    else:
        random.Random("halves").shuffle(texts)
        texts = texts[epoch % 2 :: 2]
    return (
        heard(labelled * 3, 0.6, rng, corpora.as_misheard)
        + heard(contrasts.turns(rng, 1500), 0.6, rng, corpora.as_misheard)
        + silences(rng, 60)
        + heard(texts, 0.5, rng)
        + heard(taught, 0.5, rng)
    )


def feelings(data, rng, epoch, teacher):
    """The same with more turns, and the emotions that readers named in GoEmotions and XED.

    Those are told by outputs that are thrown away at the end: what they need to see in a text is
    finer than three classes, and stays in the weights below.
    """
    more = own_turns("more_turns.tsv")
    return calls(data, rng, epoch, teacher, more, corpora.emotions(data))


def taught_calls(data, rng, epoch, teacher):
    return calls(data, rng, epoch, teacher, is_large=True)


def taught_feelings(data, rng, epoch, teacher):
    more = own_turns("more_turns.tsv")
    return calls(data, rng, epoch, teacher, more, corpora.emotions(data), is_large=True)


def large(data, rng, _epoch, _teacher):
    """What a large teacher sees, once: the texts whose readers named emotions, and calls, twice.

    It is eight times as large as its pupil, and a tenth of the other general texts has to do.
    """
    named = corpora.emotions(data)
    texts = [(text, mixed(mark, None) + named.get(corpora.key(text), []))
             for text, mark in corpora.general(data, thanks=False)
             if corpora.key(text) in named or rng.random() < 0.1]  # fmt: skip
    labelled = [turn[2:] for turn in labelled_turns(data) if not is_for_choosing(turn[0])]
    labelled += [*own_turns(), *own_turns("more_turns.tsv")]
    return (
        heard(texts, 0.4, rng)
        + heard(labelled * 2, 0.6, rng, corpora.as_misheard)
        + heard(contrasts.turns(rng, 600), 0.6, rng, corpora.as_misheard)
    )


CALLS = {"name": "calls", "epochs": 2, "warm_up": 0.1, "averaged": 0.4}
STAGES = {
    "general": Stage("general", general, epochs=2, rate=1e-4, head_rate=1e-3, warm_up=0.05),
    "shipped-calls": Stage("shipped-calls", shipped_calls, epochs=3, rate=6e-5, head_rate=6e-5,
                           warm_up=0.1),  # fmt: skip
    "large": Stage("large", large, epochs=1, rate=4e-5, head_rate=4e-4, warm_up=0.06,
                   averaged=0.25, emotions=0.3, frozen=4, dropout=0.0),  # fmt: skip
    "calls": Stage(examples=calls, rate=6e-5, head_rate=6e-5, **CALLS),
    "feelings": Stage(examples=feelings, rate=8e-5, head_rate=8e-5, emotions=0.3, **CALLS),
    "taught-calls": Stage(examples=taught_calls, rate=6e-5, head_rate=6e-5, **CALLS),
    "taught-feelings": Stage(examples=taught_feelings, rate=8e-5, head_rate=8e-5, emotions=0.3,
                             **CALLS),  # fmt: skip
}
