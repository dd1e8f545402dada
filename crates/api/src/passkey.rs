//! Passkeys of local users (WebAuthn Level 3): what is asked of a browser, what it answers, and what is kept of it.

use reeve_types::{PasskeyId, PasskeyName, Secret, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::TypedBody;
use crate::revealed_secret::RevealedSecret;

/// A passkey. Nothing of it is secret: its private key never leaves its authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    /// Its id here.
    pub id: PasskeyId,
    /// Its name, unique among its owner's.
    pub name: PasskeyName,
    /// Whether its authenticator last said that it is kept somewhere else as well, as by a manager of passwords.
    pub backed_up: bool,
    /// Whether it came with a restored backup, and signs nobody in until that was confirmed.
    pub suspended: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last signed its owner in; null before the first time.
    pub last_used: Option<Timestamp>,
}

/// Somebody's passkeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passkeys {
    /// All of them, by name; at most 20.
    pub passkeys: Vec<Passkey>,
    /// How many recovery codes were not used yet: those of the authenticator, where there is one.
    pub recovery_codes_left: i64,
}

/// The 200 of a passkey that is begun.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyCreation {
    /// Sent back with what the browser answers, in the same session, once, within five minutes.
    pub ticket: RevealedSecret,
    /// What `navigator.credentials.create` is asked, as `PublicKeyCredential.parseCreationOptionsFromJSON` reads it.
    pub public_key: CreationOptions,
}

/// What a browser is asked when a passkey is made (`PublicKeyCredentialCreationOptionsJSON`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    /// The server for which it signs, as WebAuthn names it (`rp`).
    pub rp: PasskeyServer,
    /// The user whose passkey it becomes.
    pub user: PasskeyUser,
    /// What the browser has to say back: 32 random bytes in base64url.
    pub challenge: String,
    /// How it may sign, the preferred way first.
    pub pub_key_cred_params: Vec<PasskeyAlgorithm>,
    /// How long the person may take, in milliseconds.
    pub timeout: i64,
    /// The passkeys that there are: no authenticator makes a second one.
    pub exclude_credentials: Vec<KnownPasskey>,
    /// What the authenticator has to be able to do.
    pub authenticator_selection: PasskeyNeeds,
    /// Always `none`: no authenticator has to say of which make it is.
    pub attestation: String,
}

/// The server that a passkey is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeyServer {
    /// The host of its address, to which the passkey is bound.
    pub id: String,
    /// What authenticators show.
    pub name: String,
}

/// Whoever a passkey is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyUser {
    /// The user's id, in base64url.
    pub id: String,
    /// The user's email.
    pub name: String,
    /// What the browser shows of the user: the email as well.
    pub display_name: String,
}

/// A way to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeyAlgorithm {
    /// The type of WebAuthn: always `public-key`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its number among the algorithms of COSE: -7 (ES256), -8 (EdDSA) or -257 (RS256).
    pub alg: i64,
}

/// A passkey that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownPasskey {
    /// The type of WebAuthn: always `public-key`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id that its authenticator gave it, in base64url.
    pub id: String,
}

/// What an authenticator has to be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyNeeds {
    /// Always `required`: it finds the passkey by itself.
    pub resident_key: String,
    /// Always true, for older browsers.
    pub require_resident_key: bool,
    /// Always `required`: it asks the person for a PIN, a finger or a face.
    pub user_verification: String,
}

/// `POST /api/v1/me/passkeys`: what a browser answered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "ticket": "…", "name": "Laptop", "id": "AQIDBA", "clientDataJSON": "eyJ0eXBlIjoi…", "attestationObject": "o2NmbXRk…",
}))]
pub struct CreatePasskey {
    /// The one that came with what was asked.
    pub ticket: Secret,
    /// Its name, unique among the caller's.
    pub name: PasskeyName,
    /// `id` of what the browser answered: base64url without padding.
    pub id: String,
    /// `response.clientDataJSON` of it.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// `response.attestationObject` of it.
    pub attestation_object: String,
}

impl TypedBody for CreatePasskey {}

/// The 201 of a passkey.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedPasskey {
    /// Its id here.
    pub id: PasskeyId,
    /// Where it is the caller's first second factor: ten codes, each of which signs in once beside the password; never shown again. Empty
    /// otherwise.
    pub recovery_codes: Vec<RevealedSecret>,
}
