//! AIMService.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use reeve_kube_kit::{Cache, Change, ClientError, Controller, ObjectName, Queue};
use reeve_serving::labels::{Controller as Name, SERVICE_FINALIZER};
use reeve_serving::names;
use reeve_serving::owner::Parent;
use reeve_serving::plan::service::{Seen, has_unwanted_route, plan, takes_along};
use reeve_serving_crds::{AimClusterModel, AimModel, AimService, AimTemplateCache};
use serde_json::Value;

use super::{PARALLEL, itself, owner};
use crate::caches::{Caches, OF_INFERENCE};
use crate::config;
use crate::foreign::HttpRoute;
use crate::look::{self, Looked};
use crate::pass::{PassFailed, Rounds, is_going, is_paused};
use crate::shared::Shared;

/// The controller. Of models, templates and caches every service of the place is woken: which of them concern it is what its
/// pass finds out, and a pass that finds nothing new costs little.
pub(super) fn controller(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, Name::Service, &queue);
    let caches = &shared.caches;
    let controller = Controller::new(Name::Service.as_str(), (queue, keys), PARALLEL, move |name| {
        pass(rounds.clone(), name)
    })
    .watches(&caches.services, itself)
    .watches(&caches.inference, owner(AimService::KIND))
    .watches(&caches.routes, owner(AimService::KIND))
    .watches(
        &caches.inference_pods,
        by_inference(shared, |pod: &Pod| pod.labels().get(OF_INFERENCE).cloned()),
    )
    .watches(
        &caches.inference_events,
        by_inference(shared, |event: &Event| event.involved_object.name.clone()),
    )
    .watches(&caches.autoscalers, neighbours(shared))
    .watches(&caches.template_caches, neighbours(shared))
    .watches(&caches.models, neighbours(shared))
    .watches(&caches.templates, neighbours(shared))
    .watches(&caches.configs, neighbours(shared));
    controller
        .watches(&caches.cluster_models, neighbours(shared))
        .watches(&caches.cluster_templates, neighbours(shared))
        .watches(&caches.cluster_configs, neighbours(shared))
}

/// Wakes the services of the namespace of what changed, or all of them where it has none.
fn neighbours<K: ResourceExt>(
    shared: &Arc<Shared>,
) -> impl Fn(&Queue<ObjectName>, &Change<K>) + Send + Sync + use<K> {
    let shared = Arc::downgrade(shared);
    move |queue, change| {
        let Some(shared) = shared.upgrade() else { return };
        let services = shared.caches.services.all();
        neighbours_of(&super::named(change), &services).for_each(|service| queue.add(service));
    }
}

/// Whatever the labels of what changed say: a model that was made for one service serves others too.
fn neighbours_of(changed: &ObjectName, services: &[Arc<AimService>]) -> impl Iterator<Item = ObjectName> {
    let names = services.iter().map(|service| ObjectName::of(&**service));
    names.filter(|name| changed.namespace.is_empty() || changed.namespace == name.namespace)
}

/// Wakes the service of an InferenceService that something is about.
fn by_inference<K: ResourceExt, F>(
    shared: &Arc<Shared>,
    inference: F,
) -> impl Fn(&Queue<ObjectName>, &Change<K>) + Send + Sync + use<K, F>
where
    F: Fn(&K) -> Option<String> + Send + Sync,
{
    let shared = Arc::downgrade(shared);
    move |queue, change| {
        let (Some(shared), Some(object)) = (shared.upgrade(), change.latest()) else {
            return;
        };
        let namespace = object.namespace().unwrap_or_default();
        let Some(name) = inference(object) else { return };
        let found = shared
            .caches
            .inference
            .get(&ObjectName::namespaced(namespace.clone(), name));
        let owners = found.iter().flat_map(|inference| inference.owner_references());
        for owner in owners.filter(|owner| owner.kind == AimService::KIND) {
            queue.add(ObjectName::namespaced(namespace.clone(), owner.name.clone()));
        }
    }
}

async fn pass(rounds: Arc<Rounds>, name: ObjectName) -> Result<(), PassFailed> {
    let caches = &rounds.shared.caches;
    let Some(service) = caches.services.get(&name) else {
        return Ok(());
    };
    if is_paused(&*service) {
        return Ok(());
    }
    if is_going(&*service) {
        return clean_up(&rounds, &service).await;
    }
    if rounds.finalizer(&*service, SERVICE_FINALIZER, true).await? {
        return Ok(());
    }
    let config = config::in_force(
        caches,
        Some(&name.namespace),
        service.spec.runtime_config_name.as_deref(),
    );
    let propagation = config
        .as_ref()
        .ok()
        .and_then(|config| config.spec.label_propagation.as_ref());
    let parent = Parent::new(AimService::KIND, &service.metadata, rounds.controller).propagating(propagation);
    let runs = Runs::look(&rounds.shared, &name).await;
    let pods: Vec<_> = runs.pods.iter().map(Looked::seen).collect();
    let (templates, cluster_templates) = (
        there(&caches.templates, &name.namespace),
        there(&caches.cluster_templates, ""),
    );
    let template_caches = there(&caches.template_caches, &name.namespace);
    let inventory = caches.inventory();
    let mut unwanted_route = false;
    let mut plan_with = |models: &[AimModel], cluster_models: &[AimClusterModel]| {
        let seen = Seen {
            service: &service,
            parent: &parent,
            namespace: &name.namespace,
            config: &config,
            models,
            cluster_models,
            templates: &templates,
            cluster_templates: &cluster_templates,
            caches: &template_caches,
            inventory: &inventory,
            inference: runs.inference.as_ref(),
            events: &runs.events,
            pods: &pods,
            route: runs.route.as_ref(),
            autoscaler: runs.autoscaler.as_ref(),
            now: rounds.now().0,
        };
        unwanted_route = has_unwanted_route(&seen);
        plan(&seen)
    };
    let mut planned = plan_with(
        &there(&caches.models, &name.namespace),
        &there(&caches.cluster_models, ""),
    );
    if planned.children.iter().any(|child| child.component == "Model") {
        // Caches of two kinds are not of the same moment: a second model of an image would be in the way for ever.
        let (models, cluster_models) = models(&rounds.shared, &name.namespace).await?;
        planned = plan_with(&models, &cluster_models);
    }
    if unwanted_route {
        let route =
            ObjectName::namespaced(name.namespace.as_str(), names::route(&name.name, &name.namespace));
        if let Some(route) = caches.routes.get(&route) {
            let client = &rounds.shared.context.client;
            let api = Api::<HttpRoute>::namespaced(client.clone(), &name.namespace);
            rounds.delete(&api, &*route).await?;
        }
    }
    rounds.finish(&*service, planned).await
}

