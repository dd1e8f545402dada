//! What decisions are made from, in memory: the index of rules, and who and what there is.
//!
//! It is changed by `apply` alone, from the store's change log, in the order of commits.

mod apply;
mod refusal;

pub use apply::Applied;
pub use refusal::{Denied, DirectoryRefusal, WhoCouldGrant};

use std::collections::{BTreeMap, HashMap};

use reeve_authz::{
    Action, Denial, Entity, Granted, GrantedRole, Index, Principal, Role, RoleId, Scope, SubjectKey, Visible,
};
use reeve_identity::{PosixSource, effective_posix};
use reeve_store::workload_policy::scoped;
use reeve_store::{
    ChangeMark, ClusterFacts, CustomRoleFacts, DepartmentFacts, PolicyFacts, ProjectFacts,
    ServiceAccountFacts, SessionFacts, SigningKeyFacts, SubjectId, UserFacts,
};
use reeve_types::workload_policy::{Policy, Scoped};
use reeve_types::{
    ClusterId, DepartmentId, Email, GroupName, PolicyKind, PosixIdentity, ProjectId, ServiceAccountId,
    ServiceAccountName, SessionId, Timestamp, UserId,
};

use crate::caller::Caller;
use crate::error::ApiError;

/// How much of a scope may be read, and the proof of it.
#[derive(Debug)]
pub enum Read {
    /// All of it.
    Whole(Granted),
    /// Its id and its name, as of what lies above something that may be read; through the list, which is cut so.
    Name(Visible),
}

/// The directory of one moment.
#[derive(Debug, Default)]
pub struct Directory {
    /// How far it has followed the change log.
    mark: ChangeMark,
    /// How often the database was found restored before that.
    era: i64,
    index: Index,
    clusters: HashMap<ClusterId, ClusterFacts>,
    departments: HashMap<DepartmentId, DepartmentFacts>,
    projects: HashMap<ProjectId, ProjectFacts>,
    users: HashMap<UserId, UserFacts>,
    emails: HashMap<Email, UserId>,
    service_accounts: HashMap<ServiceAccountId, ServiceAccountFacts>,
    /// Some 200 bytes each, and for each group its name and 24 bytes; at most 64 of a subject, and 4 of each access key.
    sessions: HashMap<SessionId, SessionFacts>,
    signing_keys: Vec<SigningKeyFacts>,
    policies: BTreeMap<(Scope, PolicyKind), PolicyFacts>,
    roles: BTreeMap<RoleId, CustomRoleFacts>,
}

impl Directory {
    /// Who may what.
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// A person.
    pub fn user(&self, id: UserId) -> Option<&UserFacts> {
        self.users.get(&id)
    }

    /// A person by email.
    pub fn user_by_email(&self, email: &Email) -> Option<&UserFacts> {
        self.emails.get(email).and_then(|id| self.users.get(id))
    }

    /// Whether this name belongs to somebody who administers the whole account by a rule of their own: may give anybody any role
    /// in it. Asked before somebody has signed in, so that there are no groups.
    pub fn administers_the_account(&self, email: &Email) -> bool {
        let principal = Principal::alone(SubjectKey::User(email.clone()));
        self.user_by_email(email).is_some()
            && self
                .index
                .may_grant(&principal, RoleId::SYSTEM_ADMINISTRATOR, Scope::Account)
                .is_ok()
    }

    /// A service account.
    pub fn service_account(&self, id: ServiceAccountId) -> Option<&ServiceAccountFacts> {
        self.service_accounts.get(&id)
    }

    /// A service account, by its name.
    pub fn service_account_named(&self, name: &ServiceAccountName) -> Option<&ServiceAccountFacts> {
        self.service_accounts
            .values()
            .find(|account| account.name == *name)
    }

    /// Whether there is a service account of this name, and it is switched on.
    pub fn service_account_enabled(&self, name: &ServiceAccountName) -> bool {
        self.service_accounts
            .values()
            .any(|account| account.enabled && account.name == *name)
    }

    /// A cluster.
    pub fn cluster(&self, id: ClusterId) -> Option<&ClusterFacts> {
        self.clusters.get(&id)
    }

    /// All clusters.
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterFacts> {
        self.clusters.values()
    }

