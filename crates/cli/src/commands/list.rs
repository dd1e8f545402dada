//! `reeve list`.

use reeve_api::workload::{Workload, Workloads};
use reeve_types::Timestamp;

use crate::Context;
use crate::args::List;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::{age, table};

pub(super) async fn run(context: &mut Context, arguments: List) -> Result<(), Failure> {
    let what = "cannot list workloads";
    let now = context.clock.now();
    let api = Api::signed_in(&context.settings, now).await?;
    let project = arguments.project.filter(|_| !arguments.all_projects);
    let filter = project.as_ref().map(|project| format!("projectName=={project}"));
    let mut query = vec![("sortBy", "name")];
    query.extend(filter.as_deref().map(|filter| ("filterBy", filter)));
    let open = |page: Workloads| (page.workloads, page.next);
    let workloads = find::pages(&api, "/api/v1/workloads", &query, open).await;
    let workloads: Vec<Workload> = workloads.map_err(|error| error.explain(what))?;
    if let (true, Some(project)) = (workloads.is_empty(), &project) {
        // Nothing in a project is an answer; no such project is another.
        find::project(&api, project, what).await?;
    }
    context.printer.answer(&workloads, || {
        if workloads.is_empty() {
            return "no workloads".to_owned();
        }
        let header = [
            "NAME",
            "PROJECT",
            "STATUS",
            "AGE",
            "SUBMITTED BY",
            "IMAGE",
            "MESSAGE",
        ];
        table(header, workloads.iter().map(|workload| row(workload, now)))
    })
}

fn row(workload: &Workload, now: Timestamp) -> [String; 7] {
    [
        workload.name.clone(),
        workload.project_name.clone(),
        workload.phase.as_str().to_owned(),
        age(now.as_seconds() - workload.created_at.as_seconds()),
        workload.submitted_by.clone(),
        workload.images.join(","),
        workload.phase_message.clone(),
    ]
}
