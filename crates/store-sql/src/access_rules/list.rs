//! The list of access rules.

use reeve_authz::{Entity, Role, Visible};
use reeve_store::{AccessRuleFilter, StoreError, gate};
use reeve_types::list::{AccessRuleColumn, ListQuery};

use super::READ;
use crate::driver::Statement;
use crate::lists::{Level, List, Reach, Term};

/// The worst of what the clusters that a rule reaches say; those that say nothing yet are at `Creating`. As
/// `server/src/api/access_rules/status.rs` shows it.
const PHASE: &str = "(CASE (SELECT MAX(said.badness) FROM (
      SELECT CASE s.phase WHEN 'Ready' THEN 0 WHEN 'Deleting' THEN 2 WHEN 'NotReady' THEN 3 WHEN 'Failed' THEN 3 ELSE 1 END
             AS badness
      FROM object_status s WHERE s.kind = 'access-rule' AND s.object_id = CAST(r.id AS TEXT)
      UNION ALL
      SELECT 1 AS badness FROM clusters c
      WHERE r.deleted_at IS NULL
        AND (r.scope_type = 'tenant' OR c.id = r.cluster_id)
        AND (r.subject_kind <> 'service-account' OR r.subject IN (SELECT name FROM service_accounts WHERE enabled))
        AND NOT EXISTS (SELECT 1 FROM object_status s WHERE s.cluster_id = c.id AND s.kind = 'access-rule'
                                                        AND s.object_id = CAST(r.id AS TEXT))
    ) said) WHEN 0 THEN 'ready' WHEN 1 THEN 'creating' WHEN 2 THEN 'deleting' WHEN 3 THEN 'notready' END)";

/// Names of predefined roles are in the program, not in the database.
fn role_name() -> Statement {
    let mut name = Statement::from("(CASE r.role_id");
    for role in Role::all_predefined() {
        name = name
            .sql(" WHEN ")
            .value(role.id().number())
            .sql(" THEN ")
            .value(role.display_name().to_lowercase().as_str());
    }
    name.sql(" ELSE (SELECT c.name_folded FROM custom_roles c WHERE c.id = r.role_id) END)")
        .bytewise()
}

fn term(column: AccessRuleColumn) -> Term {
    use AccessRuleColumn as C;
    match column {
        C::SubjectId => "r.subject_folded".into(),
        C::SubjectType => "r.subject_kind".into(),
        C::RoleId => "r.role_id".into(),
        C::ScopeId => "r.scope_id".into(),
        C::ScopeType => "r.scope_type".into(),
        C::RoleName => role_name().into(),
        C::ScopeName => "r.scope_name_folded".into(),
        C::CreatedAt => "r.created_at".into(),
        C::DeletedAt => "r.deleted_at".into(),
        C::CreatedBy => "r.created_by".into(),
        C::Phase => Statement::from(PHASE).bytewise().into(),
    }
}

/// Rules whose scope may be seen. What lay in a scope that is gone is seen by whom sees everything alone.
fn seen(reach: &Reach, deleted: bool) -> Vec<Statement> {
    let mut all = vec![reach.any(&[
        (Level::Cluster, "r.cluster_id IN ("),
        (Level::Department, "r.department_id IN ("),
        (Level::Project, "r.project_id IN ("),
    ])];
    if deleted {
        all.push(
            "(r.cluster_id IS NULL OR r.cluster_id IN (SELECT id FROM clusters))
             AND (r.department_id IS NULL OR r.department_id IN (SELECT id FROM departments))
             AND (r.project_id IS NULL OR r.project_id IN (SELECT id FROM projects))"
                .into(),
        );
    }
    all
}

fn narrowed(filter: &AccessRuleFilter) -> Vec<Statement> {
    let is = |sql: &'static str, value: &Option<String>| {
        value
            .as_ref()
            .map(|value| Statement::from(sql).value(value.as_str()))
    };
    let mut all = Vec::new();
    if !filter.deleted {
        all.push("r.deleted_at IS NULL".into());
    }
    all.extend(
        filter
            .subject_type
            .map(|kind| Statement::from("r.subject_kind = ").value(kind)),
    );
    all.extend(is("r.subject = ", &filter.subject));
    all.extend(filter.subjects.as_ref().map(|names| {
        Statement::from("r.subject IN (")
            .texts(names.iter().cloned())
            .sql(")")
    }));
    all.extend(
        filter
            .scope_type
            .map(|kind| Statement::from("r.scope_type = ").value(kind)),
    );
    all.extend(is("r.scope_id = ", &filter.scope_id));
    all.extend(is("CAST(r.role_id AS TEXT) = ", &filter.role_id));
    all.extend(is("r.cluster_id = ", &filter.cluster_id));
    all.extend(
        filter
            .since
            .map(|since| Statement::from("COALESCE(r.deleted_at, r.created_at) >= ").value(since)),
    );
    all
}

/// The list of what `filter` lets through of those that may be seen.
pub(crate) fn list<'a>(
    visible: &Visible,
    query: &'a ListQuery<AccessRuleColumn>,
    filter: &AccessRuleFilter,
) -> Result<List<'a, AccessRuleColumn>, StoreError> {
    gate::sees(visible, Entity::AccessRules, READ)?;
    let seen = Reach::of(visible).map(|reach| seen(&reach, filter.deleted));
    let conditions = narrowed(filter).into_iter().chain(seen.into_iter().flatten());
    Ok(List {
        query,
        table: "access_rules",
        alias: "r",
        order: &["r.id"],
        term: &term,
        conditions: conditions.collect(),
    })
}
