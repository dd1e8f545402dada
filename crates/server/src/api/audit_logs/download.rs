//! `GET /api/v1/audit/log/file`: the same as a file.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use reeve_api::audit_log::AuditLog;

use super::page;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// The two names of one parameter: the reference's document has the one, and its client sends the other (control-plane 0.3, trap 11).
const NAMES: [&str; 2] = ["fileType", "file_type"];

const COLUMNS: [&str; 18] = [
    "id",
    "timestamp",
    "tenant_id",
    "subject",
    "subject_type",
    "source_ip",
    "action",
    "http_method",
    "url",
    "entity_type",
    "entity_name",
    "entity_id",
    "result",
    "http_status_code",
    "cluster_name",
    "cluster_id",
    "request_id",
    "metadata",
];

/// A file of CSV (RFC 4180) or JSON.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<impl IntoResponse, ApiError> {
    for name in NAMES {
        pairs.one_of(name, &["CSV", "JSON"])?;
    }
    let wanted = NAMES
        .iter()
        .find_map(|name| pairs.get(name).filter(|it| !it.is_empty()));
    let (page, _) = page(&app, &caller, &pairs).await?;
    let (name, file) = match wanted {
        Some("JSON") => (
            "audit-log.json",
            serde_json::to_vec(&page.items).map_err(ApiError::internal)?,
        ),
        _ => ("audit-log.csv", csv(&page.items).into_bytes()),
    };
    let headers: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, file))
}

/// A line of names, then a line for each event. Metadata are JSON in one cell.
fn csv(events: &[AuditLog]) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for event in events {
        let value = serde_json::to_value(event).unwrap_or_default();
        let cells: Vec<_> = COLUMNS
            .iter()
            .map(|column| match value.get(column) {
                None | Some(serde_json::Value::Null) => String::new(),
                Some(serde_json::Value::String(text)) => cell(text),
                Some(other) => cell(&other.to_string()),
            })
            .collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell. What a spreadsheet would take for a formula has an apostrophe before it: names and addresses in the log are of whoever
/// chose them.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted faults: quotes that are not doubled; no apostrophe.
    #[test]
    fn a_cell_stays_one_cell_and_is_no_formula() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"\r\ny", "\"say \"\"x\"\"\r\ny\""),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@a,b", "\"'@a,b\""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
