//! An object of a kind that becomes what one spec after the other says.

use std::sync::Arc;

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use reeve_serving_specs::Specs;
use reeve_testkit::wait_until;
use serde_json::{Value, json};

/// The service that uses a runtime configuration.
const USER: &str = "uses";
/// The end of the names of those that are made beside.
pub(super) const OTHER: &str = "-other";

pub(super) struct Subject {
    pub(super) kind: &'static str,
    /// Empty for kinds of the cluster.
    pub(super) namespace: String,
    /// Where what it is seen by is: the namespace of the service that uses it, or its own.
    pub(super) home: String,
    pub(super) name: String,
    pub(super) lane: u64,
    lanes: u64,
    specs: Arc<Specs>,
    pub(super) seed: Value,
    client: Client,
}

pub(super) fn api(client: &Client, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let (group, version) = match kind {
        "InferenceService" => ("serving.kserve.io", "v1beta1"),
        "HTTPRoute" => ("gateway.networking.k8s.io", "v1"),
        "Job" => ("batch", "v1"),
        "PersistentVolumeClaim" => ("", "v1"),
        _ => ("aim.eai.amd.com", "v1alpha1"),
    };
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    if namespace.is_empty() {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), namespace, &resource)
    }
}

/// Makes an object, with the status that it is to have.
pub(super) async fn make(client: &Client, namespace: &str, object: &Value) {
    let kind = object["kind"].as_str().unwrap();
    let api = api(client, kind, namespace);
    let wanted: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let made = api.create(&PostParams::default(), &wanted).await;
    let made = made.unwrap_or_else(|error| panic!("the API server refuses {kind}: {error}\n{object:#}"));
    if object["status"]
        .as_object()
        .is_some_and(|status| !status.is_empty())
    {
        let patch = kube::api::Patch::Merge(json!({"status": object["status"]}));
        let name = made.metadata.name.unwrap();
        api.patch_status(&name, &kube::api::PatchParams::default(), &patch)
            .await
            .unwrap();
    }
}

impl Subject {
    pub(super) fn new(client: &Client, kind: &'static str, lane: u64, lanes: u64) -> Self {
        let home = format!("{}-{lane}", kind.to_lowercase());
        let of_cluster = kind.starts_with("AIMCluster");
        let specs = Specs::of(kind);
        // A claim is made once and stays: an artifact that begins without one does not come back to that.
        let seed = specs.seed(match kind {
            "AIMArtifact" | "AIMServiceTemplate" | "AIMClusterServiceTemplate" => 0,
            _ => lane,
        });
        Self {
            kind,
            namespace: if of_cluster { String::new() } else { home.clone() },
            name: home.clone(),
            home,
            lane,
            lanes,
            specs: Arc::new(specs),
            seed,
            client: client.clone(),
        }
    }

    pub(super) fn place(&self) -> String {
        format!("{} `{}/{}`", self.kind, self.namespace, self.name)
    }

    pub(super) const fn all(&self) -> bool {
        true
    }

    pub(super) fn with_a_controller(&self) -> bool {
        !self.kind.ends_with("RuntimeConfig")
    }

    fn api(&self) -> Api<DynamicObject> {
        api(&self.client, self.kind, &self.namespace)
    }

    fn other(&self) -> String {
        format!("{}{OTHER}", self.name)
    }

    fn object(&self, name: &str, spec: &Value) -> Value {
        json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": self.kind, "metadata": {"name": name}, "spec": spec})
    }

    pub(super) async fn begin(&self) {
        make(
            &self.client,
            &self.namespace,
            &self.object(&self.name, &self.seed),
        )
        .await;
        if !self.with_a_controller() {
            let spec = json!({"model": {"name": "served"}, "runtimeConfigName": self.name});
            let service = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService", "metadata": {"name": USER}, "spec": spec});
            make(&self.client, &self.home, &service).await;
        }
    }

    fn number(&self, round: u64) -> u64 {
        round * self.lanes + self.lane
    }

    pub(super) async fn become_changed(&self, seed: u64, round: u64) {
        let spec = self.specs.spec(seed, self.number(round));
        self.write(&self.specs.changeable(&self.seed, &spec)).await;
    }

    pub(super) async fn become_seed(&self) {
        self.write(&self.seed).await;
    }

    /// As somebody who sends the whole object.
    async fn write(&self, spec: &Value) {
        let place = self.place();
        let written = wait_until(&place, async || {
            let mut object = self.api().get(&self.name).await?;
            object.data["spec"] = spec.clone();
            match self
                .api()
                .replace(&self.name, &PostParams::default(), &object)
                .await
            {
                Ok(_) => Ok(Some(Ok(()))),
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
                Err(error) => Ok(Some(Err(error))),
            }
        });
        if let Err(error) = written.await.unwrap() {
            panic!("{}: the API server refuses {error}\n{spec:#}", self.place());
        }
    }

    pub(super) async fn make_another(&self, seed: u64, round: u64) {
        let spec = self.specs.spec(seed, self.number(round));
        make(&self.client, &self.namespace, &self.object(&self.other(), &spec)).await;
    }

    pub(super) async fn delete_the_other(&self) {
        self.api()
            .delete(&self.other(), &DeleteParams::background())
            .await
            .unwrap();
    }

    /// The spec as stored, and the status that speaks of it.
    pub(super) async fn now(&self, other: bool) -> (Value, Value) {
        let name = if other { self.other() } else { self.name.clone() };
        let object = self.api().get(&name).await.unwrap();
        let spec = object.data["spec"].clone();
        if self.with_a_controller() {
            return (spec, object.data["status"].clone());
        }
        let service = api(&self.client, "AIMService", &self.home)
            .get(USER)
            .await
            .unwrap();
        (spec, service.data["status"].clone())
    }

    /// Whether the status of what has one speaks of the spec as it is.
    pub(super) fn is_seen(object: &DynamicObject) -> bool {
        let generation = object.metadata.generation;
        object.data["status"]["observedGeneration"].as_i64() == generation
    }
}
