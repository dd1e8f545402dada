//! What a write left in the audit log, compared with what it has to leave.

use reeve_authz::{Action, Entity, Scope};

use super::organization::Organization;
use crate::{AuditAction, AuditEntry};

/// Compares what a write left in the log with what it has to leave.
#[derive(Default)]
pub(super) struct Log {
    pub(super) seen: i64,
    pub(super) done: Vec<&'static str>,
}

impl Log {
    /// One event since the last call, of `action`, about `about`, with all of `metadata`; each is `name` or `name=value`.
    pub(super) async fn has(
        &mut self,
        organization: &Organization,
        method: &'static str,
        action: AuditAction,
        about: impl ToString,
        metadata: &[&str],
    ) {
        let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
        let events = organization
            .store
            .audit_events(&granted, self.seen, 10)
            .await
            .unwrap();
        assert_eq!(events.len(), 1, "`{method}` leaves one event in the audit log");
        let AuditEntry {
            action: said,
            entity_id,
            metadata: told,
            ..
        } = &events.first().unwrap().entry;
        assert_eq!((*said, entity_id), (action, &about.to_string()), "{method}");
        for wanted in metadata {
            let (name, value) = wanted.split_once('=').unwrap_or((wanted, ""));
            let found = told.get(name);
            let fits = found.is_some_and(|found| value.is_empty() || found == value);
            assert!(fits, "`{method}` says `{wanted}`: {told:?}");
        }
        self.seen += 1;
        self.done.push(method);
        assert_eq!(
            organization.audited().await,
            self.seen,
            "the chain is whole after `{method}`"
        );
    }
}
