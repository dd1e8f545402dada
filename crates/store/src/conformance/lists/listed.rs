//! How each list is asked of a store, and how it is read whole for the naive evaluator.

use std::collections::BTreeMap;

use reeve_authz::{Action, Entity, Granted, Principal, Scope, SubjectKey, Visible};
use reeve_link::StatusPhase;
use reeve_types::list::{
    AccessRuleColumn, AuditColumn, Column, DepartmentColumn, ListQuery, ProjectColumn, ServiceAccountColumn,
    UserColumn, WorkloadColumn,
};
use reeve_types::{ClusterId, Timestamp};

use super::super::organization::{Organization, parsed};
use super::oracle::{Field, Line};
use super::setting::Setting;
use crate::{
    AccessRuleFilter, AccessRuleRow, AuditSubject, DepartmentRow, LoggedEvent, Outcome, Page, ProjectRow,
    ServiceAccountRow, StatusRow, Store, StoreError, UserRow, WorkloadSummary,
};

/// What a caller shows to see a list.
pub(super) enum Access {
    Visible(Visible),
    Granted(Granted),
}

impl Access {
    fn visible(&self) -> &Visible {
        match self {
            Self::Visible(visible) => visible,
            Self::Granted(_) => panic!("a list that is cut by scopes"),
        }
    }

    fn granted(&self) -> &Granted {
        match self {
            Self::Granted(granted) => granted,
            Self::Visible(_) => panic!("a list of the account"),
        }
    }
}

/// A list, by store and by naive evaluator.
pub(super) trait Listed {
    type Columns: Column;

    /// What the caller shows; `None` where nothing of the kind may be seen.
    fn access(organization: &Organization, caller: &Principal) -> Option<Access>;

    /// Ids and next page.
    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<Self::Columns>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError>;

    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<Self::Columns>,
    ) -> Result<u64, StoreError>;

    /// All that the caller may see, read as who sees everything and cut here, in the list's own order.
    async fn lines(setting: &Setting, caller: &Principal, access: &Access) -> Vec<Line>;

    /// All pages, two rows each.
    async fn whole(
        setting: &Setting,
        access: &Access,
        sort: Option<Self::Columns>,
        descending: bool,
    ) -> Vec<String> {
        let mut query = ListQuery::default();
        (query.limit, query.sort, query.descending) = (2, sort, descending);
        let mut all = Vec::new();
        loop {
            let (ids, next) = Self::page(setting.organization.store.as_ref(), access, &query)
                .await
                .unwrap();
            all.extend(ids);
            match next {
                Some(next) => query.offset = next,
                None => return all,
            }
        }
    }
}

fn seen(organization: &Organization, caller: &Principal, entity: Entity) -> Option<Access> {
    organization
        .index
        .visible(caller, entity)
        .ok()
        .map(Access::Visible)
}

fn ids<T>(page: Page<T>, id: impl Fn(&T) -> String) -> (Vec<String>, Option<usize>) {
    (page.items.iter().map(id).collect(), page.next)
}

fn large<C: Column>() -> ListQuery<C> {
    let mut query = ListQuery::default();
    query.limit = 1000;
    query
}

fn line(id: impl ToString, fields: impl IntoIterator<Item = (&'static str, Field)>) -> Line {
    Line {
        id: id.to_string(),
        fields: fields.into_iter().collect::<BTreeMap<_, _>>(),
    }
}

fn description(details: &serde_json::Value) -> Field {
    let place = details.get("settings").unwrap_or(details);
    Field::text(
        place
            .get("description")
            .and_then(|it| it.as_str())
            .unwrap_or_default(),
    )
}

pub(super) struct Projects;

/// Names as `server/src/api/projects.rs` shows them.
fn project_phase(status: Option<&StatusRow>) -> &'static str {
    match status.map(|status| status.phase) {
        None | Some(StatusPhase::Creating) => "Creating",
        Some(StatusPhase::Ready) => "Ready",
        Some(StatusPhase::NotReady | StatusPhase::Failed) => "NotReady",
        Some(StatusPhase::Deleting) => "Deleting",
        Some(StatusPhase::Deleted) => "Deleted",
        Some(StatusPhase::Pending | StatusPhase::Running | StatusPhase::Completed) => "Unknown",
    }
}

