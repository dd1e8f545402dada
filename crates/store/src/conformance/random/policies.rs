//! Workload policies in a random order.

use reeve_authz::{Action, Entity};
use reeve_types::workload_policy::{Policy, Rule};
use reeve_types::{PolicyId, PolicyKind};

use super::super::organization::{NOW, Organization, entry, id};
use super::RandomWrites;
use crate::{AuditAction, DirectorySnapshot, SetPolicy};

impl RandomWrites {
    /// Writes a policy of some scope, in the place of the one that is there, or deletes one.
    pub(super) async fn change_policy(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let store = &organization.store;
        match (self.draw(4), self.pick(&known.policies)) {
            (0, Some(policy)) => {
                let granted = organization.may(Action::Delete, Entity::Policies, policy.scope);
                let delete = entry(AuditAction::Delete);
                let gone = store.delete_workload_policy(&granted, policy.scope, policy.kind, delete);
                gone.await.unwrap();
            }
            _ => {
                let scope = self.scope(known);
                let granted = organization.may(Action::Update, Entity::Policies, scope);
                let new = SetPolicy {
                    id: id::<PolicyId>(self.fresh()),
                    scope,
                    kind: self.pick(&PolicyKind::ALL).copied().unwrap(),
                    name: "hardening".to_owned(),
                    policy: self.policy(),
                    at: NOW,
                    by: "admin".to_owned(),
                };
                let set = store.set_workload_policy(&granted, new, entry(AuditAction::Update));
                set.await.unwrap();
            }
        }
    }

    fn policy(&mut self) -> Policy {
        let mut policy = Policy::default();
        policy.rules.compute.gpu_devices_request = Some(Rule {
            max: Some(1 + u32::try_from(self.draw(1000)).unwrap()),
            ..Rule::default()
        });
        policy
    }
}