    /// May somebody in the account have these numbers: in one of its clusters at least?
    ///
    /// # Errors
    /// [`DirectoryRefusal::Numbers`] says which number is too low, and who can change that.
    pub fn check_numbers(&self, posix: &PosixIdentity) -> Result<(), DirectoryRefusal> {
        let lowest = self.clusters().map(|cluster| cluster.lowest_id).min();
        let checked = posix.check_lowest(lowest.unwrap_or_default());
        checked.map_err(DirectoryRefusal::Numbers)
    }

    /// May somebody with these numbers run anything in this cluster?
    ///
    /// # Errors
    /// [`DirectoryRefusal::OwnNumbers`] says which number is too low there, and who can change that.
    pub fn check_numbers_in(
        &self,
        cluster: ClusterId,
        posix: &PosixIdentity,
    ) -> Result<(), DirectoryRefusal> {
        let lowest = self.cluster(cluster).map(|cluster| cluster.lowest_id);
        let checked = posix.check_lowest(lowest.unwrap_or_default());
        checked.map_err(|problem| DirectoryRefusal::OwnNumbers {
            problem,
            cluster,
            named: self.scope_name(Scope::Cluster(cluster)),
        })
    }

    /// A department.
    pub fn department(&self, id: DepartmentId) -> Option<&DepartmentFacts> {
        self.departments.get(&id)
    }

    /// A department by name.
    pub fn department_named(&self, cluster: ClusterId, name: &str) -> Option<&DepartmentFacts> {
        self.departments
            .values()
            .find(|it| it.cluster_id == cluster && it.name.as_str() == name)
    }

    /// A project.
    pub fn project(&self, id: ProjectId) -> Option<&ProjectFacts> {
        self.projects.get(&id)
    }

    /// The cluster that a scope lies in.
    pub fn cluster_of(&self, scope: Scope) -> Option<ClusterId> {
        match scope {
            Scope::Account => None,
            Scope::Cluster(id) => Some(id),
            Scope::Department(id) => self.department(id).map(|it| it.cluster_id),
            Scope::Project(id) => self.project(id).map(|it| it.cluster_id),
        }
    }

    /// The name of a scope alone.
    pub fn short_name(&self, scope: Scope) -> String {
        let name = match scope {
            Scope::Account => Some("account"),
            Scope::Cluster(id) => self.cluster(id).map(|it| it.name.as_str()),
            Scope::Department(id) => self.department(id).map(|it| it.name.as_str()),
            Scope::Project(id) => self.project(id).map(|it| it.name.as_str()),
        };
        name.map_or_else(|| scope.wire_id(), str::to_owned)
    }

    /// A scope for a sentence: ``project `robots` ``.
    pub fn scope_name(&self, scope: Scope) -> String {
        match scope {
            Scope::Account => "the account".to_owned(),
            _ => format!("{} `{}`", scope.wire_type(), self.short_name(scope)),
        }
    }

    /// The names from the account down to a scope, separated by slashes.
    pub fn scope_path(&self, scope: Scope) -> String {
        let names: Vec<_> = self
            .index
            .ancestors(scope)
            .into_iter()
            .map(|it| self.short_name(it))
            .collect();
        names.join("/")
    }

    /// What a scope's own workload policy says.
    pub fn policy(&self, scope: Scope, kind: PolicyKind) -> Option<&Policy> {
        self.policies.get(&(scope, kind)).map(|facts| &facts.policy)
    }

