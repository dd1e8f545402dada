//! What server and operator hold in memory when a cluster has as many and as large workloads as may be.
//!
//! The server's share is measured with all of them: they belong to a cluster whose operator this program plays. The operator's
//! with fewer, in the real Kubernetes: of each it keeps a custom resource, a Job and a pod, and etcd holds 2 GiB.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use reeve_e2e::organization::create_rule;
use reeve_e2e::{Organization, Process, Rest, Stack};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::figures::{OVER, now};

/// Submissions under way at once.
const AT_ONCE: usize = 8;
/// Workloads of one project: fewer than the server's limit.
const OF_A_PROJECT: usize = 4_000;
/// How long the real Kubernetes may take to make all Jobs.
const MAKING: Duration = Duration::from_secs(3600);
/// The bar for server and operator each.
const BAR_KIB: u64 = 200 * 1024;

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

/// `away` workloads in a cluster of their own, `here` in the real one.
///
/// # Errors
/// A submission is refused, or something does not come in time.
pub async fn run(
    stack: &mut Stack,
    organization: &Organization,
    away: usize,
    here: usize,
) -> Result<Vec<Memory>> {
    let person = organization.person("alice")?;
    let alice = stack.admin.sign_in(&person.username, &person.password).await?;
    let server = of_server(stack, &alice, &person.username, away).await?;
    let operator = of_operator(stack, organization, &alice, here).await?;
    Ok(vec![server, operator])
}

/// A training as large as may be: 1,024 variables, 128 KiB of names and values, 32 KiB of arguments.
fn largest(name: &str, project: &str, cluster: &str) -> Value {
    let value = "v".repeat(123);
    let variables: Vec<Value> = (0..1024)
        .map(|number| json!({"name": format!("V{number:04}"), "value": value}))
        .collect();
    json!({"name": name, "projectId": project, "clusterId": cluster, "spec": {
        "image": "local.test/none:1", "args": "a".repeat(32 * 1024), "environmentVariables": variables}})
}

async fn submit(alice: &Rest, project: &str, cluster: &str, count: usize) -> Result<()> {
    stream::iter(0..count)
        .map(async |number| {
            let body = largest(&format!("held-{number}"), project, cluster);
            let answer = alice.post("/api/v1/workloads/trainings", body).await?;
            answer.expect(202).map(drop)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn of_server(stack: &Stack, alice: &Rest, person: &str, count: usize) -> Result<Memory> {
    let made = stack
        .admin
        .post("/api/v1/clusters", json!({"name": "held"}))
        .await?;
    let made = made.expect(201)?;
    let (cluster, secret) = (text(&made, "uuid")?, text(&made, "clientSecret")?);
    let department = json!({"name": "held", "clusterId": cluster, "resources": []});
    let path = "/api/v1/org-unit/departments";
    let department = text(&stack.admin.post(path, department).await?.expect(201)?, "id")?;
    create_rule(&stack.admin, "user", person, "L1 researcher", "cluster", &cluster).await?;
    let mut left = count;
    while left > 0 {
        let name = format!("held-{left}");
        let body = json!({"name": name, "clusterId": cluster, "parentId": department, "resources": []});
        let project = stack.admin.post("/api/v1/org-unit/projects", body).await?;
        let project = text(&project.expect(201)?, "id")?;
        let some = left.min(OF_A_PROJECT);
        submit(alice, &project, &cluster, some).await?;
        left -= some;
    }
    let (told, longest) = read_everything(&stack.admin, &cluster, &secret).await?;
    if told != count {
        bail!("{told} workloads of {count} were told");
    }
    alice.get("/api/v1/workloads?limit=50").await?.expect(200)?;
    alice.get("/api/v1/workloads/count").await?.expect(200)?;
    let server = stack.server().context("the server runs")?;
    let name = format!(
        "reeve-server, {count} largest sent, lines <= {} KiB",
        longest / 1024
    );
    Memory::of(name, server)
}

/// The complete state as an operator reads it: how many workloads, and how long the longest line was.
async fn read_everything(rest: &Rest, cluster: &str, secret: &str) -> Result<(usize, usize)> {
    let body = json!({"clusterId": cluster, "clientSecret": secret});
    let answer = rest.with_token(None).post("/link/v1/token", body).await?;
    let token = text(&answer.expect(200)?, "accessToken")?;
    let hello = json!({"protocol": 4, "operatorVersion": "bench"});
    let (mut workloads, mut longest) = (0, 0);
    rest.with_token(Some(&token))
        .read_lines("/link/v1/watch", hello, |line| {
            longest = longest.max(line.len());
            workloads += line.matches(r#""kind":"Workload""#).count();
            line.contains(r#""type":"batch""#) && !line.contains(r#""more":true"#)
        })
        .await?;
    Ok((workloads, longest))
}

async fn of_operator(
    stack: &mut Stack,
    organization: &Organization,
    alice: &Rest,
    count: usize,
) -> Result<Memory> {
    let robots = organization.projects.get("robots").context("project robots")?;
    submit(alice, robots, &stack.cluster_id, count).await?;
    until_made(alice).await?;
    // A new process lists everything, and is told everything.
    stack.kill_operator()?;
    stack.start_operator().await?;
    let rule = create_rule(&stack.admin, "group", "held", "Viewer", "project", robots).await?;
    let path = format!("/api/v1/authorization/access-rules/{rule}");
    wait_until("a rule to come after everything", async || {
        let shown = stack.admin.get(&path).await?.expect(200)?;
        Ok((shown.pointer("/status/phase") == Some(&json!("Ready"))).then_some(()))
    })
    .await?;
    let operator = stack.operator().context("the operator runs")?;
    Memory::of(format!("reeve-operator, {count} largest, started anew"), operator)
}

/// Waits until every workload has its Job: with a thousand variables each takes the API server a second or two.
async fn until_made(alice: &Rest) -> Result<()> {
    const PATH: &str = "/api/v1/workloads/count?filterBy=phase==Creating,projectName==robots";
    let started = now();
    loop {
        let left = alice.get(PATH).await?.expect(200)?;
        if left.get("count") == Some(&json!(0)) {
            return Ok(());
        }
        if started.elapsed() > MAKING {
            bail!("workloads without a Job after {} s: {left}", MAKING.as_secs());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer.get(field).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("no `{field}` in {answer}"))
}
