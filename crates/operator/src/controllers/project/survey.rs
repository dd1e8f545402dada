//! What of a namespace could make no new pod under the rules: looked at before a namespace that is there becomes a project's,
//! when it does, when any setting of it changed, and again as long as something is found. What runs goes on; at its next restart it would
//! not come back, and without this nobody would know before.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Pod, ReplicationController};
use k8s_openapi::{NamespaceResourceScope, Resource};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use reeve_admission::{failing, names, new_pod, stands_for_itself};
use reeve_crds::{ReeveConfigSpec, desired};
use reeve_kube_kit::{Context, ObjectName, WriteFailed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fingerprint::Fingerprint;

/// How many are named; of the rest the number is said.
const NAMED: usize = 10;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// A sentence each.
    found: Vec<String>,
    /// How many pods and Jobs bear a stamp that nobody verified: in a namespace that is no project anybody may write one.
    stamped: usize,
    /// The settings it was judged by, as [`settings_of`] says.
    settings: String,
    /// Whether the namespace is still to be adopted.
    before_adoption: bool,
}

/// A fingerprint of every setting of a namespace that policies read. One that an installer sets by hand counts as one that the
/// operator writes.
pub fn settings_of(namespace: &Namespace) -> String {
    let ours = |key: &&String| key.starts_with(names::PREFIX) || key.starts_with(names::POD_SECURITY_PREFIX);
    let labels: BTreeMap<_, _> = namespace.labels().iter().filter(|(key, _)| ours(key)).collect();
    let annotations: BTreeMap<_, _> = namespace
        .annotations()
        .iter()
        .filter(|(key, _)| ours(key))
        .collect();
    let mut text = Fingerprint::of(&(labels, annotations)).to_text();
    text.truncate(16);
    text
}

impl Survey {
    /// Whether everything that is there could make its pods again.
    pub fn is_clean(&self) -> bool {
        self.found.is_empty() && self.stamped == 0
    }

    /// What cannot, and what to do about it.
    pub fn message(&self) -> String {
        let named: Vec<&str> = self.found.iter().take(NAMED).map(String::as_str).collect();
        let more = self.found.len().saturating_sub(NAMED);
        let rest = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        let (count, named) = (self.found.len(), named.join("; "));
        if self.before_adoption {
            let refused = (count > 0).then(|| {
                format!(
                    "{count} pods and Jobs could not be made again once the namespace is the project's: {named}{rest}"
                )
            });
            let stamped = (self.stamped > 0).then(|| {
                format!(
                    "{} bear a stamp ({}) that would be believed and that nobody verified: adopting asks for it to be dropped",
                    self.stamped,
                    names::RUNS_AS
                )
            });
            let said: Vec<String> = refused.into_iter().chain(stamped).collect();
            return format!(
                "{}. What makes pods, and what is stamped of it, is listed by an installer: reeve project adopt NAMESPACE --dry-run \
                 (docs/security/adopting.md)",
                said.join(". ")
            );
        }
        format!(
            "{count} could make no new pod: {named}{rest}. What runs goes on; a person of the project has to write them again \
             (docs/security/adopting.md)"
        )
    }

    /// Of a namespace that was just made: nothing is in it.
    pub(super) fn of_nothing(namespace: &Namespace) -> Self {
        judge(namespace, &[])
    }

    /// The settings it was judged by, for the next pass. Those of before adoption are never those of after: then more can be
    /// looked at.
    pub(super) fn settings(&self) -> String {
        if self.before_adoption {
            format!("before-adoption-{}", self.settings)
        } else {
            self.settings.clone()
        }
    }

    /// Whether the namespace is still to be adopted.
    pub(super) const fn is_before_adoption(&self) -> bool {
        self.before_adoption
    }
}

/// Judges objects, as the API server has them. Pure.
pub fn judge(namespace: &Namespace, objects: &[Value]) -> Survey {
    let mut found = Vec::new();
    for object in objects.iter().filter(|object| stands_for_itself(object)) {
        let request = new_pod(object, namespace.labels(), namespace.annotations());
        if let Some(check) = failing(&request).first() {
            let text = |at| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
            found.push(format!(
                "{} `{}` ({}: {})",
                text("/kind"),
                text("/metadata/name"),
                check.rule,
                check.problem
            ));
        }
    }
    Survey {
        found,
        stamped: 0,
        settings: settings_of(namespace),
        before_adoption: false,
    }
}

