//! Wrong passwords, counted for each local user: after [`MOST`] in a quarter of an hour none is looked at any more until it is over.
//!
//! **Promises.** Whoever guesses learns nothing by it: the same answer after the same work, and a right password is as good as a wrong one
//! then. The count is in the database within a second, so that it outlives a restart and is known to every server; before, each server
//! has what it counted itself. So [`MOST`] for each server is the most that is looked at in a quarter of an hour. A sign-in with the right
//! password begins anew. Accounts that must be reachable are looked at once a minute for each network all the same, so that nobody
//! keeps their owners out.
//!
//! **Limits.** A killed process loses a second of its count. Names that do not exist are not counted: there is nothing to guess.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_identity::network;
use reeve_store::WrongPasswords;
use reeve_types::{Timestamp, UserId};

/// How many wrong passwords of one user are looked at in a quarter of an hour ([`reeve_store::WRONG_PASSWORDS_SECONDS`]).
pub const MOST: i64 = 40;
/// How often a network may try a break-glass account that is past that, in seconds.
const ANYWAY_SECONDS: i64 = 60;
/// So many tries of that kind are remembered; more networks than these wait like everybody.
const NETWORKS: usize = 10_000;

/// What this process has counted.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// What is not in the database yet.
    unwritten: HashMap<UserId, i64>,
    anyway: HashMap<(UserId, Option<IpAddr>), Timestamp>,
}

impl Guesses {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a password of this user is looked at, of whom the database says `kept`.
    pub fn may_try(
        &self,
        user: UserId,
        kept: WrongPasswords,
        break_glass: bool,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> bool {
        let mut counted = self.counted();
        let unwritten = counted.unwritten.get(&user).copied().unwrap_or_default();
        if kept.count_at(now).saturating_add(unwritten) < MOST {
            return true;
        }
        if !break_glass {
            return false;
        }
        counted
            .anyway
            .retain(|_, at| *at <= now && now < at.plus_seconds(ANYWAY_SECONDS));
        let asked = (user, network(from));
        let room = counted.anyway.len() < NETWORKS && !counted.anyway.contains_key(&asked);
        room && counted.anyway.insert(asked, now).is_none()
    }

    /// Counts a wrong password.
    pub fn note(&self, user: UserId) {
        *self.counted().unwritten.entry(user).or_default() += 1;
    }

    /// The right one was given, and the database knows: it begins anew.
    pub fn begin_anew(&self, user: UserId) {
        self.counted().unwritten.remove(&user);
    }

    /// What is to be written now.
    pub fn unwritten(&self) -> Vec<(UserId, i64)> {
        let mut all: Vec<_> = self
            .counted()
            .unwritten
            .iter()
            .map(|(user, count)| (*user, *count))
            .collect();
        all.sort_unstable();
        all
    }

    /// That was written.
    pub fn written(&self, wrong: &[(UserId, i64)]) {
        let mut counted = self.counted();
        for (user, count) in wrong {
            if let Some(left) = counted.unwritten.get_mut(user) {
                *left -= count;
                if *left <= 0 {
                    counted.unwritten.remove(user);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn user(last: u8) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_bytes([last; 16]))
    }

    fn none() -> WrongPasswords {
        WrongPasswords { count: 0, since: NOW }
    }

    /// Planted fault: what was written is forgotten, as by a restart.
    #[test]
    fn so_many_are_looked_at_whether_they_are_written_or_not() {
        let guesses = Guesses::default();
        let guess = |kept| {
            let looked = guesses.may_try(user(1), kept, false, None, NOW);
            if looked {
                guesses.note(user(1));
            }
            looked
        };
        let half = (0..MOST / 2).filter(|_| guess(none())).count();
        let written = guesses.unwritten();
        assert_eq!(written, [(user(1), MOST / 2)]);
        guesses.written(&written);
        let kept = WrongPasswords {
            count: MOST / 2,
            since: NOW,
        };
        let rest = (0..1000).filter(|_| guess(kept)).count();
        assert_eq!(i64::try_from(half + rest), Ok(MOST));
        assert!(
            guesses.may_try(user(2), none(), false, None, NOW),
            "others are not concerned"
        );
        let over = NOW.plus_seconds(reeve_store::WRONG_PASSWORDS_SECONDS);
        guesses.written(&guesses.unwritten());
        let old = WrongPasswords {
            count: MOST,
            since: NOW,
        };
        assert!(!guesses.may_try(user(1), old, false, None, over.plus_seconds(-1)));
        assert!(guesses.may_try(user(1), old, false, None, over));
    }

    #[test]
    fn who_must_be_reachable_is_looked_at_once_a_minute_for_each_network() {
        let guesses = Guesses::default();
        let kept = WrongPasswords {
            count: MOST,
            since: NOW,
        };
        let try_from = |last: u8, now| {
            let from = Some(IpAddr::from([10, 0, 0, last]));
            guesses.may_try(user(1), kept, true, from, now)
        };
        assert!(try_from(1, NOW) && !try_from(1, NOW), "the guesser once");
        assert!(try_from(2, NOW), "and the owner from elsewhere");
        assert!(try_from(1, NOW.plus_seconds(ANYWAY_SECONDS)));
        let from = Some(IpAddr::from([10, 0, 0, 3]));
        assert!(!guesses.may_try(user(1), kept, false, from, NOW));
    }
}
