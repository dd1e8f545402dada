//! Two encodings of an organization in Cedar, made of plain data each time anew: nothing of one question is left for the next.
//!
//! - [`Grants`]: one policy a role; what rules give are entities. A subject is in `Grant::"<role>@<scope>"` for each rule that
//!   names it, a caller in the groups, and a scope has an attribute for each role: the grants at it and above it.
//! - [`Links`]: one policy a rule, linked from a template a role; scopes are in the scopes above them. Its answer names the rules.
//!
//! In both a permission is an action, and in the group of actions of each role that has it.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::{Context as _, Result, ensure};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId,
    PolicySet, Request, RestrictedExpression, SlotId, Template,
};

use crate::plain::{Organization, Permission, Scope, Subject};
use crate::rights::Rights;

/// Makes entities and policies of plain data. Texts of policies are parsed once for each role.
pub struct Encoder {
    user: EntityTypeName,
    service_account: EntityTypeName,
    group: EntityTypeName,
    scope: EntityTypeName,
    grant: EntityTypeName,
    action: EntityTypeName,
    /// By [`Permission`].
    words: Vec<String>,
    policies: HashMap<i64, Policy>,
    templates: HashMap<i64, Template>,
}

/// Grants as entities.
pub struct Grants {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

/// A policy a rule.
pub struct Links {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

/// The action that is in every role's group: what somebody is given at all.
const ANY: &str = "any";

fn uid(kind: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn role_name(role: i64) -> String {
    format!("role-{role}")
}

fn attribute(role: i64) -> String {
    format!("r{role}")
}

/// The roles that some rule gives: no other can allow anything.
fn given(organization: &Organization) -> BTreeSet<i64> {
    organization.rules.iter().map(|rule| rule.role).collect()
}

impl Encoder {
    /// One for these permissions.
    ///
    /// # Errors
    /// Cedar takes a name for none.
    pub fn new(rights: &Rights) -> Result<Self> {
        Ok(Self {
            user: "User".parse()?,
            service_account: "ServiceAccount".parse()?,
            group: "Group".parse()?,
            scope: "Scope".parse()?,
            grant: "Grant".parse()?,
            action: "Action".parse()?,
            words: (0..rights.count()).map(|number| rights.name(number)).collect(),
            policies: HashMap::new(),
            templates: HashMap::new(),
        })
    }

    fn subject(&self, subject: Subject) -> EntityUid {
        let kind = match subject {
            Subject::User(_) => &self.user,
            Subject::ServiceAccount(_) => &self.service_account,
            Subject::Group(_) => &self.group,
        };
        uid(kind, subject.name())
    }

    fn scope(&self, scope: Scope) -> EntityUid {
        uid(&self.scope, scope.to_string())
    }

    fn grant(&self, role: i64, scope: Scope) -> EntityUid {
        uid(&self.grant, format!("{role}@{scope}"))
    }

    fn action(&self, name: &str) -> EntityUid {
        uid(&self.action, name)
    }

    /// A question. Groups are not named: they are among the entities.
    ///
    /// # Errors
    /// Cedar refuses it.
    pub fn ask(&self, who: Subject, permission: Permission, scope: Scope) -> Result<Request> {
        let word = self.words.get(usize::from(permission)).context("a permission")?;
        self.request(who, word, scope)
    }

    /// What somebody is given at all in a scope: for [`Links`].
    ///
    /// # Errors
    /// Cedar refuses it.
    pub fn ask_for_anything(&self, who: Subject, scope: Scope) -> Result<Request> {
        self.request(who, ANY, scope)
    }

    fn request(&self, who: Subject, action: &str, scope: Scope) -> Result<Request> {
        let (who, action, scope) = (self.subject(who), self.action(action), self.scope(scope));
        Ok(Request::new(who, action, scope, Context::empty(), None)?)
    }

    /// Each permission is in the groups of the roles that have it.
    fn actions(&self, organization: &Organization, roles: &BTreeSet<i64>) -> Vec<Entity> {
        let groups: Vec<_> = organization
            .roles
            .iter()
            .filter(|role| roles.contains(&role.id))
            .map(|role| (role, self.action(&role_name(role.id))))
            .collect();
        let mut entities = Vec::with_capacity(self.words.len() + 1);
        for (permission, word) in (0..).zip(&self.words) {
            let having = groups.iter().filter(|(role, _)| role.allows(permission));
            let parents = having.map(|(_, group)| group.clone()).collect();
            entities.push(Entity::new_no_attrs(self.action(word), parents));
        }
        let every = groups.into_iter().map(|(_, group)| group).collect();
        entities.push(Entity::new_no_attrs(self.action(ANY), every));
        entities
    }

    /// Grants as entities.
    ///
    /// # Errors
    /// Cedar refuses some of it.
    pub fn grants(&mut self, organization: &Organization) -> Result<Grants> {
        let roles = given(organization);
        let mut parents: HashMap<Subject, HashSet<EntityUid>> = HashMap::new();
        let mut granted: HashSet<(i64, Scope)> = HashSet::new();
        for rule in &organization.rules {
            granted.insert((rule.role, rule.scope));
            let grant = self.grant(rule.role, rule.scope);
            parents.entry(rule.subject).or_default().insert(grant);
        }
        for caller in &organization.callers {
            let groups = caller.groups.iter().map(|group| self.subject(*group));
            parents.entry(caller.subject).or_default().extend(groups);
        }
        let mut entities = self.actions(organization, &roles);
        for (subject, parents) in parents {
            entities.push(Entity::new_no_attrs(self.subject(subject), parents));
        }
        for scope in organization.scopes() {
            let chain = organization.chain(scope);
            let of_role = |role: &i64| {
                let here = chain.iter().filter(|scope| granted.contains(&(*role, **scope)));
                let grants =
                    here.map(|scope| RestrictedExpression::new_entity_uid(self.grant(*role, *scope)));
                (attribute(*role), RestrictedExpression::new_set(grants))
            };
            let attributes = roles.iter().map(of_role).collect();
            entities.push(Entity::new(self.scope(scope), attributes, HashSet::new())?);
        }
        let mut policies = PolicySet::new();
        for role in roles {
            policies.add(self.policy(role)?)?;
        }
        Ok(Grants {
            authorizer: Authorizer::new(),
            policies,
            entities: Entities::from_entities(entities, None)?,
        })
    }

    fn policy(&mut self, role: i64) -> Result<Policy> {
        if let Some(known) = self.policies.get(&role) {
            return Ok(known.clone());
        }
        let (name, attribute) = (role_name(role), attribute(role));
        let text = format!(
            "permit(principal, action in Action::\"{name}\", resource) when {{ principal in resource.{attribute} }};"
        );
        let policy = Policy::parse(Some(PolicyId::new(name)), text)?;
        self.policies.insert(role, policy.clone());
        Ok(policy)
    }

    /// A policy a rule.
    ///
    /// # Errors
    /// Cedar refuses some of it.
    pub fn links(&mut self, organization: &Organization) -> Result<Links> {
        let roles = given(organization);
        let mut entities = self.actions(organization, &roles);
        for caller in &organization.callers {
            let groups = caller.groups.iter().map(|group| self.subject(*group)).collect();
            entities.push(Entity::new_no_attrs(self.subject(caller.subject), groups));
        }
        for scope in organization.scopes() {
            let parents = organization.parent(scope).map(|above| self.scope(above));
            entities.push(Entity::new_no_attrs(
                self.scope(scope),
                parents.into_iter().collect(),
            ));
        }
        let mut policies = PolicySet::new();
        for role in roles {
            policies.add_template(self.template(role)?)?;
        }
        for rule in &organization.rules {
            let slots = HashMap::from([
                (SlotId::principal(), self.subject(rule.subject)),
                (SlotId::resource(), self.scope(rule.scope)),
            ]);
            let id = PolicyId::new(format!("rule-{}", rule.id));
            policies.link(PolicyId::new(role_name(rule.role)), id, slots)?;
        }
        Ok(Links {
            authorizer: Authorizer::new(),
            policies,
            entities: Entities::from_entities(entities, None)?,
        })
    }

    fn template(&mut self, role: i64) -> Result<Template> {
        if let Some(known) = self.templates.get(&role) {
            return Ok(known.clone());
        }
        let name = role_name(role);
        let text =
            format!("permit(principal in ?principal, action in Action::\"{name}\", resource in ?resource);");
        let template = Template::parse(Some(PolicyId::new(name)), text)?;
        self.templates.insert(role, template.clone());
        Ok(template)
    }
}

impl Grants {
    /// Whether it is allowed. In a scope that does not exist every policy fails, and nothing is.
    pub fn allows(&self, request: &Request) -> bool {
        let answer = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        answer.decision() == Decision::Allow
    }

    /// The same of a scope that exists, where no policy may fail.
    ///
    /// # Errors
    /// One did: the encoding is wrong.
    pub fn decide(&self, request: &Request) -> Result<bool> {
        let answer = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        let error = answer.diagnostics().errors().next();
        ensure!(error.is_none(), "a policy of the encoding fails: {error:?}");
        Ok(answer.decision() == Decision::Allow)
    }
}

impl Links {
    /// Whether it is allowed.
    pub fn allows(&self, request: &Request) -> bool {
        let answer = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        answer.decision() == Decision::Allow
    }

    /// The rules by which it is allowed, by their numbers.
    ///
    /// # Errors
    /// A policy failed: the encoding is wrong.
    pub fn allowing(&self, request: &Request) -> Result<Vec<i64>> {
        let answer = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        let error = answer.diagnostics().errors().next();
        ensure!(error.is_none(), "a policy of the encoding fails: {error:?}");
        let number = |id: &PolicyId| -> Result<i64> {
            let id = id.to_string();
            let number = id.strip_prefix("rule-").context("a policy of no rule")?;
            Ok(number.parse()?)
        };
        let mut found = answer
            .diagnostics()
            .reason()
            .map(number)
            .collect::<Result<Vec<i64>>>()?;
        found.sort_unstable();
        Ok(found)
    }
}
