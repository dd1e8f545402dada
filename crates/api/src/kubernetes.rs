//! What a person needs to talk to a cluster's API server (ours, beyond the reference).

use reeve_types::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::revealed_secret::RevealedSecret;

/// The 200 of `POST /api/v1/clusters/{clusterUuid}/kubernetes-token`: a token for one cluster, five minutes long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesToken {
    /// The token, for the `Authorization` header of requests to the API server.
    pub token: RevealedSecret,
    /// When it ends.
    pub expiration_timestamp: Timestamp,
}

/// The 200 of `GET /api/v1/clusters/{clusterUuid}/kubernetes-endpoint`: as in a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesEndpoint {
    /// Its address, like `https://k8s.example:6443`.
    pub server: String,
    /// The certificate authority of its certificate, PEM in base64; empty when people's machines trust it anyway.
    pub certificate_authority_data: String,
}
