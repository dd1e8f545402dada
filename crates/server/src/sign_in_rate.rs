//! How often one user may begin a session with a password, and how often a session is renewed: each is a row, or an event, that is kept.
//!
//! Counted are sign-ins that succeed, so nobody without the password can keep its owner out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use reeve_types::{Timestamp, UserId};

/// How many sessions a user may begin at once.
const AT_ONCE: i64 = 60;
/// After how many seconds one more.
pub const EACH_SECONDS: i64 = 6;
/// A budget of this many users that is full again is looked for and forgotten.
const LOOK: usize = 1024;

/// Until when what was begun counts, in milliseconds: each for [`EACH_SECONDS`].
#[derive(Debug)]
pub struct SignInRate<K = UserId>(Mutex<HashMap<K, i64>>);

impl<K> Default for SignInRate<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash> SignInRate<K> {
    /// Whether a user may begin one session more. It is counted.
    pub fn may_begin(&self, user: K, now: Timestamp) -> bool {
        const ONE: i64 = EACH_SECONDS * 1000;
        let now = now.as_millis();
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= LOOK {
            until.retain(|_, until| *until > now);
        }
        // A clock that was set back by more than all of them takes nothing away.
        let counted = until
            .get(&user)
            .copied()
            .filter(|until| *until <= now.saturating_add(AT_ONCE * ONE))
            .map_or(now, |until| until.max(now));
        if counted.saturating_add(ONE) > now.saturating_add(AT_ONCE * ONE) {
            return false;
        }
        until.insert(user, counted.saturating_add(ONE));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_begins_sixty_sessions_at_once_and_one_each_six_seconds() {
        let rate = SignInRate::default();
        let user = |last: u8| UserId::from_uuid(uuid::Uuid::from_bytes([last; 16]));
        let begun = |user, at: i64| {
            (0..1000)
                .filter(|_| rate.may_begin(user, Timestamp::from_millis(at)))
                .count()
        };
        let now = 1_700_000_000_000;
        assert_eq!(begun(user(1), now), 60);
        assert_eq!(begun(user(1), now + 5_999), 0);
        assert_eq!(begun(user(1), now + 6_000), 1);
        assert_eq!(begun(user(2), now), 60, "each has their own");
        assert_eq!(begun(user(1), now + 3_600_000), 60);
        assert_eq!(begun(user(1), now), 60, "a clock that ran ahead keeps nobody out");
    }
}
