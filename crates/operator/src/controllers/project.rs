//! Project → namespace, labels, RoleBindings. Keyed by namespace, because what a deleted project leaves is found there.
//!
//! A pass: `dereference` what is there → `validate` whether the project may
//! have the namespace → [`build`] what it is to be → `apply` what differs → `status` of what was applied.

mod apply;
pub mod by_hand;
pub mod cleanup;
pub mod drift;
mod error;
pub(super) mod status;
pub mod survey;
pub mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::{ReeveConfigSpec, desired};
use reeve_kube_kit::{Change, Context, Controller, ObjectName, Queue, WriteFailed};
use reeve_link::{ObjectKey, StatusPhase};
use reeve_tenancy::Switch;
use reeve_types::{ErrorChain, ReservedNamespaces};

pub use error::ProjectError;
use survey::Survey;
use validate::{Found, may_be_made, validate};

use drift::Deletions;

use crate::caches::Caches;
use crate::cluster::ClusterState;
use crate::limit_ranges::is_ours;
use crate::namespace_locks::NamespaceLocks;
use crate::project_index::{NamespaceClaim, Outcome};
use crate::projects::Projects;
use crate::secret_copies::SecretCopies;
use crate::secret_reports::SecretReports;
use crate::settings;
use crate::shared::Shared;
use crate::slim;
use crate::status_outbox::StatusOutbox;

/// How many namespaces are worked on at once.
const PARALLEL: usize = 16;
/// How long until what could make no new pod is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The controller of projects, by namespace.
pub fn controller(shared: &Shared) -> Controller<String> {
    let (queue, keys) = Queue::new();
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        namespaces: shared.namespaces.clone(),
        outbox: shared.outbox.clone(),
        reserved: shared.reserved.clone(),
        copies: SecretCopies::new(shared.context.clone(), shared.secret_sources.accounts.clone()),
        secret_reports: shared.secret_reports.clone(),
        queue: queue.clone(),
        cluster: shared.cluster.clone(),
        deletions: Arc::default(),
    });
    let deletions = reconciler.deletions.clone();
    let controller = Controller::new("project", (queue, keys), PARALLEL, move |namespace| {
        reconciler.clone().reconcile(namespace)
    });
    woken(controller, shared, deletions)
}

/// What wakes it: projects, rules, namespaces, bindings and the settings.
fn woken(controller: Controller<String>, shared: &Shared, deletions: Arc<Deletions>) -> Controller<String> {
    let context = shared.context.clone();
    let projects = || shared.projects.clone();
    let (of_namespaces, of_bindings, of_settings) = (projects(), projects(), projects());
    let of_cluster_configs = projects();
    let (of_policies, caches) = (projects(), shared.caches.clone());
    let (of_limits, limits) = (projects(), shared.caches.clone());
    controller
        .hears(&shared.projects.touched, |queue, namespace| {
            queue.add(namespace.clone());
        })
        .hears(&shared.secret_reports.changed, |queue, namespace| {
            queue.add(namespace.clone());
        })
        .watches(&shared.caches.projects, move |_, change| {
            let gone = change.deleted();
            gone.into_iter().for_each(|it| context.events.forget(&**it));
        })
        .watches(&shared.caches.namespaces, move |queue, change| {
            let concerned = change.name().filter(|_| of_namespaces.concerns(change));
            concerned.into_iter().for_each(|it| queue.add(it.name));
            let named = of_namespaces.named_by(change);
            named.into_iter().for_each(|namespace| queue.add(namespace));
        })
        .watches(&shared.caches.bindings, move |queue, change| {
            let concerned = binding_changed(&of_bindings, change);
            if let (Some(_), Some(name)) = (change.deleted(), &concerned) {
                deletions.seen(name);
            }
            concerned.into_iter().for_each(|it| queue.add(it.namespace));
        })
        .watches(&shared.caches.configs, move |queue, change| {
            if settings::have_changed(change) {
                of_settings.enqueue_all(queue);
            }
        })
        .hears(&shared.caches.limit_ranges.changed, |queue, namespace| {
            queue.add(namespace.clone());
        })
        .hears(&shared.caches.cluster_configs.changed, move |queue, ()| {
            of_cluster_configs.enqueue_all(queue);
        })
        // Where the last of ours went, the right to write it goes too.
        .watches(&shared.caches.limit_ranges.objects.cache, |queue, change| {
            let gone = change.deleted().filter(|it| is_ours(it));
            gone.and_then(|it| it.namespace()).into_iter().for_each(|it| queue.add(it));
        })
        .hears(&shared.caches.limit_ranges.objects.changed, move |queue, ()| {
            if !limits.switches().is_on(Switch::LimitRange) {
                of_limits.enqueue_all(queue);
            }
        })
        // On OpenShift what pods may use goes with the policies.
        .hears(&shared.cluster.changed, move |queue, ()| {
            if caches.settings().open_shift.security_context_constraints {
                of_policies.enqueue_all(queue);
            }
        })
}

