//! `reeve auth who-can`.

use reeve_api::authorization::{RuleRef, WhoCan};
use serde_json::{Map, json};

use super::{NOT_ALL, pages, scope, scope_name, subject_name};
use crate::Context;
use crate::args;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::table;

pub(super) async fn run(context: &mut Context, arguments: args::WhoCan) -> Result<(), Failure> {
    let what = "cannot find out who can";
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let (kind, id) = scope(&api, &arguments.place, what).await?;
    let body = Map::from_iter([
        (
            "resourceType".to_owned(),
            json!(arguments.permission.resource_type),
        ),
        ("action".to_owned(), json!(arguments.permission.action)),
        ("scopeType".to_owned(), json!(kind)),
        ("scopeId".to_owned(), json!(id)),
    ]);
    let add = |all: &mut WhoCan, page: WhoCan| {
        all.rules.extend(page.rules);
        all.next = page.next;
    };
    let found = pages(&api, "who-can", body, |page: &WhoCan| page.next, add)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&found, || {
        let mut text = if found.rules.is_empty() {
            "nobody".to_owned()
        } else {
            table(["WHO", "ROLE", "IN", "ACCESS RULE"], found.rules.iter().map(row))
        };
        if !found.complete {
            text.push('\n');
            text.push_str(NOT_ALL);
        }
        text
    })
}

pub(super) fn row(rule: &RuleRef) -> [String; 4] {
    [
        subject_name(&rule.subject),
        rule.role_name.clone(),
        scope_name(&rule.scope),
        rule.access_rule_id.to_string(),
    ]
}
