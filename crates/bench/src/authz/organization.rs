//! The rule set and the questions that are timed, and the plain loop whose answers the index must give.

use std::hint::black_box;

use anyhow::Context as _;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use reeve_authz::{
    CustomRole, Index, Permission, PermissionSet, Principal, Role, RoleId, Rule, Scope, SubjectKey,
};
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, Email, GroupName, ProjectId};

const CLUSTERS: u8 = 4;
const DEPARTMENTS: i64 = 100;
const PROJECTS: i64 = 1_000;

pub(super) struct Question {
    pub(super) who: Principal,
    pub(super) permission: Permission,
    pub(super) scope: Scope,
}

pub(super) struct Organization {
    clusters: Vec<ClusterId>,
    departments: Vec<(DepartmentId, ClusterId)>,
    projects: Vec<(ProjectId, DepartmentId)>,
    users: Vec<Principal>,
    /// As many as the bench says: the predefined ones, and made at run time what is missing.
    roles: Vec<Role>,
    rules: Vec<Rule>,
}

/// How many roles rules are drawn from.
pub(super) const ROLES: usize = 20;

fn roles() -> anyhow::Result<Vec<Role>> {
    let mut roles = Role::all_predefined().to_vec();
    for number in 1_000.. {
        if roles.len() >= ROLES {
            break;
        }
        roles.push(Role::custom(CustomRole {
            id: RoleId::new(number).context("ids of roles are small")?,
            name: format!("Custom {number}"),
            description: String::new(),
            in_clusters_as: None,
            permissions: Permission::all().step_by(3).collect::<PermissionSet>(),
        })?);
    }
    Ok(roles)
}

impl Question {
    /// Reads the question once, as a server does that has just built it from a request; the index stays as cold as it is.
    pub(super) fn touch(&self) {
        let names = self
            .who
            .groups
            .iter()
            .map(GroupName::as_str)
            .chain([self.who.subject.name()]);
        black_box(names.flat_map(str::bytes).fold(0_u8, u8::wrapping_add));
    }

    pub(super) fn ask(&self, index: &Index) -> bool {
        index
            .decide(
                &self.who,
                self.permission.action,
                self.permission.entity,
                self.scope,
            )
            .is_ok()
    }
}

impl Organization {
    pub(super) fn generate(count: usize, random: &mut StdRng) -> anyhow::Result<Self> {
        let mut organization = Self {
            clusters: Vec::new(),
            departments: Vec::new(),
            projects: Vec::new(),
            users: Vec::new(),
            roles: roles()?,
            rules: Vec::with_capacity(count),
        };
        for number in 0..CLUSTERS {
            organization
                .clusters
                .push(format!("00000000-0000-4000-8000-0000000000{number:02x}").parse()?);
        }
        for number in 1..=DEPARTMENTS {
            let id = DepartmentId::new(number).context("department ids start at 1")?;
            organization
                .departments
                .push((id, *any(&organization.clusters, random)?));
        }
        for number in 1..=PROJECTS {
            let id = ProjectId::new(number).context("project ids start at 1")?;
            organization
                .projects
                .push((id, any(&organization.departments, random)?.0));
        }
        let groups = (0..(count / 20).max(1))
            .map(|number| format!("group-{number}-of-the-directory").parse())
            .collect::<Result<Vec<GroupName>, _>>()?;
        for number in 0..(count / 2).max(100) {
            let email: Email = format!("person.{number}@research.example.com").parse()?;
            let groups = (0..5)
                .map(|_| any(&groups, random).cloned())
                .collect::<Result<_, _>>()?;
            organization.users.push(Principal {
                subject: SubjectKey::User(email),
                groups,
            });
        }
        for number in 1..=count {
            let id = AccessRuleId::new(i64::try_from(number)?).context("too many rules for their ids")?;
            let subject = if random.random_range(0..100) < 60 {
                any(&organization.users, random)?.subject.clone()
            } else {
                SubjectKey::Group(any(&groups, random)?.clone())
            };
            let scope = match random.random_range(0..100) {
                0 => Scope::Account,
                1..=4 => Scope::Cluster(*any(&organization.clusters, random)?),
                5..=24 => Scope::Department(any(&organization.departments, random)?.0),
                _ => Scope::Project(any(&organization.projects, random)?.0),
            };
            organization.rules.push(Rule {
                id,
                subject,
                role: any(&organization.roles, random)?.id(),
                scope,
            });
        }
        Ok(organization)
    }

