//! Stepping into what runs (R8): `exec`, `attach`, `port-forward` and the proxies, by everybody whom RBAC would let through.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use kube::Client;
use reeve_e2e::Stack;
use reeve_testkit::{KillOnDrop, Kubectl, Tier, images, wait_until};
use serde_json::{Value, json};

use super::{her_deployment, kubectl_of, kubectl_refused};
use crate::harness::{
    Member, Team, create, echoed, must_be_refused, on_a_stack_of_its_own, on_the_stack, refusal, signal,
};

/// Every way into a pod: verb and what follows the pod's name.
const WAYS: [(&str, &str); 8] = [
    ("POST", "exec?command=id&stdout=true"),
    ("GET", "exec?command=id&stdout=true"),
    ("POST", "attach?stdout=true"),
    ("GET", "attach?stdout=true"),
    ("POST", "portforward?ports=80"),
    ("GET", "portforward?ports=80"),
    ("GET", "proxy/"),
    ("POST", "proxy/run"),
];

async fn try_way(client: &Client, path: &str, verb: &str) -> Result<(u16, String)> {
    let request = http::Request::builder().method(verb).uri(path).body(Vec::new())?;
    refusal(client.request::<Value>(request).await)
}

/// Fails unless every way into the pod is refused by our rule, or by RBAC where `rbac` is set.
async fn no_way_in(client: &Client, namespace: &str, pod: &str, who: &str, rbac: bool) -> Result<()> {
    for (verb, action) in WAYS {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/{action}");
        let (code, message) = try_way(client, &path, verb).await?;
        let ours = message.contains("reeve: R8: ");
        let subresource = action.split(['?', '/']).next().unwrap_or_default();
        let theirs =
            rbac && message.contains("cannot ") && message.contains(&format!("\"pods/{subresource}\""));
        ensure!(
            code == 403 && (ours || theirs),
            "{who}: {verb} {action}: {code} {message}"
        );
    }
    Ok(())
}

/// A sleeping pod of hers by kubectl, running and on the list.
async fn her_pod(stack: &Stack, team: &Team, member: &Member, name: &str) -> Result<Kubectl> {
    let kubectl = kubectl_of(stack, team, member).await?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": images::TOOLS, "stdin": true,
        "command": ["sh", "-c", "while :; do nc -l -p 8080 -e cat; done & while :; do cat; sleep 1; done"]}]}});
    kubectl.must_with_input(&["create", "-f", "-"], &pod.to_string())?;
    wait_until("her pod to run and to let her in", async || {
        let answer = kubectl.run(&["exec", name, "--", "true"])?;
        ensure!(
            answer.status.success(),
            "{}",
            String::from_utf8_lossy(&answer.stderr)
        );
        Ok(Some(()))
    })
    .await?;
    Ok(kubectl)
}

#[test]
fn r8_exec_cp_attach_and_port_forward_work_on_her_own_pod() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let alice = &team.researcher;
        let kubectl = her_pod(stack, &team, alice, "mine").await?;
        let id = kubectl.must(&["exec", "mine", "--", "id"])?;
        ensure!(id.contains(&format!("uid={}", alice.uid)), "{id}");

        let folder = tempfile::tempdir()?;
        let (there, back) = (folder.path().join("there"), folder.path().join("back"));
        std::fs::write(&there, "carried")?;
        let text = |path: &std::path::Path| path.display().to_string();
        kubectl.must(&["cp", &text(&there), "mine:/tmp/there"])?;
        kubectl.must(&["cp", "mine:/tmp/there", &text(&back)])?;
        ensure!(std::fs::read_to_string(&back)? == "carried");

        attach(&kubectl).await?;
        port_forward(&kubectl).await
    });
}

/// What is typed into `kubectl attach` comes back from her container. The process goes on when nobody is attached.
async fn attach(kubectl: &Kubectl) -> Result<()> {
    use std::io::Write;
    let printed = tempfile::NamedTempFile::new()?;
    let mut attached = KillOnDrop(
        kubectl
            .command()
            .args(["attach", "mine", "-i"])
            .stdin(Stdio::piped())
            .stdout(printed.reopen()?)
            .spawn()?,
    );
    let stdin = attached.0.stdin.as_mut().context("no standard input")?;
    stdin.write_all(b"echoed\n")?;
    wait_until("the echo of what was typed", async || {
        Ok(std::fs::read_to_string(printed.path())?
            .contains("echoed")
            .then_some(()))
    })
    .await
}

/// Carries a line through `kubectl port-forward` and back.
async fn port_forward(kubectl: &Kubectl) -> Result<()> {
    let printed = tempfile::NamedTempFile::new()?;
    let _forwarding = KillOnDrop(
        kubectl
            .command()
            .args(["port-forward", "pod/mine", ":8080"])
            .stdin(Stdio::null())
            .stdout(printed.reopen()?)
            .spawn()?,
    );
    let port: u16 = wait_until("a local port", async || {
        let said = std::fs::read_to_string(printed.path())?;
        let port = said
            .split("127.0.0.1:")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        Ok(port.and_then(|port| port.parse().ok()))
    })
    .await?;
    echoed(port).await
}

