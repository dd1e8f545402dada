//! Applying manifests as text, of any kind the API server serves.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Scope, pinned_kind};
use kube::{Client, ResourceExt};

use crate::wait::wait_until;

/// Applies every document of a YAML text by server-side apply, in order, and gives back what the API server made of
/// them. A kind that a document before it defines is waited for; a namespaced object without namespace goes to
/// `default`.
///
/// # Errors
///
/// At the first document that is not a Kubernetes object or is refused; the refusal is the error's source, a
/// [`kube::Error`].
pub async fn apply_yaml(client: &Client, text: &str) -> Result<Vec<DynamicObject>> {
    let documents: Vec<Option<serde_json::Value>> =
        serde_saphyr::from_multiple(text).context("cannot parse the manifests")?;
    let mut kinds: BTreeMap<String, (ApiResource, Scope)> = BTreeMap::new();
    let mut applied = Vec::new();
    for document in documents
        .into_iter()
        .flatten()
        .filter(|document| !document.is_null())
    {
        let object: DynamicObject =
            serde_json::from_value(document).context("a document is not a Kubernetes object")?;
        let Some(types) = object.types.clone() else {
            bail!("a document has no apiVersion and kind")
        };
        let what = format!("{} `{}`", types.kind, object.name_any());
        let key = format!("{} {}", types.api_version, types.kind);
        let (resource, scope) = match kinds.get(&key) {
            Some(known) => known.clone(),
            None => {
                let kind = GroupVersionKind::try_from(&types).with_context(|| what.clone())?;
                let found = wait_until(&format!("the API server to serve {key}"), async || {
                    let (resource, capabilities) = pinned_kind(client, &kind).await?;
                    Ok(Some((resource, capabilities.scope)))
                })
                .await?;
                kinds.entry(key).or_insert(found).clone()
            }
        };
        let api: Api<DynamicObject> = match scope {
            Scope::Cluster => Api::all_with(client.clone(), &resource),
            Scope::Namespaced => Api::namespaced_with(
                client.clone(),
                object.namespace().as_deref().unwrap_or("default"),
                &resource,
            ),
        };
        let by = PatchParams::apply("reeve-testkit").force();
        let answer = api
            .patch(&object.name_any(), &by, &Patch::Apply(&object))
            .await
            .with_context(|| format!("cannot apply {what}"))?;
        applied.push(answer);
    }
    Ok(applied)
}
