//! AIMServiceTemplate and AIMClusterServiceTemplate.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use reeve_kube_kit::{Cache, Change, Controller, ObjectName, Queue};
use reeve_serving::discovery::{CONTAINER, Discovered, Discovery, UnreadableLog, read_log};
use reeve_serving::labels::Controller as Name;
use reeve_serving::owner::Parent;
use reeve_serving::plan::current;
use reeve_serving::plan::template::{Seen, SeenModel, plan, tracks_discovery};
use reeve_serving::stamp::{Stamp, may_use};
use reeve_serving::{gpu, inspect, names};
use reeve_serving_crds::{
    AimClusterServiceTemplate, AimModelSpec, AimModelStatus, AimServiceTemplate, AimServiceTemplateSpec,
    AimServiceTemplateStatus,
};

use super::{PARALLEL, is_concerned, itself, owner};
use crate::caches::{Caches, OF_TEMPLATE};
use crate::config;
use crate::look::{self, Looked};
use crate::pass::{Managed, PassFailed, Rounds, is_going, is_paused};
use crate::shared::{LEASE_PATIENCE, Shared};

/// What both kinds of templates have.
trait Template: Managed<Status = AimServiceTemplateStatus> {
    const NAME: &'static str;
    const CONTROLLER: Name;
    fn spec(&self) -> &AimServiceTemplateSpec;
    fn cache(caches: &Caches) -> &Cache<Self>;
    fn model(&self, caches: &Caches) -> Option<FoundModel>;
}

/// A model, whichever its kind.
struct FoundModel {
    generation: Option<i64>,
    spec: AimModelSpec,
    status: AimModelStatus,
}

impl FoundModel {
    fn seen(&self) -> SeenModel<'_> {
        let status = &self.status;
        SeenModel {
            spec: &self.spec,
            state: current(self.generation, status.observed_generation, status.status),
            conditions: conditions(status),
        }
    }
}

fn conditions(status: &AimModelStatus) -> &[Condition] {
    &status.conditions
}

impl Template for AimServiceTemplate {
    const NAME: &'static str = Self::KIND;
    const CONTROLLER: Name = Name::ServiceTemplate;

    fn spec(&self) -> &AimServiceTemplateSpec {
        &self.spec
    }

    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.templates
    }

    fn model(&self, caches: &Caches) -> Option<FoundModel> {
        let namespace = self.metadata.namespace.clone().unwrap_or_default();
        let model = caches
            .models
            .get(&ObjectName::namespaced(namespace, self.spec.model_name.clone()))
            .filter(|model| may_use(Stamp::of(&self.metadata).as_ref(), &model.metadata))?;
        Some(FoundModel {
            generation: model.metadata.generation,
            spec: model.spec.clone(),
            status: model.status.clone().unwrap_or_default(),
        })
    }
}

impl Template for AimClusterServiceTemplate {
    const NAME: &'static str = Self::KIND;
    const CONTROLLER: Name = Name::ClusterServiceTemplate;

    fn spec(&self) -> &AimServiceTemplateSpec {
        &self.spec
    }

    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.cluster_templates
    }

    fn model(&self, caches: &Caches) -> Option<FoundModel> {
        let model = caches
            .cluster_models
            .get(&ObjectName::cluster(self.spec.model_name.clone()))?;
        Some(FoundModel {
            generation: model.metadata.generation,
            spec: model.spec.clone(),
            status: model.status.clone().unwrap_or_default(),
        })
    }
}

/// The controller of the namespaces' templates.
pub(super) fn of_namespaces(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let caches = &shared.caches;
    let configs = wake_by_config::<AimServiceTemplate>(shared);
    let models = wake_by_model::<AimServiceTemplate>(shared);
    controller::<AimServiceTemplate>(shared)
        .watches(&caches.templates, itself)
        .watches(&caches.template_caches, owner(AimServiceTemplate::KIND))
        .watches(&caches.models, move |queue, change| {
            models(queue, &super::named(change))
        })
        .watches(&caches.configs, move |queue, change| {
            configs(queue, &super::named(change))
        })
}

/// The controller of the cluster's templates.
pub(super) fn of_cluster(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let caches = &shared.caches;
    let models = wake_by_model::<AimClusterServiceTemplate>(shared);
    controller::<AimClusterServiceTemplate>(shared)
        .watches(&caches.cluster_templates, itself)
        .watches(&caches.cluster_models, move |queue, change| {
            models(queue, &super::named(change))
        })
}

