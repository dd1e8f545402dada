//! `reeve apply`: departments, projects, users and access rules as a file says. It makes what is missing, changes what differs and can
//! change, says what differs and stays, and deletes nothing: so it can be repeated, and does nothing the second time.

mod differences;
mod file;
mod plan;

use std::fs;

use serde::Serialize;

use crate::Context;
use crate::args::Apply;
use crate::failure::Failure;
use crate::http::Api;
use differences::{Difference, Left};
use file::File;
use plan::{Action, Done, Plan};

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Applied {
    /// Whether it was done, or is only planned.
    applied: bool,
    /// What was done, or would be, in this order.
    steps: Vec<Done>,
    /// What differs from the file and stays.
    left: Vec<Left>,
}

pub(super) async fn run(context: &mut Context, arguments: Apply) -> Result<(), Failure> {
    let what = format!("cannot apply `{}`", arguments.file.display());
    let text = fs::read_to_string(&arguments.file).map_err(|error| Failure::failed(&what).because(error))?;
    let file: File = serde_saphyr::from_str(&text).map_err(|error| {
        Failure::failed(&what)
            .cause(error.to_string())
            .hint("docs/operations/organization-file.md has an example")
    })?;
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let mut plan = Plan::of(&api, &file, &what).await?;
    let (planned, left) = (plan.steps(), plan.left());
    if !arguments.yes || planned.is_empty() {
        let applied = Applied {
            applied: false,
            steps: planned,
            left,
        };
        return context.printer.answer(&applied, || planned_said(&applied));
    }
    let (steps, failure) = plan.apply(&api, &what).await;
    let applied = Applied {
        applied: true,
        steps,
        left,
    };
    // What was made is said also where the rest could not be: a password is shown once.
    context.printer.answer(&applied, || said(&applied).join("\n"))?;
    failure.map_or(Ok(()), |failure| {
        Err(failure.hint("what was done stays; when the cause is gone, apply the file again"))
    })
}

fn planned_said(applied: &Applied) -> String {
    let mut lines = said(applied);
    lines.push(match (applied.steps.is_empty(), applied.left.is_empty()) {
        (true, true) => "nothing to do: all of it is there".to_owned(),
        (true, false) => "nothing to do: the rest is there".to_owned(),
        (false, _) => "nothing was done: --yes does it".to_owned(),
    });
    lines.join("\n")
}

/// A line for each step, and for each thing that stays as it is.
fn said(applied: &Applied) -> Vec<String> {
    let step = |step: &Done| {
        let word = match (applied.applied, step.action) {
            (false, Action::Make) => "would make",
            (false, Action::Change) => "would change",
            (true, Action::Make) => "made",
            (true, Action::Change) => "changed",
        };
        let changes: Vec<String> = step.changes.iter().map(change).collect();
        let changes = if changes.is_empty() {
            String::new()
        } else {
            format!(": {}", changes.join(", "))
        };
        let password = step.temp_password.as_ref();
        let password = password.map(|it| format!("; temporary password, shown once: {}", it.expose()));
        format!(
            "{word} {} {}{changes}{}",
            step.kind,
            step.name,
            password.unwrap_or_default()
        )
    };
    let left = |left: &Left| {
        let Difference { field, before, after } = &left.difference;
        format!(
            "leaves {} {}: its {field} is `{before}`, the file says `{after}`, and it never changes",
            left.kind, left.name
        )
    };
    let steps = applied.steps.iter().map(step);
    steps.chain(applied.left.iter().map(left)).collect()
}

fn change(of: &Difference) -> String {
    format!("{} from `{}` to `{}`", of.field, of.before, of.after)
}
