//! Bounds on connections: how many there are, in all and of one source, and how long one may stay without a request.
//!
//! A connection without a request under way is closed after [`Bounds::idle`], whatever is sent on it instead: nothing after
//! the handshake, part of a head, part of HTTP/2's preface, pings. A request may be under way for [`Bounds::request`], from its
//! head to the last byte of its answer; streams of the link, which say so of themselves, for as long as they like.
//!
//! When all places are taken, a newcomer takes the place of a connection of the source that has most, if that has more than
//! the newcomer's: first of one that never showed a valid token. So one source, or a few, keep nobody else out.

mod accept;

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub use accept::{Bounded, hold};

/// What is possible.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections in all.
    pub most: usize,
    /// Connections of one source: an IPv4 address, or an IPv6 /48.
    pub of_a_source: usize,
    /// How long a connection may have no request.
    pub idle: Duration,
    /// How long a request may take, its answer included.
    pub request: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            most: 2000,
            of_a_source: 256,
            // Looked at every quarter of it: closed within 30 seconds.
            idle: Duration::from_secs(24),
            request: Duration::from_secs(120),
        }
    }
}

/// All connections.
#[derive(Debug)]
pub struct Connections {
    bounds: Bounds,
    by_source: Mutex<HashMap<Source, Vec<Arc<Connection>>>>,
}

/// Where a connection comes from.
type Source = Option<IpAddr>;

/// What one site can have for itself: an IPv4 address, or the first 48 bits of an IPv6 one (RFC 6177).
pub fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 80))),
        four @ IpAddr::V4(_) => four,
    }
}

impl Connections {
    /// None yet.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            by_source: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Source, Vec<Arc<Connection>>>> {
        self.by_source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection, unless there is none for its source.
    fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Entered> {
        let source = address.map(source_of);
        let mut held = self.held();
        let mine = held.get(&source).map_or(0, Vec::len);
        if mine >= self.bounds.of_a_source {
            return None;
        }
        if held.values().map(Vec::len).sum::<usize>() >= self.bounds.most {
            make_room(&mut held, mine)?;
        }
        let connection = Arc::new(Connection::new(self.bounds));
        held.entry(source).or_default().push(Arc::clone(&connection));
        Some(Entered {
            connections: Arc::clone(self),
            source,
            connection,
        })
    }
}

/// Ends a connection of the source that has most, if that is more than the newcomer's would be.
fn make_room(held: &mut HashMap<Source, Vec<Arc<Connection>>>, mine: usize) -> Option<()> {
    let most = held.values_mut().max_by_key(|all| all.len())?;
    if most.len() <= mine.saturating_add(1) {
        return None;
    }
    let stranger = most.iter().position(|it| !it.proven.load(Ordering::SeqCst));
    most.remove(stranger.unwrap_or(0)).end();
    Some(())
}

/// A place; given back when dropped.
#[derive(Debug)]
struct Entered {
    connections: Arc<Connections>,
    source: Source,
    connection: Arc<Connection>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut held = self.connections.held();
        if let Some(all) = held.get_mut(&self.source) {
            all.retain(|it| !Arc::ptr_eq(it, &self.connection));
            if all.is_empty() {
                held.remove(&self.source);
            }
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    bounds: Bounds,
    proven: AtomicBool,
    ended: AtomicBool,
    ending: Notify,
    requests: Mutex<Requests>,
}

#[derive(Debug)]
struct Requests {
    /// When those began that are under way; none for what lasts.
    begun: BTreeMap<u64, Option<Instant>>,
    next: u64,
    /// When the last one ended, or the connection began.
    idle_since: Instant,
}

impl Connection {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            proven: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            ending: Notify::new(),
            requests: Mutex::new(Requests {
                begun: BTreeMap::new(),
                next: 0,
                idle_since: Instant::now(),
            }),
        }
    }

    /// Notes that a valid token was shown on it.
    pub fn prove(&self) {
        self.proven.store(true, Ordering::SeqCst);
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        let mut requests = self.requests();
        let number = requests.next;
        requests.next = number.wrapping_add(1);
        requests.begun.insert(number, Some(Instant::now()));
        UnderWay {
            connection: Arc::clone(self),
            number,
        }
    }

    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.ending.notify_one();
    }

    /// When it is to be closed, as things are; never while all that is under way lasts.
    fn deadline(&self) -> Option<Instant> {
        let requests = self.requests();
        if requests.begun.is_empty() {
            return Some(requests.idle_since + self.bounds.idle);
        }
        let oldest = requests.begun.values().flatten().min()?;
        Some(*oldest + self.bounds.request)
    }
}

/// A request that is under way; over when dropped.
#[derive(Debug)]
struct UnderWay {
    connection: Arc<Connection>,
    number: u64,
}

impl UnderWay {
    /// It may take as long as it likes.
    fn lasts(&self) {
        self.connection.requests().begun.insert(self.number, None);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut requests = self.connection.requests();
        requests.begun.remove(&self.number);
        requests.idle_since = Instant::now();
    }
}

/// Of an answer, that it may take as long as it likes: a stream that looks after its own end.
#[derive(Debug, Clone, Copy)]
pub struct Lasting;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(connections: &Arc<Connections>, last: u8) -> Option<Entered> {
        connections.enter(Some([10, 0, 0, last].into()))
    }

    fn bounds(most: usize, of_a_source: usize) -> Arc<Connections> {
        Connections::new(Bounds {
            most,
            of_a_source,
            ..Bounds::default()
        })
    }

    #[test]
    fn a_source_has_so_many_and_gets_places_back() {
        let connections = bounds(100, 2);
        let (first, second) = (of(&connections, 1), of(&connections, 1));
        assert!(first.is_some() && second.is_some());
        assert!(of(&connections, 1).is_none());
        assert!(of(&connections, 2).is_some());
        drop(first);
        assert!(of(&connections, 1).is_some());
        drop(second);
        assert!(connections.held().is_empty());
    }

    #[test]
    fn when_all_are_taken_a_newcomer_replaces_a_stranger_of_the_largest_source() {
        let connections = bounds(4, 4);
        let flood: Vec<_> = (0..4).filter_map(|_| of(&connections, 1)).collect();
        flood[0].connection.prove();
        let ended = |n: usize| flood[n].connection.ended.load(Ordering::SeqCst);
        assert!(of(&connections, 1).is_none());
        let newcomer = of(&connections, 2);
        assert!(newcomer.is_some());
        assert_eq!(
            [ended(0), ended(1), ended(2), ended(3)],
            [false, true, false, false]
        );
        let other = of(&connections, 3);
        assert!(other.is_some());
        assert!(ended(2), "the next of those without a token");
        let last = of(&connections, 4);
        assert!(last.is_some() && ended(3) && !ended(0));
        assert!(
            of(&connections, 5).is_none(),
            "nobody has more than it would have itself"
        );
    }

    #[test]
    fn sites_count_as_one_source() {
        let source = |text: &str| source_of(text.parse().unwrap());
        assert_eq!(source("2001:db8:1:2:3::4"), source("2001:db8:1:fffe::9"));
        assert_ne!(source("2001:db8:1:2::9"), source("2001:db8:2:2::9"));
        assert_eq!(source("::ffff:10.0.0.1"), source("10.0.0.1"));
    }
}
