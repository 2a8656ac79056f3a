#!/usr/bin/env python3
"""Every test that docs/FROM-THE-TUTORIAL.md names exists, and every row of its tables names one.

A test is named as CTest names it, then a slash and the function: `unit.mood.alert/test_a_decline`
is in tests/unit/mood/test_alert.c, `golden.literal/...` in tests/golden/test_literal.c,
`e2e.cli/...` in tests/e2e/test_cli.py. Without a slash the whole program is meant.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "docs/FROM-THE-TUTORIAL.md"
NAME = re.compile(r"`((unit|golden|e2e)\.([a-z0-9_.]+))(?:/([a-z0-9_]+))?`")


def read(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def file_of(kind, rest):
    if kind == "golden":
        return f"tests/golden/test_{rest}.c"
    if kind == "e2e":
        return f"tests/e2e/test_{rest}.py"
    room, _, name = rest.partition(".")
    return f"tests/unit/{room}/test_{name}.c"


def is_registered(whole):
    """Tests without a file of their own are registered by name in a fragment."""
    folder = os.path.join(ROOT, "tests/e2e")
    names = (name for name in os.listdir(folder) if name.endswith(".cmake"))
    return any(re.search(rf"NAME {re.escape(whole)}\b", read(f"tests/e2e/{n}")) for n in names)


def problem_with(match):
    whole, kind, rest, function = match.groups()
    path = file_of(kind, rest)
    source = read(path)
    if source is None:
        return None if not function and is_registered(whole) else f"there is no {path}"
    if not function:
        return None
    if path.endswith(".py"):
        found = re.search(rf"def {function}\(self", source)
    else:  # defined, and given to a list of tests
        found = re.search(rf"^static void {function}\(void \*\*", source, re.M) and len(
            re.findall(rf"\b{function}\b", source)
        ) > 1
    return None if found else f"{path} has no test {function}"


def check(text):
    """Yields (line, message)."""
    for number, line in enumerate(text.splitlines(), 1):
        names = list(NAME.finditer(line))
        for match in names:
            problem = problem_with(match)
            if problem:
                yield number, problem
        cells = line.split(" | ")
        if line.startswith("| ") and len(cells) == 4 and not names and "shown by" not in line:
            yield number, "this row names no test"


def main():
    text = read(PAGE)
    if not text or not NAME.search(text):
        print(f"{PAGE}: missing, or names no test: this check has lost its object")
        return 1
    problems = list(check(text))
    for number, message in problems:
        print(f"{PAGE}:{number}: {message}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
