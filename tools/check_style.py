#!/usr/bin/env python3
"""Checks the few rules of style that a formatter cannot: see RULES in the code below.

Exceptions are listed in one place, each with its reason; there is no comment that switches a
check off.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 70

# (file, rule) -> reason.
EXCEPTIONS = {}

C_SUFFIXES = (".c", ".h")
SUFFIXES = C_SUFFIXES + (".py", ".sh", ".cmake", ".js", ".css", ".html")
FOLDERS = ("src", "sim", "tests", "tools", "bench", "cmake", "web", "packaging", ".ci")

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|stpcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|alloca|tmpnam"
    r"|mktemp|system|popen)\s*\("
)
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def blank(match):
    """The same number of lines, without content."""
    return "\n" * match.group(0).count("\n")


def code_only(text):
    """C source without comments and string contents; line numbers stay."""
    return STRINGS.sub('""', COMMENTS.sub(blank, text))


def check_lines(path, text):
    is_web = path.startswith("web/")
    is_cmake = path.endswith((".cmake", "CMakeLists.txt"))
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LINE_COLUMNS_MAX and not is_cmake:
            yield number, "columns", f"{len(line)} columns, at most {LINE_COLUMNS_MAX}"
        if "\t" in line:
            yield number, "tabs", "a tab: indent with spaces"
        if line != line.rstrip():
            yield number, "trailing", "white space at the end of the line"
        if not is_web and not line.isascii():
            yield number, "ascii", "a character outside ASCII: write an escape"
        if UNFINISHED.search(line):
            yield number, "unfinished", "a mark of unfinished work: finish it or open an issue"


def check_functions(text):
    """Bodies start and end with a brace in the first column (the formatter sees to that)."""
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            length = number - start + 1
            if length > FUNCTION_LINES_MAX:
                yield start, "function", f"{length} lines long, at most {FUNCTION_LINES_MAX}"
            start = 0


def check_c(path, text):
    if path.endswith(".c") and not text.startswith("/*"):
        yield 1, "opening", "open with a comment: what it does, the idea, what it leaves out"
    code = code_only(text)
    for number, line in enumerate(code.splitlines(), 1):
        for match in BANNED.finditer(line):
            yield number, "banned", f"{match.group(1)}() is banned: see CONTRIBUTING.md"
    yield from check_functions(code)


def check_file(path, text):
    """A list of 'path:line: what is wrong'."""
    found = list(check_lines(path, text))
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        found.append((lines, "file", f"{lines} lines, at most {FILE_LINES_MAX}"))
    if text and not text.endswith("\n"):
        found.append((lines + 1, "trailing", "no newline at the end of the file"))
    if path.endswith(C_SUFFIXES):
        found += check_c(path, text)
    return [
        f"{path}:{number}: {message}"
        for number, rule, message in found
        if (path, rule) not in EXCEPTIONS
    ]


def source_files(root):
    for name in sorted(os.listdir(root)):
        if name.endswith(SUFFIXES) or name == "CMakeLists.txt":
            yield name
    for top in FOLDERS:
        for directory, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [f for f in folders if f not in ("__pycache__", "vendor", "data", "out")]
            for name in sorted(names):
                if name.endswith(SUFFIXES):
                    yield os.path.relpath(os.path.join(directory, name), root)


def main():
    problems, count = [], 0
    for path in source_files(ROOT):
        count += 1
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            problems += check_file(path, file.read())
    print("\n".join(problems) if problems else f"{count} files keep the rules of style")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
