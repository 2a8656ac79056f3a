#!/bin/sh
# Compares the C sources with what clang-format (.clang-format) would make of them. Not part of the
# tests, because another version of the tool breaks lines elsewhere: Debian 12's version 14 counts.
set -eu
cd "$(dirname "$0")/.."

if ! command -v clang-format >/dev/null; then
    echo "clang-format is missing: apt-get install clang-format" >&2
    exit 1
fi
git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
echo "formatted as .clang-format says"
