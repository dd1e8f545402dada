//! What a deleted project leaves: its namespace and everything that runs in it stay, the rights of people end, and last
//! the operator's own. The labels stay too, and with them the policies: taking a namespace out of Reeve is the
//! installers' (admission R2).

use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::PodIdentities;
use reeve_kube_kit::ObjectName;
use reeve_kube_kit::events::EventNote;
use reeve_tenancy::{MANAGED_OPERATOR, OPERATOR_BINDING};

use super::apply::is_peoples;
use super::{ProjectError, Reconciler};

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

impl Reconciler {
    pub(super) async fn clean_up(&self, namespace: &str) -> Result<(), ProjectError> {
        let bindings = self.caches.bindings.in_namespace(namespace);
        let left = leftovers(bindings.iter().map(|binding| &**binding));
        let object = self.caches.namespaces.get(&ObjectName::cluster(namespace));
        let Some(object) =
            object.filter(|object| !left.is_empty() && object.metadata.deletion_timestamp.is_none())
        else {
            return Ok(());
        };
        let own = ObjectName::namespaced(namespace, OPERATOR_BINDING);
        if self.caches.bindings.was_just_deleted(&own) {
            // All is gone already; the watch has not shown it yet, and without the binding asking again would be refused.
            return Ok(());
        }
        let api = Api::<RoleBinding>::namespaced(self.context.client.clone(), namespace);
        self.own_binding(&api, &bindings, &reeve_tenancy::operator_binding(namespace))
            .await?;
        self.end_rights(&api, namespace, &left).await?;
        let note = "the project is gone: the rights of its people ended here; the namespace and what runs in it stay";
        let note = EventNote {
            warning: false,
            reason: "ProjectRemoved",
            note,
        };
        self.context
            .events
            .publish(&*object, "RemoveProject", &note)
            .await;
        self.context.writes.delete(&api, &own, None).await?;
        self.caches.bindings.just_deleted(own);
        tracing::info!(namespace, bindings = left.len(), "project gone: bindings removed");
        Ok(())
    }

    /// Removes people's bindings, and the list without which nobody steps into what still runs there.
    async fn end_rights(
        &self,
        api: &Api<RoleBinding>,
        namespace: &str,
        left: &[String],
    ) -> Result<(), ProjectError> {
        for name in left.iter().filter(|name| *name != OPERATOR_BINDING) {
            let name = ObjectName::namespaced(namespace, name);
            self.context.writes.delete(api, &name, None).await?;
        }
        let list = ObjectName::namespaced(namespace, names::POD_IDENTITIES);
        if self.caches.identities.get(&list).is_some() {
            let lists = Api::<PodIdentities>::namespaced(self.context.client.clone(), namespace);
            self.context.writes.delete(&lists, &list, None).await?;
        }
        Ok(())
    }
}
