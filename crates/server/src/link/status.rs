//! `POST /link/v1/status`: news of a cluster; 204.
//!
//! How often, how much and up to which revision is decided before anything waits: a report that is refused costs nobody a
//! lock. One that is kept waits for other reports of its cluster and for the database, not for the turn of people's changes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use reeve_authz::Scope;
use reeve_link::StatusReport;
use reeve_store::AuditAction;
use reeve_types::ClusterId;

use super::refusal::ReportRefusal;
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
    let now = app.clock.now();
    if !app.cluster_streams.may_report(caller.cluster, now) {
        return Err(ApiError::TooMany {
            what: "this cluster sends more reports than it may",
            after: 1,
            instead: "send the news together",
        });
    }
    let bytes = read(request).await?;
    let report: StatusReport = message(&bytes).map_err(ReportRefusal::Unreadable)?;
    report.check().map_err(ReportRefusal::OutOfBounds)?;
    if is_ahead(&app, caller.cluster, &report) {
        // Another process may have sent what this one has not heard of yet.
        app.catch_up().await?;
    }
    check_revision(&app, caller.cluster, &report)?;
    let cluster = caller.cluster;
    app.cluster_streams.heard(cluster, now);
    app.report(cluster, move |app| async move {
        let name = app.directory().short_name(Scope::Cluster(cluster));
        let mut entry = call.entry(AuditAction::Update, "/link/v1/status", cluster, name);
        entry.http_status_code = StatusCode::NO_CONTENT.as_u16();
        let granted = link_status();
        let kept = app.store.report(&granted, cluster, &report, now, entry);
        Ok(kept.await?.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}

/// Whether the cluster speaks of a revision that is not known here.
fn is_ahead(app: &App, cluster: ClusterId, report: &StatusReport) -> bool {
    let directory = app.directory();
    directory
        .cluster(cluster)
        .is_some_and(|facts| report.revision > facts.revision)
}

/// 0 says nothing. Otherwise what was applied was sent, and what was applied stays so.
fn check_revision(app: &App, cluster: ClusterId, report: &StatusReport) -> Result<(), ReportRefusal> {
    let (sent, applied) = match app.directory().cluster(cluster) {
        Some(facts) => (facts.revision, facts.applied_revision),
        None => return Ok(()),
    };
    let reported = report.revision;
    if reported > sent {
        return Err(ReportRefusal::NeverSent { reported, sent });
    }
    if reported.0 != 0 && reported < applied {
        return Err(ReportRefusal::Behind { reported, applied });
    }
    Ok(())
}
