//! `reeve audit`.

use reeve_api::audit_log::{AuditLog, AuditLogs};

use super::objects::{self, Object};
use crate::Context;
use crate::args::{self, ListAudit};
use crate::failure::Failure;
use crate::http::Api;

/// How many are asked for at a time: the most that one answer holds.
const PAGE: usize = 1000;
/// What is listed where nobody says since when.
const A_DAY: i64 = 24 * 60 * 60;

impl Object for AuditLog {
    const KIND: &'static str = "event";

    fn name(&self) -> String {
        self.id.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let what = if self.entity_name.is_empty() {
            self.entity_id.clone()
        } else {
            self.entity_name.clone()
        };
        let status = self.http_status_code.map(|status| format!(" {status}"));
        vec![
            ("WHEN", self.timestamp.to_string()),
            ("WHO", self.subject.clone()),
            ("DID", self.action.clone()),
            ("TO", format!("{} {what}", self.entity_type)),
            ("RESULT", format!("{}{}", self.result, status.unwrap_or_default())),
            ("FROM", self.source_ip.clone().unwrap_or_default()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: args::Audit) -> Result<(), Failure> {
    let now = context.clock.now();
    let api = Api::signed_in(&context.settings, now).await?;
    let args::Audit::List(arguments) = command;
    let since = arguments
        .since
        .clone()
        .unwrap_or_else(|| now.plus_seconds(-A_DAY).to_string());
    // What is being written meanwhile is of later.
    let until = arguments.until.clone().unwrap_or_else(|| now.to_string());
    let found = list(&api, &arguments, (&since, &until)).await?;
    objects::list(&mut context.printer, &found)
}

async fn list(
    api: &Api,
    arguments: &ListAudit,
    (since, until): (&str, &str),
) -> Result<Vec<AuditLog>, Failure> {
    let mut all = Vec::new();
    loop {
        let offset = all.len().to_string();
        let size = PAGE.min(arguments.limit.saturating_sub(all.len())).to_string();
        let mut query = vec![
            ("start", since),
            ("end", until),
            ("offset", offset.as_str()),
            ("numberOfSamples", size.as_str()),
        ];
        query.extend(
            arguments
                .filter
                .iter()
                .map(|filter| ("filterBy", filter.as_str())),
        );
        let page: AuditLogs = api
            .get("/api/v1/audit/log", &query)
            .await
            .map_err(|error| error.explain("cannot read the audit log"))?;
        all.extend(page.audit_logs);
        if page.next.is_none() || all.len() >= arguments.limit {
            return Ok(all);
        }
    }
}
