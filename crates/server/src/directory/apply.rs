//! Loading the directory and bringing it up to date: the one place where it is changed.

use reeve_authz::{CustomRole, Role, RoleId, Scope};
use reeve_store::{
    ChangeMark, ClusterFacts, CustomRoleFacts, DepartmentFacts, DirectoryChange, DirectorySnapshot,
    LoggedChanges, PolicyFacts, ProjectFacts, SessionFacts, UserFacts,
};
use reeve_types::PolicyKind;

use super::Directory;
use crate::permission_sets;

/// What an entry of the change log did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// What it says.
    Done,
    /// Nothing: it has the number of one that was applied before.
    Before,
    /// Nothing: entries before it are missing, or more changed than it tells.
    ReadAnew,
}

impl Directory {
    /// Builds it from what the store holds: scopes before rules, or the index would not keep the rules.
    pub fn load(snapshot: DirectorySnapshot) -> Self {
        let mut directory = Self {
            mark: snapshot.reached,
            era: snapshot.era,
            ..Self::default()
        };
        directory.index.set_version(directory.mark.number.0);
        for cluster in snapshot.clusters {
            directory.put_cluster(cluster);
        }
        for department in snapshot.departments {
            directory.put_department(department);
        }
        for project in snapshot.projects {
            directory.put_project(project);
        }
        for policy in snapshot.policies {
            directory.put_policy(policy);
        }
        // Before the rules that give them.
        for role in snapshot.roles {
            directory.put_role(role);
        }
        directory.index.add_rules(snapshot.rules);
        for user in snapshot.users {
            directory.put_user(user);
        }
        for account in snapshot.service_accounts {
            directory.service_accounts.insert(account.id, account);
        }
        for session in snapshot.sessions {
            directory.put_session(session);
        }
        directory.signing_keys = snapshot.signing_keys;
        directory
    }

    /// How far it has followed the change log.
    pub const fn mark(&self) -> &ChangeMark {
        &self.mark
    }

    /// How often the database was found restored before that: see [`reeve_store::Fenced::era`].
    pub const fn era(&self) -> i64 {
        self.era
    }

    /// Applies one entry of the change log.
    pub fn apply(&mut self, entry: &LoggedChanges) -> Applied {
        if entry.number <= self.mark.number {
            return Applied::Before;
        }
        if entry.number != self.mark.number.next() || entry.changes.contains(&DirectoryChange::Everything) {
            return Applied::ReadAnew;
        }
        for change in &entry.changes {
            self.apply_change(change);
        }
        self.mark = entry.mark();
        self.index.set_version(entry.number.0);
        Applied::Done
    }

    fn apply_change(&mut self, change: &DirectoryChange) {
        match change {
            DirectoryChange::Cluster(cluster) => self.put_cluster(cluster.clone()),
            DirectoryChange::Applied(cluster, revision) => {
                if let Some(facts) = self.clusters.get_mut(cluster) {
                    facts.applied_revision = *revision;
                }
            }
            DirectoryChange::Revisions(revisions) => {
                for (cluster, revision) in revisions {
                    if let Some(facts) = self.clusters.get_mut(cluster) {
                        facts.revision = *revision;
                    }
                }
            }
            DirectoryChange::Department(department) => self.put_department(department.clone()),
            DirectoryChange::Project(project) => self.put_project(project.clone()),
            DirectoryChange::Policy(policy) => self.put_policy(policy.as_ref().clone()),
            DirectoryChange::PolicyDeleted(scope, kind) => {
                self.policies.remove(&(*scope, *kind));
            }
            DirectoryChange::User(user) => self.put_user(user.clone()),
            DirectoryChange::ServiceAccount(account) => {
                self.service_accounts.insert(account.id, account.clone());
            }
            DirectoryChange::Role(role) => self.put_role(role.clone()),
            DirectoryChange::RoleDeleted(number) => {
                if let Some(id) = RoleId::new(*number) {
                    self.index.remove_role(id);
                    self.roles.remove(&id);
                }
            }
            DirectoryChange::Rule(rule) => {
                self.index.add_rule(rule.clone());
            }
            DirectoryChange::RulesDeleted(rules) => {
                for rule in rules {
                    self.index.remove_rule(*rule);
                }
            }
            DirectoryChange::ScopeDeleted(scope) => self.remove_scope(*scope),
            DirectoryChange::UserDeleted(id) => {
                if let Some(user) = self.users.remove(id) {
                    self.emails.remove(&user.email);
                }
            }
            DirectoryChange::ServiceAccountDeleted(id) => {
                self.service_accounts.remove(id);
            }
            DirectoryChange::Session(session) => self.put_session(session.clone()),
            DirectoryChange::SessionsEnded(sessions) => {
                for session in sessions {
                    self.sessions.remove(session);
                }
            }
            DirectoryChange::SigningKeys(keys) => self.signing_keys.clone_from(keys),
            // `apply` refuses the entry.
            DirectoryChange::Everything => {}
        }
    }