fn controller<K: Template>(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, K::CONTROLLER, &queue);
    let caches = &shared.caches;
    let configs = wake_by_config::<K>(shared);
    let (jobs, pods) = (wake_by_label::<K>(shared), wake_by_label::<K>(shared));
    let nodes = wake_by_node::<K>(shared);
    Controller::new(K::CONTROLLER.as_str(), (queue, keys), PARALLEL, move |name| {
        pass::<K>(rounds.clone(), name)
    })
    .watches(&caches.cluster_configs, move |queue, change| {
        configs(queue, &super::named(change))
    })
    .watches(&caches.discovery_jobs, move |queue, change: &Change<Job>| {
        jobs(
            queue,
            change.latest().and_then(|job| job.labels().get(OF_TEMPLATE)),
        );
    })
    .watches(&caches.discovery_pods, move |queue, change| {
        pods(
            queue,
            change.latest().and_then(|pod| pod.labels().get(OF_TEMPLATE)),
        );
    })
    .watches(&caches.nodes, nodes)
}

fn wake_by_config<K: Template>(
    shared: &Arc<Shared>,
) -> impl Fn(&Queue<ObjectName>, &ObjectName) + Send + Sync + use<K> {
    wake(shared, |template: &K, name: &ObjectName, changed: &ObjectName| {
        is_concerned(
            changed,
            &name.namespace,
            template.spec().runtime_config_name.as_deref(),
        )
    })
}

fn wake_by_model<K: Template>(
    shared: &Arc<Shared>,
) -> impl Fn(&Queue<ObjectName>, &ObjectName) + Send + Sync + use<K> {
    wake(shared, |template: &K, name: &ObjectName, changed: &ObjectName| {
        name.namespace == changed.namespace && template.spec().model_name == changed.name
    })
}

/// Wakes the templates whose Job bears this label.
fn wake_by_label<K: Template>(
    shared: &Arc<Shared>,
) -> impl Fn(&Queue<ObjectName>, Option<&String>) + Send + Sync + use<K> {
    let wake = wake(shared, |_: &K, name: &ObjectName, label: &String| {
        names::name_label(&name.name) == *label
    });
    move |queue, label| {
        if let Some(label) = label {
            wake(queue, label);
        }
    }
}

/// Wakes the templates that need a GPU, when a node's GPUs may be others.
fn wake_by_node<K: Template>(
    shared: &Arc<Shared>,
) -> impl Fn(&Queue<ObjectName>, &Change<Node>) + Send + Sync + use<K> {
    let wake = wake(shared, |template: &K, _: &ObjectName, (): &()| {
        gpu::is_needed(
            template
                .spec()
                .hardware
                .as_ref()
                .and_then(|hardware| hardware.gpu.as_ref()),
        )
    });
    move |queue, change| {
        let gpus = |node: Option<&Arc<Node>>| node.map(|node| gpu::inventory([node.labels()]));
        if gpus(change.old.as_ref()) != gpus(change.new.as_ref()) {
            wake(queue, &());
        }
    }
}

/// Wakes every template of which `concerned` holds.
fn wake<K: Template, T, F>(
    shared: &Arc<Shared>,
    concerned: F,
) -> impl Fn(&Queue<ObjectName>, &T) + Send + Sync + use<K, T, F>
where
    F: Fn(&K, &ObjectName, &T) -> bool + Send + Sync,
{
    let shared = Arc::downgrade(shared);
    move |queue, news| {
        let Some(shared) = shared.upgrade() else { return };
        for template in K::cache(&shared.caches).all() {
            let name = ObjectName::of(&*template);
            if concerned(&template, &name, news) {
                queue.add(name);
            }
        }
    }
}

