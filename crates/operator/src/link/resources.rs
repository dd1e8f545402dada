//! Requests of the link about its custom resources.

use std::fmt::Debug;

use kube::api::{DeleteParams, ListParams, PropagationPolicy};
use kube::{Api, Resource, ResourceExt};
use reeve_crds::{ID_LABEL, REVISION_ANNOTATION};
use reeve_kube_kit::Name;
use reeve_kube_kit::apply::WriteFailed;
use reeve_link::{DesiredObject, ObjectKey};
use serde::de::DeserializeOwned;

use super::known::Record;

/// What others need comes first.
pub(super) const fn rank(object: &DesiredObject) -> u8 {
    match object {
        DesiredObject::Project(_) => 0,
        DesiredObject::AccessRule(_) => 1,
        DesiredObject::Workload(_) => 2,
    }
}

/// How many objects are asked for at once: a page of the largest ones is some megabytes.
const PAGE: u32 = 25;

/// Everything of a kind that the API server has, page by page.
pub(super) async fn each<K>(api: Api<K>, mut take: impl FnMut(K)) -> Result<(), WriteFailed>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
{
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = api
            .list(&parameters)
            .await
            .map_err(|source| WriteFailed::new::<K>("list", None, "*", source))?;
        page.items.into_iter().for_each(&mut take);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = ListParams::default().limit(PAGE).continue_token(&token),
            None => return Ok(()),
        }
    }
}

/// Deletes; what is gone already is as good as deleted.
pub(super) async fn delete<K>(api: Api<K>, name: &Name, policy: PropagationPolicy) -> Result<(), WriteFailed>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
{
    let parameters = DeleteParams {
        propagation_policy: Some(policy),
        ..DeleteParams::default()
    };
    match api.delete(&name.name, &parameters).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => {
            let namespace = Some(name.namespace.as_str()).filter(|namespace| !namespace.is_empty());
            Err(WriteFailed::new::<K>("delete", namespace, &name.name, source))
        }
    }
}

/// What people read on each object: the revision that last changed it, and its id.
pub(super) fn annotate<K: ResourceExt>(object: &mut K, key: ObjectKey, record: &Record) {
    object
        .annotations_mut()
        .insert(REVISION_ANNOTATION.to_owned(), record.revision.to_string());
    let id = match key {
        ObjectKey::AccessRule(id) => id.to_string(),
        ObjectKey::Project(id) => id.to_string(),
        ObjectKey::Workload(id) => id.to_string(),
    };
    object.labels_mut().insert(ID_LABEL.to_owned(), id);
}
