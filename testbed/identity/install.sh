#!/usr/bin/env bash
# Installs the identity provider and the browser's driver that tests sign in with, once, into a cache outside the checkout, and
# prints its folder. The folder's name carries a hash of what goes into it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${REEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reeve}/testbed
if ! command -v npm >/dev/null; then
  echo "testbed: an identity provider needs Node 20 or newer with npm" >&2
  exit 3
fi
key=$(cat "$here"/package.json "$here"/package-lock.json "$here"/*.mjs | sha256sum | cut -c1-16)
folder=$cache/identity-$key
if [ ! -d "$folder" ]; then
  mkdir -p "$cache"
  making=$(mktemp -d "$cache/.identity-XXXXXX")
  cp "$here"/package.json "$here"/package-lock.json "$here"/*.mjs "$making/"
  (cd "$making" && npm ci --no-audit --no-fund --ignore-scripts >&2)
  # Two at a time make the same; the first stays.
  mv -T "$making" "$folder" 2>/dev/null || rm -rf "$making"
fi
echo "$folder"
