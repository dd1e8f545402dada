//! Regorus: rules as data, keyed by what is looked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;

use super::super::weight::{Scales, Weight};
use super::{Peer, typed};
use crate::naive::Question;
use crate::plain::{Organization, Subject};
use crate::rights::Rights;

pub(crate) struct Regorus(regorus::Engine);

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