    /// The workload policies on the way from the account down to a scope, as they are merged.
    pub fn policies_on_the_way(&self, scope: Scope, kind: PolicyKind) -> Vec<Scoped<'_>> {
        let policy = |scope| self.policy(scope, kind);
        scoped(&self.index.ancestors(scope), policy, |scope| {
            self.scope_name(scope)
        })
    }

    /// Where below a scope there are workload policies of a kind.
    pub fn policies_below(&self, scope: Scope, kind: PolicyKind) -> impl Iterator<Item = Scope> {
        self.policies.keys().filter_map(move |(at, of)| {
            let below = *at != scope && *of == kind && self.index.ancestors(*at).contains(&scope);
            below.then_some(*at)
        })
    }

    /// A session that was not ended.
    pub fn session(&self, id: SessionId) -> Option<&SessionFacts> {
        self.sessions.get(&id)
    }

    /// The sessions that were not ended, by the user whose they are, with the groups of each.
    pub fn user_sessions(&self, now: Timestamp) -> impl Iterator<Item = (&UserFacts, &[GroupName])> {
        let open = self.sessions.values().filter(move |it| now < it.until);
        open.filter_map(|session| match session.subject {
            SubjectId::User(id) => Some((self.user(id)?, session.groups.as_slice())),
            SubjectId::ServiceAccount(_) => None,
        })
    }

    /// How many sessions of a subject were not ended, those of access keys included.
    pub fn sessions_of(&self, subject: SubjectId, now: Timestamp) -> usize {
        let open = self.sessions.values().filter(|it| now < it.until);
        open.filter(|it| it.subject == subject).count()
    }

    /// The signing keys: the current one, the next one, the retiring ones.
    pub fn signing_keys(&self) -> &[SigningKeyFacts] {
        &self.signing_keys
    }

    /// Whose session this is, as a caller with the names and groups that rules know. `None` when it ended, or is not of this
    /// subject, or the subject is gone or disabled.
    pub fn authenticate(&self, subject: SubjectId, session: SessionId, now: Timestamp) -> Option<Caller> {
        let facts = self
            .session(session)
            .filter(|it| it.subject == subject && now < it.until)?;
        let (key, name) = match subject {
            SubjectId::User(id) => {
                let email = &self.user(id)?.email;
                (SubjectKey::User(email.clone()), email.to_string())
            }
            SubjectId::ServiceAccount(id) => {
                let name = &self.service_account(id).filter(|it| it.enabled)?.name;
                (SubjectKey::ServiceAccount(name.clone()), name.to_string())
            }
        };
        let shown_by = self.shown_by(facts, now);
        Some(Caller {
            id: subject,
            session,
            shown_by: shown_by.id,
            access_key: facts.access_key.as_ref().map(|it| it.key),
            has_temporary_password: self.has_temporary_password(facts),
            principal: Principal {
                subject: key,
                groups: shown_by.groups.clone(),
            },
            name,
        })
    }

    /// Whether a session began with a password of a user who has to choose another first. One that an identity provider or an access key
    /// began is as good as ever.
    pub fn has_temporary_password(&self, session: &SessionFacts) -> bool {
        let user = match session.subject {
            SubjectId::User(id) => self.user(id),
            SubjectId::ServiceAccount(_) => None,
        };
        session.by_password && user.is_some_and(|user| user.temporary_password)
    }

    /// The session whose groups and POSIX identity count in one: itself; in one that an access key began the owner's own behind
    /// it, as long as that lives. A key has at no moment more than its owner has.
    fn shown_by<'a>(&'a self, facts: &'a SessionFacts, now: Timestamp) -> &'a SessionFacts {
        let behind = facts
            .access_key
            .as_ref()
            .and_then(|key| self.session(key.behind?));
        let lives =
            behind.filter(|it| it.subject == facts.subject && it.access_key.is_none() && now < it.until);
        lives.unwrap_or(facts)
    }

    /// As whom the caller's containers run, and who says so.
    pub fn posix(&self, caller: &Caller) -> Option<(&PosixIdentity, PosixSource)> {
        let session = self.session(caller.shown_by)?;
        let user = match session.subject {
            SubjectId::User(id) => self.user(id)?,
            SubjectId::ServiceAccount(_) => return None,
        };
        effective_posix(user.posix.as_ref(), session.posix.as_ref())
    }

    /// May the caller do this to an object in `scope`? 403 when the permission is held nowhere or the object is in sight,
    /// 404 when it is not (decision 16). In sight is what `seen_as` may be read of there.
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`], or what `hidden` makes.
    pub fn allow(
        &self,
        caller: &Caller,
        action: Action,
        entity: Entity,
        scope: Scope,
        seen_as: Entity,
        hidden: impl FnOnce() -> ApiError,
    ) -> Result<Granted, ApiError> {
        self.index
            .decide(&caller.principal, action, entity, scope)
            .map_err(|denial| {
                if denial.held_nowhere || self.sees(caller, seen_as, scope) {
                    self.forbidden(&denial)
                } else {
                    hidden()
                }
            })
    }

    /// May the caller read this object? 404 unless it is in sight; 403 when nothing of the kind is.
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`], or what `hidden` makes.
    pub fn allow_read(
        &self,
        caller: &Caller,
        entity: Entity,
        scope: Scope,
        hidden: impl FnOnce() -> ApiError,
    ) -> Result<Granted, ApiError> {
        self.allow(caller, Action::Read, entity, scope, entity, hidden)
    }

    /// May the caller read this cluster or department, or at least its name?
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`], or what `hidden` makes.
    pub fn read_scope(
        &self,
        caller: &Caller,
        entity: Entity,
        scope: Scope,
        hidden: impl FnOnce() -> ApiError,
    ) -> Result<Read, ApiError> {
        let denial = match self.index.decide(&caller.principal, Action::Read, entity, scope) {
            Ok(granted) => return Ok(Read::Whole(granted)),
            Err(denial) => denial,
        };
        match self.index.visible(&caller.principal, entity) {
            Ok(visible) if visible.contains_name(scope) => Ok(Read::Name(visible)),
            Ok(_) => Err(hidden()),
            Err(_) => Err(self.forbidden(&denial)),
        }
    }

    /// May the caller do this in the account itself? Everybody knows that there is one: 403 otherwise.
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`].
    pub fn allow_in_account(
        &self,
        caller: &Caller,
        action: Action,
        entity: Entity,
    ) -> Result<Granted, ApiError> {
        self.index
            .decide(&caller.principal, action, entity, Scope::Account)
            .map_err(|denial| self.forbidden(&denial))
    }

    /// May the caller do this to something that belongs to the account and is not known to everybody, as a person is?
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`] when the permission is held nowhere, or what `hidden` makes.
    pub fn allow_hidden(
        &self,
        caller: &Caller,
        action: Action,
        entity: Entity,
        hidden: impl FnOnce() -> ApiError,
    ) -> Result<Granted, ApiError> {
        self.index
            .decide(&caller.principal, action, entity, Scope::Account)
            .map_err(|denial| {
                if denial.held_nowhere {
                    self.forbidden(&denial)
                } else {
                    hidden()
                }
            })
    }

    /// May the caller give this role there?
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`], or what `hidden` makes when the scope is out of sight.
    pub fn allow_grant(
        &self,
        caller: &Caller,
        role: RoleId,
        scope: Scope,
        hidden: impl FnOnce() -> ApiError,
    ) -> Result<GrantedRole, ApiError> {
        self.index
            .may_grant(&caller.principal, role, scope)
            .map_err(|denial| {
                let in_sight = self.sees(caller, entity_of(scope), scope)
                    || self.sees(caller, Entity::AccessRules, scope);
                if denial.held_nowhere && denial.entity == Entity::AccessRules || in_sight {
                    self.forbidden(&denial)
                } else {
                    hidden()
                }
            })
    }

    /// May the caller make this role, or make one what it says here?
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`].
    pub fn allow_define(&self, caller: &Caller, action: Action, role: &Role) -> Result<Granted, ApiError> {
        self.index
            .may_define(&caller.principal, action, role)
            .map_err(|denial| self.forbidden(&denial))
    }

    /// What is known of a role that was made here.
    pub fn custom_role(&self, id: RoleId) -> Option<&CustomRoleFacts> {
        self.roles.get(&id)
    }

    /// A role's name; its number where it is no more.
    pub fn role_name(&self, id: RoleId) -> String {
        let role = self.index.role(id);
        role.map_or_else(|| id.to_string(), |role| role.display_name().to_owned())
    }

    /// What of a kind the caller may see.
    ///
    /// # Errors
    /// [`DirectoryRefusal::Denied`] when nothing anywhere.
    pub fn visible(&self, caller: &Caller, entity: Entity) -> Result<Visible, ApiError> {
        self.index
            .visible(&caller.principal, entity)
            .map_err(|denial| self.forbidden(&denial))
    }

    /// 403 with names instead of ids.
    pub fn forbidden(&self, denial: &Denial) -> ApiError {
        let denied = Denied::new(denial, |scope| self.scope_name(scope));
        DirectoryRefusal::Denied(denied).into()
    }

    /// Whether what is called `entity` may be read in `scope`, of a scope itself at least its name. That there is an account
    /// is known to everybody.
    pub fn sees(&self, caller: &Caller, entity: Entity, scope: Scope) -> bool {
        let itself = entity == entity_of(scope);
        if itself && scope == Scope::Account {
            return true;
        }
        self.index
            .visible(&caller.principal, entity)
            .is_ok_and(|visible| visible.contains(scope) || itself && visible.contains_name(scope))
    }
}

/// What a scope is, as something that can be read.
pub const fn entity_of(scope: Scope) -> Entity {
    match scope {
        Scope::Account => Entity::Tenant,
        Scope::Cluster(_) => Entity::Cluster,
        Scope::Department(_) => Entity::Department,
        Scope::Project(_) => Entity::Project,
    }
}
