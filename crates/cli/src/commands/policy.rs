//! `reeve policy`: workload policies (docs/workload-policies.md).

use std::fs;

use reeve_api::access_rule::ScopeType;
use reeve_api::workload_policy::{PolicyMeta, WorkloadPolicies, WorkloadPolicy};
use reeve_types::workload_policy::{Field, Rule};
use serde_json::Value;

use super::auth;
use crate::Context;
use crate::args::{ApplyPolicy, Place, Policy, PolicyOf};
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::table;

pub(super) async fn run(context: &mut Context, command: Policy) -> Result<(), Failure> {
    match command {
        Policy::List => list(context).await,
        Policy::Describe(of) => describe(context, of).await,
        Policy::Apply(arguments) => apply(context, arguments).await,
        Policy::Delete(of) => delete(context, of).await,
    }
}

async fn list(context: &mut Context) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let found: WorkloadPolicies = api
        .get("/api/v2/policy", &[])
        .await
        .map_err(|error| error.explain("cannot list workload policies"))?;
    context.printer.answer(&found.policies, || {
        if found.policies.is_empty() {
            return "no workload policies".to_owned();
        }
        let rows = found.policies.iter().map(|entry| {
            [
                entry.kind.as_str().to_owned(),
                place(&entry.meta),
                entry.meta.name.clone(),
                entry.meta.updated_by.clone(),
            ]
        });
        table(["KIND", "SCOPE", "NAME", "CHANGED BY"], rows)
    })
}

fn place(meta: &PolicyMeta) -> String {
    let id = meta.project_id.map(|id| id.to_string());
    let id = id.or_else(|| meta.department_id.map(|id| id.to_string()));
    let id = id.or_else(|| meta.cluster_id.map(|id| id.to_string()));
    format!("{} {}", meta.scope.as_str(), id.unwrap_or_default())
        .trim()
        .to_owned()
}

/// The parameters that name a scope.
async fn scope(api: &Api, of: &Place, what: &str) -> Result<Vec<(&'static str, String)>, Failure> {
    let (kind, id) = auth::scope(api, of, what).await?;
    let parameter = match kind {
        ScopeType::Tenant => return Ok(vec![("scope", kind.as_str().to_owned())]),
        ScopeType::Cluster => "clusterId",
        ScopeType::Department => "departmentId",
        ScopeType::Project => "projectId",
    };
    Ok(vec![("scope", kind.as_str().to_owned()), (parameter, id)])
}

async fn describe(context: &mut Context, of: PolicyOf) -> Result<(), Failure> {
    let what = format!("cannot show the {} policy", of.kind.0.as_str());
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let scope = scope(&api, &of.place, &what).await?;
    let query: Vec<_> = scope
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let found: WorkloadPolicy = api
        .get(of.kind.path(), &query)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&found, || lines(&found))
}

fn lines(found: &WorkloadPolicy) -> String {
    let own = match &found.meta {
        Some(meta) => format!(
            "policy `{}` of the {}, changed by {}",
            meta.name,
            place(meta),
            meta.updated_by
        ),
        None => "no policy of its own; what holds comes from above".to_owned(),
    };
    let rows = Field::ALL.into_iter().filter_map(|field| {
        let rule = found.effective.rules.get(field);
        let default = found.effective.defaults.value(field);
        (rule.is_some() || default.is_some()).then(|| {
            let source = rule.and_then(|rule| rule.source_of_rule.as_ref());
            [
                field.path().to_owned(),
                default.unwrap_or_default(),
                rule.map(said).unwrap_or_default(),
                source.map_or_else(String::new, |source| source.scope.as_str().to_owned()),
            ]
        })
    });
    format!("{own}\n{}", table(["FIELD", "DEFAULT", "RULE", "OF THE"], rows))
}

fn said(rule: &Rule) -> String {
    let number = |name: &str, value: Option<u32>| value.map(|value| format!("{name} {value}"));
    let options = rule.options.as_ref().map(|options| {
        let values: Vec<_> = options.iter().map(|option| option.value.as_str()).collect();
        format!("one of {}", values.join(", "))
    });
    let parts = [
        number("min", rule.min),
        number("max", rule.max),
        number("step", rule.step),
        options,
        (rule.can_edit == Some(false)).then(|| "cannot be changed".to_owned()),
        (rule.required == Some(true)).then(|| "required".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

async fn apply(context: &mut Context, arguments: ApplyPolicy) -> Result<(), Failure> {
    let file = arguments.file.display();
    let what = format!("cannot write the policy of `{file}`");
    let text = fs::read_to_string(&arguments.file).map_err(|error| Failure::failed(&what).because(error))?;
    let body: Value = serde_saphyr::from_str(&text).map_err(|_| {
        Failure::failed(&what)
            .cause("it is no YAML or JSON")
            .hint("docs/workload-policies.md has an example with `meta` and `policy`")
    })?;
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let query = if arguments.validate_only {
        "?validateOnly=true"
    } else {
        ""
    };
    let written: WorkloadPolicy = api
        .put(&format!("{}{query}", arguments.kind.path()), &body)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&written, || {
        let done = if arguments.validate_only {
            "it can be written; nothing was"
        } else {
            "written; it holds from now on"
        };
        format!("{done}\n{}", lines(&written))
    })
}

async fn delete(context: &mut Context, of: PolicyOf) -> Result<(), Failure> {
    let kind = of.kind.0.as_str();
    let what = format!("cannot delete the {kind} policy");
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let scope = scope(&api, &of.place, &what).await?;
    let query: Vec<_> = scope
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let path = format!("{}?{}", of.kind.path(), query.join("&"));
    let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
    context
        .printer
        .answer(&Value::Null, || format!("the {kind} policy is deleted"))
}
