//! The API server, and what its refusals come to.

use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, GetParams, ListParams, PostParams};
use kube::core::Request;
use reeve_serving_crds::{GROUP, VERSION};
use serde_json::{Value, json};

use super::kind::Kind;
use crate::args::Within;
use crate::by_kubeconfig;
use crate::failure::{CauseOf, Failure};

/// How many objects come at once.
const PAGE: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(60);

/// A caller of one cluster's API server about one namespace.
pub(super) struct Server {
    /// For what has no word here.
    pub(super) client: Client,
    /// The namespace that was asked for, or the context's.
    pub(super) namespace: String,
    context: Option<String>,
}

/// Why the API server gave nothing.
pub(super) enum Error {
    /// There is no such object.
    Missing,
    /// The cluster does not know the kind.
    NoKind,
    /// Anything else.
    Other(kube::Error),
}

impl Server {
    /// # Errors
    /// There is no kubeconfig, or it names nothing that can be used.
    pub(super) async fn connect(within: &Within, what: &str) -> Result<Self, Failure> {
        Self::with_patience(within, Some(PATIENCE), what).await
    }

    /// One whose streams may be silent for ever.
    ///
    /// # Errors
    /// As [`Server::connect`].
    pub(super) async fn of_streams(within: &Within, what: &str) -> Result<Self, Failure> {
        Self::with_patience(within, None, what).await
    }

    async fn with_patience(within: &Within, patience: Option<Duration>, what: &str) -> Result<Self, Failure> {
        let hint = "`reeve kubeconfig set` writes one for a cluster of the control plane; another: --kubeconfig FILE [--context NAME]";
        let client = by_kubeconfig::client(&within.cluster, patience, what, hint).await?;
        let namespace = within
            .namespace
            .clone()
            .unwrap_or_else(|| client.default_namespace().to_owned());
        Ok(Self {
            client,
            namespace,
            context: within.cluster.context.clone(),
        })
    }

    /// Where objects of a kind lie.
    pub(super) fn path(&self, kind: &Kind, everywhere: bool) -> String {
        let base = format!("/apis/{GROUP}/{VERSION}");
        if kind.namespaced && !everywhere {
            format!("{base}/namespaces/{}/{}", self.namespace, kind.plural)
        } else {
            format!("{base}/{}", kind.plural)
        }
    }

    /// One object.
    ///
    /// # Errors
    /// [`Error`].
    pub(super) async fn get(&self, path: &str, name: &str) -> Result<Value, Error> {
        let request = Request::new(path).get(name, &GetParams::default());
        let found = self.client.request::<Value>(request.map_err(Error::build)?).await;
        found
            .map(without_managed_fields)
            .map_err(|error| Error::of(error, Some(name)))
    }

