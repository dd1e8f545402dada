use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use reeve_serving::artifact::{Artifact, size_of_log};
use reeve_serving::config::{ConfigNotFound, RuntimeConfig};
use reeve_serving::labels::Controller;
use reeve_serving::plan::{Plan, artifact};
use reeve_serving_crds::AimArtifactStatus;
use reeve_serving_specs::conditions::Case;
use serde_json::{Value, json};

use super::{case, configs, pods};
use crate::things::{of, parent};

/// What is seen of an artifact.
pub(super) struct Around<'a> {
    /// Whether its size was told; else it is to be found out.
    sized: bool,
    /// How far the downloader said it was, in percent.
    percentage: i32,
    config: Result<RuntimeConfig, ConfigNotFound>,
    check: Option<Value>,
    check_pod: Option<&'a pods::Seen>,
    /// What the check wrote.
    log: Option<&'static str>,
    claim: Option<Value>,
    claim_events: Value,
    download: Option<Value>,
    download_pod: Option<&'a pods::Seen>,
}

impl Default for Around<'_> {
    fn default() -> Self {
        Self {
            sized: true,
            percentage: 0,
            config: Ok(RuntimeConfig::default()),
            check: None,
            check_pod: None,
            log: None,
            claim: None,
            claim_events: json!([]),
            download: None,
            download_pod: None,
        }
    }
}

impl<'a> Around<'a> {
    /// One whose size is found out, and whose check wrote this.
    pub(super) fn checked(log: &'static str) -> Self {
        Self {
            check: Some(pods::complete("check")),
            log: Some(log),
            sized: false,
            ..Self::default()
        }
    }

    /// One whose claim is in this phase.
    pub(super) fn with_claim(phase: &str) -> Self {
        Self {
            claim: Some(claim(phase)),
            ..Self::default()
        }
    }

    /// One that is being downloaded, by this pod where one is there.
    pub(super) fn downloading(pod: Option<&'a pods::Seen>) -> Self {
        Self {
            download: Some(pods::running("download")),
            download_pod: pod,
            ..Self::default()
        }
    }

    pub(super) fn plan(self) -> Plan<AimArtifactStatus> {
        let size = self.sized.then_some("1Mi");
        let spec = of(json!({"sourceUri": "hf://o/m", "size": size}));
        let [check, download]: [Option<Job>; 2] = [self.check, self.download].map(|job| job.map(of));
        let claim: Option<PersistentVolumeClaim> = self.claim.map(of);
        let size = self.log.map(size_of_log);
        artifact::plan(&artifact::Seen {
            artifact: Artifact {
                parent: &parent("AIMArtifact", "a", Controller::Artifact),
                namespace: "ns",
                spec: &spec,
                config: &RuntimeConfig::default().spec,
                service_account: Some(artifact::ACCOUNT),
                download_image: None,
            },
            owned: false,
            generation: Some(1),
            status: &of(json!({"progress": {"percentage": self.percentage}})),
            config: &self.config,
            check: artifact::SeenJob {
                job: check.as_ref(),
                pod: self.check_pod.map(pods::Seen::seen),
            },
            size: size.as_ref(),
            claim: claim.as_ref(),
            claim_events: &of::<Vec<_>>(self.claim_events),
            download: artifact::SeenJob {
                job: download.as_ref(),
                pod: self.download_pod.map(pods::Seen::seen),
            },
        })
    }
}

fn told(name: &str, around: Around<'_>) -> Case {
    case("AIMArtifact", format!("an artifact {name}"), &around.plan())
}

fn claim(phase: &str) -> Value {
    json!({"metadata": {"name": "c"}, "status": {"phase": phase}})
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, config) in configs() {
        cases.push(told(
            &format!("with {name}"),
            Around {
                config,
                ..Around::default()
            },
        ));
    }
    let unsized_ = || Around {
        sized: false,
        ..Around::default()
    };
    let with_claim = |claim: Value, claim_events: Value| Around {
        claim: Some(claim),
        claim_events,
        ..Around::default()
    };
    cases.extend([
        told("whose size is not known", unsized_()),
        told(
            "whose size check has ended",
            Around {
                check: Some(pods::complete("check")),
                ..unsized_()
            },
        ),
        told("whose size check said nothing", Around::checked("nothing")),
        told("without a claim", Around::default()),
        told("whose claim is bound", with_claim(claim("Bound"), json!([]))),
        told("whose claim waits", with_claim(claim("Pending"), json!([]))),
        told("whose claim is lost", with_claim(claim("Lost"), json!([]))),
        told(
            "whose claim nobody fills",
            with_claim(claim("Pending"), json!([pods::event("FailedBinding")])),
        ),
    ]);
    cases.extend(downloads());
    for (name, job) in pods::jobs("check") {
        let around = Around {
            check: Some(job),
            ..unsized_()
        };
        cases.push(told(&format!("whose size check is {name}"), around));
    }
    for pod in pods::all() {
        let around = Around {
            check: Some(pods::running("check")),
            check_pod: Some(&pod),
            ..unsized_()
        };
        cases.push(told(&format!("whose size check has {}", pod.name), around));
        let around = Around::downloading(Some(&pod));
        cases.push(told(&format!("whose download has {}", pod.name), around));
    }
    cases
}

fn downloads() -> Vec<Case> {
    let at = |percentage: i32, download: Value| Around {
        percentage,
        download: Some(download),
        ..Around::default()
    };
    let mut cases = vec![
        told("whose download has ended", at(99, pods::complete("download"))),
        told("whose files are verified", at(100, pods::running("download"))),
    ];
    for (name, job) in pods::jobs("download") {
        cases.push(told(&format!("whose download is {name}"), at(40, job.clone())));
        cases.push(told(
            &format!("with all its files, whose download is {name}"),
            at(100, job),
        ));
    }
    cases
}
