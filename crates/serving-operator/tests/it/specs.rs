//! Generated specs of each kind on a real API server, under the operator as a process: every one comes to rest, is told where it cannot
//! be followed, and the spec of the beginning gives the state of the beginning. A sample in `make test`, 2,000 of each kind by
//! `make serving-specs`. Without a node: Jobs wait for ever, which is a state like another.
//!
//! The same without a cluster, all of them: `serving/tests/it/specs.rs`.

mod field;
mod seen;
mod subject;

use std::collections::BTreeMap;

use reeve_serving_specs::wrong::{untold, wrong};
use serde_json::Value;

use field::Field;
use subject::Subject;

const SEED: u64 = 0x5eed;
/// Of each kind in `make test`.
const SAMPLE: u64 = 6;

/// How many of each kind.
#[expect(
    clippy::disallowed_methods,
    reason = "`make serving-specs` says so, and a test has no flags"
)]
fn wanted() -> u64 {
    match std::env::var("SERVING_SPECS") {
        Err(_) => SAMPLE,
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("SERVING_SPECS must be a number, it is `{text}`")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_specs_of_every_kind_come_back_to_their_seed() {
    let wanted = wanted();
    // Many side by side: what takes time is waiting for rest.
    let lanes = wanted.div_ceil(40).max(SAMPLE);
    let Some(mut field) = Field::start(lanes).await else {
        return;
    };
    field.rest().await;
    let first = field.state().await;
    for round in 0..wanted.div_ceil(lanes) {
        the_objects_change_and_change_back(&mut field, round, &first).await;
        others_are_made_and_go(&mut field, round, &first).await;
        // Seen with `--nocapture` alone.
        eprintln!(
            "{} specs of each kind, seed {SEED:#x}: {} told what cannot be followed, {} refusals",
            (round + 1) * lanes,
            field.told,
            field.refused,
        );
    }
    assert!(
        field.told > wanted,
        "too few that cannot be followed: {}",
        field.told
    );
}

/// Every object becomes what the next spec says, as far as a living one can, and what it was.
async fn the_objects_change_and_change_back(field: &mut Field, round: u64, first: &BTreeMap<String, Value>) {
    let mark = field.mark();
    field
        .each(Subject::all, move |subject| async move {
            subject.become_changed(SEED, round).await
        })
        .await;
    field.rest().await;
    check(field, mark, false).await;
    field
        .each(Subject::all, |subject| async move { subject.become_seed().await })
        .await;
    field.rest().await;
    back(field, first, round, false).await;
}

/// Beside each a new one is made of the spec, with what a living one could not become, and deleted.
async fn others_are_made_and_go(field: &mut Field, round: u64, first: &BTreeMap<String, Value>) {
    let mark = field.mark();
    field
        .each(Subject::with_a_controller, move |subject| async move {
            subject.make_another(SEED, round).await
        })
        .await;
    field.rest().await;
    check(field, mark, true).await;
    field
        .each(Subject::with_a_controller, |subject| async move {
            subject.delete_the_other().await
        })
        .await;
    field.rest().await;
    back(field, first, round, true).await;
}

/// What cannot be followed is told by a condition, and so is what the API server refused to the operator.
async fn check(field: &mut Field, mark: u64, others: bool) {
    let refused = field.refusals(mark);
    field.refused += refused.len();
    let mut told = 0;
    for subject in field.subjects.clone() {
        if others && !subject.with_a_controller() {
            continue;
        }
        let (spec, status) = subject.now(others).await;
        let wrong = wrong(subject.kind, &spec);
        let missing = untold(&wrong, &status);
        assert!(
            missing.is_empty(),
            "{}: nobody tells {missing:?}\nspec {spec:#}\nstatus {status:#}",
            subject.place()
        );
        told += u64::from(!wrong.is_empty());
        let of_subject = refused
            .iter()
            .filter(|refusal| refusal.namespace == subject.namespace && !subject.namespace.is_empty());
        for refusal in of_subject {
            // Nothing that was refused is passed over: what wanted it, or what was made between, is not ready and says the name.
            let said = field.conditions_of(&subject.namespace).await;
            assert!(
                said.iter().any(|message| message.contains(&refusal.name)) || no_room(&refusal.name, &said),
                "{}: the API server refused {} `{}` ({}), and no condition says so: {said:#?}\nspec {spec:#}",
                subject.place(),
                refusal.resource,
                refusal.name,
                refusal.code,
            );
        }
    }
    field.told += told;
    assert_eq!(field.panics(), Vec::<String>::new());
}

/// Without a node no discovery ends: with ten of them begun a template waits for room again, whatever became of its last attempt.
fn no_room(job: &str, said: &[String]) -> bool {
    let waits = |message: &String| message == "the image has not been asked yet";
    job.starts_with("discover-") && said.iter().any(waits)
}

/// All is as it was, but for what may stay; that is tidied up. Nobody here collects garbage: what belonged to the others is still there.
async fn back(field: &mut Field, first: &BTreeMap<String, Value>, round: u64, others: bool) {
    let when = if others {
        "after others were made"
    } else {
        "after the change"
    };
    let mut now = field.state().await;
    for (key, before) in first {
        let found = now.remove(key);
        assert_eq!(
            found.as_ref(),
            Some(before),
            "{key} {when} in round {round}: {}",
            seen::difference(before, found.as_ref())
        );
    }
    let is_garbage = |object: &Value| {
        others
            && object["owners"][0]
                .as_str()
                .is_some_and(|owner| owner.ends_with(subject::OTHER))
    };
    let more = now
        .iter()
        .filter(|(key, object)| !seen::stays(key) && !is_garbage(object));
    let more: Vec<&String> = more.map(|(key, _)| key).collect();
    assert!(more.is_empty(), "{when} in round {round} there are {more:?}");
    field.tidy(now.keys()).await;
    assert_eq!(field.panics(), Vec::<String>::new());
}
