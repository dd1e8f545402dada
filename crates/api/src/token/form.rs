//! The form, answers and refusals of `POST /api/v2/token` (RFC 6749, sections 4.3, 4.4, 5 and 6).

use std::borrow::Cow;

use reeve_types::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{MAX_CODE, MAX_ID, MAX_SECRET, MAX_TOKEN, TokenRequest, is_client};
use crate::revealed_secret::RevealedSecret;

/// What is asked for, by form.
#[derive(Debug)]
pub struct TokenForm(pub TokenRequest);

/// The word of a refusal (RFC 6749, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OAuth2ErrorCode {
    /// The form cannot be.
    InvalidRequest,
    /// A client that is unknown, or did not prove who it is.
    InvalidClient,
    /// The password or the refresh token is not good, or not any more.
    InvalidGrant,
    /// The grant is not one of this route.
    UnsupportedGrantType,
}

/// A refusal of the token route, 400 or 401.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OAuth2Error {
    /// Which refusal it is.
    pub error: OAuth2ErrorCode,
    /// What is wrong, for people; it repeats nothing of what was sent.
    pub error_description: String,
}

/// A token, as RFC 6749 (section 5.1) names its parts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OAuth2TokenResponse {
    /// Goes into `Authorization: Bearer`.
    pub access_token: RevealedSecret,
    /// How the token is sent (RFC 6750): always `Bearer`.
    pub token_type: Cow<'static, str>,
    /// Its life in seconds.
    pub expires_in: i64,
    /// What the client renews it with; where a client named itself to get one, and always by the grant `refresh_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<RevealedSecret>,
    /// As `mustChangePassword` of version 1. Absent where it would be false.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub must_change_password: bool,
}

/// A form that asks for nothing that can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidForm {
    /// A parameter is absent, or has no value.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A parameter comes twice (RFC 6749, section 3.2).
    #[error("`{0}` is given twice")]
    Twice(&'static str),
    /// A parameter is too long, or has characters that it cannot have.
    #[error("`{name}`: {needed}")]
    Wrong {
        /// Which.
        name: &'static str,
        /// What it may be.
        needed: String,
    },
    /// The credentials of the client come in two ways at once (RFC 6749, section 2.3).
    #[error("the client's credentials are given in two ways: leave those in the form out")]
    TwoWays,
    /// Another grant.
    #[error("`password`, `client_credentials` or `refresh_token` is needed")]
    Grant,
}

impl InvalidForm {
    /// The word for it.
    pub const fn code(&self) -> OAuth2ErrorCode {
        match self {
            Self::Grant => OAuth2ErrorCode::UnsupportedGrantType,
            Self::Missing(_) | Self::Twice(_) | Self::Wrong { .. } | Self::TwoWays => {
                OAuth2ErrorCode::InvalidRequest
            }
        }
    }
}

/// Decoded parameters. One without a value is as good as absent.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn optional(&self, name: &'static str, most: usize) -> Result<Option<String>, InvalidForm> {
        let mut all = self.0.iter().filter(|(its, _)| its == name);
        let value = all.next().map(|(_, value)| value.clone());
        if all.next().is_some() {
            return Err(InvalidForm::Twice(name));
        }
        match value.filter(|value| !value.is_empty()) {
            Some(value) if value.len() > most => Err(InvalidForm::Wrong {
                name,
                needed: format!("at most {most} bytes are possible"),
            }),
            value => Ok(value),
        }
    }

    fn needed(&self, name: &'static str, most: usize) -> Result<String, InvalidForm> {
        self.optional(name, most)?.ok_or(InvalidForm::Missing(name))
    }

    fn client(&self) -> Result<Option<String>, InvalidForm> {
        match self.optional("client_id", MAX_ID)? {
            Some(name) if !is_client(&name) => Err(InvalidForm::Wrong {
                name: "client_id",
                needed: "visible ASCII is needed".to_owned(),
            }),
            name => Ok(name),
        }
    }
}

impl TokenForm {
    /// Reads the decoded parameters of a form. `client` is the id and secret of the request's `Authorization` header, if it has one (RFC 6749, section 2.3.1).
    /// Unknown parameters are ignored (section 3.2).
    ///
    /// # Errors
    /// [`InvalidForm`].
    pub fn parse(
        parameters: Vec<(String, String)>,
        client: Option<(String, Secret)>,
    ) -> Result<Self, InvalidForm> {
        let form = Parameters(parameters);
        if client.is_some() && form.optional("client_secret", MAX_SECRET)?.is_some() {
            return Err(InvalidForm::TwoWays);
        }
        Ok(Self(match form.needed("grant_type", MAX_ID)?.as_str() {
            "password" => TokenRequest::Password {
                username: form.needed("username", MAX_ID)?,
                password: Secret::new(form.needed("password", MAX_SECRET)?),
                code: form.optional("totp", MAX_CODE)?.map(Secret::new),
                client: form.client()?,
            },
            "client_credentials" => {
                let (client_id, client_secret) = match client {
                    Some(client) => client,
                    None => (
                        form.needed("client_id", MAX_ID)?,
                        Secret::new(form.needed("client_secret", MAX_SECRET)?),
                    ),
                };
                TokenRequest::ClientCredentials {
                    client_id,
                    client_secret,
                }
            }
            "refresh_token" => TokenRequest::RefreshToken {
                token: Secret::new(form.needed("refresh_token", MAX_TOKEN)?),
                client: form.client()?,
            },
            _ => return Err(InvalidForm::Grant),
        }))
    }
}

