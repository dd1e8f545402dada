//! The floor of the machine: what six dependent probes of a hash map cost, each at a place that the one before it names.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use foldhash::fast::RandomState;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::timed;

/// A user and five groups.
const PROBES: usize = 6;

/// Times six probes of a map from text to number with `entries` entries, `count` times. It hashes as the index does.
pub(super) fn probes(entries: usize, count: usize, random: &mut StdRng) -> Vec<Duration> {
    let names: Vec<String> = (0..entries)
        .map(|number| format!("person.{number}@research.example.com"))
        .collect();
    let map: HashMap<&str, usize, RandomState> = names
        .iter()
        .map(|name| (name.as_str(), random.random_range(0..entries)))
        .collect();
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = random.random_range(0..entries);
        times.push(
            timed(|| {
                let mut at = start;
                for _ in 0..PROBES {
                    let name = names.get(at).map_or("", String::as_str);
                    at = map.get(name).copied().unwrap_or_default();
                }
                black_box(at)
            })
            .1,
        );
    }
    times
}
