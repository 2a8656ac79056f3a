#!/bin/sh
# Proves that a fresh Debian 12 with nothing but git can run ./test.sh and ./demo.sh --check from a
# clone: builds such a tree with debootstrap, clones this repository's HEAD into it, runs both.
#
#     tools/prove_bare.sh [TREE]          (as root; TREE defaults to a new temporary folder)
#
# DEBOOTSTRAP_MIRROR names the mirror. An existing TREE is used again: remove it for a new proof.
set -eu

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
    echo "needs root and debootstrap (apt-get install debootstrap)" >&2
    exit 1
fi

# The tree holds the machine's own /dev while the proof runs. In a mount namespace of its own that
# ends with this script, however it ends: nobody who deletes the tree deletes /dev with it.
if [ -z "${PROVE_BARE_IN_NAMESPACE:-}" ]; then
    PROVE_BARE_IN_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
fi

source=$(cd "$(dirname "$0")/.." && pwd)
mirror=${DEBOOTSTRAP_MIRROR:-http://deb.debian.org/debian}
tree=${1:-$(mktemp -d)}

if [ ! -x "$tree/usr/bin/git" ]; then
    debootstrap --variant=minbase --include=git,ca-certificates bookworm "$tree" "$mirror"
fi

mkdir -p "$tree/mnt/source"
mount -t proc proc "$tree/proc"
mount --bind /dev "$tree/dev"
mount --bind /dev/pts "$tree/dev/pts"
mount --bind "$source" "$tree/mnt/source"
mount -o remount,bind,ro "$tree/mnt/source"
cp /etc/resolv.conf "$tree/etc/resolv.conf"
# What an installed system has and debootstrap leaves out: without it selenium finds no localhost.
[ -e "$tree/etc/hosts" ] || echo '127.0.0.1 localhost' >"$tree/etc/hosts"

rm -rf "$tree/root/undertone"
path=/usr/sbin:/usr/bin:/sbin:/bin
chroot "$tree" /usr/bin/env -i HOME=/root PATH="$path" LANG=C.UTF-8 sh -eu <<'END'
git config --global --add safe.directory '*'
git clone -q /mnt/source /root/undertone
cd /root/undertone
./test.sh </dev/null
./demo.sh --check </dev/null
END
echo "a bare Debian 12 runs ./test.sh and ./demo.sh --check"
