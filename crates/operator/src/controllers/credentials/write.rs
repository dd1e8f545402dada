//! Writing the Secrets of credentials where Secrets for projects lie.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use reeve_admission::names;
use reeve_kube_kit::{ConfidentialFailure, Context, ObjectName, ReconcileError, Retry};
use reeve_tenancy::credentials::{credential_of, source_name};
use reeve_types::CredentialAssetId;
use serde_json::{Value, json};

/// Why a credential's Secret is not as it is to be.
#[derive(Debug, thiserror::Error)]
pub enum SourceFailed {
    /// Somebody else's has the name.
    #[error(
        "a Secret `{name}` that is not the control plane's is there in namespace `{namespace}` and stays as it is: remove it",
        namespace = names::SECRETS_NAMESPACE
    )]
    Conflict {
        /// The name.
        name: String,
    },
    /// It could not be written.
    #[error("cannot write Secret `{name}` in namespace `{namespace}`", namespace = names::SECRETS_NAMESPACE)]
    Write {
        /// The name.
        name: String,
        /// Why.
        source: ConfidentialFailure,
    },
}

impl ReconcileError for SourceFailed {
    fn reason(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "SecretConflict",
            Self::Write { .. } => "WriteFailed",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Conflict { .. } => Retry::After(Duration::from_secs(60)),
            Self::Write { source, .. } if source.is_transient() => Retry::Backoff,
            Self::Write { .. } => Retry::After(Duration::from_secs(15)),
        }
    }
}

/// Writes them.
#[derive(Debug)]
pub(super) struct Sources(Arc<Context>);

impl Sources {
    pub(super) const fn new(context: Arc<Context>) -> Self {
        Self(context)
    }

    /// Makes it what it is to be. `actual` is what is there as far as is known.
    pub(super) async fn write(
        &self,
        id: CredentialAssetId,
        wanted: &Secret,
        actual: Option<&Secret>,
    ) -> Result<(), SourceFailed> {
        let name = source_name(id);
        let failed = |source: ConfidentialFailure| SourceFailed::Write {
            name: name.clone(),
            source,
        };
        let conflict = || SourceFailed::Conflict { name: name.clone() };
        let Some(actual) = actual else {
            return match self.create(wanted).await {
                // The watch is late: what is there shows in a moment.
                Err(there) if there.is_already_exists() => Ok(()),
                done => done.map_err(failed),
            };
        };
        if credential_of(actual) != Some(id) {
            return Err(conflict());
        }
        // Neither a type nor anything of an immutable one can be changed.
        if actual.type_ != wanted.type_ || actual.immutable == Some(true) {
            self.remove(id).await?;
            return self.create(wanted).await.map_err(failed);
        }
        let object = ObjectName::namespaced(names::SECRETS_NAMESPACE, &name);
        let (client, writes) = (&self.0.client, &self.0.writes);
        match writes
            .patch_confidential::<Secret>(client, &object, &patch(id, wanted))
            .await
        {
            Err(gone) if gone.is_not_found() => self.create(wanted).await.map_err(failed),
            Err(other) if other.is_failed_test() => Err(conflict()),
            done => done.map_err(failed),
        }
    }

    async fn create(&self, wanted: &Secret) -> Result<(), ConfidentialFailure> {
        self.0.writes.create_confidential(&self.0.client, wanted).await
    }

    /// Removes what bears its mark.
    pub(super) async fn remove(&self, id: CredentialAssetId) -> Result<(), SourceFailed> {
        let marked = format!("{}={id}", names::CREDENTIAL);
        let (client, writes) = (&self.0.client, &self.0.writes);
        writes
            .delete_confidential::<Secret>(client, names::SECRETS_NAMESPACE, &marked, "")
            .await
            .map_err(|source| SourceFailed::Write {
                name: source_name(id),
                source,
            })
    }
}

/// The patch that makes what is there the credential's, if it bears its mark. Pure.
fn patch(id: CredentialAssetId, wanted: &Secret) -> Value {
    let marked = format!("/metadata/labels/{}", names::CREDENTIAL.replace('/', "~1"));
    json!([
        {"op": "test", "path": marked, "value": id.to_string()},
        {"op": "add", "path": "/data", "value": wanted.data.clone().unwrap_or_default()},
        {"op": "add", "path": "/metadata/labels", "value": wanted.metadata.labels},
    ])
}
