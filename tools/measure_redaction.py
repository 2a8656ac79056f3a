#!/usr/bin/env python3
"""Measures `undertone redact` on MultiDoGO's customer turns, whose slots say what each word is.

Recall is over annotated entities (neighbouring words of one slot): found if no word of it is left.
Told apart: entities with a cue in their turn ("my ssn is 4455") or of a form that says it (a number
of nine digits, an address with its provider), and bare ones ("4455"), which no filter that sees one
turn can know. False positives are words taken out that no sensitive slot covers, over turns that
have no sensitive slot at all. The cues are this file's own regular expressions, not the program's.

    tools/measure_redaction.py --undertone build/undertone --data FOLDER [--strict] [--show N]
"""

import argparse
import collections
import glob
import gzip
import os
import random
import re
import subprocess
import sys

# Slot -> (labels that are right, what makes it recognisable in its own turn).
SENSITIVE = {
    "card_number": ({"CARD"}, r"\b(card|credit|debit|visa)\b"),
    "ssn": ({"SSN"}, r"\b(ssn|social)\b"),
    "account_number": ({"ACCOUNT"}, r"\b(account|acct|acc)\b"),
    "target_account_number": ({"ACCOUNT"}, r"\b(account|acct|acc)\b"),
    "account_id": ({"ACCOUNT"}, r"\b(account|acct|acc)\b"),
    "email_address": ({"EMAIL"}, r"\b\w*(gmail|yahoo|hotmail|outlook|mail)\w*(com|org|net)\b"),
    "phone_number": ({"PHONE"}, r"\b(phone|mobile|cell|contact|tel|ph)\b"),
    "phonenumber": ({"PHONE"}, r"\b(phone|mobile|cell|contact|tel|ph)\b"),
    "name": ({"NAME"}, r"\b(my|full|first|last) names? |\bname is\b|\bthis is\b"),
}
# Personal too, so that taking it out is no false positive, but no duty of the filter.
TOLERATED = {"password", "policyid", "username", "booking_confirmation_number", "claimid"}
LABEL = re.compile(r"\[(CARD|CVV|SSN|ACCOUNT|EMAIL|PHONE|NAME|NUMBER)\]")


def read_turns(folder):
    """(words, slots) of each turn whose annotation has one slot per word."""
    for path in sorted(glob.glob(os.path.join(folder, "*.tsv.gz"))):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file):
                parts = line.rstrip("\n").split("\t")
                if number == 0 or len(parts) < 6:
                    continue
                words, slots = parts[3].split(), parts[4].split()
                if words and len(words) == len(slots):
                    yield words, slots


def labels_of(words, redacted):
    """The label that each word vanished into, or None: aligns left to right, shortest first."""
    pieces = LABEL.split(" ".join(redacted.split()))
    out, at = [None] * len(words), 0
    text = " ".join(words)
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + 1)
    for index in range(1, len(pieces), 2):
        at += len(pieces[index - 1])
        following = pieces[index + 1]
        end = len(text) if index + 2 == len(pieces) and not following else None
        if end is None and index + 2 == len(pieces):
            end = len(text) - len(following)
        if end is None:
            end = text.index(following, at + 1) if following else at + 1
        for word in range(len(words)):
            if starts[word] < end and starts[word + 1] - 1 > at:
                out[word] = pieces[index]
        at = end
    return out


def entities(slots):
    """(slot, begin, end) of neighbouring words of one slot."""
    begin = 0
    for at in range(1, len(slots) + 1):
        if at == len(slots) or slots[at] != slots[begin]:
            if slots[begin] in SENSITIVE:
                yield slots[begin], begin, at
            begin = at


def is_recognisable(slot, words, begin, end):
    text = "".join(words[begin:end])
    digits = sum(c.isdigit() for c in text)
    if slot not in ("name", "email_address") and digits >= 9:
        return True
    return re.search(SENSITIVE[slot][1], " ".join(words)) is not None


def redact(program, turns, strict):
    command = [program, "redact"] + (["--strict"] if strict else [])
    text = "".join(" ".join(words) + "\n" for words, _ in turns)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    lines = done.stdout.split("\n")[:-1]
    if len(lines) != len(turns):
        sys.exit(f"{len(turns)} lines in, {len(lines)} out")
    return lines


class Figures:
    def __init__(self):
        self.seen, self.gone, self.right = (collections.Counter() for _ in range(3))
        self.missed, self.taken = [], []
        self.calm_turns = self.calm_hit = self.calm_words = self.calm_words_gone = 0
        self.by_label = collections.Counter()

    def add(self, words, slots, labels):
        for slot, begin, end in entities(slots):
            known = is_recognisable(slot, words, begin, end)
            self.seen[slot, known] += 1
            gone = all(labels[begin:end])
            self.gone[slot, known] += gone
            self.right[slot, known] += gone and set(labels[begin:end]) <= SENSITIVE[slot][0]
            if known and not gone:
                self.missed.append((slot, " ".join(words)))
        if not any(slot in SENSITIVE or slot in TOLERATED for slot in slots):
            gone = [w for w, label in zip(words, labels) if label]
            self.calm_turns += 1
            self.calm_words += len(words)
            self.calm_words_gone += len(gone)
            self.calm_hit += bool(gone)
            if gone:
                self.by_label[next(label for label in labels if label)] += 1
                self.taken.append((" ".join(words), " ".join(slots), " ".join(gone)))

    def print(self):
        print("slot                   recognisable  found  recall  right label |   bare  found")
        for slot in SENSITIVE:
            seen, gone = self.seen[slot, True], self.gone[slot, True]
            right = self.right[slot, True]
            print(
                f"{slot:24}{seen:11}{gone:7}{gone / max(seen, 1):8.3f}{right / max(gone, 1):13.3f}"
                f" |{self.seen[slot, False]:7}{self.gone[slot, False]:7}"
            )
        seen = sum(n for (_, known), n in self.seen.items() if known)
        gone = sum(n for (_, known), n in self.gone.items() if known)
        print(f"all recognisable {seen}, found {gone}, recall {gone / seen:.4f}")
        print(
            f"turns without a sensitive slot {self.calm_turns}, with something taken out "
            f"{self.calm_hit} ({self.calm_hit / self.calm_turns:.4%}); words {self.calm_words}, "
            f"taken out {self.calm_words_gone} ({self.calm_words_gone / self.calm_words:.4%})"
        )
        print("by label: " + ", ".join(f"{k} {v}" for k, v in self.by_label.most_common()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--undertone", default="build/undertone")
    parser.add_argument("--data", required=True, help="folder of *.tsv.gz")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--show", type=int, default=0, help="print so many misses and hits")
    options = parser.parse_args()
    turns = list(read_turns(options.data))
    figures = Figures()
    for (words, slots), line in zip(turns, redact(options.undertone, turns, options.strict)):
        figures.add(words, slots, labels_of(words, line))
    print(f"{len(turns)} turns")
    figures.print()
    random.seed(1)
    for title, cases in (("missed", figures.missed), ("taken", figures.taken)):
        for case in random.sample(cases, min(options.show, len(cases))):
            print(title, *case, sep=" | ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
