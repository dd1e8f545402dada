//! AIMModel and AIMClusterModel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_kube_kit::{Cache, Controller, ObjectName, Queue};
use reeve_serving::fault::{Category, Fault};
use reeve_serving::labels::Controller as Name;
use reeve_serving::metadata;
use reeve_serving::owner::Parent;
use reeve_serving::plan::current;
use reeve_serving::plan::model::{Seen, SeenTemplate, asks_registry, plan};
use reeve_serving_crds::{
    AimClusterModel, AimClusterServiceTemplate, AimModel, AimModelSpec, AimModelStatus, AimServiceTemplate,
    ImageMetadata, ModelState,
};
use tokio::time::Instant;

use super::{PARALLEL, is_concerned, itself};
use crate::caches::Caches;
use crate::config;
use crate::pass::{Managed, PassFailed, Rounds, is_going, is_paused};
use crate::secrets;
use crate::shared::Shared;

/// How long after a failure a model is looked at again.
const FAILED: Duration = Duration::from_secs(30);

/// What both kinds of models have.
trait Model: Managed<Status = AimModelStatus> {
    const NAME: &'static str;
    const CONTROLLER: Name;
    fn spec(&self) -> &AimModelSpec;
    fn cache(caches: &Caches) -> &Cache<Self>;
    fn templates(caches: &Caches, model: &ObjectName, uid: &str) -> Vec<SeenTemplate>;
}

impl Model for AimModel {
    const NAME: &'static str = Self::KIND;
    const CONTROLLER: Name = Name::Model;

    fn spec(&self) -> &AimModelSpec {
        &self.spec
    }

    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.models
    }

    fn templates(caches: &Caches, model: &ObjectName, uid: &str) -> Vec<SeenTemplate> {
        let all = caches.templates.in_namespace(&model.namespace);
        let of_model = all
            .iter()
            .filter(|template| template.spec.model_name == model.name);
        of_model
            .map(|template| seen(&template.metadata, uid, state_of(template)))
            .collect()
    }
}

impl Model for AimClusterModel {
    const NAME: &'static str = Self::KIND;
    const CONTROLLER: Name = Name::ClusterModel;

    fn spec(&self) -> &AimModelSpec {
        &self.spec
    }

    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.cluster_models
    }

    fn templates(caches: &Caches, model: &ObjectName, uid: &str) -> Vec<SeenTemplate> {
        let all = caches.cluster_templates.all();
        let of_model = all
            .iter()
            .filter(|template| template.spec.model_name == model.name);
        of_model
            .map(|template| seen(&template.metadata, uid, cluster_state_of(template)))
            .collect()
    }
}

fn seen(metadata: &ObjectMeta, uid: &str, state: Option<ModelState>) -> SeenTemplate {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    SeenTemplate {
        name: metadata.name.clone().unwrap_or_default(),
        owned: owners.iter().any(|owner| owner.uid == uid),
        state,
    }
}

fn state_of(template: &AimServiceTemplate) -> Option<ModelState> {
    let status = template.status.as_ref()?;
    current(
        template.metadata.generation,
        status.observed_generation,
        status.status,
    )
}

fn cluster_state_of(template: &AimClusterServiceTemplate) -> Option<ModelState> {
    let status = template.status.as_ref()?;
    current(
        template.metadata.generation,
        status.observed_generation,
        status.status,
    )
}

/// The controller of the namespaces' models.
pub(super) fn of_namespaces(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let caches = &shared.caches;
    let configs = wake_by_config::<AimModel>(shared);
    let cluster_configs = wake_by_config::<AimModel>(shared);
    controller::<AimModel>(shared)
        .watches(&caches.models, itself)
        .watches(&caches.templates, |queue, change| {
            if let Some(template) = change.latest() {
                let namespace = template.metadata.namespace.clone().unwrap_or_default();
                queue.add(ObjectName::namespaced(
                    namespace,
                    template.spec.model_name.clone(),
                ));
            }
        })
        .watches(&caches.configs, move |queue, change| {
            configs(queue, &super::named(change))
        })
        .watches(&caches.cluster_configs, move |queue, change| {
            cluster_configs(queue, &super::named(change));
        })
}

/// The controller of the cluster's models.
pub(super) fn of_cluster(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let caches = &shared.caches;
    let configs = wake_by_config::<AimClusterModel>(shared);
    controller::<AimClusterModel>(shared)
        .watches(&caches.cluster_models, itself)
        .watches(&caches.cluster_templates, |queue, change| {
            if let Some(template) = change.latest() {
                queue.add(ObjectName::cluster(template.spec.model_name.clone()));
            }
        })
        .watches(&caches.cluster_configs, move |queue, change| {
            configs(queue, &super::named(change))
        })
}

