#!/bin/sh
# Builds undertone, installs the peers named in bench/peers.txt into build/peers (about 7 GB,
# once), and measures all of them on the same texts in one interleaved run.
# Options: bench/compare.py --help.
set -eu
cd "$(dirname "$0")/.."

cmake --preset release --log-level=WARNING >/dev/null
cmake --build --preset release -j "$(nproc)" --target undertone -- --quiet
if [ ! -x build/peers/bin/python ]; then
    echo "installing the peers of bench/peers.txt into build/peers (needs the network, about 7 GB)"
    python3 -m venv build/peers
    build/peers/bin/pip install --quiet -r bench/peers.txt || {
        rm -rf build/peers
        echo "bench/compare.sh: a peer could not be installed; without it this is no comparison" >&2
        exit 1
    }
fi
exec build/peers/bin/python bench/compare.py "$@"
