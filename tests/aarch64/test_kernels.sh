#!/bin/sh
# Builds the kernels and their unit test for 64-bit ARM and runs the test under an emulator. Exits
# with 77, which ctest shows as skipped, where the cross compiler or the emulator is missing.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
compiler=aarch64-linux-gnu-gcc
emulator=qemu-aarch64

if ! command -v "$compiler" >/dev/null || ! command -v "$emulator" >/dev/null; then
    echo "skipped: needs $compiler and $emulator" \
        "(apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
    exit 77
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$compiler" -std=c11 -O2 -static -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Werror \
    -Wno-format-truncation -ffp-contract=off -fno-strict-overflow -D_POSIX_C_SOURCE=200809L \
    -D_DEFAULT_SOURCE -I "$source/tests/aarch64" -I "$source/src" -o "$out/test_kernels" \
    "$source"/src/nlp/kernels/*.c "$source/src/base/rand.c" "$source/src/base/error.c" \
    "$source/tests/unit/nlp/test_kernels.c" -lm
"$emulator" "$out/test_kernels"
