use std::collections::BTreeMap;

use reeve_serving::select::{Candidate, NotSelected, select};
use reeve_serving_crds::{AimServiceTemplateSpec, AimServiceTemplateStatus, Scope};
use serde_json::{Value, json};

use crate::things::of;

struct Template {
    name: &'static str,
    scope: Scope,
    spec: AimServiceTemplateSpec,
    status: AimServiceTemplateStatus,
}

fn template(name: &'static str, metadata: Value) -> Template {
    Template {
        name,
        scope: Scope::Namespace,
        spec: of(json!({"modelName": "m"})),
        status: of(json!({"status": "Ready", "profile": {"metadata": metadata}})),
    }
}

fn choose(
    templates: &[Template],
    overrides: Option<Value>,
    unoptimized: bool,
) -> Result<&'static str, NotSelected> {
    let candidates: Vec<Candidate<'_>> = templates
        .iter()
        .map(|t| Candidate {
            name: t.name,
            scope: t.scope,
            spec: &t.spec,
            status: Some(&t.status),
        })
        .collect();
    let inventory = BTreeMap::from(["MI300X", "MI325X", "MI210"].map(|model| (model.to_owned(), 0)));
    let chosen = select(&candidates, overrides.map(of).as_ref(), unoptimized, &inventory)?;
    Ok(templates.iter().find(|t| t.name == chosen.name).unwrap().name)
}

fn optimized(gpu: &str, metric: &str, precision: &str) -> Value {
    json!({"type": "optimized", "gpu": gpu, "gpuCount": 1, "metric": metric, "precision": precision})
}

#[test]
fn the_best_is_chosen_by_type_gpu_metric_and_precision() {
    let templates = [
        template(
            "unoptimized",
            json!({"type": "unoptimized", "gpu": "MI325X", "metric": "latency", "precision": "fp4"}),
        ),
        template("older-gpu", optimized("MI210", "latency", "fp4")),
        template("throughput", optimized("MI300X", "throughput", "fp4")),
        template("wide", optimized("MI300X", "latency", "fp16")),
        template("best", optimized("MI300X", "latency", "fp8")),
        template("absent-gpu", optimized("MI355X", "latency", "fp4")),
    ];
    assert_eq!(choose(&templates, None, true), Ok("best"));
    assert_eq!(
        choose(&templates, Some(json!({"metric": "throughput"})), false),
        Ok("throughput")
    );
    assert_eq!(
        choose(&templates, Some(json!({"precision": "fp16"})), false),
        Ok("wide")
    );
    let gpu = json!({"hardware": {"gpu": {"model": "Instinct-MI210", "requests": 1}}});
    assert_eq!(choose(&templates, Some(gpu), false), Ok("older-gpu"));
    let error = choose(&templates, Some(json!({"precision": "int8"})), false).unwrap_err();
    assert_eq!(error.reason(), "TemplateNotFound");
    assert!(
        error
            .to_string()
            .contains("none of 6 ready templates fits: 1 not optimized"),
        "{error}"
    );
}

#[test]
fn what_is_not_optimized_needs_permission() {
    let templates = [template("preview", json!({"type": "preview"}))];
    assert_eq!(choose(&templates, None, true), Ok("preview"));
    let error = choose(&templates, None, false).unwrap_err();
    assert!(error.to_string().contains("allowUnoptimized"), "{error}");
    let mut bare = template("no-profile", json!({}));
    bare.status.profile = None;
    assert!(choose(&[bare], None, false).is_err());
}

#[test]
fn the_namespaces_own_template_goes_before_a_better_one_of_the_cluster() {
    let mut cluster = template("cluster", optimized("MI325X", "latency", "fp4"));
    cluster.scope = Scope::Cluster;
    let own = template("own", optimized("MI210", "throughput", "fp32"));
    assert_eq!(choose(&[cluster, own], None, false), Ok("own"));
}

#[test]
fn templates_that_are_not_ready_are_waited_for() {
    let mut pending = template("pending", json!({"type": "optimized"}));
    pending.status.status = None;
    let error = choose(&[pending], None, false).unwrap_err();
    assert_eq!(
        (error.reason(), &error),
        ("TemplateNotReady", &NotSelected::NotReady(1))
    );
    assert_eq!(choose(&[], None, false).unwrap_err().reason(), "TemplateNotFound");
}
