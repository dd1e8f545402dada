//! `POST /api/v1/token` (control-plane 1.8 and 0.3, traps 1–3 and 13), and `POST /api/v2/token`, the same as RFC 6749 has it.

mod app;
mod form;

use std::borrow::Cow;

use reeve_types::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::{Body, InvalidBody};
use crate::operation::Access::Public;
use crate::operation::{operations, post};
use crate::revealed_secret::RevealedSecret;
pub use app::{AppTokenRequest, AppTokenResponse};
pub use form::{InvalidForm, OAuth2Error, OAuth2ErrorCode, OAuth2TokenResponse, TokenForm};

operations! {
    /// Operations on tokens.
    OPERATIONS: TokenOperation as Token, "Tokens";
    /// Exchange credentials for an access token.
    GrantToken = post("grant_token", "/api/v1/token", Public)
        .takes::<TokenRequest>().answers::<TokenResponse>(200).also(&[429]);
    /// Exchange credentials for an access token, as RFC 6749 has it.
    GrantTokenV2 = post("grant_token_v2", "/api/v2/token", Public)
        .takes_form::<TokenForm>().answers::<OAuth2TokenResponse>(200).refuses_as_oauth().also(&[401, 429]);
    /// Exchange an application's secret for an access token, as older clients do: `POST /api/v1/token` does the same.
    AppToken = post("app_token", "/v1/k8s/auth/oauth/apptoken", Public)
        .takes::<AppTokenRequest>().answers::<AppTokenResponse>(200).also(&[429]);
}

/// Who asks for a token, and with what.
#[derive(Debug, Clone)]
pub enum TokenRequest {
    /// `password`: a local user.
    Password {
        /// The user's email, as typed.
        username: String,
        /// The user's password.
        password: Secret,
        /// A code of the user's authenticator, or a recovery code.
        code: Option<Secret>,
        /// The client that wants a refresh token, by any name of its own.
        client: Option<String>,
    },
    /// `client_credentials`, and `app_token`, its deprecated name: a service account.
    ClientCredentials {
        /// The client id.
        client_id: String,
        /// The client secret.
        client_secret: Secret,
    },
    /// `refresh_token`: a client that was given one.
    RefreshToken {
        /// The last one that it was given.
        token: Secret,
        /// The client.
        client: Option<String>,
    },
}

const MAX_ID: usize = 255;
const MAX_SECRET: usize = 500;
const MAX_CODE: usize = 64;
const MAX_TOKEN: usize = 4096;

/// Which grant is asked for. Others of the reference are known, and not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    Password,
    ClientCredentials,
    RefreshToken,
}

/// The name of a client that has no secret: visible ASCII (RFC 6749, appendix A.1).
fn is_client(name: &str) -> bool {
    name.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// The members of the body with their keys folded: no case, no `_`.
struct Folded(Vec<(String, Value)>);

impl Folded {
    /// The first of these members that has text in it.
    fn text(&self, keys: &[&str], shown: &str, most: usize) -> Result<String, InvalidBody> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, value)| keys.contains(&key.as_str()) && !value.is_null());
        let Some((_, first)) = values.next() else {
            return Err(InvalidBody::Missing {
                path: shown.to_owned(),
            });
        };
        if values.any(|(_, other)| other != first) {
            return Err(InvalidBody::wrong(shown, "given twice, with different values"));
        }
        match first.as_str() {
            Some("") => Err(InvalidBody::Missing {
                path: shown.to_owned(),
            }),
            Some(text) if text.len() <= most => Ok(text.to_owned()),
            Some(_) => Err(InvalidBody::wrong(
                shown,
                format!("at most {most} bytes are possible"),
            )),
            None => Err(InvalidBody::wrong(shown, "a string is needed")),
        }
    }
}

impl Folded {
    /// The same, which may be absent, null or empty.
    fn optional(&self, keys: &[&str], shown: &str, most: usize) -> Result<Option<String>, InvalidBody> {
        match self.text(keys, shown, most) {
            Ok(text) => Ok(Some(text)),
            Err(InvalidBody::Missing { .. }) => Ok(None),
            Err(wrong) => Err(wrong),
        }
    }
}

impl Body for TokenRequest {
    const CREDENTIALS: bool = true;

