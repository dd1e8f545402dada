//! An organization with awkward names, and how each of its lists is read whole.

use std::collections::BTreeMap;

use reeve_authz::{Action, Entity, Granted, Principal, RoleId, Scope, SubjectKey, Visible};
use reeve_link::{ObjectKey, ObjectStatus, StatusPhase, StatusReport};
use reeve_types::list::{
    AccessRuleColumn, Column, DepartmentColumn, ListQuery, ProjectColumn, UserColumn, WorkloadColumn,
};
use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp};

use super::super::world::{NOW, World, entry, group, id, link, parsed};
use super::oracle::{Field, Line};
use crate::{
    AccessRuleFilter, AccessRuleRow, AuditAction, DepartmentRow, NewDepartment, NewProject, NewUser, Page,
    ProjectRow, StatusRow, Store, StoreError, SubjectId, UserRow, Verifier, WorkloadSummary,
};

const PHASES: [StatusPhase; 9] = [
    StatusPhase::Creating,
    StatusPhase::Ready,
    StatusPhase::NotReady,
    StatusPhase::Pending,
    StatusPhase::Running,
    StatusPhase::Completed,
    StatusPhase::Failed,
    StatusPhase::Deleting,
    StatusPhase::Deleted,
];

const DESCRIPTIONS: [&str; 7] = [
    "",
    "100% Robots",
    "ÜBER_straße",
    "a\\b",
    "İstanbul",
    "it's \"here\"",
    "plain 100",
];

const GROUPS: [&str; 8] = [
    "ml-team",
    "ML-Team",
    "Über alles",
    "über-ähnlich",
    "100%",
    "a_b",
    "a\\b",
    "\u{10FFFF}",
];

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

/// An organization, and what draws from it.
pub(super) struct Setting {
    pub(super) world: World,
    state: u64,
    clusters: Vec<ClusterId>,
    departments: Vec<(DepartmentId, ClusterId)>,
    projects: Vec<(ProjectId, ClusterId)>,
}

impl Setting {
    /// The same every time.
    pub(super) async fn make(world: World) -> Self {
        let mut setting = Self {
            world,
            state: 7,
            clusters: Vec::new(),
            departments: Vec::new(),
            projects: Vec::new(),
        };
        setting.scopes().await;
        setting.people().await;
        setting.rules().await;
        setting.workloads().await;
        setting.report().await;
        setting.delete_some().await;
        setting
    }

    /// SplitMix64.
    pub(super) fn draw(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % below.max(1)
    }

