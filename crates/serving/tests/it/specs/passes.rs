//! One pass over an object of each kind, and what it sees of the stage.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use k8s_openapi::api::batch::v1::Job;
use reeve_serving::artifact::Artifact;
use reeve_serving::config::{self, ConfigNotFound, RuntimeConfig};
use reeve_serving::discovery::read_log;
use reeve_serving::fault::{Category, Fault};
use reeve_serving::gpu::inventory;
use reeve_serving::image::ImageReference;
use reeve_serving::labels::Controller;
use reeve_serving::owner::Parent;
use reeve_serving::plan::{artifact, cache, model, service, source, template};
use reeve_serving::source::{Filter, Image};
use reeve_serving_crds::{
    AimArtifactSpec, AimClusterModel, AimClusterModelSourceSpec, AimClusterServiceTemplate, AimModel,
    AimModelSpec, AimRuntimeConfigSpec, AimServiceTemplate, AimServiceTemplateSpec, ImageFilter,
    ImageMetadata, ModelState,
};
use reeve_serving_specs::around;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::stage::{NOW, Stage};
use crate::things::{UID, of, time};

const ANSWER: &str = r#"[{"profile": {"metadata": {"engine": "vllm", "gpu": "", "gpu_count": 0, "metric": "latency", "precision": "fp16", "type": "optimized"}, "engine_args": {}, "env_vars": {}}, "models": [{"name": "org/tiny", "source": "hf://org/tiny", "size_gb": 0.5}]}]"#;

/// What is around, of a kind.
fn beside<T: DeserializeOwned>(kind: &str) -> Vec<T> {
    static ALL: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let all = around::of_namespace().into_iter().chain(around::of_cluster());
        let with_uid = |mut object: Value| {
            object["metadata"]["uid"] = json!(format!("{}/{}", object["kind"], object["metadata"]["name"]));
            object
        };
        all.map(with_uid).collect()
    });
    let of_kind = ALL.iter().filter(|object| object["kind"] == kind);
    of_kind.map(|object| of(object.clone())).collect()
}

/// What a service looks at, read once.
struct Around {
    models: Vec<AimModel>,
    cluster_models: Vec<AimClusterModel>,
    templates: Vec<AimServiceTemplate>,
    cluster_templates: Vec<AimClusterServiceTemplate>,
}

static AROUND: LazyLock<Around> = LazyLock::new(|| Around {
    models: beside("AIMModel"),
    cluster_models: beside("AIMClusterModel"),
    templates: beside("AIMServiceTemplate"),
    cluster_templates: beside("AIMClusterServiceTemplate"),
});

fn ended() -> Value {
    json!({"conditions": [{"type": "Complete", "status": "True", "reason": "Done", "message": "", "lastTransitionTime": NOW}]})
}

