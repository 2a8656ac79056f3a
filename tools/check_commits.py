#!/usr/bin/env python3
"""Checks the form of commit messages: "room: effect", at most 60 characters, no full stop, lower
case after the colon, and a blank second line if there is more to say.

Reads the history from git; in a tree without history (a release archive) there is nothing to
check and it says so.
"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUBJECT_MAX = 60
SUBJECT = re.compile(r"^[a-z0-9][a-z0-9/_.+-]*(, ?[a-z0-9/_.+-]+)*: \S")


def check_message(message):
    """What is wrong with a commit message, or None."""
    lines = message.rstrip("\n").split("\n")
    subject = lines[0]
    if len(subject) > SUBJECT_MAX:
        return f"the subject has {len(subject)} characters, at most {SUBJECT_MAX}"
    if not SUBJECT.match(subject):
        return "the subject is not of the form 'room: effect'"
    if subject.endswith("."):
        return "the subject ends with a full stop"
    effect = subject.split(": ", 1)[1]
    first = effect.split()[0]
    if first[0].isupper() and first[1:].islower():  # names such as WordPiece or HTTP are fine
        return "the effect starts with a capital letter"
    if len(lines) > 1 and lines[1]:
        return "the second line is not blank"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("range", nargs="?", default="HEAD", help="commits to read (default: all)")
    options = parser.parse_args()

    git = ["git", "-C", ROOT, "-c", f"safe.directory={ROOT}"]
    if not os.path.exists(os.path.join(ROOT, ".git")):
        print("no git history here: nothing to check")
        return 0
    log = subprocess.run(
        git + ["log", "--no-merges", "-z", "--format=%h %B", options.range],
        capture_output=True, text=True,
    )
    if log.returncode:
        print(f"git log: {log.stderr.strip()}")
        return 1
    bad, count = 0, 0
    for entry in filter(None, log.stdout.split("\0")):
        commit, _, message = entry.partition(" ")
        count += 1
        problem = check_message(message)
        if problem:
            bad += 1
            print(f"{commit}: {problem}: {message.splitlines()[0]}")
    if not bad:
        print(f"{count} commit messages keep the form")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
