//! What images that were made for root, for one uid, for a name or for any uid, or that have setuid files, do on a real node: where
//! identity is enforced, and where it is not.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use reeve_e2e::Stack;
use reeve_testkit::{Tier, images, wait_for, wait_until};
use serde_json::json;
use std::time::Duration;

use crate::attacks::r3_r18_and_r20_hold_for_everybody_where_identity_is_not_enforced;
use crate::harness::{Team, change_settings, create, must_be_refused, on_a_stack_of_its_own, output_of};
use crate::identity::her_id;

/// What becomes of a pod.
enum Verdict {
    /// Its `id` says this.
    Is(&'static str),
    /// It runs as the person of the project.
    IsHer,
    /// The container is never started; what is said of it holds this.
    Never(&'static str),
}

/// Each image where identity is enforced, and where it is not.
const MATRIX: [(&str, Verdict, Verdict); 5] = [
    (
        images::TOOLS,
        Verdict::IsHer,
        Verdict::Never("runAsNonRoot and image will run as root"),
    ),
    (
        images::NAMED,
        Verdict::IsHer,
        Verdict::Never("image has non-numeric user"),
    ),
    (
        images::FIXED,
        Verdict::IsHer,
        Verdict::Is("uid=1000(modeler) gid=1000(modeler) groups=1000(modeler)"),
    ),
    (
        images::RANDOM,
        Verdict::IsHer,
        Verdict::Is("uid=1000660007 gid=0(root) groups=0(root)"),
    ),
    (
        images::ROOT_ONLY,
        Verdict::Never("permission denied"),
        Verdict::Never("runAsNonRoot and image will run as root"),
    ),
];

/// Planted fault: with `runAsNonRoot` left out of what is filled in, the first image prints `uid=0(root)` where identity is not
/// enforced.
#[test]
fn every_image_runs_as_the_person_or_as_nobody_and_never_as_root() {
    on_a_stack_of_its_own("images", Tier::Node, async |stack| {
        let team = Team::form(&stack).await?;
        for (number, (image, enforced, _)) in MATRIX.iter().enumerate() {
            must_end_as(&stack, &team, &format!("on-{number}"), image, enforced).await?;
        }
        a_submission_says_what_to_change(&stack, &team, images::ROOT_ONLY, "chmod -R a+rX").await?;
        a_setuid_file_makes_somebody_else_only_of_who_asks_where_it_may_be_asked(&stack, &team).await?;
        set(&stack, &team, "enforceRunAsUser", "enforce-run-as-user", false).await?;
        for (number, (image, _, lenient)) in MATRIX.iter().enumerate() {
            must_end_as(&stack, &team, &format!("off-{number}"), image, lenient).await?;
        }
        // The one stack where identity is not enforced.
        r3_r18_and_r20_hold_for_everybody_where_identity_is_not_enforced(&stack, &team).await?;
        a_submission_says_what_to_change(&stack, &team, images::TOOLS, "USER 1000").await?;
        a_submission_says_what_to_change(&stack, &team, images::NAMED, "USER 1000").await
    });
}

/// Sets a switch of the cluster and waits until the project has it.
async fn set(stack: &Stack, team: &Team, switch: &str, label: &str, on: bool) -> Result<()> {
    let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
    let change = json!({"spec": {switch: on}}).to_string();
    change_settings(&installer, &change)?;
    wait_until("the namespace to carry the setting", async || {
        let path = format!("jsonpath={{.metadata.labels.reeve\\.dev/{label}}}");
        let found = installer.must(&["get", "namespace", &team.namespace, "-o", &path])?;
        Ok((found.trim() == on.to_string()).then_some(()))
    })
    .await
}

/// The image has a file of another uid and one of root's that make whoever runs them its owner. What she may ask for, and
/// gets, is the weakness that `SECURITY.md` tells of; it shows that the rest can fail. Planted fault: with
/// `allowPrivilegeEscalation` left out of what is filled in, the second pod prints `70099` as well.
async fn a_setuid_file_makes_somebody_else_only_of_who_asks_where_it_may_be_asked(
    stack: &Stack,
    team: &Team,
) -> Result<()> {
    const SWITCH: (&str, &str) = (
        "enforcePreventPrivilegeEscalation",
        "enforce-prevent-privilege-escalation",
    );
    let alice = team.researcher.kubernetes(stack).await?;
    let uid = team.researcher.uid;
    let job = |name: &str, asks: bool| {
        let script = "for who in another root; do /bin/as-$who /proc/self/status | grep ^Uid: ; done";
        let mut container = json!({"name": "main", "image": images::SETUID, "command": ["sh", "-c", script]});
        if asks {
            container["securityContext"] = json!({"allowPrivilegeEscalation": true});
        }
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}})
    };
    // The kernel's real, effective, saved and file system uid, of each program.
    let must_print = async |name: &str, owners: [u32; 2]| {
        let selector = format!("batch.kubernetes.io/job-name={name}");
        let printed = output_of(stack, &team.namespace, &selector)
            .await
            .with_context(|| name.to_owned())?;
        let wanted: String = owners
            .iter()
            .map(|it| format!("Uid:\t{uid}\t{it}\t{it}\t{it}\n"))
            .collect();
        ensure!(printed == wanted, "{name}: {printed}");
        anyhow::Ok(())
    };

    create(&alice, &team.namespace, job("strict", false)).await?;
    must_print("strict", [uid, uid]).await?;
    let refused = create(&alice, &team.namespace, job("strict-asks", true)).await;
    must_be_refused(refused, &["allowPrivilegeEscalation must be false"])?;

    set(stack, team, SWITCH.0, SWITCH.1, false).await?;
    create(&alice, &team.namespace, job("says-nothing", false)).await?;
    must_print("says-nothing", [uid, uid]).await?;
    create(&alice, &team.namespace, job("asks", true)).await?;
    must_print("asks", [images::ANOTHER, 0]).await?;
    set(stack, team, SWITCH.0, SWITCH.1, true).await
}

