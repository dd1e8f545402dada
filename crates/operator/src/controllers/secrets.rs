//! Labelled Secrets → copies in the namespaces of projects (cluster-and-cli 4.3). Keyed by namespace.
//!
//! A pass: what the project is to have → remove what is not of that → write what differs → the registry secrets into the default
//! ServiceAccount → report. What was written is known by the source's uid and revision, which the project's status keeps: a
//! restart writes nothing and deletes nothing. As long as a list of sources is not complete nobody knows what is gone, and a pass
//! does nothing. Nobody but installers can change a copy (R26), and nothing is watched in projects; once an hour everything is
//! written again, which changes nothing where nothing differs.

mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ServiceAccount;
use reeve_crds::desired::Project;
use reeve_crds::{ProjectStatus, SecretState};
use reeve_kube_kit::{Change, Controller, ObjectName, Queue, ReconcileError, Retry};
use reeve_tenancy::secrets::{Copies, copies};
use reeve_tenancy::{OPERATOR_BINDING, Switch, own_binding_name};
use tokio::time::Instant;

pub use report::{Written, of_pass};

use super::project::status::SECRETS as PROPAGATED;
use super::project::validate::validate;
use crate::caches::Caches;
use crate::namespace_locks::NamespaceLocks;
use crate::projects::Projects;
use crate::secret_copies::{CopyFailed, SecretCopies};
use crate::secret_reports::SecretReports;
use crate::secret_sources::SecretSources;
use crate::settings;
use crate::shared::Shared;

/// How many namespaces are worked on at once.
const PARALLEL: usize = 16;
/// How long until everything is written again.
const AGAIN: Duration = Duration::from_secs(3600);
/// How long sources may take to be listed before projects say that they are not.
const LISTED_WITHIN: Duration = Duration::from_secs(10);
/// How long between two changes of a ServiceAccount: who wants another list than we do does not have us write without end.
const ACCOUNT_REST: Duration = Duration::from_secs(5);

/// The controller of copies of Secrets, by namespace.
pub fn controller(shared: &Shared) -> Controller<String> {
    let (queue, keys) = Queue::new();
    let sources = &shared.secret_sources;
    let reconciler = Arc::new(Reconciler {
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        namespaces: shared.namespaces.clone(),
        copies: SecretCopies::new(shared.context.clone(), sources.accounts.clone()),
        sources: sources.clone(),
        reports: shared.secret_reports.clone(),
        memory: Mutex::default(),
        started: Instant::now(),
        queue: queue.clone(),
    });
    let controller = Controller::new("secrets", (queue, keys), PARALLEL, move |namespace| {
        reconciler.clone().reconcile(namespace)
    });
    woken(controller, shared)
}

/// What wakes it: sources, projects, namespaces, ServiceAccounts and the switch.
fn woken(controller: Controller<String>, shared: &Shared) -> Controller<String> {
    let projects = || shared.projects.clone();
    let (of_lists, of_namespaces, of_accounts, of_settings) =
        (projects(), projects(), projects(), projects());
    let mut controller = controller
        .hears(&shared.projects.passed, |queue, namespace| {
            queue.add(namespace.clone())
        })
        .hears(&shared.projects.touched, |queue, namespace| {
            queue.add(namespace.clone())
        })
        .hears(&shared.secret_sources.listed, move |queue, ()| {
            of_lists.enqueue_all(queue);
        })
        .watches(&shared.caches.namespaces, move |queue, change| {
            let concerned = change.name().filter(|_| of_namespaces.concerns(change));
            concerned.into_iter().for_each(|it| queue.add(it.name));
        })
        .watches(&shared.caches.bindings, |queue, change| {
            let is_own = |name: &ObjectName| name.name.starts_with(OPERATOR_BINDING);
            let concerned = change.name().filter(is_own);
            concerned.into_iter().for_each(|it| queue.add(it.namespace));
        })
        .watches(&shared.secret_sources.accounts, move |queue, change| {
            let concerned = account_changed(&of_accounts, change);
            concerned.into_iter().for_each(|it| queue.add(it.namespace));
        })
        .watches(&shared.caches.configs, move |queue, change| {
            if settings::have_changed(change) {
                of_settings.enqueue_all(queue);
            }
        });
    for cache in shared.secret_sources.caches() {
        let of_sources = projects();
        controller = controller.watches(cache, move |queue, _| of_sources.enqueue_all(queue));
    }
    controller
}

