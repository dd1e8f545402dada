//! One cluster for all scenarios of the crate, with the definitions, the rights and the operator in it.

use std::fmt::Debug;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, DynamicObject, ObjectMeta, PostParams};
use kube::core::{ApiResource, GroupVersionKind, NamespaceResourceScope};
use kube::{Client, Resource};
use reeve_serving::rights;
use reeve_testkit::{AuditEvent, Cluster, Options, Tier, apply_yaml, own_cluster, wait_until};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::process::Operator;
use crate::{definitions, image, stand_ins};

pub(crate) const SYSTEM: &str = "aim-system";

pub(crate) struct Rig {
    // Declared in the order in which they end: the operator first.
    pub(crate) operator: Operator,
    pub(crate) client: Client,
    pub(crate) cluster: Cluster,
    pub(crate) dir: tempfile::TempDir,
}

impl Rig {
    /// Starts it; `None` after saying why there is none.
    pub(crate) async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let cluster = own_cluster(Options {
            tier: Tier::Node,
            images: image::archives(dir.path()),
            ..Options::default()
        })
        .await?;
        let client = cluster.client().await.unwrap();
        install(&client).await;
        let token = cluster
            .service_account_token(SYSTEM, rights::SERVICE_ACCOUNT, 7200)
            .await
            .unwrap();
        let registry = format!(
            "--registry-endpoint=registry.example=http://{}",
            stand_ins::registry().await
        );
        let operator = Operator::start(&cluster, dir.path(), &token, &[&registry]);
        tokio::spawn(stand_ins::run(client.clone()));
        Some(Self {
            operator,
            client,
            cluster,
            dir,
        })
    }

    /// Makes a namespace that asks for Pod Security `restricted`.
    pub(crate) async fn namespace(&self, name: &str) {
        let labels = [("pod-security.kubernetes.io/enforce", "restricted")];
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some(
                    labels
                        .map(|(key, value)| (key.to_owned(), value.to_owned()))
                        .into(),
                ),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        Api::all(self.client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
    }

    /// A volume for one claim, as a folder of the node.
    pub(crate) async fn volume(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt;
        let folder = self.dir.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        let volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": name,
                "hostPath": {"path": folder}, "persistentVolumeReclaimPolicy": "Retain",
            },
        });
        apply_yaml(&self.client, &volume.to_string()).await.unwrap();
    }

    /// What the operator asked of the API server since `mark`.
    pub(crate) fn requests(&self, mark: u64) -> Vec<AuditEvent> {
        let user = format!("system:serviceaccount:{SYSTEM}:{}", rights::SERVICE_ACCOUNT);
        let events = self.cluster.audit_events_since(mark).unwrap();
        events.into_iter().filter(|event| event.user == user).collect()
    }
}

/// The definitions, the operator's namespace, its account and its rights.
pub(crate) async fn install(client: &Client) {
    for (_, text) in reeve_serving_crds::all_yaml().unwrap() {
        apply_yaml(client, &text).await.unwrap();
    }
    for text in definitions::foreign() {
        apply_yaml(client, &text).await.unwrap();
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}});
    apply_yaml(client, &namespace.to_string()).await.unwrap();
    let account = ServiceAccount {
        metadata: ObjectMeta {
            name: Some(rights::SERVICE_ACCOUNT.to_owned()),
            namespace: Some(SYSTEM.to_owned()),
            ..ObjectMeta::default()
        },
        ..ServiceAccount::default()
    };
    apply(client, &account).await;
    let (cluster, role, binding) = rights::bindings(SYSTEM);
    for role in rights::cluster_roles().into_iter().chain(rights::helper_roles()) {
        apply(client, &role).await;
    }
    for binding in cluster {
        apply(client, &binding).await;
    }
    apply(client, &role).await;
    apply(client, &binding).await;
}

async fn apply(client: &Client, object: &impl Serialize) {
    let text = serde_json::to_string(object).unwrap();
    apply_yaml(client, &text).await.unwrap();
}

/// Makes an object of a namespace, given as JSON without `apiVersion`.
pub(crate) async fn create<K>(client: &Client, namespace: &str, object: Value) -> K
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned,
{
    let object: K = serde_json::from_value(object).unwrap();
    let api = Api::<K>::namespaced(client.clone(), namespace);
    api.create(&PostParams::default(), &object).await.unwrap()
}

/// Waits until something holds of an object, and answers it.
pub(crate) async fn until<K>(
    client: &Client,
    namespace: &str,
    name: &str,
    holds: impl Fn(&Value) -> bool,
) -> Value
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned,
{
    let api = Api::<K>::namespaced(client.clone(), namespace);
    let last = std::sync::Mutex::new(Value::Null);
    let what = format!("{} `{namespace}/{name}`", K::kind(&()));
    let found = wait_until(&what, async || {
        let found = api.get_opt(name).await?;
        let found = serde_json::to_value(found)?;
        *last.lock().unwrap() = found.clone();
        Ok(Some(found).filter(|found| !found.is_null() && holds(found)))
    })
    .await;
    found.unwrap_or_else(|error| panic!("{error:#}; it is {:#}", last.lock().unwrap()))
}

/// InferenceServices or HTTPRoutes of a namespace.
pub(crate) fn foreign(client: &Client, namespace: &str, kind: &str) -> Api<DynamicObject> {
    let kind = match kind {
        "InferenceService" => GroupVersionKind::gvk("serving.kserve.io", "v1beta1", kind),
        _ => GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", kind),
    };
    Api::namespaced_with(client.clone(), namespace, &ApiResource::from_gvk(&kind))
}

/// The condition of this type.
pub(crate) fn condition<'a>(object: &'a Value, type_: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    let mut found = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition["type"] == type_);
    found.next().unwrap_or(&Value::Null)
}