fn of_project(row: &ProjectRow) -> Line {
    line(
        row.id,
        [
            ("id", Field::Number(row.id.number())),
            ("name", Field::text(&row.name)),
            ("clusterId", Field::text(row.cluster_id)),
            ("departmentId", Field::Number(row.department_id.number())),
            ("parentId", Field::Number(row.department_id.number())),
            ("parentName", Field::text(&row.department_name)),
            ("phase", Field::text(project_phase(row.status.as_ref()))),
            ("createdAt", Field::Moment(row.created_at)),
            ("description", description(&row.details)),
        ],
    )
}

impl Listed for Projects {
    type Columns = ProjectColumn;

    fn access(organization: &Organization, caller: &Principal) -> Option<Access> {
        seen(organization, caller, Entity::Project)
    }

    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<ProjectColumn>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError> {
        let page = store.projects(access.visible(), query).await?;
        Ok(ids(page, |row| row.id.to_string()))
    }

    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<ProjectColumn>,
    ) -> Result<u64, StoreError> {
        store.count_projects(access.visible(), query).await
    }

    async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
        let organization = &setting.organization;
        let all = organization
            .store
            .projects(&organization.sees(Entity::Project), &large())
            .await
            .unwrap()
            .items;
        let visible = access.visible();
        let kept = all.iter().filter(|row| visible.contains(Scope::Project(row.id)));
        kept.map(of_project).collect()
    }
}

pub(super) struct Departments;

fn of_department(row: &DepartmentRow, whole: bool) -> Line {
    let described = if whole {
        description(&row.details)
    } else {
        Field::Nothing
    };
    line(
        row.id,
        [
            ("id", Field::Number(row.id.number())),
            ("name", Field::text(&row.name)),
            ("clusterId", Field::text(row.cluster_id)),
            ("createdAt", Field::Moment(row.created_at)),
            ("description", described),
        ],
    )
}

impl Listed for Departments {
    type Columns = DepartmentColumn;

    fn access(organization: &Organization, caller: &Principal) -> Option<Access> {
        seen(organization, caller, Entity::Department)
    }

    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<DepartmentColumn>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError> {
        let page = store.departments(access.visible(), query).await?;
        for row in &page.items {
            let whole = access.visible().contains(Scope::Department(row.id));
            assert_eq!(row.name_only, !whole, "{row:?}");
        }
        Ok(ids(page, |row| row.id.to_string()))
    }

    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<DepartmentColumn>,
    ) -> Result<u64, StoreError> {
        store.count_departments(access.visible(), query).await
    }

    async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
        let organization = &setting.organization;
        let all = organization
            .store
            .departments(&organization.sees(Entity::Department), &large())
            .await
            .unwrap()
            .items;
        let visible = access.visible();
        let kept = all
            .iter()
            .filter(|row| visible.contains_name(Scope::Department(row.id)));
        kept.map(|row| of_department(row, visible.contains(Scope::Department(row.id))))
            .collect()
    }
}

pub(super) struct Rules;
pub(super) struct DeletedRules;

/// The worst of what is said, and `Creating` where a cluster that is reached says nothing.
fn rule_phase(row: &AccessRuleRow, setting: &Setting) -> Field {
    let enabled = row.subject != SubjectKey::ServiceAccount(parsed("c_i"));
    let reached = |cluster: &ClusterId| {
        enabled && row.deleted_at.is_none() && row.cluster_id.is_none_or(|own| own == *cluster)
    };
    let said = |cluster: &ClusterId| {
        row.statuses
            .iter()
            .find(|(id, _)| id == cluster)
            .map(|(_, status)| status.phase)
    };
    let mut badness = None;
    for cluster in &setting.clusters {
        let here = match said(cluster) {
            Some(StatusPhase::Ready) => Some(0),
            Some(StatusPhase::Deleting) => Some(2),
            Some(StatusPhase::NotReady | StatusPhase::Failed) => Some(3),
            Some(_) => Some(1),
            None => reached(cluster).then_some(1),
        };
        badness = badness.max(here);
    }
    match badness {
        None => Field::Nothing,
        Some(0) => Field::text("Ready"),
        Some(1) => Field::text("Creating"),
        Some(2) => Field::text("Deleting"),
        Some(_) => Field::text("NotReady"),
    }
}