/// The binding, when it is ours or lies where a project is.
fn binding_changed(projects: &Projects, change: &Change<RoleBinding>) -> Option<ObjectName> {
    let name = change.name()?;
    let is_ours = change.either(|binding| binding.labels().contains_key(names::MANAGED));
    (is_ours || projects.index().is_claimed(&name.namespace)).then_some(name)
}

struct Reconciler {
    context: Arc<Context>,
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    namespaces: Arc<NamespaceLocks>,
    outbox: Arc<StatusOutbox>,
    reserved: ReservedNamespaces,
    copies: SecretCopies,
    secret_reports: Arc<SecretReports>,
    queue: Queue<String>,
    cluster: Arc<ClusterState>,
    deletions: Arc<Deletions>,
}

/// Everything a pass reads.
#[derive(Debug)]
pub struct Dereferenced {
    /// The namespace, when it is there.
    pub namespace: Option<Arc<Namespace>>,
    /// The RoleBindings in it.
    pub bindings: Vec<Arc<RoleBinding>>,
    /// The rules that reach the project.
    pub rules: Vec<desired::AccessRule>,
    /// Of which version they are.
    pub version: u64,
    /// The cluster's settings.
    pub settings: ReeveConfigSpec,
    /// Whether the admission policies are as installed.
    pub policies_intact: bool,
}

impl Dereferenced {
    /// Whether a switch is on.
    pub fn is_on(&self, switch: Switch) -> bool {
        self.settings.switches().is_on(switch)
    }
}

/// Everything a pass wants to be there.
#[derive(Debug, PartialEq)]
pub struct Built {
    /// The namespace with our labels.
    pub namespace: Namespace,
    /// The operator's own bindings, the one with which it writes others last.
    pub own: Vec<RoleBinding>,
    /// People's bindings; on OpenShift also that of their pods to what they run under.
    pub people: Vec<RoleBinding>,
}

/// Builds; cannot fail.
pub fn build(project: &desired::Project, read: &Dereferenced) -> Built {
    let is_assigned = read.is_on(Switch::UserAssignment);
    let mut people = if is_assigned {
        reeve_tenancy::bindings(project, &read.rules)
    } else {
        Vec::new()
    };
    // Without the policies any uid could be had.
    if is_assigned && read.settings.open_shift.security_context_constraints && read.policies_intact {
        people.push(reeve_tenancy::constraints_binding(&project.namespace));
    }
    Built {
        namespace: reeve_tenancy::namespace(project, &read.settings, read.namespace.as_deref()),
        own: reeve_tenancy::operator_bindings(&project.namespace, read.settings.switches()),
        people,
    }
}

/// Whether what was read of a namespace keeps the project from being ready. Pure.
fn is_in_doubt(project: &desired::Project, read: &Dereferenced, just_made: bool) -> bool {
    match validate(project, read.namespace.as_deref(), just_made) {
        Ok(Found::Missing) => !read.is_on(Switch::NamespaceCreation),
        Ok(_) => false,
        Err(_) => true,
    }
}

/// Whether a project's namespace is still to get the settings: it is to be made, or it is the project's and its labels say
/// something else. One that the project may not have does not count: its settings are not ours to write. Pure.
pub fn lags(project: &desired::Project, namespace: Option<&Namespace>, settings: &ReeveConfigSpec) -> bool {
    let Some(object) = namespace else { return true };
    let lacks = |has: &BTreeMap<String, String>, wanted: BTreeMap<String, String>| {
        wanted.iter().any(|(key, value)| has.get(key) != Some(value))
    };
    validate(project, Some(object), false).is_ok()
        && (lacks(
            object.labels(),
            reeve_tenancy::namespace_labels(project, settings, object.annotations()),
        ) || lacks(
            object.annotations(),
            reeve_tenancy::namespace_annotations(project, settings),
        ))
}

impl Reconciler {
    /// One pass over a namespace. What is in the way is in the project's status too.
    async fn reconcile(self: Arc<Self>, namespace: String) -> Result<(), ProjectError> {
        let claims = self.projects.claims(&namespace);
        let Some((first, rest)) = claims.split_first() else {
            return self.clean_up(&namespace).await;
        };
        for loser in rest {
            let contested = ProjectError::Contested {
                namespace: namespace.clone(),
                owner: first.name.clone(),
            };
            self.finish(loser, 0, Err(contested), None).await.ok();
        }
        match &first.checked {
            Err(invalid) => {
                let invalid = Err(ProjectError::Invalid(invalid.clone()));
                self.finish(first, 0, invalid, None).await
            }
            Ok(project) => {
                let mut read = self.dereference(project);
                let outcome = self.confirmed_pass(project, &mut read).await;
                let waits = matches!(outcome, Err(ProjectError::NotAdopted { .. }));
                let survey = if waits {
                    self.look_before_adoption(project, &read).await
                } else {
                    None
                };
                self.finish(first, read.version, outcome, survey).await
            }
        }
    }