    /// Keys are matched without regard to case, and `clientId`/`clientSecret` and `appId`/`appSecret` mean the same.
    /// Unknown members are ignored, as RFC 6749 section 3.2 demands of a token endpoint.
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let folded = Folded(
            crate::body::object(bytes)?
                .into_iter()
                .map(|(key, value)| (key.to_lowercase().replace('_', ""), value))
                .collect(),
        );
        let grant = match folded.text(&["granttype"], "grantType", 64)?.as_str() {
            "password" => Grant::Password,
            "client_credentials" | "app_token" => Grant::ClientCredentials,
            "refresh_token" => Grant::RefreshToken,
            "exchange_token" | "external_token_exchange" => {
                return Err(InvalidBody::wrong(
                    "grantType",
                    "not supported yet: use `password`, `client_credentials` or `refresh_token`",
                ));
            }
            _ => {
                return Err(InvalidBody::wrong(
                    "grantType",
                    "`password`, `client_credentials` or `refresh_token` is needed",
                ));
            }
        };
        let client = || match folded.optional(&["clientid"], "clientId", MAX_ID)? {
            Some(name) if !is_client(&name) => Err(InvalidBody::wrong("clientId", "visible ASCII is needed")),
            name => Ok(name),
        };
        match grant {
            Grant::Password => Ok(Self::Password {
                username: folded.text(&["username"], "username", MAX_ID)?,
                password: Secret::new(folded.text(&["password"], "password", MAX_SECRET)?),
                code: folded
                    .optional(&["totp", "otp"], "totp", MAX_CODE)?
                    .map(Secret::new),
                client: client()?,
            }),
            Grant::ClientCredentials => Ok(Self::ClientCredentials {
                client_id: folded.text(&["clientid", "appid"], "clientId", MAX_ID)?,
                client_secret: Secret::new(folded.text(
                    &["clientsecret", "appsecret"],
                    "clientSecret",
                    MAX_SECRET,
                )?),
            }),
            Grant::RefreshToken => Ok(Self::RefreshToken {
                token: Secret::new(folded.text(&["refreshtoken"], "refreshToken", MAX_TOKEN)?),
                client: client()?,
            }),
        }
    }
}

impl JsonSchema for TokenRequest {
    fn schema_name() -> Cow<'static, str> {
        "TokenRequest".into()
    }

    /// The spellings that a new client should use; the others are for those of the reference.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = |about: &str, generator: &mut SchemaGenerator| {
            let mut schema = generator.subschema_for::<Secret>();
            schema.insert("maxLength".to_owned(), MAX_SECRET.into());
            schema.insert("description".to_owned(), about.into());
            schema
        };
        let mut code = secret(
            "A code of the user's authenticator, or a recovery code; where the user has one.",
            generator,
        );
        code.insert("maxLength".to_owned(), MAX_CODE.into());
        let (password, client_secret) = (
            secret("The local user's password.", generator),
            secret("The service account's secret.", generator),
        );
        let mut refresh_token = secret(
            "The last refresh token that the client was given: its answer has the next one, and this one is over.",
            generator,
        );
        refresh_token.insert("maxLength".to_owned(), MAX_TOKEN.into());
        json_schema!({
            "type": "object",
            "description": "Who asks for a token, and with what: `username` and `password` with `password`, `refreshToken` with \
                `refresh_token`, `clientId` and `clientSecret` with the other grants. Names are matched without regard to case and `_`; `appId` and \
                `appSecret` are taken for `clientId` and `clientSecret`; members that are not known are ignored, as \
                RFC 6749 section 3.2 demands.",
            "properties": {
                "grantType": {"enum": ["password", "client_credentials", "app_token", "refresh_token"], "description": "Which credentials these are. `app_token` is the deprecated name of `client_credentials`."},
                "username": {"type": "string", "maxLength": MAX_ID, "description": "A local user's email."},
                "password": password,
                "totp": code,
                "clientId": {"type": "string", "maxLength": MAX_ID, "description": "A service account's client id: its name. With `password`, the name of a client that wants a refresh token; with `refresh_token`, the same name, if any."},
                "clientSecret": client_secret,
                "refreshToken": refresh_token,
            },
            "required": ["grantType"],
            "examples": [{"grantType": "client_credentials", "clientId": "ci", "clientSecret": "the secret"}],
        })
    }
}