#[test]
fn r8_nobody_else_steps_into_her_pod_whatever_rbac_says() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let pod = her_deployment(stack, &team).await?;
        let namespace = &team.namespace;
        let alice = team.researcher.kubernetes(stack).await?;
        // She gets in: what follows is refused for who asks, not for what is asked.
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/exec?command=id&stdout=true");
        wait_until("her pod to be on the list", async || {
            let (code, message) = try_way(&alice, &path, "GET").await?;
            ensure!(code != 403, "{message}");
            Ok(Some(()))
        })
        .await?;

        let dave = team.hire(stack).await?.kubernetes(stack).await?;
        no_way_in(&dave, namespace, &pod, "a colleague", true).await?;
        no_way_in(
            &stack.cluster.client().await?,
            namespace,
            &pod,
            "the cluster administrator",
            false,
        )
        .await?;
        no_way_in(
            &stack.cluster.installer_client().await?,
            namespace,
            &pod,
            "an installer",
            false,
        )
        .await?;
        for (role, account) in [("edit", "editor"), ("admin", "owner")] {
            let client = account_with(stack, namespace, account, role).await?;
            no_way_in(
                &client,
                namespace,
                &pod,
                &format!("a ServiceAccount bound to {role}"),
                false,
            )
            .await?;
        }
        let stranger = Team::form(stack).await?.researcher.kubernetes(stack).await?;
        no_way_in(&stranger, namespace, &pod, "somebody of another project", true).await?;
        no_neighbouring_way(&stack.cluster.client().await?, stack, namespace, &pod).await
    });
}

/// Services of the project, and the kubelet behind the API server.
async fn no_neighbouring_way(admin: &Client, stack: &Stack, namespace: &str, pod: &str) -> Result<()> {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}, "spec": {
        "selector": {"app": "service"}, "ports": [{"port": 80, "targetPort": 8080}]}});
    stack
        .cluster
        .kubectl()
        .must_with_input(&["create", "-n", namespace, "-f", "-"], &service.to_string())?;
    let node = stack.cluster.node_name().context("no node")?;
    for (verb, path) in [
        (
            "GET",
            format!("/api/v1/namespaces/{namespace}/services/front/proxy/"),
        ),
        (
            "POST",
            format!("/api/v1/namespaces/{namespace}/services/http:front:80/proxy/"),
        ),
        (
            "POST",
            format!("/api/v1/nodes/{node}/proxy/run/{namespace}/{pod}/main?cmd=id"),
        ),
        (
            "POST",
            format!("/api/v1/nodes/{node}/proxy/exec/{namespace}/{pod}/main?command=id&output=1"),
        ),
        (
            "GET",
            format!("/api/v1/nodes/{node}/proxy/metrics/../run/{namespace}/{pod}/main?cmd=id"),
        ),
        (
            "GET",
            format!("/api/v1/nodes/{node}/proxy/attach/{namespace}/{pod}/main"),
        ),
        (
            "POST",
            format!("/api/v1/nodes/{node}/proxy/portForward/{namespace}/{pod}"),
        ),
    ] {
        let (code, message) = try_way(admin, &path, verb).await?;
        ensure!(
            code == 403 && message.contains("reeve: R8: "),
            "{verb} {path}: {code} {message}"
        );
    }
    // What shows how a node is goes on.
    let metrics = http::Request::get(format!("/api/v1/nodes/{node}/proxy/metrics")).body(Vec::new())?;
    let metrics = admin.request_text(metrics).await?;
    ensure!(metrics.contains("kubelet_"), "no metrics of the node");
    Ok(())
}

/// A ServiceAccount of the project with one of Kubernetes' own roles, as an installer may give it.
pub(crate) async fn account_with(stack: &Stack, namespace: &str, name: &str, role: &str) -> Result<Client> {
    let admin = stack.cluster.client().await?;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    create(&admin, namespace, account).await?;
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": name}]});
    create(&admin, namespace, binding).await?;
    let token = stack.cluster.service_account_token(namespace, name, 600).await?;
    stack.kubernetes(&token).await
}

#[test]
fn r8_the_list_of_pods_is_nobodys_to_write() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let dave = team.hire(stack).await?;
        her_deployment(stack, &team).await?;
        let kubectl = stack.cluster.kubectl();
        let change = json!({"spec": {"runsAs": {dave.stamp(): ["any"]}}}).to_string();
        let attempt = [
            "patch",
            "podidentities",
            "reeve",
            "-n",
            &team.namespace,
            "--type=merge",
            "-p",
            &change,
        ];
        kubectl_refused(&kubectl.run(&attempt)?, &["R8", "only the operator writes it"])?;
        // Whoever may delete it keeps everybody out, and lets nobody in; the operator writes it again.
        kubectl.must(&["delete", "podidentities", "reeve", "-n", &team.namespace])?;
        wait_until("the list to be there again", async || {
            Ok(kubectl
                .must(&["get", "podidentities", "reeve", "-n", &team.namespace])
                .ok())
        })
        .await?;
        Ok(())
    });
}

