//! Nobody ever holds what those who act could not have given: random sequences of everything that can bring rights to somebody, by
//! REST and by people who are no administrators of the account, against a naive evaluator (`closure/naive.rs`).
//!
//! After each step: what the server decides from is what its answers said; nobody gained what the one who acted did not hold in that
//! scope; nobody holds what was outside of the closure at the beginning; and whoever got a secret or password of somebody else got no
//! right by it.

mod fixture;
mod naive;
mod run;
mod story;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reeve_testkit::is_whole;

use fixture::Fixture;
use run::told;
use story::any_story;

/// How often each kind of step was done, and how often it was refused.
pub(crate) type Seen = BTreeMap<(&'static str, bool), usize>;

/// Planted faults: `grant-beyond-what-is-held`, `grant-outside-the-list`, `edit-beyond-what-is-held`, `rules-outlive-an-application`.
#[test]
fn nobody_ever_holds_what_those_who_act_could_not_give() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(Fixture::new());
    let config = Config {
        cases: if is_whole("CLOSURE") { 1000 } else { 200 },
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let seen = RefCell::new(Seen::new());
    let ran = TestRunner::new_with_rng(config, rng).run(&any_story(), |story| {
        runtime.block_on(told(&fixture, &story, &seen));
        Ok(())
    });
    if let Err(failed) = ran {
        panic!("{failed}");
    }
    // A run in which hardly anything happens shows nothing.
    let seen = seen.into_inner();
    for kind in [
        "give",
        "give many",
        "take",
        "make a role",
        "edit a role",
        "end a role",
        "offboard",
    ] {
        for done in [true, false] {
            assert!(
                seen.get(&(kind, done)).is_some_and(|times| *times >= 20),
                "{kind} {done}: {seen:?}"
            );
        }
    }
    for kind in ["sign in", "make an application", "make a key", "come back"] {
        assert!(
            seen.get(&(kind, true)).is_some_and(|times| *times >= 20),
            "{kind}: {seen:?}"
        );
    }
    for kind in ["another secret", "another password"] {
        assert!(
            seen.get(&(kind, false)).is_some_and(|times| *times >= 20),
            "{kind}: {seen:?}"
        );
    }
}