async fn pass<K: Template>(rounds: Arc<Rounds>, name: ObjectName) -> Result<(), PassFailed> {
    let (shared, caches) = (&rounds.shared, &rounds.shared.caches);
    let Some(template) = K::cache(caches).get(&name) else {
        return Ok(());
    };
    if is_paused(&*template) || is_going(&*template) {
        return Ok(());
    }
    let status = template.status().cloned().unwrap_or_default();
    let namespace = Some(name.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let config = config::in_force(caches, namespace, template.spec().runtime_config_name.as_deref());
    let propagation = config
        .as_ref()
        .ok()
        .and_then(|config| config.spec.label_propagation.as_ref());
    let parent = Parent::new(K::NAME, template.meta(), rounds.controller).propagating(propagation);
    let model = template.model(caches);
    let job_namespace = namespace.unwrap_or(&shared.settings.namespace).to_owned();
    let of_model = model.as_ref().map(|model| &model.spec);
    let asked = match tracks_discovery(template.spec(), &status, of_model) {
        true => {
            let job = of_model.map(|model| {
                let discovery = Discovery {
                    template: template.spec(),
                    model,
                    in_namespace: namespace.is_some(),
                };
                discovery.job_name(&parent.name)
            });
            Asked::look(shared, &parent, &job_namespace, job.as_deref()).await
        }
        false => Asked::default(),
    };
    let pods: Vec<_> = asked.pods.iter().map(Looked::seen).collect();
    let planned = plan(&Seen {
        parent: &parent,
        namespace,
        job_namespace: &job_namespace,
        spec: template.spec(),
        status: &status,
        config: &config,
        model: model.as_ref().map(FoundModel::seen),
        inventory: &caches.inventory(),
        job: asked.job.as_deref(),
        pods: &pods,
        answer: asked.answer.as_ref(),
        discoveries: shared.discoveries(),
        has_cache: namespace.is_some_and(|namespace| has_cache(caches, namespace, &parent.uid)),
        now: rounds.now().0,
    });
    begin_and_finish(&rounds, &*template, planned).await
}

fn has_cache(caches: &Caches, namespace: &str, template: &str) -> bool {
    let all = caches.template_caches.in_namespace(namespace);
    all.iter()
        .any(|cache| cache.owner_references().iter().any(|owner| owner.uid == template))
}

/// A pass that begins a discovery holds the lease meanwhile: of all processes one at a time counts and begins.
async fn begin_and_finish<K: Template>(
    rounds: &Rounds,
    template: &K,
    planned: reeve_serving::plan::Plan<AimServiceTemplateStatus>,
) -> Result<(), PassFailed> {
    let shared = &rounds.shared;
    let job = planned
        .children
        .iter()
        .find(|child| child.component == "DiscoveryJob");
    let Some(job) = job.map(|job| crate::write::Target::of(&job.object)).transpose()? else {
        return rounds.finish(template, planned).await;
    };
    let _turn = shared.discovery.lock().await;
    if shared.discoveries() >= reeve_serving::discovery::AT_ONCE {
        rounds
            .queue
            .add_after(ObjectName::of(template), reeve_serving::discovery::NO_ROOM);
        return Ok(());
    }
    let lease = shared.discovery_lease();
    let Ok(held) = tokio::time::timeout(LEASE_PATIENCE, lease.acquire()).await else {
        return Err(PassFailed::Away(
            "the lease of discoveries is held by another process".to_owned(),
        ));
    };
    shared.begins_discovery(job.name);
    let finished = rounds.finish(template, planned).await;
    held.release().await;
    finished
}

/// What is known of a discovery.
#[derive(Default)]
struct Asked {
    job: Option<Arc<Job>>,
    pods: Vec<Looked>,
    answer: Option<Result<Discovered, UnreadableLog>>,
}

impl Asked {
    /// Looks at the template's newest Job, of this name where one is wanted: one that was made for an earlier spec may be there, too.
    async fn look(shared: &Shared, template: &Parent, namespace: &str, wanted: Option<&str>) -> Self {
        let caches = &shared.caches;
        let jobs = caches.discovery_jobs.in_namespace(namespace);
        let of_template = jobs.into_iter().filter(|job| {
            let of_name = wanted.is_none_or(|wanted| job.name_any() == wanted);
            of_name
                && job
                    .owner_references()
                    .iter()
                    .any(|owner| owner.uid == template.uid)
        });
        let newest =
            of_template.max_by_key(|job| job.metadata.creation_timestamp.as_ref().map(|time| time.0));
        let Some(job) = newest else {
            return Self::default();
        };
        let pods = caches.discovery_pods.in_namespace(namespace);
        let pod = look::newest(&pods, &job.name_any());
        let succeeded = inspect::job(Some(&job)).is_ok() && inspect::is_finished(&job);
        let answer = match pod
            .as_ref()
            .filter(|pod| succeeded && look::phase(pod) == "Succeeded")
        {
            Some(pod) => look::log(&shared.context.client, pod, CONTAINER).await,
            None => None,
        };
        Self {
            job: Some(job),
            pods: look::pods(&shared.context.client, pod.into_iter().collect()).await,
            answer: answer.map(|log| read_log(&log)),
        }
    }
}
