"""The texts the default model learns from and is measured on, as (text, class) pairs.

One class a text: 0 negative, 1 neutral, 2 positive. DATA is a folder with one folder a data set,
each as its publisher laid it out (README.md lists them). A tenth of XED and of VADER, by hash of
the text, and the labelled calls of call-labels are never trained on; a text that is held out of one
set is left out of all others too.
"""

import csv
import gzip
import hashlib
import json
import random
import re

NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2
CLASSES = ("negative", "neutral", "positive")
GOEMOTIONS_NAMED, XED_NAMED = 27, 8  # emotions that the two sets name, neutral not counted
UNNAMED = -1.0  # an emotion that the readers of a text were not asked for
MISHEARD = {
    "their": "there", "there": "their", "to": "two", "too": "to", "for": "four", "your": "you're",
    "you're": "your", "its": "it's", "it's": "its", "our": "are", "by": "buy", "here": "hear",
    "right": "write", "would": "wood", "know": "no", "then": "than", "been": "bin", "whole": "hole",
    "wait": "weight", "way": "weigh", "i'm": "i am", "can't": "cant", "won't": "want", "of": "off",
    "and": "an", "that": "the", "is": "as",
}  # fmt: skip
TAGS = ("[noise]", "[laughter]", "[background]", "<unk>")
FILLERS = ("um", "uh", "you know", "like", "i mean", "well", "so", "okay so", "yeah")


def key(text):
    """What two texts have in common that differ only in case, spaces and punctuation."""
    return " ".join(re.sub(r"[^\w']", " ", text.lower()).split())


def is_held_out(text):
    """True for a tenth of all texts, whichever set they are in."""
    return int.from_bytes(hashlib.sha256(key(text).encode()).digest()[:4], "big") % 10 == 0


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t")


def goemotions(data, split):
    names = (data / "goemotions/labels.txt").read_text().split()
    group = json.loads((data / "goemotions/sentiment_mapping.json").read_text())
    polarity = {name: POSITIVE for name in group["positive"]}
    polarity |= {name: NEGATIVE for name in group["negative"]}
    for text, ids, _ in rows(data / f"goemotions/{split}.tsv.gz"):
        marks = {polarity.get(names[int(i)], NEUTRAL) for i in ids.split(",")}
        if not {POSITIVE, NEGATIVE} <= marks:
            yield text, next((mark for mark in (POSITIVE, NEGATIVE) if mark in marks), NEUTRAL)


def xed(data):
    """Film subtitles. Anticipation (2) and surprise (7) have no polarity."""
    for cells in rows(data / "xed/en-annotated.tsv.gz"):
        if len(cells) != 2 or not re.search("[a-zA-Z]{2}", cells[0]):
            continue
        marks = {int(i) for i in re.findall(r"\d+", cells[1])}
        positive, negative = bool(marks & {5, 8}), bool(marks & {1, 3, 4, 6})
        if positive != negative:
            yield cells[0], POSITIVE if positive else NEGATIVE
    for cells in rows(data / "xed/neu_en.tsv.gz"):
        if len(cells) == 2 and cells[0].strip() == "9":
            yield cells[1], NEUTRAL


def vader(data):
    """Mean of at least 20 ratings from -4 to 4."""
    for name in ("tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets"):
        for number, cells in enumerate(rows(data / f"vader-ground-truth/{name}.tsv.gz")):
            if number and len(cells) >= 5:
                rating = float(cells[1])
                yield cells[4], (
                    POSITIVE if rating >= 0.5 else NEGATIVE if rating <= -0.5 else NEUTRAL
                )


