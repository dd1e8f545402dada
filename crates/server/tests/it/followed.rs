//! The directory in memory follows the change log, whoever wrote it.

mod requests;

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_server::directory::{Applied, Directory};
use reeve_store::conformance::{Organization, RandomWrites, kinds_of_change};
use reeve_store::{ChangeNumber, DirectoryChange, DirectorySnapshot, LogAfter, LoggedChanges, Store};
use reeve_types::Timestamp;
use serde_json::Value;

use self::requests::{KINDS, request};
use crate::database::Data;
use crate::server::{OrganizationFixture, Server};

/// How many requests, and how many writes below the server, there are.
const STEPS: usize = 240;

/// What is read anew.
async fn fresh(store: &dyn Store) -> DirectorySnapshot {
    Directory::load(store.directory().await.unwrap()).snapshot()
}

pub(crate) async fn is_fresh(server: &Server, after: &str) {
    let known = server.app.directory().snapshot();
    assert_eq!(known, fresh(server.app.store.as_ref()).await, "after {after}");
}

/// Each write by REST, with a second server over the same database that hears of it by the log alone.
#[tokio::test]
async fn after_any_sequence_of_requests_the_directory_equals_one_loaded_fresh() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let replica = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    let mut draw = drawn();
    let mut done = BTreeSet::new();
    for step in 0..STEPS {
        let (kind, status) = request(&organization, step, &mut draw).await;
        if status.is_success() {
            done.insert(kind);
        }
        let said = format!("{kind}, answered {status}");
        is_fresh(server, &said).await;
        replica.app.catch_up().await.unwrap();
        is_fresh(&replica, &said).await;
        assert_eq!(
            replica.app.cluster_streams.revisions().into_iter().max(),
            server.app.cluster_streams.revisions().into_iter().max(),
            "streams hear of it, too: {said}"
        );
    }
    // One that is always refused would show nothing.
    assert_eq!(done, BTreeSet::from(KINDS));
}

/// SplitMix64: the same requests in each run.
fn drawn() -> impl FnMut(usize) -> usize {
    let mut state = 11_u64;
    move |below| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % below
    }
}

/// A database that somebody else writes to, and every step of its log.
struct Written {
    log: Vec<Vec<LoggedChanges>>,
    fresh: Vec<DirectorySnapshot>,
    empty: DirectorySnapshot,
}

impl Written {
    /// Two entries in a row, and what the database held before them.
    fn two_entries_that_say_what_changed(&self) -> (&DirectorySnapshot, [LoggedChanges; 2]) {
        let steps = self.fresh.iter().zip(self.log.windows(3));
        let mut found = steps.filter_map(|(before, steps)| {
            let later: Vec<_> = steps.iter().skip(1).flatten().take(2).cloned().collect();
            let entries: [LoggedChanges; 2] = later.try_into().ok()?;
            let told = |entry: &LoggedChanges| !entry.changes.contains(&DirectoryChange::Everything);
            entries.iter().all(told).then_some((before, entries))
        });
        found.next().unwrap()
    }

    /// Whether a step deleted policies without saying so of each: with the scope that they were of.
    fn policies_went_with_their_scope(&self) -> bool {
        let before = [&self.empty].into_iter().chain(&self.fresh);
        before
            .zip(&self.fresh)
            .zip(&self.log)
            .any(|((before, after), log)| {
                let mut changes = log.iter().flat_map(|entry| &entry.changes);
                let one_by_one = changes.any(|it| matches!(it, DirectoryChange::PolicyDeleted(..)));
                after.policies.len() < before.policies.len() && !one_by_one
            })
    }
}

async fn written() -> Written {
    let data = Data::new().await;
    let store = data.store(Timestamp::from_millis(1_700_000_000_000)).await;
    let mut organization = Organization::new(Arc::new(store)).await;
    let empty = fresh(organization.store.as_ref()).await;
    let mut written = Written {
        log: Vec::new(),
        fresh: Vec::new(),
        empty,
    };
    let mut writes = RandomWrites::new(5);
    let mut reached = written.empty.reached.clone();
    for _ in 0..STEPS {
        writes.step(&mut organization).await;
        let log = match organization.store.changes_since(&reached, 1000).await.unwrap() {
            LogAfter::Entries(log) => log,
            other => panic!("{other:?}"),
        };
        reached = log.last().map_or(reached, LoggedChanges::mark);
        written.log.push(log);
        written.fresh.push(fresh(organization.store.as_ref()).await);
    }
    written
}

/// Whether a directory that follows the log, without the changes that `forgets` names, is always what is read anew.
fn follows(written: &Written, forgets: impl Fn(&DirectoryChange) -> bool) -> bool {
    let mut directory = Directory::load(written.empty.clone());
    written.log.iter().zip(&written.fresh).all(|(log, fresh)| {
        for entry in log {
            let mut entry = entry.clone();
            entry.changes.retain(|change| !forgets(change));
            if directory.apply(&entry) == Applied::ReadAnew {
                directory = Directory::load(fresh.clone());
            }
        }
        directory.snapshot() == *fresh
    })
}

/// The name of a kind of change.
fn kind(change: &DirectoryChange) -> String {
    let text = serde_json::to_value(change).unwrap();
    match text {
        Value::Object(fields) => fields.keys().next().unwrap().clone(),
        other => other.as_str().unwrap().to_owned(),
    }
}

/// And of each kind of change that were forgotten, the comparison would show it.
#[tokio::test]
async fn the_log_is_all_that_a_directory_needs_and_none_of_it_can_be_left_out() {
    let written = written().await;
    assert!(follows(&written, |_| false));
    let kinds = written.log.iter().flatten().flat_map(|it| &it.changes);
    let kinds: BTreeSet<_> = kinds.map(kind).collect();
    let all: BTreeSet<_> = kinds_of_change().iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(kinds, all, "a random write makes each kind of change");
    assert!(
        written.policies_went_with_their_scope(),
        "of nothing that was deleted a policy was left to forget"
    );
    for forgotten in kinds {
        assert!(
            !follows(&written, |change| kind(change) == forgotten),
            "nobody missed `{forgotten}`"
        );
    }
}

/// Entries in another order than that of their numbers are not applied, and one that was applied changes nothing.
#[tokio::test]
async fn entries_are_applied_once_and_in_their_order() {
    let written = written().await;
    let (before, log) = written.two_entries_that_say_what_changed();
    let mut directory = Directory::load(before.clone());
    assert_eq!(directory.apply(&log[1]), Applied::ReadAnew);
    assert_eq!(directory.snapshot(), *before);
    assert_eq!(directory.apply(&log[0]), Applied::Done);
    assert_eq!(directory.apply(&log[0]), Applied::Before);
    assert_eq!(directory.apply(&log[1]), Applied::Done);
    assert_eq!(*directory.mark(), log[1].mark());
    assert!(directory.mark().number > ChangeNumber(2));
}