fn account_changed(projects: &Projects, change: &Change<ServiceAccount>) -> Option<ObjectName> {
    let name = change.name()?;
    projects.index().is_claimed(&name.namespace).then_some(name)
}

/// What is remembered of a namespace.
#[derive(Debug, Clone)]
struct Known {
    /// Which copies were written, and at which version of their sources.
    versions: BTreeMap<String, String>,
    /// When everything is written again.
    again: Instant,
    /// When the ServiceAccount was changed last.
    account: Option<Instant>,
}

/// How a namespace stands.
enum Standing {
    /// Nothing may be written there, or nothing is ours.
    Beside,
    /// It was a project's and holds our binding still.
    Left,
    /// It is this project's, and nobody bound the operator's rights there.
    Unbound(Arc<Project>),
    /// It is this project's. The uid of its object tells it from an earlier one of the same name, which held other copies.
    Of(Arc<Project>, String),
}

struct Reconciler {
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    namespaces: Arc<NamespaceLocks>,
    copies: SecretCopies,
    sources: Arc<SecretSources>,
    reports: Arc<SecretReports>,
    memory: Mutex<HashMap<String, Known>>,
    started: Instant,
    queue: Queue<String>,
}

/// What stood in the way of a pass.
#[derive(Debug, thiserror::Error)]
#[error("{} of the copies in namespace `{namespace}` are not as they are to be: {first}", .count)]
pub struct Failed {
    namespace: String,
    count: usize,
    first: Box<CopyFailed>,
}

