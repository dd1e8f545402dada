#!/usr/bin/env bash
# Checks of another commit's index and of this tree's in turns on one machine: hack/paired-checks.sh [COMMIT [TURNS]]
#
# Of the other commit only the index and its measure are built (a minute), so that many turns cost little. A turn is one run of each;
# the order changes from turn to turn, so that what slows the machine down slows both. Prints each turn, then the median and the least
# of all turns. `hack/paired.sh` has the figures that need a cluster.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:-946ad8c} turns=${2:-12}
folder=$PWD/target/paired-checks
other=$folder/$commit
mkdir -p "$folder/then/src"
[ -d "$other" ] || git worktree add --detach --force "$other" "$commit" >&2
# The index needs none of what this crate only names.
sed -i '/^\[dependencies\]/,$d' "$other/crates/workspace-hack/Cargo.toml"
cat >"$folder/then/Cargo.toml" <<TOML
[package]
name = "checks-then"
version = "0.0.0"
edition = "2024"
[dependencies]
reeve-authz.path = "$other/crates/authz"
reeve-types.path = "$other/crates/types"
anyhow = "1"
rand = "*"
serde = { version = "1", features = ["derive"] }
[profile.release]
codegen-units = 16
debug = "line-tables-only"
[workspace]
TOML
cat >"$folder/then/src/main.rs" <<RUST
#[path = "$other/crates/bench/src/authz.rs"]
mod authz;
fn main() -> anyhow::Result<()> {
    for rules in std::env::args().skip(1) {
        println!("{}", authz::run(rules.parse()?)?);
    }
    Ok(())
}
RUST
cp "$other/Cargo.lock" "$folder/then/Cargo.lock"
RUSTFLAGS=-Awarnings cargo build --release --quiet --manifest-path "$folder/then/Cargo.toml" --target-dir "$folder/then/target"
cargo build --workspace --release --locked --quiet

sizes=(100000 1000000)
measure_then() { "$folder/then/target/release/checks-then" "${sizes[@]}"; }
measure_now() { target/release/reeve-bench --only authz --loaded "$(IFS=,; echo "${sizes[*]}")" --dir "$folder/now"; }
rm -f "$folder"/*.log
for turn in $(seq "$turns"); do
  order="then now"
  ((turn % 2)) || order="now then"
  for side in $order; do
    echo "turn $turn of $turns: $side, load $(cut -d' ' -f1-3 /proc/loadavg)" >&2
    "measure_$side" >"$folder/$side-$turn.log"
  done
done

{
  echo "$commit (then) and $(git rev-parse --short HEAD) (now), $turns turns, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
  for rules in "${sizes[@]}"; do
    for side in then now; do
      for turn in $(seq "$turns"); do
        awk -v rules="$rules" -v side="$side" '
          /^authorization index/ { here = ($3 == rules ",") }
          here && $1 == "check" { print rules, side, $3, $6, $9 }' "$folder/$side-$turn.log"
      done
    done
  done | tee "$folder/checks.txt"
  echo "of all turns, nanoseconds"
  sort -k1,1n -k2,2r -k3,3n "$folder/checks.txt" | awk '
    { key = $1 " " $2; p50[key, ++n[key]] = $3; p99[key] = p99[key] " " $5; if (!(key in seen)) { seen[key]; keys[++count] = key } }
    END { for (k = 1; k <= count; k++) { key = keys[k]
      printf "%8s rules, %-4s  p50: least %d, median %d, most %d\n", substr(key, 1, index(key, " ") - 1), substr(key, index(key, " ") + 1), p50[key, 1], p50[key, int((n[key] + 1) / 2)], p50[key, n[key]] } }'
} | tee "$folder/paired-checks.txt"
