//! An organization in casbin: a policy a rule, and a matcher that is asked of one after the other. Who is in which group, which scope is in
//! which, and what a role may do are its role definitions.

use anyhow::{Result, anyhow, ensure};
use casbin::{CoreApi as _, DefaultModel, Enforcer};

use crate::plain::{Organization, Permission, Scope, Subject};
use crate::rights::Rights;

/// The scope first: most rules are of another one.
const MODEL: &str = "
[request_definition]
r = sub, dom, act

[policy_definition]
p = sub, dom, role

[role_definition]
g = _, _
g2 = _, _
g3 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g2(r.dom, p.dom) && g3(r.act, p.role) && g(r.sub, p.sub)
";

/// An enforcer that holds an organization.
pub struct Matcher {
    enforcer: Enforcer,
}

/// Who, where, what.
pub type Request = (String, String, String);

/// All role definitions are in one graph: its names have their kinds before them.
fn role(role: i64) -> String {
    format!("role/{role}")
}

fn permission(rights: &Rights, permission: Permission) -> String {
    format!("permission/{}", rights.name(permission))
}

fn refused(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("casbin: {error}")
}

impl Matcher {
    /// Loads an organization.
    ///
    /// # Errors
    /// Casbin refuses some of it.
    pub fn load(rights: &Rights, organization: &Organization) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut enforcer = runtime.block_on(async {
            let model = DefaultModel::from_str(MODEL).await.map_err(refused)?;
            Enforcer::new(model, ()).await.map_err(refused)
        })?;
        let model = enforcer.get_mut_model();
        for rule in &organization.rules {
            // Rules that differ in their numbers alone are one policy.
            let policy = vec![rule.subject.key(), rule.scope.to_string(), role(rule.role)];
            model.add_policy("p", "p", policy);
        }
        for caller in &organization.callers {
            for group in &caller.groups {
                model.add_policy("g", "g", vec![caller.subject.key(), group.key()]);
            }
        }
        for scope in organization.scopes() {
            if let Some(above) = organization.parent(scope) {
                model.add_policy("g", "g2", vec![scope.to_string(), above.to_string()]);
            }
        }
        for one in &organization.roles {
            for held in (0..rights.count()).filter(|held| one.allows(*held)) {
                model.add_policy("g", "g3", vec![permission(rights, held), role(one.id)]);
            }
        }
        ensure!(
            organization.rules.is_empty() || !model.get_policy("p", "p").is_empty(),
            "no rule was loaded"
        );
        enforcer.build_role_links().map_err(refused)?;
        Ok(Self { enforcer })
    }

    /// A question. Groups are not named: they are role definitions.
    pub fn ask(rights: &Rights, who: Subject, what: Permission, scope: Scope) -> Request {
        (who.key(), scope.to_string(), permission(rights, what))
    }

    /// Whether it is allowed.
    ///
    /// # Errors
    /// The matcher fails.
    pub fn allows(&self, (who, scope, permission): &Request) -> Result<bool> {
        let question = (who.as_str(), scope.as_str(), permission.as_str());
        self.enforcer.enforce(question).map_err(refused)
    }
}
