//! `reeve apply`: departments, projects, users and access rules as a file says. It makes what is missing, and neither changes nor
//! deletes anything: so it can be repeated, and does nothing the second time.

mod file;
mod plan;

use std::fs;

use serde::Serialize;

use crate::Context;
use crate::args::Apply;
use crate::failure::Failure;
use crate::http::Api;
use file::File;
use plan::{Done, Plan};

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Applied {
    /// Whether it was done, or is only planned.
    applied: bool,
    /// What was done, or would be, in this order.
    steps: Vec<Done>,
}

pub(super) async fn run(context: &mut Context, arguments: Apply) -> Result<(), Failure> {
    let what = format!("cannot apply `{}`", arguments.file.display());
    let text = fs::read_to_string(&arguments.file).map_err(|error| Failure::failed(&what).because(error))?;
    let file: File = serde_saphyr::from_str(&text).map_err(|error| {
        Failure::failed(&what)
            .cause(error.to_string())
            .hint("docs/operations/organization-file.md has an example")
    })?;
    let api = Api::signed_in(&context.settings, context.clock.now())?;
    let mut plan = Plan::of(&api, &file, &what).await?;
    let planned = plan.steps();
    if !arguments.yes || planned.is_empty() {
        let applied = Applied {
            applied: false,
            steps: planned,
        };
        return context.printer.answer(&applied, || {
            if applied.steps.is_empty() {
                return "nothing to do: all of it is there".to_owned();
            }
            format!(
                "{}\nnothing was done: --yes does it",
                lines("would make", &applied.steps)
            )
        });
    }
    let (steps, failure) = plan.apply(&api, &what).await;
    let applied = Applied { applied: true, steps };
    // What was made is said also where the rest could not be: a password is shown once.
    context
        .printer
        .answer(&applied, || lines("made", &applied.steps))?;
    failure.map_or(Ok(()), |failure| {
        Err(failure.hint("what was made stays; when the cause is gone, apply the file again"))
    })
}

fn lines(word: &str, steps: &[Done]) -> String {
    let line = |step: &Done| {
        let password = step.temp_password.as_ref();
        let password = password.map(|it| format!("; temporary password, shown once: {}", it.expose()));
        format!(
            "{word} {} {}{}",
            step.kind,
            step.name,
            password.unwrap_or_default()
        )
    };
    steps.iter().map(line).collect::<Vec<_>>().join("\n")
}