    /// All pages of a list, each object with its kind.
    ///
    /// # Errors
    /// [`Error`].
    pub(super) async fn list(&self, path: &str, kind: &str, params: ListParams) -> Result<Vec<Value>, Error> {
        let (mut found, mut params) = (Vec::new(), params.limit(PAGE));
        loop {
            let request = Request::new(path).list(&params).map_err(Error::build)?;
            let page = self.client.request::<Value>(request).await;
            let mut page = page.map_err(|error| Error::of(error, None))?;
            let api_version = page.get("apiVersion").cloned().unwrap_or_default();
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items.into_iter().map(|mut item| {
                    if let Value::Object(map) = &mut item {
                        map.insert("kind".to_owned(), json!(kind));
                        map.insert("apiVersion".to_owned(), api_version.clone());
                    }
                    without_managed_fields(item)
                }));
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => params = params.continue_token(token),
                _ => return Ok(found),
            }
        }
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`Error`].
    pub(super) async fn create(&self, path: &str, object: &Value, dry_run: bool) -> Result<Value, Error> {
        let params = PostParams {
            dry_run,
            ..PostParams::default()
        };
        let request = Request::new(path).create(&params, object.to_string().into_bytes());
        let made = self.client.request::<Value>(request.map_err(Error::build)?).await;
        made.map(without_managed_fields)
            .map_err(|error| Error::of(error, None))
    }

    /// Has one deleted.
    ///
    /// # Errors
    /// [`Error`].
    pub(super) async fn delete(&self, path: &str, name: &str) -> Result<(), Error> {
        let request = Request::new(path).delete(name, &DeleteParams::default());
        let asked = self.client.request::<Value>(request.map_err(Error::build)?).await;
        asked.map(drop).map_err(|error| Error::of(error, Some(name)))
    }

    /// The end of a command that tried to do `what` with this object, or with all of a kind.
    pub(super) fn explain(&self, error: Error, kind: &Kind, name: Option<&str>, what: &str) -> Failure {
        match error {
            Error::Missing => self.missing(kind, name.unwrap_or_default(), what),
            Error::NoKind => {
                let other = match &self.context {
                    Some(context) => format!("another context than `{context}`"),
                    None => "another context".to_owned(),
                };
                Failure::refused(what)
                    .cause(format!("this cluster has no kind {}", kind.kind))
                    .hint(format!(
                        "model serving is not installed there: see docs/model-serving.md, or choose {other}: --context NAME"
                    ))
            }
            Error::Other(kube::Error::Api(status)) if (400..500).contains(&status.code) => {
                let refused = Failure::refused(what).cause(format!(
                    "the cluster's API server: {} ({})",
                    status.message, status.code
                ));
                match status.code {
                    401 => refused.hint(
                        "the cluster does not know who you are: sign in again, or use another kubeconfig",
                    ),
                    403 => self.who_lets(refused, kind, &status.message),
                    409 => refused.hint(format!(
                        "`reeve {} describe` shows the one that is there",
                        kind.command
                    )),
                    _ => refused,
                }
            }
            Error::Other(error) => Failure::failed(what).because(CauseOf(error)),
        }
    }

    /// That there is no such object.
    pub(super) fn missing(&self, kind: &Kind, name: &str, what: &str) -> Failure {
        if !kind.namespaced {
            return Failure::refused(what)
                .cause(format!("there is no {} `{name}` of the cluster", kind.command))
                .hint("`reeve model list` shows what is there");
        }
        let namespace = &self.namespace;
        Failure::refused(what)
            .cause(format!(
                "there is no {} `{name}` in the namespace `{namespace}`",
                kind.word
            ))
            .hint(format!(
                "`reeve {} list -n {namespace}` shows what is there",
                kind.command
            ))
    }

    /// RBAC names verb and resource; what another admission refused is not had by a role.
    fn who_lets(&self, refused: Failure, kind: &Kind, message: &str) -> Failure {
        let resource = format!("resource \"{}\"", kind.plural);
        if !message.contains(&resource) {
            return refused;
        }
        let reads = ["cannot get ", "cannot list "]
            .iter()
            .any(|verb| message.contains(verb));
        let role = format!("{}-{}", kind.role, if reads { "viewer" } else { "editor" });
        let place = if kind.namespaced && !message.contains("at the cluster scope") {
            format!("in the namespace `{}`", self.namespace)
        } else {
            "in the whole cluster".to_owned()
        };
        refused.hint(format!(
            "whoever administers it can give you the ClusterRole `{role}` {place} (docs/model-serving.md)"
        ))
    }
}

impl Error {
    fn build(error: kube::core::request::Error) -> Self {
        Self::Other(kube::Error::BuildRequest(error))
    }

    /// The API server says 404 of objects and of kinds: of an object with its name.
    fn of(error: kube::Error, name: Option<&str>) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 404 => {
                // An object of a namespace that is not there: the message names the namespace.
                match status
                    .details
                    .as_ref()
                    .map(|details| details.name.as_str())
                    .unwrap_or_default()
                {
                    "" => Self::NoKind,
                    missing if Some(missing) == name => Self::Missing,
                    _ => Self::Other(kube::Error::Api(status)),
                }
            }
            other => Self::Other(other),
        }
    }
}

/// Without the record of who wrote which field, which is longer than the object.
fn without_managed_fields(mut object: Value) -> Value {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    object
}