impl JsonSchema for TokenForm {
    fn schema_name() -> Cow<'static, str> {
        "TokenForm".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = |about: &str, most: usize, generator: &mut SchemaGenerator| {
            let mut schema = generator.subschema_for::<Secret>();
            schema.insert("maxLength".to_owned(), most.into());
            schema.insert("description".to_owned(), about.into());
            schema
        };
        let password = secret("The local user's password.", MAX_SECRET, generator);
        let totp = secret(
            "A code of the user's authenticator, or a recovery code; where the user has one.",
            MAX_CODE,
            generator,
        );
        let client_secret = secret(
            "The secret of the client; or both id and secret in the header `Authorization: Basic`.",
            MAX_SECRET,
            generator,
        );
        let refresh_token = secret(
            "The last refresh token that the client was given: its answer has the next one, and this one is over.",
            MAX_TOKEN,
            generator,
        );
        json_schema!({
            "type": "object",
            "description": "Who asks for a token, and with what (RFC 6749, sections 4.3, 4.4 and 6). Parameters that are not known are \
                ignored.",
            "properties": {
                "grant_type": {"enum": ["password", "client_credentials", "refresh_token"], "description": "Which credentials these are."},
                "username": {"type": "string", "maxLength": MAX_ID, "description": "A local user's email."},
                "password": password,
                "totp": totp,
                "client_id": {"type": "string", "maxLength": MAX_ID, "description": "A service account's or an access key's client id. With `password`, the name of a client that wants a refresh token; with `refresh_token`, the same name, if any."},
                "client_secret": client_secret,
                "refresh_token": refresh_token,
            },
            "required": ["grant_type"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, basic: bool) -> Result<TokenRequest, InvalidForm> {
        let client = basic.then(|| ("ci".to_owned(), Secret::new("s")));
        let parameters = text.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.replace("%00", "\0"))
        });
        TokenForm::parse(parameters.collect(), client).map(|form| form.0)
    }

    #[test]
    fn the_clients_credentials_come_in_the_form_or_in_the_header() {
        for (text, basic) in [
            (
                "grant_type=client_credentials&client_id=ci&client_secret=s&scope=x",
                false,
            ),
            ("grant_type=client_credentials", true),
            ("grant_type=client_credentials&client_secret=", true),
        ] {
            match parse(text, basic) {
                Ok(TokenRequest::ClientCredentials {
                    client_id,
                    client_secret,
                }) => assert_eq!(
                    (client_id.as_str(), client_secret.expose()),
                    ("ci", "s"),
                    "{text}"
                ),
                other => panic!("{text}: {other:?}"),
            }
        }
        let both = parse("grant_type=client_credentials&client_secret=s", true);
        assert_eq!(both.unwrap_err(), InvalidForm::TwoWays);
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_words_of_the_standard_and_repeats_nothing() {
        use OAuth2ErrorCode::{InvalidRequest, UnsupportedGrantType};
        for (text, code) in [
            ("", InvalidRequest),
            ("{\"grant_type\":\"password\"}", InvalidRequest),
            ("grant_type=", InvalidRequest),
            ("grant_type=hunter2", UnsupportedGrantType),
            ("grant_type=authorization_code&code=hunter2", UnsupportedGrantType),
            ("grant_type=password&username=a@b.co", InvalidRequest),
            ("grant_type=refresh_token", InvalidRequest),
            (
                "grant_type=refresh_token&refresh_token=hunter2&refresh_token=hunter3",
                InvalidRequest,
            ),
            (
                "grant_type=refresh_token&refresh_token=a&client_id=hunter2%00",
                InvalidRequest,
            ),
        ] {
            let error = parse(text, false).unwrap_err();
            assert_eq!(error.code(), code, "{text}: {error}");
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
        let long = format!(
            "grant_type=refresh_token&refresh_token={}",
            "a".repeat(MAX_TOKEN + 1)
        );
        assert!(parse(&long, false).is_err());
        assert!(matches!(
            parse("grant_type=refresh_token&refresh_token=rt.1&client_id=reeve-cli", false),
            Ok(TokenRequest::RefreshToken { token, client: Some(_) }) if token.expose() == "rt.1"
        ));
    }
}
