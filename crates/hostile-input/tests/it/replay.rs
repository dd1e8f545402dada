//! Every run: the stored inputs of each target and a fixed number of mutations of them, the same on every machine. `make fuzz` looks
//! further, guided by coverage.

use std::panic::catch_unwind;

use reeve_hostile_input::mutation::Numbers;
use reeve_hostile_input::{Check, Outcome, TARGETS, Target, corpus};

/// How many mutations of each target's inputs.
const MUTATIONS: usize = 2_000;
/// With which the mutations begin.
const SEED: u64 = 20_261_129;

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|it| it.name == name).unwrap()
}

/// The inputs of a target, and so many mutations.
fn inputs(target: &Target, mutations: usize) -> impl Iterator<Item = Vec<u8>> {
    let stored = target.inputs().unwrap();
    let mut numbers = Numbers::new(SEED);
    let source = stored.clone();
    let words = target.words;
    stored
        .into_iter()
        .chain((0..mutations).map(move |_| numbers.mutated(&source, words)))
}

/// What the check says, with a panic as what breaks a promise.
fn run(check: Check, input: &[u8]) -> Result<Outcome, String> {
    catch_unwind(|| check(input))
        .map_err(|_| "it panicked".to_owned())
        .and_then(|outcome| outcome.map_err(|broken| broken.to_string()))
}

fn replay(name: &str) {
    let target = target(name);
    let (mut accepted, mut refused) = (0, 0);
    for input in inputs(target, MUTATIONS) {
        match run(target.check, &input) {
            Ok(Outcome::Accepted) => accepted += 1,
            Ok(Outcome::Refused) => refused += 1,
            Err(broken) => panic!("{name}: {broken}; the input: {}", corpus::line(&input)),
        }
    }
    // A target that takes nothing, or everything, holds any promise.
    assert!(
        accepted >= 5 && refused >= 200,
        "{name}: {accepted} accepted, {refused} refused"
    );
    let naive = inputs(target, MUTATIONS).find_map(|input| run(target.naive, &input).err());
    let broken =
        naive.unwrap_or_else(|| panic!("{name}: no input breaks the promise for the naive receiver"));
    assert_ne!(broken, "it panicked", "{name}");
}

/// A test for each target, and no target without one.
macro_rules! replayed {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed() {
            let names: Vec<_> = TARGETS.iter().map(|it| it.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

replayed!(
    saml_response,
    saml_assertion,
    saml_metadata,
    id_token,
    logout_token,
    key_set,
    discovery,
    redirect,
    claims,
    oauth_metadata,
    openshift_user,
    own_token,
    cookie,
    passkey_made,
    passkey_shown,
);
