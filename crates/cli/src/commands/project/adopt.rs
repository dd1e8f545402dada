//! `reeve project adopt`: with the installer's own kubeconfig, at the cluster itself.

mod cluster;

use reeve_types::OrgUnitName;
use serde::Serialize;

use crate::Context;
use crate::adopt::{Obstacle, Report, report};
use crate::args::Adopt;
use crate::failure::Failure;
use cluster::Cluster;

/// How often marks are removed before somebody has to ask why they come back.
const PASSES: usize = 3;

/// The report and what was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(flatten)]
    report: Report,
    in_the_way: Vec<Obstacle>,
    dry_run: bool,
    marks_removed_from: Vec<String>,
    adopted: bool,
}

pub(in crate::commands) async fn run(context: &mut Context, arguments: Adopt) -> Result<(), Failure> {
    let what = format!("cannot adopt the namespace `{}`", arguments.namespace);
    let cluster = Cluster::connect(&arguments, &what).await?;
    let mut outcome = Outcome {
        report: look(&cluster, &arguments).await?,
        in_the_way: Vec::new(),
        dry_run: arguments.dry_run,
        marks_removed_from: Vec::new(),
        adopted: false,
    };
    let mut end = Ok(());
    if !arguments.dry_run && !outcome.report.already {
        end = act(&cluster, &arguments, &mut outcome).await;
    }
    outcome.in_the_way = outcome.report.in_the_way(arguments.drop_stamps);
    let left = !outcome.report.removal.patches.is_empty() && outcome.in_the_way.is_empty();
    if end.is_ok() && left && !arguments.dry_run {
        outcome.in_the_way.push(Obstacle {
            what: "marks come back as fast as they are removed".to_owned(),
            remedy: "find out who writes them: look at the objects in the report, and at the RoleBindings"
                .to_owned(),
        });
    }
    context
        .printer
        .answer(&outcome, || text(&outcome, arguments.drop_stamps, end.is_ok()))?;
    end?;
    match outcome.in_the_way.as_slice() {
        [] => Ok(()),
        obstacles => Err(refusal(&what, obstacles, arguments.drop_stamps)),
    }
}

async fn look(cluster: &Cluster<'_>, arguments: &Adopt) -> Result<Report, Failure> {
    let wanted = arguments.project.as_ref().map(OrgUnitName::to_string);
    Ok(report(&cluster.inventory(wanted).await?))
}

/// Removes the marks, looks again, and labels.
async fn act(cluster: &Cluster<'_>, arguments: &Adopt, outcome: &mut Outcome) -> Result<(), Failure> {
    let Some(label) = outcome.report.label.clone() else {
        return Ok(());
    };
    let drop = arguments.drop_stamps && outcome.report.can_drop();
    if !drop && !outcome.report.in_the_way(arguments.drop_stamps).is_empty() {
        return Ok(());
    }
    // Who may not label should not have removed anything either.
    cluster.label(&label, true).await?;
    if drop {
        remove_marks(cluster, arguments, outcome).await?;
        // Also what came meanwhile.
        if !outcome.report.marks.is_empty() || !outcome.report.obstacles.is_empty() {
            return Ok(());
        }
    }
    cluster.label(&label, false).await?;
    outcome.adopted = true;
    Ok(())
}

/// Removes what can be removed, and looks again: a controller may just have copied a mark.
async fn remove_marks(
    cluster: &Cluster<'_>,
    arguments: &Adopt,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    for _ in 0..PASSES {
        for patch in &outcome.report.removal.patches {
            cluster.patch(patch).await?;
            let object = format!("{}/{}", patch.kind, patch.name);
            if !outcome.marks_removed_from.contains(&object) {
                outcome.marks_removed_from.push(object);
            }
        }
        outcome.report = look(cluster, arguments).await?;
        if outcome.report.removal.patches.is_empty() {
            break;
        }
    }
    Ok(())
}

fn text(outcome: &Outcome, drop: bool, undisturbed: bool) -> String {
    let report = &outcome.report;
    let mut parts = vec![report.text()];
    if !outcome.marks_removed_from.is_empty() {
        parts.push(format!(
            "marks removed from: {}",
            outcome.marks_removed_from.join(", ")
        ));
    }
    let project = report.project.as_ref().map_or("", |project| &project.name);
    let name = &report.namespace;
    if outcome.adopted {
        parts.push(format!(
            "`{name}` is labelled as project `{project}`'s. What runs goes on. The operator takes it over now: kubectl get \
             projects.reeve.dev {project}"
        ));
    } else if outcome.dry_run && drop && !report.removal.patches.is_empty() {
        let all = report
            .removal
            .patches
            .iter()
            .map(|patch| format!("{}/{}", patch.kind, patch.name));
        parts.push(format!(
            "Nothing was changed. Marks would be removed from: {}",
            all.collect::<Vec<_>>().join(", ")
        ));
    } else if outcome.dry_run && outcome.in_the_way.is_empty() && !report.already {
        parts.push("Nothing was changed, and nothing is in the way: repeat without --dry-run.".to_owned());
    } else if outcome.marks_removed_from.is_empty() && undisturbed {
        parts.push("Nothing was changed.".to_owned());
    }
    parts.join("\n\n")
}

fn refusal(what: &str, obstacles: &[Obstacle], drop: bool) -> Failure {
    let lines = |of: fn(&Obstacle) -> &str| {
        let mut all: Vec<&str> = Vec::new();
        for line in obstacles.iter().map(of) {
            if !all.contains(&line) {
                all.push(line);
            }
        }
        all.join("\n")
    };
    let again = if drop {
        "\nand then repeat this command"
    } else {
        ""
    };
    let hint = lines(|obstacle| &obstacle.remedy) + again;
    Failure::refused(what)
        .cause(lines(|obstacle| &obstacle.what))
        .hint(hint)
}
