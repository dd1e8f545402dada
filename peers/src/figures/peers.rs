//! The engines, behind one trait: loading an organization, preparing a question, answering it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use cedar_policy::Request;
use reeve_authz::{Action, Entity, Principal, Rule, Scope};

use super::weight::{Scales, Weight};
use crate::cedar::{Encoder, Grants, Links};
use crate::engine::{self, Engine};
use crate::naive::Question;
use crate::plain::{Organization, Subject};
use crate::rights::Rights;

/// Which engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Ours.
    Reeve,
    /// Cedar with grants as entities.
    CedarGrants,
    /// Cedar with a policy a rule.
    CedarLinks,
    /// Regorus with rules as keyed data.
    Regorus,
    /// Casbin with a policy a rule.
    Casbin,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Reeve,
        Self::CedarGrants,
        Self::CedarLinks,
        Self::Regorus,
        Self::Casbin,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reeve => "reeve",
            Self::CedarGrants => "cedar-grants",
            Self::CedarLinks => "cedar-links",
            Self::Regorus => "regorus",
            Self::Casbin => "casbin",
        }
    }

    /// The most rules it is measured with: beyond, loading takes minutes or several GiB, or a check a good part of a second.
    pub const fn most_rules(self) -> u32 {
        match self {
            Self::Reeve => u32::MAX,
            Self::CedarGrants | Self::CedarLinks | Self::Regorus => 100_000,
            Self::Casbin => 10_000,
        }
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|kind| kind.name() == text) {
            Some(kind) => Ok(kind),
            None => bail!("`{text}` is no engine: one of reeve, cedar-grants, cedar-links, regorus, casbin is needed"),
        }
    }
}

/// One engine that holds an organization.
pub(super) trait Peer: Sized {
    /// What it is asked.
    type Question;

    /// Loads an organization, and says what that took.
    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)>;

    /// Builds a question.
    fn prepare(&self, rights: &Rights, question: &Question) -> Result<Self::Question>;

    /// Reads a question once, as whoever has just built it.
    fn touch(question: &Self::Question) -> usize;

    /// Answers it.
    fn ask(&mut self, question: &Self::Question) -> Result<bool>;
}

pub(super) struct Reeve(pub(super) Engine);

impl Peer for Reeve {
    type Question = (Principal, Action, Entity, Scope);

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let mut scales = Scales::begin();
        let rules = organization.rules.iter().map(engine::rule).collect::<Result<Vec<Rule>>>()?;
        let mut engine = Engine::new(rights)?;
        // The rules as they come are the caller's; the index copies what it keeps.
        scales.weigh_from_here();
        for change in organization.as_changes() {
            engine.apply(&change)?;
        }
        engine.index.add_rules(rules.iter().cloned());
        let weight = scales.end();
        ensure!(engine.index.rule_count() == rules.len(), "some rules were not loaded");
        Ok((Self(engine), weight))
    }

    fn prepare(&self, _: &Rights, question: &Question) -> Result<Self::Question> {
        let (action, entity) = self.0.word(question.permission)?;
        Ok((
            engine::principal(&question.who)?,
            action,
            entity,
            engine::scope(question.scope)?,
        ))
    }

    fn touch((who, ..): &Self::Question) -> usize {
        let groups = who.groups.iter().map(|group| sum(group.as_str())).sum::<usize>();
        groups + sum(who.subject.name())
    }

    fn ask(&mut self, (who, action, entity, scope): &Self::Question) -> Result<bool> {
        Ok(self.0.index.decide(who, *action, *entity, *scope).is_ok())
    }
}

fn sum(text: &str) -> usize {
    text.bytes().map(usize::from).sum()
}

fn touch_request(request: &Request) -> usize {
    let parts = [request.principal(), request.action(), request.resource()];
    parts.into_iter().flatten().map(|uid| sum(uid.id().unescaped())).sum()
}

pub(super) struct CedarGrants(Encoder, Grants);

impl Peer for CedarGrants {
    type Question = Request;

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let scales = Scales::begin();
        let mut encoder = Encoder::new(rights)?;
        let grants = encoder.grants(organization)?;
        let weight = scales.end();
        Ok((Self(encoder, grants), weight))
    }

    fn prepare(&self, _: &Rights, question: &Question) -> Result<Request> {
        self.0.ask(question.who.subject, question.permission, question.scope)
    }

    fn touch(question: &Request) -> usize {
        touch_request(question)
    }

    fn ask(&mut self, question: &Request) -> Result<bool> {
        Ok(self.1.allows(question))
    }
}

