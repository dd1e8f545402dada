//! `reeve credential list`.

use reeve_api::access_rule::ScopeType;
use reeve_api::credential::{AnyCredential, AssetOrigin, AssetPhase};

use super::all;
use crate::Context;
use crate::args::ListCredentials;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::table;

pub(super) async fn run(context: &mut Context, arguments: ListCredentials) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let all = all(&api, &[])
        .await
        .map_err(|error| error.explain("cannot list credentials"))?;
    let wanted = |it: &AnyCredential| arguments.kind.is_none_or(|kind| it.meta.kind == kind);
    let found: Vec<AnyCredential> = all.into_iter().filter(wanted).collect();
    context.printer.answer(&found, || {
        if found.is_empty() {
            return "no credentials".to_owned();
        }
        table(["NAME", "KIND", "SCOPE", "STATUS", "ID"], found.iter().map(row))
    })
}

/// Whose an asset is, in a word or two.
pub(in crate::commands) fn scope_of(origin: &AssetOrigin) -> String {
    match origin.scope {
        ScopeType::Tenant => "account".to_owned(),
        ScopeType::Cluster => {
            let id = origin.cluster_id.map(|id| id.to_string());
            format!("cluster {}", id.unwrap_or_default())
        }
        ScopeType::Department => {
            let id = origin.department_id.map(|id| id.to_string());
            format!("department {}", id.unwrap_or_default())
        }
        ScopeType::Project => format!("project {}", origin.project_name.as_deref().unwrap_or_default()),
    }
}

pub(super) const fn phase(phase: AssetPhase) -> &'static str {
    match phase {
        AssetPhase::Creating => "Creating",
        AssetPhase::IssuesFound => "Issues found",
        AssetPhase::NoIssuesFound => "No issues found",
    }
}

fn row(found: &AnyCredential) -> [String; 5] {
    let status = found.status.as_ref();
    [
        found.meta.name.to_string(),
        found.meta.kind.slug().to_owned(),
        scope_of(&found.meta.origin),
        status.map_or("", |status| phase(status.status)).to_owned(),
        found.meta.id.to_string(),
    ]
}
