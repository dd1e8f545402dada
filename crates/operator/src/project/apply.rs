//! Writes what differs: the namespace, the operator's own binding, people's bindings (revocations first), the labels.

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::desired::Project;
use reeve_kube_kit::Name;
use reeve_kube_kit::apply::{WriteFailed, apply as server_side, covers, plan};

use super::validate::Found;
use super::{Built, Failed, View};
use crate::MANAGER;
use crate::world::World;

const RIGHTS: Duration = Duration::from_secs(5);
const RIGHTS_POLL: Duration = Duration::from_millis(20);

pub(super) async fn apply(
    world: &World,
    project: &Project,
    found: Found,
    view: &View,
    built: &Built,
) -> Result<(), Failed> {
    if found == Found::Missing {
        create(&Api::<Namespace>::all(world.client.clone()), &built.namespace).await?;
        world.just_made(Name::cluster(&project.namespace));
        tracing::info!(project = %project.name, namespace = project.namespace, "namespace created");
    }
    let api = Api::<RoleBinding>::namespaced(world.client.clone(), &project.namespace);
    own_binding(world, &api, view, &built.own).await?;
    let blocked = people(&api, project, view, &built.people).await?;
    if let (Found::Ours, Some(actual)) = (found, &view.namespace)
        && !covers(&**actual, &built.namespace)
    {
        server_side(
            &Api::<Namespace>::all(world.client.clone()),
            MANAGER,
            &built.namespace,
        )
        .await
        .map_err(Failed::Write)?;
    }
    match blocked {
        Some(name) => Err(Failed::UnmarkedBinding {
            namespace: project.namespace.clone(),
            name,
        }),
        None => Ok(()),
    }
}

/// The binding without which nothing else may be written here.
pub(super) async fn own_binding(
    world: &World,
    api: &Api<RoleBinding>,
    view: &View,
    own: &RoleBinding,
) -> Result<(), Failed> {
    let name = Name::of(own);
    match view
        .bindings
        .iter()
        .find(|binding| binding.name_any() == name.name)
    {
        Some(actual) if covers(&**actual, own) => Ok(()),
        Some(actual) => replace(api, actual, own).await,
        None if world.was_just_made(&name) => Ok(()),
        None => {
            create(api, own).await?;
            wait_for_rights(world, &name.namespace).await?;
            world.just_made(name);
            Ok(())
        }
    }
}

/// The API server's authorizer learns of a new binding by a watch of its own: writing before it has is refused.
async fn wait_for_rights(world: &World, namespace: &str) -> Result<(), Failed> {
    let reviews = Api::<SelfSubjectAccessReview>::all(world.client.clone());
    let question = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                verb: Some("patch".to_owned()),
                group: Some("rbac.authorization.k8s.io".to_owned()),
                resource: Some("rolebindings".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let asking = async {
        loop {
            match reviews.create(&PostParams::default(), &question).await {
                Ok(answer) if answer.status.as_ref().is_some_and(|status| status.allowed) => return Ok(()),
                Ok(_) => tokio::time::sleep(RIGHTS_POLL).await,
                Err(source) => {
                    return Err(Failed::Write(WriteFailed::new::<SelfSubjectAccessReview>(
                        "create", None, namespace, source,
                    )));
                }
            }
        }
    };
    tokio::time::timeout(RIGHTS, asking).await.unwrap_or_else(|_| {
        Err(Failed::NoRights {
            namespace: namespace.to_owned(),
        })
    })
}

/// Makes people's bindings exactly the desired ones. Answers the name of one of somebody else's that is in the way.
async fn people(
    api: &Api<RoleBinding>,
    project: &Project,
    view: &View,
    desired: &[RoleBinding],
) -> Result<Option<String>, Failed> {
    let plan = plan(&view.bindings, desired, is_peoples);
    for name in &plan.delete {
        delete(api, &project.namespace, name).await?;
        tracing::info!(project = %project.name, binding = name, "RoleBinding removed");
    }
    let mut blocked = None;
    for wanted in plan.apply {
        match view
            .bindings
            .iter()
            .find(|binding| binding.name_any() == wanted.name_any())
        {
            Some(actual) if !is_ours(actual) => blocked = Some(wanted.name_any()),
            Some(actual) => replace(api, actual, wanted).await?,
            None => server_side(api, MANAGER, wanted)
                .await
                .map(drop)
                .map_err(Failed::Write)?,
        }
        tracing::info!(project = %project.name, binding = wanted.name_any(), subjects = wanted.subjects.as_ref().map_or(0, Vec::len), "RoleBinding applied");
    }
    Ok(blocked)
}

/// Whether a binding bears the mark of those that come from access rules.
pub(super) fn is_peoples(binding: &RoleBinding) -> bool {
    binding
        .labels()
        .get(names::MANAGED)
        .is_some_and(|value| value == names::MANAGED_ACCESS_RULES)
}

/// Marked, or written by us once and its mark taken off since.
fn is_ours(binding: &RoleBinding) -> bool {
    is_peoples(binding)
        || binding
            .managed_fields()
            .iter()
            .any(|fields| fields.manager.as_deref() == Some(MANAGER))
}

/// A binding's role cannot be changed: one that differs in it is deleted first.
async fn replace(api: &Api<RoleBinding>, actual: &RoleBinding, wanted: &RoleBinding) -> Result<(), Failed> {
    if actual.role_ref != wanted.role_ref {
        delete(api, &wanted.namespace().unwrap_or_default(), &wanted.name_any()).await?;
    }
    server_side(api, MANAGER, wanted)
        .await
        .map(drop)
        .map_err(Failed::Write)
}

pub(super) async fn delete<K>(api: &Api<K>, namespace: &str, name: &str) -> Result<(), Failed>
where
    K: kube::Resource<DynamicType = ()> + serde::de::DeserializeOwned + Clone + std::fmt::Debug,
{
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => Err(Failed::Write(WriteFailed::new::<K>(
            "delete",
            Some(namespace),
            name,
            source,
        ))),
    }
}

async fn create<K>(api: &Api<K>, object: &K) -> Result<(), Failed>
where
    K: kube::Resource<DynamicType = ()>
        + serde::Serialize
        + serde::de::DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    let parameters = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    api.create(&parameters, object).await.map(drop).map_err(|source| {
        Failed::Write(WriteFailed::new::<K>(
            "create",
            object.meta().namespace.as_deref(),
            &object.name_any(),
            source,
        ))
    })
}