impl Stage {
    fn in_namespace(&self) -> Option<&'static str> {
        (!self.kind.starts_with("AIMCluster")).then_some("ns")
    }

    fn config(&self) -> Result<RuntimeConfig, ConfigNotFound> {
        let name = config::name(self.object["spec"]["runtimeConfigName"].as_str());
        if ![around::CONFIG, "own"].contains(&name) {
            return config::resolve(name, None, None);
        }
        let spec = |kind: &str| {
            let of_kind = beside::<Value>(kind)
                .into_iter()
                .find(|config| config["metadata"]["name"] == name);
            let own = (self.kind == kind && name == "own").then(|| json!({"spec": self.spec}));
            own.or(of_kind)
                .map(|config| of::<AimRuntimeConfigSpec>(config["spec"].clone()))
        };
        let namespaced = spec("AIMRuntimeConfig").filter(|_| self.in_namespace().is_some() || name == "own");
        config::resolve(
            name,
            spec("AIMClusterRuntimeConfig").as_ref(),
            namespaced.as_ref(),
        )
    }

    fn parent(
        &self,
        kind: &'static str,
        controller: Controller,
        config: &Result<RuntimeConfig, ConfigNotFound>,
    ) -> Parent {
        let metadata = of(self.object["metadata"].clone());
        let propagation = config
            .as_ref()
            .ok()
            .and_then(|config| config.spec.label_propagation.as_ref());
        Parent::new(kind, &metadata, controller).propagating(propagation)
    }

    fn generation(&self) -> Option<i64> {
        self.object["metadata"]["generation"].as_i64()
    }

    /// Answers whether anything was changed.
    pub(super) fn pass(&mut self) -> Result<bool, String> {
        match self.kind {
            "AIMArtifact" => self.artifact(),
            "AIMModel" | "AIMClusterModel" => self.model(),
            "AIMServiceTemplate" | "AIMClusterServiceTemplate" => self.template(),
            "AIMTemplateCache" => self.cache(),
            "AIMClusterModelSource" => self.source(),
            _ => self.service(),
        }
    }

    fn job(&self, part: &str) -> Option<Job> {
        let jobs = self.made("Job", &ended());
        let mut of_part = jobs
            .into_iter()
            .filter(|job| job["metadata"]["name"].as_str().unwrap().contains(part));
        of_part.next().map(of)
    }

    fn artifact(&mut self) -> Result<bool, String> {
        let spec: AimArtifactSpec = of(self.object["spec"].clone());
        let status = of(self.status());
        let config = self.config();
        let in_force = config
            .as_ref()
            .map(|config| config.spec.clone())
            .unwrap_or_default();
        let parent = self.parent("AIMArtifact", Controller::Artifact, &config);
        let (check, download) = (self.job("check-size"), self.job("download"));
        let bound = json!({"phase": "Bound"});
        let claim = self.made("PersistentVolumeClaim", &bound).pop().map(of);
        let size = check.as_ref().map(|_| Ok(1 << 20));
        let plan = || {
            artifact::plan(&artifact::Seen {
                artifact: Artifact {
                    parent: &parent,
                    namespace: "ns",
                    spec: &spec,
                    config: &in_force,
                    service_account: Some(artifact::ACCOUNT),
                    download_image: None,
                },
                owned: false,
                generation: self.generation(),
                status: &status,
                config: &config,
                check: artifact::SeenJob {
                    job: check.as_ref(),
                    pod: None,
                },
                size: size.as_ref(),
                claim: claim.as_ref(),
                claim_events: &[],
                download: artifact::SeenJob {
                    job: download.as_ref(),
                    pod: None,
                },
            })
        };
        let (once, twice) = (plan(), plan());
        same(&once.children, &twice.children)?;
        self.finish(once, &status)
    }

    fn model(&mut self) -> Result<bool, String> {
        let (kind, templates, controller) = match self.in_namespace() {
            Some(_) => ("AIMModel", "AIMServiceTemplate", Controller::Model),
            None => (
                "AIMClusterModel",
                "AIMClusterServiceTemplate",
                Controller::ClusterModel,
            ),
        };
        let spec: AimModelSpec = of(self.object["spec"].clone());
        let status = of(self.status());
        let config = self.config();
        let parent = self.parent(kind, controller, &config);
        let image = model::asks_registry(&spec, &status, self.generation()).then(|| registry(&spec.image));
        let seen = |template: Value| model::SeenTemplate {
            name: template["metadata"]["name"].as_str().unwrap().to_owned(),
            owned: template["metadata"]["ownerReferences"][0]["uid"] == UID,
            state: Some(ModelState::Ready),
        };
        let seen: Vec<_> = self.made(templates, &json!({})).into_iter().map(seen).collect();
        let plan = || {
            model::plan(&model::Seen {
                parent: &parent,
                namespace: self.in_namespace(),
                generation: self.generation(),
                spec: &spec,
                status: &status,
                config: &config,
                image: image.as_ref(),
                templates: &seen,
            })
        };
        let (once, twice) = (plan(), plan());
        same(&once.children, &twice.children)?;
        self.finish(once, &status)
    }

    fn template(&mut self) -> Result<bool, String> {
        let (kind, model, controller) = match self.in_namespace() {
            Some(_) => ("AIMServiceTemplate", "AIMModel", Controller::ServiceTemplate),
            None => (
                "AIMClusterServiceTemplate",
                "AIMClusterModel",
                Controller::ClusterServiceTemplate,
            ),
        };
        let spec: AimServiceTemplateSpec = of(self.object["spec"].clone());
        let status = of(self.status());
        let config = self.config();
        let parent = self.parent(kind, controller, &config);
        let models: Vec<Value> = beside(model);
        let of_name = models
            .iter()
            .find(|model| model["metadata"]["name"] == spec.model_name);
        let of_name: Option<AimModelSpec> = of_name.map(|model| of(model["spec"].clone()));
        let tracked = template::tracks_discovery(&spec, &status, of_name.as_ref());
        let job = self.job("discover-").filter(|_| tracked);
        let answer = job.as_ref().map(|_| read_log(ANSWER));
        let plan = || {
            template::plan(&template::Seen {
                parent: &parent,
                namespace: self.in_namespace(),
                job_namespace: "ns",
                spec: &spec,
                status: &status,
                config: &config,
                model: of_name.as_ref().map(|spec| template::SeenModel {
                    spec,
                    state: Some(ModelState::Ready),
                    conditions: &[],
                }),
                inventory: &inventory([]),
                job: job.as_ref(),
                pods: &[],
                answer: answer.as_ref(),
                discoveries: 0,
                has_cache: self
                    .children
                    .keys()
                    .any(|key| key.starts_with("AIMTemplateCache/")),
                now: time(NOW).0,
            })
        };
        let (once, twice) = (plan(), plan());
        same(&once.children, &twice.children)?;
        self.finish(once, &status)
    }

    fn cache(&mut self) -> Result<bool, String> {
        let cache: reeve_serving_crds::AimTemplateCache = of(self.object.clone());
        let status = of(self.status());
        let config = self.config();
        let parent = self.parent("AIMTemplateCache", Controller::TemplateCache, &config);
        let kinds: &[&str] = match cache.spec.template_scope {
            reeve_serving_crds::Scope::Namespace => &["AIMServiceTemplate"],
            reeve_serving_crds::Scope::Cluster => &["AIMClusterServiceTemplate"],
            _ => &["AIMServiceTemplate", "AIMClusterServiceTemplate"],
        };
        let found = kinds.iter().find_map(|kind| {
            let all: Vec<Value> = beside(kind);
            let found = all
                .into_iter()
                .find(|template| template["metadata"]["name"] == cache.spec.template_name)?;
            Some((*kind, of(found["status"].clone())))
        });
        let artifacts = self.made("AIMArtifact", &json!({"status": "Ready"}));
        let artifacts: Vec<_> = artifacts.into_iter().map(of).collect();
        let plan = || {
            cache::plan(&cache::Seen {
                cache: &cache,
                parent: &parent,
                namespace: "ns",
                config: &config,
                template: found.as_ref().map(|(kind, status)| cache::SeenTemplate {
                    kind: if *kind == "AIMServiceTemplate" {
                        "AIMServiceTemplate"
                    } else {
                        "AIMClusterServiceTemplate"
                    },
                    generation: None,
                    status,
                }),
                artifacts: &artifacts,
            })
        };
        let (once, twice) = (plan(), plan());
        same(&once.children, &twice.children)?;
        self.finish(once, &status)
    }

    fn source(&mut self) -> Result<bool, String> {
        let spec: AimClusterModelSourceSpec = of(self.object["spec"].clone());
        let status = of(self.status());
        let (now, generation) = (time(NOW), self.generation());
        if !source::pause(&spec, &status, generation, &now).is_zero() {
            return Ok(false);
        }
        let parent = self.parent(
            "AIMClusterModelSource",
            Controller::ClusterModelSource,
            &Ok(RuntimeConfig::default()),
        );
        let found: Vec<_> = spec.filters.iter().map(|filter| listed(&spec, filter)).collect();
        let models = self.made("AIMClusterModel", &json!({}));
        let existing: BTreeSet<String> = models
            .iter()
            .map(|model| model["spec"]["image"].as_str().unwrap().to_owned())
            .collect();
        let plan = || {
            source::plan(&source::Seen {
                parent: &parent,
                generation,
                spec: &spec,
                status: &status,
                existing: &existing,
                found: &found,
                now: &now,
            })
        };
        let (once, twice) = (plan(), plan());
        same(&once.children, &twice.children)?;
        self.finish(once, &status)
    }

    fn service(&mut self) -> Result<bool, String> {
        let service: reeve_serving_crds::AimService = of(self.object.clone());
        let status = of(self.status());
        let config = self.config();
        let parent = self.parent("AIMService", Controller::Service, &config);
        let ready = json!({"status": "Ready", "observedGeneration": 1});
        let runs = json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": NOW}]});
        let mut models = AROUND.models.clone();
        models.extend(self.made("AIMModel", &ready).into_iter().map(of::<AimModel>));
        let mut templates = AROUND.templates.clone();
        let derived = self.made("AIMServiceTemplate", &ready);
        templates.extend(derived.into_iter().map(of::<AimServiceTemplate>));
        let caches: Vec<_> = self
            .made("AIMTemplateCache", &ready)
            .into_iter()
            .map(of)
            .collect();
        let inference = self.made("InferenceService", &runs).pop();
        let mut route = self.made("HTTPRoute", &json!({})).pop();
        if let Some(route) = &mut route {
            route["status"] = json!({"parents": [{
                "parentRef": route["spec"]["parentRefs"][0],
                "conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "observedGeneration": 1}],
            }]});
        }
        let gpus = inventory([]);
        let seen = service::Seen {
            service: &service,
            parent: &parent,
            namespace: "ns",
            config: &config,
            models: &models,
            cluster_models: &AROUND.cluster_models,
            templates: &templates,
            cluster_templates: &AROUND.cluster_templates,
            caches: &caches,
            inventory: &gpus,
            inference: inference.as_ref(),
            events: &[],
            pods: &[],
            route: route.as_ref(),
            autoscaler: None,
            now: time(NOW).0,
        };
        let (once, twice) = (service::plan(&seen), service::plan(&seen));
        same(&once.children, &twice.children)?;
        if service::has_unwanted_route(&seen) && !self.forgetful_gateway {
            self.children.retain(|key, _| !key.starts_with("HTTPRoute/"));
        }
        self.finish(once, &status)
    }
}

