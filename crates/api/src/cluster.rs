//! Clusters (control-plane 3.1 and 4.3).

use reeve_types::{ClusterId, ClusterName, LowestId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::body::{Body, InvalidBody};
use crate::kubernetes::KubernetesEndpoint;
use crate::shown::Shown;

/// `POST /api/v1/clusters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateCluster {
    /// Its name, unique in the account.
    pub name: ClusterName,
    /// Where it can be reached from outside; kept and shown, used for nothing.
    pub domain: Option<String>,
    /// The version of the platform its administrator wants; kept and shown.
    pub version: Option<String>,
}

impl Body for CreateCluster {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let parsed = Self {
            name: body.required("name")?,
            domain: body.text("domain", 255)?,
            version: body.text("version", 64)?,
        };
        body.finish()?;
        Ok(parsed)
    }
}

/// `PUT /api/v1/clusters/{clusterUuid}/lowest-id` (ours): `{"lowestId": 20}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetLowestId(pub LowestId);

impl Body for SetLowestId {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let number: i64 = body.required("lowestId")?;
        body.finish()?;
        let lowest = LowestId::new(number);
        lowest
            .map(Self)
            .map_err(|error| InvalidBody::wrong("lowestId".to_owned(), error))
    }
}

/// `PATCH /api/v1/clusters/{clusterUuid}`: ours, the reference has no such thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateCluster {
    /// Where people reach its API server.
    pub kubernetes_endpoint: KubernetesEndpoint,
}

impl Body for UpdateCluster {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let mut endpoint = body
            .object("kubernetesEndpoint")?
            .ok_or_else(|| InvalidBody::Missing {
                path: "kubernetesEndpoint".to_owned(),
            })?;
        let parsed = Self {
            kubernetes_endpoint: KubernetesEndpoint {
                server: endpoint.required("server")?,
                certificate_authority_data: endpoint
                    .optional("certificateAuthorityData")?
                    .unwrap_or_default(),
            },
        };
        endpoint.finish()?;
        body.finish()?;
        Ok(parsed)
    }
}

/// A cluster: `DisplayedCluster`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its id.
    pub uuid: ClusterId,
    /// [`crate::TENANT_ID`].
    pub tenant_id: i32,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// As given.
    pub domain: Option<String>,
    /// As given.
    pub version: Option<String>,
    /// How it stands.
    pub status: Option<ClusterStatus>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Null as long as it exists.
    pub deleted_at: Option<Timestamp>,
    /// When its operator was last heard.
    pub last_liveness: Option<Timestamp>,
    /// Null: deletion takes effect at once.
    pub delete_requested_at: Option<Timestamp>,
    /// Ours: the lowest uid and gid that people may have there; null to who sees its name only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest_id: Option<LowestId>,
}

/// How a cluster stands: `ClusterDisplayedStatus`, as far as its operator says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// Is its operator there.
    pub state: ClusterState,
    /// What it reports; empty before it first connected.
    pub conditions: Vec<ClusterCondition>,
    /// What it is.
    pub platform: Option<ClusterPlatform>,
}

/// Whether the operator of a cluster is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterState {
    /// It never was.
    WaitingToConnect,
    /// It is.
    Connected,
    /// It was.
    Disconnected,
    /// It is, and says that something is wrong.
    ServiceIssues,
}

/// A condition in the form of Kubernetes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterCondition {
    /// Which.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Since when.
    pub last_transition_time: Timestamp,
}

/// The Kubernetes underneath.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlatform {
    /// `vanilla`, …; null when nobody looked.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `v1.37.2`.
    pub kube_version: Option<String>,
}

/// The 201 of a creation: the cluster, and once only the secret that its operator connects with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedCluster {
    /// The cluster.
    #[serde(flatten)]
    pub cluster: Cluster,
    /// Ours, beyond the reference: worth nothing to REST and to other clusters; never shown again.
    pub client_secret: Shown,
}
