use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reeve_testkit::{Cluster, LaunchLine, Options, Testbed, Tier, binary, images, wait_for, wait_until};

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

/// Pid and start time of every process below one, itself included: together they name a process for good.
fn family(root: u32) -> Result<BTreeSet<(u32, String)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        if let Some((parent, start)) = parent_and_start(pid) {
            all.push((pid, parent, start));
        }
    }
    let mut found = BTreeSet::from([root]);
    loop {
        let children = all
            .iter()
            .filter(|(pid, parent, _)| found.contains(parent) && !found.contains(pid));
        let children: Vec<u32> = children.map(|(pid, ..)| *pid).collect();
        if children.is_empty() {
            break;
        }
        found.extend(children);
    }
    Ok(all
        .into_iter()
        .filter(|(pid, ..)| found.contains(pid))
        .map(|(pid, _, start)| (pid, start))
        .collect())
}

fn parent_and_start(pid: u32) -> Option<(u32, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may hold anything, spaces too.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
}

/// What is on this machine because of a cluster: anything here after its end is a leak.
fn traces(
    folder: &Path,
    node: &str,
    ports: &[String],
    family: &BTreeSet<(u32, String)>,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (pid, start) in family {
        if parent_and_start(*pid).is_some_and(|(_, now)| now == *start) {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            found.push(format!(
                "process {pid} {}",
                String::from_utf8_lossy(&line).replace('\0', " ")
            ));
        }
    }
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&*folder.to_string_lossy()) {
            found.push(format!("process {}", path.display()));
        }
        // Every process, for a mount may live on in somebody else's namespace.
        let mounts = fs::read_to_string(path.join("mountinfo")).unwrap_or_default();
        if mounts.contains(&*folder.to_string_lossy()) {
            found.push(format!("mount in the namespace of {}", path.display()));
        }
    }
    if let Some(number) = node.strip_prefix("reeve-node-") {
        if Path::new(&format!("/sys/class/net/rvtb{number}")).exists() {
            found.push(format!("bridge rvtb{number}"));
        }
        for hierarchy in fs::read_dir("/sys/fs/cgroup")? {
            let group = hierarchy?.path().join(format!("reeve-testbed-{number}"));
            if group.exists() {
                found.push(format!("control group {}", group.display()));
            }
        }
    }
    let listening = listening()?;
    found.extend(
        ports
            .iter()
            .filter(|port| listening.contains(*port))
            .map(|port| format!("port {port}")),
    );
    Ok(found)
}

fn listening() -> Result<BTreeSet<String>> {
    let mut ports = BTreeSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, state, ..] = fields.as_slice() else {
                bail!("a line of {table}: `{line}`")
            };
            if *state == "0A" {
                ports.insert((*local).to_owned());
            }
        }
    }
    Ok(ports)
}

/// The addresses with ports that processes of a family listen on, as the kernel writes them. Every node's kubelet has
/// the same port, each on its own address.
fn ports_of(family: &BTreeSet<(u32, String)>) -> Vec<String> {
    let mut sockets = BTreeSet::new();
    for (pid, _) in family {
        for entry in fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if let Ok(target) = fs::read_link(entry.path())
                && let Some(inode) = target
                    .to_string_lossy()
                    .strip_prefix("socket:[")
                    .and_then(|rest| rest.strip_suffix(']'))
            {
                sockets.insert(inode.to_owned());
            }
        }
    }
    let mut ports = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, local, _, "0A", .., _] = fields.as_slice()
                && fields.get(9).is_some_and(|inode| sockets.contains(*inode))
            {
                ports.push((*local).to_owned());
            }
        }
    }
    ports
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

async fn nothing_left(line: &LaunchLine, ports: &[String], family: &BTreeSet<(u32, String)>) -> Result<()> {
    wait_for(
        Duration::from_secs(30),
        "every trace of the cluster to vanish",
        async || {
            let left = traces(&line.dir, &line.node_name, ports, family)?;
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

#[tokio::test]
async fn nothing_is_left_when_the_supervisor_is_killed() -> Result<()> {
    if !programs_are_built().await {
        return Ok(());
    }
    let kernel = kernel_settings();
    let folder = tempfile::tempdir()?;
    let (mut up, line) = up("node", folder.path())?;
    busy(&line).await?;
    let family = family(up.id())?;
    let ports = ports_of(&family);
    assert!(
        family.len() >= 5 && ports.len() >= 3,
        "the test looks at too little: {family:?} {ports:?}"
    );
    assert!(!traces(&line.dir, &line.node_name, &ports, &family)?.is_empty());
    up.kill()?;
    up.wait()?;
    nothing_left(&line, &ports, &family).await?;
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
    let family = family(up.id())?;
    let ports = ports_of(&family);
    drop(up.stdin.take());
    assert!(up.wait()?.success());
    let left = traces(&line.dir, &line.node_name, &ports, &family)?;
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
    let (folder, family) = (cluster.dir().to_owned(), family(cluster.pid())?);
    assert!(folder.join("audit.log").exists());
    drop(cluster);
    assert!(!folder.exists());
    assert_eq!(traces(&folder, "", &[], &family)?, Vec::<String>::new());
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
