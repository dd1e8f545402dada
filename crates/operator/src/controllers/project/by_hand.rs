//! What a switch that is off leaves to the installers: the namespace, and every RoleBinding.
//!
//! While user assignment is off the operator writes no binding. It keeps none of those it made for people either: nobody would
//! take a right out of them again when an access rule ends. They are removed at once, with the right to do so last. What binds the
//! operator itself to what it always holds stays, as the rest of it goes on.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{RoleBinding, Subject};
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::desired::Project;
use reeve_kube_kit::ObjectName;
use reeve_tenancy::{OPERATOR_BINDING, Switch, Switches, own_binding_name};

use super::apply::{is_peoples, with_bindings};
use super::cleanup::{is_own, writing_binding};
use super::{Dereferenced, ProjectError, Reconciler};
use crate::caches::Caches;
use crate::secret_reports::SWITCHED_OFF;

/// The roles that the operator needs in a namespace with these switches and is not bound to there, by whatever binding. Pure.
pub fn missing_roles<'a>(
    namespace: &str,
    switches: Switches,
    bindings: impl IntoIterator<Item = &'a RoleBinding>,
) -> Vec<String> {
    let bound: Vec<&str> = bindings
        .into_iter()
        .filter(|binding| binds_operator(binding))
        .map(|binding| binding.role_ref.name.as_str())
        .collect();
    reeve_tenancy::operator_bindings(namespace, switches)
        .into_iter()
        .map(|binding| binding.role_ref.name)
        .filter(|role| !bound.contains(&role.as_str()))
        .collect()
}

fn binds_operator(binding: &RoleBinding) -> bool {
    let is_operator = |subject: &Subject| {
        subject.kind == "ServiceAccount"
            && subject.name == names::OPERATOR_SERVICE_ACCOUNT
            && subject.namespace.as_deref() == Some(names::SYSTEM_NAMESPACE)
    };
    binding.role_ref.kind == "ClusterRole" && binding.subjects.iter().flatten().any(is_operator)
}

/// Whether the operator may write in a project's namespace: somebody bound it there to what it always holds.
pub fn is_bound(caches: &Caches, namespace: &str) -> bool {
    let own = ObjectName::namespaced(namespace, OPERATOR_BINDING);
    let gives = |binding: &Arc<RoleBinding>| {
        binding.role_ref.name == names::ROLE_OPERATOR_IN_PROJECT && binds_operator(binding)
    };
    caches.bindings.was_just_created(&own) || caches.bindings.in_namespace(namespace).iter().any(gives)
}

/// Namespaces that are labelled as a project's which has another: the label says something that does not hold. Of those that an
/// earlier project of the name left nothing is said. Pure.
pub fn labelled_elsewhere<'a>(
    project: &Project,
    namespaces: impl IntoIterator<Item = &'a Namespace>,
) -> Vec<String> {
    let id = project.id.to_string();
    let says = |namespace: &&Namespace| {
        let labels = namespace.labels();
        let names_it = |key| labels.get(key).is_some_and(|it| it == project.name.as_str());
        let of_another = labels.get(names::PROJECT_ID).is_some_and(|it| *it != id);
        namespace.name_any() != project.namespace
            && !of_another
            && match labels.contains_key(names::PROJECT) {
                true => names_it(names::PROJECT),
                false => names_it(names::QUEUE),
            }
    };
    let mut found: Vec<String> = namespaces
        .into_iter()
        .filter(says)
        .map(ResourceExt::name_any)
        .collect();
    found.sort();
    found
}

/// The operator's own bindings, made by itself, that are not wanted any more, each with the switch that is off. Pure.
pub fn idle<'a>(
    bindings: impl IntoIterator<Item = &'a RoleBinding>,
    wanted: &[RoleBinding],
) -> Vec<(Switch, String)> {
    let is_wanted = |name: &String| wanted.iter().any(|binding| binding.name_any() == *name);
    let mut found: Vec<(Switch, String)> = bindings
        .into_iter()
        .filter(|binding| is_own(binding))
        .map(ResourceExt::name_any)
        .filter(|name| !is_wanted(name))
        .filter_map(|name| {
            let of = [Switch::SecretPropagation, Switch::LimitRange]
                .into_iter()
                .find(|switch| own_binding_name(Some(*switch)) == name)?;
            Some((of, name))
        })
        .collect();
    found.sort_by(|one, other| one.1.cmp(&other.1));
    found
}

