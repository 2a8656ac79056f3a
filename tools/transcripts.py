"""What the simulator can say: the customer's turns of the recorded conversations in sim/data.

Used by the commands that need every customer text without running the simulator. Reads the data
files as they are published (see the SOURCE.md in each folder).
"""

import gzip
import json
import os
import re
import unicodedata

CUSTOMER_NAMES = {"customer", "user", "caller"}

SOURCES = (
    "harper-valley-samples/conversations.jsonl.gz",
    "cucom-ecommerce-synthetic/conversations.jsonl.gz",
    "ms-contact-center-synthetic/it_helpdesk_calls.jsonl.gz",
    "abcd-samples/abcd_5_conversations.jsonl.gz",
)


def turns_of(record):
    """The (role, text) pairs of one conversation, whatever the file's own shape."""
    if "segments" in record:
        return [(s["speaker_role"], s["human_transcript"]) for s in record["segments"]]
    if "original" in record:
        return [(role, text) for role, text in record["original"]]
    return [
        (turn.get("role", turn.get("speaker")), turn.get("content", turn.get("text")))
        for turn in record["turns"]
    ]


def customer_texts(data_directory):
    """Every distinct customer text, words apart by single spaces as the simulator serves it."""
    texts = set()
    for source in SOURCES:
        path = os.path.join(data_directory, source)
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                for role, text in turns_of(json.loads(line)):
                    if role.lower() in CUSTOMER_NAMES and isinstance(text, str):
                        texts.add(" ".join(text.split()))
    return sorted(texts - {""})


def draft_of(text):
    """The form that a revised final had first: without the last word, if that leaves two."""
    words = text.split()
    return " ".join(words[:-1]) if len(words) >= 3 else None


# A tag begins with a letter and has at most 40 characters.
TAG = re.compile(r"\[[^\W\d_][\w :-]{0,39}\]|</?[^\W\d_][\w-]{0,39}>")
CUT_OFF = re.compile(r"(?<=\w)~+(?!\w)")


def clean(text):
    """The cleaning that src/nlp/clean.h describes, written a second time on purpose: speech tags,
    control and format characters and the mark of a cut-off word go; white space is folded."""
    text = TAG.sub(" ", text)
    kept = []
    for character in text:
        if character.isspace():
            kept.append(" ")
        elif unicodedata.category(character) not in ("Cc", "Cf"):
            kept.append(character)
    return " ".join(CUT_OFF.sub("", "".join(kept)).split())
