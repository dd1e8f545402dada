//! `reeve auth`: questions about access.

mod preview;
mod what_can;
mod who_can;
mod why;

use reeve_api::authorization::{Actions, ScopeRef, SubjectRef};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::Context;
use crate::args::{Auth, Names, Place, Whom};
use crate::commands::find;
use crate::failure::Failure;
use crate::http::{Api, CallError};
use reeve_api::access_rule::ScopeType;
use reeve_types::GroupName;

const BASE: &str = "/api/v1/authorization";

/// How many entries an answer is asked for at a time.
const PAGE: usize = 500;

/// Runs a command.
pub(super) async fn run(context: &mut Context, command: Auth) -> Result<(), Failure> {
    match command {
        Auth::Why(question) => why::show(context, question).await,
        Auth::Check(question) => why::check(context, question).await,
        Auth::WhoCan(arguments) => who_can::run(context, arguments).await,
        Auth::WhatCan(arguments) => what_can::run(context, arguments).await,
        Auth::Preview(arguments) => preview::run(context, *arguments).await,
    }
}

/// `scopeType` and `scopeId`.
pub(super) async fn scope(api: &Api, place: &Place, what: &str) -> Result<(ScopeType, String), Failure> {
    Ok(match (&place.project, place.department, place.cluster) {
        (Some(name), ..) => {
            let id = find::project(api, name, what).await?.id;
            (ScopeType::Project, id.to_string())
        }
        (None, Some(id), _) => (ScopeType::Department, id.to_string()),
        (None, None, Some(id)) => (ScopeType::Cluster, id.to_string()),
        (None, None, None) => (ScopeType::Tenant, "1".to_owned()),
    })
}

/// `subjectType` and `subjectId`; `None` for the one who asks.
pub(super) fn subject(whom: &Whom) -> Option<(&'static str, String)> {
    let user = whom.user.as_ref().map(|it| ("user", it.to_string()));
    let group = || whom.group.as_ref().map(|it| ("group", it.to_string()));
    let account = || {
        let account = whom.service_account.as_ref();
        account.map(|it| ("service-account", it.to_string()))
    };
    user.or_else(group).or_else(account)
}

/// The member `subject` of a question; null for the one who asks.
fn asked(whom: &Whom, groups: Option<&Names<GroupName>>) -> Value {
    let Some((kind, id)) = subject(whom) else {
        return Value::Null;
    };
    json!({"subjectType": kind, "subjectId": id, "groups": groups.map(|names| &names.0)})
}

/// All pages of an answer, put together by `add`, which says where the next one begins.
async fn pages<T: DeserializeOwned>(
    api: &Api,
    question: &str,
    mut body: Map<String, Value>,
    next: impl Fn(&T) -> Option<usize>,
    add: impl Fn(&mut T, T),
) -> Result<T, CallError> {
    let path = format!("{BASE}/{question}");
    body.insert("limit".to_owned(), json!(PAGE));
    let mut all: T = api.post(&path, &body).await?;
    let mut offset = next(&all);
    while let Some(start) = offset {
        body.insert("offset".to_owned(), json!(start));
        let page: T = api.post(&path, &body).await?;
        offset = next(&page).filter(|next| *next > start);
        add(&mut all, page);
    }
    Ok(all)
}

/// A scope in a word or two. People say account where the wire says tenant; there is but one.
fn scope_name(scope: &ScopeRef) -> String {
    match scope.scope_type {
        ScopeType::Tenant => "the whole account".to_owned(),
        other => format!("{} {}", other.as_str(), scope.scope_name),
    }
}

fn subject_name(subject: &SubjectRef) -> String {
    format!("{} {}", subject.subject_type.as_str(), subject.subject_id)
}

/// Permissions, a line for each type of resource.
fn permissions(actions: &[Actions], indent: &str) -> String {
    let line = |it: &Actions| {
        let words: Vec<String> = it.actions.iter().map(ToString::to_string).collect();
        format!("{indent}{}: {}", it.resource_type, words.join(", "))
    };
    actions.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is said below an answer that may not be all.
const NOT_ALL: &str = "of access rules that you may not read nothing is shown, whether or not there are any";
