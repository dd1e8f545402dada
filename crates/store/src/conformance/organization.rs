//! A small installation to check against. Permissions come from the decision index, as everywhere: there is no back door.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reeve_authz::{
    Action, BootstrapException, Entity, Granted, Index, Principal, RoleId, Scope, SubjectKey, Visible,
};
use reeve_link::{Attempts, Batch, ContainerResources, OwnMetadata, Placement, Workload};
use reeve_types::{
    ClusterId, DepartmentId, PosixIdentity, ProjectId, Revision, SignInMethod, Timestamp, UserId, WorkloadId,
};

use crate::{
    AccessRuleRow, AuditAction, AuditEntry, AuditSubject, ClusterRow, Committed, CredentialHash,
    DepartmentRow, FirstStart, Later, NewAccessRule, NewCluster, NewDepartment, NewProject,
    NewServiceAccount, NewSession, NewSigningKey, NewUser, NewWorkload, Outcome, ProjectRow,
    ServiceAccountRow, SessionFacts, Store, StoreError, SubjectId, UserRow, WorkloadRow,
};

/// Parses text that is known to be right.
pub(super) fn parsed<T: FromStr<Err: Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// An id with this number in it.
pub(super) fn id<T: FromStr<Err: Display>>(number: u64) -> T {
    parsed(&format!("00000000-0000-4000-8000-{number:012x}"))
}

/// The moment of everything in the suite.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// An installation with its administrator.
pub struct Organization {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// Who may what, kept in step by the helpers below.
    pub index: Index,
    /// The administrator.
    pub admin: Principal,
    /// Her row.
    pub admin_row: UserRow,
    /// Her rule.
    pub admin_rule: AccessRuleRow,
    /// Of ids of sessions, so that none is given twice.
    next_session: AtomicU64,
}

/// An audit entry.
pub(super) fn entry(action: AuditAction) -> AuditEntry {
    AuditEntry {
        timestamp: NOW,
        request_id: "r".to_owned(),
        subject: "admin@reeve.example".to_owned(),
        subject_type: AuditSubject::User,
        source_ip: None,
        action,
        http_method: "POST".to_owned(),
        url: "/x".to_owned(),
        entity_type: "x".to_owned(),
        entity_name: String::new(),
        entity_id: String::new(),
        result: Outcome::Succeeded,
        http_status_code: 201,
        cluster_id: None,
        metadata: BTreeMap::new(),
    }
}

impl Organization {
    /// Makes the account.
    pub async fn new(store: Arc<dyn Store>) -> Self {
        assert!(!store.is_initialized().await.unwrap());
        let first = FirstStart {
            administrator: NewUser {
                id: id(1),
                email: parsed("admin@reeve.example"),
                password: Some(CredentialHash::new("hash")),
                temporary_password: false,
                posix: None,
                created_at: NOW,
                created_by: "system".to_owned(),
            },
            signing_keys: [signing_key("k1"), signing_key("k2")],
            values: vec![("name".to_owned(), "value".to_owned())],
        };
        let granted = exception(BootstrapException::FirstStart);
        let made = store
            .first_start(&granted, first.clone(), entry(AuditAction::Create))
            .await
            .unwrap();
        assert!(store.is_initialized().await.unwrap());
        let again = store
            .first_start(&granted, first, entry(AuditAction::Create))
            .await;
        assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
        let (admin_row, admin_rule) = made.value;
        let admin = Principal::alone(SubjectKey::User(admin_row.email.clone()));
        let mut index = Index::new();
        index.add_rule(admin_rule.rule());
        Self {
            store,
            index,
            admin,
            admin_row,
            admin_rule,
            next_session: AtomicU64::new(900_000),
        }
    }

    /// The administrator's permission.
    pub fn may(&self, action: Action, entity: Entity, scope: Scope) -> Granted {
        self.index.decide(&self.admin, action, entity, scope).unwrap()
    }

    /// What the administrator sees.
    pub fn sees(&self, entity: Entity) -> Visible {
        self.index.visible(&self.admin, entity).unwrap()
    }

    /// A cluster.
    pub async fn cluster(&mut self, number: u64, name: &str) -> ClusterRow {
        let row = self.try_cluster(number, name).await.unwrap().value;
        self.index.add_cluster(row.id);
        row
    }

    /// An event that sums up failed attempts, so many seconds after now.
    pub fn attempt(&self, seconds: i64) -> AuditEntry {
        let mut attempt = entry(AuditAction::SignIn);
        attempt.timestamp = NOW.plus_seconds(seconds);
        attempt.result = Outcome::Failed;
        attempt
    }

