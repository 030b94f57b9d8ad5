#!/bin/bash
# Runs a command on a copy of this checkout in Debian trixie: R 4.5, reticulate 1.41, NumPy 2. The folder .trixie/ is
# made by debootstrap the first time; mounts are seen by the command alone, and gone when it ends.
#
#   tools/trixie.sh make test SUITES=r
set -e
fail() { echo "trixie: $*" >&2; exit 1; }
[ -x "$(command -v debootstrap)" ] || fail "debootstrap is missing. On Debian or Ubuntu: apt-get install debootstrap"
[ "$(id -u)" = 0 ] || fail "debootstrap and chroot need root. Run it with sudo, in a container, or in a virtual machine."
cd "$(dirname "$0")/.."
root=$PWD/.trixie
copy=$root/root/kerascrop

if [ ! -e "$root/.done" ]; then
  echo "trixie: making .trixie (a minute; see .cache/trixie.log)"
  mkdir -p .cache
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,make,python3 trixie "$root" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >.cache/trixie.log 2>&1 || fail "$(tail -5 .cache/trixie.log)"
  touch "$root/.done"
fi

# The network as it is here, proxies' certificates included.
for file in /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e $file ] || cp -L $file "$root$file"
done

# What was set up there stays.
mkdir -p "$copy"
find "$copy" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .rlib ! -name .cache -exec rm -rf {} +
tar c --exclude=./.git --exclude=./.venv --exclude=./.rlib --exclude=./.cache --exclude=./.check --exclude=./.trixie \
  --exclude=__pycache__ . | tar x --no-same-owner -C "$copy"

exec unshare --mount --propagation private bash -c '
  mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /usr/bin/env -i HOME=/root \
    TERM="$TERM" LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /root/kerascrop && \"\$@\"" - "$@"
' "$root" "$@"
