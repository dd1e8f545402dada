//! The settings that come from the environment, in one place.

use std::path::PathBuf;

/// What a test does when it cannot have the cluster it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// `TESTBED=require`: fail.
    Fail,
    /// `TESTBED=auto`, the default: skip, and say so.
    Skip,
    /// `TESTBED=off`: start nothing; skip, and say so.
    Off,
}

pub(crate) fn missing() -> Missing {
    match variable("TESTBED").as_deref() {
        Some("require") => Missing::Fail,
        Some("off") => Missing::Off,
        _ => Missing::Skip,
    }
}

/// `TESTBED_KEEP=1` leaves the folders of clusters where they are, for a look at the logs.
pub(crate) fn keep_folders() -> bool {
    variable("TESTBED_KEEP").is_some_and(|value| value == "1")
}

/// The cache outside the checkout that `testbed/build.sh` uses too.
pub(crate) fn cache() -> PathBuf {
    if let Some(cache) = variable("REEVE_CACHE") {
        return PathBuf::from(cache);
    }
    let caches = variable("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(variable("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    caches.join("reeve")
}

/// On which database the servers of tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// `DATABASE=sqlite`, the default: in a file for each test.
    Sqlite,
    /// `DATABASE=postgres`: in a database for each test of one PostgreSQL.
    Postgres,
}

/// The database that `DATABASE` asks for, as it does of the demo.
///
/// # Panics
/// It is no database: what was meant cannot be known.
#[expect(
    clippy::panic,
    reason = "a setting that cannot be understood fails the test that asks for it"
)]
pub fn database() -> Database {
    match variable("DATABASE").as_deref() {
        None | Some("sqlite") => Database::Sqlite,
        Some("postgres") => Database::Postgres,
        Some(other) => panic!("DATABASE must be `sqlite` or `postgres`, it is `{other}`"),
    }
}

/// Whether a large test is to run whole, and not the sample that `make test` runs: whether the variable of this name is `all`.
///
/// # Panics
/// It is neither that nor `sample`: what was meant cannot be known.
#[expect(
    clippy::panic,
    reason = "a setting that cannot be understood fails the test that asks for it"
)]
pub fn is_whole(name: &str) -> bool {
    match variable(name).as_deref() {
        None | Some("sample") => false,
        Some("all") => true,
        Some(other) => panic!("{name} must be `all` or `sample`, it is `{other}`"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line of their own to take settings from"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
