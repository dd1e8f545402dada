use reeve_serving::config::{ConfigNotFound, RuntimeConfig};
use reeve_serving::fault::{Category, Fault};
use reeve_serving::labels::Controller;
use reeve_serving::plan::model;
use reeve_serving_crds::{ImageMetadata, ModelState as S};
use reeve_serving_specs::conditions::{Case, PASSED};
use serde_json::{Value, json};

use super::{case, configs};
use crate::things::{of, parent};

struct Model {
    kind: &'static str,
    namespace: Option<&'static str>,
    controller: Controller,
}

impl Model {
    fn told(
        &self,
        name: &str,
        spec: &Value,
        config: &Result<RuntimeConfig, ConfigNotFound>,
        image: Option<&Result<ImageMetadata, Fault>>,
        states: &[Option<S>],
    ) -> Case {
        let template = |state: &Option<S>| model::SeenTemplate {
            name: "own".to_owned(),
            owned: false,
            state: *state,
        };
        let plan = model::plan(&model::Seen {
            parent: &parent(self.kind, "m", self.controller),
            namespace: self.namespace,
            generation: Some(1),
            spec: &of(spec.clone()),
            status: &of(json!({})),
            config,
            image,
            templates: &states.iter().map(template).collect::<Vec<_>>(),
        });
        case(self.kind, name, &plan)
    }

    fn cases(&self) -> Vec<Case> {
        let [(_, default), ..] = configs();
        let plain = json!({"image": "i:1"});
        let mut cases = Vec::new();
        for (name, config) in configs() {
            cases.push(self.told(&format!("a model with {name}"), &plain, &config, None, &[]));
        }
        let named = of(json!({"model": {"canonicalName": "org/tiny"}}));
        let refused = Err(Fault::new(Category::Infrastructure, PASSED, "why"));
        let with = |name: &str, spec: Value, image: Option<&Result<ImageMetadata, Fault>>| {
            self.told(name, &spec, &default, image, &[])
        };
        let files = json!([{"modelId": "a/b", "sourceUri": "hf://a/b"}]);
        cases.extend([
            with(
                "a model whose image says its name",
                plain.clone(),
                Some(&Ok(named)),
            ),
            with(
                "a model whose image says no name",
                plain.clone(),
                Some(&Ok(ImageMetadata::default())),
            ),
            with(
                "a model whose registry gives no labels",
                plain.clone(),
                Some(&refused),
            ),
            with("a model whose image is none", json!({"image": "a b"}), None),
            with("a model whose image was not asked yet", plain.clone(), None),
            with(
                "a model with files and no template yet",
                json!({"image": "i:1", "modelSources": files}),
                None,
            ),
            with(
                "a model whose image recommends nothing",
                json!({"image": "i:1", "imageMetadata": {}}),
                None,
            ),
        ]);
        let states: [(&str, &[Option<S>]); 6] = [
            ("a model whose templates are ready", &[Some(S::Ready)]),
            (
                "a model with a template for another GPU",
                &[Some(S::Ready), Some(S::NotAvailable)],
            ),
            ("a model with a template on its way", &[Some(S::Ready), None]),
            (
                "a model with a broken template",
                &[Some(S::Ready), Some(S::Failed)],
            ),
            (
                "a model whose templates are all broken",
                &[Some(S::Failed), Some(S::Degraded)],
            ),
            ("a model whose GPUs are all missing", &[Some(S::NotAvailable)]),
        ];
        cases.extend(states.map(|(name, states)| self.told(name, &plain, &default, None, states)));
        cases
    }
}

pub(super) fn cases() -> Vec<Case> {
    let of_namespace = Model {
        kind: "AIMModel",
        namespace: Some("ns"),
        controller: Controller::Model,
    };
    let of_cluster = Model {
        kind: "AIMClusterModel",
        namespace: None,
        controller: Controller::ClusterModel,
    };
    [of_namespace.cases(), of_cluster.cases()].concat()
}
