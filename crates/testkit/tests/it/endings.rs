mod traces;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reeve_testkit::{Cluster, LaunchLine, Options, Testbed, Tier, binary, images, wait_for, wait_until};

use self::traces::Traces;

/// The tests here watch processes of their own; without programs the others have said why already.
pub(crate) async fn programs_are_built() -> bool {
    reeve_testkit::cluster(Tier::ApiServer).await.is_some() && Testbed::prepare(Tier::Node).is_ok()
}

fn up(tier: &str, folder: &Path) -> Result<(Child, LaunchLine)> {
    let mut up = Command::new(binary("reeve-testbed")?)
        .args(["up", "--tier", tier, "--dir"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(up.stdout.take().context("no output")?).read_line(&mut line)?;
    Ok((
        up,
        serde_json::from_str(&line).with_context(|| format!("not a launch line: `{line}`"))?,
    ))
}

/// The settings that a kubelet changes, as they are when no node runs on this machine: the first node notes them, and
/// the last one puts them back.
fn kernel_settings() -> BTreeMap<String, String> {
    if let Ok(noted) = fs::read_to_string("/run/reeve-testbed/kernel-settings.json") {
        return serde_json::from_str(&noted).unwrap_or_default();
    }
    let names = [
        "vm/overcommit_memory",
        "vm/panic_on_oom",
        "kernel/panic",
        "kernel/panic_on_oops",
    ];
    let names = names.iter().chain(&[
        "kernel/keys/root_maxkeys",
        "kernel/keys/root_maxbytes",
        "net/ipv4/ip_forward",
    ]);
    names
        .filter_map(|name| {
            let value = fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
            Some(((*name).to_owned(), value.trim().to_owned()))
        })
        .collect()
}

async fn nothing_left(traces: &Traces) -> Result<()> {
    wait_for(
        Duration::from_secs(30),
        "every trace of the cluster to vanish",
        async || {
            let left = traces.left()?;
            if left.is_empty() {
                Ok(Some(()))
            } else {
                bail!("left: {}", left.join("; "))
            }
        },
    )
    .await
}

/// A cluster with a running pod, if this machine can have one, as its traces.
async fn busy(line: &LaunchLine) -> Result<()> {
    if !line.real_node {
        return Ok(());
    }
    let kubectl = reeve_testkit::Kubectl::new(&line.kubectl, &line.kubeconfigs.admin);
    kubectl.must(&["run", "sleeper", "--image", images::TOOLS, "--", "sleep", "1000"])?;
    kubectl.must(&["wait", "--for=condition=Ready", "pod/sleeper", "--timeout=30s"])?;
    Ok(())
}

/// The search finds what it is to find later, while it is there.
fn looks_at_enough(traces: &Traces, real_node: bool) -> Result<()> {
    let (family, ports, namespaces) = (&traces.family, &traces.ports, &traces.namespaces);
    assert!(
        family.len() >= 5 && ports.len() >= 3,
        "the test looks at too little: {family:?} {ports:?}"
    );
    let left = traces.left()?;
    assert!(!left.is_empty());
    for kind in ["net:[", "mnt:[", "pid:["].into_iter().filter(|_| real_node) {
        let mut known = namespaces.keys().filter(|name| name.starts_with(kind));
        assert!(
            known.any(|name| left.iter().any(|found| found.contains(name))),
            "no {kind}…] of {:?} is found: {left:?}",
            namespaces.keys()
        );
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_when_the_supervisor_is_killed() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let kernel = kernel_settings();
    let folder = tempfile::tempdir()?;
    let (mut up, line) = up("node", folder.path())?;
    busy(&line).await?;
    let traces = Traces::of(up.id(), &line)?;
    looks_at_enough(&traces, line.real_node)?;
    up.kill()?;
    up.wait()?;
    nothing_left(&traces).await?;
    wait_until("the kernel's settings to be what they were", async || {
        Ok((kernel_settings() == kernel).then_some(()))
    })
    .await
}

#[tokio::test]
async fn nothing_is_left_when_standard_input_closes() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let (mut up, line) = up("node", folder.path())?;
    busy(&line).await?;
    let traces = Traces::of(up.id(), &line)?;
    looks_at_enough(&traces, line.real_node)?;
    drop(up.stdin.take());
    assert!(up.wait()?.success());
    let left = traces.left()?;
    assert!(
        left.is_empty(),
        "its end comes after the end of everything else: {left:?}"
    );
    assert!(line.audit_log.exists(), "a folder that was named is kept");
    Ok(())
}

#[tokio::test]
async fn a_dropped_cluster_takes_its_temporary_folder_along() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let cluster = Cluster::start(Options::default()).await?;
    let folder = cluster.dir().to_owned();
    let traces = Traces::in_folder(cluster.pid(), &folder, "")?;
    assert!(folder.join("audit.log").exists());
    drop(cluster);
    assert!(!folder.exists());
    assert_eq!(traces.left()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_faulty_authentication_file_fails_the_start_and_says_why() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let options = Options {
        authentication_config: Some("kind: Nonsense\n".to_owned()),
        ..Options::default()
    };
    let error = Cluster::start(options)
        .await
        .expect_err("no API server takes that");
    assert!(
        format!("{error:#}").contains("kube-apiserver ended while we waited"),
        "{error:#}"
    );
    Ok(())
}
