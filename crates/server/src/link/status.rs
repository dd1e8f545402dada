//! `POST /link/v1/status`: news of a cluster; 204.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use reeve_authz::Scope;
use reeve_link::StatusReport;
use reeve_store::AuditAction;

use super::{LinkCall, LinkCaller, message};
use crate::app::App;
use crate::audit::link_status;
use crate::error::ApiError;
use crate::extract::read;

/// Keeps what is new.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: LinkCaller,
    call: LinkCall,
    request: Request<Body>,
) -> Result<StatusCode, ApiError> {
    let bytes = read(request).await?;
    let report: StatusReport =
        message(&bytes).map_err(|error| ApiError::Invalid(format!("the report cannot be read: {error}")))?;
    let now = app.clock.now();
    app.hub.heard(caller.cluster, now);
    app.change(move |app| async move {
        let name = app.directory().short_name(Scope::Cluster(caller.cluster));
        let mut entry = call.entry(AuditAction::Update, "/link/v1/status", caller.cluster, name);
        entry.http_status_code = StatusCode::NO_CONTENT.as_u16();
        let news = app
            .store
            .report(&link_status(), caller.cluster, &report, now, entry)
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
