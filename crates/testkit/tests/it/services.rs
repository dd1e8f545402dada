use std::time::Duration;

use anyhow::{Context, Result, bail};
use reeve_testkit::{Cluster, Options, Tier, apply_yaml, cluster, images, wait_for};

/// A Service with a pod that says `hello`, and a pod that asks for it as `$ADDRESS`.
const PARTS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: greeter, labels: {app: greeter}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: TOOLS
    command: [sh, -c, "while :; do echo hello | nc -l -p 8080; done"]
---
apiVersion: v1
kind: Service
metadata: {name: greeter}
spec: {type: NodePort, selector: {app: greeter}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: asker}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: TOOLS
    command: [sleep, "1000"]
"#;

async fn said(cluster: &Cluster, namespace: &str, host: &str, port: &str) -> Result<()> {
    let command = [
        "-n", namespace, "exec", "asker", "--", "nc", "-w", "2", host, port,
    ];
    let what = format!("`{host}` to answer");
    wait_for(Duration::from_secs(30), &what, async || {
        let answer = cluster.kubectl().must(&command)?;
        if answer != "hello\n" {
            bail!("it said `{answer}`");
        }
        Ok(Some(()))
    })
    .await
}

#[tokio::test]
async fn pods_reach_services_by_address_and_name_and_the_api_server_as_one() -> Result<()> {
    let Some(cluster) = cluster(Tier::Node).await else {
        return Ok(());
    };
    if let Err(reason) = cluster.services() {
        reeve_testkit::skip(reason);
        return Ok(());
    }
    let client = cluster.client().await?;
    let namespace = cluster.namespace("services").await?;
    let parts = PARTS.replace("TOOLS", images::TOOLS);
    let parts = parts.replace(
        "metadata: {name",
        &format!("metadata: {{namespace: {namespace}, name"),
    );
    apply_yaml(&client, &parts).await?;
    let kubectl = cluster.kubectl();
    let ready = [
        "-n",
        &namespace,
        "wait",
        "--for=condition=Ready",
        "pod",
        "--all",
        "--timeout=60s",
    ];
    kubectl.must(&ready)?;
    let of_service = |path: &str| {
        let path = format!("-o=jsonpath={path}");
        kubectl.must(&["-n", &namespace, "get", "service", "greeter", &path])
    };
    let (address, node_port) = (
        of_service("{.spec.clusterIP}")?,
        of_service("{.spec.ports[0].nodePort}")?,
    );
    let full = format!("greeter.{namespace}.svc.cluster.local");
    for host in [address.as_str(), "greeter", &full] {
        said(cluster, &namespace, host, "80").await?;
    }
    // From this machine, by the node's port.
    let node = cluster.node_address().context("no node")?;
    wait_for(Duration::from_secs(30), "the node's port to answer", async || {
        let mut stream = tokio::net::TcpStream::connect(format!("{node}:{node_port}")).await?;
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await?;
        Ok((answer == "hello\n").then_some(()))
    })
    .await?;
    let api = [
        "-n",
        &namespace,
        "exec",
        "asker",
        "--",
        "nc",
        "-w",
        "2",
        "kubernetes.default.svc",
        "443",
    ];
    kubectl.must(&api)?;
    let other = [
        "-n",
        &namespace,
        "exec",
        "asker",
        "--",
        "nc",
        "-w",
        "2",
        "nobody.example",
        "80",
    ];
    let refused = kubectl.run(&other)?;
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("bad address"),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test]
async fn two_nodes_at_a_time_do_not_meet() -> Result<()> {
    let Some(first) = cluster(Tier::Node).await else {
        return Ok(());
    };
    if first.services().is_err() {
        return Ok(());
    }
    let options = Options {
        tier: Tier::Node,
        ..Options::default()
    };
    let second = Cluster::start(options).await?;
    assert_eq!(second.services(), Ok(()));
    assert_ne!(first.host_address(), second.host_address());
    // Both have the API server at this address, each its own.
    let address = |cluster: &Cluster| {
        let path = "-o=jsonpath={.spec.clusterIP} {.metadata.uid}";
        cluster.kubectl().must(&["get", "service", "kubernetes", path])
    };
    let (one, two) = (address(first)?, address(&second)?);
    assert!(
        one.starts_with("10.96.0.1 ") && two.starts_with("10.96.0.1 ") && one != two,
        "{one} {two}"
    );
    Ok(())
}