/// The models that there are now, as the API server says.
async fn models(
    shared: &Shared,
    namespace: &str,
) -> Result<(Vec<AimModel>, Vec<AimClusterModel>), PassFailed> {
    let client = &shared.context.client;
    let away = |error: kube::Error| PassFailed::Away(ClientError::from(error).to_string());
    let parameters = ListParams::default();
    let models = Api::<AimModel>::namespaced(client.clone(), namespace)
        .list(&parameters)
        .await
        .map_err(away)?;
    let of_cluster = Api::<AimClusterModel>::all(client.clone())
        .list(&parameters)
        .await
        .map_err(away)?;
    Ok((models.items, of_cluster.items))
}

/// What is there of a kind and not on its way out, in a namespace or, with none, in the cluster.
fn there<K: kube::Resource + Clone>(cache: &Cache<K>, namespace: &str) -> Vec<K> {
    let all = cache.in_namespace(namespace);
    all.iter()
        .filter(|object| !is_going(&***object))
        .map(|object| (**object).clone())
        .collect()
}

/// What serves a service.
struct Runs {
    inference: Option<Value>,
    events: Vec<Event>,
    pods: Vec<Looked>,
    route: Option<Value>,
    autoscaler: Option<Value>,
}

impl Runs {
    async fn look(shared: &Shared, service: &ObjectName) -> Self {
        let caches = &shared.caches;
        let namespace = service.namespace.as_str();
        let route = ObjectName::namespaced(namespace, names::route(&service.name, namespace));
        let route = caches.find("HTTPRoute", &route);
        let Ok(inference) = names::inference_service(&service.name, namespace) else {
            return Self {
                inference: None,
                events: Vec::new(),
                pods: Vec::new(),
                route,
                autoscaler: None,
            };
        };
        let autoscaler = ObjectName::namespaced(namespace, format!("keda-hpa-{inference}-predictor"));
        let autoscaler = caches.autoscalers.get(&autoscaler);
        let pods = caches.inference_pods.in_namespace(namespace);
        let of_inference = pods
            .into_iter()
            .filter(|pod| pod.labels().get(OF_INFERENCE) == Some(&inference));
        let of_inference: Vec<_> = of_inference.collect();
        let found = caches.find("InferenceService", &ObjectName::namespaced(namespace, inference));
        Self {
            events: found
                .as_ref()
                .map(|found| events(caches, namespace, found))
                .unwrap_or_default(),
            pods: look::pods(&shared.context.client, of_inference).await,
            inference: found,
            route,
            autoscaler: autoscaler.and_then(|found| serde_json::to_value(&*found).ok()),
        }
    }
}

/// The warnings about this very InferenceService.
fn events(caches: &Caches, namespace: &str, inference: &Value) -> Vec<Event> {
    let uid = inference.pointer("/metadata/uid").and_then(Value::as_str);
    let all = caches.inference_events.in_namespace(namespace);
    let of_it = all
        .iter()
        .filter(|event| event.involved_object.uid.as_deref() == uid);
    of_it.map(|event| (**event).clone()).collect()
}

/// Deletes the caches that were made for the service and hold nothing yet, unless the namespace goes anyway.
async fn clean_up(rounds: &Rounds, service: &AimService) -> Result<(), PassFailed> {
    let namespace = service.namespace().unwrap_or_default();
    let caches = &rounds.shared.caches;
    if !caches.is_ending(&namespace) && service.finalizers().iter().any(|name| name == SERVICE_FINALIZER) {
        let client = &rounds.shared.context.client;
        let api = Api::<AimTemplateCache>::namespaced(client.clone(), &namespace);
        for cache in caches.template_caches.in_namespace(&namespace) {
            if takes_along(&service.name_any(), &cache) {
                rounds.delete(&api, &*cache).await?;
            }
        }
    }
    rounds
        .finalizer(service, SERVICE_FINALIZER, false)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Planted fault: waking only the service that the model's label names leaves `b` asleep.
    #[test]
    fn q26_a_model_that_was_made_for_one_service_wakes_every_service_beside_it() {
        let service = |namespace: &str, name: &str| {
            let service =
                json!({"metadata": {"namespace": namespace, "name": name}, "spec": {"model": {"name": "m"}}});
            Arc::new(serde_json::from_value::<AimService>(service).unwrap())
        };
        let services = [service("ns", "a"), service("ns", "b"), service("other", "c")];
        let woken = |changed: ObjectName| {
            let names = neighbours_of(&changed, &services);
            names.map(|name| name.name).collect::<Vec<_>>()
        };
        assert_eq!(woken(ObjectName::namespaced("ns", "model-of-a")), ["a", "b"]);
        assert_eq!(woken(ObjectName::cluster("model")), ["a", "b", "c"]);
    }
}
