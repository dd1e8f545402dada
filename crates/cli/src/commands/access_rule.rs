//! `reeve access-rule`.

use reeve_api::access_rule::{AccessRule, AccessRules, ScopeType};
use serde_json::json;

use super::auth::{scope, subject};
use super::find;
use super::objects::{self, Object};
use crate::Context;
use crate::args::{self, CreateAccessRule, DeleteAccessRules, ListAccessRules};
use crate::failure::Failure;
use crate::http::Api;

pub(super) const BASE: &str = "/api/v1/authorization/access-rules";

/// How many are asked for at a time.
const PAGE: usize = 500;

impl Object for AccessRule {
    const KIND: &'static str = "access-rule";

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let place = match self.scope_type {
            ScopeType::Tenant => "the whole account".to_owned(),
            other => format!("{} {}", other.as_str(), self.scope_name),
        };
        let status = self.status.as_ref();
        vec![
            ("ID", self.id.to_string()),
            (
                "WHO",
                format!("{} {}", self.subject_type.as_str(), self.subject_id),
            ),
            ("ROLE", self.role_name.clone()),
            ("IN", place),
            ("BY", self.created_by.clone()),
            (
                "STATUS",
                status.map(|it| it.phase.as_str().to_owned()).unwrap_or_default(),
            ),
            ("MESSAGE", status.map(|it| it.message.clone()).unwrap_or_default()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: args::AccessRule) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        args::AccessRule::List(arguments) => objects::list(printer, &list(&api, &arguments).await?),
        args::AccessRule::Get(one) => {
            let found: AccessRule = api
                .get(&format!("{BASE}/{}", one.id), &[])
                .await
                .map_err(|error| error.explain(format!("cannot show access rule {}", one.id)))?;
            let path = found
                .scope_path
                .as_deref()
                .map(|path| format!("{:<12} {path}", "Path"));
            objects::show(printer, &found, &path.unwrap_or_default())
        }
        args::AccessRule::Create(arguments) => objects::show(printer, &create(&api, &arguments).await?, ""),
        args::AccessRule::Delete(DeleteAccessRules { ids }) => {
            let mut gone = Vec::new();
            for id in ids {
                let (): () = api
                    .delete(&format!("{BASE}/{id}"))
                    .await
                    .map_err(|error| error.explain(left(&gone, &id.to_string())))?;
                gone.push(id.to_string());
            }
            let said = format!("deleted: {}", gone.join(", "));
            objects::deleted::<AccessRule>(printer, &gone, &said)
        }
    }
}

/// What could not be done, and what was before.
fn left(gone: &[String], id: &str) -> String {
    let what = format!("cannot delete access rule {id}");
    if gone.is_empty() {
        what
    } else {
        format!("{what}; deleted before: {}", gone.join(", "))
    }
}

/// Those that were asked for, from all pages.
pub(super) async fn list(api: &Api, arguments: &ListAccessRules) -> Result<Vec<AccessRule>, Failure> {
    let what = "cannot list access rules";
    let mut query: Vec<(&str, String)> = vec![("sortBy", "createdAt".to_owned())];
    if let Some((kind, id)) = subject(&arguments.whom) {
        query.extend([("subjectType", kind.to_owned()), ("subjectIdFilter", id)]);
    }
    let place = &arguments.place;
    if place.project.is_some() || place.department.is_some() || place.cluster.is_some() {
        let (kind, id) = scope(api, place, what).await?;
        query.extend([("scopeType", kind.as_str().to_owned()), ("scopeId", id)]);
    }
    if let Some(role) = &arguments.role {
        query.push(("roleId", find::role(api, role, what).await?.to_string()));
    }
    let mut all = Vec::new();
    loop {
        let offset = all.len().to_string();
        let limit = PAGE.to_string();
        let mut pairs: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        pairs.extend([("limit", limit.as_str()), ("offset", offset.as_str())]);
        let page: AccessRules = api.get(BASE, &pairs).await.map_err(|error| error.explain(what))?;
        let last = page.access_rules.is_empty();
        all.extend(page.access_rules);
        if last || all.len() >= page.total_records {
            return Ok(all);
        }
    }
}

async fn create(api: &Api, arguments: &CreateAccessRule) -> Result<AccessRule, Failure> {
    let what = "cannot make the access rule";
    let Some((kind, id)) = subject(&arguments.whom) else {
        return Err(Failure::failed(what).cause("it is for nobody"));
    };
    let role = find::role(api, &arguments.role, what).await?;
    let (scope_type, scope_id) = scope(api, &arguments.place, what).await?;
    let body = json!({"subjectType": kind, "subjectId": id, "roleId": role, "scopeType": scope_type,
        "scopeId": scope_id});
    api.post(BASE, &body).await.map_err(|error| error.explain(what))
}
