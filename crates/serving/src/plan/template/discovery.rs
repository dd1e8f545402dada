//! The Job that asks the image, its failures and when it is tried again.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use reeve_serving_crds::{AimServiceTemplateStatus, DiscoveryStatus};

use super::{Seen, is_known, stands};
use crate::discovery::{self, AT_ONCE, NO_ROOM};
use crate::engine::Said;
use crate::fault::{Component, Dependency, State};
use crate::inspect;
use crate::plan::{Child, Plan};

/// What is waited for: the pods before the Job, since they say why.
pub(super) fn components(seen: &Seen<'_>, status: &AimServiceTemplateStatus) -> Vec<Component> {
    let Some(job) = seen.job else {
        let failed = status
            .discovery
            .as_ref()
            .and_then(|d| d.last_failure_reason.as_deref());
        let message = match failed {
            Some(why) => format!("the last discovery failed: {why}"),
            None => "the image has not been asked yet".to_owned(),
        };
        let component = Component::new("DiscoveryJob", Dependency::Downstream);
        return vec![component.says(State::Pending, "JobNotCreated", message)];
    };
    let of_pods = (!seen.pods.is_empty()).then(|| inspect::pods(seen.pods));
    let cause = of_pods.as_ref().and_then(|found| found.as_ref().err());
    let of_job = inspect::job_of_pod(Some(job), cause);
    let mut all: Vec<Component> = of_pods
        .map(|found| stands("DiscoveryPods", found))
        .into_iter()
        .collect();
    all.push(match seen.answer {
        Some(Err(unreadable)) => Component::new("DiscoveryJob", Dependency::Downstream).says(
            State::Progressing,
            "DiscoveryUnreadable",
            unreadable.to_string(),
        ),
        // A Job that has ended well says nothing before its log is read.
        None if of_job.as_ref().is_ok_and(|health| health.state == State::Ready) => {
            Component::new("DiscoveryJob", Dependency::Downstream).says(
                State::Progressing,
                "JobRunning",
                "what the image said is still to be read",
            )
        }
        _ => stands("DiscoveryJob", of_job),
    });
    all
}

/// The failures of the spec as it is, with that of the Job that is there.
pub(super) fn failures(seen: &Seen<'_>) -> Option<DiscoveryStatus> {
    let before = seen.status.discovery.as_ref();
    let Some((ended, why)) = seen.job.and_then(|job| failure(seen, job)) else {
        return before.cloned();
    };
    let hash = seen.discovery()?.spec_hash();
    Some(discovery::count_failure(before, &hash, &ended, &why))
}

/// Of what that is known was said: of the spec as it is. Files of the spec need no such word.
pub(super) fn asked(seen: &Seen<'_>) -> Option<DiscoveryStatus> {
    let before = seen.status.discovery.as_ref();
    let hash = seen
        .discovery()
        .map(|discovery| discovery.spec_hash())
        .or_else(|| before?.spec_hash.clone())
        .filter(|_| !seen.is_inline())?;
    Some(DiscoveryStatus {
        spec_hash: Some(hash),
        ..DiscoveryStatus::default()
    })
}

/// When and why the Job failed. One that nobody can understand has failed too.
fn failure(seen: &Seen<'_>, job: &Job) -> Option<(Time, String)> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    let ended = |type_: &str| {
        let mut held = conditions
            .iter()
            .filter(|c| c.type_ == type_ && c.status == "True");
        held.next()?.last_transition_time.clone()
    };
    if let Some(Err(unreadable)) = seen.answer {
        return Some((ended("Complete")?, unreadable.to_string()));
    }
    let why = match (inspect::pods(seen.pods), inspect::job(Some(job))) {
        (Err(of_pod), Err(_)) if !seen.pods.is_empty() => of_pod,
        (_, Err(of_job)) => of_job,
        _ => return None,
    };
    Some((ended("Failed")?, why.to_string()))
}

/// Plans the Job, unless there is one, or it is too early, or there is no room.
pub(super) fn job(seen: &Seen<'_>, plan: &mut Plan<AimServiceTemplateStatus>) {
    let (Some(discovery), None) = (seen.discovery(), seen.job) else {
        return;
    };
    let hash = discovery.spec_hash();
    if let Some(next) = discovery::next_attempt(plan.status.discovery.as_ref(), &hash, seen.now) {
        let pause = Duration::try_from(next.duration_since(seen.now)).unwrap_or(NO_ROOM);
        plan.look_again(pause);
    } else if seen.discoveries >= AT_ONCE {
        plan.look_again(NO_ROOM);
    } else {
        let job = discovery.job(seen.parent, seen.job_namespace);
        plan.children.push(Child::once("DiscoveryJob", &job));
    }
}

/// The condition `Discovered`.
pub(super) fn condition(seen: &Seen<'_>, status: &AimServiceTemplateStatus) -> Said {
    let next = seen
        .discovery()
        .and_then(|d| discovery::next_attempt(status.discovery.as_ref(), &d.spec_hash(), seen.now));
    discovery::condition(seen.spec, is_known(status), false, next)
}
