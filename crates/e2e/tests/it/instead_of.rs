//! What the pages `docs/security/instead-of.md` and `SECURITY.md` tell people to type, typed.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reeve_e2e::{Stack, kubeconfig, write_private};
use reeve_testkit::{Kubectl, Tier, images, wait_for, wait_until};
use serde_json::json;

use crate::attacks::{kubectl_of, kubectl_refused};
use crate::harness::{Team, deployment, on_a_stack_of_its_own, on_the_stack};

fn page(name: &str) -> Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::read_to_string(&file).with_context(|| format!("reading `{}`", file.display()))
}

/// The words after `kubectl` of the one command of the page that holds all of `parts`, with POD, IMAGE and CONTAINER filled in,
/// `id` for the shell, and nobody attached.
fn debugging(page: &str, parts: &[&str]) -> Result<Vec<String>> {
    let line = page
        .split(['`', '\n'])
        .find(|text| text.trim().starts_with("kubectl debug") && parts.iter().all(|part| text.contains(part)))
        .with_context(|| format!("the page has no command with {parts:?}"))?;
    let words = line.split_whitespace().skip(1).filter(|word| *word != "-it");
    let filled = words.map(|word| {
        word.replace("POD", "mine")
            .replace("IMAGE", images::TOOLS)
            .replace("CONTAINER", "main")
    });
    let mut words: Vec<String> = filled.collect();
    let shell = words.iter().position(|word| word == "--").context("no command")?;
    words.truncate(shell);
    words.extend(["-c", "dbg", "--", "id"].map(str::to_owned));
    Ok(words)
}

/// What `id` printed in the container `dbg` of a pod.
async fn printed_in(kubectl: &Kubectl, pod: &str) -> Result<String> {
    wait_until("the debug container to have run", async || {
        let printed = kubectl.must(&["logs", pod, "-c", "dbg"])?;
        Ok(printed.contains("uid=").then_some(printed))
    })
    .await
}

async fn running(kubectl: &Kubectl, pod: &str) -> Result<()> {
    wait_until("the pod to run", async || {
        let phase = kubectl.must(&["get", "pod", pod, "-o", "jsonpath={.status.phase}"])?;
        ensure!(phase == "Running", "{phase}");
        Ok(Some(()))
    })
    .await
}

fn sleeping(name: &str) -> String {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": images::TOOLS, "command": ["sleep", "3600"]}]}})
    .to_string()
}

