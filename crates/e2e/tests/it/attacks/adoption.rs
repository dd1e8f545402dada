//! A namespace that was there before its project (R17): marks planted beforehand, the report, and what goes on running.

use anyhow::{Context, Result, ensure};
use reeve_e2e::{Stack, organization};
use reeve_testkit::{Kubectl, Tier, binary, images, output_with_input, wait_until};
use serde_json::{Value, json};

use super::{Attacker, account_with, kubectl_refused};
use crate::harness::{Team, create, fresh, on_a_stack_of_its_own, patch};

const NAMESPACE: &str = "legacy";

/// A Deployment as somebody wrote it before there was a project: it says nothing of users, or a stamp.
fn old_deployment(name: &str, replicas: u32, stamp: Option<&str>) -> Value {
    let annotations = stamp.map_or(json!({}), |stamp| json!({"reeve.dev/runs-as": stamp}));
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}, "annotations": annotations},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": images::TOOLS, "command": ["sleep", "3600"]}]}}}})
}

fn adopt(stack: &Stack, more: &[&str]) -> Result<(i32, String)> {
    let kubeconfig = stack.cluster.installer_kubeconfig().display().to_string();
    let mut command = std::process::Command::new(binary("reeve")?);
    command
        .args(["project", "adopt", NAMESPACE, "--kubeconfig", &kubeconfig])
        .args(more);
    let output = output_with_input(command, "")?;
    let said = [output.stdout, output.stderr]
        .map(|part| String::from_utf8_lossy(&part).into_owned())
        .concat();
    Ok((output.status.code().context("no exit code")?, said))
}

fn make(kubectl: &Kubectl, object: &Value) -> Result<()> {
    kubectl.must_with_input(&["create", "-n", NAMESPACE, "-f", "-"], &object.to_string())?;
    Ok(())
}

/// Whom RBAC lets write in a namespace that is no project's: a researcher of some project, an installer, and a ServiceAccount.
async fn attackers_outside(stack: &Stack) -> Result<[Attacker; 3]> {
    let person = Team::form(stack).await?.researcher;
    let user = format!("--user={}", person.person.username);
    let bind = [
        "create",
        "rolebinding",
        "person",
        "-n",
        NAMESPACE,
        "--clusterrole=edit",
        &user,
    ];
    stack.cluster.kubectl().must(&bind)?;
    let attacker = |who, client, person| Attacker { who, client, person };
    Ok([
        attacker(
            "a researcher bound to edit",
            person.kubernetes(stack).await?,
            true,
        ),
        attacker("an installer", stack.cluster.installer_client().await?, false),
        attacker(
            "a ServiceAccount bound to edit",
            account_with(stack, NAMESPACE, "editor", "edit").await?,
            false,
        ),
    ])
}

