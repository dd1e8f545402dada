//! A client at the OAuth server of an OpenShift cluster (control-plane 1.3).

use reeve_types::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MAX_ADDRESS, MAX_NAME, MAX_SECRET, check_scopes, text};
use crate::body::InvalidBody;

/// A client at the OAuth server of an OpenShift cluster: an OAuthClient object there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetOcpData {
    /// The name of the OAuthClient.
    pub client_id: String,
    /// Its secret; `*******` leaves it as it is.
    pub client_secret: Secret,
    /// The address of the cluster's API server, such as `https://api.cluster.example.com:6443`.
    pub idp_base_url: String,
    /// What is asked for beside `user:info`; nothing where it is left out. Scopes by which a token could do anything are refused.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

/// A client at the OAuth server of an OpenShift cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OcpData {
    /// The name of the OAuthClient.
    pub client_id: String,
    /// Always `*******`: the secret is never shown.
    pub client_secret: String,
    /// The address of the cluster's API server.
    pub idp_base_url: String,
    /// What is asked for, `user:info` in any case.
    pub scopes: Vec<String>,
}

impl SetOcpData {
    pub(super) fn check(&self) -> Result<(), InvalidBody> {
        text("ocpData.clientId", &self.client_id, MAX_NAME)?;
        text("ocpData.clientSecret", self.client_secret.expose(), MAX_SECRET)?;
        text("ocpData.idpBaseUrl", &self.idp_base_url, MAX_ADDRESS)?;
        let scopes = self.scopes.as_deref().unwrap_or_default();
        check_scopes("ocpData.scopes", scopes)?;
        if scopes.iter().any(|scope| acts(scope)) {
            let problem = "`user:full` and `role:…` let a token act as its person in the cluster, and it is only asked whose it is: \
                           leave them out";
            return Err(InvalidBody::wrong("ocpData.scopes", problem));
        }
        Ok(())
    }
}

/// Whether a token of this scope could change something.
fn acts(scope: &str) -> bool {
    scope == "user:full" || scope.starts_with("role:")
}