fn must(kubectl: &Kubectl, words: &[String]) -> Result<String> {
    kubectl.must(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Planted fault: `node-name` without its exemption of updates of pods refuses every debug container, since a pod that runs
/// has its node.
#[test]
fn the_commands_of_instead_of_work_as_the_page_says() {
    on_a_stack_of_its_own("instead-of", Tier::Node, async |stack| {
        let team = Team::form(&stack).await?;
        let page = page("docs/security/instead-of.md")?;
        let kubectl = kubectl_of(&stack, &team, &team.researcher).await?;
        let hers = format!("uid={}", team.researcher.uid);
        kubectl.must_with_input(&["create", "-f", "-"], &sleeping("mine"))?;
        running(&kubectl, "mine").await?;

        must(
            &kubectl,
            &debugging(&page, &["--target=", "--profile=restricted"])?,
        )?;
        let printed = printed_in(&kubectl, "mine").await?;
        ensure!(printed.contains(&hers), "{printed}");
        let mut copy = debugging(&page, &["--copy-to=", "--profile=restricted"])?;
        must(&kubectl, &copy)?;
        let printed = printed_in(&kubectl, "mine-debug").await?;
        ensure!(printed.contains(&hers), "{printed}");
        // What the page says not to add.
        copy.insert(1, "--same-node".to_owned());
        let other = copy.iter().map(|word| word.replace("mine-debug", "other"));
        let other: Vec<String> = other.collect();
        let answer = kubectl.run(&other.iter().map(String::as_str).collect::<Vec<_>>())?;
        kubectl_refused(&answer, &["reeve: R20: "])?;

        let dave = team.hire(&stack).await?;
        copies_of_a_colleagues(&stack, &team, &page, &dave).await?;
        rolls(&kubectl).await?;
        reads(&kubectl, &page)?;
        drain(&stack, &team, &page).await
    });
}

/// The page's way to run the same as a colleague, with `jq`, as it stands there.
async fn copies_of_a_colleagues(
    stack: &Stack,
    team: &Team,
    page: &str,
    dave: &crate::harness::Member,
) -> Result<()> {
    let start = page
        .find("      kubectl get pod POD -o json \\")
        .context("no pipeline")?;
    let pipeline: Vec<&str> = page[start..].lines().take(3).collect();
    let pipeline = pipeline
        .join("\n")
        .replace("POD", "mine")
        .replace("\"mine\"", "\"his\"");
    let his = kubectl_of(stack, team, dave).await?;
    let folder = tempfile::tempdir()?;
    let program = his.command().get_program().to_owned();
    let script = format!("kubectl() {{ {} \"$@\"; }}\n{pipeline}\n", program.display());
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path());
    for argument in his.command().get_envs() {
        if let (key, Some(value)) = argument {
            command.env(key, value);
        }
    }
    let answer = command.output()?;
    ensure!(answer.status.success(), "{script}: {answer:?}");
    let stamp = r"jsonpath={.metadata.annotations.reeve\.dev/runs-as}";
    let stamp = his.must(&["get", "pod", "his", "-o", stamp])?;
    ensure!(stamp == dave.stamp(), "{stamp}");
    Ok(())
}

/// `scale` is refused, the patch in its place works, and so do restarts and an autoscaler.
async fn rolls(kubectl: &Kubectl) -> Result<()> {
    kubectl.must_with_input(&["create", "-f", "-"], &deployment("service", 1).to_string())?;
    let answer = kubectl.run(&["scale", "deployment/service", "--replicas=3"])?;
    ensure!(!answer.status.success(), "scale was not refused");
    kubectl.must(&["patch", "deployment/service", "-p", r#"{"spec":{"replicas":2}}"#])?;
    kubectl.must(&["rollout", "status", "deployment/service", "--timeout=60s"])?;
    kubectl.must(&["rollout", "restart", "deployment/service"])?;
    kubectl.must(&["rollout", "status", "deployment/service", "--timeout=60s"])?;
    kubectl.must(&["rollout", "undo", "deployment/service"])?;
    kubectl.must(&["rollout", "pause", "deployment/service"])?;
    kubectl.must(&["rollout", "resume", "deployment/service"])?;
    let most = [
        "autoscale",
        "deployment/service",
        "--min=1",
        "--max=2",
        "--cpu=80%",
    ];
    kubectl.must(&most)?;
    Ok(())
}

/// Each command of the page's table that begins with `kubectl get` or `kubectl wait` and needs no name of a node, as an L1
/// researcher: what is said of it holds. Planted fault: `watch` beside `list` on Secrets in the role.
fn reads(kubectl: &Kubectl, page: &str) -> Result<()> {
    kubectl.must(&["create", "secret", "generic", "mine", "--from-literal=a=b"])?;
    let asks = |text: &str| text.starts_with("kubectl get ") || text.starts_with("kubectl wait ");
    let mut tried = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| `kubectl get ")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let (commands, here) = (cells[0], cells.get(1).copied().unwrap_or_default());
        let commands = commands.split('`').filter(|text| asks(text));
        for command in commands.filter(|command| !command.contains("NODE")) {
            let mut words: Vec<&str> = command.split_whitespace().skip(1).collect();
            if words[0] == "wait" {
                words[1] = "secret/mine";
                words.push("--for=delete");
            }
            // An open watch ends by no word of its own.
            if words.contains(&"-w") || words[0] == "wait" {
                words.push(if words[0] == "wait" {
                    "--timeout=5s"
                } else {
                    "--request-timeout=5s"
                });
            }
            let answer = kubectl.run(&words)?;
            ensure!(
                answer.status.success() == (here == "works")
                    && (here == "works" || here.starts_with("refused")),
                "`{command}` is said to be {here:?}: {answer:?}"
            );
            if words.last().is_some_and(|word| word.contains("timeout")) {
                kubectl_refused(&answer, &["cannot watch resource", "secrets"])
                    .with_context(|| command.to_owned())?;
            }
            tried.push(command);
        }
    }
    for command in ["kubectl get secrets -w", "kubectl wait secret/…"] {
        ensure!(tried.contains(&command), "`{command}` was not tried");
    }
    ensure!(tried.len() >= 7, "only these were tried: {tried:?}");
    Ok(())
}

/// By an administrator, with the flag that the page names.
async fn drain(stack: &Stack, team: &Team, page: &str) -> Result<()> {
    ensure!(page.contains("`kubectl drain NODE`") && page.contains("`--delete-emptydir-data`"));
    let admin = stack.cluster.kubectl();
    let node = stack.cluster.node_name().context("no node")?.to_owned();
    let drain = [
        "drain",
        &node,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--force",
        "--timeout=90s",
    ];
    admin.must(&drain)?;
    wait_for(
        std::time::Duration::from_secs(60),
        "no pod of the project on it",
        async || {
            let on_it = format!("spec.nodeName={node}");
            let left = admin.must(&[
                "get",
                "pods",
                "-n",
                &team.namespace,
                "--field-selector",
                &on_it,
                "-o",
                "name",
            ])?;
            ensure!(left.is_empty(), "{left}");
            Ok(Some(()))
        },
    )
    .await
}

/// An ordinary chart's kinds by an L1 researcher. What RBAC refuses it refuses in Kubernetes' own words, so the page of what
/// people may make has to say who can. Planted fault: `serviceaccounts` among what an L1 researcher writes.
#[test]
fn of_an_ordinary_chart_it_is_refused_what_the_page_names_with_who_can() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        let labels = json!({"app": "chart"});
        let works = [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "chart"}, "data": {"a": "b"}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "chart"}, "spec": {
                "selector": labels, "ports": [{"port": 80}]}}),
            deployment("chart", 1),
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "chart"}, "spec": {
                "maxUnavailable": 1, "selector": {"matchLabels": labels}}}),
        ];
        for object in works {
            kubectl.must_with_input(&["apply", "-f", "-"], &object.to_string())?;
        }
        let rbac = "rbac.authorization.k8s.io";
        let refused = [
            (
                "serviceaccounts",
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "chart"}}),
            ),
            (
                "roles.rbac.authorization.k8s.io",
                json!({"apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "chart"}, "rules": []}),
            ),
            (
                "rolebindings.rbac.authorization.k8s.io",
                json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "chart"},
                    "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "chart"}, "subjects": []}),
            ),
        ];
        let page = page("docs/security/what-people-may-make.md")?;
        for (resource, object) in refused {
            let answer = kubectl.run_with_input(&["create", "-f", "-"], &object.to_string())?;
            kubectl_refused(&answer, &["forbidden", "cannot create resource"])?;
            let row = page
                .lines()
                .rfind(|line| line.starts_with(&format!("| `{resource}` |")));
            let row = row.with_context(|| format!("no row for {resource}"))?;
            ensure!(
                row.contains("installers") || row.contains("whoever administers"),
                "it does not say who can: {row}"
            );
        }
        Ok(())
    });
}

