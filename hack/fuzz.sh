#!/usr/bin/env bash
# Runs libFuzzer over the targets of crates/hostile-input, each for so many seconds, and says what came of it.
#
#   hack/fuzz.sh [--seconds N] [--keep] [TARGET…]      without a target: all of them
#
# Inputs that reach new code stay in target/fuzz/corpus/TARGET for the next run; one that breaks a promise or ends the program is in
# target/fuzz/found/TARGET, and `cargo run -p reeve-hostile-input -- line FILE` prints it as a line of the stored corpus. `--keep`
# writes the smallest inputs that together reach everything to crates/hostile-input/corpus/TARGET.txt.
#
# On the stable toolchain: what instruments is LLVM's pass, which `-C passes` names, and libFuzzer is built from its crate. The target
# is named so that build scripts and macros, which nothing counts, are built without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=60
keep=
targets=()
while [ $# -gt 0 ]; do
  case $1 in
  --seconds) seconds=$2 && shift 2 ;;
  --keep) keep=1 && shift ;;
  *) targets+=("$1") && shift ;;
  esac
done

root=${CARGO_TARGET_DIR:-target}
triple=$(rustc -vV | sed -n 's/^host: //p')
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS=$flags cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml --target "$triple" --target-dir "$root/fuzz/build"
cargo build --quiet --locked -p reeve-hostile-input
fuzzer=$root/fuzz/build/$triple/release/reeve-fuzz
tool=$root/debug/reeve-hostile-input

[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("$tool" list)

failed=0
for target in "${targets[@]}"; do
  corpus=$root/fuzz/corpus/$target
  found=$root/fuzz/found/$target
  log=$root/fuzz/$target.log
  mkdir -p "$found"
  "$tool" unpack "$target" "$corpus"
  export FUZZ_TARGET=$target
  if "$fuzzer" "$corpus" -dict="$corpus.dict" -artifact_prefix="$found/" -max_total_time="$seconds" -max_len=8192 \
    -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2)
    echo "$target: $runs runs in $seconds s, $reached places reached, nothing found"
  else
    failed=1
    echo "$target: FOUND, see $log and $found:"
    grep -E 'panicked|the input:|ERROR:' "$log" | head -n 5
    continue
  fi
  if [ -n "$keep" ]; then
    rm -rf "$corpus.small" && mkdir "$corpus.small"
    "$fuzzer" -merge=1 -max_len=1024 "$corpus.small" "$corpus" >>"$log" 2>&1
    "$tool" pack "$target" "$corpus.small" >"$corpus.txt"
    mv "$corpus.txt" "crates/hostile-input/corpus/$target.txt"
  fi
done
exit $failed
