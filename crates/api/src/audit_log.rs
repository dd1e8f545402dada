//! The audit log, read only (control-plane 3.4). Its fields are the reference's, with underscores.

use std::collections::BTreeMap;

use reeve_authz::{Action, Entity};
use reeve_types::list::{AUDIT, AUDIT_LOG};
use reeve_types::{ClusterId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::{get, may, operations};

operations! {
    /// Operations on the audit log.
    OPERATIONS: AuditLogOperation as AuditLog, "AuditLogs";
    /// Read the audit log from `start` to `end`, oldest first, in pages of `numberOfSamples`: 20 by default, at most 1000.
    GetAuditLogs = get("get_audit_logs", "/api/v1/audit/log", may(Action::Read, Entity::EventsHistory))
        .lists(&AUDIT_LOG).answers::<AuditLogs>(200);
    /// Download the audit log from `start` to `end` as a file: `fileType` is `CSV`, the default, or `JSON`.
    DownloadAuditLogs = get("download_audit_logs", "/api/v1/audit/log/file", may(Action::Read, Entity::EventsHistory))
        .lists(&AUDIT).answers_other("application/octet-stream");
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLogs {
    /// How many events all pages hold.
    pub total: u64,
    /// The `offset` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
    /// The events of this page.
    pub audit_logs: Vec<AuditLog>,
}

/// An event of the audit log. What was sent is never in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLog {
    /// Its id, made of its place in the log: the same however often it is asked for.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// When it was.
    pub timestamp: Timestamp,
    /// The account's id.
    pub tenant_id: String,
    /// Who did it, or tried to: a user's email or a service account's name; `system` for the server itself, and empty where nobody
    /// was authenticated.
    pub subject: String,
    /// `User`, or `App` for service accounts, clusters and the server itself.
    pub subject_type: String,
    /// From which address, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// One of the reference's words: `create`, `update`, `delete`, `sign-in`, `sign-out`, `reset-password`. Where ours says more, it is
    /// `action` in `metadata`.
    pub action: String,
    /// The method of the request; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// The path of the operation, with its parameters by name; absent where there was no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The type of resource that it was done to.
    pub entity_type: String,
    /// The name of what it was done to.
    pub entity_name: String,
    /// The id of what it was done to.
    pub entity_id: String,
    /// `Succeeded`, or `Failed` for what was refused.
    pub result: String,
    /// The status that was answered; absent where there was no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status_code: Option<u16>,
    /// The name that its cluster had then, where it was in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// Its cluster, where it was in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// The id of the request, as `x-request-id` had it; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// More by name, such as the rule and the role that allowed it.
    pub metadata: BTreeMap<String, String>,
}
