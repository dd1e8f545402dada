#!/usr/bin/env bash
# Installs packages of PyPI, once, into a virtual environment in a cache outside the checkout, and prints its folder. Every package is
# pinned with its hashes. The folder's name carries a hash of what goes into it.
#
# usage: install-python-packages.sh NAME REQUIREMENTS, the second as seen from this file's folder
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$1
requirements=$here/$2
cache=${REEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reeve}/testbed
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  echo "testbed: $name needs Python 3 with venv and ensurepip" >&2
  exit 3
fi
key=$({ python3 --version && cat "$requirements"; } | sha256sum | cut -c1-16)
folder=$cache/$name-$key
if [ ! -e "$folder/complete" ]; then
  mkdir -p "$cache"
  # A virtual environment cannot be moved: one makes it, others wait.
  exec 9>"$cache/$name.lock"
  flock 9
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: \
      --requirement "$requirements" >&2
    touch "$folder/complete"
  fi
fi
echo "$folder"
