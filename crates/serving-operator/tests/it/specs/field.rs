//! An API server, the operator, and an object of each kind in each of several lanes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use reeve_serving::rights;
use reeve_serving_specs::{KINDS, around};
use reeve_testkit::{AuditEvent, Cluster, Options, Tier, apply_yaml, own_cluster};
use serde_json::{Value, json};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use super::seen;
use super::subject::{Subject, api, make};
use crate::process::Operator;
use crate::rig::{SYSTEM, install};
use crate::stand_ins;

/// So long nothing is written, and it is at rest. The stand-ins answer within half a second.
const QUIET: Duration = Duration::from_millis(900);
const POLL: Duration = Duration::from_millis(150);
/// It has to come to rest within this.
const PATIENCE: Duration = Duration::from_secs(120);
/// Kinds of what is there.
const SEEN: [&str; 12] = [
    "AIMArtifact",
    "AIMClusterModel",
    "AIMClusterModelSource",
    "AIMClusterServiceTemplate",
    "AIMModel",
    "AIMService",
    "AIMServiceTemplate",
    "AIMTemplateCache",
    "InferenceService",
    "HTTPRoute",
    "PersistentVolumeClaim",
    "Job",
];

pub(super) struct Field {
    operator: Operator,
    pub(super) subjects: Vec<Arc<Subject>>,
    client: Client,
    cluster: Cluster,
    _dir: tempfile::TempDir,
    /// How many specs could not be followed and were told so, and how many requests of the operator were refused.
    pub(super) told: u64,
    pub(super) refused: usize,
}

impl Field {
    pub(super) async fn start(lanes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let cluster = own_cluster(Options {
            tier: Tier::ApiServer,
            ..Options::default()
        })
        .await?;
        let client = cluster.client().await.unwrap();
        install(&client).await;
        for object in around::of_cluster() {
            make(&client, "", &object).await;
        }
        let subjects: Vec<Arc<Subject>> = (0..lanes)
            .flat_map(|lane| KINDS.map(|kind| Arc::new(Subject::new(&client, kind, lane, lanes))))
            .collect();
        let token = cluster
            .service_account_token(SYSTEM, rights::SERVICE_ACCOUNT, 7200)
            .await
            .unwrap();
        let registry = stand_ins::open_registry().await;
        let endpoints = ["registry.example", "docker.io", "hub.docker.com"]
            .map(|name| format!("--registry-endpoint={name}=http://{registry}"));
        let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
        let operator = Operator::start(&cluster, dir.path(), &token, &endpoints);
        tokio::spawn(stand_ins::run(client.clone()));
        let field = Self {
            operator,
            subjects,
            client,
            cluster,
            _dir: dir,
            told: 0,
            refused: 0,
        };
        let to_make = field.client.clone();
        field
            .each(Subject::all, move |subject| {
                let client = to_make.clone();
                async move { begin(&client, &subject).await }
            })
            .await;
        Some(field)
    }

    /// Does something to each of them, side by side.
    pub(super) async fn each<F>(&self, of: fn(&Subject) -> bool, work: impl Fn(Arc<Subject>) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let local = LocalSet::new();
        let of_kind = self.subjects.iter().filter(|subject| of(subject));
        let all: Vec<_> = of_kind
            .map(|subject| local.spawn_local(work(subject.clone())))
            .collect();
        local.await;
        for done in all {
            if let Err(failed) = done.await {
                std::panic::resume_unwind(failed.into_panic());
            }
        }
    }

    pub(super) fn mark(&self) -> u64 {
        self.cluster.audit_mark()
    }

    /// What the operator asked for since a mark, apart from reading and its leases.
    fn writes(&self, mark: u64) -> Vec<AuditEvent> {
        let user = format!("system:serviceaccount:{SYSTEM}:{}", rights::SERVICE_ACCOUNT);
        let events = self.cluster.audit_events_since(mark).unwrap();
        let is_write = |event: &AuditEvent| {
            event.user == user
                && event.resource != "leases"
                && !["get", "list", "watch"].contains(&event.verb.as_str())
        };
        events.into_iter().filter(|event| is_write(event)).collect()
    }

    /// What the API server did not take. A conflict is tried again.
    pub(super) fn refusals(&self, mark: u64) -> Vec<AuditEvent> {
        let all = self.writes(mark).into_iter();
        all.filter(|event| {
            (400..500).contains(&event.code)
                && ![404, 409].contains(&event.code)
                && event.subresource.is_empty()
        })
        .collect()
    }

