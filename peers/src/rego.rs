//! An organization in Rego, for regorus: rules are data under the names of their subjects and scopes, so that a question looks at what is
//! the caller's alone and never at all rules.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use regorus::{Engine, Value};

use crate::plain::{Organization, Permission, Scope, Subject};
use crate::rights::Rights;

/// `names`: everybody with the groups; `chains`: a scope and what is above it; `given`: the roles by name and scope; `may`: what a role
/// may do.
const POLICY: &str = "package reeve

default allow := false

allow if {
	some name in data.names[input.who]
	mine := data.given[name]
	some scope in data.chains[input.scope]
	some role in mine[scope]
	data.may[role][input.permission]
}
";
const ALLOW: &str = "data.reeve.allow";

/// An engine of regorus that holds an organization.
pub struct Rego {
    engine: Engine,
}

type Object = BTreeMap<Value, Value>;

fn list(items: impl IntoIterator<Item = String>) -> Value {
    Value::from(items.into_iter().map(Value::from).collect::<Vec<_>>())
}

impl Rego {
    /// Loads an organization.
    ///
    /// # Errors
    /// Regorus refuses some of it.
    pub fn load(rights: &Rights, organization: &Organization) -> Result<Self> {
        let mut engine = Engine::new();
        engine.add_policy("reeve.rego".to_owned(), POLICY.to_owned())?;
        engine.add_data(data(rights, organization))?;
        let mut loaded = Self { engine };
        // The first answer compiles the policy.
        loaded.allows(&Value::from(Object::new()))?;
        Ok(loaded)
    }

    /// A question. Groups are not named: they are among the data.
    pub fn ask(rights: &Rights, who: Subject, permission: Permission, scope: Scope) -> Value {
        let parts = [
            ("who", who.key()),
            ("permission", rights.name(permission)),
            ("scope", scope.to_string()),
        ];
        let parts = parts
            .into_iter()
            .map(|(name, value)| (Value::from(name), Value::from(value)));
        Value::from(parts.collect::<Object>())
    }

    /// Whether it is allowed.
    ///
    /// # Errors
    /// The policy fails.
    pub fn allows(&mut self, question: &Value) -> Result<bool> {
        self.engine.set_input(question.clone());
        let answer = self.engine.eval_rule(ALLOW.to_owned())?;
        answer
            .as_bool()
            .copied()
            .context("an answer that is neither yes nor no")
    }
}

fn data(rights: &Rights, organization: &Organization) -> Value {
    let mut given: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for rule in &organization.rules {
        let here = given.entry(rule.subject.key()).or_default();
        let roles = here.entry(rule.scope.to_string()).or_default();
        let role = rule.role.to_string();
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let given = given.into_iter().map(|(name, scopes)| {
        let scopes = scopes.into_iter();
        let scopes = scopes.map(|(scope, roles)| (Value::from(scope), list(roles)));
        (Value::from(name), Value::from(scopes.collect::<Object>()))
    });
    let names = organization.callers.iter().map(|caller| {
        let groups = caller.groups.iter().map(|group| group.key());
        let all = std::iter::once(caller.subject.key()).chain(groups);
        (Value::from(caller.subject.key()), list(all))
    });
    let chains = organization.scopes().into_iter().map(|scope| {
        let above = organization.chain(scope).into_iter();
        (
            Value::from(scope.to_string()),
            list(above.map(|it| it.to_string())),
        )
    });
    let may = organization.roles.iter().map(|role| {
        let permissions = (0..rights.count()).filter(|permission| role.allows(*permission));
        let permissions = permissions.map(|it| (Value::from(rights.name(it)), Value::from(true)));
        (
            Value::from(role.id.to_string()),
            Value::from(permissions.collect::<Object>()),
        )
    });
    let all = [
        ("given", given.collect::<Object>()),
        ("names", names.collect()),
        ("chains", chains.collect()),
        ("may", may.collect()),
    ];
    let all = all
        .into_iter()
        .map(|(name, object)| (Value::from(name), Value::from(object)));
    Value::from(all.collect::<Object>())
}