    pub(super) fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        of.get(self.draw(of.len())).unwrap()
    }

    fn moment(&mut self) -> Timestamp {
        NOW.plus_seconds(i64::try_from(self.draw(4)).unwrap() * 43_200)
    }

    async fn scopes(&mut self) {
        for (number, name) in [(10, "Zürich"), (11, "a cluster")] {
            let cluster = self.world.cluster(number, name).await.id;
            self.clusters.push(cluster);
            for name in ["vision", "language", "speech"] {
                self.department(cluster, name).await;
            }
        }
        for number in 0..14 {
            let (department, cluster) = *self.pick(&self.departments.clone());
            let name = format!("{}-{number}", *self.pick(&["robots", "arms", "r", "captions"]));
            self.project(department, cluster, &name).await;
        }
    }

    async fn department(&mut self, cluster_id: ClusterId, name: &str) {
        let new = NewDepartment {
            cluster_id,
            name: parsed(name),
            details: serde_json::json!({"description": self.pick(&DESCRIPTIONS)}),
            created_at: self.moment(),
            created_by: "admin@reeve.example".to_owned(),
        };
        let granted = self
            .world
            .may(Action::Create, Entity::Department, Scope::Cluster(cluster_id));
        let made = self
            .world
            .store
            .create_department(&granted, new, entry(AuditAction::Create));
        let made = made.await.unwrap().value.id;
        self.world.index.add_department(made, cluster_id);
        self.departments.push((made, cluster_id));
    }

    async fn project(&mut self, department_id: DepartmentId, cluster: ClusterId, name: &str) {
        let new = NewProject {
            department_id,
            name: parsed(name),
            namespace: format!("reeve-{name}"),
            namespace_requested: false,
            may_take_over: false,
            details: serde_json::json!({"settings": {"description": self.pick(&DESCRIPTIONS)}}),
            created_at: self.moment(),
            created_by: "admin@reeve.example".to_owned(),
        };
        let scope = Scope::Department(department_id);
        let granted = self.world.may(Action::Create, Entity::Project, scope);
        let made = self
            .world
            .store
            .create_project(&granted, new, entry(AuditAction::Create));
        let made = made.await.unwrap().value.id;
        self.world.index.add_project(made, department_id);
        self.projects.push((made, cluster));
    }

    async fn people(&mut self) {
        for number in 0..12 {
            let new = NewUser {
                id: id(200 + number),
                email: parsed(&format!(
                    "{}{number}@b-c.example",
                    *self.pick(&["u_", "u%", "u.", "ux"])
                )),
                password: Verifier::new("hash"),
                posix: None,
                created_at: self.moment(),
                created_by: (*self.pick(&["system", "admin@reeve.example"])).to_owned(),
            };
            let granted = self.world.may(Action::Create, Entity::Users, Scope::Account);
            let made = self
                .world
                .store
                .create_user(&granted, new, entry(AuditAction::Create));
            let made = made.await.unwrap().value;
            if self.draw(2) == 0 {
                let at = self.moment();
                let proven = Verifier::new("hash");
                self.world
                    .sign_in(SubjectId::User(made.id), proven, at)
                    .await
                    .unwrap();
            }
        }
        for (number, name) in [(300, "ci"), (301, "c_i")] {
            self.world.service_account(number, name).await;
        }
    }

    async fn rules(&mut self) {
        let roles = [
            RoleId::VIEWER,
            RoleId::L1_RESEARCHER,
            RoleId::SYSTEM_ADMINISTRATOR,
        ];
        for _ in 0..40 {
            let subject = match self.draw(4) {
                0 => SubjectKey::ServiceAccount(parsed(self.pick::<&str>(&["ci", "c_i"]))),
                1 => SubjectKey::User(self.world.admin_row.email.clone()),
                _ => group(self.pick::<&str>(&GROUPS)),
            };
            let (role, scope) = (*self.pick(&roles), self.scope());
            if let Ok(made) = self.world.try_rule(subject, role, scope).await {
                self.world.index.add_rule(made.value.rule());
            }
        }
        let granted = self
            .world
            .may(Action::Update, Entity::ServiceAccount, Scope::Account);
        let disable = self.world.store.set_service_account_enabled(
            &granted,
            id(301),
            false,
            NOW,
            entry(AuditAction::Update),
        );
        disable.await.unwrap();
    }

    fn scope(&mut self) -> Scope {
        match self.draw(6) {
            0 => Scope::Account,
            1 => Scope::Cluster(*self.pick(&self.clusters.clone())),
            2 | 3 => Scope::Department(self.pick(&self.departments.clone()).0),
            _ => Scope::Project(self.pick(&self.projects.clone()).0),
        }
    }

    async fn workloads(&mut self) {
        for number in 0..20 {
            let (project, _) = *self.pick(&self.projects.clone());
            // Some projects are full.
            drop(
                self.world
                    .try_workload(400 + number, project, &format!("train-{number}"))
                    .await,
            );
        }
    }

    async fn report(&mut self) {
        for cluster in self.clusters.clone() {
            let directory = self.world.store.directory().await.unwrap();
            let revision = directory
                .clusters
                .iter()
                .find(|it| it.id == cluster)
                .unwrap()
                .revision;
            let mut objects = Vec::new();
            for (project, _) in self.projects.clone() {
                objects.push(ObjectKey::Project(project));
            }
            objects.extend(directory.rules.iter().map(|rule| ObjectKey::AccessRule(rule.id)));
            objects.extend((0..20).map(|number| ObjectKey::Workload(id(400 + number))));
            objects.retain(|_| self.draw(3) > 0);
            let status = |key| ObjectStatus {
                key,
                phase: *self.pick(&PHASES),
                message: String::new(),
            };
            let report = StatusReport {
                revision,
                settings: None,
                objects: objects.into_iter().map(status).collect(),
            };
            let at = self.moment();
            let granted = link();
            let told = self
                .world
                .store
                .report(&granted, cluster, &report, at, entry(AuditAction::Update));
            told.await.unwrap();
        }
    }

    async fn delete_some(&mut self) {
        let rules = self.world.store.directory().await.unwrap().rules;
        for rule in rules.into_iter().skip(1).step_by(4) {
            let granted = self.world.may(Action::Delete, Entity::AccessRules, rule.scope);
            let at = self.moment();
            let deleted =
                self.world
                    .store
                    .delete_access_rule(&granted, rule.id, at, entry(AuditAction::Delete));
            deleted.await.unwrap();
            self.world.index.remove_rule(rule.id);
        }
        let (project, _) = self.projects.remove(0);
        let scope = Scope::Project(project);
        let granted = self.world.may(Action::Delete, Entity::Project, scope);
        let deleted = self
            .world
            .store
            .delete_project(&granted, project, NOW, entry(AuditAction::Delete));
        deleted.await.unwrap();
        self.world.index.remove_scope(scope);
    }

    /// Who sees everything, who sees a cluster, a department and a project elsewhere, or two projects alone; their rules are none of
    /// the store's.
    pub(super) fn callers(&mut self) -> Vec<Principal> {
        let member = |name: &str| Principal {
            subject: SubjectKey::User(parsed(&format!("{name}@nobody.example"))),
            groups: Vec::new(),
        };
        let grants = [
            ("cluster", vec![Scope::Cluster(*self.clusters.first().unwrap())]),
            (
                "mixed",
                vec![
                    Scope::Department(self.departments.get(1).unwrap().0),
                    Scope::Project(self.projects.get(3).unwrap().0),
                ],
            ),
            (
                "little",
                vec![
                    Scope::Project(self.projects.first().unwrap().0),
                    Scope::Project(self.projects.get(5).unwrap().0),
                ],
            ),
        ];
        let mut callers = vec![self.world.admin.clone()];
        let mut number = 1_000_000;
        for (name, scopes) in grants {
            let caller = member(name);
            for scope in scopes {
                number += 1;
                self.world.index.add_rule(reeve_authz::Rule {
                    id: reeve_types::AccessRuleId::new(number).unwrap(),
                    subject: caller.subject.clone(),
                    role: RoleId::SYSTEM_ADMINISTRATOR,
                    scope,
                });
            }
            callers.push(caller);
        }
        callers
    }
}