/// A Job that alice applies, of an image that says no more than it has to.
async fn must_end_as(stack: &Stack, team: &Team, name: &str, image: &str, verdict: &Verdict) -> Result<()> {
    let alice = team.researcher.kubernetes(stack).await?;
    let mut container = json!({"name": "main", "image": image, "command": ["id"]});
    if image == images::ROOT_ONLY {
        container["command"] = json!(["/bin/app", "id"]);
    }
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}});
    create(&alice, &team.namespace, job).await?;
    let selector = format!("batch.kubernetes.io/job-name={name}");
    let about = || format!("{image} as {name}");
    let output = async || output_of(stack, &team.namespace, &selector).await;
    match verdict {
        Verdict::IsHer => {
            let printed = output().await.with_context(about)?;
            ensure!(
                printed.trim_end() == her_id(team.researcher.uid),
                "{}: {printed}",
                about()
            );
        }
        Verdict::Is(wanted) => {
            let printed = output().await.with_context(about)?;
            ensure!(printed.trim_end() == *wanted, "{}: {printed}", about());
        }
        Verdict::Never(why) => {
            let pods: Api<Pod> = Api::namespaced(stack.cluster.client().await?, &team.namespace);
            wait_for(Duration::from_secs(60), &about(), async || {
                let found = pods.list(&ListParams::default().labels(&selector)).await?;
                let pod = found.items.into_iter().next().context("no pod yet")?;
                let said = serde_json::to_string(&pod.status)?;
                ensure!(
                    !said.contains("\"exitCode\":0") && !said.contains("\"running\""),
                    "{said}"
                );
                ensure!(said.contains(why), "{said}");
                Ok(Some(()))
            })
            .await?;
        }
    }
    Ok(())
}

/// What the REST API says of a submission that is never started.
async fn a_submission_says_what_to_change(
    stack: &Stack,
    team: &Team,
    image: &str,
    remedy: &str,
) -> Result<()> {
    let name = crate::harness::fresh("image");
    let command = if image == images::ROOT_ONLY {
        "/bin/app id"
    } else {
        "id"
    };
    let body = json!({"name": name, "projectId": team.project, "clusterId": stack.cluster_id,
        "spec": {"image": image, "command": command}});
    let rest = &team.researcher.rest;
    let made = rest
        .post("/api/v1/workloads/trainings", body)
        .await?
        .expect(202)?;
    let id = made["workloadId"].as_str().unwrap_or_default().to_owned();
    wait_for(Duration::from_secs(60), "the reason", async || {
        let shown = rest.get(&format!("/api/v1/workloads/{id}")).await?.expect(200)?;
        let said = shown["phaseMessage"].as_str().unwrap_or_default();
        ensure!(said.contains(remedy), "{image}: {shown}");
        Ok(Some(()))
    })
    .await
}
