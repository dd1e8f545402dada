//! Signing keys (ours): which key signs tokens, which will, and which did.

use reeve_authz::{Action, Entity};
use reeve_types::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::TypedBody;
use crate::operation::{get, may, operations, post};

operations! {
    /// Operations on signing keys.
    OPERATIONS: SigningKeyOperation as SigningKey, "Signing keys";
    /// List the signing keys.
    GetSigningKeys = get("get_signing_keys", "/api/v1/security/signing-keys", may(Action::Read, Entity::SecuritySettings))
        .answers::<Vec<SigningKey>>(200);
    /// Let the next key sign from now on.
    RotateSigningKeys = post("rotate_signing_keys", "/api/v1/security/signing-keys/rotate", may(Action::Update, Entity::SecuritySettings))
        .takes::<RotateSigningKeys>().answers::<Vec<SigningKey>>(200).also(&[409]);
}

/// `POST /api/v1/security/signing-keys/rotate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"atOnce": true}))]
pub struct RotateSigningKeys {
    /// Also when the next key is published so shortly that somebody who keeps the published keys for a while may not know it
    /// yet. API servers of clusters are no such: they read the keys again for the first token of a key that they do not know.
    #[serde(default)]
    pub at_once: bool,
}

impl TypedBody for RotateSigningKeys {}

/// A signing key: of its private part nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// The key's id: `kid` in the published keys and in the heads of tokens.
    pub kid: String,
    /// What it is used for.
    #[serde(rename = "use")]
    pub usage: SigningKeyUse,
    /// Since when it is published.
    pub published_at: Timestamp,
    /// Since when it is used so.
    pub since: Timestamp,
}

/// What a signing key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SigningKeyUse {
    /// It signs what is issued now.
    Current,
    /// It is published, so that everybody knows it when it signs.
    Next,
    /// It signed, and is published as long as a token of it may be good.
    Retiring,
}