fn of_rule(row: &AccessRuleRow, setting: &Setting) -> Line {
    line(
        row.id,
        [
            ("subjectId", Field::text(row.subject.name())),
            ("subjectType", Field::text(row.subject.kind().wire_name())),
            ("roleId", Field::Number(row.role.number())),
            ("roleName", Field::text(row.role)),
            ("scopeId", Field::text(row.scope.wire_id())),
            ("scopeType", Field::text(row.scope.wire_type())),
            ("scopeName", Field::text(&row.scope_name)),
            ("createdAt", Field::Moment(row.created_at)),
            ("deletedAt", Field::moment(row.deleted_at)),
            ("createdBy", Field::text(&row.created_by)),
            ("phase", rule_phase(row, setting)),
        ],
    )
}

fn rules(deleted: bool) -> AccessRuleFilter {
    AccessRuleFilter {
        deleted,
        ..AccessRuleFilter::default()
    }
}

async fn rule_page(
    store: &dyn Store,
    access: &Access,
    query: &ListQuery<AccessRuleColumn>,
    deleted: bool,
) -> Result<(Vec<String>, Option<usize>), StoreError> {
    let (page, total) = store
        .access_rules(access.visible(), query, &rules(deleted))
        .await?;
    let counted = store
        .count_access_rules(access.visible(), query, &rules(deleted))
        .await?;
    assert_eq!(total, counted);
    Ok(ids(page, |row| row.id.to_string()))
}

async fn rule_lines(setting: &Setting, access: &Access, deleted: bool) -> Vec<Line> {
    let organization = &setting.organization;
    let everything = organization.sees(Entity::AccessRules);
    let all = organization
        .store
        .access_rules(&everything, &large(), &rules(deleted))
        .await
        .unwrap()
        .0
        .items;
    let visible = access.visible();
    let kept = all
        .iter()
        .filter(|row| visible.everything() || visible.contains(row.scope));
    kept.map(|row| of_rule(row, setting)).collect()
}

macro_rules! rules {
    ($list:ident, $deleted:literal) => {
        impl Listed for $list {
            type Columns = AccessRuleColumn;

            fn access(organization: &Organization, caller: &Principal) -> Option<Access> {
                seen(organization, caller, Entity::AccessRules)
            }

            async fn page(
                store: &dyn Store,
                access: &Access,
                query: &ListQuery<AccessRuleColumn>,
            ) -> Result<(Vec<String>, Option<usize>), StoreError> {
                rule_page(store, access, query, $deleted).await
            }

            async fn count(
                store: &dyn Store,
                access: &Access,
                query: &ListQuery<AccessRuleColumn>,
            ) -> Result<u64, StoreError> {
                store
                    .count_access_rules(access.visible(), query, &rules($deleted))
                    .await
            }

            async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
                rule_lines(setting, access, $deleted).await
            }
        }
    };
}

rules!(Rules, false);
rules!(DeletedRules, true);

pub(super) struct Workloads;

/// Names as `server/src/api/workloads.rs` shows them.
fn workload_phase(status: Option<&StatusRow>) -> &'static str {
    match status.map(|status| status.phase) {
        None | Some(StatusPhase::Creating) => "Creating",
        Some(StatusPhase::Pending | StatusPhase::NotReady) => "Pending",
        Some(StatusPhase::Ready | StatusPhase::Running) => "Running",
        Some(StatusPhase::Completed) => "Completed",
        Some(StatusPhase::Failed) => "Failed",
        Some(StatusPhase::Deleting) => "Deleting",
        Some(StatusPhase::Deleted) => "Terminating",
    }
}

