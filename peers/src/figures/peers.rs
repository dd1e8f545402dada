//! The engines, behind one trait: loading an organization, preparing a question, answering it.

use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use cedar_policy::Request;
use reeve_authz::{Action, Entity, Principal, Rule, Scope};

use super::weight::{Scales, Weight};
use crate::cedar::{Encoder, Grants, Links};
use crate::engine::{self, Engine};
use crate::matcher::{self, Matcher};
use crate::naive::Question;
use crate::plain::Organization;
use crate::rego::Rego;
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
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|kind| kind.name() == text) {
            Some(kind) => Ok(kind),
            None => bail!(
                "`{text}` is no engine: one of {} is needed",
                Self::ALL.map(Self::name).join(", ")
            ),
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
        let rules = organization
            .rules
            .iter()
            .map(engine::rule)
            .collect::<Result<Vec<Rule>>>()?;
        let mut engine = Engine::new(rights)?;
        // The rules as they come are the caller's; the index copies what it keeps.
        scales.weigh_from_here();
        for change in organization.as_changes() {
            engine.apply(&change)?;
        }
        engine.index.add_rules(rules.iter().cloned());
        let weight = scales.end();
        ensure!(
            engine.index.rule_count() == rules.len(),
            "some rules were not loaded"
        );
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
    parts
        .into_iter()
        .flatten()
        .map(|uid| sum(uid.id().unescaped()))
        .sum()
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
        self.0
            .ask(question.who.subject, question.permission, question.scope)
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
        self.0
            .ask(question.who.subject, question.permission, question.scope)
    }

    fn touch(question: &Request) -> usize {
        touch_request(question)
    }

    fn ask(&mut self, question: &Request) -> Result<bool> {
        Ok(self.1.allows(question))
    }
}

pub(super) struct Regorus(Rego);

impl Peer for Regorus {
    type Question = regorus::Value;

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let scales = Scales::begin();
        let rego = Rego::load(rights, organization)?;
        let weight = scales.end();
        Ok((Self(rego), weight))
    }

    fn prepare(&self, rights: &Rights, question: &Question) -> Result<regorus::Value> {
        let (who, permission, scope) = (question.who.subject, question.permission, question.scope);
        Ok(Rego::ask(rights, who, permission, scope))
    }

    fn touch(question: &regorus::Value) -> usize {
        let parts = question
            .as_object()
            .ok()
            .into_iter()
            .flat_map(|parts| parts.iter());
        let texts = parts.filter_map(|(_, value)| value.as_string().ok());
        texts.map(|text| sum(text)).sum()
    }

    fn ask(&mut self, question: &regorus::Value) -> Result<bool> {
        self.0.allows(question)
    }
}

pub(super) struct Casbin(Matcher);

impl Peer for Casbin {
    type Question = matcher::Request;

    fn load(rights: &Rights, organization: &Organization) -> Result<(Self, Weight)> {
        let scales = Scales::begin();
        let matcher = Matcher::load(rights, organization)?;
        let weight = scales.end();
        Ok((Self(matcher), weight))
    }

    fn prepare(&self, rights: &Rights, question: &Question) -> Result<matcher::Request> {
        let (who, permission, scope) = (question.who.subject, question.permission, question.scope);
        Ok(Matcher::ask(rights, who, permission, scope))
    }

    fn touch((who, scope, permission): &matcher::Request) -> usize {
        sum(who) + sum(scope) + sum(permission)
    }

    fn ask(&mut self, question: &matcher::Request) -> Result<bool> {
        self.0.allows(question)
    }
}
