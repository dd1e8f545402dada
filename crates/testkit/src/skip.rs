//! How a test asks for a cluster, and what happens when it cannot have one, or anything else that it needs.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cluster::{Cluster, Options};
use crate::environment::{Database, Missing, database, missing};
use crate::tier::Tier;

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// The cluster that all tests of this process and tier share, or `None` after saying why there is none.
///
/// # Panics
///
/// Under `TESTBED=require`, when there is no cluster, or no real node for [`Tier::Node`].
pub async fn cluster(tier: Tier) -> Option<&'static Cluster> {
    if missing() == Missing::Off {
        return skipped("TESTBED=off".to_owned());
    }
    usable(Cluster::shared(tier).await, tier).map_or_else(skipped, Some)
}

/// A cluster of the test's own, for what changes a whole cluster. It ends when dropped.
///
/// # Panics
///
/// As [`cluster`].
pub async fn own_cluster(options: Options) -> Option<Cluster> {
    own_cluster_or_reason(options).await.map_or_else(skipped, Some)
}

/// The same for a cluster that several tests share: why there is none, for each of them to hand to [`skip`].
///
/// # Errors
/// Why there is none.
pub async fn own_cluster_or_reason(options: Options) -> Result<Cluster, String> {
    if missing() == Missing::Off {
        return Err("TESTBED=off".to_owned());
    }
    let tier = options.tier;
    usable(Cluster::start(options).await, tier)
}

/// Says that the test of this thread is skipped, and why: it had to have a cluster.
///
/// # Panics
/// Under `TESTBED=require`.
pub fn skip(why: &str) {
    skip_without("cluster", why);
}

/// The same of a test that had to have something else of the machine: `what`, as it follows on "no".
///
/// # Panics
/// Under `TESTBED=require`.
pub fn skip_without(what: &str, why: &str) {
    let _: Option<()> = skipped_without(what, why);
}

/// Says that the test of this thread is skipped since only a command of its own runs it, whatever `TESTBED` says: `why`, and by which
/// command.
pub fn skip_unasked(why: &str) {
    say(why);
}

/// Whether the test of this thread has to end here: it is about SQLite alone, and `DATABASE` asks for PostgreSQL. `why`: what it is
/// about. That is said as `NOT APPLICABLE`, with its name; it is nothing that is missing, whatever `TESTBED` says.
///
/// # Panics
/// On either database, when the test's name does not say `sqlite`.
#[expect(clippy::panic, reason = "a test that is misnamed fails")]
pub fn not_on_postgres(why: &str) -> bool {
    let test = name_of_test();
    // Where tests run one after the other, the runner names no thread after them.
    if test.contains("::") && !test.contains("sqlite") {
        panic!("a test that is about SQLite alone says so by its name: {test}");
    }
    let not_applicable = database() == Database::Postgres;
    if not_applicable {
        tell(&format!("NOT APPLICABLE: about SQLite alone ({why}): {test}"));
    }
    not_applicable
}

fn usable<C: std::borrow::Borrow<Cluster>>(started: anyhow::Result<C>, tier: Tier) -> Result<C, String> {
    match started {
        Ok(cluster) if tier != Tier::Node => Ok(cluster),
        Ok(cluster) => match cluster.borrow().real_node() {
            Ok(()) => Ok(cluster),
            Err(why) => Err(format!("no real node: {why}")),
        },
        Err(error) => Err(format!("{error:#}")),
    }
}

fn skipped<T>(why: String) -> Option<T> {
    skipped_without("cluster", &why)
}

#[expect(
    clippy::panic,
    reason = "TESTBED=require makes what is missing a failure of the test"
)]
pub(crate) fn skipped_without<T>(what: &str, why: &str) -> Option<T> {
    if missing() == Missing::Fail {
        panic!("TESTBED=require, but no {what}: {why}");
    }
    say(&format!("no {what} ({why})"));
    None
}

fn say(reason: &str) {
    let total = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let test = name_of_test();
    tell(&format!("SKIPPED: {reason}: {test}; {total} skipped so far"));
}

fn name_of_test() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or("a test").to_owned()
}

/// Not `eprintln!`: the test runner swallows that for a test that passes, and this one will seem to pass.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