/// Takes the stamps away that a pod, or the template of a Job, bears; whether there was one.
fn drop_stamp(object: &mut Value) -> bool {
    let mut found = false;
    for at in ["/metadata/annotations", "/spec/template/metadata/annotations"] {
        let annotations = object.pointer_mut(at).and_then(Value::as_object_mut);
        found |= annotations.is_some_and(|map| map.remove(names::RUNS_AS).is_some());
    }
    found
}

fn kind_of(object: &Value) -> Option<&str> {
    object.get("kind").and_then(Value::as_str)
}

/// Judges what a namespace holds that waits for its adoption, as if it were the project's already: Jobs, and pods of whatever
/// makes pods but of Jobs, without the stamps that they bear, which are counted. Pure.
pub fn judge_before_adoption(
    namespace: &Namespace,
    project: &desired::Project,
    settings: &ReeveConfigSpec,
    objects: &[Value],
) -> Survey {
    let mut adopted = namespace.clone();
    let labels = reeve_tenancy::namespace_labels(project, settings, namespace.annotations());
    adopted.labels_mut().extend(labels);
    adopted
        .annotations_mut()
        .extend(reeve_tenancy::namespace_annotations(project, settings));
    let owned_by_job = |object: &Value| {
        let owners = object
            .pointer("/metadata/ownerReferences")
            .and_then(Value::as_array);
        owners
            .into_iter()
            .flatten()
            .any(|owner| kind_of(owner) == Some("Job"))
    };
    let (mut objects, mut stamped) = (objects.to_vec(), 0);
    for object in &mut objects {
        stamped += usize::from(drop_stamp(object));
    }
    let alone: Vec<Value> = objects
        .into_iter()
        .filter(|object| !owned_by_job(object))
        .map(|mut object| {
            // What makes it cannot be listed yet: it stands for its maker.
            if kind_of(&object) == Some("Pod")
                && let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut)
            {
                metadata.remove("ownerReferences");
            }
            object
        })
        .collect();
    Survey {
        stamped,
        before_adoption: true,
        ..judge(&adopted, &alone)
    }
}

/// Lists the pods and Jobs of a namespace that waits for its adoption and judges them: more the operator may not list there.
///
/// # Errors
/// When something cannot be listed.
pub(super) async fn before_adoption(
    context: &Context,
    project: &desired::Project,
    namespace: &Namespace,
    settings: &ReeveConfigSpec,
) -> Result<Survey, WriteFailed> {
    let name = namespace.name_any();
    let mut objects = list::<Job>(context, &name).await?;
    objects.extend(list::<Pod>(context, &name).await?);
    Ok(judge_before_adoption(namespace, project, settings, &objects))
}

/// Lists what makes pods in the namespace and judges it.
///
/// # Errors
/// When something cannot be listed.
pub(super) async fn survey(context: &Context, namespace: &Namespace) -> Result<Survey, WriteFailed> {
    let name = namespace.name_any();
    let mut objects = list::<Deployment>(context, &name).await?;
    objects.extend(list::<StatefulSet>(context, &name).await?);
    objects.extend(list::<DaemonSet>(context, &name).await?);
    objects.extend(list::<ReplicaSet>(context, &name).await?);
    objects.extend(list::<ReplicationController>(context, &name).await?);
    objects.extend(list::<Job>(context, &name).await?);
    objects.extend(list::<CronJob>(context, &name).await?);
    objects.extend(list::<Pod>(context, &name).await?);
    Ok(judge(namespace, &objects))
}

async fn list<K>(context: &Context, namespace: &str) -> Result<Vec<Value>, WriteFailed>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Resource
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Serialize,
{
    let api = Api::<K>::namespaced(context.client.clone(), namespace);
    let mut page = ListParams::default().limit(500);
    let mut objects = Vec::new();
    loop {
        let list = api.list(&page).await.map_err(|source| {
            WriteFailed::new::<K>("list", &ObjectName::namespaced(namespace, "all"), source)
        })?;
        for object in &list.items {
            let mut value = serde_json::to_value(object).unwrap_or_default();
            if let Value::Object(fields) = &mut value {
                fields.insert("kind".to_owned(), json!(K::KIND));
                fields.insert("apiVersion".to_owned(), json!(K::API_VERSION));
            }
            objects.push(value);
        }
        match list.metadata.continue_ {
            Some(token) if !token.is_empty() => page = page.continue_token(&token),
            _ => return Ok(objects),
        }
    }
}
