//! `reeve auth what-can`.

use reeve_api::authorization::{RolePermissions, WhatCan};
use serde_json::Map;

use super::who_can::row;
use super::{NOT_ALL, asked, pages, permissions};
use crate::Context;
use crate::args;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::table;

pub(super) async fn run(context: &mut Context, arguments: args::WhatCan) -> Result<(), Failure> {
    let what = "cannot find out what can be done";
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let subject = asked(&arguments.whom, arguments.in_groups.as_ref());
    let body = Map::from_iter([("subject".to_owned(), subject)]);
    let found = pages(&api, "what-can", body, |page: &WhatCan| page.next, add)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&found, || people(&found))
}

fn add(all: &mut WhatCan, page: WhatCan) {
    all.rules.extend(page.rules);
    all.next = page.next;
    for role in page.roles {
        if all.roles.iter().all(|known| known.role_id != role.role_id) {
            all.roles.push(role);
        }
    }
}

fn people(found: &WhatCan) -> String {
    let mut parts = vec![if found.rules.is_empty() {
        "no access rules".to_owned()
    } else {
        table(["WHO", "ROLE", "IN", "ACCESS RULE"], found.rules.iter().map(row))
    }];
    parts.extend(found.roles.iter().map(role));
    if !found.complete {
        parts.push(NOT_ALL.to_owned());
    }
    parts.join("\n\n")
}

fn role(role: &RolePermissions) -> String {
    format!("{}\n{}", role.role_name, permissions(&role.permissions, "  "))
}
