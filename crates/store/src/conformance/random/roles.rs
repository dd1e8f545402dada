//! Roles that are made at run time, in a random order.

use reeve_authz::{Action, CustomRole, Entity, PermissionSet, Role, RoleId, Scope};

use super::super::organization::{NOW, Organization, entry, parsed};
use super::RandomWrites;
use crate::{AuditAction, CustomRoleFacts, DirectorySnapshot, SetCustomRole};

impl RandomWrites {
    /// Makes a role, changes one or deletes one. One that access rules give is neither deleted nor switched off: the refusal changes
    /// nothing.
    pub(super) async fn change_role(&mut self, organization: &mut Organization, known: &DirectorySnapshot) {
        let store = &organization.store;
        let may = |action| organization.may(action, Entity::Roles, Scope::Account);
        match (self.draw(4), self.pick(&known.roles)) {
            (0, Some(role)) => {
                let delete = entry(AuditAction::Delete);
                let _ = store
                    .delete_custom_role(&may(Action::Delete), role.id, NOW, delete)
                    .await;
            }
            (1, Some(role)) => {
                let changed = self.role();
                let update = entry(AuditAction::Update);
                let _ = store
                    .update_custom_role(&may(Action::Update), role.id, changed, update)
                    .await;
            }
            _ => {
                let create = entry(AuditAction::Create);
                let made = store
                    .create_custom_role(&may(Action::Create), self.role(), create)
                    .await;
                let role = given(&made.unwrap().value);
                assert!(organization.index.put_role(role));
            }
        }
    }

    fn role(&mut self) -> SetCustomRole {
        SetCustomRole {
            name: format!("Role {}", self.fresh()),
            description: "For the tests.".to_owned(),
            enabled: self.draw(3) > 0,
            permission_sets: vec![parsed("00000000-0000-4000-8000-000000000901")],
            in_clusters_as: Some(RoleId::VIEWER),
            at: NOW,
            by: "admin".to_owned(),
        }
    }
}

/// The role as the index that judges who may give it knows it. What it may do is no matter of the store.
fn given(facts: &CustomRoleFacts) -> Role {
    let role = Role::custom(CustomRole {
        id: facts.id,
        name: facts.name.clone(),
        description: facts.description.clone(),
        in_clusters_as: facts.in_clusters_as.and_then(RoleId::new),
        permissions: PermissionSet::NONE,
    });
    role.unwrap()
}
