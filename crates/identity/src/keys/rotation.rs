//! When which key does what: a pure rule over the kept records.

use reeve_types::Timestamp;
use serde::{Deserialize, Serialize};

/// What a key is for at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published, signs nothing yet: whoever caches the set knows it when its time comes.
    Next,
    /// Signs.
    Current,
    /// Published until the last token it signed has ended.
    Retired,
}

/// What is kept of a key beside the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id.
    pub kid: String,
    /// What it is for.
    pub state: KeyState,
    /// Since when.
    pub since: Timestamp,
}

/// How long each state lasts, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// A current key signs so long.
    pub current_seconds: i64,
    /// A next key is published so long before it signs: longer than anybody caches the set.
    pub next_seconds: i64,
    /// A retired key stays published so long: longer than any token lives.
    pub retired_seconds: i64,
}

impl Default for RotationPolicy {
    /// 30 days, one hour, two days.
    fn default() -> Self {
        Self {
            current_seconds: 30 * 86_400,
            next_seconds: 3_600,
            retired_seconds: 2 * 86_400,
        }
    }
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Forget a key.
    Drop(String),
    /// The current key becomes a retired one.
    Retire(String),
    /// The next key becomes the current one.
    Promote(String),
    /// Make a key that signs at once; only when there is neither a current nor a next one.
    MakeCurrent,
    /// Make a next key.
    MakeNext,
}

/// What is to be done now; nothing, when all is as it should be. Doing it and asking again gives nothing.
pub fn plan(records: &[KeyRecord], now: Timestamp, policy: &RotationPolicy) -> Vec<Change> {
    let of = |state| records.iter().filter(move |record| record.state == state);
    let over = |record: &KeyRecord, seconds| now >= record.since.plus_seconds(seconds);
    let mut changes: Vec<_> = of(KeyState::Retired)
        .filter(|r| over(r, policy.retired_seconds))
        .map(|r| Change::Drop(r.kid.clone()))
        .collect();

    let current = of(KeyState::Current).max_by_key(|record| record.since);
    let next = of(KeyState::Next).min_by_key(|record| record.since);
    let due = current.is_none_or(|record| over(record, policy.current_seconds));
    let ready = next.filter(|record| current.is_none() || over(record, policy.next_seconds));
    match (due, ready) {
        (true, Some(next)) => {
            changes.extend(current.map(|record| Change::Retire(record.kid.clone())));
            changes.push(Change::Promote(next.kid.clone()));
            changes.push(Change::MakeNext);
        }
        _ => {
            if current.is_none() {
                changes.push(Change::MakeCurrent);
            }
            if next.is_none() {
                changes.push(Change::MakeNext);
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RotationPolicy = RotationPolicy {
        current_seconds: 1_000,
        next_seconds: 100,
        retired_seconds: 300,
    };

    fn apply(records: &mut Vec<KeyRecord>, now: Timestamp, made: &mut u32) {
        let mut make = |records: &mut Vec<KeyRecord>, state| {
            *made += 1;
            records.push(KeyRecord {
                kid: format!("k{made}"),
                state,
                since: now,
            });
        };
        let turn = |records: &mut Vec<KeyRecord>, kid: &str, state| {
            let record = records.iter_mut().find(|record| record.kid == kid).unwrap();
            (record.state, record.since) = (state, now);
        };
        for change in plan(records, now, &POLICY) {
            match change {
                Change::Drop(kid) => records.retain(|record| record.kid != kid),
                Change::Retire(kid) => turn(records, &kid, KeyState::Retired),
                Change::Promote(kid) => turn(records, &kid, KeyState::Current),
                Change::MakeCurrent => make(records, KeyState::Current),
                Change::MakeNext => make(records, KeyState::Next),
            }
        }
        assert_eq!(plan(records, now, &POLICY), [], "doing it twice changes nothing");
    }

    #[test]
    fn at_every_moment_one_key_signs_and_its_successor_was_published_long_enough() {
        let (mut records, mut made) = (Vec::new(), 0);
        let mut published = std::collections::BTreeMap::new();
        let mut signed = std::collections::BTreeMap::new();
        for second in (0..20_000).step_by(10) {
            let now = Timestamp::from_millis(second * 1_000);
            apply(&mut records, now, &mut made);
            let of = |state| {
                records
                    .iter()
                    .filter(|record| record.state == state)
                    .collect::<Vec<_>>()
            };
            assert_eq!((of(KeyState::Current).len(), of(KeyState::Next).len()), (1, 1));
            for record in &records {
                published.entry(record.kid.clone()).or_insert(second);
            }
            let current = &of(KeyState::Current)[0].kid;
            let first = published[current];
            assert!(
                second - first >= POLICY.next_seconds || second < 1_000,
                "{current} signed {second}, published {first}"
            );
            signed.insert(current.clone(), second);
            // Tokens of up to 300 seconds still find their key.
            for (kid, last) in &signed {
                assert!(second - last >= 300 || records.iter().any(|record| record.kid == *kid));
            }
        }
        assert!(
            made > 15 && records.len() <= 3,
            "{made} made, {} left",
            records.len()
        );
    }

    #[test]
    fn the_first_start_makes_two_keys_and_a_lost_current_key_is_replaced_at_once() {
        let now = Timestamp::from_millis(0);
        assert_eq!(plan(&[], now, &POLICY), [Change::MakeCurrent, Change::MakeNext]);
        let next = KeyRecord {
            kid: "n".to_owned(),
            state: KeyState::Next,
            since: now,
        };
        assert_eq!(
            plan(&[next], now, &POLICY),
            [Change::Promote("n".to_owned()), Change::MakeNext]
        );
    }
}
