//! What is on its way to an operator, and how much of it there may be.
//!
//! **Promises.**
//! - A stream holds three lines at most: the one that the connection is being handed, one behind it, and one that waits. The connection
//!   is handed 16 KiB at a time, and asks for more when its peer has taken them.
//! - Parts of states and changes, the lines that can be large, are [`SLOTS`] at a time in the whole process, and [`SLOTS_OF_ONE`]
//!   of one cluster: so much memory is held by whoever does not read, however many those are.
//! - A line that is not taken for as long as the patience ends its stream: sooner while others wait for a slot. The operator dials
//!   again, and goes on from the last batch that it has applied.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// How much a connection is handed at a time, in bytes.
const CHUNK: usize = 16 * 1024;
/// How often a stream that ends looks whether all of it was taken.
const LOOK: Duration = Duration::from_millis(20);
/// How many parts there may be at a time. Changes and complete states have so many each: who is sent everything keeps nobody from a
/// change.
pub const SLOTS: usize = 64;
/// How many of these one cluster may have.
pub const SLOTS_OF_ONE: usize = 2;

/// The slots of all clusters, or of one.
#[derive(Debug, Clone)]
pub struct Slots {
    states: Arc<Semaphore>,
    changes: Arc<Semaphore>,
}

/// What a slot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A part of a complete state.
    State,
    /// What changed.
    Change,
}

impl Slots {
    /// So many of each kind.
    pub fn new(many: usize) -> Self {
        Self {
            states: Arc::new(Semaphore::new(many)),
            changes: Arc::new(Semaphore::new(many)),
        }
    }

    const fn of(&self, part: Part) -> &Arc<Semaphore> {
        match part {
            Part::State => &self.states,
            Part::Change => &self.changes,
        }
    }

    /// Whether there is none left.
    pub fn are_taken(&self, part: Part) -> bool {
        self.of(part).available_permits() == 0
    }
}

/// Leave for one part, of a cluster and of the process, until its last byte was handed to the connection.
#[derive(Debug)]
pub struct Slot {
    part: Part,
    _of_one: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Slot {
    /// Waits for one: first for the cluster's own.
    pub async fn take(all: &Slots, of_one: &Slots, part: Part) -> Self {
        // They are never closed.
        let own = Arc::clone(of_one.of(part)).acquire_owned().await.ok();
        let shared = Arc::clone(all.of(part)).acquire_owned().await.ok();
        Self {
            part,
            _of_one: own,
            _of_all: shared,
        }
    }
}

/// One line, and its slot where it needs one.
#[derive(Debug)]
pub struct Line {
    bytes: Bytes,
    _slot: Option<Slot>,
}

/// How long somebody may leave what was sent unread.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// In any case.
    pub longest: Duration,
    /// While others wait for a slot that this one holds.
    pub contended: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(30),
            contended: Duration::from_secs(5),
        }
    }
}

/// The end that lines are put in at.
#[derive(Debug, Clone)]
pub struct Outgoing {
    sender: mpsc::Sender<Line>,
    waiting: Arc<Waiting>,
    all: Slots,
    patience: Patience,
}

/// The end at which the connection takes them.
#[derive(Debug)]
pub struct Taken(Arc<Waiting>);

/// What was put in and is not taken yet. Both ends have it, so that what nobody takes can be given up from either: a connection that
/// does not read may stay open for as long as it likes.
#[derive(Debug)]
struct Waiting(Mutex<Held>);

#[derive(Debug)]
struct Held {
    receiver: mpsc::Receiver<Line>,
    current: Option<Line>,
    /// A line was given up in its middle.
    is_cut: bool,
}

impl Waiting {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops everything, with its slots; nothing more is put in.
    fn give_up(&self) {
        let mut held = self.held();
        held.receiver.close();
        held.is_cut |= held.current.take().is_some();
        while held.receiver.try_recv().is_ok() {}
    }

    fn is_empty(&self) -> bool {
        let held = self.held();
        held.current.is_none() && held.receiver.is_empty()
    }
}

/// The way of one stream's lines.
pub fn outgoing(all: &Slots, patience: Patience) -> (Outgoing, Taken) {
    let (sender, receiver) = mpsc::channel(1);
    let waiting = Arc::new(Waiting(Mutex::new(Held {
        receiver,
        current: None,
        is_cut: false,
    })));
    let outgoing = Outgoing {
        sender,
        waiting: Arc::clone(&waiting),
        all: all.clone(),
        patience,
    };
    (outgoing, Taken(waiting))
}

impl Outgoing {
    /// Puts a line in. False when the peer is gone, or has read nothing for so long that it counts as gone: what waits for it is given
    /// up then.
    pub async fn put(&self, bytes: Bytes, slot: Option<Slot>) -> bool {
        let is_put = self.try_put(bytes, slot).await;
        if !is_put {
            self.waiting.give_up();
        }
        is_put
    }

    async fn try_put(&self, bytes: Bytes, slot: Option<Slot>) -> bool {
        let part = slot.as_ref().map(|slot| slot.part);
        let line = Line { bytes, _slot: slot };
        let mut putting = std::pin::pin!(self.sender.send(line));
        if let Ok(put) = tokio::time::timeout(self.patience.contended, &mut putting).await {
            return put.is_ok();
        }
        if part.is_some_and(|part| self.all.are_taken(part)) {
            return false;
        }
        let rest = self.patience.longest.saturating_sub(self.patience.contended);
        matches!(tokio::time::timeout(rest, putting).await, Ok(Ok(())))
    }

