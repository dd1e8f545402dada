#!/usr/bin/env bash
# Licences, bans and sources of every dependency. Installs the pinned cargo-deny into the cache on first use.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2
cache=${REEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reeve}/tools/cargo-deny-$version
if [ ! -x "$cache/bin/cargo-deny" ]; then
  echo "installing cargo-deny $version (about 90 s, once)" >&2
  # Its own target folder: our profile and feature unification have no business there.
  CARGO_TARGET_DIR=$(mktemp -d) cargo install --quiet --locked --debug --root "$cache" "cargo-deny@$version"
fi
# Shown a crate that it has to refuse, it refuses it, or its silence about the rest shows nothing.
planted=$(mktemp)
trap 'rm -f "$planted"' EXIT
printf '[bans]\ndeny = [{ crate = "serde" }]\n' >"$planted"
cargo fetch --locked --quiet
if said=$("$cache/bin/cargo-deny" --offline --color never --config "$planted" check bans 2>&1) || ! grep -q 'error\[banned\]' <<<"$said"; then
  echo "cargo-deny does not refuse a crate that its settings ban: $said" >&2
  exit 1
fi
# It looks at the dependencies of every platform; a build fetches only this one's.
# The package of peers is no member of the workspace: no program is made of what it brings.
for manifest in Cargo.toml peers/Cargo.toml; do
  cargo fetch --locked --quiet --manifest-path "$manifest"
  "$cache/bin/cargo-deny" --offline --log-level error --manifest-path "$manifest" --config deny.toml check licenses bans sources
done