    fn dereference(&self, project: &desired::Project) -> Dereferenced {
        let (version, rules) = self.projects.index().rules_of(project);
        let namespace = ObjectName::cluster(&project.namespace);
        Dereferenced {
            namespace: self.caches.namespaces.get(&namespace),
            bindings: self.caches.bindings.in_namespace(&project.namespace),
            rules,
            version,
            settings: self.caches.settings_in(&project.namespace),
            policies_intact: self.cluster.are_policies_intact(),
        }
    }

    /// A pass; what the cache has against it is looked at once more at the API server before. The cache may be behind, and
    /// nobody is told a reason that does not hold.
    async fn confirmed_pass(
        &self,
        project: &desired::Project,
        read: &mut Dereferenced,
    ) -> Result<Option<Survey>, ProjectError> {
        let name = ObjectName::cluster(&project.namespace);
        let made = self.caches.namespaces.was_just_created(&name);
        if is_in_doubt(project, read, made) {
            read.namespace = self.live_namespace(&name).await?;
        }
        let outcome = self.pass(project, read).await;
        if !outcome.as_ref().is_err_and(ProjectError::is_namespace_there) {
            return outcome;
        }
        // Somebody else made it, and the cache does not show it yet.
        read.namespace = self.live_namespace(&name).await?;
        self.pass(project, read).await
    }

    /// The namespace as it is now. Listed, since the operator has no right to `get` one.
    async fn live_namespace(&self, name: &ObjectName) -> Result<Option<Arc<Namespace>>, ProjectError> {
        let only = ListParams::default().fields(&format!("metadata.name={}", name.name));
        let listed = Api::<Namespace>::all(self.context.client.clone())
            .list(&only)
            .await
            .map_err(|source| WriteFailed::new::<Namespace>("list", name, source))?;
        Ok(listed.items.into_iter().next().map(|mut found| {
            slim::all_managers(&mut found);
            Arc::new(found)
        }))
    }

    async fn pass(
        &self,
        project: &desired::Project,
        read: &Dereferenced,
    ) -> Result<Option<Survey>, ProjectError> {
        let name = ObjectName::cluster(&project.namespace);
        let made = self.caches.namespaces.was_just_created(&name);
        let found = validate(project, read.namespace.as_deref(), made)?;
        if found == Found::Missing {
            if !read.is_on(Switch::NamespaceCreation) {
                return Err(ProjectError::NamespaceByHand {
                    namespace: project.namespace.clone(),
                    project: project.name.to_string(),
                });
            }
            may_be_made(project, &self.reserved)?;
            self.outbox
                .set_first(ObjectKey::Project(project.id), StatusPhase::Creating);
        }
        self.apply(project, found, read, &build(project, read)).await?;
        self.look(project, found, read).await
    }

    /// Looks at what the namespace holds, where that is called for. Nothing is in one that was just made.
    async fn look(
        &self,
        project: &desired::Project,
        found: Found,
        read: &Dereferenced,
    ) -> Result<Option<Survey>, ProjectError> {
        let namespace = match (found, &read.namespace) {
            (Found::Ours, Some(namespace)) => namespace,
            (Found::Ours, None) => return Ok(None),
            _ => {
                let made = reeve_tenancy::namespace(project, &read.settings, None);
                return Ok(Some(Survey::of_nothing(&made)));
            }
        };
        // Not before its labels are the settings: those are what is judged by.
        if lags(project, Some(namespace), &read.settings)
            || !self.wants_survey(project.name.as_str(), &survey::settings_of(namespace))
        {
            return Ok(None);
        }
        let survey = survey::survey(&self.context, namespace).await?;
        if !survey.is_clean() {
            self.queue.add_after(project.namespace.clone(), LOOK_AGAIN);
        }
        Ok(Some(survey))
    }

    /// Looks at what a namespace holds that waits for its adoption: what its people learn before it happens. That it cannot be
    /// listed is no reason to say less of the namespace.
    async fn look_before_adoption(&self, project: &desired::Project, read: &Dereferenced) -> Option<Survey> {
        let namespace = read.namespace.as_ref()?;
        let survey = survey::before_adoption(&self.context, project, namespace, &read.settings).await;
        match survey {
            Ok(survey) => Some(survey),
            Err(error) => {
                tracing::warn!(project = %project.name, error = %ErrorChain(&error), "cannot look at a namespace before its adoption");
                None
            }
        }
    }

    /// Puts the outcome where it is read: the index, the outbox, the object's status, an event.
    async fn finish(
        &self,
        claim: &NamespaceClaim,
        version: u64,
        outcome: Result<Option<Survey>, ProjectError>,
        before_adoption: Option<Survey>,
    ) -> Result<(), ProjectError> {
        let report = status::Report::of(&outcome, before_adoption);
        if let Ok(project) = &claim.checked {
            let problem = outcome.is_err().then(|| report.message.clone());
            self.projects.record(project, Outcome { version, problem });
            self.outbox.set(
                ObjectKey::Project(project.id),
                report.phase.into(),
                &report.message,
            );
        }
        let reported = self.report(&claim.name, &report).await;
        outcome.map(drop).and(reported)
    }
}