    /// Returns when nobody takes lines any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Nothing more is put in: what waits has a moment to be taken, and is given up then.
    pub async fn finish(self) {
        let emptied = async {
            while !self.waiting.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(self.patience.contended, emptied)
            .await
            .is_err()
        {
            self.waiting.give_up();
        }
    }
}

impl Stream for Taken {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut held = self.0.held();
        loop {
            if let Some(line) = &mut held.current {
                let chunk = line.bytes.split_to(line.bytes.len().min(CHUNK));
                if line.bytes.is_empty() {
                    // The last of it: its slot is free.
                    held.current = None;
                }
                if !chunk.is_empty() {
                    return Poll::Ready(Some(Ok(chunk)));
                }
                continue;
            }
            if held.is_cut {
                let cut = "the operator did not read: the stream was given up";
                return Poll::Ready(Some(Err(io::Error::other(cut))));
            }
            match held.receiver.poll_recv(context) {
                Poll::Ready(Some(line)) => held.current = Some(line),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    const SHORT: Patience = Patience {
        longest: Duration::from_millis(400),
        contended: Duration::from_millis(40),
    };

    fn line() -> Bytes {
        Bytes::from_static(b"{}\n")
    }

    /// Planted fault: with a channel without a bound every line is put in, and all are held.
    #[tokio::test]
    async fn a_peer_that_does_not_read_is_given_up_and_so_is_what_waits_for_it() {
        let slots = Slots::new(4);
        let (outgoing, mut taken) = outgoing(&slots, SHORT);
        let own = Slots::new(1);
        let slot = Slot::take(&slots, &own, Part::State).await;
        assert!(outgoing.put(line(), Some(slot)).await);
        assert!(own.are_taken(Part::State));
        assert!(!outgoing.put(line(), None).await, "nobody reads");
        // The connection stays open; what it does not read is held no longer.
        assert!(!own.are_taken(Part::State));
        assert!(taken.next().await.is_none());
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_noticed_and_one_that_reads_gets_all_of_it() {
        let slots = Slots::new(4);
        let (outgoing, mut taken) = outgoing(&slots, SHORT);
        assert!(outgoing.put(line(), None).await);
        let reading = tokio::spawn(async move {
            let first = taken.next().await.unwrap().unwrap();
            let second = taken.next().await.unwrap().unwrap();
            (first, second, taken)
        });
        assert!(outgoing.put(line(), None).await);
        let (first, second, taken) = reading.await.unwrap();
        assert_eq!((first, second), (line(), line()));
        drop(taken);
        outgoing.closed().await;
        assert!(!outgoing.put(line(), None).await, "nobody is there");
    }

    #[tokio::test]
    async fn a_line_that_is_cut_ends_in_an_error() {
        let slots = Slots::new(4);
        let (outgoing, mut taken) = outgoing(&slots, SHORT);
        let long = Bytes::from(vec![b'x'; CHUNK + 1]);
        assert!(outgoing.put(long, None).await);
        taken.next().await.unwrap().unwrap();
        outgoing.finish().await;
        assert!(taken.next().await.unwrap().is_err(), "half a line is no line");
    }

    #[tokio::test]
    async fn a_line_is_handed_over_in_chunks_and_gives_its_slot_back_with_the_last() {
        let (all, one) = (Slots::new(1), Slots::new(1));
        let (outgoing, mut taken) = outgoing(&all, SHORT);
        let slot = Slot::take(&all, &one, Part::State).await;
        let whole = Bytes::from(vec![b'x'; 2 * CHUNK + 1]);
        assert!(outgoing.put(whole.clone(), Some(slot)).await);
        let mut got = Vec::new();
        for expected in [CHUNK, CHUNK, 1] {
            assert!(all.are_taken(Part::State), "until the last byte");
            let chunk = taken.next().await.unwrap().unwrap();
            assert_eq!(chunk.len(), expected);
            got.extend(chunk);
        }
        assert_eq!(got, whole);
        assert!(!all.are_taken(Part::State));
    }

    /// Planted faults: without a cluster's own slots, three clusters that do not read hold all of them; with one patience for all, the
    /// fourth waits ten times as long.
    #[tokio::test]
    async fn who_does_not_read_holds_a_share_and_loses_it_when_others_wait() {
        let all = Slots::new(3);
        let stalled: Vec<_> = (0..3).map(|_| Slots::new(1)).collect();
        let mut held = Vec::new();
        for one in &stalled {
            let (outgoing, taken) = outgoing(&all, SHORT);
            let slot = Slot::take(&all, one, Part::State).await;
            assert!(outgoing.put(line(), Some(slot)).await);
            let second = Slot::take(&all, one, Part::State);
            let second = tokio::time::timeout(Duration::from_millis(20), second).await;
            assert!(second.is_err(), "one cluster has no more than its share");
            held.push((outgoing, taken));
        }
        assert!(all.are_taken(Part::State));
        // A change needs none of these.
        let healthy = Slots::new(1);
        let change = Slot::take(&all, &healthy, Part::Change);
        assert!(
            tokio::time::timeout(Duration::from_millis(200), change)
                .await
                .is_ok()
        );
        // Another cluster is served as soon as one of these is given up.
        let waits = tokio::spawn({
            let (all, healthy) = (all.clone(), healthy.clone());
            async move { Slot::take(&all, &healthy, Part::State).await }
        });
        let (outgoing, taken) = held.remove(0);
        let begun = tokio::time::Instant::now();
        let small = Slot {
            part: Part::State,
            _of_one: None,
            _of_all: None,
        };
        assert!(!outgoing.put(line(), Some(small)).await, "it is in the way");
        assert!(begun.elapsed() < SHORT.longest, "{:?}", begun.elapsed());
        drop(taken);
        tokio::time::timeout(Duration::from_secs(20), waits)
            .await
            .unwrap()
            .unwrap();
    }
}
