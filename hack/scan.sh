#!/usr/bin/env bash
# Scanners over the rendered charts and the images' bills of materials; `cargo xtask scan` says what is looked at and what is accepted.
# They run without a network where this machine can take a process off it, so one that asks for something fails here, too.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(testbed/build.sh tools)
scanners=$(testbed/build.sh scan)
definitions=$(testbed/build.sh kinds)
checkov=$(tests/install-python-packages.sh checkov ../testbed/scan/requirements.txt)
cargo build --quiet --locked --package xtask
off_the_network=()
for way in "unshare --net" "unshare --map-root-user --net"; do
  if $way true 2>/dev/null; then
    read -ra off_the_network <<<"$way"
    break
  fi
done
if [ ${#off_the_network[@]} -eq 0 ]; then
  echo "scan: no process can be taken off the network here, so whether the scanners need one is not looked at" >&2
fi
"${off_the_network[@]}" cargo xtask scan \
  --tools "$tools" --scanners "$scanners" --definitions "$definitions" --checkov "$checkov"
