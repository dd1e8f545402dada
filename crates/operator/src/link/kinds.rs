//! The list of the kinds that the link writes, and what the writer asks of a kind without knowing which it is.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::{ListParams, PropagationPolicy};
use kube::{Api, Client, ResourceExt};
use reeve_crds::{AccessRule, ID_LABEL, Project, REVISION_ANNOTATION, Workload};
use reeve_kube_kit::{Context, FieldManager, ObjectName, WriteFailed};
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::{ProjectId, Revision};

use super::drift::{Drift, announce};
use super::mirrored::Mirrored;
use super::record::{Record, Version};
use super::written::Listed;
use crate::caches::Caches;

/// How many objects are asked for at once: a page of the largest ones is two megabytes, and several times that once it is read.
const PAGE: u32 = 8;

/// Makes [`ALL`] and [`of`] from one line for each kind.
macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        /// Every kind that the link writes.
        pub(super) const ALL: &[&dyn Kind] = &[$(&Of::<$kind>(PhantomData)),*];

        /// The kind of a key; none of a credential, which becomes no custom resource.
        pub(super) const fn of(key: ObjectKey) -> Option<&'static dyn Kind> {
            match key {
                $(ObjectKey::$kind(_) => Some(&Of::<$kind>(PhantomData)),)*
                ObjectKey::Credential(_) => None,
            }
        }
    };
}

kinds! {
    Project,
    AccessRule,
    Workload,
}

/// [`Mirrored`], for callers that do not know the kind. What is asked about a desired object of another kind is answered as if
/// there were none.
pub(super) trait Kind: Send + Sync {
    fn rank(&self) -> u8;
    fn ends_rights(&self) -> bool;
    fn gives_rights(&self) -> bool;
    fn home(&self, object: &DesiredObject) -> Option<ProjectId>;
    fn size(&self, object: &DesiredObject) -> usize;
    fn must_be_replaced(&self, before: &Record, now: &Record) -> bool;
    fn work_of<'a>(&self, record: &'a Record) -> Option<&'a str>;
    /// What would be remembered of the object once it is written.
    fn record(&self, object: &DesiredObject, namespace: &str, revision: Revision) -> Option<Record>;
    /// Writes the object that `record` is of. Answers which version it is now.
    fn write<'a>(
        &'a self,
        client: Client,
        writes: FieldManager,
        object: &'a DesiredObject,
        record: &'a Record,
    ) -> BoxFuture<'a, Result<Option<Version>, WriteFailed>>;
    fn delete<'a>(
        &'a self,
        client: Client,
        writes: FieldManager,
        name: &'a ObjectName,
        policy: PropagationPolicy,
    ) -> BoxFuture<'a, Result<(), WriteFailed>>;
    /// Everything of the kind that the API server has and the link wrote, page by page: specs may be large, and only their
    /// fingerprints are kept.
    fn list(&self, client: Client) -> BoxFuture<'static, Result<Vec<Listed>, WriteFailed>>;
    fn watch_drift(&self, caches: &Caches, drift: &Arc<Drift>, context: &Arc<Context>);
}

struct Of<K>(PhantomData<fn() -> K>);

impl<K: Mirrored> Kind for Of<K> {
    fn rank(&self) -> u8 {
        K::RANK
    }

    fn ends_rights(&self) -> bool {
        K::ENDS_RIGHTS
    }

    fn gives_rights(&self) -> bool {
        K::GIVES_RIGHTS
    }

    fn home(&self, object: &DesiredObject) -> Option<ProjectId> {
        K::desired(object).and_then(K::home)
    }

    fn size(&self, object: &DesiredObject) -> usize {
        K::desired(object).map_or(0, K::size)
    }

    fn must_be_replaced(&self, before: &Record, now: &Record) -> bool {
        K::must_be_replaced(before, now)
    }

