//! The audit log over REST: for whoever may read it for the whole account.

pub mod download;
pub mod list;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::audit_log::{AuditLog, AuditLogOperation};
use reeve_api::list::{AuditColumn, InvalidQuery, ListQuery};
use reeve_authz::{Action, Entity};
use reeve_store::{AuditSubject, LoggedEvent, Outcome, Page};
use reeve_types::Timestamp;

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{InvalidRequest, QueryPairs};
use crate::handler::to;

/// The largest `numberOfSamples`.
const MOST: usize = 1000;

/// The handler of each operation.
pub(crate) fn route(operation: AuditLogOperation) -> MethodRouter<Arc<App>> {
    use AuditLogOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetAuditLogs => to(row, list::handle),
        Op::DownloadAuditLogs => to(row, download::handle),
    }
}

/// A page of what was asked for, and how many events all pages hold.
async fn page(app: &App, caller: &Caller, pairs: &QueryPairs) -> Result<(Page<AuditLog>, u64), ApiError> {
    let mut query = pairs.list::<AuditColumn>()?;
    query.limit = match query.extra("numberOfSamples") {
        None => query.limit,
        Some(text) => samples(text)?,
    };
    let between = (moment(&query, "start")?, moment(&query, "end")?);
    let granted = app
        .directory()
        .allow_in_account(caller, Action::Read, Entity::EventsHistory)?;
    let (page, total) = app.store.audit_log(&granted, &query, between).await?;
    let shown = Page {
        items: page.items.into_iter().map(to_wire).collect(),
        // A page of nothing has no next one: it would be the same again.
        next: page.next.filter(|_| query.limit > 0),
    };
    Ok((shown, total))
}

fn samples(text: &str) -> Result<usize, InvalidQuery> {
    let number = text.parse().ok().filter(|number| *number <= MOST);
    number.ok_or_else(|| InvalidQuery::Wrong {
        name: "numberOfSamples",
        problem: format!("a number from 0 to {MOST} is needed"),
    })
}

/// A moment that has to be there: ISO 8601, in UTC where it does not say (the reference's client sends what it is given); a date alone
/// is its beginning.
fn moment(query: &ListQuery<AuditColumn>, name: &'static str) -> Result<Timestamp, InvalidRequest> {
    let text = query.extra(name).ok_or(InvalidRequest::NoMoment(name))?;
    let read = |text: &str| serde_json::from_value::<Timestamp>(text.into()).ok();
    read(text)
        .or_else(|| read(&format!("{text}Z")))
        .or_else(|| read(&format!("{text}T00:00:00Z")))
        .ok_or(InvalidRequest::NoMoment(name))
}

fn to_wire(event: LoggedEvent) -> AuditLog {
    let LoggedEvent { row, cluster_name } = event;
    let entry = row.entry;
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut metadata = entry.metadata;
    let action = entry.action.in_the_reference();
    if entry.action.as_str() != action {
        metadata.insert("action".to_owned(), entry.action.as_str().to_owned());
    }
    AuditLog {
        id: id(&row.hash),
        timestamp: entry.timestamp,
        tenant_id: "1".to_owned(),
        subject: entry.subject,
        subject_type: match entry.subject_type {
            AuditSubject::User => "User",
            AuditSubject::App => "App",
        }
        .to_owned(),
        source_ip: entry.source_ip,
        action: action.to_owned(),
        http_method: some(entry.http_method),
        url: some(entry.url),
        entity_type: entry.entity_type,
        entity_name: entry.entity_name,
        entity_id: entry.entity_id,
        result: match entry.result {
            Outcome::Succeeded => "Succeeded",
            Outcome::Failed => "Failed",
        }
        .to_owned(),
        http_status_code: Some(entry.http_status_code).filter(|status| *status > 0),
        cluster_name,
        cluster_id: entry.cluster_id,
        request_id: some(entry.request_id),
        metadata,
    }
}

/// The first half of an event's hash, as a UUID of the eighth version (RFC 9562, section 5.8).
fn id(hash: &str) -> String {
    let half = hash.get(..32).unwrap_or_default();
    let bytes = u128::from_str_radix(half, 16).unwrap_or_default().to_be_bytes();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
