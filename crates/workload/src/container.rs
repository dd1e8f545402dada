//! The workload's own container: the one place where somebody's words become Kubernetes' words.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_crds::ReeveConfigSpec;
use reeve_crds::desired::Workload;

use crate::{home_directory, literal, security, user_name, volumes};

const GPU: &str = "nvidia.com/gpu";

/// The container, named as the workload is.
pub(crate) fn container(workload: &Workload, settings: &ReeveConfigSpec) -> Container {
    let mounts = volumes::mounts(workload);
    Container {
        name: workload.name.as_str().to_owned(),
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
        resources: (workload.gpus > 0).then(|| ResourceRequirements {
            limits: Some(BTreeMap::from([(
                GPU.to_owned(),
                Quantity(workload.gpus.to_string()),
            )])),
            ..ResourceRequirements::default()
        }),
        security_context: Some(security::container(workload, settings)),
        volume_mounts: (!mounts.is_empty()).then_some(mounts),
        ..Container::default()
    }
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
