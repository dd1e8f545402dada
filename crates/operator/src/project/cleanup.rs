//! What a deleted project leaves: its namespace and everything that runs in it stay, the rights of people end, and last
//! the operator's own. The labels stay too, and with them the policies: taking a namespace out of Reeve is the
//! installers' (admission R2).

use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::{PodIdentities, ReeveConfigSpec};
use reeve_kube_kit::Name;
use reeve_kube_kit::events::Says;
use reeve_tenancy::{MANAGED_OPERATOR, OPERATOR_BINDING};

use super::apply::{delete, is_peoples, own_binding};
use super::{Failed, View};
use crate::world::World;

/// The names of the bindings to remove from a namespace that is no project's any more, the operator's own last; `None`
/// when there is nothing to do. Pure.
pub fn leftovers<'a>(bindings: impl IntoIterator<Item = &'a RoleBinding>) -> Vec<String> {
    let (mut people, mut own) = (Vec::new(), Vec::new());
    for binding in bindings {
        if is_peoples(binding) {
            people.push(binding.name_any());
        } else if binding.name_any() == OPERATOR_BINDING
            && binding
                .labels()
                .get(names::MANAGED)
                .is_some_and(|value| value == MANAGED_OPERATOR)
        {
            own.push(binding.name_any());
        }
    }
    people.extend(own);
    people
}

pub(super) async fn reconcile(world: &World, namespace: &str) -> Result<(), Failed> {
    let bindings = world.mirrors.bindings.in_namespace(namespace);
    let left = leftovers(bindings.iter().map(|binding| &**binding));
    let object = world.mirrors.namespaces.get(&Name::cluster(namespace));
    let Some(object) =
        object.filter(|object| !left.is_empty() && object.metadata.deletion_timestamp.is_none())
    else {
        return Ok(());
    };
    let own = Name::namespaced(namespace, OPERATOR_BINDING);
    if world.was_just_removed(&own) {
        // All is gone already; the watch has not shown it yet, and without the binding asking again would be refused.
        return Ok(());
    }
    let api = Api::<RoleBinding>::namespaced(world.client.clone(), namespace);
    let view = View {
        namespace: Some(object.clone()),
        bindings,
        rules: Vec::new(),
        version: 0,
        settings: ReeveConfigSpec::default(),
    };
    own_binding(world, &api, &view, &reeve_tenancy::operator_binding(namespace)).await?;
    for name in left.iter().filter(|name| *name != OPERATOR_BINDING) {
        delete(&api, namespace, name).await?;
    }
    // Without the list nobody steps into what still runs there.
    let list = Name::namespaced(namespace, names::POD_IDENTITIES);
    if world.mirrors.identities.get(&list).is_some() {
        let lists = Api::<PodIdentities>::namespaced(world.client.clone(), namespace);
        delete(&lists, namespace, &list.name).await?;
    }
    let note =
        "the project is gone: the rights of its people ended here; the namespace and what runs in it stay";
    world
        .events
        .publish(
            &*object,
            "RemoveProject",
            &Says {
                warning: false,
                reason: "ProjectRemoved",
                note,
            },
        )
        .await;
    delete(&api, namespace, OPERATOR_BINDING).await?;
    world.just_removed(own);
    tracing::info!(namespace, bindings = left.len(), "project gone: bindings removed");
    Ok(())
}