/// A list, by store and by naive evaluator.
pub(super) trait Listed {
    type Columns: Column;

    /// What the caller shows; `None` where nothing of the kind may be seen.
    fn access(world: &World, caller: &Principal) -> Option<Access>;

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
            let (ids, next) = Self::page(setting.world.store.as_ref(), access, &query)
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

fn seen(world: &World, caller: &Principal, entity: Entity) -> Option<Access> {
    world.index.visible(caller, entity).ok().map(Access::Visible)
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

    fn access(world: &World, caller: &Principal) -> Option<Access> {
        seen(world, caller, Entity::Project)
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
        let world = &setting.world;
        let all = world
            .store
            .projects(&world.sees(Entity::Project), &large())
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

    fn access(world: &World, caller: &Principal) -> Option<Access> {
        seen(world, caller, Entity::Department)
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
        let world = &setting.world;
        let all = world
            .store
            .departments(&world.sees(Entity::Department), &large())
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
    let world = &setting.world;
    let everything = world.sees(Entity::AccessRules);
    let all = world
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

            fn access(world: &World, caller: &Principal) -> Option<Access> {
                seen(world, caller, Entity::AccessRules)
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

    fn access(world: &World, caller: &Principal) -> Option<Access> {
        seen(world, caller, Entity::Workloads)
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
        let world = &setting.world;
        let all = world
            .store
            .workloads(&world.sees(Entity::Workloads), &large())
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

    fn access(world: &World, _: &Principal) -> Option<Access> {
        Some(Access::Granted(world.may(
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
            .world
            .store
            .users(access.granted(), &large(), None)
            .await
            .unwrap()
            .items;
        all.iter().map(of_user).collect()
    }
}
