//! Notices that the API server's storage went back to an older state, as when etcd is put back from a backup.
//!
//! Watches go on from the last version that they saw. To a storage that went back that version is in the future, and it tells nothing
//! until it gets there: what changes meanwhile is missed, and so is everything that went back. Nothing but listing all anew makes up for
//! that. A version is compared with the highest that was seen before; one that grew beyond it between two questions is not noticed.

use std::fmt::Debug;
use std::time::Duration;

use kube::api::ListParams;
use kube::{Api, Resource};
use reeve_types::ErrorChain;
use serde::de::DeserializeOwned;

use crate::error::ClientError;

/// Returns when the storage went back: then whoever keeps caches starts anew. Asks for one object of a kind, every so often; that the
/// API server does not answer says nothing.
pub async fn until_it_goes_back<K>(api: Api<K>, every: Duration)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let mut highest = 0;
    loop {
        match version(&api).await {
            Ok(Some(now)) if now < highest => {
                tracing::error!(
                    version = now,
                    before = highest,
                    "the API server's storage went back to an older state: starting anew"
                );
                return;
            }
            Ok(now) => highest = now.unwrap_or(highest),
            Err(error) => {
                tracing::debug!(error = %ErrorChain(&error), "cannot ask the API server for its version of everything");
            }
        }
        tokio::time::sleep(every).await;
    }
}

/// The version of everything, which grows with every write; `None` where it is no number. Nothing is taken from the API server's cache.
async fn version<K>(api: &Api<K>) -> Result<Option<u64>, ClientError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let list = api.list(&ListParams::default().limit(1)).await?;
    Ok(list.metadata.resource_version.and_then(|text| text.parse().ok()))
}
