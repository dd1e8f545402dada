//! Workload policies are no list of the grammar: a few filters, and no pages.

use reeve_authz::{Action, Entity, Scope, Visible};
use reeve_types::workload_policy::Policy;
use reeve_types::{PolicyId, PolicyKind};

use super::super::organization::{NOW, Organization, entry, id};
use super::setting::Setting;
use crate::{AuditAction, PolicyFilter, PolicyRow, SetPolicy};

/// Writes one of each kind in the account, and of one or both in every scope.
async fn write(setting: &mut Setting) {
    let scopes = setting.all_scopes();
    for (number, scope) in (2000..).step_by(2).zip(scopes) {
        let kinds: &[PolicyKind] = match (scope, setting.draw(3)) {
            (Scope::Account, _) | (_, 0) => &PolicyKind::ALL,
            (_, 1) => &[PolicyKind::Training],
            _ => &[PolicyKind::Workspace],
        };
        for (more, kind) in (0..).zip(kinds) {
            let new = SetPolicy {
                id: id::<PolicyId>(number + more),
                scope,
                kind: *kind,
                name: "hardening".to_owned(),
                policy: Policy::default(),
                at: NOW,
                by: "admin".to_owned(),
            };
            let organization = &setting.organization;
            let granted = organization.may(Action::Update, Entity::Policies, scope);
            let set = organization
                .store
                .set_workload_policy(&granted, new, entry(AuditAction::Update));
            set.await.unwrap();
        }
    }
}

async fn found(organization: &Organization, visible: &Visible, filter: &PolicyFilter) -> Vec<PolicyId> {
    let rows = organization.store.workload_policies(visible, filter).await;
    rows.unwrap().iter().map(|row| row.id).collect()
}

fn fits(row: &PolicyRow, filter: &PolicyFilter) -> bool {
    filter.kind.is_none_or(|kind| kind == row.kind)
        && filter.scope_type.is_none_or(|name| name == row.scope.wire_type())
        && filter.scopes.iter().all(|scope| *scope == row.scope)
}

/// Each filter, of each caller: what reading all of them, cutting them to what may be seen and filtering them comes to, by scope and
/// kind. Planted faults: `policies-of-every-kind-are-listed`, `policies-below-a-department-are-left-out`.
pub async fn policies_are_found_by_kind_scope_and_what_may_be_seen(organization: Organization) {
    let mut setting = Setting::make(organization).await;
    write(&mut setting).await;
    let callers = setting.callers();
    let organization = &setting.organization;
    let everything = organization.sees(Entity::Policies);
    let all = organization
        .store
        .workload_policies(&everything, &PolicyFilter::default())
        .await
        .unwrap();
    let places: Vec<_> = all.iter().map(|row| (row.scope, row.kind)).collect();
    assert!(places.is_sorted() && places.len() > 20, "{places:?}");

    let kinds = [None, Some(PolicyKind::Training), Some(PolicyKind::Workspace)];
    let types = [
        None,
        Some("tenant"),
        Some("cluster"),
        Some("department"),
        Some("project"),
    ];
    let scopes = setting.all_scopes();
    let two = scopes.iter().skip(1).take(2).copied().collect();
    let named: Vec<Vec<Scope>> = [Vec::new(), two]
        .into_iter()
        .chain(scopes.iter().map(|scope| vec![*scope]))
        .collect();
    for caller in &callers {
        let visible = organization.index.visible(caller, Entity::Policies).unwrap();
        let mut shown = 0;
        for (kind, scope_type) in kinds.into_iter().flat_map(|kind| types.map(|name| (kind, name))) {
            for scopes in &named {
                let filter = PolicyFilter {
                    kind,
                    scope_type,
                    scopes: scopes.clone(),
                };
                let kept = all
                    .iter()
                    .filter(|row| visible.contains(row.scope) && fits(row, &filter));
                let kept: Vec<_> = kept.map(|row| row.id).collect();
                shown += kept.len();
                let found = found(organization, &visible, &filter).await;
                assert_eq!(found, kept, "{filter:?} of {caller:?}");
            }
        }
        assert!(shown > 0, "{caller:?} is shown nothing: this shows nothing");
    }
}