/// A token. `accessToken` is a three-part JWT with a numeric `exp`, whose payload plain base64 can decode.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenResponse {
    /// Goes into `Authorization: Bearer`.
    pub access_token: RevealedSecret,
    /// Its life in seconds.
    pub expires_in: i64,
    /// What the client renews it with; where a client named itself to get one, and always by the grant `refresh_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<RevealedSecret>,
    /// Whether the password is a temporary one: the token is good for choosing another (`POST /api/v1/me/password`), for `GET
    /// /api/v1/me` and for signing out alone until that is done, and for everything afterwards. Absent otherwise.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub must_change_password: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<TokenRequest, String> {
        TokenRequest::parse(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_spelling_of_the_client_credentials_is_one_request() {
        for text in [
            r#"{"grantType":"app_token","AppId":"ci","AppSecret":"s"}"#,
            r#"{"grantType":"app_token","appID":"ci","appSecret":"s"}"#,
            r#"{"GRANTTYPE":"client_credentials","clientID":"ci","clientSecret":"s"}"#,
            r#"{"grantType":"client_credentials","clientId":"ci","clientSecret":"s","username":null}"#,
            r#"{"grant_type":"client_credentials","client_id":"ci","client_secret":"s"}"#,
            r#"{"grantType":"app_token","clientId":"ci","clientSecret":"s"}"#,
        ] {
            match parse(text) {
                Ok(TokenRequest::ClientCredentials {
                    client_id,
                    client_secret,
                }) => {
                    assert_eq!(
                        (client_id.as_str(), client_secret.expose()),
                        ("ci", "s"),
                        "{text}"
                    );
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn null_credentials_are_no_credentials() {
        assert_eq!(
            parse(r#"{"grantType":"app_token","AppId":null,"AppSecret":null}"#).unwrap_err(),
            "`clientId` is missing"
        );
        assert_eq!(
            parse(r#"{"grantType":"password","username":"a@b.co"}"#).unwrap_err(),
            "`password` is missing"
        );
        assert!(parse("{}").is_err());
    }

    #[test]
    fn a_client_that_names_itself_asks_for_a_refresh_token_and_shows_it() {
        let named = |text: &str| match parse(text) {
            Ok(TokenRequest::Password { client, .. }) => client,
            Ok(TokenRequest::RefreshToken { client, token }) => {
                assert_eq!(token.expose(), "rt.1");
                client
            }
            other => panic!("{text}: {other:?}"),
        };
        let password = r#"{"grantType":"password","username":"a@b.co","password":"p""#;
        assert_eq!(named(&format!("{password}}}")), None);
        let clients = [r#""clientID":"reeve-cli""#, r#""client_id":"reeve-cli""#];
        for client in clients {
            assert_eq!(
                named(&format!("{password},{client}}}")).as_deref(),
                Some("reeve-cli")
            );
            for token in [r#""refreshToken":"rt.1""#, r#""refresh_token":"rt.1""#] {
                let shown = format!(r#"{{"grantType":"refresh_token",{token},{client}}}"#);
                assert_eq!(named(&shown).as_deref(), Some("reeve-cli"));
            }
        }
        assert_eq!(
            parse(r#"{"grantType":"refresh_token","refreshToken":null}"#).unwrap_err(),
            "`refreshToken` is missing"
        );
    }

    #[test]
    fn no_refusal_repeats_a_secret() {
        for text in [
            r#"{"grantType":"hunter2","password":"hunter2"}"#,
            r#"{"grantType":"password","username":"a@b.co","password":["hunter2"]}"#,
            r#"{"grantType":"password","username":"a@b.co","password":"hunter2","PASSWORD":"hunter3"}"#,
            r#"{"grantType":"exchange_token","code":"hunter2"}"#,
            r#"{"grantType":"refresh_token","refreshToken":["hunter2"]}"#,
            r#"{"grantType":"refresh_token","refreshToken":"a","clientId":"hunter2\u0000"}"#,
        ] {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("hunter"), "{error}");
        }
        assert!(
            !format!(
                "{:?}",
                parse(r#"{"grantType":"password","username":"a","password":"hunter2"}"#)
            )
            .contains("hunter2")
        );
    }
}
