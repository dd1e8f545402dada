//! Writing to the API server as one field manager.

mod confidential;

use std::fmt::Debug;
use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::core::object::HasStatus;
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

pub use confidential::ConfidentialFailure;

use crate::cache::ObjectName;
use crate::error::{ClientError, ReconcileError, Retry};

/// How long a write waits for its answer. The API server itself gives up on a request after a minute.
const PATIENCE: Duration = Duration::from_secs(75);

/// A request about an object that failed: which, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {kind} `{name}`")]
pub struct WriteFailed {
    /// `apply`, `create`, `delete`, `list` or `report the status of`.
    pub verb: &'static str,
    /// The kind of the object.
    pub kind: String,
    /// Its name, with its namespace before it.
    pub name: String,
    /// Why.
    pub source: ClientError,
}

impl WriteFailed {
    /// The failure of a request about this object.
    pub fn new<K: Resource<DynamicType = ()>>(
        verb: &'static str,
        object: &ObjectName,
        source: impl Into<ClientError>,
    ) -> Self {
        Self {
            verb,
            kind: K::kind(&()).into_owned(),
            name: object.to_string(),
            source: source.into(),
        }
    }

    /// Whether the object is gone.
    pub fn is_not_found(&self) -> bool {
        self.source.is_not_found()
    }

    /// Whether the writer has no right to it, by RBAC; a policy's refusal is another.
    pub fn is_without_right(&self) -> bool {
        self.source.is_without_right()
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        self.source.is_transient()
    }
}

/// The status could not be written. One that is refused is written again when something changes.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StatusNotWritten(#[from] pub WriteFailed);

impl ReconcileError for StatusNotWritten {
    fn reason(&self) -> &'static str {
        "WriteFailed"
    }

    fn retry(&self) -> Retry {
        if self.0.is_transient() {
            Retry::Backoff
        } else {
            Retry::OnChange
        }
    }
}

/// Writes under one name, by which the API server knows whose each field is.
#[derive(Debug, Clone, Copy)]
pub struct FieldManager {
    name: &'static str,
    patience: Duration,
}

impl FieldManager {
    /// A field manager of this name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            patience: PATIENCE,
        }
    }

    /// How long a write waits for its answer; 75 seconds unless this says otherwise.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same under another name.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Makes an object. Answers it as the API server has it.
    ///
    /// # Errors
    /// [`WriteFailed`], also when one of its name is there ([`ClientError::is_already_exists`]).
    pub async fn create<K>(&self, api: &Api<K>, object: &K) -> Result<K, WriteFailed>
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        let parameters = PostParams {
            field_manager: Some(self.name.to_owned()),
            ..PostParams::default()
        };
        self.within(api.create(&parameters, object))
            .await
            .map_err(|source| WriteFailed::new::<K>("create", &ObjectName::of(object), source))
    }

    /// Server-side apply: the fields of `object` become ours and have these values. Answers the object as the API server has
    /// it.
    ///
    /// # Errors
    /// [`WriteFailed`].
    pub async fn apply<K>(&self, api: &Api<K>, object: &K) -> Result<K, WriteFailed>
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        let name = object.name_any();
        let parameters = PatchParams::apply(self.name).force();
        self.within(api.patch(&name, &parameters, &Patch::Apply(object)))
            .await
            .map_err(|source| WriteFailed::new::<K>("apply", &ObjectName::of(object), source))
    }

    /// Deletes an object; one that is gone already is as good as deleted. `policy` says what becomes of what it owns; `None`
    /// leaves that to the API server.
    ///
    /// # Errors
    /// [`WriteFailed`].
    pub async fn delete<K>(
        &self,
        api: &Api<K>,
        object: &ObjectName,
        policy: Option<PropagationPolicy>,
    ) -> Result<(), WriteFailed>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let parameters = DeleteParams {
            propagation_policy: policy,
            ..DeleteParams::default()
        };
        match self.within(api.delete(&object.name, &parameters)).await {
            Ok(_) => Ok(()),
            Err(gone) if gone.is_not_found() => Ok(()),
            Err(source) => Err(WriteFailed::new::<K>("delete", object, source)),
        }
    }

    /// Writes the status of an object when it says something else than `object` does. When the object is gone meanwhile,
    /// nobody is left to read it. Answers whether it was written.
    ///
    /// # Errors
    /// [`WriteFailed`].
    pub async fn report<K>(&self, api: &Api<K>, object: &K, status: &K::Status) -> Result<bool, WriteFailed>
    where
        K: Resource<DynamicType = ()> + HasStatus + DeserializeOwned,
        K::Status: Serialize + PartialEq,
    {
        if object.status() == Some(status) {
            return Ok(false);
        }
        let name = object.name_any();
        let patch = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}, "status": status});
        let parameters = PatchParams::apply(self.name).force();
        match self
            .within(api.patch_status(&name, &parameters, &Patch::Apply(&patch)))
            .await
        {
            Ok(_) => Ok(true),
            Err(gone) if gone.is_not_found() => Ok(false),
            Err(source) => Err(WriteFailed::new::<K>(
                "report the status of",
                &ObjectName::of(object),
                source,
            )),
        }
    }

    async fn within<T>(
        &self,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(self.patience, request).await {
            Ok(answer) => answer.map_err(ClientError::from),
            Err(_) => Err(ClientError::Late(self.patience)),
        }
    }
}
