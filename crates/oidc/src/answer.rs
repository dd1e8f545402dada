//! What comes back: the redirect, and the answer of the token endpoint.

use reeve_types::Secret;
use serde_json::Value;
use url::form_urlencoded;

use crate::json::{self, InvalidJson};

/// Longer values of a redirect are not looked at, in bytes.
const MAX_VALUE: usize = 4096;

/// Why a redirect is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// A parameter that is absent, comes twice or is too long.
    #[error("the redirect has no `{0}`, has it twice, or it is too long")]
    Parameter(&'static str),
    /// Of another sign-in.
    #[error("the redirect is of another sign-in: its `state` is not the one of this browser")]
    State,
    /// From another provider (RFC 9207).
    #[error("the redirect is from another provider: its `iss` is absent or of another issuer")]
    Issuer,
    /// The provider says no.
    #[error("the provider refused: `{0}`")]
    Refused(String),
}

/// Whom a redirect has to be from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender<'a> {
    /// The provider's name for itself.
    pub issuer: &'a str,
    /// Whether it names itself in every redirect (RFC 9207). One that does not may; then it has to be its own name, too.
    pub says_issuer: bool,
}

/// The parameters of a redirect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callback {
    pairs: Vec<(String, String)>,
}

impl Callback {
    /// Reads what stands after the `?`.
    pub fn read(query: &str) -> Self {
        Self {
            pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        }
    }

    fn one(&self, name: &'static str) -> Result<Option<&str>, CallbackError> {
        let mut all = self
            .pairs
            .iter()
            .filter(|(its, _)| its == name)
            .map(|(_, value)| value.as_str());
        match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(value), None) if value.len() <= MAX_VALUE => Ok(Some(value)),
            _ => Err(CallbackError::Parameter(name)),
        }
    }

    /// The code, when the redirect is of the sign-in with this `state` and from this provider.
    ///
    /// # Errors
    /// [`CallbackError`].
    pub fn code(&self, state: &str, sender: Sender<'_>) -> Result<&str, CallbackError> {
        // First, so that nobody else's refusal ends a sign-in.
        let said = self.one("state")?.ok_or(CallbackError::Parameter("state"))?;
        if said != state {
            return Err(CallbackError::State);
        }
        match self.one("iss")? {
            Some(issuer) if issuer == sender.issuer => {}
            None if !sender.says_issuer => {}
            _ => return Err(CallbackError::Issuer),
        }
        if let Some(error) = self.one("error")? {
            let plain = error
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                .take(80);
            return Err(CallbackError::Refused(plain.collect()));
        }
        self.one("code")?
            .filter(|code| !code.is_empty())
            .ok_or(CallbackError::Parameter("code"))
    }
}

/// What a token endpoint gave.
#[derive(Debug, Clone)]
pub struct TokenAnswer {
    /// The ID token.
    pub id_token: Option<Secret>,
    /// For UserInfo, or OpenShift's API server.
    pub access_token: Option<Secret>,
    /// Whether the access token is good for whoever shows it (RFC 6750).
    pub is_bearer: bool,
    /// To ask again later.
    pub refresh_token: Option<Secret>,
}

impl TokenAnswer {
    /// Reads an answer with status 200.
    ///
    /// # Errors
    /// [`InvalidJson`].
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidJson> {
        let members = json::object(bytes)?;
        let text = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(Secret::new(text.clone()))),
            Some(_) => Err(InvalidJson),
        };
        let kind = text("token_type")?;
        Ok(Self {
            id_token: text("id_token")?,
            access_token: text("access_token")?,
            is_bearer: kind.is_some_and(|kind| kind.expose().eq_ignore_ascii_case("bearer")),
            refresh_token: text("refresh_token")?,
        })
    }

    /// The word of a refusal (RFC 6749, section 5.2), for the log.
    pub fn refusal(bytes: &[u8]) -> String {
        let members = json::object(bytes).unwrap_or_default();
        let word = members
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("no reason");
        word.chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == ' ')
            .take(80)
            .collect()
    }
}
