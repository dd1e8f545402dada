//! A stored model: its size, its claim, its download.

mod account;
mod status;

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim};
use reeve_serving_crds::{AimArtifactStatus, ModelState};

pub use account::ACCOUNT;

use super::{Child, Plan, config_component, current, left_out};
use crate::artifact::{Artifact, InvalidSizeOutput};
use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::download::Outcome;
use crate::fault::{Category, Component, Dependency, Fault, Health, State};
use crate::inspect::{self, SeenPod};
use crate::quantity;

/// How often one on its way is looked at.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// A Job and its newest pod.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeenJob<'a> {
    /// The Job.
    pub job: Option<&'a Job>,
    /// Its newest pod: an older one that failed is over when another is tried.
    pub pod: Option<SeenPod<'a>>,
}

impl SeenJob<'_> {
    fn health(&self) -> Result<Health, Fault> {
        inspect::job(self.job)
    }

    fn pods(&self) -> Option<Result<Health, Fault>> {
        self.pod.map(|pod| inspect::pods(&[pod]))
    }

    fn succeeded(&self) -> bool {
        self.health().is_ok_and(|health| health.state == State::Ready)
    }

    /// The components of the Job: its pod first, which says why.
    fn components(&self, pods: &'static str, job: &'static str) -> Vec<Component> {
        let of = |name, found| Component::new(name, Dependency::Downstream).found(found);
        let of_pod = self.pods().filter(|_| !self.succeeded());
        let cause = of_pod.as_ref().and_then(|found| found.as_ref().err());
        let job = of(job, inspect::job_of_pod(self.job, cause));
        of_pod
            .map(|found| of(pods, found))
            .into_iter()
            .chain([job])
            .collect()
    }
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The artifact.
    pub artifact: Artifact<'a>,
    /// Whether a cache owns it.
    pub owned: bool,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// What was said before.
    pub status: &'a AimArtifactStatus,
    /// Its runtime configuration.
    pub config: &'a Result<RuntimeConfig, ConfigNotFound>,
    /// The check of its size.
    pub check: SeenJob<'a>,
    /// What the check answered, once its Job has succeeded and its log could be read from the API server.
    pub size: Option<&'a Result<i64, InvalidSizeOutput>>,
    /// Its claim.
    pub claim: Option<&'a PersistentVolumeClaim>,
    /// The events of a claim without a volume.
    pub claim_events: &'a [Event],
    /// The download.
    pub download: SeenJob<'a>,
}

impl Seen<'_> {
    /// What the check of the size found.
    fn asked(&self) -> Option<i64> {
        self.size.and_then(|size| size.as_ref().ok()).copied()
    }

    fn bytes(&self) -> Option<i64> {
        let known = quantity::known_size(self.artifact.spec.size.as_ref());
        known
            .or(self.asked())
            .or(self.status.discovered_size_bytes.filter(|bytes| *bytes > 0))
    }

    fn was_ready(&self) -> bool {
        let observed = self.status.observed_generation;
        current(self.generation, observed, self.status.status) == Some(ModelState::Ready)
    }

    fn outcome(&self) -> Outcome {
        let failed =
            self.download.health().is_err() || self.download.pods().is_some_and(|found| found.is_err());
        match self.download.succeeded() {
            true => Outcome::Succeeded,
            false if failed => Outcome::Failed,
            false => Outcome::Running,
        }
    }

    /// Why the download failed, in the container's own words where there are some.
    fn why(&self) -> String {
        let of_pod = self.download.pods().and_then(Result::err);
        let why = of_pod.or_else(|| self.download.health().err());
        why.map(|fault| fault.message).unwrap_or_default()
    }
}

/// Whether the size has to be found out.
pub fn asks_size(artifact: &Artifact<'_>, status: &AimArtifactStatus) -> bool {
    quantity::known_size(artifact.spec.size.as_ref()).is_none()
        && status.discovered_size_bytes.is_none_or(|bytes| bytes <= 0)
}

/// Plans a pass: of size, claim and download the first that is missing.
pub fn plan(seen: &Seen<'_>) -> Plan<AimArtifactStatus> {
    let mut plan = Plan::new(status::status(seen));
    plan.components
        .push(config_component(seen.config, "ReferenceNotFound"));
    plan.said.extend(left_out(unread_size(seen)));
    let Some(bytes) = seen.bytes() else {
        check(seen, &mut plan);
        return plan;
    };
    plan.components.push(claim(seen));
    if !seen.was_ready() {
        if seen.download.job.is_some() {
            plan.components
                .extend(seen.download.components("DownloadJobPods", "DownloadJob"));
            plan.said.push(status::download(seen, bytes).condition);
        } else {
            plan.components
                .push(waits("DownloadJob", "the download has not begun"));
        }
        plan.look_again(ON_ITS_WAY);
    } else if let Some(before) = seen
        .status
        .conditions
        .iter()
        .find(|c| c.type_ == "DownloadComplete")
    {
        let holds = before.status == "True";
        plan.said.push(crate::engine::Said::new(
            "DownloadComplete",
            holds,
            &before.reason,
            &before.message,
        ));
    }
    if seen.claim.is_none() {
        plan.children
            .push(Child::once("CachePvc", &seen.artifact.claim(bytes)));
    }
    if !seen.was_ready() && seen.download.job.is_none() {
        if seen.artifact.parent.stamp.is_none() {
            plan.children.extend(account::children(seen.artifact.namespace));
        }
        plan.children
            .push(Child::once("DownloadJob", &seen.artifact.download_job(bytes)));
    }
    plan
}

/// A size that is none. The right one is found out.
fn unread_size(seen: &Seen<'_>) -> Vec<String> {
    let size = seen.artifact.spec.size.as_ref();
    let unread = size.filter(|size| quantity::bytes(size).is_none());
    let told = unread.map(|size| format!("size: `{}` is no number of bytes; it is found out", size.0));
    told.into_iter().collect()
}

fn waits(name: &'static str, message: &str) -> Component {
    Component::new(name, Dependency::Downstream).says(State::Progressing, "ResourceNotReady", message)
}

fn check(seen: &Seen<'_>, plan: &mut Plan<AimArtifactStatus>) {
    if seen.check.job.is_none() {
        plan.components
            .push(waits("CheckSizeJob", "the size is not known yet"));
        plan.children
            .push(Child::once("CheckSizeJob", &seen.artifact.check_size_job()));
    } else {
        plan.components
            .extend(seen.check.components("CheckSizeJobPods", "CheckSizeJob"));
    }
    // A Job that has ended well says nothing before its log is read.
    if seen.check.succeeded() && seen.size.is_none() {
        plan.components
            .push(waits("CheckSizeOutput", "the size is still to be read"));
    }
    if let Some(Err(invalid)) = seen.size {
        let fault = Fault::new(Category::Unknown, "InvalidSizeOutput", invalid.to_string());
        plan.components
            .push(Component::new("CheckSizeOutput", Dependency::Downstream).with(fault));
    }
    plan.look_again(ON_ITS_WAY);
}

/// The claim. One that waits for its first consumer is on its way; one that nobody can fill says so.
fn claim(seen: &Seen<'_>) -> Component {
    let component = Component::new("CachePvc", Dependency::Downstream);
    let found = inspect::claim(seen.claim);
    match inspect::claim_refused(seen.claim_events)
        .filter(|_| found.as_ref().is_ok_and(|h| h.state != State::Ready))
    {
        Some(refused) => component.says(State::Degraded, refused.reason, refused.message),
        None => component.found(found),
    }
}