    fn work_of<'a>(&self, record: &'a Record) -> Option<&'a str> {
        K::work_of(record)
    }

    fn record(&self, object: &DesiredObject, namespace: &str, revision: Revision) -> Option<Record> {
        let object = K::build(K::desired(object)?, namespace);
        Some(Record {
            name: ObjectName::of(&object),
            spec: object.fingerprint(),
            place: object.place(),
            revision,
        })
    }

    fn write<'a>(
        &'a self,
        client: Client,
        writes: FieldManager,
        object: &'a DesiredObject,
        record: &'a Record,
    ) -> BoxFuture<'a, Result<Option<Version>, WriteFailed>> {
        async move {
            let namespace = &record.name.namespace;
            let Some(desired) = K::desired(object) else {
                return Ok(None);
            };
            let mut built = K::build(desired, namespace);
            annotate(&mut built, object.key(), record.revision);
            let written = writes.apply(&K::api(client, namespace), &built).await?;
            Ok(Some(Version::of(&written)))
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        client: Client,
        writes: FieldManager,
        name: &'a ObjectName,
        policy: PropagationPolicy,
    ) -> BoxFuture<'a, Result<(), WriteFailed>> {
        async move {
            let api = K::api(client, &name.namespace);
            writes.delete(&api, name, Some(policy)).await
        }
        .boxed()
    }

    fn list(&self, client: Client) -> BoxFuture<'static, Result<Vec<Listed>, WriteFailed>> {
        list::<K>(client).boxed()
    }

    fn watch_drift(&self, caches: &Caches, drift: &Arc<Drift>, context: &Arc<Context>) {
        let (drift, context) = (drift.clone(), context.clone());
        K::cache(caches).subscribe(move |change| {
            if drift.changed(change) {
                announce(&context, change);
            }
        });
    }
}

async fn list<K: Mirrored>(client: Client) -> Result<Vec<Listed>, WriteFailed> {
    let api = Api::<K>::all(client);
    let mut listed = Vec::new();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = api
            .list(&parameters)
            .await
            .map_err(|source| WriteFailed::new::<K>("list", &ObjectName::cluster("*"), source))?;
        listed.extend(page.items.iter().filter_map(Listed::of));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = ListParams::default().limit(PAGE).continue_token(&token),
            None => return Ok(listed),
        }
    }
}

/// What people read on each object: the revision that last changed it, and its id.
fn annotate<K: ResourceExt>(object: &mut K, key: ObjectKey, revision: Revision) {
    object
        .annotations_mut()
        .insert(REVISION_ANNOTATION.to_owned(), revision.to_string());
    object.labels_mut().insert(ID_LABEL.to_owned(), key.id());
}

#[cfg(test)]
mod tests {
    use reeve_types::ProjectId;
    use serde_json::json;

    use super::*;

    /// Planted fault: two kinds exchanged in `Mirrored::desired` give no record, and nothing of them would ever be written.
    #[test]
    fn every_desired_object_has_a_kind_that_builds_it_and_knows_it_again() {
        let id = "0b6f8a52-0d3c-4d5e-9a55-000000000001";
        let objects: [DesiredObject; 3] = [
            json!({"kind": "Project", "spec": {"id": "3", "name": "robots", "departmentId": "1", "namespace": "reeve-robots"}}),
            json!({"kind": "AccessRule", "spec": {"id": 1, "subject": {"kind": "group", "name": "g"}, "role": "viewer", "scope": {"type": "cluster"}}}),
            json!({"kind": "Workload", "spec": {"id": id, "name": "t", "projectId": "3", "submittedBy": "a@example.com", "image": "i"}}),
        ]
        .map(|text| serde_json::from_value(text).unwrap());
        assert_eq!(objects.len(), ALL.len());
        for object in objects {
            let kind = of(object.key()).unwrap();
            let home = kind.home(&object);
            assert_eq!(
                home,
                matches!(object, DesiredObject::Workload(_)).then(|| ProjectId::new(3).unwrap())
            );
            let record = kind.record(&object, "reeve-robots", Revision(7)).unwrap();
            assert_eq!(home.is_some(), record.name.namespace == "reeve-robots");
            assert!(kind.size(&object) >= 512);
        }
    }

    #[test]
    fn what_others_need_is_written_first_and_only_the_end_of_work_may_be_passed_over() {
        let of_kinds: Vec<(u8, bool, bool)> = ALL
            .iter()
            .map(|kind| (kind.rank(), kind.ends_rights(), kind.gives_rights()))
            .collect();
        assert_eq!(
            of_kinds,
            [(0, true, false), (1, true, true), (2, false, false)],
            "projects, access rules, workloads"
        );
    }
}
