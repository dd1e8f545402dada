//! Telling open link streams that their cluster's desired state has moved on. No polling: a watch channel a cluster.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reeve_authz::Scope;
use reeve_store::{CONNECTED_SECONDS, ClusterFacts, CredentialNumber, DirectoryChange};
use reeve_types::{ClusterId, Revision, Timestamp};
use tokio::sync::{oneshot, watch};

use crate::outgoing::{SLOTS, SLOTS_OF_ONE, Slots};

/// How often a process writes down that a cluster is connected to it, where others look at the same database.
pub const LIVENESS: Duration = Duration::from_secs(15);

/// How many streams a cluster may have. One more replaces the oldest: of a cluster that cannot tell its dead connections
/// from live ones the newest is the live one, and it must not be kept from revocations.
const STREAMS: usize = 4;

/// How many reports a cluster may send at once, and how many a second in the long run: an operator gathers news for 50 ms, and
/// one that says everything again sends 500 objects a report.
const REPORTS: (i64, i64) = (60, 20);

/// All clusters' channels.
#[derive(Debug)]
pub struct ClusterStreams {
    lines: Mutex<HashMap<ClusterId, ClusterStream>>,
    slots: Slots,
}

impl Default for ClusterStreams {
    fn default() -> Self {
        Self {
            lines: Mutex::default(),
            slots: Slots::new(SLOTS),
        }
    }
}

#[derive(Debug)]
struct ClusterStream {
    revision: watch::Sender<Revision>,
    /// Oldest first: dropping the sender ends the stream.
    streams: VecDeque<(u64, oneshot::Sender<()>)>,
    opened: u64,
    heard: Option<Timestamp>,
    /// Streams are for tokens of this number alone.
    credential: CredentialNumber,
    budget: Budget,
    reports: Arc<tokio::sync::Mutex<()>>,
    slots: Slots,
}

/// How many reports a cluster may still send, in thousandths, as of when.
#[derive(Debug, Default)]
struct Budget {
    left: i64,
    at: Option<Timestamp>,
}

impl Budget {
    fn take(&mut self, now: Timestamp) -> bool {
        let (most, a_second) = (REPORTS.0 * 1000, REPORTS.1);
        let since = self
            .at
            .map_or(most, |at| now.as_millis().saturating_sub(at.as_millis()));
        self.left = since
            .max(0)
            .saturating_mul(a_second)
            .saturating_add(self.left)
            .min(most);
        self.at = Some(now);
        let may = self.left >= 1000;
        if may {
            self.left -= 1000;
        }
        may
    }
}

impl ClusterStream {
    /// From now on streams are for tokens of this number: those of another end.
    fn expect(&mut self, credential: CredentialNumber) {
        if self.credential != credential {
            self.credential = credential;
            self.streams.clear();
        }
    }
}