#[test]
fn r17_what_was_planted_before_a_namespace_is_a_project_is_seen_and_dropped() {
    on_a_stack_of_its_own("adoption", Tier::Node, async |stack| {
        let kubectl = stack.cluster.kubectl();
        kubectl.must(&["create", "namespace", NAMESPACE])?;
        make(&kubectl, &old_deployment("web", 1, None))?;
        wait_until("the old pod to run", async || {
            let phase = kubectl.must(&[
                "get",
                "pods",
                "-n",
                NAMESPACE,
                "-l",
                "app=web",
                "-o",
                "jsonpath={.items[*].status.phase}",
            ])?;
            Ok((phase == "Running").then_some(()))
        })
        .await?;
        let pod = kubectl.must(&[
            "get",
            "pods",
            "-n",
            NAMESPACE,
            "-o",
            "jsonpath={.items[0].metadata.uid}",
        ])?;
        let victim = organization::create_user(
            &stack.admin,
            &fresh("victim"),
            Some(json!({"uid": 70012, "gid": 5000})),
        )
        .await?;
        let stamp = format!("{}/70012/5000/", victim.id);
        let planted = old_deployment("planted", 0, Some(&stamp));

        // With our policies nobody plants anything, not even the cluster's administrator.
        let attempt =
            kubectl.run_with_input(&["create", "-n", NAMESPACE, "-f", "-"], &planted.to_string())?;
        kubectl_refused(&attempt, &["R17", "this namespace is none"])?;
        let attackers = attackers_outside(&stack).await?;
        for attacker in &attackers {
            let refused = create(&attacker.client, NAMESPACE, planted.clone()).await;
            attacker.must_break(refused, &["R17"], false)?;
        }
        // From before they were installed there may be anything.
        let binding = "validatingadmissionpolicybinding/reeve-outside";
        let saved = kubectl.must(&["get", binding, "-o", "json"])?;
        kubectl.must(&["delete", binding])?;
        wait_until("the policy to be out of force", async || {
            Ok(make(&kubectl, &planted).ok())
        })
        .await?;
        let mut saved: Value = serde_json::from_str(&saved)?;
        for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            saved["metadata"]
                .as_object_mut()
                .context("no metadata")?
                .remove(field);
        }
        kubectl.must_with_input(&["create", "-f", "-"], &saved.to_string())?;

        // What bears a stamp may not be given other content: the stamp vouches for what it was given to.
        let change = [
            "set",
            "image",
            "deployment/planted",
            "main=local.test/evil:1",
            "-n",
            NAMESPACE,
        ];
        wait_until("the policy to be in force again", async || {
            let attempt = kubectl.run(&[&change[..], &["--dry-run=server"]].concat())?;
            Ok(kubectl_refused(&attempt, &["R17"]).ok())
        })
        .await?;
        kubectl_refused(&kubectl.run(&change)?, &["R17"])?;
        let content = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "local.test/evil:1"}]}}}});
        for attacker in &attackers {
            let refused = patch(
                &attacker.client,
                NAMESPACE,
                "Deployment",
                "planted",
                content.clone(),
            )
            .await;
            attacker.must_break(refused, &["R17"], false)?;
        }

        let department = organization::create_department(&stack, &fresh("dept")).await?;
        let name = fresh("proj");
        let body = json!({"name": name, "clusterId": stack.cluster_id, "parentId": department, "resources": [], "requestedNamespace": NAMESPACE});
        let project = stack
            .admin
            .post("/api/v1/org-unit/projects", body)
            .await?
            .expect(201)?;
        wait_until("the project to ask for adoption", async || {
            let status = kubectl.must(&[
                "get",
                "projects.reeve.dev",
                &name,
                "-o",
                "jsonpath={.status.message}",
            ])?;
            Ok(status
                .contains("reeve project adopt legacy --dry-run")
                .then_some(()))
        })
        .await?;

        let (code, report) = adopt(&stack, &["--dry-run"])?;
        ensure!(code == 1, "{report}");
        for word in ["web", "planted", "reeve.dev/runs-as", "--drop-stamps", "R4"] {
            ensure!(report.contains(word), "`{word}` is missing in: {report}");
        }
        let labels = kubectl.must(&["get", "namespace", NAMESPACE, "-o", "jsonpath={.metadata.labels}"])?;
        ensure!(
            !labels.contains("reeve.dev/project"),
            "a dry run labelled: {labels}"
        );
        let (code, said) = adopt(&stack, &[])?;
        ensure!(code == 1 && said.contains("--drop-stamps"), "{said}");

        let (code, said) = adopt(&stack, &["--drop-stamps"])?;
        ensure!(code == 0, "{said}");
        let template = kubectl.must(&[
            "get",
            "deployment",
            "planted",
            "-n",
            NAMESPACE,
            "-o",
            "jsonpath={.spec.template.metadata}",
        ])?;
        ensure!(!template.contains("reeve.dev/"), "{template}");
        let id = project["id"].as_str().context("no id")?;
        organization::wait_until_ready(&stack.admin, id).await?;

        // The project says, too, what could make no new pod.
        wait_until("the project to name what was there", async || {
            let path = "jsonpath={.status.conditions[?(@.type=='WorkloadsAdmissible')]}";
            let condition = kubectl.must(&["get", "projects.reeve.dev", &name, "-o", path])?;
            ensure!(condition.contains(r#""status":"False""#), "{condition}");
            ensure!(condition.contains("Deployment `web` (R"), "{condition}");
            Ok(Some(()))
        })
        .await?;

        // What runs goes on; what was planted makes no pod; what is made anew says why not.
        let now = kubectl.must(&[
            "get",
            "pods",
            "-n",
            NAMESPACE,
            "-o",
            "jsonpath={.items[*].metadata.uid}",
        ])?;
        ensure!(now == pod, "another pod than before runs: {now}");
        kubectl.must(&[
            "patch",
            "deployment",
            "planted",
            "-n",
            NAMESPACE,
            "-p",
            r#"{"spec":{"replicas":1}}"#,
        ])?;
        wait_until("the refusal of its pod", async || {
            let events = kubectl.must(&[
                "get",
                "events",
                "-n",
                NAMESPACE,
                "-o",
                "jsonpath={.items[*].message}",
            ])?;
            // Of a template that says nothing of security Pod Security speaks before our rules.
            Ok((events.contains("violates PodSecurity") || events.contains("reeve: R4: ")).then_some(()))
        })
        .await?;
        let root = kubectl.run(&["exec", "-n", NAMESPACE, "deployment/web", "--", "id"])?;
        kubectl_refused(&root, &["R8"])
    });
}