    /// Waits until every status speaks of its spec and nothing has been written for a while.
    pub(super) async fn rest(&self) {
        let end = Instant::now() + PATIENCE;
        let (mut mark, mut last, mut written) = (self.mark(), Instant::now(), Vec::new());
        loop {
            sleep(POLL).await;
            let reached = self.mark();
            let news = self.writes(mark).into_iter();
            let news: Vec<AuditEvent> = news.filter(|event| (200..300).contains(&event.code)).collect();
            mark = reached;
            if !news.is_empty() {
                (last, written) = (Instant::now(), news);
            }
            let quiet = last.elapsed() > QUIET;
            let unseen = if quiet { self.unseen().await } else { Vec::new() };
            if quiet && unseen.is_empty() {
                return;
            }
            let shown = |event: &AuditEvent| {
                let AuditEvent {
                    verb,
                    resource,
                    namespace,
                    name,
                    subresource,
                    ..
                } = event;
                format!("{verb} {resource} {namespace}/{name} {subresource}")
            };
            assert!(
                Instant::now() < end,
                "no rest within {} s: written last {:#?}, not looked at {unseen:?}\n{}",
                PATIENCE.as_secs(),
                written.iter().map(shown).collect::<Vec<_>>(),
                self.operator
                    .log()
                    .lines()
                    .rev()
                    .take(20)
                    .collect::<Vec<_>>()
                    .join("\n"),
            );
        }
    }

    /// Objects of people that the operator has not looked at as they are.
    async fn unseen(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for kind in SEEN.iter().filter(|kind| kind.starts_with("AIM")) {
            let list = api(&self.client, kind, "")
                .list(&ListParams::default())
                .await
                .unwrap();
            let left_alone = |object: &kube::api::DynamicObject| {
                object.annotations().values().any(|value| value == "true")
            };
            let of_kind = list
                .items
                .iter()
                .filter(|object| !left_alone(object) && !Subject::is_seen(object));
            unseen.extend(of_kind.map(|object| {
                format!(
                    "{kind} {}/{}",
                    object.namespace().unwrap_or_default(),
                    object.name_any()
                )
            }));
        }
        unseen
    }

    /// All that is there, by kind, namespace and name. Statuses of what people made.
    pub(super) async fn state(&self) -> BTreeMap<String, Value> {
        let mut state = BTreeMap::new();
        for kind in SEEN {
            let list = api(&self.client, kind, "")
                .list(&ListParams::default())
                .await
                .unwrap();
            for object in list.items {
                let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
                let mut value = serde_json::to_value(&object).unwrap();
                value["kind"] = json!(kind);
                let of_people = name == "uses"
                    || self
                        .subjects
                        .iter()
                        .any(|subject| subject.kind == kind && subject.name == name);
                state.insert(
                    format!("{kind} {namespace}/{name}"),
                    seen::plain(&value, of_people),
                );
            }
        }
        state
    }

    /// What the conditions of everything in a namespace say.
    pub(super) async fn conditions_of(&self, namespace: &str) -> Vec<String> {
        let mut said = Vec::new();
        for kind in SEEN
            .iter()
            .filter(|kind| kind.starts_with("AIM") && !kind.starts_with("AIMCluster"))
        {
            let list = api(&self.client, kind, namespace)
                .list(&ListParams::default())
                .await
                .unwrap();
            for object in list.items {
                let conditions = object.data["status"]["conditions"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let not_ready = conditions
                    .into_iter()
                    .filter(|condition| condition["status"] == "False");
                said.extend(
                    not_ready.map(|condition| condition["message"].as_str().unwrap_or_default().to_owned()),
                );
            }
        }
        said
    }

    /// Takes away what an earlier spec left behind.
    pub(super) async fn tidy(&self, keys: impl Iterator<Item = &String>) {
        for key in keys {
            let (kind, place) = key.split_once(' ').unwrap();
            let (namespace, name) = place.split_once('/').unwrap();
            let api = api(&self.client, kind, namespace);
            let _ = api.delete(name, &DeleteParams::background()).await;
            // Of a Job and a claim nobody here takes the finalizers of their controllers away.
            if !kind.starts_with("AIM") {
                let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
                let _ = api.patch(name, &PatchParams::default(), &patch).await;
            }
        }
    }

    /// Passes of the operator that ended in a panic.
    pub(super) fn panics(&self) -> Vec<String> {
        let log = self.operator.log();
        let panics = log
            .lines()
            .filter(|line| line.contains("Panicked") || line.contains("panicked at"));
        panics.map(str::to_owned).collect()
    }
}

async fn begin(client: &Client, subject: &Subject) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": subject.home}});
    apply_yaml(client, &namespace.to_string()).await.unwrap();
    for object in around::of_namespace() {
        make(client, &subject.home, &object).await;
    }
    subject.begin().await;
}