    fn put_cluster(&mut self, cluster: ClusterFacts) {
        self.index.add_cluster(cluster.id);
        self.clusters.insert(cluster.id, cluster);
    }

    fn put_department(&mut self, department: DepartmentFacts) {
        self.index.add_department(department.id, department.cluster_id);
        self.departments.insert(department.id, department);
    }

    fn put_project(&mut self, project: ProjectFacts) {
        self.index.add_project(project.id, project.department_id);
        self.projects.insert(project.id, project);
    }

    fn put_role(&mut self, facts: CustomRoleFacts) {
        let role = Role::custom(CustomRole {
            id: facts.id,
            name: facts.name.clone(),
            description: facts.description.clone(),
            in_clusters_as: facts.in_clusters_as.and_then(RoleId::new),
            permissions: permission_sets::together(&facts.permission_sets),
        });
        // The store keeps none without a name or with a predefined one's number: such a one would allow nothing.
        if let Ok(role) = role {
            self.index.put_role(role);
        }
        self.roles.insert(facts.id, facts);
    }

    fn put_policy(&mut self, policy: PolicyFacts) {
        self.policies.insert((policy.scope, policy.kind), policy);
    }

    fn put_user(&mut self, user: UserFacts) {
        self.emails.insert(user.email.clone(), user.id);
        self.users.insert(user.id, user);
    }

    fn put_session(&mut self, mut session: SessionFacts) {
        // There may be a hundred thousand.
        session.groups.shrink_to_fit();
        self.sessions.insert(session.id, session);
    }

    fn remove_scope(&mut self, scope: Scope) {
        for gone in self.index.descendants(scope).into_iter().chain([scope]) {
            for kind in PolicyKind::ALL {
                self.policies.remove(&(gone, kind));
            }
            match gone {
                Scope::Account => {}
                Scope::Cluster(id) => drop(self.clusters.remove(&id)),
                Scope::Department(id) => drop(self.departments.remove(&id)),
                Scope::Project(id) => drop(self.projects.remove(&id)),
            }
        }
        self.index.remove_scope(scope);
    }

    /// All of it, each kind by its id: two directories are equal when these are.
    pub fn snapshot(&self) -> DirectorySnapshot {
        let mut snapshot = DirectorySnapshot {
            reached: self.mark.clone(),
            era: self.era,
            clusters: self.clusters.values().cloned().collect(),
            departments: self.departments.values().cloned().collect(),
            projects: self.projects.values().cloned().collect(),
            policies: self.policies.values().cloned().collect(),
            roles: self.roles.values().cloned().collect(),
            rules: self.index.rules().collect(),
            users: self.users.values().cloned().collect(),
            service_accounts: self.service_accounts.values().cloned().collect(),
            sessions: self.sessions.values().cloned().collect(),
            signing_keys: self.signing_keys.clone(),
            heard: Vec::new(),
        };
        snapshot.clusters.sort_by_key(|it| it.id);
        snapshot.departments.sort_by_key(|it| it.id);
        snapshot.projects.sort_by_key(|it| it.id);
        snapshot.rules.sort_by_key(|it| it.id);
        snapshot.users.sort_by_key(|it| it.id);
        snapshot.service_accounts.sort_by_key(|it| it.id);
        snapshot.sessions.sort_by_key(|it| it.id);
        snapshot
    }
}
