#!/usr/bin/env bash
# The figures of another commit and of this tree in turns on one machine: hack/paired.sh [COMMIT [TURNS]]
#
# Builds both optimised, the other one in a worktree under target/paired, and prints beside each other the figures that both have. A
# turn is one run of each; the order changes from turn to turn, so that what slows the machine down slows both. Text and samples stay
# in target/paired.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:-946ad8c} turns=${2:-4}
folder=$PWD/target/paired
other=$folder/$commit
mkdir -p "$folder"
[ -d "$other" ] || git worktree add --detach --force "$other" "$commit" >&2
(cd "$other" && testbed/build.sh all >/dev/null && CARGO_TARGET_DIR="$other/target" cargo build --workspace --release --locked --quiet)
cargo build --workspace --release --locked --quiet

export MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576
# The first commits knew no `--only`; what they print, this prints with these parts.
measure_then() { (cd "$other" && target/release/reeve-bench "${sizes[@]}" --dir "$1"); }
measure_now() { target/release/reeve-bench "${sizes[@]}" --only authz,rules,submissions,pods --dir "$1"; }
sizes=(--loaded 100000,1000000 --rules 100 --submissions 10 --pods 200)
rm -rf "$folder"/then-* "$folder"/now-*
for turn in $(seq "$turns"); do
  order="then now"
  ((turn % 2)) || order="now then"
  for side in $order; do
    echo "turn $turn of $turns: $side, load $(cut -d' ' -f1-3 /proc/loadavg)" >&2
    "measure_$side" "$folder/$side-$turn" >"$folder/$side-$turn.log" 2>&1
  done
done

{
  echo "$commit (then) and $(git rev-parse --short HEAD) (now), $turns turns, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
  printf '%-50s %6s %9s %9s %6s %9s %9s %7s\n' "milliseconds" "n then" "p50" "p99" "n now" "p50" "p99" "p50"
  for side in then now; do
    tail -q -n +2 "$folder/$side"-*/bench.csv | sed "s/^/$side,/"
  done | sort -t, -k2,2 -k1,1 -k4,4g | awk -F, '
    { key = $1 SUBSEP $2; value[key, ++n[key]] = $4; names[$2] }
    function at(key, share,   place) { place = int(n[key] * share + 0.999999); return value[key, place < 1 ? 1 : place] }
    END { for (name in names) {
      then = "then" SUBSEP name; now = "now" SUBSEP name
      if (n[then] && n[now])
        printf "%-50s %6d %9.2f %9.2f %6d %9.2f %9.2f %6.2fx\n", name, n[then], at(then, 0.5), at(then, 0.99), n[now], at(now, 0.5), at(now, 0.99), at(now, 0.5) / at(then, 0.5)
    } }' | sort
  echo "checks, each turn"
  grep -HE '^authorization index|^  (check|load|memory|who-can)' "$folder"/{then,now}-*/bench.txt | sed "s|^$folder/||; s|/bench.txt:| |"
} | tee "$folder/paired.txt"
