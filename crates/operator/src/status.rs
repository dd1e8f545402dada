//! Writing the status of an object, for the controllers that write nothing else.

use kube::{Api, Resource};
use reeve_kube_kit::apply::{WriteFailed, apply_status};
use reeve_kube_kit::error::is_transient;
use reeve_kube_kit::{Reconcile, Retry};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::MANAGER;

/// The status could not be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StatusNotWritten(WriteFailed);

impl Reconcile for StatusNotWritten {
    fn reason(&self) -> &'static str {
        "WriteFailed"
    }

    fn retry(&self) -> Retry {
        if is_transient(&self.0.source) {
            Retry::Backoff
        } else {
            Retry::OnChange
        }
    }
}

/// Writes it. When the object is gone meanwhile nobody is left to read it.
///
/// # Errors
/// [`StatusNotWritten`].
pub async fn write<K, S>(api: &Api<K>, object: &K, status: &S) -> Result<(), StatusNotWritten>
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
    S: Serialize,
{
    match apply_status(api, MANAGER, object, status).await {
        Err(failed) if failed.is_not_found() => Ok(()),
        other => other.map_err(StatusNotWritten),
    }
}
