//! `POST /link/v1/token`: a cluster's secret for a token of the link.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_link::{ClusterDeleted, TokenRequest};
use serde_json::json;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::{json_bytes, read_credentials};
use crate::load::place_of_origin;

/// 400 for a wrong secret, as on the token route of REST; in the same words for an unknown cluster. 410 for the right secret
/// of a deleted one: its operator, and nobody else, is told.
pub async fn handle(State(app): State<Arc<App>>, request: Request<Body>) -> Result<Response, ApiError> {
    let _place = app
        .load
        .link_tokens
        .enter(&place_of_origin(request.extensions()))?;
    let bytes = read_credentials(request).await?;
    // The parser's own words may repeat what it found, and that may be the secret.
    let asked: TokenRequest = super::message(&bytes).map_err(|_| {
        ApiError::Invalid(
            "a JSON object with `clusterId`, a UUID, and `clientSecret`, a string, is needed".to_owned(),
        )
    })?;
    let (kept, deleted) = match app.store.link_verifier(asked.cluster_id).await? {
        Some(kept) => (Some(kept), false),
        None => (app.store.deleted_link_verifier(asked.cluster_id).await?, true),
    };
    if !app.security.check_secret(&asked.client_secret, kept.as_ref()) {
        return Err(ApiError::Invalid(
            "the cluster's credentials are not valid".to_owned(),
        ));
    }
    if deleted {
        let answer = ClusterDeleted {
            code: StatusCode::GONE.as_u16(),
            message: "the cluster was deleted here: there is nothing more for its operator to obey"
                .to_owned(),
            deleted_cluster_id: asked.cluster_id,
        };
        return Ok(json_bytes(StatusCode::GONE, json!(answer).to_string()));
    }
    let (token, expires_in) = app.security.link_token(asked.cluster_id, app.clock.now())?;
    let answer = json!({"accessToken": token.expose(), "expiresIn": expires_in});
    Ok(json_bytes(StatusCode::OK, answer.to_string()))
}
