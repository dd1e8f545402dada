//! Who may wait for a hash: so many in all, a few for each name, and some that a flood of sign-ins cannot take.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// How many hashes are computed at once.
pub(super) const AT_ONCE: usize = 2;
/// How many places there are for everybody: what is computed, and 64 that wait.
const COMMON: usize = AT_ONCE + 64;
/// How many of them one user name may hold from everywhere, and one more from each network: guessing one account's password
/// leaves room for the others, and for its owner.
const PER_NAME: usize = 4;
/// How many more there are for accounts that must be reachable, one for each network.
const RESERVED: usize = 16;

/// Who wants a password checked, as far as the queue counts by it.
///
/// 66 checks may be under way or wait; of these 4 for one name, and one more for it from each network. When all are taken,
/// there are 16 places for break-glass accounts, one for each network. So a check for such an account finds a place whatever
/// is asked for other names, and for break-glass names from fewer than 16 other networks, as long as nobody asks for a
/// break-glass name from its own network at that moment. A network is an IPv4 address or an IPv6 /48, for one site gets as
/// much; behind a proxy all is one network.
///
/// Who is turned away learns nothing of the name as long as there are places for everybody. Who fills them all can tell that
/// an account is break-glass by its still being checked.
#[derive(Debug, Clone, Copy)]
pub struct LoginAttempt<'a> {
    /// The user name as given.
    pub name: &'a str,
    /// From where.
    pub from: Option<IpAddr>,
    /// Whether the account must be reachable whatever is asked for others. The caller's to say; the fewer, the better.
    pub break_glass: bool,
}

#[derive(Debug, Default)]
pub(super) struct LoginLimiter(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    common: usize,
    names: HashMap<String, usize>,
    extra: HashSet<(String, Network)>,
    reserved: HashSet<Network>,
}

/// Where a check comes from, if that is known.
type Network = Option<IpAddr>;

impl LoginLimiter {
    /// A place for a check, unless all it may have are taken.
    pub(super) fn take(self: &Arc<Self>, asking: &LoginAttempt<'_>) -> Option<Slot> {
        // However it is spelled, it is the same account.
        let name = asking.name.to_lowercase();
        let from = network(asking.from);
        let mut held = self.held();
        let kind = if held.common < COMMON {
            held.named(name, from)?
        } else {
            let free = asking.break_glass && held.reserved.len() < RESERVED && held.reserved.insert(from);
            free.then_some(Kind::Reserved(from))?
        };
        Some(Slot(Arc::clone(self), kind))
    }

    /// A place for hashing a new password, an administrator's doing that no name is counted for.
    pub(super) fn take_unnamed(self: &Arc<Self>) -> Option<Slot> {
        let mut held = self.held();
        (held.common < COMMON).then(|| {
            held.common += 1;
            Slot(Arc::clone(self), Kind::Unnamed)
        })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// One of the places for everybody, of which there are some.
    fn named(&mut self, name: String, from: Network) -> Option<Kind> {
        let kind = if self.names.get(&name).is_none_or(|count| *count < PER_NAME) {
            *self.names.entry(name.clone()).or_default() += 1;
            Kind::Named(name)
        } else {
            let extra = (name, from);
            self.extra.insert(extra.clone()).then_some(Kind::Extra(extra))?
        };
        self.common += 1;
        Some(kind)
    }
}

/// One place; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<LoginLimiter>, Kind);

#[derive(Debug)]
enum Kind {
    Named(String),
    Extra((String, Network)),
    Unnamed,
    Reserved(Network),
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.0.held();
        match &self.1 {
            Kind::Reserved(from) => {
                held.reserved.remove(from);
                return;
            }
            Kind::Unnamed => {}
            Kind::Extra(extra) => {
                held.extra.remove(extra);
            }
            Kind::Named(name) => {
                if let Some(count) = held.names.get_mut(name) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        held.names.remove(name);
                    }
                }
            }
        }
        held.common = held.common.saturating_sub(1);
    }
}

/// What one site can have for itself: an IPv4 address, or the first 48 bits of an IPv6 one (RFC 6177: a site gets a /56 or a
/// /48).
pub fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 80))),
        four @ IpAddr::V4(_) => four,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: &str, from: [u8; 4], break_glass: bool) -> LoginAttempt<'_> {
        LoginAttempt {
            name,
            from: Some(from.into()),
            break_glass,
        }
    }

    fn many(places: &Arc<LoginLimiter>, count: u8, name: impl Fn(u8) -> String) -> Vec<Slot> {
        (0..count)
            .filter_map(|n| places.take(&asking(&name(n), [10, 0, 0, n], false)))
            .collect()
    }

    #[test]
    fn made_up_names_leave_the_reserved_places_alone() {
        let places = Arc::new(LoginLimiter::default());
        let flood = many(&places, 200, |n| format!("u{n}"));
        assert_eq!(flood.len(), COMMON);
        assert!(places.take(&asking("alice", [10, 1, 0, 1], false)).is_none());
        assert!(places.take_unnamed().is_none());
        let admin = places.take(&asking("admin", [10, 1, 0, 1], true));
        assert!(admin.is_some());
        drop((flood, admin));
        let held = places.held();
        assert_eq!((held.common, held.names.len(), held.reserved.len()), (0, 0, 0));
    }

    #[test]
    fn guessing_one_name_from_one_network_fills_its_own_places_only_whoever_that_is() {
        for break_glass in [true, false] {
            let places = Arc::new(LoginLimiter::default());
            let guess = |name, from| places.take(&asking(name, from, break_glass));
            let flood: Vec<_> = (0..200).filter_map(|_| guess("Admin", [10, 0, 0, 1])).collect();
            assert_eq!(flood.len(), PER_NAME + 1, "the answers tell nothing of the name");
            let owner = guess("admin", [10, 0, 0, 2]);
            assert!(owner.is_some());
            assert!(guess("admin", [10, 0, 0, 2]).is_none(), "one at a time");
            assert!(guess("other", [10, 0, 0, 1]).is_some());
            drop(owner);
            assert!(guess("admin", [10, 0, 0, 2]).is_some());
            drop(flood);
            let held = places.held();
            assert_eq!((held.common, held.names.len(), held.extra.len()), (0, 0, 0));
        }
    }

    #[test]
    fn the_reserved_places_end_where_the_promise_does() {
        let places = Arc::new(LoginLimiter::default());
        let flood: Vec<_> = (0..200)
            .filter_map(|n| places.take(&asking("admin", [10, 0, 0, n], true)))
            .collect();
        assert_eq!(flood.len(), COMMON + RESERVED);
        assert!(places.take(&asking("admin", [10, 1, 0, 1], true)).is_none());
    }

    #[test]
    fn of_the_reserved_places_one_network_gets_one() {
        let places = Arc::new(LoginLimiter::default());
        let _flood = many(&places, 200, |n| format!("u{n}"));
        let first = places.take(&asking("admin", [10, 1, 0, 1], true));
        assert!(first.is_some());
        assert!(places.take(&asking("root", [10, 1, 0, 1], true)).is_none());
        assert!(places.take(&asking("root", [10, 1, 0, 2], true)).is_some());
        drop(first);
        assert!(places.take(&asking("root", [10, 1, 0, 1], true)).is_some());
    }

    #[test]
    fn an_address_counts_as_its_network() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:fffe::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:2:2::9"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
