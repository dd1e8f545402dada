//! The Job of a workload.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{PodOS, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use reeve_admission::names;
use reeve_crds::ReeveConfigSpec;
use reeve_crds::desired::{Workload, WorkloadIdentity};

use crate::{WORKLOAD_ID_LABEL, WORKLOAD_LABEL, container, number, passwd, placement, security, volumes};

/// The `Workload` object in the cluster that owns the Job: it goes when that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its uid in the cluster.
    pub uid: String,
}

/// The Job. It tries as often as was asked for, once without; a pod that the cluster itself takes away (drain, preemption) does not count
/// as a try.
pub fn job(workload: &Workload, owner: &Owner, project: &str, settings: &ReeveConfigSpec) -> Job {
    let labels = labels(workload, project);
    let annotations = annotations(workload);
    let attempts = &workload.attempts;
    Job {
        metadata: ObjectMeta {
            name: Some(workload.name.as_str().to_owned()),
            namespace: Some(owner.namespace.clone()),
            labels: Some(labels.clone()),
            owner_references: Some(vec![OwnerReference {
                api_version: format!("{}/{}", names::GROUP, names::VERSION),
                kind: "Workload".to_owned(),
                name: workload.name.as_str().to_owned(),
                uid: owner.uid.clone(),
                controller: Some(true),
                block_owner_deletion: None,
            }]),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            backoff_limit: Some(number(attempts.backoff_limit)),
            completions: attempts.completions.map(number),
            parallelism: attempts.parallelism.map(number),
            pod_failure_policy: Some(not_for_disruptions()),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations,
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(workload, settings)),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// Has the Job's pods run on the nodes of a pool (R34).
pub fn run_on_pool(job: &mut Job, pool: &str) {
    let pod = job.spec.as_mut().and_then(|spec| spec.template.spec.as_mut());
    if let Some(pod) = pod {
        let selector = pod.node_selector.get_or_insert_default();
        selector.insert(names::NODE_POOL.to_owned(), pool.to_owned());
    }
}

/// The submitter's own, and the stamp, which none of them can be.
fn annotations(workload: &Workload) -> Option<BTreeMap<String, String>> {
    let own = workload.metadata.annotations.iter();
    let mut all: BTreeMap<String, String> = own
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    if let Some(identity) = &workload.identity {
        all.insert(names::RUNS_AS.to_owned(), stamp(identity));
    }
    Some(all).filter(|all| !all.is_empty())
}

/// The stamp of an identity: `userid/uid/gid/g1.g2` (admission 1, step 4).
fn stamp(identity: &WorkloadIdentity) -> String {
    let identity = reeve_admission::Identity {
        user_id: identity.user_id,
        posix: identity.posix.clone(),
    };
    reeve_admission::Stamp::new(identity).to_string()
}

/// The submitter's own, and ours, which none of them can be.
fn labels(workload: &Workload, project: &str) -> BTreeMap<String, String> {
    let own = workload.metadata.labels.iter();
    let own = own.map(|(name, value)| (name.to_string(), value.to_string()));
    let ours = [
        (WORKLOAD_LABEL, workload.name.as_str().to_owned()),
        (WORKLOAD_ID_LABEL, workload.id.to_string()),
        ("project", project.to_owned()),
        ("workloadName", workload.name.as_str().to_owned()),
        ("workloadKind", "TrainingWorkload".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    own.chain(ours).collect()
}

fn not_for_disruptions() -> PodFailurePolicy {
    PodFailurePolicy {
        rules: vec![PodFailurePolicyRule {
            action: "Ignore".to_owned(),
            on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                type_: "DisruptionTarget".to_owned(),
                status: Some("True".to_owned()),
            }]),
            ..PodFailurePolicyRule::default()
        }],
    }
}

fn pod(workload: &Workload, settings: &ReeveConfigSpec) -> PodSpec {
    let volumes = volumes::volumes(workload);
    PodSpec {
        automount_service_account_token: Some(false),
        init_containers: passwd::init_container(workload, settings).map(|container| vec![container]),
        containers: vec![container::container(workload, settings)],
        os: Some(PodOS {
            name: "linux".to_owned(),
        }),
        restart_policy: Some("Never".to_owned()),
        security_context: Some(security::pod(workload)),
        volumes: (!volumes.is_empty()).then_some(volumes),
        termination_grace_period_seconds: workload.termination_grace_period_seconds.map(i64::from),
        node_selector: placement::node_selector(workload),
        tolerations: placement::tolerations(workload),
        ..PodSpec::default()
    }
}
