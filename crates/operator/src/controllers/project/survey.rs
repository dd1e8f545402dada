//! What of a namespace could make no new pod under the rules: looked at when a namespace that was there before becomes a
//! project, when a setting changed, and again as long as something is found. What runs goes on; at its next restart it would
//! not come back, and without this nobody would know before.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, Pod, ReplicationController};
use k8s_openapi::{NamespaceResourceScope, Resource};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use reeve_admission::{failing, new_pod, stands_for_itself};
use reeve_kube_kit::{Context, ObjectName, WriteFailed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How many are named; of the rest the number is said.
const NAMED: usize = 10;

/// What was found: a sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey(Vec<String>);

impl Survey {
    /// Whether everything that is there could make its pods again.
    pub fn is_clean(&self) -> bool {
        self.0.is_empty()
    }

    /// What cannot, and what to do about it.
    pub fn message(&self) -> String {
        let named: Vec<&str> = self.0.iter().take(NAMED).map(String::as_str).collect();
        let more = self.0.len().saturating_sub(NAMED);
        let rest = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        format!(
            "{} could make no new pod: {}{rest}. What runs goes on; a person of the project has to write them again \
             (docs/security/adopting.md)",
            self.0.len(),
            named.join("; ")
        )
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
    Survey(found)
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
