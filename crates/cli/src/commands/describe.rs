//! `reeve describe`: how a workload stands and what it was submitted with.

use reeve_api::training::{Label, SecretVolume, Training, TrainingSpec};
use reeve_api::workload::Workload;
use reeve_types::{Timestamp, WorkloadName};
use serde_json::json;

use crate::Context;
use crate::args::Describe;
use crate::commands::find;
use crate::failure::{Failure, one_line};
use crate::http::Api;
use crate::printer::age;
use crate::reference;

pub(super) async fn run(context: &mut Context, arguments: Describe) -> Result<(), Failure> {
    let name = named(&arguments.words)?;
    let project = &arguments.project;
    let what = format!("cannot describe `{name}` in project `{project}`");
    let now = context.clock.now();
    let api = Api::signed_in(&context.settings, now).await?;
    let workload = find::workload(&api, project, &name, &what).await?;
    let path = format!("/api/v1/workloads/trainings/{}", workload.id);
    let training: Training = api.get(&path, &[]).await.map_err(|error| error.explain(what))?;
    let all = json!({ "workload": workload, "training": training });
    context.printer.answer(&all, || shown(&workload, &training, now))
}

/// `NAME`, or `job NAME` as in the reference; a workload that is called `node` needs the second.
fn named(words: &[String]) -> Result<WorkloadName, Failure> {
    let name = match words {
        [name] if reference::word(&format!("describe {name}")).is_none() => name,
        [kind, name] if kind == "job" || kind == "jobs" => name,
        [kind, ..] => {
            let otherwise = || {
                Failure::failed("cannot describe that")
                    .cause("`reeve describe` shows one workload")
                    .hint("`reeve describe NAME`")
            };
            return Err(reference::word(&format!("describe {kind}")).unwrap_or_else(otherwise));
        }
        [] => return Err(Failure::failed("cannot describe a workload without a name")),
    };
    name.parse()
        .map_err(|error| Failure::failed(format!("`{name}` is no workload's name")).because(error))
}

/// `token at /etc/keys`.
fn mounted(volume: &SecretVolume) -> String {
    let at = volume.mount_path.as_ref();
    at.map_or_else(
        || volume.secret.to_string(),
        |at| format!("{} at {at}", volume.secret),
    )
}

/// `500m, at most 2`; empty where neither was said.
fn asked_and_most<T: ToString>(asked: Option<T>, most: Option<T>) -> String {
    let parts = [
        asked.map(|it| it.to_string()),
        most.map(|it| format!("at most {}", it.to_string())),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Empty where nothing was said.
fn said<T: ToString>(it: Option<T>) -> String {
    it.map(|it| it.to_string()).unwrap_or_default()
}

fn label(label: &Label) -> String {
    format!("{}={}", label.name, label.value)
}

/// `4, 2 at once`; empty for one.
fn pods(spec: &TrainingSpec) -> String {
    let at_once = spec.parallelism.unwrap_or(1);
    spec.completions
        .map(|pods| format!("{pods}, {at_once} at once"))
        .unwrap_or_default()
}

/// Values of variables are not shown: a terminal is looked at by more than one.
fn shown(workload: &Workload, training: &Training, now: Timestamp) -> String {
    let spec = &training.spec;
    let variables: Vec<_> = spec.environment().into_iter().map(|(name, _)| name).collect();
    let mounted: Vec<_> = spec.secret_volumes().iter().map(mounted).collect();
    let compute = spec.compute.clone().unwrap_or_default();
    let labels: Vec<_> = spec.labels.iter().flatten().map(label).collect();
    let annotations = spec.annotations.iter().flatten();
    let annotations: Vec<_> = annotations.map(|it| it.name.to_string()).collect();
    let tolerations = spec.tolerations.iter().flatten();
    let tolerations: Vec<_> = tolerations.map(|it| it.key.to_string()).collect();
    let yes = |wanted: bool| if wanted { "yes" } else { "" }.to_owned();
    let rows = [
        ("name", workload.name.clone()),
        ("project", workload.project_name.clone()),
        ("namespace", workload.namespace.clone()),
        ("status", workload.phase.as_str().to_owned()),
        ("message", workload.phase_message.clone()),
        ("age", age(now.as_seconds() - workload.created_at.as_seconds())),
        ("submitted by", workload.submitted_by.clone()),
        ("image", spec.image.clone()),
        (
            "pull policy",
            spec.image_pull_policy
                .map(|policy| policy.to_string())
                .unwrap_or_default(),
        ),
        ("command", spec.command.clone().unwrap_or_default()),
        ("arguments", spec.args.clone().unwrap_or_default()),
        ("folder", spec.working_dir.clone().unwrap_or_default()),
        ("variables", variables.join(", ")),
        ("GPUs", spec.gpus().to_string()),
        (
            "CPU",
            asked_and_most(compute.cpu_core_request, compute.cpu_core_limit),
        ),
        (
            "memory",
            asked_and_most(compute.cpu_memory_request, compute.cpu_memory_limit),
        ),
        ("large /dev/shm", yes(spec.large_shm())),
        ("passwd entry", yes(spec.passwd_entry == Some(true))),
        ("secrets", mounted.join(", ")),
        ("tried again", said(spec.backoff_limit)),
        ("pods", pods(spec)),
        ("time to end", said(spec.termination_grace_period_seconds)),
        ("labels", labels.join(", ")),
        ("annotations", annotations.join(", ")),
        ("node type", said(spec.node_type.as_ref())),
        ("tolerations", tolerations.join(", ")),
    ];
    let lines = rows
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key:<15} {}", one_line(value)));
    lines.collect::<Vec<_>>().join("\n")
}