    /// A cluster, perhaps.
    pub async fn try_cluster(&self, number: u64, name: &str) -> Result<Committed<ClusterRow>, StoreError> {
        let new = NewCluster {
            id: id(number),
            name: parsed(name),
            domain: None,
            version: None,
            secret: CredentialHash::new("hash").into(),
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let granted = self.may(Action::Create, Entity::Cluster, Scope::Account);
        self.store
            .create_cluster(&granted, new, entry(AuditAction::Create))
            .await
    }

    /// A department.
    pub async fn department(&mut self, cluster: ClusterId, name: &str) -> DepartmentRow {
        let row = self.try_department(cluster, name).await.unwrap().value;
        self.index.add_department(row.id, cluster);
        row
    }

    /// A department, perhaps.
    pub async fn try_department(
        &self,
        cluster_id: ClusterId,
        name: &str,
    ) -> Result<Committed<DepartmentRow>, StoreError> {
        let new = NewDepartment {
            cluster_id,
            name: parsed(name),
            details: serde_json::json!({"description": name}),
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let granted = self.may(Action::Create, Entity::Department, Scope::Cluster(cluster_id));
        self.store
            .create_department(&granted, new, entry(AuditAction::Create))
            .await
    }

    /// A project.
    pub async fn project(&mut self, department: DepartmentId, name: &str) -> ProjectRow {
        let row = self
            .try_project(department, name, &format!("reeve-{name}"))
            .await
            .unwrap()
            .value;
        self.index.add_project(row.id, department);
        row
    }

    /// A project, perhaps.
    pub async fn try_project(
        &self,
        department_id: DepartmentId,
        name: &str,
        namespace: &str,
    ) -> Result<Committed<ProjectRow>, StoreError> {
        let new = NewProject {
            department_id,
            name: parsed(name),
            namespace: namespace.to_owned(),
            namespace_requested: false,
            may_take_over: false,
            details: serde_json::json!({}),
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let granted = self.may(Action::Create, Entity::Project, Scope::Department(department_id));
        self.store
            .create_project(&granted, new, entry(AuditAction::Create))
            .await
    }

    /// A person, perhaps.
    pub async fn try_user(
        &self,
        number: u64,
        email: &str,
        posix: Option<PosixIdentity>,
    ) -> Result<UserRow, StoreError> {
        let new = NewUser {
            id: id(number),
            email: parsed(email),
            password: Some(CredentialHash::new("hash")),
            temporary_password: false,
            posix,
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let granted = self.may(Action::Create, Entity::Users, Scope::Account);
        self.store
            .create_user(&granted, new, entry(AuditAction::Create))
            .await
            .map(|committed| committed.value)
    }

    /// Removes a person.
    pub async fn delete_user(
        &self,
        user: UserId,
    ) -> Result<Committed<Vec<reeve_types::AccessRuleId>>, StoreError> {
        let granted = self.may(Action::Delete, Entity::Users, Scope::Account);
        self.store
            .delete_user(&granted, user, NOW, entry(AuditAction::Delete))
            .await
    }

    /// A service account.
    pub async fn service_account(&self, number: u64, name: &str) -> ServiceAccountRow {
        let new = NewServiceAccount {
            id: id(number),
            name: parsed(name),
            secret: CredentialHash::new("hash"),
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let granted = self.may(Action::Create, Entity::ServiceAccount, Scope::Account);
        self.store
            .create_service_account(&granted, new, entry(AuditAction::Create))
            .await
            .unwrap()
            .value
    }

    /// A rule.
    pub async fn rule(&mut self, subject: SubjectKey, role: RoleId, scope: Scope) -> AccessRuleRow {
        let row = self.try_rule(subject, role, scope).await.unwrap().value;
        self.index.add_rule(row.rule());
        row
    }

    /// A rule, perhaps.
    pub async fn try_rule(
        &self,
        subject: SubjectKey,
        role: RoleId,
        scope: Scope,
    ) -> Result<Committed<AccessRuleRow>, StoreError> {
        let new = NewAccessRule {
            subject,
            role,
            scope,
            created_at: NOW,
            created_by: "admin".to_owned(),
        };
        let granted = self.index.may_grant(&self.admin, role, scope).unwrap();
        self.store
            .create_access_rule(&granted, new, entry(AuditAction::Create))
            .await
    }

    /// Removes a rule.
    pub async fn delete_rule(&mut self, rule: &AccessRuleRow) -> Result<Committed<()>, StoreError> {
        let granted = self.may(Action::Delete, Entity::AccessRules, rule.scope);
        let done = self
            .store
            .delete_access_rule(&granted, rule.id, NOW, entry(AuditAction::Delete))
            .await;
        if done.is_ok() {
            self.index.remove_rule(rule.id);
        }
        done
    }

    /// A workload, perhaps.
    pub async fn try_workload(
        &self,
        number: u64,
        project: ProjectId,
        name: &str,
    ) -> Result<Committed<WorkloadRow>, StoreError> {
        let new = new_workload(number, project, name);
        let granted = self.may(Action::Create, Entity::Trainings, Scope::Project(project));
        self.store
            .create_workload(&granted, new, entry(AuditAction::Create))
            .await
    }

    /// What checks the administrator's password.
    pub async fn admin_password(&self) -> CredentialHash {
        let kept = self.store.password_verifier(&self.admin_row.email).await.unwrap();
        kept.unwrap().1
    }

    /// Records a sign-in of that moment.
    pub async fn sign_in(
        &self,
        subject: SubjectId,
        proven: CredentialHash,
        at: Timestamp,
    ) -> Option<SessionFacts> {
        let begun = self
            .try_sign_in(self.new_session(subject), Some(&proven), at)
            .await;
        begun.unwrap().value
    }

    /// A session to begin, that lives an hour from now on.
    pub fn new_session(&self, subject: SubjectId) -> NewSession {
        NewSession {
            id: id(self.next_session.fetch_add(1, Ordering::Relaxed)),
            subject,
            method: match subject {
                SubjectId::User(_) => SignInMethod::Password,
                SubjectId::ServiceAccount(_) => SignInMethod::ClientSecret,
            },
            groups: Vec::new(),
            posix: None,
            until: NOW.plus_seconds(3600),
            go_on_until: None,
            provider: None,
            access_key: None,
        }
    }

    /// Records a sign-in of that moment, perhaps.
    pub async fn try_sign_in(
        &self,
        new: NewSession,
        proven: Option<&CredentialHash>,
        at: Timestamp,
    ) -> Result<Committed<Option<SessionFacts>>, StoreError> {
        let mut entry = entry(AuditAction::SignIn);
        entry.timestamp = at;
        let granted = exception(BootstrapException::SessionRecord);
        self.store.begin_session(&granted, new, proven, entry).await
    }

    /// Whether a session is one that tokens may name.
    pub async fn lives(&self, session: &SessionFacts) -> bool {
        let known = self.store.directory().await.unwrap().sessions;
        known.contains(session)
    }

    /// The whole desired state of a cluster, by revision.
    pub async fn all(&self, cluster: ClusterId) -> Batch {
        let mut batch = Batch {
            complete: true,
            ..Batch::default()
        };
        let mut after = None;
        loop {
            // The smallest parts there are.
            let part = self
                .store
                .desired_all(&link(), cluster, after, 1)
                .await
                .unwrap()
                .unwrap();
            assert!(part.upserts.len() <= 1);
            batch.revision = part.revision;
            batch.upserts.extend(part.upserts);
            after = part.next;
            if after.is_none() {
                batch.upserts.sort_by_key(|it| it.revision);
                return batch;
            }
        }
    }

    /// What changed later.
    pub async fn since(&self, cluster: ClusterId, revision: u64) -> Batch {
        let deleted = self
            .store
            .deleted_since(&link(), cluster, Revision(revision), 1000)
            .await
            .unwrap()
            .unwrap();
        let mut batch = Batch {
            deletes: deleted.keys.unwrap(),
            ..Batch::default()
        };
        let mut since = Later {
            revision: Revision(revision),
            object: None,
        };
        loop {
            let part = self
                .store
                .desired_since(&link(), cluster, since, 1)
                .await
                .unwrap()
                .unwrap();
            batch.revision = part.revision;
            batch.upserts.extend(part.upserts);
            match part.next {
                Some(next) => since = next,
                None => return batch,
            }
        }
    }

    /// How many audit events there are; the chain is whole.
    pub async fn audited(&self) -> i64 {
        let granted = self.may(Action::Read, Entity::EventsHistory, Scope::Account);
        self.store.verify_audit_chain(&granted).await.unwrap()
    }
}

/// A workload of the administrator's.
pub(super) fn new_workload(number: u64, project: ProjectId, name: &str) -> NewWorkload {
    NewWorkload {
        desired: Workload {
            id: id::<WorkloadId>(number),
            name: parsed(name),
            project_id: project,
            submitted_by: "admin@reeve.example".to_owned(),
            identity: None,
            image: "image".to_owned(),
            image_pull_policy: None,
            command: vec!["sh".to_owned()],
            args: Vec::new(),
            environment: vec![("A".to_owned(), "b".to_owned())],
            gpus: 1,
            resources: ContainerResources::default(),
            create_home_dir: false,
            prevent_privilege_escalation: true,
            expand_variables: false,
            passwd_entry: false,
            large_shm: false,
            stdin: false,
            tty: false,
            working_dir: None,
            secret_volumes: Vec::new(),
            attempts: Attempts::default(),
            termination_grace_period_seconds: None,
            readiness_probe: None,
            metadata: OwnMetadata::default(),
            placement: Placement::default(),
        },
        request: serde_json::json!({"image": "image"}),
        created_at: NOW,
        most_in_project: 3,
    }
}

/// A key that nobody could sign with.
pub(super) fn signing_key(id: &str) -> NewSigningKey {
    NewSigningKey {
        id: id.to_owned(),
        sealed: "sealed".to_owned(),
    }
}

/// The permission of a cluster that speaks of itself.
pub(super) const fn link() -> Granted {
    Granted::bootstrap(BootstrapException::LinkStatus)
}

/// The permission of any named exception.
pub(super) const fn exception(which: BootstrapException) -> Granted {
    Granted::bootstrap(which)
}

/// A group as a subject: it exists by being named.
pub(super) fn group(name: &str) -> SubjectKey {
    SubjectKey::Group(parsed(name))
}

/// A person's numbers.
pub(super) fn posix(uid: i64) -> PosixIdentity {
    let gid = reeve_types::Gid::new(5000).unwrap();
    PosixIdentity::new(reeve_types::Uid::new(uid).unwrap(), gid, vec![]).unwrap()
}