impl ReconcileError for Failed {
    fn reason(&self) -> &'static str {
        self.first.reason()
    }

    fn retry(&self) -> Retry {
        self.first.retry()
    }
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>, namespace: String) -> Result<(), Failed> {
        let failed = |first: CopyFailed| Failed {
            namespace: namespace.clone(),
            count: 1,
            first: Box::new(first),
        };
        let _held = self.namespaces.write_into(&namespace).await;
        match self.standing(&namespace) {
            Standing::Beside => {
                self.forget(&namespace);
                Ok(())
            }
            Standing::Unbound(project) => {
                let is_on = settings::propagates_secrets(&self.caches.settings());
                self.reports.set(&namespace, report::unbound(&project, is_on));
                Ok(())
            }
            Standing::Left => self.leave(&namespace).await.map_err(failed),
            Standing::Of(project, uid) if settings::propagates_secrets(&self.caches.settings()) => {
                self.propagate(&project, &uid).await
            }
            Standing::Of(project, _) => self.switched_off(&project).await.map_err(failed),
        }
    }

    fn standing(&self, namespace: &str) -> Standing {
        let claims = self.projects.claims(namespace);
        let Some(Ok(project)) = claims.first().map(|claim| &claim.checked) else {
            // Nobody claims it: the project's controller withdraws the copies before it gives up its rights.
            return Standing::Beside;
        };
        let object = self.caches.namespaces.get(&ObjectName::cluster(namespace));
        let Some(object) = object.filter(|it| it.metadata.deletion_timestamp.is_none()) else {
            return Standing::Beside;
        };
        let own = own_binding_name(Some(Switch::SecretPropagation));
        let own = ObjectName::namespaced(namespace, own);
        let bindings = &self.caches.bindings;
        let has_rights = bindings.get(&own).is_some() || bindings.was_just_created(&own);
        if validate(project, Some(&object), false).is_err() {
            return if has_rights {
                Standing::Left
            } else {
                Standing::Beside
            };
        }
        // A first pass over the project comes first: only after it are there rights.
        if self.projects.index().outcome(project.name.as_str()).is_none() {
            return Standing::Beside;
        }
        if !has_rights {
            return Standing::Unbound(project.clone());
        }
        Standing::Of(project.clone(), object.metadata.uid.clone().unwrap_or_default())
    }

    /// The namespace is no project's any more. Once, or until it succeeds.
    async fn leave(&self, namespace: &str) -> Result<(), CopyFailed> {
        let known = self.known(namespace, None);
        if known.versions.is_empty() && self.remembers(namespace)
            || !settings::propagates_secrets(&self.caches.settings())
        {
            return Ok(());
        }
        self.copies.withdraw(namespace).await?;
        tracing::info!(namespace, "namespace left its project: copies of Secrets removed");
        self.remember(
            namespace,
            Known {
                versions: BTreeMap::new(),
                ..known
            },
        );
        self.reports.forget(namespace);
        Ok(())
    }

    /// The switch is off. Where copies are known of, they go, as long as there are rights to remove them.
    async fn switched_off(&self, project: &Project) -> Result<(), CopyFailed> {
        let namespace = &project.namespace;
        let known = self.known(namespace, Some(project));
        let withdrawn = if known.versions.is_empty() {
            Ok(())
        } else {
            self.copies.withdraw(namespace).await
        };
        self.reports.set(
            namespace,
            report::switched_off(project.id, &known.versions, withdrawn.as_ref().err()),
        );
        withdrawn?;
        self.remember(
            namespace,
            Known {
                versions: BTreeMap::new(),
                ..known
            },
        );
        Ok(())
    }

    async fn propagate(&self, project: &Project, uid: &str) -> Result<(), Failed> {
        let namespace = &project.namespace;
        let sources = match self.sources.all() {
            Ok(sources) => sources,
            Err(missing) => {
                // Told of when it is complete.
                if self.started.elapsed() < LISTED_WITHIN {
                    self.queue.add_after(namespace.clone(), LISTED_WITHIN);
                } else {
                    self.reports.set(
                        namespace,
                        report::not_listed(project.id, self.status(project).secrets, &missing),
                    );
                }
                return Ok(());
            }
        };
        let mut desired = copies(project, &sources);
        for copy in &mut desired.copies {
            copy.version = format!("{}/{uid}", copy.version);
        }
        let mut known = self.known(namespace, Some(project));
        let is_due = Instant::now() >= known.again;
        if is_due {
            known.again = Instant::now() + AGAIN;
        }
        self.queue
            .add_after(namespace.clone(), known.again - Instant::now());
        let mut failures = Vec::new();
        let removed = self.remove_others(namespace, &desired, &mut known, is_due).await;
        failures.extend(removed.err());
        let written = self
            .write(namespace, &desired, &mut known, is_due, &mut failures)
            .await;
        failures.extend(self.pull(namespace, &desired, &mut known).await.err());
        self.remember(namespace, known);
        self.reports
            .set(namespace, of_pass(project.id, &desired, &written, &failures));
        Failed::of(namespace, failures)
    }

    /// Removes what is not to be there: where that is known of, where nothing is known, and once in a while.
    async fn remove_others(
        &self,
        namespace: &str,
        desired: &Copies,
        known: &mut Known,
        is_due: bool,
    ) -> Result<(), CopyFailed> {
        let wanted: BTreeSet<&str> = desired.copies.iter().map(|copy| copy.name()).collect();
        let is_left = known.versions.keys().any(|name| !wanted.contains(name.as_str()));
        if !is_left && !is_due {
            return Ok(());
        }
        self.copies.keep_only(namespace, wanted.iter().copied()).await?;
        if is_left {
            tracing::info!(namespace, "copies of Secrets removed");
        }
        known.versions.retain(|name, _| wanted.contains(name.as_str()));
        Ok(())
    }

    async fn write(
        &self,
        namespace: &str,
        desired: &Copies,
        known: &mut Known,
        is_due: bool,
        failures: &mut Vec<CopyFailed>,
    ) -> Written {
        let mut written = Written::default();
        for copy in &desired.copies {
            let before = known.versions.get(copy.name());
            if !is_due && before.is_some_and(|version| *version == copy.version) {
                continue;
            }
            match self.copies.write(namespace, copy, before.is_some()).await {
                Ok(()) => {
                    tracing::info!(namespace, origin = copy.origin, "Secret copied");
                    known
                        .versions
                        .insert(copy.name().to_owned(), copy.version.clone());
                }
                Err(failure) => {
                    written.failed(copy.name(), &failure);
                    if matches!(failure, CopyFailed::Conflict { .. }) {
                        known.versions.remove(copy.name());
                    }
                    failures.push(failure);
                }
            }
        }
        written
    }

    async fn pull(&self, namespace: &str, desired: &Copies, known: &mut Known) -> Result<(), CopyFailed> {
        let registries = desired.copies.iter().filter(|copy| copy.pulls_images);
        let there = registries.filter(|copy| known.versions.contains_key(copy.name()));
        let wanted: BTreeSet<String> = there.map(|copy| copy.name().to_owned()).collect();
        if let Some(rest) = known.account.map(|at| ACCOUNT_REST.saturating_sub(at.elapsed()))
            && !rest.is_zero()
        {
            self.queue.add_after(namespace.to_owned(), rest);
            return Ok(());
        }
        if self.copies.pull_by(namespace, &wanted).await? {
            known.account = Some(Instant::now());
        }
        Ok(())
    }

    /// What is known of a namespace: what this process did, or what the project's status says that one before it did.
    fn known(&self, namespace: &str, project: Option<&Project>) -> Known {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = memory.get(namespace) {
            return known.clone();
        }
        drop(memory);
        let status = project.map(|project| self.status(project)).unwrap_or_default();
        // Where nothing was ever said, there may be anything, also of an earlier project.
        let is_new = !status
            .conditions
            .iter()
            .any(|condition| condition.type_ == PROPAGATED);
        let copied = status
            .secrets
            .into_iter()
            .filter(|copy| copy.state == SecretState::Copied);
        Known {
            versions: copied.map(|copy| (copy.name, copy.version)).collect(),
            again: Instant::now()
                + if is_new {
                    Duration::ZERO
                } else {
                    first_pause(namespace)
                },
            account: None,
        }
    }

    fn status(&self, project: &Project) -> ProjectStatus {
        let object = self
            .caches
            .projects
            .get(&ObjectName::cluster(project.name.as_str()));
        object
            .and_then(|object| object.status.clone())
            .unwrap_or_default()
    }

    fn forget(&self, namespace: &str) {
        self.reports.forget(namespace);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.remove(namespace);
    }

    fn remembers(&self, namespace: &str) -> bool {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.contains_key(namespace)
    }

    fn remember(&self, namespace: &str, known: Known) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.insert(namespace.to_owned(), known);
    }
}

impl Failed {
    fn of(namespace: &str, failures: Vec<CopyFailed>) -> Result<(), Self> {
        let count = failures.len();
        // The one that is tried again soonest says when.
        let rank = |failure: &CopyFailed| match failure.retry() {
            Retry::Backoff => Duration::ZERO,
            Retry::After(pause) => pause,
            Retry::OnChange => Duration::MAX,
        };
        match failures.into_iter().min_by_key(rank) {
            None => Ok(()),
            Some(first) => Err(Self {
                namespace: namespace.to_owned(),
                count,
                first: Box::new(first),
            }),
        }
    }
}

/// When a namespace is gone over first: not all of them at once.
fn first_pause(namespace: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    namespace.hash(&mut hasher);
    AGAIN.mul_f64(0.5 + (hasher.finish() % 1000) as f64 / 2000.0)
}
