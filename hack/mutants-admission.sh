#!/usr/bin/env bash
# Plants one fault per admission check, per claim rule and per row of the table of forbidden rights, on a real API server.
# Every fault must turn a test red; the tests fail when a fault goes unnoticed or when there are fewer faults than rules.
set -euo pipefail
cd "$(dirname "$0")/.."
export MUTANTS=all
# A skipped test would plant nothing.
export TESTBED=require

log=$(mktemp)
trap 'rm -f "$log"' EXIT

cargo test --locked -p reeve-admission --test it -- --nocapture mutants:: tokens:: 2>&1 | tee -a "$log"
cargo test --locked -p reeve-tenancy --test it -- --nocapture mutants:: forbidden:: 2>&1 | tee -a "$log"

echo
awk '
  /mutants: .* planted faults/ {
    sub(/.*mutants: /, "mutants: ")
    print
    for (i = 2; i <= NF; i++) {
      if ($i == "planted") planted += $(i - 1)
      if ($i ~ /^noticed/) noticed += $(i - 1)
    }
    kinds++
  }
  END {
    printf "mutants: %d planted faults, %d noticed\n", planted, noticed
    if (kinds != 4) { print "mutants: " kinds " of the 4 tests reported"; exit 1 }
    if (planted != noticed) exit 1
  }
' "$log"