/// The API server's own answer for a policy whose parameter is missing; it counts that as an invalid request.
fn no_list(code: u16, message: &str) -> bool {
    code == 422 && message.contains("'reeve-connect'") && message.contains("no params found")
}

/// Planted fault: `parameterNotFoundAction: Allow` in the binding `reeve-connect` lets everybody in whom RBAC lets through.
#[test]
fn r8_while_there_is_no_list_nobody_steps_in() {
    on_a_stack_of_its_own("no-list", Tier::Node, async |stack| {
        let team = Team::form(&stack).await?;
        let namespace = &team.namespace;
        her_pod(&stack, &team, &team.researcher, "web-0").await?;
        let clients = [
            ("she herself", team.researcher.kubernetes(&stack).await?),
            ("the cluster administrator", stack.cluster.client().await?),
            (
                "a ServiceAccount bound to edit",
                account_with(&stack, namespace, "editor", "edit").await?,
            ),
        ];
        signal(stack.operator(), nix::sys::signal::Signal::SIGSTOP)?;
        let list = ["delete", "podidentities", "reeve", "-n", namespace];
        stack.cluster.kubectl().must(&list)?;
        let tries = async |client: &Client, verb: &str, action: &str| {
            let path = format!("/api/v1/namespaces/{namespace}/pods/web-0/{action}");
            try_way(client, &path, verb).await
        };
        wait_until("the API server to see that the list is gone", async || {
            let (code, message) = tries(&clients[0].1, "GET", "exec?command=id&stdout=true").await?;
            ensure!(no_list(code, &message), "{code} {message}");
            Ok(Some(()))
        })
        .await?;
        // What looks at the pod itself refuses everybody but her, whatever the list says.
        let of_the_pod = |code: u16, message: &str| code == 403 && message.contains("'reeve-connect-pods'");
        for (who, client) in &clients {
            for (verb, action) in &WAYS[..6] {
                let (code, message) = tries(client, verb, action).await?;
                let she = *who == "she herself";
                ensure!(
                    no_list(code, &message) || !she && of_the_pod(code, &message),
                    "{who}: {verb} {action}: {code} {message}"
                );
            }
        }
        signal(stack.operator(), nix::sys::signal::Signal::SIGCONT)?;
        wait_until("her own way in to be there again", async || {
            let (code, message) = tries(&clients[0].1, "GET", "exec?command=id&stdout=true").await?;
            ensure!(code != 403 && !no_list(code, &message), "{code} {message}");
            Ok(Some(()))
        })
        .await
    });
}

#[test]
fn r8_a_name_that_is_taken_over_while_no_operator_looks_lets_the_former_owner_out() {
    on_a_stack_of_its_own("taken-over", Tier::Node, async |stack| {
        let team = Team::form(&stack).await?;
        let dave = team.hire(&stack).await?;
        let hers = her_pod(&stack, &team, &team.researcher, "web-0").await?;
        signal(stack.operator(), nix::sys::signal::Signal::SIGSTOP)?;
        hers.must(&["delete", "pod", "web-0", "--grace-period=0", "--force"])?;
        let his = kubectl_of(&stack, &team, &dave).await?;
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}, "spec": {
            "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": images::TOOLS, "command": ["sleep", "600"]}]}});
        wait_until("the name to be free", async || {
            Ok(Some(
                his.must_with_input(&["create", "-f", "-"], &pod.to_string())?,
            ))
        })
        .await?;
        wait_until("his pod to run", async || {
            let phase = his.must(&["get", "pod", "web-0", "-o", "jsonpath={.status.phase}"])?;
            Ok((phase == "Running").then_some(()))
        })
        .await?;
        // The list still says that web-0 is hers.
        let list = stack.cluster.kubectl().must(&[
            "get",
            "podidentities",
            "reeve",
            "-n",
            &team.namespace,
            "-o",
            "yaml",
        ])?;
        ensure!(
            list.contains("web-0") && list.contains(&team.researcher.stamp()),
            "{list}"
        );
        kubectl_refused(&hers.run(&["exec", "web-0", "--", "id"])?, &["R8", &dave.stamp()])?;
        // Nor does the list let him in yet: late entries keep people out.
        kubectl_refused(&his.run(&["exec", "web-0", "--", "id"])?, &["R8"])?;
        signal(stack.operator(), nix::sys::signal::Signal::SIGCONT)?;
        wait_until("his pod to be on the list", async || {
            let answer = his.run(&["exec", "web-0", "--", "id"])?;
            Ok(String::from_utf8_lossy(&answer.stdout)
                .contains(&format!("uid={}", dave.uid))
                .then_some(()))
        })
        .await?;
        let client = team.researcher.kubernetes(&stack).await?;
        let path = format!(
            "/api/v1/namespaces/{}/pods/web-0/exec?command=id&stdout=true",
            team.namespace
        );
        let request = http::Request::get(path).body(Vec::new())?;
        must_be_refused(
            client.request::<Value>(request).await,
            &["R8", "only that person may step into it"],
        )
    });
}
