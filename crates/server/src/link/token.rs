//! `POST /link/v1/token`: a cluster's secret for a token of the link.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_authz::Scope;
use reeve_identity::token::LINK_SECONDS;
use reeve_link::{ClusterDeleted, TokenRequest};
use reeve_store::{AuditAction, AuditEntry, Outcome, StoreError};
use serde_json::json;

use super::LinkCall;
use super::refusal::LinkTokenRefusal;
use crate::app::App;
use crate::error::{ApiError, log_chain};
use crate::extract::{json_bytes, read_credentials};
use crate::failures::Kind;
use crate::load::place_of_origin;
use crate::successes::Key;

/// 400 for a wrong secret, as on the token route of REST; in the same words for an unknown cluster. 410 for the right secret
/// of a deleted one: its operator, and nobody else, is told.
///
/// Right and wrong secrets of clusters that are there are recorded; guesses at ids that nobody has are not.
pub async fn handle(
    State(app): State<Arc<App>>,
    call: LinkCall,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let _place = app
        .load
        .link_tokens
        .enter(&place_of_origin(request.extensions()))?;
    let bytes = read_credentials(request).await?;
    let asked: TokenRequest = super::message(&bytes).map_err(|_| LinkTokenRefusal::Unreadable)?;
    let (kept, number) = match app.store.link_verifier(asked.cluster_id).await? {
        Some((kept, number)) => (Some(kept), Some(number)),
        None => (app.store.deleted_link_verifier(asked.cluster_id).await?, None),
    };
    let name = app.directory().short_name(Scope::Cluster(asked.cluster_id));
    let mut entry = call.entry(AuditAction::SignIn, "/link/v1/token", asked.cluster_id, name);
    if !app.security.check_secret(&asked.client_secret, kept.as_ref()) {
        if number.is_some() {
            entry.result = Outcome::Failed;
            entry.http_status_code = StatusCode::BAD_REQUEST.as_u16();
            app.failures.note(Kind::SignIn, entry);
        }
        return Err(LinkTokenRefusal::Credentials.into());
    }
    let Some(number) = number else {
        let answer = ClusterDeleted {
            code: StatusCode::GONE.as_u16(),
            message: "the cluster was deleted here: there is nothing more for its operator to obey"
                .to_owned(),
            deleted_cluster_id: asked.cluster_id,
        };
        return Ok(json_bytes(StatusCode::GONE, json!(answer).to_string()));
    };
    let (token, claims) = app.security.link_token(asked.cluster_id, number, call.at)?;
    entry.metadata.insert("jti".to_owned(), claims.jti);
    record(&app, Key::Link(asked.cluster_id, number), entry).await?;
    let answer = json!({"accessToken": token.expose(), "expiresIn": LINK_SECONDS});
    Ok(json_bytes(StatusCode::OK, answer.to_string()))
}

/// Revocations must reach a cluster also while the disk is full; what room there is then is for them.
async fn record(app: &App, key: Key, entry: AuditEntry) -> Result<(), StoreError> {
    if app.reserve.is_given() || app.successes.counted(&key, &entry) {
        return Ok(());
    }
    let granted = crate::audit::session_record();
    match app.store.record(&granted, entry.clone()).await {
        Err(error @ StoreError::Full { .. }) => log_chain(&error),
        recorded => {
            recorded?;
            app.successes.recorded(key, entry, None);
        }
    }
    Ok(())
}