    /// Copies the rules while it loads them: the copies are the index's own.
    pub(super) fn load(&self) -> Index {
        let mut index = Index::new();
        for role in self.roles.iter().filter(|role| role.is_custom()) {
            index.put_role(role.clone());
        }
        for id in &self.clusters {
            index.add_cluster(*id);
        }
        for (id, cluster) in &self.departments {
            index.add_department(*id, *cluster);
        }
        for (id, department) in &self.projects {
            index.add_project(*id, *department);
        }
        index.add_rules(self.rules.iter().cloned());
        index
    }

    pub(super) fn questions(&self, count: usize, random: &mut StdRng) -> anyhow::Result<Vec<Question>> {
        let permissions: Vec<Permission> = Permission::all().collect();
        let mut questions = Vec::with_capacity(count);
        for number in 0..count {
            let project = Scope::Project(any(&self.projects, random)?.0);
            let (who, permission) = (any(&self.users, random)?.clone(), *any(&permissions, random)?);
            let mut question = Question {
                who,
                permission,
                scope: project,
            };
            if number % 2 == 0 {
                let rule = any(&self.rules, random)?;
                match &rule.subject {
                    SubjectKey::Group(name) => {
                        question.who.groups.pop();
                        question.who.groups.push(name.clone());
                        question.who.groups.shuffle(random);
                    }
                    subject => question.who.subject = subject.clone(),
                }
                let allowed: Vec<Permission> = self.permissions(rule.role).iter().collect();
                question.permission = *any(&allowed, random)?;
                question.scope = self.below(rule.scope, random)?;
            }
            questions.push(question);
        }
        questions.shuffle(random);
        Ok(questions)
    }

    fn permissions(&self, role: RoleId) -> PermissionSet {
        let found = self.roles.iter().find(|other| other.id() == role);
        found.map(Role::permissions).unwrap_or_default()
    }

    fn below(&self, scope: Scope, random: &mut StdRng) -> anyhow::Result<Scope> {
        let projects: Vec<Scope> = self
            .projects
            .iter()
            .map(|(id, _)| Scope::Project(*id))
            .filter(|project| self.chain(*project).contains(&scope))
            .collect();
        Ok(if projects.is_empty() {
            scope
        } else {
            *any(&projects, random)?
        })
    }

    fn chain(&self, scope: Scope) -> Vec<Scope> {
        let above = match scope {
            Scope::Account => return vec![scope],
            Scope::Cluster(_) => Some(Scope::Account),
            Scope::Department(id) => self
                .departments
                .iter()
                .find(|(other, _)| *other == id)
                .map(|(_, cluster)| Scope::Cluster(*cluster)),
            Scope::Project(id) => self
                .projects
                .iter()
                .find(|(other, _)| *other == id)
                .map(|(_, above)| Scope::Department(*above)),
        };
        let mut chain = above.map(|above| self.chain(above)).unwrap_or_default();
        chain.push(scope);
        chain
    }

    /// The answer by a loop over all rules.
    pub(super) fn plainly(&self, question: &Question) -> bool {
        let chain = self.chain(question.scope);
        self.rules.iter().any(|rule| {
            let named = match &rule.subject {
                SubjectKey::Group(name) => question.who.groups.contains(name),
                subject => *subject == question.who.subject,
            };
            named && chain.contains(&rule.scope) && self.permissions(rule.role).contains(question.permission)
        })
    }
}

fn any<'a, T>(items: &'a [T], random: &mut StdRng) -> anyhow::Result<&'a T> {
    items.choose(random).context("nothing to choose from")
}