def reviews(data):
    for path in sorted((data / "uci-sentiment-labelled-sentences").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if "\t" in line:
                text, mark = line.rsplit("\t", 1)
                yield text, POSITIVE if mark.strip() == "1" else NEGATIVE
    opinions = data / "bingliu-product-opinions"
    for number, cells in enumerate(rows(opinions / "product_reviews_9.tsv.gz")):
        if number and cells[0] in ("positive", "negative"):
            yield cells[3], POSITIVE if cells[0] == "positive" else NEGATIVE
    phrases = [cells for number, cells in enumerate(rows(opinions / "pros_cons.tsv.gz")) if number]
    for label, text in random.Random(3).sample(phrases, 6000):
        yield text, POSITIVE if label == "positive" else NEGATIVE


def requests(data, thanks):
    """Neutral turns of customers: facts, yes and no, greetings. If wanted, positive thanks."""
    wanted = {"contentonly": 5000, "confirmation": 900, "rejection": 900, "openinggreeting": 900,
              "outofdomain": 500}  # fmt: skip
    pool = {}
    for path in sorted((data / "multidogo").glob("*.train.tsv.gz")):
        for cells in rows(path):
            if len(cells) >= 6 and cells[3].strip():
                pool.setdefault(cells[5], set()).add(cells[3].strip())
    rng = random.Random(5)
    for intent, count in wanted.items():
        texts = sorted(pool.get(intent, ()))
        for text in rng.sample(texts, min(count, len(texts))):
            yield text, NEUTRAL
    for text in rng.sample(sorted(pool["thankyou"]), 800) if thanks else ():
        yield text, POSITIVE
    with gzip.open(data / "banking77/train.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        texts = sorted({cells[0] for number, cells in enumerate(csv.reader(lines)) if number})
    for text in rng.sample(texts, 2500):
        yield text, NEUTRAL


def turns(path):
    """(call, source, text, class) of each customer turn on whose sign its readers agree."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            call = json.loads(line)
            for turn in call["turns"]:
                mood = turn.get("mood")
                if turn["role"] != "customer" or mood is None:
                    continue
                signs = {(m > 0) - (m < 0) for m in (mood if isinstance(mood, list) else [mood])}
                if len(signs) == 1:
                    yield call["call"], call["source"], turn["text"], signs.pop() + 1


def unlabelled(data, count):
    """Customer turns of CuCom's chats that no reader has labelled, none of a labelled call."""
    labelled = set()
    for name in ("call-training/read", "call-training/written", "call-labels/calls",
                 "call-labels/written"):  # fmt: skip
        with open(data / f"{name}.jsonl", encoding="utf-8") as lines:
            labelled |= {key(turn["text"]) for line in lines for turn in json.loads(line)["turns"]}
    texts = {}
    chats = data / "cucom-ecommerce-synthetic/conversations.jsonl.gz"
    with gzip.open(chats, "rt", encoding="utf-8") as lines:
        for line in lines:
            turns = json.loads(line)["turns"]
            if sum(key(turn["content"]) in labelled for turn in turns) <= len(turns) // 4:
                texts |= {key(turn["content"]): turn["content"] for turn in turns
                          if turn["role"].lower() == "user"}  # fmt: skip
    texts = [text for name, text in texts.items()
             if name and name not in labelled and not is_held_out(text)]  # fmt: skip
    return random.Random(7).sample(texts, min(count, len(texts)))


def general(data, thanks=True):
    """All general texts once each, without those held out and those labelled in two ways."""
    classes, texts = {}, {}
    for source in (goemotions(data, "train"), xed(data), vader(data), reviews(data),
                   requests(data, thanks)):  # fmt: skip
        for text, mark in source:
            name = key(text)
            if name and not is_held_out(text):
                classes.setdefault(name, set()).add(mark)
                texts.setdefault(name, text)
    return [(texts[name], next(iter(marks))) for name, marks in classes.items() if len(marks) == 1]


def emotions(data):
    """Which emotions the readers of a text named, by its key: those of GoEmotions, then of XED."""
    unasked = [UNNAMED] * (GOEMOTIONS_NAMED + XED_NAMED)
    named = {}
    for text, ids, _ in rows(data / "goemotions/train.tsv.gz"):
        marks = named.setdefault(key(text), unasked.copy())
        chosen = {int(i) for i in ids.split(",")}
        marks[:GOEMOTIONS_NAMED] = [float(i in chosen) for i in range(GOEMOTIONS_NAMED)]
    for file, column in (("en-annotated", 0), ("neu_en", 1)):
        for cells in rows(data / f"xed/{file}.tsv.gz"):
            if len(cells) == 2:
                marks = named.setdefault(key(cells[column]), unasked.copy())
                chosen = {int(i) for i in re.findall(r"\d+", cells[1 - column])}
                marks[GOEMOTIONS_NAMED:] = [float(i in chosen) for i in range(1, XED_NAMED + 1)]
    return named


def as_transcribed(text, rng):
    """As a speech recogniser writes it: lower case, no punctuation, now and then a filler."""
    words = re.sub(r"[^\w\s'\[\]]", " ", text.lower()).split()
    if rng.random() < 0.3 and words:
        words.insert(rng.randrange(len(words)) if rng.random() < 0.5 else 0, rng.choice(FILLERS))
    return " ".join(words)


def as_misheard(text, rng):
    """The same, with what else goes wrong: stutters, lost and wrongly heard words, a lost end."""
    words = as_transcribed(text, rng).split()
    chance = rng.random()
    if chance < 0.1 and words:
        place = rng.randrange(len(words))
        words.insert(place, words[place])
    elif chance < 0.2 and len(words) > 6:
        del words[rng.randrange(len(words))]
    elif chance < 0.35:
        words = [MISHEARD.get(word, word) if rng.random() < 0.5 else word for word in words]
    elif chance < 0.4:
        words.insert(0, rng.choice(TAGS))
    return " ".join(words)
