//! `POST /v1/k8s/auth/oauth/apptoken`: what older clients of the reference ask an application's token by (control-plane 1.8).

use reeve_types::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{MAX_ID, MAX_SECRET, TokenRequest};
use crate::body::fields::{filled, text};
use crate::body::{Body, InvalidBody, object, read};
use crate::revealed_secret::RevealedSecret;

/// An application and its secret: `AppTokenRequest` of the reference.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"id": "", "name": "ci", "secret": "the secret"}))]
#[expect(
    dead_code,
    reason = "the id is taken and not looked at: the name says which application it is"
)]
pub struct AppTokenRequest {
    /// The application's id. It is taken since the reference's client sends it; the name says which application it is.
    #[serde(default, deserialize_with = "text::<_, MAX_ID>")]
    #[schemars(length(max = 255))]
    id: Option<String>,
    /// The application's name, which is its client id.
    #[serde(deserialize_with = "filled::<_, MAX_ID>")]
    #[schemars(length(min = 1, max = 255))]
    name: String,
    /// The application's secret.
    #[serde(deserialize_with = "secret")]
    #[schemars(length(max = 500))]
    secret: Secret,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    filled::<D, MAX_SECRET>(deserializer).map(Secret::new)
}

impl Body for AppTokenRequest {
    const CREDENTIALS: bool = true;

    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        read(object(bytes)?)
    }
}

impl From<AppTokenRequest> for TokenRequest {
    fn from(asked: AppTokenRequest) -> Self {
        Self::ClientCredentials {
            client_id: asked.name,
            client_secret: asked.secret,
        }
    }
}

/// A token: `AppTokenResponse` of the reference.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AppTokenResponse {
    /// Goes into `Authorization: Bearer`.
    pub access_token: RevealedSecret,
    /// The same: there is no other token of an application.
    pub id_token: RevealedSecret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_known_by_its_name_and_its_secret_is_in_no_print() {
        let parsed = AppTokenRequest::parse(br#"{"id":"7","name":"ci","secret":"hunter2"}"#).unwrap();
        assert!(!format!("{parsed:?}").contains("hunter2"));
        let TokenRequest::ClientCredentials {
            client_id,
            client_secret,
        } = parsed.into()
        else {
            panic!("an application shows its secret");
        };
        assert_eq!((client_id.as_str(), client_secret.expose()), ("ci", "hunter2"));
        for (body, said) in [
            (r#"{"id":"7","secret":"hunter2"}"#, "`name` is missing"),
            (r#"{"name":"","secret":"hunter2"}"#, "`name` is missing"),
            (r#"{"name":"ci"}"#, "`secret` is missing"),
            (r#"{"name":"ci","secret":["hunter2"]}"#, "`secret`: "),
            (
                r#"{"name":"ci","secret":"hunter2","appSecret":"x"}"#,
                "`appSecret` is not a field",
            ),
        ] {
            let found = AppTokenRequest::parse(body.as_bytes()).unwrap_err().to_string();
            assert!(found.starts_with(said) && !found.contains("hunter2"), "{found}");
        }
    }
}
