use k8s_openapi::api::batch::v1::Job;
use reeve_serving::config::{ConfigNotFound, RuntimeConfig};
use reeve_serving::discovery::{Discovered, UnreadableLog, read_log};
use reeve_serving::gpu::Inventory;
use reeve_serving::labels::Controller;
use reeve_serving::plan::{Plan, template};
use reeve_serving_crds::{AimServiceTemplateStatus, ModelState};
use reeve_serving_specs::conditions::Case;
use serde_json::{Value, json};

use super::{NOW, case, configs, pods};
use crate::plan::job_of;
use crate::things::{of, parent, time};

const ANSWER: &str = r#"[{"profile": {}, "models": []}]"#;

/// What is seen of a template `t` of the model `m`, whose image is `i:1`.
pub(super) struct Around<'a> {
    spec: Value,
    config: Result<RuntimeConfig, ConfigNotFound>,
    /// The model's spec, state and conditions.
    model: Option<(Value, Option<ModelState>, Value)>,
    inventory: Inventory,
    job: Option<Value>,
    pod: Option<&'a pods::Seen>,
    answer: Option<Result<Discovered, UnreadableLog>>,
}

impl Default for Around<'_> {
    fn default() -> Self {
        Self {
            spec: json!({"modelName": "m"}),
            config: Ok(RuntimeConfig::default()),
            model: Some((json!({"image": "i:1"}), Some(ModelState::Ready), json!([]))),
            inventory: Inventory::default(),
            job: None,
            pod: None,
            answer: None,
        }
    }
}

impl Around<'_> {
    pub(super) fn without_model() -> Self {
        Self {
            model: None,
            ..Self::default()
        }
    }

    pub(super) fn plan(self, kind: &'static str) -> Plan<AimServiceTemplateStatus> {
        let of_cluster = kind == "AIMClusterServiceTemplate";
        let controller = match of_cluster {
            true => Controller::ClusterServiceTemplate,
            false => Controller::ServiceTemplate,
        };
        let (model, state, conditions) = self.model.clone().unwrap_or_default();
        let conditions: Vec<_> = match conditions {
            Value::Null => Vec::new(),
            conditions => of(conditions),
        };
        let model = match model {
            Value::Null => of(json!({"image": "none"})),
            model => of(model),
        };
        let seen = template::SeenModel {
            spec: &model,
            state,
            conditions: &conditions,
        };
        let job: Option<Job> = self.job.map(of);
        let pods: Vec<_> = self.pod.into_iter().map(pods::Seen::seen).collect();
        template::plan(&template::Seen {
            parent: &parent(kind, "t", controller),
            namespace: (!of_cluster).then_some("ns"),
            job_namespace: "ns",
            spec: &of(self.spec),
            status: &of(json!({})),
            config: &self.config,
            model: self.model.is_some().then_some(seen),
            inventory: &self.inventory,
            job: job.as_ref(),
            pods: &pods,
            answer: self.answer.as_ref(),
            discoveries: 0,
            has_cache: false,
            now: time(NOW).0,
        })
    }
}

fn of_kind(kind: &'static str) -> Vec<Case> {
    let told = |name: &str, around: Around<'_>| case(kind, format!("a template {name}"), &around.plan(kind));
    let mut cases = Vec::new();
    for (name, config) in configs() {
        cases.push(told(
            &format!("with {name}"),
            Around {
                config,
                ..Around::default()
            },
        ));
    }
    let with_model = |image: &str, state, conditions: Value| Around {
        model: Some((json!({"image": image}), Some(state), conditions)),
        ..Around::default()
    };
    let broken = json!([{"type": "ImageMetadataReady", "status": "False", "reason": "r", "message": "m", "lastTransitionTime": NOW}]);
    cases.extend([
        told("without its model", Around::without_model()),
        told(
            "whose model names no image",
            with_model("", ModelState::Ready, json!([])),
        ),
        told(
            "whose model is broken",
            with_model("i:1", ModelState::Failed, broken),
        ),
    ]);
    let with_gpu = |gpu: Value, inventory: Inventory| Around {
        spec: json!({"modelName": "m", "hardware": {"gpu": gpu}}),
        inventory,
        ..Around::default()
    };
    let there: Inventory = [("MI300X".to_owned(), 192 << 30)].into();
    cases.extend([
        told(
            "whose GPU is there",
            with_gpu(json!({"requests": 1}), there.clone()),
        ),
        told(
            "whose GPU is not there",
            with_gpu(json!({"requests": 1}), Inventory::default()),
        ),
        told(
            "whose GPU is too small",
            with_gpu(json!({"requests": 1, "minVram": "999Gi"}), there),
        ),
    ]);
    let files = json!([{"modelId": "a/b", "sourceUri": "hf://a/b"}]);
    let job = job_of(&json!({"modelName": "m"}), "i:1");
    let answered = |answer| Around {
        job: Some(pods::complete(&job)),
        answer: Some(answer),
        ..Around::default()
    };
    cases.extend([
        told(
            "that names its files",
            Around {
                spec: json!({"modelName": "m", "modelSources": files}),
                ..Around::default()
            },
        ),
        told("whose image was not asked yet", Around::default()),
        told("whose image answered", answered(read_log(ANSWER))),
        told(
            "whose image answered what nobody understands",
            answered(Err(UnreadableLog)),
        ),
    ]);
    for (name, job) in pods::jobs(&job) {
        cases.push(told(
            &format!("with {name}"),
            Around {
                job: Some(job),
                ..Around::default()
            },
        ));
    }
    for pod in pods::all() {
        cases.push(told(
            &format!("with {}", pod.name),
            Around {
                job: Some(pods::running(&job)),
                pod: Some(&pod),
                ..Around::default()
            },
        ));
    }
    cases
}

pub(super) fn cases() -> Vec<Case> {
    [
        of_kind("AIMServiceTemplate"),
        of_kind("AIMClusterServiceTemplate"),
    ]
    .concat()
}
