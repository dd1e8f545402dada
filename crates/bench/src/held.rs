//! What server and operator hold in memory when a cluster has as many and as large workloads as may be.
//!
//! Both are measured with the same cluster, which is real on the control plane: every workload was submitted, and the link tells
//! them. What the operator finds of them in Kubernetes is made up (`held/made_up.rs` says why); its projects, their
//! namespaces and everything else there are real.

mod cluster;
mod made_up;
mod templates;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_e2e::organization::create_rule;
use reeve_e2e::{Organization, Process, Rest, Stack};
use reeve_testkit::wait_for;
use serde_json::{Value, json};

use crate::figures::OVER;
use cluster::{CompleteState, HeldCluster};
use made_up::MadeUpLists;
use templates::Templates;

/// How long an operator that was started anew may take to read everything and to report every workload. It reads some gigabytes.
const REPORTED: Duration = Duration::from_secs(900);
/// How long it may take after that until a rule comes that was made last.
const RULE: Duration = Duration::from_secs(600);
/// How long it is left alone before its memory is read: after a complete state it reports everything once more.
const QUIET: Duration = Duration::from_secs(10);
/// How often is asked.
const POLL: Duration = Duration::from_secs(1);
/// How many lines of an operator's log are shown of one that does not come as far.
const LOG: usize = 15;
/// The bar for server and operator each.
const BAR_KIB: u64 = 200 * 1024;

/// What was measured.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What server and operator hold.
    pub memory: Vec<Memory>,
    /// What else there is to say, in lines; empty when there is nothing.
    pub text: String,
}

/// What a process holds.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Which process, when.
    pub name: String,
    /// Resident now, in KiB.
    pub resident: u64,
    /// Resident at most since the process began, in KiB.
    pub peak: u64,
}

impl Memory {
    /// From `/proc/<pid>/status`.
    fn of(name: String, process: &Process) -> Result<Self> {
        let file = format!("/proc/{}/status", process.id());
        let status = std::fs::read_to_string(&file).with_context(|| format!("reading `{file}`"))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let line = line.with_context(|| format!("no `{name}` in `{file}`"))?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        Ok(Self {
            name,
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }
}

/// The table for people.
pub fn table(all: &[Memory]) -> String {
    let mut text = format!(
        "{:<58} {:>12} {:>12} {:>9}\n",
        "", "resident MiB", "peak MiB", "bar MiB"
    );
    for one in all {
        let over = if one.peak > BAR_KIB { OVER } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<58} {:>12} {:>12} {:>9}{over}",
            one.name,
            one.resident / 1024,
            one.peak / 1024,
            BAR_KIB / 1024
        );
    }
    text
}

/// The largest workloads, so many, in a cluster of their own. The operator that runs is ended and none runs afterwards: the last
/// measurement of a run.
///
/// # Errors
/// A submission is refused, or something does not come in time.
pub async fn run(stack: &mut Stack, organization: &Organization, count: usize) -> Result<Measured> {
    ensure!(count > 0, "nothing is held with no workload at all");
    let person = organization.person("alice")?;
    keep_credential(&stack.admin, &person.username).await?;
    let alice = stack.admin.sign_in(&person.username, &person.password).await?;
    let robots = organization.projects.get("robots").context("project robots")?;
    let templates = Templates::of_one(stack, &alice, robots)
        .await
        .context("making one real workload of the largest size")?;
    stack.kill_operator()?;
    let held = HeldCluster::make(stack, &person.username, count).await?;
    held.make_namespaces(stack)
        .await
        .context("making the namespaces of cluster `held`")?;
    held.submit(&alice).await?;
    let (server, state) = of_server(stack, &alice, &held, count).await?;
    let lists = MadeUpLists::listen(stack, templates, &state).await?;
    let operator = of_operator(stack, &alice, &held, &lists, count).await?;
    Ok(Measured {
        memory: vec![server, operator],
        text: lists.writes(),
    })
}

/// The credential that every workload mounts, and its secret asset.
const CREDENTIAL: &str = "held";

/// Keeps the credential of the whole account, and lets this person mount it.
async fn keep_credential(admin: &Rest, person: &str) -> Result<()> {
    let meta = json!({"name": CREDENTIAL, "scope": "tenant"});
    let body = json!({"meta": meta, "spec": {"user": "robot", "password": "nobody asks for it"}});
    let made = admin
        .post("/api/v1/asset/credentials/password", body)
        .await?
        .expect(202)?;
    let id = made.pointer("/meta/id").context("a credential without an id")?;
    let body = json!({"meta": meta, "spec": {"credentialAssetId": id, "mountPath": "/held"}});
    admin
        .post("/api/v1/asset/datasource/secrets", body)
        .await?
        .expect(202)?;
    create_rule(admin, "user", person, "L1 researcher", "tenant", "1").await?;
    Ok(())
}