pub(super) struct CedarLinks(Encoder, Links);

impl Peer for CedarLinks {
    type Question = Request;

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let scales = Scales::begin();
        let mut encoder = Encoder::new(rights)?;
        let links = encoder.links(organization)?;
        let weight = scales.end();
        Ok((Self(encoder, links), weight))
    }

    fn prepare(&self, _: &Rights, question: &Question) -> Result<Request> {
        self.0.ask(question.who.subject, question.permission, question.scope)
    }

    fn touch(question: &Request) -> usize {
        touch_request(question)
    }

    fn ask(&mut self, question: &Request) -> Result<bool> {
        Ok(self.1.allows(question))
    }
}

/// A name that no subject of another kind has.
fn typed(subject: Subject) -> String {
    let kind = match subject {
        Subject::User(_) => "user",
        Subject::ServiceAccount(_) => "service-account",
        Subject::Group(_) => "group",
    };
    format!("{kind}:{}", subject.name())
}

pub(super) struct Regorus(regorus::Engine);

const POLICY: &str = "package authz

default allow := false

allow if {
    some subject in data.members[input.who]
    held := data.grants[subject]
    some scope in data.above[input.scope]
    some role in held[scope]
    data.may[role][input.permission]
}
";

/// Members of an object, or of an array, of texts that are JSON already.
fn join<T>(items: impl IntoIterator<Item = T>, write: impl FnMut(T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(write).collect();
    items.join(",")
}

/// Everything keyed by what is looked for. No name here needs escaping.
fn data(rights: &Rights, organization: &Organization) -> String {
    let mut by_subject: BTreeMap<Subject, BTreeMap<String, Vec<i64>>> = BTreeMap::new();
    for rule in &organization.rules {
        let scopes = by_subject.entry(rule.subject).or_default();
        scopes.entry(rule.scope.to_string()).or_default().push(rule.role);
    }
    let grants = join(by_subject, |(subject, scopes)| {
        let scopes = join(scopes, |(scope, roles)| {
            format!("\"{scope}\":[{}]", join(roles, |role| format!("\"{role}\"")))
        });
        format!("\"{}\":{{{scopes}}}", typed(subject))
    });
    let members = join(&organization.callers, |caller| {
        let own = [caller.subject].into_iter().chain(caller.groups.iter().copied());
        let own = join(own, |subject| format!("\"{}\"", typed(subject)));
        format!("\"{}\":[{own}]", typed(caller.subject))
    });
    let above = join(organization.scopes(), |scope| {
        let chain = join(organization.chain(scope), |scope| format!("\"{scope}\""));
        format!("\"{scope}\":[{chain}]")
    });
    let may = join(&organization.roles, |role| {
        let own = (0..rights.count()).filter(|permission| role.allows(*permission));
        let own = join(own, |permission| format!("\"{}\":true", rights.name(permission)));
        format!("\"{}\":{{{own}}}", role.id)
    });
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{{\"grants\":{{{grants}}},\"members\":{{{members}}},\"above\":{{{above}}},\"may\":{{{may}}}}}"
    );
    text
}

impl Peer for Regorus {
    type Question = regorus::Value;

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let mut scales = Scales::begin();
        let text = data(rights, organization);
        // The text is not the engine's.
        scales.weigh_from_here();
        let mut engine = regorus::Engine::new();
        engine.add_policy("authz.rego".to_owned(), POLICY.to_owned())?;
        engine.add_data(regorus::Value::from_json_str(&text)?)?;
        let weight = scales.end();
        Ok((Self(engine), weight))
    }

    fn prepare(&self, rights: &Rights, question: &Question) -> Result<regorus::Value> {
        let (who, scope) = (typed(question.who.subject), question.scope);
        let permission = rights.name(question.permission);
        regorus::Value::from_json_str(&format!(
            "{{\"who\":\"{who}\",\"scope\":\"{scope}\",\"permission\":\"{permission}\"}}"
        ))
    }

    fn touch(_: &regorus::Value) -> usize {
        0
    }

    fn ask(&mut self, question: &regorus::Value) -> Result<bool> {
        self.0.set_input(question.clone());
        Ok(self.0.eval_rule("data.authz.allow".to_owned())? == regorus::Value::from(true))
    }
}

pub(super) struct Casbin(Enforcer);

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
            policies.push(vec![typed(rule.subject), rule.scope.to_string(), rule.role.to_string()]);
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
        Ok(self.0.enforce((who.as_str(), scope.as_str(), permission.as_str()))?)
    }
}
