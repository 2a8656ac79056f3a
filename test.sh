#!/bin/sh
# Installs what is missing, builds, and runs every test: optimised, and the unit and golden tests
# once more under AddressSanitizer and UndefinedBehaviorSanitizer. --quick leaves the latter out.
set -eu
cd "$(dirname "$0")"

quick=''
case "${1:-}" in
'') ;;
--quick) quick=yes ;;
*)
    echo "usage: ./test.sh [--quick]" >&2
    exit 64
    ;;
esac

jobs=$(nproc)
tools/install_packages.sh --browser
cmake --preset release
cmake --build --preset release -j "$jobs"
if [ -z "$quick" ]; then
    cmake --preset asan
    cmake --build --preset asan -j "$jobs"
    ctest --preset asan -j "$jobs" -R '^(unit|golden)\.'
fi
ctest --preset release -j "$jobs"
