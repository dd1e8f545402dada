//! What comes back from a cluster.

use reeve_types::Revision;
use serde::{Deserialize, Serialize};

use crate::desired::ObjectKey;

/// News of a cluster. Objects that are not named have not changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusReport {
    /// The greatest revision applied to the cluster's custom resources; 0 says nothing. It never goes back, and is never
    /// greater than what the server has sent.
    #[serde(default)]
    pub revision: Revision,
    /// The cluster's own settings; sent with the first report of a connection and when they change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<ClusterSettings>,
    /// Objects whose state changed.
    #[serde(default)]
    pub objects: Vec<ObjectStatus>,
}

/// What a cluster's administrator decided there (`ReeveConfig`), and what the cluster is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSettings {
    /// Containers run as the people who ask for them.
    pub enforce_run_as_user: bool,
    /// No container may gain privileges.
    pub enforce_prevent_privilege_escalation: bool,
    /// `v1.37.2`.
    pub kubernetes_version: String,
    /// The operator's version.
    pub operator_version: String,
    /// How people reach the API server; absent until an administrator said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_endpoint: Option<KubernetesEndpoint>,
    /// Admission policies that are missing or differ from the installed ones; empty when all is well.
    #[serde(default)]
    pub policy_alarms: Vec<String>,
    /// What the cluster has to have, or may have; empty from an operator that does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// What else the operator found wrong; empty when all is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
}

/// Something that the operator needs of the cluster, or makes use of where it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// Its name, one word: `kubernetes`, `admission`.
    pub name: String,
    /// Without it the cluster cannot do what it is for.
    pub required: bool,
    /// Whether it is there.
    pub available: bool,
    /// Where it is not: why, and what to do; empty otherwise.
    #[serde(default)]
    pub reason: String,
}

/// Something that is wrong in a cluster, in the form of a Kubernetes condition that is `False`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// What it is about, one word: `LimitRangeValid`.
    pub kind: String,
    /// The cause in one word, for programs.
    pub reason: String,
    /// The cause and the remedy, for people.
    pub message: String,
}

impl ClusterSettings {
    /// The required dependencies that are not there.
    pub fn missing_prerequisites(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|it| it.required && !it.available)
    }

    /// Everything that is wrong by what the operator says: prerequisites, then policies, then what else it found.
    pub fn wrong(&self) -> Vec<Issue> {
        let prerequisite = |it: &Dependency| Issue {
            kind: format!("Prerequisite/{}", it.name),
            reason: "Missing".to_owned(),
            message: it.reason.clone(),
        };
        let mut all: Vec<Issue> = self.missing_prerequisites().map(prerequisite).collect();
        if !self.policy_alarms.is_empty() {
            all.push(Issue {
                kind: "AdmissionPolicies".to_owned(),
                reason: "MissingOrChanged".to_owned(),
                message: self.policy_alarms.join("; "),
            });
        }
        all.extend(self.issues.iter().cloned());
        all
    }
}

/// The address of the API server as people use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesEndpoint {
    /// `https://host:port`.
    pub server: String,
    /// The certificate authority in PEM, base64 as in a kubeconfig.
    pub certificate_authority_data: String,
}

/// How one object stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStatus {
    /// Which.
    #[serde(flatten)]
    pub key: ObjectKey,
    /// In which phase.
    pub phase: StatusPhase,
    /// Why, for people; empty when there is nothing to say.
    #[serde(default)]
    pub message: String,
}

/// Phases, the union of the reference's for projects, rules and workloads (control-plane 2.4, 3.2, appendix A `Phase`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StatusPhase {
    /// Accepted, nothing made yet.
    Creating,
    /// All made.
    Ready,
    /// Something is in the way; the message says what.
    NotReady,
    /// A workload whose pod waits.
    Pending,
    /// A workload whose pod runs.
    Running,
    /// A workload that ended well.
    Completed,
    /// A workload that ended badly.
    Failed,
    /// On its way out.
    Deleting,
    /// Gone.
    Deleted,
}
