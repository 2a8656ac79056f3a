#!/bin/sh
# Installs the Debian 12 packages that building and testing need, if any is missing; with --browser
# also those that the test of the supervisors' page needs, with --cross those that build the kernels
# for 64-bit ARM and run their tests (about 250 MB).
set -eu

packages='
build-essential     the C compiler
cmake               describes the build
ninja-build         runs it
pkg-config          finds the libraries
libuv1-dev          event loop
libcurl4-openssl-dev  HTTP client
libmicrohttpd-dev   HTTP server
libjansson-dev      JSON
libyaml-dev         configuration file
libutf8proc-dev     Unicode
libpcre2-dev        patterns in rules
libcmocka-dev       unit tests
libsodium-dev       keyed hashes, random numbers
libsqlite3-dev      what outlives the daemon
libssl-dev          certificates of the simulator
zlib1g-dev          compressed recordings
python3             tests and checks
'

if [ "${1:-}" = --browser ]; then
    packages="$packages
chromium            shows the supervisors' page to its test
chromium-driver     lets a program use it
python3-selenium    speaks to the driver
"
fi
if [ "${1:-}" = --cross ]; then
    packages="$packages
gcc-aarch64-linux-gnu  compiles for 64-bit ARM
libc6-dev-arm64-cross  its C library
qemu-user              runs the result
"
fi

missing=''
while read -r name why; do
    [ -n "$name" ] || continue
    status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
    if [ "$status" != installed ]; then
        echo "missing: $name ($why)"
        missing="$missing $name"
    fi
done <<EOF
$packages
EOF

[ -n "$missing" ] || exit 0

sudo=''
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install them as root: apt-get install$missing" >&2
        exit 1
    fi
    sudo='sudo'
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
