//! Clusters (control-plane 3.1 and 4.3).

use std::collections::BTreeMap;

use reeve_authz::{Action, Entity};
use reeve_types::{ClusterId, ClusterName, LowestId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::TypedBody;
use crate::body::fields::text;
use crate::kubernetes::{KubernetesEndpoint, KubernetesToken};
use crate::operation::Access::Authenticated;
use crate::operation::{QueryParameter, delete, get, may, operations, patch, post, put};
use crate::revealed_secret::RevealedSecret;
use crate::service_account::NewSecret;

const VERBOSITY: QueryParameter = QueryParameter {
    name: "verbosity",
    values: &["metadata", "full"],
    about: "Taken since the reference's client sends it; every answer is full.",
};

operations! {
    /// Operations on clusters.
    OPERATIONS: ClusterOperation as Cluster, "Clusters";
    /// List clusters.
    GetClusters = get("get_clusters", "/api/v1/clusters", may(Action::Read, Entity::Cluster))
        .asks(&[VERBOSITY, QueryParameter {
            name: "includeRequestedForDelete",
            values: &["true", "false"],
            about: "Taken since the reference's client sends it; a deleted cluster is gone at once.",
        }, QueryParameter::OFFSET, QueryParameter::LIMIT])
        .answers::<Vec<Cluster>>(200);
    /// Create a cluster.
    CreateCluster = post("create_cluster", "/api/v1/clusters", may(Action::Create, Entity::Cluster))
        .takes::<CreateCluster>().answers::<CreatedCluster>(201).also(&[409]);
    /// Get a cluster.
    GetCluster = get("get_cluster_by_uuid", "/api/v1/clusters/{clusterUuid}", may(Action::Read, Entity::Cluster))
        .asks(&[VERBOSITY]).answers::<Cluster>(200);
    /// Give a cluster another name.
    RenameCluster = put("update_cluster", "/api/v1/clusters/{clusterUuid}", may(Action::Update, Entity::Cluster))
        .takes::<RenameCluster>().answers_nothing(204).also(&[409]);
    /// Set where people reach a cluster's API server.
    UpdateCluster = patch("patch_cluster", "/api/v1/clusters/{clusterUuid}", may(Action::Update, Entity::Cluster))
        .takes::<UpdateCluster>().answers::<Cluster>(200);
    /// Give a cluster's link a new secret; the old one's tokens and streams end.
    RegenerateClusterSecret = post("regenerate_cluster_secret", "/api/v1/clusters/{clusterUuid}/secret", may(Action::Update, Entity::Cluster))
        .answers::<NewSecret>(200);
    /// Take a cluster's link secret away; no other takes its place until one is made.
    WithdrawClusterSecret = delete("withdraw_cluster_secret", "/api/v1/clusters/{clusterUuid}/secret", may(Action::Update, Entity::Cluster))
        .answers_nothing(204);
    /// Get the commands that install a cluster's operator, with its link secret.
    GetClusterInstallInfo = get("get_cluster_install_info_by_uuid", "/api/v1/clusters/{clusterUuid}/cluster-install-info", may(Action::Update, Entity::Cluster))
        .asks(&[QueryParameter {
            name: "version",
            values: &[],
            about: "The version of the chart `reeve-cluster`, like `0.1.0`; without it, this server's own.",
        }, QueryParameter {
            name: "remoteClusterUrl",
            values: &[],
            about: "Where people reach the cluster's API server, like `https://k8s.example:6443`: `apiServer.url` of the chart.",
        }])
        .answers::<ClusterInstallInfo>(200).also(&[409]);
    /// Get the values of the chart `reeve-cluster` for a cluster, without its link secret; `cluster-install-info` has the commands and that.
    GetInstallFile = get("get_install_file", "/v1/k8s/clusters/{clusterUuid}/installfile", may(Action::Read, Entity::Cluster))
        .asks(&[QueryParameter {
            name: "cloud",
            values: INSTALL_CLOUDS,
            about: "Where the cluster is. `openshift` switches on what the chart has for it; the others change nothing.",
        }, QueryParameter {
            name: "clusterip",
            values: &[],
            about: "It cannot be said here: leave it out or empty.",
        }, QueryParameter {
            name: "format",
            values: INSTALL_FORMATS,
            about: "The same either way: JSON, which every reader of YAML takes.",
        }])
        .answers::<InstallFile>(200);
    /// Delete a cluster with all that is in it.
    DeleteCluster = delete("delete_cluster", "/api/v1/clusters/{clusterUuid}", may(Action::Delete, Entity::Cluster))
        .asks(&[QueryParameter {
            name: "force",
            values: &["true", "false"],
            about: "Taken since the reference's client sends it; deletion takes effect at once either way.",
        }])
        .answers_nothing(204);
    /// Get a token for a cluster's API server.
    CreateKubernetesToken = post("create_kubernetes_token", "/api/v1/clusters/{clusterUuid}/kubernetes-token", Authenticated)
        .signs_in_to(Entity::Cluster).answers::<KubernetesToken>(200);
    /// Get the address of a cluster's API server.
    GetKubernetesEndpoint = get("get_kubernetes_endpoint", "/api/v1/clusters/{clusterUuid}/kubernetes-endpoint", Authenticated)
        .answers::<KubernetesEndpoint>(200);
    /// Set the lowest uid and gid that people may have in a cluster.
    SetClusterLowestId = put("set_cluster_lowest_id", "/api/v1/clusters/{clusterUuid}/lowest-id", may(Action::Update, Entity::Cluster))
        .takes::<SetLowestId>().answers::<Cluster>(200);
}

/// `POST /api/v1/clusters`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "demo"}))]
pub struct CreateCluster {
    /// Its name for people, unique in the account.
    pub name: ClusterName,
    /// Where the cluster can be reached from outside, at most 255 bytes; kept and shown, used for nothing.
    #[serde(default, deserialize_with = "text::<_, 255>")]
    #[schemars(length(max = 255))]
    pub domain: Option<String>,
    /// The version of the platform its administrator wants, at most 64 bytes; kept and shown, used for nothing.
    #[serde(default, deserialize_with = "text::<_, 64>")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
}

impl TypedBody for CreateCluster {}

/// `PUT /api/v1/clusters/{clusterUuid}`: what the reference lets change of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "demo"}))]
pub struct RenameCluster {
    /// Its new name for people, unique in the account. Nothing but people knows a cluster by its name.
    pub name: ClusterName,
}

impl TypedBody for RenameCluster {}

/// `PUT /api/v1/clusters/{clusterUuid}/lowest-id` (ours).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"lowestId": 500}))]
pub struct SetLowestId {
    /// The lowest uid and gid that people may have in the cluster.
    pub lowest_id: LowestId,
}

impl TypedBody for SetLowestId {}

/// `PATCH /api/v1/clusters/{clusterUuid}`: ours, the reference has no such thing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"kubernetesEndpoint": {"server": "https://k8s.example:6443"}}))]
pub struct UpdateCluster {
    /// Where people reach its API server. It replaces what the operator reported.
    pub kubernetes_endpoint: NewKubernetesEndpoint,
}

impl TypedBody for UpdateCluster {}

/// The address of a cluster's API server, to be set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKubernetesEndpoint {
    /// Its address, like `https://k8s.example:6443`.
    pub server: String,
    /// The certificate authority of its certificate, PEM in base64. Absent means that one which people's machines trust
    /// anyway has signed it.
    #[serde(default)]
    pub certificate_authority_data: String,
}

