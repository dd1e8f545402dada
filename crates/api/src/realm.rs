//! The realm's public documents (control-plane 1.2).

use serde::{Deserialize, Serialize};

/// The one realm of a self-hosted installation.
pub const REALM: &str = "runai";
/// The path of the issuer under the public address.
pub const ISSUER_PATH: &str = "/auth/realms/runai";
/// Where the keys are.
pub const JWKS_PATH: &str = "/auth/realms/runai/protocol/openid-connect/certs";

/// OpenID discovery: what Kubernetes needs to trust our tokens. It names no authorization and no token endpoint, since
/// there is no browser sign-in yet and the token route of this API is not an OAuth one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Must equal `iss` of every token, byte for byte.
    pub issuer: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Required by OpenID Connect Discovery 1.0, section 3.
    pub response_types_supported: Vec<String>,
    /// Required likewise.
    pub subject_types_supported: Vec<String>,
    /// `ES256`.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// The claims our tokens may hold.
    pub claims_supported: Vec<String>,
}

impl Discovery {
    /// The document of the server at this public address (without a slash at its end).
    pub fn new(public_url: &str) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            issuer: format!("{public_url}{ISSUER_PATH}"),
            jwks_uri: format!("{public_url}{JWKS_PATH}"),
            response_types_supported: owned(&["id_token"]),
            subject_types_supported: owned(&["public"]),
            id_token_signing_alg_values_supported: owned(&["ES256"]),
            claims_supported: owned(&[
                "iss",
                "aud",
                "sub",
                "exp",
                "iat",
                "jti",
                "azp",
                "email",
                "preferred_username",
                "groups",
                "uid",
                "gid",
                "supplementaryGroups",
            ]),
        }
    }
}
