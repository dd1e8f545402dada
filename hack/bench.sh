#!/usr/bin/env bash
# Builds everything optimised and times it. Takes some ten minutes from a warm cache. `--only lists` times lists alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --workspace --release --locked --quiet
# What the chart sets for the server, whose memory a part of the bench measures in its own process.
MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576 target/release/reeve-bench "$@"
echo "text and samples: target/bench/bench.txt, target/bench/bench.csv"