impl Reconciler {
    /// Gives up the operator's rights of switches that are off, once what it made by them is gone.
    pub(super) async fn idle_bindings(
        &self,
        api: &Api<RoleBinding>,
        project: &Project,
        read: &Dereferenced,
        wanted: &[RoleBinding],
    ) -> Result<(), ProjectError> {
        let bindings = read.bindings.iter().map(|binding| &**binding);
        for (switch, name) in idle(bindings, wanted) {
            if !self.has_tidied_up(switch, project) {
                continue;
            }
            let name = ObjectName::namespaced(project.namespace.as_str(), name);
            self.deletions.ours(&name);
            self.context.writes.delete(api, &name, None).await?;
            tracing::info!(project = %project.name, binding = name.name, %switch, "a switch is off: the operator's RoleBinding for it removed");
        }
        Ok(())
    }

    /// Whether nothing is left in a project of what the operator made by a switch that is off.
    fn has_tidied_up(&self, switch: Switch, project: &Project) -> bool {
        match switch {
            Switch::SecretPropagation => self
                .secret_reports
                .of(&project.namespace, project.id)
                .is_some_and(|report| report.reason == SWITCHED_OFF),
            Switch::LimitRange => self.caches.limit_ranges.are_gone(&project.namespace),
            Switch::NamespaceCreation | Switch::UserAssignment => false,
        }
    }

    /// A pass over the bindings of a project while user assignment is off. Answers what is in the way; whatever else the pass
    /// writes needs the operator bound, so that nothing goes on without.
    pub(super) async fn bindings_by_hand(
        &self,
        api: &Api<RoleBinding>,
        project: &Project,
        read: &Dereferenced,
    ) -> Result<Vec<ProjectError>, ProjectError> {
        let namespace = &project.namespace;
        let bindings = || read.bindings.iter().map(|binding| &**binding);
        let roles = missing_roles(namespace, read.settings.switches(), bindings());
        let failed = self.give_up_bindings(api, namespace, &read.bindings).await;
        if roles.is_empty() {
            return Ok(failed);
        }
        Err(ProjectError::NotBound {
            namespace: namespace.clone(),
            roles,
        })
    }

    /// Removes the bindings that the operator made for people, and last the one by which it did.
    pub(super) async fn give_up_bindings(
        &self,
        api: &Api<RoleBinding>,
        namespace: &str,
        bindings: &[Arc<RoleBinding>],
    ) -> Vec<ProjectError> {
        let last = writing_binding();
        let own = ObjectName::namespaced(namespace, last.as_str());
        let is_writing = |binding: &RoleBinding| is_own(binding) && binding.name_any() == last;
        let mut left: Vec<String> = bindings
            .iter()
            .filter(|binding| is_peoples(binding) || is_writing(binding))
            .map(|binding| binding.name_any())
            .collect();
        if left.is_empty() || self.caches.bindings.was_just_deleted(&own) {
            return Vec::new();
        }
        left.sort_by_key(|name| *name == last);
        // Asked before, so that the operator is refused nothing where the chart took the right away first.
        match with_bindings("delete", namespace).is_given(&self.context).await {
            Err(error) => return vec![error.into()],
            Ok(false) => {
                return vec![ProjectError::BindingsLeft {
                    namespace: namespace.to_owned(),
                    names: left,
                }];
            }
            Ok(true) => {}
        }
        for name in &left {
            let name = ObjectName::namespaced(namespace, name.as_str());
            if let Err(error) = self.context.writes.delete(api, &name, None).await {
                return vec![error.into()];
            }
        }
        self.caches.bindings.just_deleted(own);
        tracing::info!(
            namespace,
            bindings = left.len(),
            "user assignment is off: RoleBindings removed"
        );
        Vec::new()
    }
}
