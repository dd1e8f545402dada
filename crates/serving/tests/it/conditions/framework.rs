//! The conditions that every kind may have.

use reeve_serving::fault::{Category, Fault};
use reeve_serving::plan::{Plan, Standing};
use reeve_serving_specs::conditions::Case;

use super::artifacts::{self, claim};
use super::{NOW, after, case, services, templates};
use crate::things::time;

/// A status after something was in the way and is not any more.
fn over<S: Standing>(kind: &'static str, name: &str, broken: &Plan<S>, good: &Plan<S>) -> Case {
    let before = broken.judge(&[], Some(1), &time(NOW)).conditions;
    after(kind, name, good, &before)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = refusals();
    cases.push(over(
        "AIMServiceTemplate",
        "a template whose model is there again",
        &templates::Around::without_model().plan("AIMServiceTemplate"),
        &templates::Around::default().plan("AIMServiceTemplate"),
    ));
    let with_claim = |phase: &str| artifacts::Around {
        claim: Some(claim(phase)),
        ..artifacts::Around::default()
    };
    cases.push(over(
        "AIMArtifact",
        "an artifact whose claim is there again",
        &with_claim("Lost").plan(),
        &with_claim("Bound").plan(),
    ));
    let pods = super::pods::all();
    let gated = pods
        .iter()
        .find(|pod| pod.name == "a pod without a right to its files");
    let refused = artifacts::Around {
        download_pod: gated,
        ..artifacts::Around::downloading()
    };
    cases.push(over(
        "AIMArtifact",
        "an artifact that was given the right to its files",
        &refused.plan(),
        &artifacts::Around::downloading().plan(),
    ));
    cases.push(case(
        "AIMArtifact",
        "an artifact whose size is asked again",
        &artifacts::Around::checked("nothing").plan(),
    ));
    cases
}

/// What the API server refuses of a child is told by the child's component.
fn refusals() -> Vec<Case> {
    let refusals = [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (409, "AlreadyExists"),
        (422, "Invalid"),
        (429, "TooManyRequests"),
        (504, "Timeout"),
        (503, "ServiceUnavailable"),
        (502, ""),
        (400, "BadRequest"),
        (0, ""),
    ];
    let told = |(status, said): (u16, &str)| {
        let (category, reason) = Category::of_refusal(status, said);
        let mut plan = services::plain().plan();
        plan.blame("Template", Fault::new(category, reason, "refused"));
        case(
            "AIMService",
            format!("a service one of whose objects is refused with {status} {said}"),
            &plan,
        )
    };
    refusals.map(told).to_vec()
}
