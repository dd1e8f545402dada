//! Writes what differs: the namespace, the operator's own binding, people's bindings (revocations first), the labels.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::desired::Project;
use reeve_kube_kit::apply::{covers, plan};
use reeve_kube_kit::{ObjectName, WriteFailed};

use super::validate::Found;
use super::{Built, Dereferenced, ProjectError, Reconciler};
use crate::MANAGER;

/// How long the API server's authorizer may take to learn of a new binding.
const RIGHTS: Duration = Duration::from_secs(5);
const RIGHTS_POLL: Duration = Duration::from_millis(20);

impl Reconciler {
    pub(super) async fn apply(
        &self,
        project: &Project,
        found: Found,
        read: &Dereferenced,
        built: &Built,
    ) -> Result<(), ProjectError> {
        let (client, writes) = (&self.context.client, &self.context.writes);
        let namespaces = Api::<Namespace>::all(client.clone());
        if found == Found::Missing {
            writes.create(&namespaces, &built.namespace).await?;
            let name = ObjectName::cluster(&project.namespace);
            self.caches.namespaces.just_created(name);
            tracing::info!(project = %project.name, namespace = project.namespace, "namespace created");
        }
        let api = Api::<RoleBinding>::namespaced(client.clone(), &project.namespace);
        self.own_binding(&api, &read.bindings, &built.own).await?;
        // What cannot be written holds up nothing else.
        let mut failed = self.people(&api, project, read, &built.people).await;
        if let (Found::Ours, Some(actual)) = (found, &read.namespace)
            && !covers(&**actual, &built.namespace)
        {
            let written = writes.apply(&namespaces, &built.namespace).await;
            failed.extend(written.err().map(ProjectError::from));
        }
        ProjectError::of_all(failed)
    }

    /// The binding without which nothing else may be written here.
    pub(super) async fn own_binding(
        &self,
        api: &Api<RoleBinding>,
        bindings: &[Arc<RoleBinding>],
        own: &RoleBinding,
    ) -> Result<(), ProjectError> {
        let name = ObjectName::of(own);
        match named(bindings, &name.name) {
            Some(actual) if covers(actual, own) => Ok(()),
            Some(actual) => self.replace(api, actual, own).await,
            None if self.caches.bindings.was_just_created(&name) => Ok(()),
            None => {
                self.context.writes.create(api, own).await?;
                self.wait_for_rights(&name.namespace).await?;
                self.caches.bindings.just_created(name);
                Ok(())
            }
        }
    }

    /// The API server's authorizer learns of a new binding by a watch of its own: writing before it has is refused.
    async fn wait_for_rights(&self, namespace: &str) -> Result<(), ProjectError> {
        let reviews = Api::<SelfSubjectAccessReview>::all(self.context.client.clone());
        let question = may_patch_bindings(namespace);
        let asking = async {
            loop {
                let answer = self.context.writes.create(&reviews, &question).await;
                // A review has no name: what it asks about says more.
                let answer = answer.map_err(|failed| WriteFailed {
                    name: namespace.to_owned(),
                    ..failed
                })?;
                if answer.status.is_some_and(|status| status.allowed) {
                    return Ok(());
                }
                tokio::time::sleep(RIGHTS_POLL).await;
            }
        };
        tokio::time::timeout(RIGHTS, asking).await.unwrap_or_else(|_| {
            Err(ProjectError::NoRights {
                namespace: namespace.to_owned(),
            })
        })
    }

    /// Makes people's bindings exactly the desired ones. Answers what stood in the way of each that could not be written; the
    /// others are. Revocations come first: where one fails, nobody gets a right.
    async fn people(
        &self,
        api: &Api<RoleBinding>,
        project: &Project,
        read: &Dereferenced,
        desired: &[RoleBinding],
    ) -> Vec<ProjectError> {
        let plan = plan(&read.bindings, desired, is_peoples);
        let mut failed = Vec::new();
        for name in &plan.delete {
            let object = ObjectName::namespaced(&project.namespace, name);
            match self.context.writes.delete(api, &object, None).await {
                Ok(()) => tracing::info!(project = %project.name, binding = name, "RoleBinding removed"),
                Err(error) => failed.push(error.into()),
            }
        }
        let all_removed = failed.is_empty();
        for wanted in plan.apply {
            let actual = named(&read.bindings, &wanted.name_any());
            if !all_removed && !actual.is_some_and(|actual| only_narrows(actual, wanted)) {
                continue;
            }
            if let Err(error) = self.write(api, project, actual, wanted).await {
                failed.push(error);
            }
        }
        failed
    }

    /// Writes one of people's bindings.
    async fn write(
        &self,
        api: &Api<RoleBinding>,
        project: &Project,
        actual: Option<&RoleBinding>,
        wanted: &RoleBinding,
    ) -> Result<(), ProjectError> {
        let name = wanted.name_any();
        match actual {
            Some(actual) if !is_ours(actual) => {
                return Err(ProjectError::UnmarkedBinding {
                    namespace: project.namespace.clone(),
                    name,
                });
            }
            Some(actual) => self.replace(api, actual, wanted).await?,
            None => drop(self.context.writes.apply(api, wanted).await?),
        }
        tracing::info!(project = %project.name, binding = name, subjects = wanted.subjects.as_ref().map_or(0, Vec::len), "RoleBinding applied");
        Ok(())
    }

    /// A binding's role cannot be changed: one that differs in it is deleted first.
    async fn replace(
        &self,
        api: &Api<RoleBinding>,
        actual: &RoleBinding,
        wanted: &RoleBinding,
    ) -> Result<(), ProjectError> {
        if actual.role_ref != wanted.role_ref {
            let name = ObjectName::of(wanted);
            self.context.writes.delete(api, &name, None).await?;
        }
        self.context.writes.apply(api, wanted).await?;
        Ok(())
    }
}

fn may_patch_bindings(namespace: &str) -> SelfSubjectAccessReview {
    SelfSubjectAccessReview {
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
    }
}

fn named<'a>(bindings: &'a [Arc<RoleBinding>], name: &str) -> Option<&'a RoleBinding> {
    bindings
        .iter()
        .find(|binding| binding.name_any() == name)
        .map(|binding| &**binding)
}

/// Whether nobody gets a right by the wanted binding that the actual one does not give.
fn only_narrows(actual: &RoleBinding, wanted: &RoleBinding) -> bool {
    let before = actual.subjects.as_deref().unwrap_or_default();
    let after = wanted.subjects.as_deref().unwrap_or_default();
    actual.role_ref == wanted.role_ref && after.iter().all(|subject| before.contains(subject))
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
