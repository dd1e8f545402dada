//! Writes that fail: the controllers and the link on an API server that is scripted, and is none. What a real one can show is
//! in `cluster`.

mod controllers;
mod link;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry as Metrics;
use reeve_kube_kit::{Context, FieldManager, Registry};
use reeve_link::desired::DesiredObject;
use reeve_link::{ObjectKey, ObjectStatus};
use reeve_operator::controllers::add_all;
use reeve_operator::link::Link;
use reeve_operator::shared::Shared;
use reeve_testkit::ScriptedApiServer;
use reeve_types::{Clock, ReservedNamespaces};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// How long a write waits for its answer here.
const PATIENCE: Duration = Duration::from_millis(300);
const PROJECTS: &str = "/apis/reeve.dev/v1alpha1/projects";
const RULES: &str = "/apis/reeve.dev/v1alpha1/accessrules";
const WORKLOADS: &str = "/apis/reeve.dev/v1alpha1/workloads";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/rolebindings";
const NAMESPACES: &str = "/api/v1/namespaces";

/// An operator without a process: its controllers, and what its link writes with.
struct Operator {
    server: ScriptedApiServer,
    shared: Shared,
    registry: Option<Registry>,
    metrics: Metrics,
    reports: Vec<ObjectStatus>,
    stop: CancellationToken,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Operator {
    fn new(server: &ScriptedApiServer) -> Self {
        let mut metrics = Metrics::default();
        let mut context = Context::new(server.client(), Clock::system(), reeve_operator::MANAGER);
        context.writes = FieldManager::new(reeve_operator::MANAGER).with_patience(PATIENCE);
        let context = Arc::new(context);
        let mut registry = Registry::new(context.clone(), &mut metrics);
        let shared = Shared::new(
            context,
            &mut registry,
            "v1.37.2".to_owned(),
            None,
            ReservedNamespaces::default(),
            reeve_operator::args::Admission::Policies,
            &[],
        );
        add_all(&mut registry, &shared, &mut metrics);
        Self {
            server: server.clone(),
            shared,
            registry: Some(registry),
            metrics,
            reports: Vec::new(),
            stop: CancellationToken::new(),
        }
    }

    /// The link of this operator, as it is before a connection.
    fn link(&self) -> Arc<Link> {
        Link::new(&self.shared)
    }

    /// Starts watches and controllers.
    fn run(&mut self) {
        let registry = self.registry.take().unwrap();
        tokio::spawn(registry.run(self.stop.clone()));
    }

    /// What was last reported of an object.
    fn status(&mut self, key: ObjectKey) -> Option<ObjectStatus> {
        while let Some(report) = self.shared.outbox.take() {
            self.reports.extend(report.objects.iter().cloned());
            self.shared.outbox.sent(&report);
        }
        self.reports
            .iter()
            .rev()
            .find(|status| status.key == key)
            .cloned()
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics).unwrap();
        text
    }

    /// How many requests came whose line begins so.
    fn count(&self, line: &str) -> usize {
        self.server.seen(line).len()
    }
}

fn to_value(object: &impl serde::Serialize) -> Value {
    serde_json::to_value(object).unwrap()
}

/// Project 3, robots, in a namespace that is its own and has its labels.
fn with_project() -> ScriptedApiServer {
    with_project_that(|_| ())
}

/// The same, with something decided of the project that its namespace has no label of yet.
fn with_project_that(decides: impl FnOnce(&mut reeve_crds::Project)) -> ScriptedApiServer {
    with_project_and(decides, |_| ())
}

/// The same, with something at the namespace that is not the project's.
fn with_project_and(
    decides: impl FnOnce(&mut reeve_crds::Project),
    changes: impl FnOnce(&mut Value),
) -> ScriptedApiServer {
    let server = ScriptedApiServer::default();
    let mut decided = crate::pure::project_index::object(3, "robots", "reeve-robots");
    decides(&mut decided);
    server.holds(PROJECTS, to_value(&decided));
    let project = crate::pure::project_index::object(3, "robots", "reeve-robots");
    let mut namespace = to_value(&reeve_tenancy::namespace(
        &project.checked().unwrap(),
        &reeve_crds::ReeveConfigSpec::default(),
        None,
    ));
    changes(&mut namespace);
    server.holds(NAMESPACES, namespace);
    for own in reeve_tenancy::operator_bindings("reeve-robots", reeve_tenancy::Switches::default()) {
        server.holds(BINDINGS, to_value(&own));
    }
    server
}

/// Has the server list a desired object as custom resource.
fn hold(server: &ScriptedApiServer, object: DesiredObject) {
    match object {
        DesiredObject::Project(project) => {
            server.holds(PROJECTS, to_value(&reeve_crds::Project::from(&project)));
        }
        DesiredObject::AccessRule(rule) => {
            server.holds(RULES, to_value(&reeve_crds::AccessRule::from(&rule)));
        }
        DesiredObject::Workload(workload) => {
            let object = reeve_crds::Workload::desired(&workload, "reeve-robots");
            server.holds(WORKLOADS, to_value(&object));
        }
        DesiredObject::Credential(_) => unreachable!("no custom resource"),
    }
}

/// A RoleBinding that bears our mark.
fn stray_binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "stray", "namespace": "reeve-robots", "labels": {"reeve.dev/managed": "access-rules"}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-viewer"}
    })
}
