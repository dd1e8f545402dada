//! What is on this machine because of a cluster: anything of it after the cluster's end is a leak.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use reeve_testkit::LaunchLine;

/// The kinds of namespaces that a node makes.
const NAMESPACES: [&str; 3] = ["net", "mnt", "pid"];

/// What a running cluster has, noted so that it can be looked for when the cluster is gone.
pub(super) struct Traces {
    folder: PathBuf,
    node: String,
    /// Pid and start time of each of its processes.
    pub(super) family: BTreeSet<(u32, String)>,
    /// Addresses with ports that they listen on.
    pub(super) ports: Vec<String>,
    /// Namespaces that they are in and we are not, by their names: `net:[4026532281]`. They are held open, for the
    /// kernel gives the number of one that is gone to the next, which may be another cluster's.
    pub(super) namespaces: BTreeMap<String, File>,
}

impl Traces {
    /// Of the cluster whose supervisor this is.
    pub(super) fn of(supervisor: u32, line: &LaunchLine) -> Result<Self> {
        Self::in_folder(supervisor, &line.dir, &line.node_name)
    }

    /// The same of a cluster known by its folder and the name of its node, which is empty where there is none.
    pub(super) fn in_folder(supervisor: u32, folder: &Path, node: &str) -> Result<Self> {
        let family = family(supervisor)?;
        let own = namespaces_of(std::process::id());
        Ok(Self {
            folder: folder.to_owned(),
            node: node.to_owned(),
            ports: ports_of(&family),
            namespaces: family
                .iter()
                .flat_map(|(pid, _)| namespaces_of(*pid))
                .filter(|(name, _)| !own.contains_key(name))
                .collect(),
            family,
        })
    }

    /// What is still there.
    pub(super) fn left(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for (pid, start) in &self.family {
            if parent_and_start(*pid).is_some_and(|(_, now)| now == *start) {
                found.push(format!("process {pid} {}", command_line(*pid)));
            }
        }
        let folder = self.folder.to_string_lossy();
        for pid in pids()? {
            if command_line(pid).contains(&*folder) {
                found.push(format!("process {pid}"));
            }
            // Every process, for a mount may live on in somebody else's namespace, and keep a namespace alive.
            let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
            if mounts.contains(&*folder) {
                found.push(format!("mount in the namespace of process {pid}"));
            }
            let of_it = namespaces_of(pid);
            for namespace in self.namespaces.keys() {
                if mounts.contains(namespace) {
                    found.push(format!("mount of {namespace} in the namespace of process {pid}"));
                }
                if of_it.contains_key(namespace) {
                    found.push(format!(
                        "namespace {namespace} of process {pid} {}",
                        command_line(pid)
                    ));
                }
            }
        }
        if let Some(number) = self.node.strip_prefix("reeve-node-") {
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
        let ports = self.ports.iter().filter(|port| listening.contains(*port));
        found.extend(ports.map(|port| format!("port {port}")));
        Ok(found)
    }
}

fn pids() -> Result<Vec<u32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        if let Ok(pid) = entry?.file_name().to_string_lossy().parse() {
            pids.push(pid);
        }
    }
    Ok(pids)
}

fn command_line(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// The namespaces of a process and all its threads; none of one that is gone, or that is not ours to look at.
fn namespaces_of(pid: u32) -> BTreeMap<String, File> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    threads
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|thread| NAMESPACES.map(|kind| thread.path().join("ns").join(kind)))
        .filter_map(|link| File::open(link).ok())
        .filter_map(|file| {
            let name = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
            Some((name.to_string_lossy().into_owned(), file))
        })
        .collect()
}

/// Pid and start time of every process below one, itself included: together they name a process for good.
fn family(root: u32) -> Result<BTreeSet<(u32, String)>> {
    let all: Vec<_> = pids()?
        .into_iter()
        .filter_map(|pid| parent_and_start(pid).map(|(parent, start)| (pid, parent, start)))
        .collect();
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
