//! What is read from the API server for a request: settings of its namespace, and whose a pod is.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, ApiResource, DynamicObject, GetParams};
use kube::{Client, ResourceExt};
use reeve_admission::{Parameters, names};
use serde_json::Value;

use crate::review::{Asked, Beside};

/// How long all that is read for one request may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// Reads with no other right than `get` on namespaces, pods and `PodIdentities`.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

/// What a verdict depends on could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The API server refused or did not have it.
    #[error("cannot read {what}")]
    Refused {
        /// Kind and name.
        what: String,
        /// What it said.
        #[source]
        source: kube::Error,
    },
    /// It took too long.
    #[error("reading what the request in namespace `{0}` depends on took too long")]
    Late(String),
}

impl Cluster {
    /// Reads by this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Whether the API server answers and lets it read namespaces.
    ///
    /// # Errors
    /// [`Unread`].
    pub async fn check(&self) -> Result<(), Unread> {
        self.namespace("default").await.map(|_| ())
    }

    /// What the verdict on a request depends on.
    ///
    /// # Errors
    /// [`Unread`].
    pub async fn beside(&self, asked: &Asked) -> Result<Beside, Unread> {
        let Some(namespace) = asked.namespace() else {
            return Ok(Beside::default());
        };
        let read = self.read(namespace, asked.stepped_into());
        let late = |_| Unread::Late(namespace.to_owned());
        tokio::time::timeout(PATIENCE, read).await.map_err(late)?
    }

    async fn read(&self, name: &str, pod: Option<&str>) -> Result<Beside, Unread> {
        let namespace = self.namespace(name).await?;
        let parameters = match pod {
            None => Parameters::default(),
            Some(pod) => self.whose(name, pod).await?,
        };
        Ok(Beside {
            labels: namespace.labels().clone(),
            annotations: namespace.annotations().clone(),
            parameters,
        })
    }

    /// From the API server's cache, as its own policies have it; one that was only just made is asked of the database.
    async fn namespace(&self, name: &str) -> Result<Namespace, Unread> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let cached = namespaces.get_with(name, &GetParams::at("0")).await;
        let read = match cached {
            Err(kube::Error::Api(status)) if status.code == 404 => namespaces.get(name).await,
            read => read,
        };
        read.map_err(|source| refused(format!("the namespace `{name}`"), source))
    }

    /// The list of whose each pod is, and the pod itself. What is not there is nobody's.
    async fn whose(&self, namespace: &str, pod: &str) -> Result<Parameters, Unread> {
        let kind = ApiResource {
            group: names::GROUP.to_owned(),
            version: names::VERSION.to_owned(),
            api_version: format!("{}/{}", names::GROUP, names::VERSION),
            kind: "PodIdentities".to_owned(),
            plural: "podidentities".to_owned(),
        };
        let lists: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &kind);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let (list, pod) = tokio::join!(lists.get_opt(names::POD_IDENTITIES), pods.get_opt(pod));
        let list = list.map_err(|source| refused(format!("PodIdentities in `{namespace}`"), source))?;
        let pod = pod.map_err(|source| refused(format!("the pod in `{namespace}`"), source))?;
        Ok(Parameters {
            identities: list
                .and_then(|list| serde_json::to_value(list).ok())
                .unwrap_or(Value::Null),
            pods: pod
                .and_then(|pod| serde_json::to_value(pod).ok())
                .into_iter()
                .collect(),
        })
    }
}

fn refused(what: String, source: kube::Error) -> Unread {
    Unread::Refused { what, source }
}
