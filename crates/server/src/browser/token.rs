//! `POST …/token`: a code for a token (RFC 6749, section 4.1.3; RFC 7636), and a refresh token for the next one (section 6), with that
//! standard's errors.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use reeve_api::realm::DEVICE_GRANT;
use reeve_types::Secret;
use serde_json::json;

use super::device;
use super::request::Pairs;
use super::ticket::{Code, SHOWN_CODE_SECONDS};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;
use crate::refresh::Tokens;

fn refused(error: &str, text: &str) -> Response {
    let body = json!({"error": error, "error_description": text});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// Redeems a code, once.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let pairs = Pairs::read(&read_credentials(request).await?);
    match pairs.get("grant_type") {
        Some("authorization_code") => {}
        Some("refresh_token") => return renew(&app, &call, &pairs).await,
        Some(DEVICE_GRANT) => {
            return Ok(match device::tokens(&app, &call, &pairs).await? {
                Ok(tokens) => given(&tokens),
                Err(refusal) => refused(refusal.code(), &refusal.to_string()),
            });
        }
        Some(_) => {
            return Ok(refused(
                "unsupported_grant_type",
                "only `authorization_code`, `refresh_token` and the grant of devices are possible here",
            ));
        }
        None => return Ok(refused("invalid_request", "`grant_type` is missing")),
    }
    let invalid = || {
        Ok(refused(
            "invalid_grant",
            "the code is not one of this sign-in, was redeemed before, or is over",
        ))
    };
    let Some(code) = pairs
        .get("code")
        .and_then(|text| app.opened::<Code>(text.trim(), call.at))
    else {
        return invalid();
    };
    let proven = pairs.get("code_verifier").map(reeve_oidc::challenge_of);
    let right = pairs.get("client_id") == Some(&code.client)
        && pairs.get("redirect_uri") == Some(&code.redirect_uri)
        && proven.as_deref() == Some(&code.challenge);
    if !right {
        return invalid();
    }
    let granted = crate::audit::session_record();
    let until = call.at.plus_seconds(SHOWN_CODE_SECONDS);
    if !app.store.use_once(&granted, &code.id, call.at, until).await? {
        // Somebody else has it, too (RFC 6749, section 4.1.2).
        app.end_session_of(&call, code.subject, code.session, "a code was redeemed twice")
            .await?;
        return invalid();
    }
    let found = app.session_of(code.session, call.at).await?;
    let Some((_, session)) = found.filter(|(caller, _)| caller.id == code.subject) else {
        return invalid();
    };
    let tokens = app.renewable_tokens(&session, &code.client, call.at).await?;
    Ok(given(&tokens))
}

fn given(tokens: &Tokens) -> Response {
    let mut body = json!({
        "access_token": tokens.access.expose(), "token_type": "Bearer", "expires_in": tokens.expires_in, "scope": "openid",
    });
    if let Some(body) = body.as_object_mut() {
        if let Some(refresh) = &tokens.refresh {
            body.insert("refresh_token".to_owned(), json!(refresh.expose()));
        }
        if tokens.temporary_password {
            body.insert("must_change_password".to_owned(), json!(true));
        }
    }
    Json(body).into_response()
}

async fn renew(app: &Arc<App>, call: &Call, pairs: &Pairs) -> Result<Response, ApiError> {
    let Some(token) = pairs.get("refresh_token").filter(|token| !token.is_empty()) else {
        return Ok(refused("invalid_request", "`refresh_token` is missing"));
    };
    // Whoever was given one by this route had named its client.
    let Some(client) = pairs.get("client_id").filter(|client| !client.is_empty()) else {
        return Ok(refused("invalid_request", "`client_id` is missing"));
    };
    let token = Secret::new(token);
    let renewed = app.renewed_tokens(call, &token, Some(client.to_owned()));
    match renewed.await? {
        Some(tokens) => Ok(given(&tokens)),
        None => {
            app.note_refused_renewal(call);
            Ok(refused(
                "invalid_grant",
                "the refresh token is not valid, was replaced before, or its session is over",
            ))
        }
    }
}
