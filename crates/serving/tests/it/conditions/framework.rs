//! The conditions that every kind may have.

use reeve_serving::fault::{Category, Fault};
use reeve_serving::plan::{Plan, Standing};
use reeve_serving_specs::conditions::Case;

use super::{NOW, after, artifacts, case, services, templates};
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
    cases.push(over(
        "AIMArtifact",
        "an artifact whose claim is there again",
        &artifacts::Around::with_claim("Lost").plan(),
        &artifacts::Around::with_claim("Bound").plan(),
    ));
    let pods = super::pods::all();
    let gated = pods
        .iter()
        .find(|pod| pod.name == "a pod without a right to its files");
    cases.push(over(
        "AIMArtifact",
        "an artifact that was given the right to its files",
        &artifacts::Around::downloading(gated).plan(),
        &artifacts::Around::downloading(None).plan(),
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
