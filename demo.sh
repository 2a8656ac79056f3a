#!/bin/sh
# Builds undertone and shows it at work on simulated calls until Ctrl-C; with --check for 90
# seconds, ending in a verdict. Everything it writes is under build/.
set -eu
cd "$(dirname "$0")"

tools/install_packages.sh
echo "building (build/release)"
cmake --preset release --log-level=WARNING >/dev/null
cmake --build --preset release -j "$(nproc)" --target undertone undertone-sim -- --quiet
exec python3 tools/demo.py "$@"
