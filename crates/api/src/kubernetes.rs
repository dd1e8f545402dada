//! What a person needs to talk to a cluster's API server (ours, beyond the reference).

use reeve_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::shown::Shown;

/// The 200 of `POST /api/v1/clusters/{clusterUuid}/kubernetes-token`: a token for one cluster, five minutes long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesToken {
    /// The token.
    pub token: Shown,
    /// When it ends.
    pub expiration_timestamp: Timestamp,
}

/// The 200 of `GET /api/v1/clusters/{clusterUuid}/kubernetes-endpoint`: as in a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesEndpoint {
    /// `https://host:port`.
    pub server: String,
    /// PEM in base64.
    pub certificate_authority_data: String,
}
