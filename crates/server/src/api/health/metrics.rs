//! `GET /metrics`: OpenMetrics text.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::app::App;
use crate::error::ApiError;

/// As of now. A cluster's lag is how many revisions of its desired state it has not applied.
pub async fn handle(State(app): State<Arc<App>>) -> Result<impl IntoResponse, ApiError> {
    let lags: Vec<_> = {
        let directory = app.directory();
        directory
            .clusters()
            .map(|it| it.revision.0.saturating_sub(it.applied_revision.0))
            .collect()
    };
    let text = app
        .metrics
        .text(app.cluster_streams.streams(), &lags)
        .map_err(ApiError::internal)?;
    Ok((
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        text,
    ))
}