fn controller<K: Model>(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, K::CONTROLLER, &queue);
    Controller::new(K::CONTROLLER.as_str(), (queue, keys), PARALLEL, move |name| {
        pass::<K>(rounds.clone(), name)
    })
}

/// Wakes every model that uses a configuration.
fn wake_by_config<K: Model>(
    shared: &Arc<Shared>,
) -> impl Fn(&Queue<ObjectName>, &ObjectName) + Send + Sync + use<K> {
    let shared = Arc::downgrade(shared);
    move |queue, changed| {
        let Some(shared) = shared.upgrade() else { return };
        for model in K::cache(&shared.caches).all() {
            let name = ObjectName::of(&*model);
            if is_concerned(
                changed,
                &name.namespace,
                model.spec().runtime_config_name.as_deref(),
            ) {
                queue.add(name);
            }
        }
    }
}

async fn pass<K: Model>(rounds: Arc<Rounds>, name: ObjectName) -> Result<(), PassFailed> {
    let caches = &rounds.shared.caches;
    let Some(model) = K::cache(caches).get(&name) else {
        rounds.shared.asked.forget(K::NAME, &name);
        return Ok(());
    };
    if is_paused(&*model) || is_going(&*model) {
        return Ok(());
    }
    let status = model.status().cloned().unwrap_or_default();
    let namespace = Some(name.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let config = config::in_force(caches, namespace, model.spec().runtime_config_name.as_deref());
    let propagation = config
        .as_ref()
        .ok()
        .and_then(|config| config.spec.label_propagation.as_ref());
    let parent = Parent::new(K::NAME, model.meta(), rounds.controller).propagating(propagation);
    let generation = model.meta().generation;
    let image = match asks_registry(model.spec(), &status, generation) {
        true => Some(ask(&rounds, &*model, &name).await),
        false => None,
    };
    let mut planned = plan(&Seen {
        parent: &parent,
        namespace,
        generation,
        spec: model.spec(),
        status: &status,
        config: &config,
        image: image.as_ref(),
        templates: &K::templates(caches, &name, &parent.uid),
    });
    if let Some(Err(_)) = &image {
        // A Secret, a right or an image that is made later wakes nobody.
        planned.again = Some(planned.again.map_or(FAILED, |again| again.min(FAILED)));
    }
    rounds.finish(&*model, planned).await
}

/// What the image says of itself.
async fn ask<K: Model>(rounds: &Rounds, model: &K, name: &ObjectName) -> Result<ImageMetadata, Fault> {
    let shared = &rounds.shared;
    let secrets = &model.spec().image_pull_secrets;
    // A model of the cluster has its pull secrets in the operator's namespace.
    let namespace = match name.namespace.as_str() {
        "" => shared.settings.namespace.as_str(),
        namespace => namespace,
    };
    let generation = model.meta().generation;
    if let Some(fault) = shared.asked.too_early(K::NAME, name, generation, Instant::now()) {
        return Err(fault);
    }
    let (client, own) = (&shared.context.client, &shared.settings.namespace);
    let keyring = secrets::keyring(client, own, namespace, secrets).await?;
    let labels = shared.registry.labels(&model.spec().image, &keyring).await;
    let found = labels.map_err(|error| error.fault()).and_then(said);
    match &found {
        Ok(_) => shared.asked.forget(K::NAME, name),
        Err(fault) => {
            let pause = shared
                .asked
                .failed(K::NAME, name, generation, fault, Instant::now());
            tracing::info!(kind = K::NAME, %name, %fault, ?pause, "the registry does not say what the image is");
        }
    }
    found
}

/// What labels say of an image.
fn said(labels: BTreeMap<String, String>) -> Result<ImageMetadata, Fault> {
    metadata::read(labels).map_err(|invalid| {
        let reason = "ImageLabelsUnreadable";
        Fault::new(Category::Infrastructure, reason, invalid.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_cannot_be_read_are_told_as_such() {
        let label = "com.amd.aim.model.recommendedDeployments";
        let read = |text: &str| said([(label.to_owned(), text.to_owned())].into());
        assert!(read("{'metric': 'latency'}").is_ok());
        let reason = read("{'metric'").unwrap_err().reason;
        assert!(reeve_serving_specs::conditions::OF_REGISTRIES.contains(&reason.as_str()));
        assert_eq!(reason, "ImageLabelsUnreadable");
    }
}