fn of_workload(row: &WorkloadSummary) -> Line {
    let status = row.status.as_ref();
    let phase = workload_phase(status);
    let over = matches!(phase, "Completed" | "Failed");
    let since = status.map_or(row.created_at, |status| status.updated_at);
    line(
        row.id,
        [
            ("type", Field::text("Training")),
            ("category", Field::text("Train")),
            ("name", Field::text(&row.name)),
            ("clusterId", Field::text(row.cluster_id)),
            ("projectId", Field::Number(row.project_id.number())),
            ("projectName", Field::text(&row.project_name)),
            ("departmentId", Field::Number(row.department_id.number())),
            ("departmentName", Field::text(&row.department_name)),
            ("createdAt", Field::Moment(row.created_at)),
            ("deletedAt", Field::Nothing),
            ("submittedBy", Field::text(&row.submitted_by)),
            ("phase", Field::text(phase)),
            ("completedAt", Field::moment(over.then_some(since))),
            ("phaseUpdatedAt", Field::Moment(since)),
        ],
    )
}

impl Listed for Workloads {
    type Columns = WorkloadColumn;

    fn access(organization: &Organization, caller: &Principal) -> Option<Access> {
        seen(organization, caller, Entity::Workloads)
    }

    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<WorkloadColumn>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError> {
        let page = store.workloads(access.visible(), query).await?;
        Ok(ids(page, |row| row.id.to_string()))
    }

    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<WorkloadColumn>,
    ) -> Result<u64, StoreError> {
        store.count_workloads(access.visible(), query).await
    }

    async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
        let organization = &setting.organization;
        let all = organization
            .store
            .workloads(&organization.sees(Entity::Workloads), &large())
            .await
            .unwrap()
            .items;
        let visible = access.visible();
        let kept = all
            .iter()
            .filter(|row| visible.contains(Scope::Project(row.project_id)));
        kept.map(of_workload).collect()
    }
}

pub(super) struct Users;

fn of_user(row: &UserRow) -> Line {
    line(
        &row.email,
        [
            ("username", Field::text(&row.email)),
            ("createdBy", Field::text(&row.created_by)),
            ("lastLogin", Field::moment(row.last_login)),
            ("creationTime", Field::Moment(row.created_at)),
            ("lastUpdated", Field::Moment(row.updated_at)),
            ("isLocal", Field::text(row.is_local)),
            ("type", Field::text(if row.is_local { "local" } else { "sso" })),
        ],
    )
}

impl Listed for Users {
    type Columns = UserColumn;

    fn access(organization: &Organization, _: &Principal) -> Option<Access> {
        Some(Access::Granted(organization.may(
            Action::Read,
            Entity::Users,
            Scope::Account,
        )))
    }

    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<UserColumn>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError> {
        let page = store.users(access.granted(), query, None).await?;
        Ok(ids(page, |row| row.email.to_string()))
    }

    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<UserColumn>,
    ) -> Result<u64, StoreError> {
        let one = store.count_users(access.granted(), query, Some(true)).await?;
        let other = store.count_users(access.granted(), query, Some(false)).await?;
        let both = store.count_users(access.granted(), query, None).await?;
        assert_eq!(one + other, both);
        Ok(both)
    }

    async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
        let all = setting
            .organization
            .store
            .users(access.granted(), &large(), None)
            .await
            .unwrap()
            .items;
        all.iter().map(of_user).collect()
    }
}

pub(super) struct ServiceAccounts;

fn of_service_account(row: &ServiceAccountRow) -> Line {
    line(
        &row.name,
        [
            ("name", Field::text(&row.name)),
            ("createdBy", Field::text(&row.created_by)),
            ("createdAt", Field::Moment(row.created_at)),
            ("updatedAt", Field::Moment(row.updated_at)),
            ("enabled", Field::text(row.enabled)),
            ("lastLogin", Field::moment(row.last_login)),
        ],
    )
}

