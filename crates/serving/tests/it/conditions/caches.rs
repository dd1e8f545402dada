use reeve_serving::config::{ConfigNotFound, RuntimeConfig};
use reeve_serving::labels::Controller;
use reeve_serving::plan::cache;
use reeve_serving_crds::{AimArtifact, AimTemplateCache};
use reeve_serving_specs::conditions::{Case, PASSED};
use serde_json::{Value, json};

use super::{NOW, case, configs};
use crate::things::{of, parent};

fn told(
    name: &str,
    config: &Result<RuntimeConfig, ConfigNotFound>,
    template: Option<&Value>,
    artifacts: &[AimArtifact],
) -> Case {
    let cache: AimTemplateCache = of(json!({"metadata": {"name": "c", "namespace": "ns"},
        "spec": {"templateName": "t", "templateScope": "Namespace"}}));
    let status = template.map(|status| of(status.clone()));
    let plan = cache::plan(&cache::Seen {
        cache: &cache,
        parent: &parent("AIMTemplateCache", "c", Controller::TemplateCache),
        namespace: "ns",
        config,
        template: status.as_ref().map(|status| cache::SeenTemplate {
            kind: "AIMServiceTemplate",
            generation: None,
            status,
        }),
        artifacts,
    });
    case("AIMTemplateCache", name, &plan)
}

/// The condition `Ready` of another object, with a word of its own.
fn ready(holds: &str) -> Value {
    json!([{"type": "Ready", "status": holds, "reason": PASSED, "message": "m", "lastTransitionTime": NOW}])
}

fn template(state: &str, conditions: &Value) -> Value {
    let files = json!([{"modelId": "a/b", "sourceUri": "hf://a/b"}]);
    json!({"status": state, "conditions": conditions, "modelSources": files})
}

fn artifact(state: &str, conditions: &Value) -> Vec<AimArtifact> {
    vec![of(
        json!({"metadata": {"name": "a"}, "spec": {"sourceUri": "hf://a/b"},
        "status": {"status": state, "conditions": conditions}}),
    )]
}

pub(super) fn cases() -> Vec<Case> {
    let none = json!([]);
    let good = template("Ready", &ready("True"));
    let mut cases = Vec::new();
    for (name, config) in configs() {
        cases.push(told(&format!("a cache with {name}"), &config, Some(&good), &[]));
    }
    let [(_, default), ..] = configs();
    let of_template = |name: &str, template: Option<&Value>| told(name, &default, template, &[]);
    let of_artifacts = |name: &str, artifacts: &[AimArtifact]| told(name, &default, Some(&good), artifacts);
    cases.extend([
        of_template("a cache without its template", None),
        of_template("a cache of a template that says why it is ready", Some(&good)),
        of_template(
            "a cache of a template that says why it is not",
            Some(&template("Failed", &ready("False"))),
        ),
        of_template(
            "a cache of a ready template without conditions",
            Some(&template("Ready", &none)),
        ),
        of_template(
            "a cache of a template on its way without conditions",
            Some(&template("Progressing", &none)),
        ),
        of_template(
            "a cache of a template without files",
            Some(&json!({"status": "Ready"})),
        ),
        of_artifacts("a cache without its artifacts", &[]),
        of_artifacts("a cache whose artifacts are ready", &artifact("Ready", &none)),
        of_artifacts(
            "a cache with an artifact that says why it failed",
            &artifact("Failed", &ready("False")),
        ),
        of_artifacts(
            "a cache with an artifact that does not say why",
            &artifact("Failed", &none),
        ),
    ]);
    cases
}
