//! The cluster, by the installer's own kubeconfig.

use std::time::Duration;

use kube::Client;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::Request;
use reeve_types::kubernetes as names;
use serde_json::{Value, json};

use crate::adopt::{self, Inventory, Kind, kinds};
use crate::args::Adopt;
use crate::by_kubeconfig;
use crate::failure::{CauseOf, Failure};

/// How many objects come at once.
const PAGE: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(60);
const REEVE: &str = constcat::concat!("/apis/", names::GROUP, "/", names::VERSION);

/// A caller of one cluster's API server about one namespace.
pub(super) struct Cluster<'a> {
    client: Client,
    namespace: &'a str,
    what: &'a str,
}

impl<'a> Cluster<'a> {
    pub(super) async fn connect(arguments: &'a Adopt, what: &'a str) -> Result<Self, Failure> {
        let hint = constcat::concat!(
            "give a kubeconfig of a member of ",
            names::INSTALLERS,
            ": --kubeconfig FILE [--context NAME]"
        );
        let client = by_kubeconfig::client(&arguments.cluster, Some(PATIENCE), what, hint).await?;
        Ok(Self {
            client,
            namespace: &arguments.namespace,
            what,
        })
    }

    /// Everything that the report speaks of.
    pub(super) async fn inventory(&self, wanted: Option<String>) -> Result<Inventory, Failure> {
        let namespace = self.one("/api/v1/namespaces", self.namespace).await?;
        let namespace = namespace.ok_or_else(|| {
            let missing = Failure::refused(self.what).cause("this cluster has no such namespace");
            missing.hint(
                "look at `kubectl get namespaces`; a namespace that does not exist is made by the operator",
            )
        })?;
        let projects = self.all(&format!("{REEVE}/projects"), "Project").await?;
        let mut objects = Vec::new();
        for kind in kinds() {
            let found = self.all(&self.path_of(kind), kind.name).await?;
            objects.extend(found.unwrap_or_default());
        }
        let claims = self.path("", "persistentvolumeclaims");
        let bindings = self.path("rbac.authorization.k8s.io", "rolebindings");
        Ok(Inventory {
            namespace,
            projects: projects.ok_or_else(|| {
                let missing = Failure::refused(self.what).cause("Reeve is not installed in this cluster");
                missing.hint("see docs/install.md, or choose another context: --context NAME")
            })?,
            wanted,
            config: self.one(&format!("{REEVE}/reeveconfigs"), "reeve").await?,
            objects,
            claims: self
                .all(&claims, "PersistentVolumeClaim")
                .await?
                .unwrap_or_default(),
            bindings: self.all(&bindings, "RoleBinding").await?.unwrap_or_default(),
        })
    }

    /// Sets the labels, or only asks whether it would be admitted.
    pub(super) async fn label(&self, label: &Value, dry_run: bool) -> Result<(), Failure> {
        let params = PatchParams {
            dry_run,
            ..PatchParams::default()
        };
        let request = Request::new("/api/v1/namespaces").patch(self.namespace, &params, &Patch::Merge(label));
        let request = request.map_err(|error| Failure::failed(self.what).because(CauseOf(error)))?;
        match self.client.request::<Value>(request).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let hint = format!(
                    "only members of the group {} may label it: use their kubeconfig",
                    names::INSTALLERS
                );
                Err(self.explain(error, "labelling the namespace").hint(hint))
            }
        }
    }

    /// Removes marks from one object; one that is gone has none.
    pub(super) async fn patch(&self, patch: &adopt::Patch) -> Result<(), Failure> {
        let what = format!("removing the marks of {}/{}", patch.kind, patch.name);
        let kind = adopt::kind(&patch.kind);
        let path = kind.map(|kind| self.path_of(kind)).unwrap_or_default();
        let body: Patch<&Value> = if patch.patch.is_array() {
            let operations = serde_json::from_value(patch.patch.clone());
            Patch::Json(operations.map_err(|error| Failure::failed(self.what).because(CauseOf(error)))?)
        } else {
            Patch::Merge(&patch.patch)
        };
        let request = Request::new(path).patch(&patch.name, &PatchParams::default(), &body);
        let request = request.map_err(|error| Failure::failed(self.what).because(CauseOf(error)))?;
        match self.client.request::<Value>(request).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(self.explain(error, &what)),
        }
    }

    fn path(&self, group: &str, plural: &str) -> String {
        self.path_in(group, "v1", plural)
    }

    fn path_of(&self, kind: Kind) -> String {
        self.path_in(kind.group, kind.version, kind.plural)
    }

    fn path_in(&self, group: &str, version: &str, plural: &str) -> String {
        let base = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        format!("{base}/namespaces/{}/{plural}", self.namespace)
    }

    async fn one(&self, path: &str, name: &str) -> Result<Option<Value>, Failure> {
        let request = Request::new(path).get(name, &kube::api::GetParams::default());
        let request = request.map_err(|error| Failure::failed(self.what).because(CauseOf(error)))?;
        match self.client.request(request).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.explain(error, &format!("reading {path}/{name}"))),
        }
    }

    /// A list with all its pages; nothing where the cluster does not know the kind.
    async fn all(&self, path: &str, kind: &str) -> Result<Option<Vec<Value>>, Failure> {
        let (mut found, mut params) = (Vec::new(), ListParams::default().limit(PAGE));
        loop {
            let request = Request::new(path).list(&params);
            let request = request.map_err(|error| Failure::failed(self.what).because(CauseOf(error)))?;
            let mut page: Value = match self.client.request(request).await {
                Ok(page) => page,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(self.explain(error, &format!("listing {path}"))),
            };
            let api_version = page.get("apiVersion").cloned().unwrap_or_default();
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items.into_iter().map(|item| named(item, kind, &api_version)));
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => params = params.continue_token(token),
                _ => return Ok(Some(found)),
            }
        }
    }

    fn explain(&self, error: kube::Error, doing: &str) -> Failure {
        match error {
            kube::Error::Api(status) if (400..500).contains(&status.code) => Failure::refused(self.what)
                .cause(format!(
                    "{doing}: the cluster's API server: {} ({})",
                    status.message, status.code
                )),
            other => Failure::failed(format!("{}: {doing}", self.what)).because(CauseOf(other)),
        }
    }
}

fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// An item of a list, which does not say its kind; of the record of who wrote which field only who wrote, and when.
fn named(mut item: Value, kind: &str, api_version: &Value) -> Value {
    if let Value::Object(map) = &mut item {
        map.insert("kind".to_owned(), json!(kind));
        map.insert("apiVersion".to_owned(), api_version.clone());
    }
    if let Some(Value::Object(metadata)) = item.get_mut("metadata") {
        let writers = metadata.get_mut("managedFields").and_then(Value::as_array_mut);
        for writer in writers.into_iter().flatten().filter_map(Value::as_object_mut) {
            writer.remove("fieldsV1");
        }
    }
    item
}
