//! What a deleted project leaves: its namespace and everything that runs in it stay, the rights of people end, and last
//! the operator's own. The labels stay too, and with them the policies: taking a namespace out of Reeve is the
//! installers' (admission R2).

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::PodIdentities;
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::{ObjectName, ReconcileError, Retry};
use reeve_tenancy::{MANAGED_OPERATOR, OPERATOR_BINDING, Switch, own_binding_name};
use reeve_types::ErrorChain;

use super::apply::is_peoples;
use super::{ProjectError, Reconciler};
use crate::settings;

/// The names of the bindings to remove from a namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Those of people.
    pub people: Vec<String>,
    /// The operator's own, the one with which it removes them last.
    pub own: Vec<String>,
}

/// What is to be removed from a namespace that is no project's any more. Pure.
pub fn leftovers<'a>(bindings: impl IntoIterator<Item = &'a RoleBinding>) -> Leftovers {
    let mut left = Leftovers::default();
    for binding in bindings {
        if is_peoples(binding) {
            left.people.push(binding.name_any());
        } else if is_own(binding) {
            left.own.push(binding.name_any());
        }
    }
    let last = writing_binding();
    left.own.sort_by_key(|name| *name == last);
    left
}

/// The name of the binding by which the operator writes bindings.
pub(super) fn writing_binding() -> String {
    own_binding_name(Some(Switch::UserAssignment))
}

/// Whether a binding is one of the operator's own, made by itself.
pub(in crate::controllers) fn is_own(binding: &RoleBinding) -> bool {
    binding.name_any().starts_with(OPERATOR_BINDING)
        && binding
            .labels()
            .get(names::MANAGED)
            .is_some_and(|value| value == MANAGED_OPERATOR)
}

impl Reconciler {
    pub(super) async fn clean_up(&self, namespace: &str) -> Result<(), ProjectError> {
        let _held = self.namespaces.give_up(namespace).await;
        if !self.projects.claims(namespace).is_empty() {
            // A project again meanwhile, which wakes the next pass.
            return Ok(());
        }
        let bindings = self.caches.bindings.in_namespace(namespace);
        let left = leftovers(bindings.iter().map(|binding| &**binding));
        let object = self.caches.namespaces.get(&ObjectName::cluster(namespace));
        let Some(object) = object
            .filter(|object| left != Leftovers::default() && object.metadata.deletion_timestamp.is_none())
        else {
            return Ok(());
        };
        let api = Api::<RoleBinding>::namespaced(self.context.client.clone(), namespace);
        let switches = self.caches.switches();
        if !switches.is_on(Switch::UserAssignment) {
            // What an installer bound by hand is the installer's to end.
            return ProjectError::of_all(self.give_up_bindings(&api, namespace, &bindings).await);
        }
        let own = ObjectName::namespaced(namespace, writing_binding());
        if self.caches.bindings.was_just_deleted(&own) {
            // All is gone already; the watch has not shown it yet, and without the binding asking again would be refused.
            return Ok(());
        }
        // An earlier process may have ended with this one binding left: then everything else is done.
        let last = left.people.is_empty() && left.own == [writing_binding()];
        let mut ending = left.own;
        if !last {
            let needed = reeve_tenancy::operator_bindings(namespace, switches);
            self.own_bindings(&api, &bindings, &needed).await?;
            self.withdraw(&api, &object, &left.people).await?;
            // Also those that were missing until now: otherwise they would be what is left over for the next pass.
            ending.extend(needed.iter().map(ResourceExt::name_any));
            ending.sort_by_key(|name| (*name == writing_binding(), name.clone()));
            ending.dedup();
        }
        for name in &ending {
            let name = ObjectName::namespaced(namespace, name.as_str());
            self.context.writes.delete(&api, &name, None).await?;
        }
        self.caches.bindings.just_deleted(own);
        tracing::info!(
            namespace,
            bindings = left.people.len(),
            "project gone: bindings removed"
        );
        Ok(())
    }

    /// Ends people's rights, takes back copies of Secrets, and says so.
    async fn withdraw(
        &self,
        api: &Api<RoleBinding>,
        namespace: &Namespace,
        people: &[String],
    ) -> Result<(), ProjectError> {
        self.end_rights(api, &namespace.name_any(), people).await?;
        self.withdraw_secrets(namespace).await?;
        let note = "the project is gone: the rights of its people ended here; the namespace and what runs in it stay";
        let note = EventNote {
            warning: false,
            reason: "ProjectRemoved",
            note,
        };
        self.context
            .events
            .publish(namespace, "RemoveProject", &note)
            .await;
        Ok(())
    }

    /// Removes people's bindings, and the list without which nobody steps into what still runs there.
    async fn end_rights(
        &self,
        api: &Api<RoleBinding>,
        namespace: &str,
        people: &[String],
    ) -> Result<(), ProjectError> {
        for name in people {
            let name = ObjectName::namespaced(namespace, name.as_str());
            self.deletions.ours(&name);
            self.context.writes.delete(api, &name, None).await?;
        }
        // Whether the cache has it or not: nobody else would remove one that the cache shows later.
        let list = ObjectName::namespaced(namespace, names::POD_IDENTITIES);
        let lists = Api::<PodIdentities>::namespaced(self.context.client.clone(), namespace);
        self.context.writes.delete(&lists, &list, None).await?;
        Ok(())
    }

    /// Removes the copies of Secrets, which are for people of a project. Where the rights for that are gone with their switch, the
    /// operator's own end all the same, and an event says what remains.
    async fn withdraw_secrets(&self, namespace: &Namespace) -> Result<(), ProjectError> {
        if !settings::propagates_secrets(&self.caches.settings()) {
            return Ok(());
        }
        match self.copies.withdraw(&namespace.name_any()).await {
            Ok(()) => Ok(()),
            Err(failed) if !matches!(failed.retry(), Retry::Backoff) => {
                let message = ErrorChain(&failed).to_string();
                let note = EventNote {
                    warning: true,
                    reason: failed.reason(),
                    note: &message,
                };
                self.context
                    .events
                    .publish(namespace, "WithdrawSecrets", &note)
                    .await;
                Ok(())
            }
            Err(failed) => Err(failed.into()),
        }
    }
}
