#!/usr/bin/env bash
# Scanners over the rendered charts; `cargo xtask scan` says what is looked at and what is accepted. `hack/scan.sh --without-checkov`
# leaves out the one that is installed from a registry, some 250 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
arguments=(--tools "$(testbed/build.sh tools)" --scanners "$(testbed/build.sh scan)")
if [ "${1:-}" != --without-checkov ]; then
  version=3.3.30
  checkov=${REEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reeve}/tools/checkov-$version
  if [ ! -x "$checkov/bin/checkov" ]; then
    echo "installing checkov $version (a minute or two, once)" >&2
    rm -rf "$checkov"
    python3 -m venv "$checkov"
    "$checkov/bin/pip" install --quiet "checkov==$version"
  fi
  arguments+=(--checkov "$checkov/bin/checkov")
fi
cargo xtask scan "${arguments[@]}"
