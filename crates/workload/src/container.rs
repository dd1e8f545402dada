//! The workload's own container: the one place where somebody's words become Kubernetes' words.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_crds::ReeveConfigSpec;
use reeve_crds::desired::Workload;
use reeve_types::WorkloadName;

use crate::{home_directory, literal, probe, security, user_name, volumes};

const GPU: &str = "nvidia.com/gpu";

/// What a workload's own container is called in its pods. Whatever else is there somebody injected, or prepares it.
pub fn own_container(workload: &WorkloadName) -> &str {
    workload.as_str()
}

/// The workload's own container.
pub(crate) fn container(workload: &Workload, settings: &ReeveConfigSpec) -> Container {
    let mounts = volumes::mounts(workload);
    Container {
        name: own_container(&workload.name).to_owned(),
        image: Some(workload.image.clone()),
        image_pull_policy: workload.image_pull_policy.map(|policy| policy.to_string()),
        command: words(workload, &workload.command),
        args: words(workload, &workload.args),
        working_dir: workload.working_dir.clone(),
        stdin: workload.stdin.then_some(true),
        // Who attaches once and leaves ends the input, as with a program in a terminal that is closed.
        stdin_once: workload.stdin.then_some(true),
        tty: workload.tty.then_some(true),
        env: Some(environment(workload)).filter(|env| !env.is_empty()),
        resources: resources(workload),
        security_context: Some(security::container(workload, settings)),
        volume_mounts: (!mounts.is_empty()).then_some(mounts),
        readiness_probe: workload.readiness_probe.as_ref().map(probe::readiness),
        ..Container::default()
    }
}

/// What was asked for of the node; the rest is the namespace's to say.
fn resources(workload: &Workload) -> Option<ResourceRequirements> {
    let asked = &workload.resources;
    let gpus = (workload.gpus > 0).then(|| workload.gpus.to_string());
    let limits = quantities([
        (GPU, gpus),
        ("cpu", asked.cpu_limit.map(|it| it.to_string())),
        ("memory", asked.memory_limit.as_ref().map(ToString::to_string)),
    ]);
    let requests = quantities([
        ("cpu", asked.cpu_request.map(|it| it.to_string())),
        ("memory", asked.memory_request.as_ref().map(ToString::to_string)),
    ]);
    (limits.is_some() || requests.is_some()).then(|| ResourceRequirements {
        limits,
        requests,
        ..ResourceRequirements::default()
    })
}

fn quantities<const N: usize>(all: [(&str, Option<String>); N]) -> Option<BTreeMap<String, Quantity>> {
    let given = all
        .into_iter()
        .filter_map(|(name, amount)| Some((name.to_owned(), Quantity(amount?))));
    Some(given.collect()).filter(|all: &BTreeMap<_, _>| !all.is_empty())
}

/// A text as Kubernetes must be told it.
fn told(workload: &Workload, text: &str) -> String {
    if workload.expand_variables {
        text.to_owned()
    } else {
        literal(text).into_owned()
    }
}

fn words(workload: &Workload, texts: &[String]) -> Option<Vec<String>> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| told(workload, text)).collect())
}

/// The variables in their order; of a name given twice the last value counts. With a home come `HOME`, `USER` and
/// `LOGNAME`; the submitter's own win.
fn environment(workload: &Workload) -> Vec<EnvVar> {
    let mut all: Vec<(&str, String)> = Vec::new();
    if workload.create_home_dir {
        let name = user_name(workload);
        all.push(("HOME", home_directory(workload)));
        all.push(("USER", name.clone()));
        all.push(("LOGNAME", name));
    }
    for (name, value) in &workload.environment {
        all.retain(|(known, _)| known != name);
        all.push((name, told(workload, value)));
    }
    all.into_iter()
        .map(|(name, value)| EnvVar {
            name: name.to_owned(),
            value: Some(value),
            value_from: None,
        })
        .collect()
}
