#!/usr/bin/env python3
"""Makes a runnable program of the tutorial's "Complete Working Example".

Takes the tutorial's text (which is not part of this repository) and puts back the indentation that
the text has lost, from a table of levels. The logic stays as it is; only what would need gigabytes
of packages is stood in for: the sentiment pipeline is a look-up in tests/e2e/scores.tsv.gz with
the labels that the listing expects, and the two functions it uses of numpy and torch are written
out. Texts that the table does not know (the agent's) are NEUTRAL.
"""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

FIRST_LINE, LAST_LINE = "Complete Working Example", "Common Errors & Debugging"

# Level of each line of the listing, from its first import to its last statement.
LEVELS = (
    "000000000000"  # imports
    "0111"  # the trends
    "01222222" "123233332222222"  # authentication
    "0122" "12322"  # engine
    "01222" "122" "1223" "12232222232322"  # windows
    "01222" "1222222" "1222222"  # the two writes
    "012222222222" "12222344555443454" "52"  # processor, its fetching
    "1234556655676666666678884" "55"  # and its loop
    "0111111211"  # main
)

STAND_INS = '''\
import gzip
import hashlib
import statistics


class torch:
    class cuda:
        is_available = staticmethod(lambda: False)


class np:
    mean = staticmethod(statistics.fmean)


def pipeline(task, model=None, device=None):
    """The look-up that stands in for the model."""
    scores = {}
    with gzip.open(SCORES, "rt", encoding="ascii") as lines:
        for line in lines:
            digest, _, score = line.rstrip("\\n").partition("\\t")
            scores[digest] = score

    def label(text):
        score = scores.get(hashlib.sha256(text.encode()).hexdigest()[:16], "-")
        if score == "-":
            return [{"label": "NEUTRAL"}]
        if float(score) < 1 / 3:
            return [{"label": "NEGATIVE"}]
        return [{"label": "POSITIVE" if float(score) > 2 / 3 else "NEUTRAL"}]

    return label

'''

REPLACED = {"import torch", "import numpy as np", "from transformers import pipeline"}


def listing_of(tutorial):
    """The lines of the complete example, without indentation."""
    lines = tutorial.splitlines()
    try:
        first, last = lines.index(FIRST_LINE) + 1, lines.index(LAST_LINE)
    except ValueError:
        raise ValueError(f'no lines "{FIRST_LINE}" and "{LAST_LINE}" in it') from None
    listing = [line for line in lines[first:last] if line.strip()]
    if len(listing) != len(LEVELS):
        raise ValueError(f"the example has {len(listing)} lines, {len(LEVELS)} expected")
    return listing


def runnable(tutorial, scores):
    """The source of the program."""
    body = []
    for level, line in zip(LEVELS, listing_of(tutorial)):
        if line.strip() not in REPLACED:
            body.append("    " * int(level) + line.strip())
    source = f"SCORES = {scores!r}\n" + STAND_INS + "\n".join(body) + "\n"
    compile(source, "tutorial", "exec")
    return source


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("tutorial", help="the tutorial's text file")
    parser.add_argument("--scores", default=os.path.join(ROOT, "tests/e2e/scores.tsv.gz"))
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    try:
        with open(options.tutorial, encoding="utf-8") as file:
            source = runnable(file.read(), os.path.abspath(options.scores))
    except (OSError, ValueError) as problem:
        print(f"tutorial_listing: {options.tutorial}: {problem}", file=sys.stderr)
        return 1
    with open(options.out, "w", encoding="utf-8") as file:
        file.write(source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
