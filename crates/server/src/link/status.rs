//! `POST /link/v1/status`: news of a cluster; 204.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use reeve_link::StatusReport;

use super::{LinkCaller, message};
use crate::app::App;
use crate::audit::link_status;
use crate::error::ApiError;
use crate::extract::read;

/// Keeps what is new.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: LinkCaller,
    request: Request<Body>,
) -> Result<StatusCode, ApiError> {
    let bytes = read(request).await?;
    let report: StatusReport =
        message(&bytes).map_err(|error| ApiError::Invalid(format!("the report cannot be read: {error}")))?;
    let now = app.clock.now();
    app.hub.heard(caller.cluster, now);
    app.change(move |app| async move {
        let news = app
            .store
            .report(&link_status(), caller.cluster, &report, now)
            .await?;
        if news && let Some(facts) = app.directory_mut().cluster_mut(caller.cluster) {
            facts.applied_revision = report.revision;
            if report.settings.is_some() {
                facts.settings = report.settings;
            }
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
