//! The realm's public documents (control-plane 1.2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::Access::Public;
use crate::operation::{get, operations};

operations! {
    /// Operations for who verifies tokens.
    OPERATIONS: RealmOperation as Realm, "Realm";
    /// OpenID discovery of the realm.
    Discovery = get("get_openid_configuration", "/auth/realms/runai/.well-known/openid-configuration", Public)
        .answers::<Discovery>(200);
    /// The realm's public keys.
    Jwks = get("get_jwks", "/auth/realms/runai/protocol/openid-connect/certs", Public)
        .answers::<KeySet>(200);
}

/// The realm's public keys: a JWK set (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeySet {
    /// The keys that sign, and those that will.
    pub keys: Vec<Key>,
}

/// A public key (RFC 7517, section 4; RFC 7518, section 6.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Its family: `EC`.
    pub kty: String,
    /// Its id, as in the header of tokens.
    pub kid: String,
    /// Its use: `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Its algorithm: `ES256`.
    pub alg: String,
    /// Its curve: `P-256`.
    pub crv: String,
    /// The x coordinate, base64url.
    pub x: String,
    /// The y coordinate, base64url.
    pub y: String,
}

/// The path of the issuer under the public address.
pub const ISSUER_PATH: &str = "/auth/realms/runai";
/// Where the keys are.
pub const JWKS_PATH: &str = "/auth/realms/runai/protocol/openid-connect/certs";

/// Where a device asks to be signed in (RFC 8628, section 3.1).
pub const DEVICE_PATH: &str = "/auth/realms/runai/protocol/openid-connect/auth/device";
/// How it asks for its tokens (RFC 8628, section 3.4).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// OpenID discovery: what Kubernetes needs to trust our tokens, and what a command line needs to get one: an authorization code
/// with PKCE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discovery {
    /// Must equal `iss` of every token, byte for byte.
    pub issuer: String,
    /// The address of the keys.
    pub jwks_uri: String,
    /// Where a person signs in with a browser.
    pub authorization_endpoint: String,
    /// Where a code becomes a token.
    pub token_endpoint: String,
    /// Where a command line says that its code will be shown (RFC 9126).
    pub pushed_authorization_request_endpoint: String,
    /// Where a device asks to be signed in (RFC 8628, section 4); absent while that is not switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// What gives a token there: `authorization_code` and `refresh_token`; while devices may be signed in, their grant as well.
    pub grant_types_supported: Vec<String>,
    /// How a code is bound to who asked for it (RFC 7636): `S256` alone.
    pub code_challenge_methods_supported: Vec<String>,
    /// Always: the redirect says who sent it (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
    /// `code`; required by OpenID Connect Discovery 1.0, section 3.
    pub response_types_supported: Vec<String>,
    /// `public`; required likewise.
    pub subject_types_supported: Vec<String>,
    /// How tokens are signed: always `ES256`.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// The claims our tokens may hold.
    pub claims_supported: Vec<String>,
}

impl Discovery {
    /// The document of the server at this public address (without a slash at its end); `devices` may be signed in, or not.
    pub fn new(public_url: &str, devices: bool) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut grants = owned(&["authorization_code", "refresh_token"]);
        grants.extend(devices.then(|| DEVICE_GRANT.to_owned()));
        Self {
            issuer: format!("{public_url}{ISSUER_PATH}"),
            jwks_uri: format!("{public_url}{JWKS_PATH}"),
            authorization_endpoint: format!("{public_url}{ISSUER_PATH}/protocol/openid-connect/auth"),
            token_endpoint: format!("{public_url}{ISSUER_PATH}/protocol/openid-connect/token"),
            pushed_authorization_request_endpoint: format!(
                "{public_url}{ISSUER_PATH}/protocol/openid-connect/ext/par/request"
            ),
            device_authorization_endpoint: devices.then(|| format!("{public_url}{DEVICE_PATH}")),
            grant_types_supported: grants,
            code_challenge_methods_supported: owned(&["S256"]),
            authorization_response_iss_parameter_supported: true,
            response_types_supported: owned(&["code"]),
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
