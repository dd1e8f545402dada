//! A registry whose images become models of the cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use reeve_serving_crds::{
    AimClusterModel, AimClusterModelSourceSpec, AimClusterModelSourceStatus, AimModelSpec,
};

use super::{Child, Plan, left_out};
use crate::duration;
use crate::engine::Said;
use crate::fault::{Component, Dependency, Fault, State};
use crate::labels;
use crate::names;
use crate::owner::Parent;
use crate::source::{Accepted, Image, accept, is_constraint, next_sync};

/// The registry that is asked, where none is named.
pub const REGISTRY: &str = "docker.io";
const MOST: usize = 100;
/// How long after a failure the registry is asked again, where the interval is longer.
const AFTER_FAILURE: (&str, Duration) = ("5m", Duration::from_secs(300));

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The source, as the owner of its models.
    pub parent: &'a Parent,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// What is wanted.
    pub spec: &'a AimClusterModelSourceSpec,
    /// What was said before.
    pub status: &'a AimClusterModelSourceStatus,
    /// The images of its models.
    pub existing: &'a BTreeSet<String>,
    /// For each filter, in order, what it selects or why that is not known.
    pub found: &'a [Result<BTreeSet<Image>, Fault>],
    /// Now.
    pub now: &'a Time,
}

/// When the registry is to be asked again; zero: now.
pub fn pause(
    spec: &AimClusterModelSourceSpec,
    status: &AimClusterModelSourceStatus,
    generation: Option<i64>,
    now: &Time,
) -> Duration {
    let last = status.last_sync_time.as_ref().map(|time| time.0);
    let changed = status.observed_generation != generation;
    let failed = status
        .conditions
        .iter()
        .any(|condition| condition.type_ == "FiltersReady" && condition.status == "False");
    next_sync(interval(spec, failed), last, changed, now.0)
}

/// After a failure sooner: a right, a Secret or a registry that is there again wakes nobody.
fn interval(spec: &AimClusterModelSourceSpec, failed: bool) -> Option<&str> {
    let own = spec.sync_interval.as_deref();
    let is_shorter = own
        .and_then(duration::parse)
        .is_some_and(|own| !own.is_zero() && own < AFTER_FAILURE.1);
    if failed && !is_shorter {
        Some(AFTER_FAILURE.0)
    } else {
        own
    }
}

/// Plans a pass in which the registry was asked.
pub fn plan(seen: &Seen<'_>) -> Plan<AimClusterModelSourceStatus> {
    let images: BTreeSet<Image> = seen
        .found
        .iter()
        .filter_map(|found| found.as_ref().ok())
        .flatten()
        .cloned()
        .collect();
    let most = seen.spec.max_models.and_then(|most| usize::try_from(most).ok());
    let accepted = accept(seen.existing, &images, most.unwrap_or(MOST));
    let count = |number: usize| i32::try_from(number).ok();
    let mut plan = Plan::new(AimClusterModelSourceStatus {
        last_sync_time: Some(seen.now.clone()),
        discovered_models: count(accepted.discovered),
        available_models: count(accepted.available),
        models_limit_reached: Some(accepted.limit_reached()),
        ..AimClusterModelSourceStatus::default()
    });
    let existing = Component::new("ExistingModels", Dependency::Downstream);
    plan.components.push(existing.says(State::Ready, "Listed", ""));
    plan.components.push(filters(seen.found));
    plan.said.push(limit(&accepted));
    plan.said.extend(left_out(unread(seen.spec)));
    plan.children = accepted.new.iter().map(|image| child(seen, image)).collect();
    let failed = seen.found.iter().any(Result::is_err);
    let interval = interval(seen.spec, failed);
    plan.again = Some(next_sync(interval, Some(seen.now.0), false, seen.now.0));
    plan
}

/// What of the spec cannot be read: the interval is then the usual one, and a constraint holds for every tag, as it always did.
fn unread(spec: &AimClusterModelSourceSpec) -> Vec<String> {
    let interval = spec.sync_interval.as_deref();
    let interval = interval.filter(|text| !text.is_empty() && duration::parse(text).is_none());
    let interval = interval.map(|text| format!("syncInterval: `{text}` is no duration; it is 1h"));
    let own = spec.filters.iter().flat_map(|filter| &filter.versions);
    let constraints = spec
        .versions
        .iter()
        .chain(own)
        .filter(|text| !is_constraint(text));
    let constraints = constraints.map(|text| format!("versions: `{text}` cannot be read and is left out"));
    interval.into_iter().chain(constraints).collect()
}

/// Failures of a registry are told and do not keep what other filters found from being made.
fn filters(found: &[Result<BTreeSet<Image>, Fault>]) -> Component {
    let component = Component::new("Filters", Dependency::Upstream);
    let why: Vec<String> = found
        .iter()
        .filter_map(|found| Some(found.as_ref().err()?.message.clone()))
        .collect();
    match (found.len(), why.len()) {
        (0, _) => component.says(State::Ready, "NoFilters", ""),
        (_, 0) => component.says(State::Ready, "AllFiltersSucceeded", ""),
        (all, failed) if failed < all => component.says(State::Degraded, "SomeFiltersFailed", why.join("; ")),
        _ => component.says(State::Failed, "AllFiltersFailed", why.join("; ")),
    }
}

fn limit(accepted: &Accepted) -> Said {
    let reached = accepted.limit_reached();
    let message = format!(
        "{} of {} images have a model",
        accepted.discovered, accepted.available
    );
    let reason = if reached { "LimitReached" } else { "WithinLimit" };
    Said::new("MaxModelsLimitReached", reached, reason, message)
}

fn child(seen: &Seen<'_>, image: &Image) -> Child {
    let own = labels::labels([
        (labels::ORIGIN, labels::AUTO_GENERATED),
        ("model-source", &names::name_label(&seen.parent.name)),
    ]);
    let name = names::cluster_model(&image.registry, &image.repository, &image.tag);
    let annotations = [
        ("source-registry", &image.registry),
        ("source-repository", &image.repository),
        ("source-tag", &image.tag),
    ];
    let annotations = annotations.map(|(key, value)| (format!("{}{key}", labels::PREFIX), value.clone()));
    let model = AimClusterModel {
        metadata: ObjectMeta {
            annotations: Some(annotations.into()),
            ..seen.parent.child(name, None, &own, true)
        },
        spec: AimModelSpec {
            image: image.uri(),
            image_pull_secrets: seen.spec.image_pull_secrets.clone(),
            ..AimModelSpec::default()
        },
        status: None,
    };
    Child::once("ExistingModels", &model)
}
