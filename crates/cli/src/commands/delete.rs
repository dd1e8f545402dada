//! `reeve delete`.

use reeve_api::Accepted;
use reeve_types::{OrgUnitName, WorkloadName};

use crate::Context;
use crate::args::Delete;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: Delete) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    for name in &arguments.names {
        one(context, &api, name, &arguments.project).await?;
    }
    Ok(())
}

async fn one(
    context: &mut Context,
    api: &Api,
    name: &WorkloadName,
    project: &OrgUnitName,
) -> Result<(), Failure> {
    let what = format!("cannot delete `{name}` in project `{project}`");
    let workload = find::workload(api, project, name, &what).await?;
    let path = format!("/api/v1/workloads/trainings/{}", workload.id);
    let accepted: Accepted = api.delete(&path).await.map_err(|error| error.explain(what))?;
    context
        .printer
        .answer(&accepted, || format!("deleted `{name}` in project `{project}`"))
}