impl ClusterStreams {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<ClusterId, ClusterStream>) -> T) -> T {
        work(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does what a change of the directory means for clusters' streams, once the directory says so: lines are opened and closed,
    /// streams of a replaced secret end, and news is announced.
    pub fn follow(&self, change: &DirectoryChange) {
        match change {
            DirectoryChange::Cluster(facts) => {
                self.open(facts.id, facts.revision, None, facts.credential);
            }
            DirectoryChange::Revisions(revisions) => self.announce(revisions),
            DirectoryChange::ScopeDeleted(Scope::Cluster(id)) => self.close(*id),
            _ => {}
        }
    }

    /// Brings every line to a directory that was read anew: these clusters, and when they were heard of.
    pub fn follow_all(&self, clusters: &[ClusterFacts], heard: &[(ClusterId, Timestamp)]) {
        let heard: HashMap<_, _> = heard.iter().copied().collect();
        let known: HashSet<_> = clusters.iter().map(|cluster| cluster.id).collect();
        self.with(|lines| lines.retain(|cluster, _| known.contains(cluster)));
        for facts in clusters {
            let heard = heard.get(&facts.id).copied();
            self.open(facts.id, facts.revision, heard, facts.credential);
            // Also a lower one: that of a database that was put back.
            self.with(|lines| {
                if let Some(line) = lines.get(&facts.id) {
                    line.revision
                        .send_if_modified(|known| std::mem::replace(known, facts.revision) != facts.revision);
                }
            });
        }
    }

    /// Opens the line of a cluster. One that is open already goes on, unless the cluster's secret was replaced: its streams end.
    fn open(
        &self,
        cluster: ClusterId,
        revision: Revision,
        heard: Option<Timestamp>,
        credential: CredentialNumber,
    ) {
        self.with(|lines| {
            let line = lines.entry(cluster).or_insert_with(|| ClusterStream {
                credential,
                budget: Budget::default(),
                reports: Arc::default(),
                slots: Slots::new(SLOTS_OF_ONE),
                revision: watch::Sender::new(revision),
                streams: VecDeque::new(),
                opened: 0,
                heard,
            });
            line.expect(credential);
        });
    }

    /// The slots of all clusters for what is sent to them.
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// A cluster's own.
    pub fn slots_of(&self, cluster: ClusterId) -> Slots {
        self.with(|lines| {
            let line = lines.get(&cluster);
            line.map_or_else(|| Slots::new(SLOTS_OF_ONE), |line| line.slots.clone())
        })
    }

    /// Whether a cluster may send one report more. It is counted.
    pub fn may_report(&self, cluster: ClusterId, now: Timestamp) -> bool {
        self.with(|lines| lines.get_mut(&cluster).is_some_and(|line| line.budget.take(now)))
    }

    /// Held while a report of a cluster is kept: one after the other.
    pub fn reports(&self, cluster: ClusterId) -> Arc<tokio::sync::Mutex<()>> {
        self.with(|lines| {
            lines
                .get(&cluster)
                .map(|line| Arc::clone(&line.reports))
                .unwrap_or_default()
        })
    }

    /// Closes the line of a cluster that was deleted: its streams end.
    fn close(&self, cluster: ClusterId) {
        self.with(|lines| lines.remove(&cluster));
    }

    /// Says that clusters have come to new revisions.
    fn announce(&self, revisions: &[(ClusterId, Revision)]) {
        self.with(|lines| {
            for (cluster, revision) in revisions {
                if let Some(line) = lines.get(cluster) {
                    line.revision.send_if_modified(|known| {
                        let newer = *known < *revision;
                        *known = (*known).max(*revision);
                        newer
                    });
                }
            }
        });
    }

    /// Listens; `None` when there is no such cluster, or its secret was replaced meanwhile. The guard counts the stream while
    /// it lives.
    pub fn listen(
        self: &Arc<Self>,
        cluster: ClusterId,
        credential: CredentialNumber,
    ) -> Option<(watch::Receiver<Revision>, Stream)> {
        let (sender, replaced) = oneshot::channel();
        let (receiver, number) = self.with(|lines| {
            let line = lines
                .get_mut(&cluster)
                .filter(|line| line.credential == credential)?;
            if line.streams.len() >= STREAMS {
                line.streams.pop_front();
            }
            line.opened += 1;
            line.streams.push_back((line.opened, sender));
            Some((line.revision.subscribe(), line.opened))
        })?;
        let stream = Stream {
            cluster_streams: Arc::clone(self),
            cluster,
            number,
            replaced,
        };
        Some((receiver, stream))
    }

    /// Notes that a cluster was heard of.
    pub fn heard(&self, cluster: ClusterId, at: Timestamp) {
        self.with(|lines| {
            if let Some(line) = lines.get_mut(&cluster) {
                line.heard = Some(line.heard.map_or(at, |before| before.max(at)));
            }
        });
    }

    /// When a cluster was last heard of.
    pub fn last_heard(&self, cluster: ClusterId) -> Option<Timestamp> {
        self.with(|lines| lines.get(&cluster).and_then(|line| line.heard))
    }

    /// Whether a stream of the cluster is open.
    pub fn is_listening(&self, cluster: ClusterId) -> bool {
        self.with(|lines| lines.get(&cluster).is_some_and(|line| !line.streams.is_empty()))
    }

    /// How many streams are open.
    pub fn streams(&self) -> usize {
        self.with(|lines| lines.values().map(|line| line.streams.len()).sum())
    }

    /// Where each cluster's desired state stands.
    pub fn revisions(&self) -> Vec<(ClusterId, Revision)> {
        self.with(|lines| {
            lines
                .iter()
                .map(|(cluster, line)| (*cluster, *line.revision.borrow()))
                .collect()
        })
    }
}

/// Whether a cluster that was heard of then counts as connected now. A time that is far in the future says nothing.
pub fn is_recent(heard: Timestamp, now: Timestamp) -> bool {
    heard.plus_seconds(CONNECTED_SECONDS) > now && now.plus_seconds(CONNECTED_SECONDS) > heard
}

/// An open stream.
#[derive(Debug)]
pub struct Stream {
    cluster_streams: Arc<ClusterStreams>,
    cluster: ClusterId,
    number: u64,
    replaced: oneshot::Receiver<()>,
}

impl Stream {
    /// Returns when newer streams of the cluster have taken its place.
    pub async fn replaced(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.replaced).await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.cluster_streams.with(|lines| {
            if let Some(line) = lines.get_mut(&self.cluster) {
                line.streams.retain(|(number, _)| *number != self.number);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: CredentialNumber = CredentialNumber(0);

    fn cluster() -> ClusterId {
        "00000000-0000-4000-8000-000000000001".parse().unwrap()
    }

    #[tokio::test]
    async fn a_listener_hears_of_newer_revisions_only_and_ends_with_its_cluster() {
        let cluster_streams = Arc::new(ClusterStreams::default());
        cluster_streams.open(cluster(), Revision(3), None, FIRST);
        let (mut line, stream) = cluster_streams.listen(cluster(), FIRST).unwrap();
        cluster_streams.announce(&[(cluster(), Revision(3))]);
        assert!(!line.has_changed().unwrap());
        cluster_streams.announce(&[(cluster(), Revision(5))]);
        cluster_streams.announce(&[(cluster(), Revision(4))]);
        line.changed().await.unwrap();
        assert_eq!(*line.borrow_and_update(), Revision(5));
        assert_eq!(cluster_streams.streams(), 1);
        cluster_streams.close(cluster());
        assert!(line.changed().await.is_err());
        drop(stream);
        assert_eq!(cluster_streams.streams(), 0);
    }

    #[tokio::test]
    async fn a_fifth_stream_of_a_cluster_replaces_the_oldest() {
        let cluster_streams = Arc::new(ClusterStreams::default());
        cluster_streams.open(cluster(), Revision(0), None, FIRST);
        let mut open: Vec<_> = (0..4)
            .map(|_| cluster_streams.listen(cluster(), FIRST).unwrap().1)
            .collect();
        let waiting = tokio::time::timeout(Duration::from_millis(20), open[0].replaced());
        assert!(waiting.await.is_err(), "four may stay");
        let fifth = cluster_streams.listen(cluster(), FIRST).unwrap().1;
        assert_eq!(cluster_streams.streams(), 4);
        open[0].replaced().await;
        let waiting = tokio::time::timeout(Duration::from_millis(20), open[1].replaced());
        assert!(waiting.await.is_err(), "only the oldest goes");
        // The end of one that was replaced takes nobody else's place.
        drop(open.remove(0));
        assert_eq!(cluster_streams.streams(), 4);
        drop((open, fifth));
        assert_eq!(cluster_streams.streams(), 0);
    }

    #[tokio::test]
    async fn with_its_secret_a_clusters_streams_end_and_its_tokens_open_none() {
        let cluster_streams = Arc::new(ClusterStreams::default());
        cluster_streams.open(cluster(), Revision(0), None, FIRST);
        let mut open = cluster_streams.listen(cluster(), FIRST).unwrap().1;
        cluster_streams.open(cluster(), Revision(0), None, CredentialNumber(1));
        open.replaced().await;
        assert_eq!(cluster_streams.streams(), 0);
        assert!(
            cluster_streams.listen(cluster(), FIRST).is_none(),
            "checked before, opened after"
        );
        let (_line, mut open) = cluster_streams.listen(cluster(), CredentialNumber(1)).unwrap();
        // Read from the store again, as after a write whose end is not known.
        cluster_streams.open(cluster(), Revision(0), None, CredentialNumber(1));
        assert_eq!(cluster_streams.streams(), 1, "the same secret: its streams go on");
        cluster_streams.open(cluster(), Revision(0), None, CredentialNumber(2));
        open.replaced().await;
        assert!(cluster_streams.listen(cluster(), CredentialNumber(1)).is_none());
    }

    #[test]
    fn a_cluster_sends_sixty_reports_at_once_and_twenty_a_second() {
        let cluster_streams = Arc::new(ClusterStreams::default());
        cluster_streams.open(cluster(), Revision(0), None, FIRST);
        let now = Timestamp::from_millis(1_000_000);
        let sent = |now| {
            (0..1000)
                .filter(|_| cluster_streams.may_report(cluster(), now))
                .count()
        };
        assert_eq!(sent(now), 60);
        assert_eq!(sent(now), 0);
        assert_eq!(sent(Timestamp::from_millis(1_000_050)), 1);
        assert_eq!(sent(now.plus_seconds(2)), 38 + 1);
        assert_eq!(sent(now), 0, "a clock that goes back gives nothing");
        assert_eq!(sent(now.plus_seconds(3600)), 60);
    }

    #[test]
    fn a_cluster_listens_while_a_stream_of_it_is_open_and_a_moment_longer_it_counts_as_connected() {
        let cluster_streams = Arc::new(ClusterStreams::default());
        let now = Timestamp::from_millis(1_000_000);
        cluster_streams.open(cluster(), Revision(0), None, FIRST);
        assert!(!cluster_streams.is_listening(cluster()));
        let stream = cluster_streams.listen(cluster(), FIRST);
        assert!(cluster_streams.is_listening(cluster()));
        drop(stream);
        assert!(!cluster_streams.is_listening(cluster()));
        assert!(is_recent(now, now.plus_seconds(29)) && !is_recent(now, now.plus_seconds(31)));
        assert!(is_recent(now.plus_seconds(29), now), "clocks differ a little");
        assert!(!is_recent(now.plus_seconds(3600), now), "and not that much");
    }
}
