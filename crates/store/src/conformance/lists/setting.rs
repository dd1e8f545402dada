//! An organization with awkward names, and people who see different parts of it.

use reeve_authz::{Action, Entity, Principal, RoleId, Scope, SubjectKey};
use reeve_link::{ObjectKey, ObjectStatus, StatusPhase, StatusReport};
use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp};

use super::super::organization::{NOW, Organization, entry, group, id, link, parsed};
use crate::{AuditAction, CredentialHash, NewDepartment, NewProject, NewUser, SubjectId};

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

/// An organization, and what draws from it.
pub(super) struct Setting {
    pub(super) organization: Organization,
    state: u64,
    pub(super) clusters: Vec<ClusterId>,
    departments: Vec<(DepartmentId, ClusterId)>,
    projects: Vec<(ProjectId, ClusterId)>,
}

impl Setting {
    /// The same every time.
    pub(super) async fn make(organization: Organization) -> Self {
        let mut setting = Self {
            organization,
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
            let cluster = self.organization.cluster(number, name).await.id;
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
            .organization
            .may(Action::Create, Entity::Department, Scope::Cluster(cluster_id));
        let made = self
            .organization
            .store
            .create_department(&granted, new, entry(AuditAction::Create));
        let made = made.await.unwrap().value.id;
        self.organization.index.add_department(made, cluster_id);
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
        let granted = self.organization.may(Action::Create, Entity::Project, scope);
        let made = self
            .organization
            .store
            .create_project(&granted, new, entry(AuditAction::Create));
        let made = made.await.unwrap().value.id;
        self.organization.index.add_project(made, department_id);
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
                password: Some(CredentialHash::new("hash")),
                temporary_password: false,
                posix: None,
                created_at: self.moment(),
                created_by: (*self.pick(&["system", "admin@reeve.example"])).to_owned(),
            };
            let granted = self
                .organization
                .may(Action::Create, Entity::Users, Scope::Account);
            let made = self
                .organization
                .store
                .create_user(&granted, new, entry(AuditAction::Create));
            let made = made.await.unwrap().value;
            if self.draw(2) == 0 {
                let at = self.moment();
                let proven = CredentialHash::new("hash");
                self.organization
                    .sign_in(SubjectId::User(made.id), proven, at)
                    .await
                    .unwrap();
            }
        }
        for (number, name) in (300..).zip(["ci", "c_i", "c-i", "c1-i", "ci-1", "robot", "robots"]) {
            self.organization.service_account(number, name).await;
        }
        let made = "admin";
        let granted = self
            .organization
            .may(Action::Read, Entity::ServiceAccount, Scope::Account);
        let store = &self.organization.store;
        let of = async |maker: &str| {
            let all = store.service_accounts_made_by(&granted, maker).await;
            all.unwrap().len()
        };
        assert_eq!((of(made).await, of("nobody").await), (7, 0));
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
                1 => SubjectKey::User(self.organization.admin_row.email.clone()),
                _ => group(self.pick::<&str>(&GROUPS)),
            };
            let (role, scope) = (*self.pick(&roles), self.scope());
            if let Ok(made) = self.organization.try_rule(subject, role, scope).await {
                self.organization.index.add_rule(made.value.rule());
            }
        }
        let granted = self
            .organization
            .may(Action::Update, Entity::ServiceAccount, Scope::Account);
        let disable = self.organization.store.set_service_account_enabled(
            &granted,
            id(301),
            false,
            NOW,
            entry(AuditAction::Update),
        );
        disable.await.unwrap();
    }

    /// The account, and each scope below it.
    pub(super) fn all_scopes(&self) -> Vec<Scope> {
        let clusters = self.clusters.iter().map(|id| Scope::Cluster(*id));
        let departments = self.departments.iter().map(|(id, _)| Scope::Department(*id));
        let projects = self.projects.iter().map(|(id, _)| Scope::Project(*id));
        let below = clusters.chain(departments).chain(projects);
        std::iter::once(Scope::Account).chain(below).collect()
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
                self.organization
                    .try_workload(400 + number, project, &format!("train-{number}"))
                    .await,
            );
        }
    }

    async fn report(&mut self) {
        for cluster in self.clusters.clone() {
            let directory = self.organization.store.directory().await.unwrap();
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
            let told =
                self.organization
                    .store
                    .report(&granted, cluster, &report, at, entry(AuditAction::Update));
            told.await.unwrap();
        }
    }

    async fn delete_some(&mut self) {
        let rules = self.organization.store.directory().await.unwrap().rules;
        for rule in rules.into_iter().skip(1).step_by(4) {
            let granted = self
                .organization
                .may(Action::Delete, Entity::AccessRules, rule.scope);
            let at = self.moment();
            let deleted =
                self.organization
                    .store
                    .delete_access_rule(&granted, rule.id, at, entry(AuditAction::Delete));
            deleted.await.unwrap();
            self.organization.index.remove_rule(rule.id);
        }
        let (project, _) = self.projects.remove(0);
        let scope = Scope::Project(project);
        let granted = self.organization.may(Action::Delete, Entity::Project, scope);
        let deleted =
            self.organization
                .store
                .delete_project(&granted, project, NOW, entry(AuditAction::Delete));
        deleted.await.unwrap();
        self.organization.index.remove_scope(scope);
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
        let mut callers = vec![self.organization.admin.clone()];
        let mut number = 1_000_000;
        for (name, scopes) in grants {
            let caller = member(name);
            for scope in scopes {
                number += 1;
                self.organization.index.add_rule(reeve_authz::Rule {
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