/// A training as large as may be: 1,024 variables, 128 KiB of names and values, 32 KiB each of command and arguments, 4 KiB of a folder to
/// begin in, 64 Secrets at 16 KiB of paths, 64 labels, 16 KiB of annotations, 32 tolerations and a probe at 1 KiB of a path.
fn largest(name: &str, project: &str, cluster: &str) -> Value {
    let value = "v".repeat(123);
    let variables: Vec<Value> = (0..1024)
        .map(|number| json!({"name": format!("V{number:04}"), "value": value}))
        .collect();
    // 256 bytes each: a slash, two digits, a slash and the rest.
    let secrets: Vec<Value> = (0..64)
        .map(|number| json!({"secret": CREDENTIAL, "mountPath": format!("/{number:02}/{}", "p".repeat(252))}))
        .collect();
    // 4,096 bytes in names that a file system takes.
    let folder = format!("/{}", "f".repeat(127)).repeat(32);
    // 63 bytes each of name and value.
    let labels: Vec<Value> = (0..64)
        .map(|number| json!({"name": format!("l{number:02}{}", "l".repeat(60)), "value": "l".repeat(63)}))
        .collect();
    // 256 bytes each of name and value.
    let annotations: Vec<Value> = (0..64)
        .map(|number| json!({"name": format!("a{number:02}"), "value": "a".repeat(253)}))
        .collect();
    let key = format!("{0}.{0}.{0}.{1}/{0}", "t".repeat(63), "t".repeat(61));
    let tolerations = vec![
        json!({"key": key, "operator": "Equal", "value": "t".repeat(63), "effect": "NoExecute", "seconds": 86400});
        32
    ];
    let probe = json!({"handler": {"httpGet": {"port": 8080, "path": format!("/{}", "p".repeat(1023))}}});
    json!({"name": name, "projectId": project, "clusterId": cluster, "spec": {
        "labels": labels, "annotations": annotations, "tolerations": tolerations, "probes": {"readiness": probe},
        "image": "local.test/none:1", "command": "c".repeat(32 * 1024), "args": "a".repeat(32 * 1024),
        "workingDir": folder, "environmentVariables": variables, "storage": {"secretVolume": secrets}}})
}

/// What the server holds once it has told an operator everything, and a person who asks.
async fn of_server(
    stack: &Stack,
    alice: &Rest,
    held: &HeldCluster,
    count: usize,
) -> Result<(Memory, CompleteState)> {
    let state = held.read(&stack.admin).await?;
    let told = state.count();
    ensure!(told == count, "{told} workloads of {count} were told");
    alice.get("/api/v1/workloads?limit=50").await?.expect(200)?;
    alice.get("/api/v1/workloads/count").await?.expect(200)?;
    let server = stack.server().context("the server runs")?;
    let longest = state.longest / 1024;
    let name = format!("reeve-server, {count} largest sent, lines <= {longest} KiB");
    Ok((Memory::of(name, server)?, state))
}

/// What the cluster's operator holds that was started anew: it lists everything, and is told everything.
async fn of_operator(
    stack: &mut Stack,
    alice: &Rest,
    held: &HeldCluster,
    lists: &MadeUpLists,
    count: usize,
) -> Result<Memory> {
    let left = unreported(alice, held).await?;
    ensure!(
        left == json!(count),
        "{left} workloads of {count} are in phase Creating before their operator has started"
    );
    let operator = held.operator(lists.kubeconfig(stack)?);
    stack.start_operator_of(&operator).await?;
    let operator = stack.operator().context("the operator runs")?;
    let outcome = tokio::select! {
        settled = until_settled(&stack.admin, alice, held) => settled,
        why = until_gone(operator) => Err(why),
    };
    outcome.with_context(|| {
        format!(
            "{}; the end of its log:\n{}",
            lists.progress(),
            last_lines(operator)
        )
    })?;
    let name = format!("reeve-operator, {count} largest, started anew, lists made up");
    let memory = Memory::of(name, operator)?;
    // Before the lists end, which it would find to be a broken API server.
    stack.kill_operator()?;
    Ok(memory)
}

/// How many workloads of the cluster no operator has reported yet.
async fn unreported(alice: &Rest, held: &HeldCluster) -> Result<Value> {
    let path = format!(
        "/api/v1/workloads/count?filterBy=phase==Creating,clusterId=={}",
        held.id
    );
    let answer = alice.get(&path).await?.expect(200)?;
    let count = answer.get("count").cloned();
    count.with_context(|| format!("no `count` in {answer}"))
}

/// Waits until the operator has looked at every workload, which it does once all of its caches are complete, and has then applied a
/// rule that comes after the complete state.
async fn until_settled(admin: &Rest, alice: &Rest, held: &HeldCluster) -> Result<()> {
    wait_for(REPORTED, "the operator to report every workload", async || {
        tokio::time::sleep(POLL).await;
        let left = unreported(alice, held).await?;
        ensure!(left == json!(0), "{left} workloads are in phase Creating");
        Ok(Some(()))
    })
    .await?;
    let rule = create_rule(admin, "group", "held", "Viewer", "project", held.project()?).await?;
    let path = format!("/api/v1/authorization/access-rules/{rule}");
    wait_for(RULE, "a rule to come after everything", async || {
        tokio::time::sleep(POLL).await;
        let shown = admin.get(&path).await?.expect(200)?;
        let status = shown.get("status").cloned().unwrap_or_default();
        let is_ready = status.get("phase") == Some(&json!("Ready"));
        ensure!(is_ready, "the rule's status is {status}");
        Ok(Some(()))
    })
    .await?;
    tokio::time::sleep(QUIET).await;
    Ok(())
}

/// Returns when a process has ended.
async fn until_gone(process: &Process) -> anyhow::Error {
    loop {
        tokio::time::sleep(POLL).await;
        if let Err(error) = Memory::of(String::new(), process) {
            return error.context("the operator ended");
        }
    }
}

fn last_lines(process: &Process) -> String {
    let log = process.log();
    let lines: Vec<&str> = log.lines().collect();
    let skipped = lines.len().saturating_sub(LOG);
    lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer.get(field).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("no `{field}` in {answer}"))
}
