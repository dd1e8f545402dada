//! The engine that is looked at: how plain data becomes its types, and back.

use anyhow::{Context, Result, ensure};
use reeve_authz::{
    Action, CustomRole, Entity, Index, Permission as Asked, PermissionSet, Principal, Role, RoleId, Rule,
    Scope, SubjectKey,
};
use reeve_types::{AccessRuleId, DepartmentId, ProjectId};

use crate::plain::{self, Caller, Change, LAST_PREDEFINED, Organization, Permission, Subject};
use crate::rights::Rights;

/// An index, and the words of permissions.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The index.
    pub index: Index,
    /// By [`Permission`].
    words: Vec<(Action, Entity)>,
}

/// A scope as the engine has it.
///
/// # Errors
/// No id has this number.
pub fn scope(scope: plain::Scope) -> Result<Scope> {
    Ok(match scope {
        plain::Scope::Account => Scope::Account,
        plain::Scope::Cluster(number) => {
            Scope::Cluster(format!("00000000-0000-4000-8000-0000000000{number:02x}").parse()?)
        }
        plain::Scope::Department(number) => {
            Scope::Department(DepartmentId::new(number.into()).context("the id of a department")?)
        }
        plain::Scope::Project(number) => {
            Scope::Project(ProjectId::new(number.into()).context("the id of a project")?)
        }
    })
}

/// A subject as the engine has it.
///
/// # Errors
/// Its name is none.
pub fn subject(subject: Subject) -> Result<SubjectKey> {
    let name = subject.name();
    Ok(match subject {
        Subject::User(_) => SubjectKey::User(name.parse()?),
        Subject::ServiceAccount(_) => SubjectKey::ServiceAccount(name.parse()?),
        Subject::Group(_) => SubjectKey::Group(name.parse()?),
    })
}

/// A caller as the engine has it.
///
/// # Errors
/// A name is none.
pub fn principal(who: &Caller) -> Result<Principal> {
    let groups = who.groups.iter().map(|group| group.name().parse());
    Ok(Principal {
        subject: subject(who.subject)?,
        groups: groups.collect::<Result<_, _>>()?,
    })
}

/// A rule as the engine has it.
///
/// # Errors
/// A number or a name is none.
pub fn rule(rule: &plain::Rule) -> Result<Rule> {
    Ok(Rule {
        id: AccessRuleId::new(rule.id).context("the id of a rule")?,
        subject: subject(rule.subject)?,
        role: RoleId::new(rule.role).context("the id of a role")?,
        scope: scope(rule.scope)?,
    })
}

impl Engine {
    /// An empty one.
    ///
    /// # Errors
    /// A word of the table is none of the engine's.
    pub fn new(rights: &Rights) -> Result<Self> {
        let word = |(word, action): &(String, &'static str)| -> Result<(Action, Entity)> {
            Ok((action.parse()?, word.parse()?))
        };
        ensure!(
            rights.permissions.len() <= Asked::all().count(),
            "a permission that the engine does not know"
        );
        Ok(Self {
            index: Index::new(),
            words: rights.permissions.iter().map(word).collect::<Result<_>>()?,
        })
    }

    /// One with an organization in it.
    ///
    /// # Errors
    /// Some of it is nothing that the engine can have.
    pub fn load(rights: &Rights, organization: &Organization) -> Result<Self> {
        let mut engine = Self::new(rights)?;
        for change in organization.as_changes() {
            engine.apply(&change)?;
        }
        let rules: Vec<Rule> = organization.rules.iter().map(rule).collect::<Result<_>>()?;
        engine.index.add_rules(rules);
        Ok(engine)
    }

    /// The words of a permission.
    ///
    /// # Errors
    /// It is none.
    pub fn word(&self, permission: Permission) -> Result<(Action, Entity)> {
        self.words
            .get(usize::from(permission))
            .copied()
            .context("a permission that is none")
    }

    /// Which permissions are in a set.
    pub fn permissions(&self, set: PermissionSet) -> Vec<Permission> {
        let held = |(number, (action, entity)): (usize, &(Action, Entity))| {
            let number = u16::try_from(number).ok()?;
            set.contains(Asked::new(*action, *entity)).then_some(number)
        };
        self.words.iter().enumerate().filter_map(held).collect()
    }

    /// Makes a role of the engine's.
    ///
    /// # Errors
    /// It is predefined, or its number is none.
    pub fn role(&self, role: &plain::Role) -> Result<Role> {
        let may = self.words.iter().zip(&role.may);
        let permissions = may
            .filter(|(_, may)| **may)
            .map(|((action, entity), _)| Asked::new(*action, *entity))
            .collect();
        Ok(Role::custom(CustomRole {
            id: RoleId::new(role.id).context("the id of a role")?,
            name: format!("Custom {}", role.id),
            description: String::new(),
            in_clusters_as: None,
            permissions,
        })?)
    }

    /// Makes a change. True as for [`Organization::apply`]; of a scope that goes nothing is said, and groups are the caller's.
    ///
    /// # Errors
    /// Some of it is nothing that the engine can have.
    pub fn apply(&mut self, change: &Change) -> Result<Option<bool>> {
        let index = &mut self.index;
        Ok(Some(match change {
            Change::AddCluster(id) => match scope(plain::Scope::Cluster(*id))? {
                Scope::Cluster(id) => index.add_cluster(id),
                _ => return Ok(None),
            },
            Change::AddDepartment(id, cluster) => {
                let (id, cluster) = (
                    scope(plain::Scope::Department(*id))?,
                    scope(plain::Scope::Cluster(*cluster))?,
                );
                match (id, cluster) {
                    (Scope::Department(id), Scope::Cluster(cluster)) => index.add_department(id, cluster),
                    _ => return Ok(None),
                }
            }
            Change::AddProject(id, department) => {
                let (id, department) = (
                    scope(plain::Scope::Project(*id))?,
                    scope(plain::Scope::Department(*department))?,
                );
                match (id, department) {
                    (Scope::Project(id), Scope::Department(department)) => index.add_project(id, department),
                    _ => return Ok(None),
                }
            }
            Change::RemoveScope(gone) => {
                index.remove_scope(scope(*gone)?);
                return Ok(None);
            }
            Change::PutRule(put) => index.add_rule(rule(put)?),
            Change::RemoveRule(id) => {
                let id = AccessRuleId::new(*id).context("the id of a rule")?;
                index.remove_rule(id).is_some()
            }
            Change::PutRole(role) => {
                let role = self.role(role)?;
                self.index.put_role(role)
            }
            Change::RemoveRole(id) => index.remove_role(RoleId::new(*id).context("the id of a role")?),
            Change::SetGroups(..) => return Ok(None),
        }))
    }
}

impl Organization {
    /// The scopes and the roles that are made at run time, one change each.
    pub fn as_changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        let made = self.roles.iter().filter(|role| role.id > LAST_PREDEFINED);
        changes.extend(made.cloned().map(Change::PutRole));
        changes.extend(self.clusters.iter().copied().map(Change::AddCluster));
        changes.extend(
            self.departments
                .iter()
                .map(|(id, above)| Change::AddDepartment(*id, *above)),
        );
        changes.extend(
            self.projects
                .iter()
                .map(|(id, above)| Change::AddProject(*id, *above)),
        );
        changes
    }
}
