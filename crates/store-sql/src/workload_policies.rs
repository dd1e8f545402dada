//! Workload policies in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_store::{
    AuditEntry, Committed, DirectoryChange, PolicyFacts, PolicyFilter, PolicyRow, SetPolicy, StoreError,
    WorkloadPolicies, gate,
};
use reeve_types::PolicyKind;

use crate::access_rules::place;
use crate::changes::Changes;
use crate::driver::{Arg, StoreResultExt};
use crate::policy_rows::{list, one, some};
use crate::{SqlStore, projects};

const READ: &str = "read workload policies";
const SET: &str = "write a workload policy";
const DELETE: &str = "delete a workload policy";

fn said(row: Option<&PolicyRow>) -> String {
    row.map_or_else(String::new, |row| {
        serde_json::to_string(&row.policy).unwrap_or_default()
    })
}

#[async_trait]
impl WorkloadPolicies for SqlStore {
    async fn workload_policies(
        &self,
        visible: &Visible,
        filter: &PolicyFilter,
    ) -> Result<Vec<PolicyRow>, StoreError> {
        gate::sees(visible, Entity::Policies, READ)?;
        some(&mut self.read(READ).await?, &list(visible, filter), READ).await
    }

    async fn workload_policy(
        &self,
        granted: &Granted,
        scope: Scope,
        kind: PolicyKind,
    ) -> Result<Option<PolicyRow>, StoreError> {
        gate::fits(granted, Action::Read, Entity::Policies, scope, READ)?;
        one(&mut self.read(READ).await?, scope, kind, READ).await
    }

    async fn set_workload_policy(
        &self,
        granted: &Granted,
        new: SetPolicy,
        entry: AuditEntry,
    ) -> Result<Committed<PolicyRow>, StoreError> {
        gate::fits(granted, Action::Update, Entity::Policies, new.scope, SET)?;
        let mut tx = self.write_as(granted, SET).await?;
        place(&mut tx, new.scope, SET).await?;
        let before = one(&mut tx, new.scope, new.kind, SET).await?;
        tx.execute(
            "INSERT INTO workload_policies (id, scope_type, scope_id, kind, name, policy, created_at, created_by,
                                            updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)
             ON CONFLICT (scope_type, scope_id, kind) DO UPDATE SET name = excluded.name, policy = excluded.policy,
                updated_at = excluded.updated_at, updated_by = excluded.updated_by",
            &[
                Arg::text(new.id),
                new.scope.wire_type().into(),
                Arg::text(new.scope.wire_id()),
                new.kind.as_str().into(),
                Arg::text(&new.name),
                Arg::json(&new.policy)?,
                new.at.into(),
                Arg::text(&new.by),
            ],
        )
        .await
        .context(SET)?;
        let after = one(&mut tx, new.scope, new.kind, SET).await?;
        let value = after.ok_or_else(|| missing(new.scope, new.kind))?;
        let mut changes = Changes::of(DirectoryChange::Policy(Box::new(PolicyFacts {
            scope: new.scope,
            kind: new.kind,
            policy: new.policy,
        })));
        projects::follow_policies(&mut tx, &mut changes, new.scope).await?;
        let mut entry = entry.about(value.id, &value.name);
        let metadata = [
            ("policy_before", said(before.as_ref())),
            ("policy_after", said(Some(&value))),
        ];
        entry
            .metadata
            .extend(metadata.map(|(name, text)| (name.to_owned(), text)));
        changes.commit(tx, &entry, value, SET).await
    }

    async fn delete_workload_policy(
        &self,
        granted: &Granted,
        scope: Scope,
        kind: PolicyKind,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        gate::fits(granted, Action::Delete, Entity::Policies, scope, DELETE)?;
        let mut tx = self.write_as(granted, DELETE).await?;
        let before = one(&mut tx, scope, kind, DELETE).await?;
        let before = before.ok_or_else(|| missing(scope, kind))?;
        tx.execute(
            "DELETE FROM workload_policies WHERE id = $1",
            &[Arg::text(before.id)],
        )
        .await
        .context(DELETE)?;
        let mut changes = Changes::of(DirectoryChange::PolicyDeleted(scope, kind));
        projects::follow_policies(&mut tx, &mut changes, scope).await?;
        let mut entry = entry.about(before.id, &before.name);
        entry
            .metadata
            .insert("policy_before".to_owned(), said(Some(&before)));
        changes.commit(tx, &entry, (), DELETE).await
    }
}

fn missing(scope: Scope, kind: PolicyKind) -> StoreError {
    StoreError::NotFound {
        what: "workload policy",
        id: format!("{} of {} {}", kind.as_str(), scope.wire_type(), scope.wire_id()),
    }
}
