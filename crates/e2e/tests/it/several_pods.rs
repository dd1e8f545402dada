//! What a submission tells its Job besides what runs in it: through the command line, the operator, the policies and the kubelet.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use reeve_testkit::images;

use crate::cli::{terminal, wait_until_completed};
use crate::harness::{Team, on_the_stack};

/// Planted fault: the Job is told nothing of it, and one pod completes it.
#[test]
fn a_training_of_several_pods_with_marks_of_its_own_completes() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let project = team.project_name.as_str();
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;
        let what = ["submit", "sweep", "-p", project, "-i", images::TOOLS];
        let how = [
            "--completions",
            "2",
            "--parallelism",
            "2",
            "--backoff-limit",
            "1",
            "--termination-grace-period",
            "5s",
            "-l",
            "team.example/stage=sweep",
            "-a",
            "note=any text",
            "--toleration",
            "key=example.com/slow,operator=Exists",
            "--",
            "true",
        ];
        reeve.must(&[&what[..], &how].concat())?;
        wait_until_completed(&reeve, project, "sweep").await?;
        let pods: Api<Pod> = Api::namespaced(stack.cluster.client().await?, &team.namespace);
        let own = ListParams::default().labels("team.example/stage=sweep");
        let found = pods.list(&own).await?.items;
        ensure!(found.len() == 2, "{found:?}");
        for pod in &found {
            are_told(pod)?;
        }
        let shown = reeve.must(&["describe", "sweep", "-p", project])?;
        ensure!(
            shown.contains("2, 2 at once") && shown.contains("team.example/stage=sweep"),
            "{shown}"
        );
        Ok(())
    });
}

fn are_told(pod: &Pod) -> Result<()> {
    let note = pod
        .metadata
        .annotations
        .iter()
        .flatten()
        .find(|(name, _)| *name == "note");
    ensure!(
        note.is_some_and(|(_, text)| text == "any text"),
        "{:?}",
        pod.metadata
    );
    let spec = pod.spec.clone().unwrap_or_default();
    ensure!(spec.termination_grace_period_seconds == Some(5), "{spec:?}");
    let keys: Vec<_> = spec
        .tolerations
        .iter()
        .flatten()
        .filter_map(|it| it.key.as_deref())
        .collect();
    ensure!(keys.contains(&"example.com/slow"), "{keys:?}");
    Ok(())
}
