//! `reeve auth preview`: a change of access rules or groups, before it is made.

use reeve_api::authorization::{Preview, Reach};
use serde_json::{Map, json};

use super::{BASE, NOT_ALL, permissions, scope, scope_name, subject, subject_name};
use crate::Context;
use crate::args::PreviewChange;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: PreviewChange) -> Result<(), Failure> {
    let what = "cannot preview the change";
    let regroups = !arguments.join.is_empty() || !arguments.leave.is_empty();
    if arguments.role.is_none() && arguments.remove.is_empty() && !regroups {
        let ways = "a rule more: --user, --group or --service-account with --role; a rule less: --remove; other groups: \
                    --user with --join or --leave";
        return Err(Failure::failed(what).cause("nothing would change").hint(ways));
    }
    if arguments.role.is_none()
        && let Some(flag) = says_nothing(&arguments, regroups)
    {
        return Err(Failure::failed(what)
            .cause(format!("`{flag}` says nothing without `--role`"))
            .hint("leave it out, or say which role an access rule more would give"));
    }
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let mut body = Map::from_iter([("removeRules".to_owned(), json!(arguments.remove))]);
    if let Some(role) = &arguments.role {
        let Some((kind, id)) = subject(&arguments.whom) else {
            return Err(Failure::failed(what)
                .cause("`--role` says nothing of whom it is for")
                .hint("--user, --group or --service-account"));
        };
        let role = find::role(&api, role, what).await?;
        let (scope_type, scope_id) = scope(&api, &arguments.place, what).await?;
        let rule = json!({"subjectType": kind, "subjectId": id, "roleId": role, "scopeType": scope_type,
            "scopeId": scope_id});
        body.insert("addRules".to_owned(), json!([rule]));
    }
    if let (Some(user), true) = (&arguments.whom.user, regroups) {
        let change = json!({"user": user, "join": arguments.join, "leave": arguments.leave});
        body.insert("groups".to_owned(), json!([change]));
    }
    let found: Preview = api
        .post(&format!("{BASE}/preview"), &body)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&found, || people(&found))
}

/// What belongs to an access rule more where there is none.
fn says_nothing(arguments: &PreviewChange, regroups: bool) -> Option<&'static str> {
    let PreviewChange { whom, place, .. } = arguments;
    let given = [
        ("--user", whom.user.is_some() && !regroups),
        ("--group", whom.group.is_some()),
        ("--service-account", whom.service_account.is_some()),
        ("--project", place.project.is_some()),
        ("--department", place.department.is_some()),
        ("--cluster", place.cluster.is_some()),
    ];
    given.into_iter().find_map(|(flag, given)| given.then_some(flag))
}

fn people(found: &Preview) -> String {
    let mut lines = Vec::new();
    for (word, reaches) in [("gains", &found.gained), ("loses", &found.lost)] {
        lines.extend(reaches.iter().map(|reach| said(word, reach)));
    }
    if lines.is_empty() {
        lines.push("nobody gains or loses anything".to_owned());
    }
    if !found.complete {
        lines.push(NOT_ALL.to_owned());
    }
    lines.join("\n")
}

fn said(word: &str, reach: &Reach) -> String {
    let who: Vec<String> = reach.subjects.iter().map(subject_name).collect();
    let except: Vec<String> = reach.except.iter().map(scope_name).collect();
    let but = if except.is_empty() {
        String::new()
    } else {
        format!(", except in {}", except.join(", "))
    };
    format!(
        "{} {word} in {} and below{but}:\n{}",
        who.join(", "),
        scope_name(&reach.scope),
        permissions(&reach.permissions, "  ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_preview_names_who_what_where_and_what_is_left_out() {
        let scope = |kind: &str, name: &str| json!({"scopeType": kind, "scopeId": "1", "scopeName": name});
        let found: Value = json!({
            "complete": true, "revision": 4, "lost": [],
            "gained": [{
                "subjects": [{"subjectType": "user", "subjectId": "bob@example.com"}, {"subjectType": "group", "subjectId": "ml"}],
                "scope": scope("cluster", "demo"), "except": [scope("department", "language")],
                "permissions": [{"resourceType": "trainings", "actions": ["create", "read"]}],
            }],
        });
        let found: Preview = serde_json::from_value(found).unwrap();
        assert_eq!(
            people(&found),
            "user bob@example.com, group ml gains in cluster demo and below, except in department language:\n  trainings: create, read"
        );
        let nothing = Preview {
            gained: Vec::new(),
            complete: false,
            ..found
        };
        assert!(people(&nothing).starts_with("nobody gains or loses anything\nof access rules"));
    }
}
