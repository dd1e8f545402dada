//! `POST …/broker/{alias}/backchannel-logout`: a provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).
//!
//! Every session that this provider began of that person ends, also where the token names one of several: that is more than is asked for,
//! and nothing that should have ended goes on.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reeve_store::{AuditAction, AuditEntry};
use reeve_types::{IdpAlias, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::request::Pairs;
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;
use crate::providers::{Failure, Idp};

/// 200, or 400 with an error of OAuth's form, neither of which may be kept by anything on the way.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    Path(alias): Path<String>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let form = Pairs::read(&read_credentials(request).await?);
    let token = form.get("logout_token").unwrap_or_default();
    let mut response = match end(&app, &call, &alias, token).await? {
        Ok(()) => StatusCode::OK.into_response(),
        Err(failure) => {
            tracing::warn!(reference = call.id, alias, check = %failure, "a logout token of an identity provider was refused");
            let body = json!({"error": "invalid_request", "error_description": "the logout token is refused: the log has the reason"});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    };
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    Ok(response)
}

async fn end(app: &App, call: &Call, alias: &str, token: &str) -> Result<Result<(), Failure>, ApiError> {
    let idp = match alias.parse::<IdpAlias>() {
        Ok(alias) => app.idp(&alias).await?,
        Err(_) => None,
    };
    let Some(Idp::Oidc(idp)) = idp else {
        return Ok(Err(Failure::NoProvider));
    };
    let (issuer, out) = match app.providers.signed_out(&idp, token, call.at).await {
        Ok(verified) => verified,
        Err(failure) => return Ok(Err(failure)),
    };
    let granted = crate::audit::session_record();
    let until = Timestamp::from_millis(out.until.saturating_mul(1000));
    if !app
        .store
        .use_once(&granted, &used(&issuer, &out.id), call.at, until)
        .await?
    {
        return Ok(Err(Failure::Attempt));
    }
    let mut entry = AuditEntry::of_the_system(AuditAction::SignOut, "users", String::new(), call.at);
    let why = "signed out at the identity provider".to_owned();
    entry.metadata.insert("why".to_owned(), why);
    let ended = app
        .store
        .end_provided_sessions(&granted, &idp.alias, &issuer, &out.subject, entry)
        .await?;
    app.follow(&ended.log).await;
    Ok(Ok(()))
}

/// Under what the use of a token is noted: of one length, whatever the provider's ids are.
fn used(issuer: &str, id: &str) -> String {
    let digest = Sha256::new()
        .chain_update((issuer.len() as u64).to_be_bytes())
        .chain_update(issuer)
        .chain_update(id)
        .finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("logout-token:{hex}")
}
