//! Casbin: a policy a rule; groups, scopes and actions as links of three role definitions.

use anyhow::Result;
use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};

use super::super::weight::{Scales, Weight};
use super::{Peer, sum, typed};
use crate::naive::Question;
use crate::plain::Organization;
use crate::rights::Rights;

pub(crate) struct Casbin(Enforcer);

const MODEL: &str = "
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, role

[role_definition]
g = _, _
g2 = _, _
g3 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g(r.sub, p.sub) && g2(r.obj, p.obj) && g3(r.act, p.role)
";

impl Peer for Casbin {
    type Question = (String, String, String);

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let scales = Scales::begin();
        let mut policies: Vec<Vec<String>> = Vec::new();
        for rule in &organization.rules {
            policies.push(vec![
                typed(rule.subject),
                rule.scope.to_string(),
                rule.role.to_string(),
            ]);
        }
        // It refuses a list with a line twice; one rule says what two that are the same do.
        policies.sort_unstable();
        policies.dedup();
        let mut members: Vec<Vec<String>> = Vec::new();
        for caller in &organization.callers {
            for group in &caller.groups {
                members.push(vec![typed(caller.subject), typed(*group)]);
            }
        }
        members.sort_unstable();
        members.dedup();
        let above = organization.scopes().into_iter().filter_map(|scope| {
            let parent = organization.parent(scope)?;
            Some(vec![scope.to_string(), parent.to_string()])
        });
        let above: Vec<Vec<String>> = above.collect();
        let mut may: Vec<Vec<String>> = Vec::new();
        for role in &organization.roles {
            let own = (0..rights.count()).filter(|permission| role.allows(*permission));
            may.extend(own.map(|permission| vec![rights.name(permission), role.id.to_string()]));
        }
        let enforcer = pollster::block_on(async {
            let model = DefaultModel::from_str(MODEL).await?;
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
            enforcer.add_policies(policies).await?;
            enforcer.add_named_grouping_policies("g", members).await?;
            enforcer.add_named_grouping_policies("g2", above).await?;
            enforcer.add_named_grouping_policies("g3", may).await?;
            casbin::Result::Ok(enforcer)
        })?;
        let weight = scales.end();
        Ok((Self(enforcer), weight))
    }

    fn prepare(&self, rights: &Rights, question: &Question) -> Result<Self::Question> {
        Ok((
            typed(question.who.subject),
            question.scope.to_string(),
            rights.name(question.permission),
        ))
    }

    fn touch((who, scope, permission): &Self::Question) -> usize {
        sum(who) + sum(scope) + sum(permission)
    }

    fn ask(&mut self, (who, scope, permission): &Self::Question) -> Result<bool> {
        Ok(self
            .0
            .enforce((who.as_str(), scope.as_str(), permission.as_str()))?)
    }
}
