//! `reeve project list`.

use reeve_api::org::{Project, Projects};

use crate::Context;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::table;

pub(in crate::commands) async fn run(context: &mut Context) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let open = |page: Projects| (page.projects, page.next);
    let projects = find::pages(&api, find::PROJECTS, &[("sortBy", "name")], open).await;
    let projects: Vec<Project> = projects.map_err(|error| error.explain("cannot list projects"))?;
    let names = projects.iter().map(|project| format!("project/{}", project.name));
    context.printer.named(&projects, names, || {
        if projects.is_empty() {
            return "no projects".to_owned();
        }
        table(
            ["PROJECT", "DEPARTMENT", "NAMESPACE", "STATUS", "MESSAGE"],
            projects.iter().map(row),
        )
    })
}

fn row(project: &Project) -> [String; 5] {
    let department = project
        .parent
        .as_ref()
        .map_or_else(|| project.parent_id.to_string(), |parent| parent.name.clone());
    let status = &project.status;
    [
        project.name.clone(),
        department,
        status.namespace.clone().unwrap_or_default(),
        format!("{:?}", status.phase),
        status.phase_message.clone().unwrap_or_default(),
    ]
}