/// The role of `SECURITY.md` as it stands there. Planted fault: `userextras` beside `users` in its first rule.
#[test]
fn a_daily_administrator_sees_as_people_see_and_is_nobody_with_a_uid() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let page = page("SECURITY.md")?;
        let lines = page
            .lines()
            .skip_while(|line| *line != "    apiVersion: rbac.authorization.k8s.io/v1")
            .take_while(|line| line.is_empty() || line.starts_with("    "));
        let role: String = lines
            .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
            .collect();
        ensure!(role.contains("daily-administrator"), "{role}");
        let admin = stack.cluster.kubectl();
        admin.must_with_input(&["apply", "-f", "-"], &role)?;
        for command in [
            &["create", "serviceaccount", "daily", "-n", "default"][..],
            &[
                "create",
                "clusterrolebinding",
                "daily",
                "--clusterrole=daily-administrator",
                "--serviceaccount=default:daily",
            ],
        ] {
            admin.must(command)?;
        }
        let token = stack
            .cluster
            .service_account_token("default", "daily", 600)
            .await?;
        let kubeconfig = kubeconfig(&stack.cluster, &token, Some(&team.namespace));
        let file = stack.dir().join("daily.kubeconfig");
        write_private(&file, &kubeconfig)?;
        let kubectl = stack.kubectl(&file);
        let alice = format!("--as={}", team.researcher.person.username);
        wait_until("her pods to be seen as she sees them", async || {
            Ok(Some(kubectl.must(&[&alice, "get", "pods"])?))
        })
        .await?;
        let uid = format!("--as-user-extra=reeve.dev/uid={}", team.researcher.uid);
        let answer = kubectl.run(&[&alice, &uid, "get", "pods"])?;
        kubectl_refused(&answer, &["forbidden", "userextras"])?;
        let answer = kubectl.run(&[&alice, "create", "configmap", "x"])?;
        kubectl_refused(&answer, &["forbidden"])
    });
}
