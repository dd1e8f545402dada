//! Writes what differs: the namespace, the operator's own binding, people's bindings (revocations first), the labels.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::desired::Project;
use reeve_kube_kit::apply::{covers, plan};
use reeve_kube_kit::{ObjectName, WriteFailed};
use reeve_tenancy::Switch;

use super::drift;
use super::validate::Found;
use super::{Built, Dereferenced, ProjectError, Reconciler};
use crate::rights::Right;
use crate::{MANAGER, authors};

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
            let made = writes.create(&namespaces, &built.namespace).await;
            made.map_err(|failed| ProjectError::of_switch(Switch::NamespaceCreation, failed))?;
            let name = ObjectName::cluster(&project.namespace);
            self.caches.namespaces.just_created(name);
            tracing::info!(project = %project.name, namespace = project.namespace, "namespace created");
        }
        let api = Api::<RoleBinding>::namespaced(client.clone(), &project.namespace);
        // What cannot be written holds up nothing else.
        let mut failed = if read.is_on(Switch::UserAssignment) {
            self.own_bindings(&api, &read.bindings, &built.own).await?;
            let mut failed = self.people(&api, project, read, &built.people).await;
            failed.extend(self.idle_bindings(&api, project, read, &built.own).await.err());
            failed
        } else {
            self.bindings_by_hand(&api, project, read).await?
        };
        if let (Found::Ours, Some(actual)) = (found, &read.namespace) {
            failed.extend(
                self.namespace(project, &namespaces, actual, &built.namespace)
                    .await
                    .err(),
            );
        }
        ProjectError::of_all(failed)
    }

    /// Has the namespace say what is decided, and then no more of what was: each by a pass of its own, since what is taken away is
    /// told by the namespace as the cache has it.
    async fn namespace(
        &self,
        project: &Project,
        namespaces: &Api<Namespace>,
        actual: &Namespace,
        wanted: &Namespace,
    ) -> Result<(), ProjectError> {
        if covers(actual, wanted) {
            return self
                .take_away(namespaces, actual, &drift::undecided(actual, wanted))
                .await;
        }
        let drift = authors::told(actual, wanted);
        self.context.writes.apply(namespaces, wanted).await?;
        if let Some(what) = drift {
            let about = format!("the namespace `{}`", project.namespace);
            self.tell_of_drift(project.name.as_str(), &about, &what).await;
        }
        Ok(())
    }

    /// Takes away annotations of the namespace that were decided on the control plane once, where it still is as the cache has it:
    /// what an installer wrote there meanwhile is the installer's. Where it is not, the change that the cache will show wakes the
    /// next pass.
    async fn take_away(
        &self,
        namespaces: &Api<Namespace>,
        actual: &Namespace,
        annotations: &[&str],
    ) -> Result<(), ProjectError> {
        if annotations.is_empty() {
            return Ok(());
        }
        let nothing: serde_json::Map<_, _> = annotations
            .iter()
            .map(|key| ((*key).to_owned(), serde_json::Value::Null))
            .collect();
        let patch = serde_json::json!({"metadata": {
            "annotations": nothing, "resourceVersion": actual.metadata.resource_version, "uid": actual.metadata.uid}});
        let by = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let name = ObjectName::of(actual);
        let taken = namespaces
            .patch_metadata(&name.name, &by, &Patch::Merge(patch))
            .await
            .map_err(|source| WriteFailed::new::<Namespace>("change", &name, source));
        match taken {
            Err(failed) if failed.source.status() == Some(409) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    /// The bindings without which nothing else may be written here.
    pub(super) async fn own_bindings(
        &self,
        api: &Api<RoleBinding>,
        bindings: &[Arc<RoleBinding>],
        own: &[RoleBinding],
    ) -> Result<(), ProjectError> {
        let (mut made, mut differ) = (Vec::new(), Vec::new());
        for own in own {
            let name = ObjectName::of(own);
            match named(bindings, &name.name) {
                Some(actual) if covers(actual, own) => {}
                Some(actual) => differ.push((actual, own)),
                None if self.caches.bindings.was_just_created(&name) => {}
                None => {
                    let written = self.context.writes.create(api, own).await;
                    written.map_err(|failed| ProjectError::of_switch(Switch::UserAssignment, failed))?;
                    made.push(name);
                }
            }
        }
        if let Some(ObjectName { namespace, .. }) = made.last()
            && !with_bindings("patch", namespace).comes(&self.context).await?
        {
            return Err(ProjectError::NoRights {
                namespace: namespace.clone(),
            });
        }
        for name in made {
            self.caches.bindings.just_created(name);
        }
        // Also one that an installer made by hand while user assignment was off.
        for (actual, own) in differ {
            self.replace(api, actual, own).await?;
        }
        Ok(())
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
            self.deletions.ours(&object);
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
        let object = ObjectName::of(wanted);
        let drift = match actual {
            Some(actual) => authors::told(actual, wanted),
            None if self.deletions.by_others(&object) => Some("it was deleted".to_owned()),
            None => None,
        };
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
        if let Some(what) = drift {
            let about = format!("the RoleBinding `{object}`");
            self.tell_of_drift(project.name.as_str(), &about, &what).await;
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
            self.deletions.ours(&name);
            self.context.writes.delete(api, &name, None).await?;
        }
        self.context.writes.apply(api, wanted).await?;
        Ok(())
    }
}

/// Doing this with RoleBindings there.
pub(super) const fn with_bindings<'a>(verb: &'a str, namespace: &'a str) -> Right<'a> {
    Right {
        verb,
        group: "rbac.authorization.k8s.io",
        resource: "rolebindings",
        namespace,
        name: None,
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
