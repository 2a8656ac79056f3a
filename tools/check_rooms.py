#!/usr/bin/env python3
"""Checks that #include lines go only along the arrows between the rooms.

The arrows are the USES lists of undertone_room() in CMakeLists.txt: one table for the build and
for this check. Besides: each outside library's header appears only in its own place (LIBRARIES
below), and never in a header that another room may include; headers named *_internal.h stay in
their room; mood/ and flow/ have no input, output, clock or threads; only programs write logs.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Header prefix -> the only place (or places) that may include it.
LIBRARIES = {
    "curl/": "src/net/http_c",  # http_client, and its other parts http_call and http_connections
    "uv.h": "src/net/",
    "microhttpd.h": "src/net/http_server",
    "jansson.h": "src/base/json",
    "sodium.h": "src/base/",
    "zlib.h": "src/base/lines",
    "utf8proc.h": "src/base/",
    "yaml.h": "src/base/yaml_reader",
    "sqlite3.h": "src/store/",
    "pcre2.h": "src/cues/pattern",
    "openssl/": "sim/",
    "immintrin.h": "src/nlp/kernels/",
}

# Pure rooms: what they must not reach for.
PURE_ROOMS = {"mood", "eval", "flow", "cues", "redact"}
IMPURE = re.compile(
    r"^(stdio|time|pthread|threads|stdatomic|unistd|fcntl|signal|poll|sched|netdb)\.h$|^sys/|^net"
)

LOGGING_ROOMS = {"base", "app", "sim"}

# Headers that no other room includes: named so, or named after an instruction set.
PRIVATE = re.compile(r"_internal\.h$|/(x86|arm)_[^/]*\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")')
ROOM_CALL = re.compile(r"undertone_room\((\w+)([^)]*)\)", re.S)
CMAKE_WORDS = {"USES", "LIBRARIES", "DIRECTORIES", "EXCLUDE"}


def read_rooms(cmake_text):
    """room -> set of rooms it may include, itself among them."""
    rooms = {}
    for name, rest in ROOM_CALL.findall(cmake_text):
        uses, keyword = set(), ""
        for word in rest.split():
            if word in CMAKE_WORDS:
                keyword = word
            elif keyword == "USES":
                uses.add(word)
        rooms[name] = uses | {name}
    return rooms


def room_of(path):
    """The room a source file or an include path belongs to, or None."""
    parts = path.split("/")
    if parts[0] == "src":
        parts = parts[1:]
    return parts[0] if len(parts) > 1 else None


def includes_of(text):
    """(line number, name, is system header) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2) or match.group(3), match.group(2) is not None


def check_library(path, header):
    for prefix, place in LIBRARIES.items():
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            if not path.startswith(place):
                return f"<{header}> belongs to {place} alone"
            if path.endswith(".h") and not PRIVATE.search(path):
                return f"<{header}> in a header that other rooms may include"
    return None


def check_own(path, header, rooms):
    room, target = room_of(path), room_of(header)
    if target is None:
        return f'"{header}" does not say its room: write "room/file.h"'
    if target not in rooms:
        return f'"{header}" is in no known room'
    if target not in rooms[room]:
        allowed = ", ".join(sorted(rooms[room] - {room})) or "none"
        return f'"{header}": {room} may include {allowed}, not {target}'
    if PRIVATE.search(header) and target != room:
        return f'"{header}" is private to {target}'
    if header == "base/log.h" and room not in LOGGING_ROOMS:
        return "only programs write logs: return an error or an outcome instead"
    return None


def check_file(path, text, rooms):
    """A list of 'path:line: what is wrong'."""
    problems = []
    for number, header, is_system in includes_of(text):
        problem = check_library(path, header)
        if not problem and not is_system:
            problem = check_own(path, header, rooms)
        if not problem and is_system and room_of(path) in PURE_ROOMS and IMPURE.search(header):
            problem = f"<{header}>: this room is pure"
        if problem:
            problems.append(f"{path}:{number}: {problem}")
    return problems


def source_files(root):
    for top in ("src", "sim"):
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(directory, name), root)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def main():
    rooms = read_rooms(read(os.path.join(ROOT, "CMakeLists.txt")))
    problems, count = [], 0
    for path in source_files(ROOT):
        count += 1
        problems += check_file(path, read(os.path.join(ROOT, path)), rooms)
    print("\n".join(problems) if problems else f"{count} files include only along the arrows")
    return 1 if problems or not rooms or not count else 0


if __name__ == "__main__":
    sys.exit(main())