fn same(once: &[reeve_serving::plan::Child], twice: &[reeve_serving::plan::Child]) -> Result<(), String> {
    match once == twice {
        true => Ok(()),
        false => Err("two passes that see the same plan different objects".to_owned()),
    }
}

/// What a registry says of an image.
fn registry(image: &str) -> Result<ImageMetadata, Fault> {
    match ImageReference::parse(image) {
        Ok(_) => Ok(of(
            json!({"model": {"canonicalName": "org/tiny", "recommendedDeployments": [{"metric": "latency"}, {"gpuModel": "MI300X", "gpuCount": 1}]}}),
        )),
        Err(invalid) => Err(Fault::new(
            Category::Infrastructure,
            "InvalidImageReference",
            invalid.to_string(),
        )),
    }
}

/// What a registry has for a filter.
fn listed(spec: &AimClusterModelSourceSpec, filter: &ImageFilter) -> Result<BTreeSet<Image>, Fault> {
    let registry = spec.registry.clone().unwrap_or_default();
    let read = Filter::read(filter);
    if let Some(image) = read.single(&registry) {
        return Ok(BTreeSet::from([image]));
    }
    if ["a b", ""].contains(&filter.image.as_str()) {
        return Err(Fault::new(
            Category::Infrastructure,
            "NotFound",
            "no such repository",
        ));
    }
    let tags = ["0.9.0", "1.2.0", "latest"].map(|tag| Image {
        registry: registry.clone(),
        repository: "team/tiny".to_owned(),
        tag: tag.to_owned(),
    });
    Ok(tags
        .into_iter()
        .filter(|image| read.selects(image, &spec.versions))
        .collect())
}
