//! A cluster with many workloads of the largest size on the control plane, and its complete state as the link tells it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use reeve_crds::desired;
use reeve_e2e::organization::{create_rule, wait_until_ready};
use reeve_e2e::simulated::LINK_PROTOCOL;
use reeve_e2e::{OperatorOf, Rest, Stack, write_private};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{largest, text};

/// Submissions under way at once.
const AT_ONCE: usize = 8;
/// Workloads of one project: fewer than the server's limit.
const OF_A_PROJECT: usize = 4_000;

/// A project that is to have so many workloads.
struct Planned {
    id: String,
    workloads: usize,
}

/// The cluster.
pub(super) struct HeldCluster {
    /// Its id.
    pub(super) id: String,
    secret: String,
    /// The file with its secret.
    secret_file: PathBuf,
    projects: Vec<Planned>,
}

impl HeldCluster {
    /// Makes it on the control plane, with as many projects as so many workloads need, and a rule that lets this person submit them.
    ///
    /// # Errors
    /// The control plane refuses.
    pub(super) async fn make(stack: &Stack, person: &str, count: usize) -> Result<Self> {
        let admin = &stack.admin;
        let made = admin.post("/api/v1/clusters", json!({"name": "held"})).await?;
        let made = made.expect(201)?;
        let (id, secret) = (text(&made, "uuid")?, text(&made, "clientSecret")?);
        let secret_file = stack.dir().join("held-link-secret");
        write_private(&secret_file, &secret)?;
        let department = json!({"name": "held", "clusterId": id, "resources": []});
        let path = "/api/v1/org-unit/departments";
        let department = text(&admin.post(path, department).await?.expect(201)?, "id")?;
        create_rule(admin, "user", person, "L1 researcher", "cluster", &id).await?;
        let (mut projects, mut left) = (Vec::new(), count);
        while left > 0 {
            let name = format!("held-{left}");
            let body = json!({"name": name, "clusterId": id, "parentId": department, "resources": []});
            let project = admin.post("/api/v1/org-unit/projects", body).await?;
            let workloads = left.min(OF_A_PROJECT);
            projects.push(Planned {
                id: text(&project.expect(201)?, "id")?,
                workloads,
            });
            left -= workloads;
        }
        Ok(Self {
            id,
            secret,
            secret_file,
            projects,
        })
    }

    /// The id of one of its projects.
    ///
    /// # Errors
    /// It was made for no workloads.
    pub(super) fn project(&self) -> Result<&str> {
        let first = self.projects.first().context("the cluster has no project")?;
        Ok(&first.id)
    }

    /// Its operator, which reaches the Kubernetes by this kubeconfig.
    pub(super) fn operator(&self, kubeconfig: PathBuf) -> OperatorOf {
        OperatorOf {
            kubeconfig,
            cluster_id: self.id.clone(),
            secret_file: self.secret_file.clone(),
        }
    }

    /// Has its operator run until its projects have their namespaces: an operator that is started anew finds them there.
    ///
    /// # Errors
    /// The operator does not come up, or a project does not become `Ready`.
    pub(super) async fn make_namespaces(&self, stack: &mut Stack) -> Result<()> {
        let operator = self.operator(stack.operator_kubeconfig());
        stack.start_operator_of(&operator).await?;
        for project in &self.projects {
            wait_until_ready(&stack.admin, &project.id).await?;
        }
        stack.kill_operator()
    }