/// A cluster: `DisplayedCluster` of the reference. Who may only see something in it gets its id and name, and `null` or
/// nothing for the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// A UUID. It never changes and is given to nothing else.
    pub uuid: ClusterId,
    /// Always 1: an installation is one account.
    pub tenant_id: i32,
    /// Its name for people, unique in the account.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// As given when it was made; null when it was not.
    pub domain: Option<String>,
    /// As given when it was made; null when it was not.
    pub version: Option<String>,
    /// How it stands; null to who sees its name only.
    pub status: Option<ClusterStatus>,
    /// Null: when it last changed is not kept.
    pub updated_at: Option<Timestamp>,
    /// Null: a deleted cluster is not shown.
    pub deleted_at: Option<Timestamp>,
    /// When its operator was last heard; null when it never was, and to who sees its name only.
    pub last_liveness: Option<Timestamp>,
    /// Null: deletion takes effect at once.
    pub delete_requested_at: Option<Timestamp>,
    /// Ours: the lowest uid and gid that people may have there; absent to who sees its name only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest_id: Option<LowestId>,
}

/// How a cluster stands: `ClusterDisplayedStatus` of the reference, as far as its operator says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// Whether its operator is there, and whether all is well with it.
    pub state: ClusterState,
    /// Ours: since when.
    pub state_since: Timestamp,
    /// Ours: the cause in one word, for programs.
    pub state_reason: String,
    /// Ours: the cause and the remedy, for people; empty when all is well.
    pub state_message: String,
    /// What is wrong; empty when nothing is known to be.
    pub conditions: Vec<ClusterCondition>,
    /// The Kubernetes underneath; null before the operator first connected.
    pub platform: Option<ClusterPlatform>,
    /// What the cluster has to have, and what it may have; null before the operator first connected.
    pub dependencies: Option<ClusterDependencies>,
}

