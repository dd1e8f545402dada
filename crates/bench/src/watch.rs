//! Waiting for a change: of the cluster as its own watch tells it, to the event; of the control plane by asking.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use reeve_e2e::Rest;

/// Generous: what is slow is to be measured, not refused.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until what is read is answered with this, 200 or 403; the other is what comes before it.
///
/// # Errors
/// Any other answer, or none of these within [`DEADLINE`].
pub(crate) async fn until_answered(caller: &Rest, path: &str, wanted: u16) -> Result<()> {
    let answered = async {
        loop {
            match caller.get(path).await?.status {
                status if status == wanted => return Ok(()),
                200 | 403 => {}
                status => bail!("`{path}` was answered with {status}"),
            }
        }
    };
    tokio::time::timeout(DEADLINE, answered)
        .await
        .context("a change did not reach REST in time")?
}

/// A watch that was open before the change was asked for.
pub(crate) struct Watch<K> {
    stream: BoxStream<'static, kube::Result<WatchEvent<K>>>,
}

impl<K> Watch<K>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static,
{
    /// Of the objects with these labels; the empty selector is for all.
    pub(crate) async fn open(objects: &Api<K>, selector: &str) -> Result<Self> {
        let version = objects
            .list(&ListParams::default().labels(selector))
            .await?
            .metadata
            .resource_version
            .unwrap_or_default();
        let parameters = WatchParams::default().labels(selector);
        Ok(Self {
            stream: objects.watch(&parameters, &version).await?.boxed(),
        })
    }

    /// Until the answer for a written object (or, with `true`, for a deleted one) is yes.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut answer: impl FnMut(&K, bool) -> Result<bool>,
    ) -> Result<()> {
        let wait = async {
            while let Some(event) = self.stream.try_next().await? {
                let (object, gone) = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                    WatchEvent::Deleted(object) => (object, true),
                    WatchEvent::Error(error) => bail!("the watch ended: {error:?}"),
                    WatchEvent::Bookmark(_) => continue,
                };
                if answer(&object, gone)? {
                    return Ok(());
                }
            }
            bail!("the watch ended")
        };
        tokio::time::timeout(DEADLINE, wait)
            .await
            .with_context(|| format!("waited {} s for {what}", DEADLINE.as_secs()))?
            .with_context(|| format!("waiting for {what}"))
    }
}