impl Listed for ServiceAccounts {
    type Columns = ServiceAccountColumn;

    fn access(organization: &Organization, _: &Principal) -> Option<Access> {
        Some(Access::Granted(organization.may(
            Action::Read,
            Entity::ServiceAccount,
            Scope::Account,
        )))
    }

    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<ServiceAccountColumn>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError> {
        let page = store.service_accounts(access.granted(), query).await?;
        Ok(ids(page, |row| row.name.to_string()))
    }

    /// No operation counts them: what all pages hold.
    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<ServiceAccountColumn>,
    ) -> Result<u64, StoreError> {
        let mut all = query.clone();
        (all.offset, all.limit) = (0, 1000);
        let page = store.service_accounts(access.granted(), &all).await?;
        Ok(u64::try_from(page.items.len()).unwrap())
    }

    async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
        let store = &setting.organization.store;
        let all = store.service_accounts(access.granted(), &large()).await;
        all.unwrap().items.iter().map(of_service_account).collect()
    }
}

/// The audit log.
pub(super) struct Events;

const ALWAYS: (Timestamp, Timestamp) = (Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX));

fn of_event(event: &LoggedEvent) -> Line {
    let entry = &event.row.entry;
    let subject_type = match entry.subject_type {
        AuditSubject::User => "User",
        AuditSubject::App => "App",
    };
    let result = match entry.result {
        Outcome::Succeeded => "Succeeded",
        Outcome::Failed => "Failed",
    };
    line(
        event.row.sequence,
        [
            ("timestamp", Field::Moment(entry.timestamp)),
            ("subject", Field::text(&entry.subject)),
            ("subject_type", Field::text(subject_type)),
            (
                "source_ip",
                Field::text(entry.source_ip.as_deref().unwrap_or_default()),
            ),
            ("action", Field::text(entry.action.in_the_reference())),
            ("http_method", Field::text(&entry.http_method)),
            ("result", Field::text(result)),
            ("url", Field::text(&entry.url)),
            ("entity_type", Field::text(&entry.entity_type)),
            ("entity_name", Field::text(&entry.entity_name)),
            ("entity_id", Field::text(&entry.entity_id)),
            (
                "cluster_name",
                event.cluster_name.as_ref().map_or(Field::Nothing, Field::text),
            ),
        ],
    )
}

impl Listed for Events {
    type Columns = AuditColumn;

    fn access(organization: &Organization, _: &Principal) -> Option<Access> {
        let granted = organization.may(Action::Read, Entity::EventsHistory, Scope::Account);
        Some(Access::Granted(granted))
    }

    async fn page(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<AuditColumn>,
    ) -> Result<(Vec<String>, Option<usize>), StoreError> {
        let (page, _) = store.audit_log(access.granted(), query, ALWAYS).await?;
        Ok(ids(page, |event| event.row.sequence.to_string()))
    }

    async fn count(
        store: &dyn Store,
        access: &Access,
        query: &ListQuery<AuditColumn>,
    ) -> Result<u64, StoreError> {
        Ok(store.audit_log(access.granted(), query, ALWAYS).await?.1)
    }

    async fn lines(setting: &Setting, _: &Principal, access: &Access) -> Vec<Line> {
        let mut everything = ListQuery::default();
        everything.limit = 100_000;
        let store = &setting.organization.store;
        let (page, total) = store
            .audit_log(access.granted(), &everything, ALWAYS)
            .await
            .unwrap();
        let mut events = page.items;
        assert_eq!(u64::try_from(events.len()).unwrap(), total);
        let chain = store.audit_events(access.granted(), 0, 100_000).await.unwrap();
        assert_eq!(chain.len(), events.len());
        events.sort_by_key(|event| (event.row.entry.timestamp, event.row.sequence));
        events.iter().map(of_event).collect()
    }
}