/// What a cluster has to have, and what it may have, by name: `ClusterDependenciesStatus` of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterDependencies {
    /// What it has to have: `kubernetes`, an API server that is new enough; `admission`, what enforces the rules.
    pub required: BTreeMap<String, ClusterDependency>,
    /// What it may have.
    pub optional: BTreeMap<String, ClusterDependency>,
}

/// Something that a cluster has to have, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterDependency {
    /// Whether it is there.
    pub available: bool,
    /// Why it is not, and what to do; empty when it is.
    pub reason: String,
}

/// The `cloud` of an install file: the reference's words.
pub const INSTALL_CLOUDS: &[&str] = &["gke", "aws", "aks", "op", "airgapped", "openshift"];
/// The `format` of an install file.
pub const INSTALL_FORMATS: &[&str] = &["json", "yaml"];

/// Values for the chart `reeve-cluster`: `helm upgrade --install … -f FILE`. The link secret is not among them: the chart reads it from a
/// Secret, which the commands of `cluster-install-info` make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallFile {
    /// What all parts of the chart have in common.
    pub global: InstallGlobal,
    /// Where the control plane is.
    pub control_plane: InstallControlPlane,
    /// Which cluster it is.
    pub cluster: InstallCluster,
}

/// What all parts of the chart have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstallGlobal {
    /// Where the images are; absent where the server was not told, and then needed besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<InstallImage>,
    /// Whether the cluster is OpenShift.
    pub openshift: bool,
}

/// Where the images are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstallImage {
    /// The registry.
    pub registry: String,
}

/// Where the control plane is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallControlPlane {
    /// Its public address.
    pub url: String,
    /// The Secret with the link secret.
    pub existing_secret: String,
    /// The authority of the control plane's certificate; absent where it is none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<InstallAuthority>,
}

/// The authority of the control plane's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallAuthority {
    /// The Secret with it.
    pub existing_secret: String,
}

/// Which cluster it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstallCluster {
    /// Its id.
    pub uid: ClusterId,
}

/// How a cluster's operator is installed: `ClusterInstallationInfoResponse` of the reference.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterInstallInfo {
    /// The commands, for the shell of an installer of the cluster: they hold the link secret.
    pub installation_str: String,
    /// What the repository of charts is called in them.
    pub repository_name: String,
    /// The address of the repository of charts; empty where the control plane was not told one, and the chart of the sources is
    /// installed.
    #[serde(rename = "chartRepoURL")]
    pub chart_repo_url: String,
    /// The link secret that the operator connects with.
    pub client_secret: RevealedSecret,
}

/// Whether the operator of a cluster is there, and whether all is well with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClusterState {
    /// It was never heard.
    WaitingToConnect,
    /// It is connected.
    Connected,
    /// It was heard, and not within the last half minute.
    Disconnected,
    /// It is connected, and something that the cluster has to have is not there.
    MissingPrerequisites,
    /// It is connected, and `conditions` say that something else is wrong.
    ServiceIssues,
    /// It cannot be said: the control plane started less than a minute ago and has not heard of it yet, or a clock is wrong.
    Unknown,
}

impl ClusterState {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitingToConnect => "WaitingToConnect",
            Self::Connected => "Connected",
            Self::Disconnected => "Disconnected",
            Self::MissingPrerequisites => "MissingPrerequisites",
            Self::ServiceIssues => "ServiceIssues",
            Self::Unknown => "Unknown",
        }
    }
}

/// What is wrong with a cluster, in the form of a Kubernetes condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterCondition {
    /// What it is about: `Prerequisite/admission`, `AdmissionPolicies`, `KubernetesEndpoint` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`; `False` is wrong.
    pub status: String,
    /// The cause in one word, for programs.
    pub reason: String,
    /// The cause and the remedy, for people.
    pub message: String,
    /// Since when it has been reported without a break.
    pub last_transition_time: Timestamp,
}

/// The Kubernetes underneath a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlatform {
    /// `vanilla`, `openshift`, …; null: nobody looks yet.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What the API server says of itself, like `v1.37.2`.
    pub kube_version: Option<String>,
}

/// The 201 of a creation: the cluster, and the secret that its operator connects with.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedCluster {
    /// The cluster, as a later `GET` shows it.
    #[serde(flatten)]
    pub cluster: Cluster,
    /// Ours, beyond the reference: worth nothing to REST and to other clusters. Later `cluster-install-info` shows it, to whoever may
    /// change the cluster.
    pub client_secret: RevealedSecret,
}
