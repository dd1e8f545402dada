//! `reeve auth why` and `reeve auth check`.

use reeve_api::authorization::{AllowingRule, Decision, Explanation, GroupsFrom};
use serde_json::json;

use super::{BASE, NOT_ALL, asked, scope, scope_name, subject_name};
use crate::Context;
use crate::args::Question;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn show(context: &mut Context, question: Question) -> Result<(), Failure> {
    let explanation = ask(context, &question, "cannot find out why").await?;
    context.printer.answer(&explanation, || people(&explanation))
}

/// Ends with 1 also where it cannot be known: a script must not go on then.
pub(super) async fn check(context: &mut Context, question: Question) -> Result<(), Failure> {
    let explanation = ask(context, &question, "cannot check access").await?;
    context.printer.answer(&explanation, || people(&explanation))?;
    match explanation.decision {
        Decision::Allow => Ok(()),
        Decision::Refuse => Err(Failure::refused("it is not allowed")),
        Decision::Unknown => Err(Failure::refused("no access rule that you may read allows it")
            .hint("somebody who may read all access rules of the account can tell")),
    }
}

async fn ask(context: &Context, question: &Question, what: &str) -> Result<Explanation, Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let (kind, id) = scope(&api, &question.place, what).await?;
    let permission = question.permission;
    let body = json!({
        "resourceType": permission.resource_type,
        "action": permission.action,
        "scopeType": kind,
        "scopeId": id,
        "subject": asked(&question.whom, question.in_groups.as_ref()),
    });
    api.post(&format!("{BASE}/explain"), &body)
        .await
        .map_err(|error| error.explain(what))
}

fn people(explanation: &Explanation) -> String {
    let subject = &explanation.subject;
    let who = format!("{} {}", subject.subject_type.as_str(), subject.subject_id);
    let what = format!(
        "{}:{} in {}",
        explanation.resource_type,
        explanation.action,
        scope_name(&explanation.scope)
    );
    let mut lines = vec![match explanation.decision {
        Decision::Allow => format!("allowed: {who}, {what}"),
        Decision::Refuse => format!("not allowed: {who}, {what}"),
        Decision::Unknown => format!("not known: {who}, {what}"),
    }];
    lines.extend(explanation.allowed_by.iter().map(|rule| by(explanation, rule)));
    lines.extend(
        explanation
            .missing
            .iter()
            .map(|missing| format!("  {}", missing.message)),
    );
    let groups = match subject.groups_from {
        GroupsFrom::None => None,
        GroupsFrom::Hidden => Some("not known to you".to_owned()),
        from if subject.groups.is_empty() => Some(format!("none ({})", from_where(from))),
        from => Some(format!("{} ({})", subject.groups.join(", "), from_where(from))),
    };
    lines.extend(groups.map(|groups| format!("  groups: {groups}")));
    if !explanation.complete {
        lines.push(format!("  {NOT_ALL}"));
    }
    lines.join("\n")
}

const fn from_where(from: GroupsFrom) -> &'static str {
    match from {
        GroupsFrom::ThisSession => "your session",
        GroupsFrom::OpenSessions => "open sessions",
        GroupsFrom::Question => "assumed",
        GroupsFrom::Hidden | GroupsFrom::None => "",
    }
}

fn by(explanation: &Explanation, rule: &AllowingRule) -> String {
    let subject = &explanation.subject;
    let own =
        rule.through.subject_type == subject.subject_type && rule.through.subject_id == subject.subject_id;
    let through = if own {
        String::new()
    } else {
        format!(" through {}", subject_name(&rule.through))
    };
    let way: Vec<String> = rule.scope_path.iter().map(scope_name).collect();
    format!(
        "  by access rule {}: {}{through} in {}",
        rule.access_rule_id,
        rule.role_name,
        way.join(" > ")
    )
}
