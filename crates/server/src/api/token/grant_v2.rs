//! `POST /api/v2/token`: the same as `POST /api/v1/token`, as RFC 6749 has it: a form, and refusals of its section 5.2 (control-plane 1.8).
//! 401 is for clients that show their secret in the header; the reference's client tries others of it again (control-plane 0.3, trap 2).

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_api::token::{OAuth2Error, OAuth2ErrorCode, OAuth2TokenResponse, TokenForm, TokenRequest};
use reeve_types::Secret;
use url::form_urlencoded;

use super::grant::{GrantRefusal, grant};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;

/// Checks the credentials, records the sign-in, and only then gives the token.
pub async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let header = basic(request.headers());
    let in_header = header.is_some();
    let form = match read_credentials(request).await {
        Ok(form) => form,
        Err(error) if error.status() == StatusCode::BAD_REQUEST => {
            return Ok(refused(OAuth2ErrorCode::InvalidRequest, error.to_string(), false));
        }
        Err(error) => return Err(error),
    };
    let client = match header {
        Some(None) => {
            let what = "the header `Authorization` holds no client id and secret";
            return Ok(refused(OAuth2ErrorCode::InvalidClient, what.to_owned(), true));
        }
        Some(client) => client,
        None => None,
    };
    let parameters = form_urlencoded::parse(&form).into_owned().collect();
    let request = match TokenForm::parse(parameters, client) {
        Ok(TokenForm(request)) => request,
        Err(error) => return Ok(refused(error.code(), error.to_string(), false)),
    };
    let by_client = matches!(request, TokenRequest::ClientCredentials { .. });
    let tokens = match grant(&app, &call, request).await? {
        Ok(tokens) => tokens,
        Err(error) => {
            let code = match error {
                GrantRefusal::Credentials if by_client => OAuth2ErrorCode::InvalidClient,
                GrantRefusal::Credentials
                | GrantRefusal::CodeNeeded
                | GrantRefusal::PasskeyNeeded
                | GrantRefusal::RefreshToken => OAuth2ErrorCode::InvalidGrant,
            };
            return Ok(refused(code, error.to_string(), by_client && in_header));
        }
    };
    Ok(Json(OAuth2TokenResponse {
        access_token: tokens.access.into(),
        token_type: "Bearer".into(),
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh.map(Into::into),
        must_change_password: tokens.temporary_password,
    })
    .into_response())
}

/// 400, or 401 for a client that is to show its secret in the header (RFC 6749, section 5.2).
fn refused(error: OAuth2ErrorCode, error_description: String, in_header: bool) -> Response {
    let body = Json(OAuth2Error {
        error,
        error_description,
    });
    if !in_header {
        return (StatusCode::BAD_REQUEST, body).into_response();
    }
    let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"reeve\""),
    );
    response
}

/// A header of the scheme `Basic`, if there is one, and the client's id and secret in it, each encoded as in a form (RFC 6749, section
/// 2.3.1). Tokens say nothing here.
fn basic(headers: &HeaderMap) -> Option<Option<(String, Secret)>> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = text.split_once(' ').unwrap_or((text, ""));
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| id_and_secret(encoded))
}

fn id_and_secret(encoded: &str) -> Option<(String, Secret)> {
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let mut pairs = form_urlencoded::parse(text.as_bytes());
        pairs.next().map(|(name, _)| name.into_owned())
    };
    Some((decoded(id)?, Secret::new(decoded(secret)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Option<(String, String)>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, text.parse().unwrap());
        let found = basic(&headers)?;
        Some(found.map(|(id, secret)| (id, secret.expose().to_owned())))
    }

    #[test]
    fn a_client_shows_its_secret_in_the_header() {
        let shown = |pair: &str| read(&format!("Basic {}", STANDARD.encode(pair))).unwrap();
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(shown("ci:s-_1"), pair("ci", "s-_1"));
        assert_eq!(shown("key.%31:a%3Ab+c"), pair("key.1", "a:b c"));
        for wrong in ["ci", ":", "ci:", ""] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
        for wrong in ["Basic", "basic !"] {
            assert_eq!(read(wrong), Some(None), "{wrong}");
        }
        assert_eq!(read("Bearer a.b.c"), None);
    }
}