    /// Submits the workloads of all of its projects.
    ///
    /// # Errors
    /// One is refused.
    pub(super) async fn submit(&self, person: &Rest) -> Result<()> {
        for project in &self.projects {
            stream::iter(0..project.workloads)
                .map(async |number| {
                    let body = largest(&format!("held-{number}"), &project.id, &self.id);
                    let answer = person.post("/api/v1/workloads/trainings", body).await?;
                    answer.expect(202).map(drop)
                })
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }

    /// Reads the complete state as its operator does.
    ///
    /// # Errors
    /// The control plane refuses, or a line is none of the protocol.
    pub(super) async fn read(&self, rest: &Rest) -> Result<CompleteState> {
        let body = json!({"clusterId": self.id, "clientSecret": self.secret});
        let answer = rest.with_token(None).post("/link/v1/token", body).await?;
        let token = text(&answer.expect(200)?, "accessToken")?;
        let hello = json!({"protocol": LINK_PROTOCOL, "operatorVersion": "bench"});
        let (mut state, mut failed) = (CompleteState::default(), None);
        let mut take = |line: &str| {
            state.take(line).unwrap_or_else(|error| {
                failed = Some(error);
                true
            })
        };
        rest.with_token(Some(&token))
            .read_lines("/link/v1/watch", hello, &mut take)
            .await?;
        match failed {
            Some(error) => Err(error.context("reading a line of the complete state")),
            None => Ok(state),
        }
    }
}

/// A project of the complete state.
struct Project {
    name: String,
    namespace: String,
}

/// A workload of the complete state, without what it has in common with all of the largest size.
struct Told {
    id: String,
    name: String,
    project: String,
    revision: u64,
}

/// Where a workload of the complete state belongs.
pub(super) struct Placed<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// Its name.
    pub(super) name: &'a str,
    /// The id of its project.
    pub(super) project_id: &'a str,
    /// The name of its project.
    pub(super) project_name: &'a str,
    /// Its project's namespace.
    pub(super) namespace: &'a str,
    /// The revision of the cluster that last changed it.
    pub(super) revision: u64,
}

/// What the link tells of a cluster.
#[derive(Default)]
pub(super) struct CompleteState {
    projects: BTreeMap<String, Project>,
    workloads: Vec<Told>,
    /// One of the workloads, whole.
    pub(super) sample: Option<desired::Workload>,
    /// How long the longest line was, in bytes.
    pub(super) longest: usize,
}

/// A line of the link; of its objects only what tells one from another. The rest of the largest ones is passed over.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    more: bool,
    #[serde(default)]
    upserts: Vec<Upsert>,
}

#[derive(Deserialize)]
struct Upsert {
    revision: u64,
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    kind: String,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    /// A number for access rules.
    id: Value,
    #[serde(default)]
    name: String,
    #[serde(default)]
    project_id: String,
    #[serde(default)]
    namespace: String,
}

impl CompleteState {
    /// How many workloads there are.
    pub(super) fn count(&self) -> usize {
        self.workloads.len()
    }

    /// Every workload, by namespace and name, as a list of the API server has them.
    ///
    /// # Errors
    /// The project of one was not told.
    pub(super) fn placed(&self) -> Result<Vec<Placed<'_>>> {
        let mut all = Vec::with_capacity(self.workloads.len());
        for told in &self.workloads {
            let project = self.projects.get(&told.project).with_context(|| {
                format!(
                    "the complete state has workload {} and not its project {}",
                    told.id, told.project
                )
            })?;
            all.push(Placed {
                id: &told.id,
                name: &told.name,
                project_id: &told.project,
                project_name: &project.name,
                namespace: &project.namespace,
                revision: told.revision,
            });
        }
        all.sort_by_key(|it| (it.namespace, it.name));
        Ok(all)
    }

    /// Takes a line. True for the last one.
    fn take(&mut self, line: &str) -> Result<bool> {
        self.longest = self.longest.max(line.len());
        let Line { kind, more, upserts } = serde_json::from_str(line)?;
        if self.sample.is_none() && upserts.iter().any(|upsert| upsert.object.kind == "Workload") {
            self.sample = Some(first_workload(line)?);
        }
        for Upsert { revision, object } in upserts {
            self.put(revision, object)?;
        }
        Ok(kind == "batch" && !more)
    }

    fn put(&mut self, revision: u64, Object { kind, spec }: Object) -> Result<()> {
        match (kind.as_str(), spec.id) {
            ("Workload", Value::String(id)) => self.workloads.push(Told {
                id,
                name: spec.name,
                project: spec.project_id,
                revision,
            }),
            ("Project", Value::String(id)) => {
                let (name, namespace) = (spec.name, spec.namespace);
                self.projects.insert(id, Project { name, namespace });
            }
            ("Workload" | "Project", id) => bail!("the id of a {kind} is {id}, which is no text"),
            _ => {}
        }
        Ok(())
    }
}

/// The first workload of a line, whole.
fn first_workload(line: &str) -> Result<desired::Workload> {
    let line: Value = serde_json::from_str(line)?;
    let upserts = line
        .get("upserts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut objects = upserts.filter_map(|upsert| upsert.get("object"));
    let first = objects.find(|object| object.get("kind") == Some(&json!("Workload")));
    let spec = first.and_then(|object| object.get("spec")).cloned();
    Ok(serde_json::from_value(
        spec.context("a workload without `spec`")?,
    )?)
}
