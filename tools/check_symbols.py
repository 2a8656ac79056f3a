#!/usr/bin/env python3
"""Checks that every external symbol says where it lives.

A symbol of src/ROOM/file.c starts with "file_" or its first word, with "room_" or with the name
of its folder: whoever meets the name in a stack trace knows the file. Reads the static libraries
of a build with nm.
"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# File -> further prefixes, each with a reason.
EXTRA_PREFIXES = {
    "src/base/clock.c": ("mono_", "wall_"),  # two clock types that must not mix: named by type
    "src/base/pack.c": ("unpack_",),  # the other half of pack_
    "src/mood/segment.c": ("speaker_",),  # enum speaker is part of a segment
    "src/flow/effects.c": ("end_reason_",),  # enum end_reason is part of an effect
    "src/nlp/kernels/x86_avx2_peak.c": ("peak_",),  # the ceiling that bench compares with
    "src/nlp/kernels/x86_avx512_peak.c": ("peak_",),
}

LINE = re.compile(r":(?P<object>[^:/]+)\.c\.o:\S*\s+\w\s+(?P<symbol>\S+)$")


def find_sources(root):
    """(room, stem) -> the source file's path."""
    sources = {}
    for top in ("src", "sim"):
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith(".c"):
                    path = os.path.relpath(os.path.join(directory, name), root)
                    parts = path.split(os.sep)
                    room = "sim" if parts[0] == "sim" else parts[1]
                    sources[room, name[:-2]] = path
    return sources


def prefixes_of(path):
    parts = path.split(os.sep)
    stem = parts[-1][:-2]
    words = {stem, stem.split("_")[0]} | {p for p in parts[:-1] if p != "src"}
    return tuple(f"{word}_" for word in sorted(words)) + EXTRA_PREFIXES.get(path, ())


def check_symbol(path, symbol):
    """What is wrong with this symbol of this source file, or None."""
    if symbol.startswith("__"):  # the compiler's own
        return None
    prefixes = prefixes_of(path)
    bare = tuple(prefix[:-1] for prefix in prefixes)
    if symbol.startswith(prefixes) or symbol in bare:
        return None
    return f"{path}: {symbol} should start with {' or '.join(prefixes)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("build", help="the build folder with libut_*.a")
    options = parser.parse_args()

    sources = find_sources(ROOT)
    problems, count = [], 0
    for name in sorted(os.listdir(options.build)):
        match = re.fullmatch(r"libut_(\w+)\.a", name)
        if not match:
            continue
        listing = subprocess.run(
            ["nm", "-A", "-g", "--defined-only", os.path.join(options.build, name)],
            check=True, capture_output=True, text=True,
        ).stdout
        for line in listing.splitlines():
            found = LINE.search(line)
            path = found and sources.get((match.group(1), found.group("object")))
            if path:  # an object whose source has gone is the build system's business
                count += 1
                problems.append(check_symbol(path, found.group("symbol")))
    problems = [p for p in problems if p]
    print("\n".join(problems) if problems else f"{count} symbols say where they live")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
