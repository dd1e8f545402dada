#!/usr/bin/env bash
# Builds everything optimised and times it. Takes some ten minutes from a warm cache. `--only lists` times lists alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --workspace --release --locked --quiet
target/release/reeve-bench "$@"
echo "text and samples: target/bench/bench.txt, target/bench/bench.csv"
