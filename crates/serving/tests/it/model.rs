use reeve_serving::fault::State;
use reeve_serving::model::{expects_templates, merge_hardware, templates, templates_health};
use reeve_serving_crds::{AimModelSpec, ModelState as S};
use serde_json::{Value, json};

use crate::things::of;

/// States of templates, what is expected, and how they stand together.
type Row<'a> = (&'a [Option<S>], Option<bool>, State, &'a str);

fn source() -> Value {
    json!([{"modelId": "a/b", "sourceUri": "hf://a/b"}])
}

#[test]
fn whether_templates_are_expected() {
    let ask = |spec: Value, known: Option<Value>| expects_templates(&of(spec), known.map(of).as_ref());
    let some = json!({"model": {"recommendedDeployments": [{"gpuModel": "MI300X"}]}});
    assert_eq!(ask(json!({"image": "a"}), None), None);
    assert_eq!(ask(json!({"image": "a"}), Some(json!({}))), Some(false));
    assert_eq!(ask(json!({"image": "a"}), Some(some.clone())), Some(true));
    assert_eq!(
        ask(json!({"image": "a", "imageMetadata": {}}), Some(some.clone())),
        Some(false),
        "the spec's comes first"
    );
    assert_eq!(
        ask(json!({"image": "a", "modelSources": source()}), None),
        Some(true)
    );
    let off = json!({"image": "a", "modelSources": source(), "discovery": {"createServiceTemplates": false}});
    assert_eq!(ask(off, Some(some)), Some(false));
}

#[test]
fn templates_have_what_the_model_and_the_image_say() {
    let spec: AimModelSpec = of(json!({
        "image": "i:1", "imagePullSecrets": [{"name": "s"}], "serviceAccountName": "sa", "env": [{"name": "A", "value": "1"}],
        "custom": {"hardware": {"gpu": {"requests": 1, "model": "MI210"}, "cpu": {"requests": "4"}}, "type": "preview"},
        "customTemplates": [{"name": "x", "env": [{"name": "A", "value": "2"}], "hardware": {"gpu": {"model": "MI300X"}}}],
    }));
    let known = of(json!({"model": {"recommendedDeployments": [
        {"gpuModel": "MI300X", "gpuCount": 2, "metric": "latency", "precision": "FP8", "profileId": "p"},
        {"gpuModel": "MI300X", "metric": "something else"}]}}));
    let made = templates("m", &spec, Some(&known), true);
    let specs: Vec<Value> = made
        .iter()
        .map(|t| serde_json::to_value(&t.spec).unwrap())
        .collect();
    let common = json!({"modelName": "m", "imagePullSecrets": [{"name": "s"}], "serviceAccountName": "sa"});
    let with = |more: Value| {
        let mut all = common.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(
        specs,
        [
            with(
                json!({"metric": "latency", "precision": "fp8", "profileId": "p", "hardware": {"gpu": {"requests": 2, "model": "MI300X"}}})
            ),
            with(json!({})),
            with(
                json!({"type": "preview", "env": [{"name": "A", "value": "2"}], "resources": {"requests": {"cpu": "4"}},
                    "hardware": {"gpu": {"requests": 1, "model": "MI300X"}, "cpu": {"requests": "4"}}})
            ),
        ]
    );
    assert_eq!(made[2].labels["aim.eai.amd.com/template.alias"], "x");
    assert!(
        templates("m", &spec, Some(&known), false)[2].spec.env.is_empty(),
        "the cluster's have no environment"
    );
    assert!(
        templates("m", &spec, None, true).is_empty(),
        "nothing before the metadata is known"
    );
}

#[test]
fn hardware_is_merged_field_by_field() {
    let base = of(json!({"gpu": {"requests": 1, "minVram": "1G", "resourceName": "r"}}));
    let over = of(
        json!({"gpu": {"requests": 0, "model": "", "minVram": "2G", "resourceName": "s"}, "cpu": {"requests": "1"}}),
    );
    let merged = serde_json::to_value(merge_hardware(Some(&base), Some(&over))).unwrap();
    assert_eq!(
        merged,
        json!({"gpu": {"requests": 1, "minVram": "1G", "resourceName": "s"}, "cpu": {"requests": "1"}})
    );
    assert_eq!(merge_hardware(Some(&base), None), Some(base));
    assert_eq!(merge_hardware(None, None), None);
}

#[test]
fn templates_stand_together_as_tabulated() {
    let ask = |states: &[Option<S>], expected| {
        let health = templates_health(states, expected);
        (health.state, health.reason)
    };
    let table: &[Row<'_>] = &[
        (&[], None, State::Progressing, "AwaitingMetadata"),
        (&[], Some(true), State::Progressing, "CreatingTemplates"),
        (&[], Some(false), State::Ready, "NoTemplatesExpected"),
        (&[Some(S::Ready)], None, State::Ready, "AllTemplatesReady"),
        (
            &[Some(S::Failed), Some(S::Degraded)],
            None,
            State::Failed,
            "AllTemplatesFailed",
        ),
        (
            &[Some(S::NotAvailable)],
            None,
            State::NotAvailable,
            "NoTemplatesAvailable",
        ),
        (
            &[Some(S::Ready), Some(S::Failed)],
            None,
            State::Degraded,
            "SomeTemplatesDegraded",
        ),
        (
            &[Some(S::Ready), Some(S::Pending)],
            None,
            State::Progressing,
            "TemplatesProgressing",
        ),
        (
            &[Some(S::Ready), Some(S::NotAvailable)],
            None,
            State::Ready,
            "SomeTemplatesReady",
        ),
        (
            &[Some(S::Ready), None],
            None,
            State::Progressing,
            "TemplatesProgressing",
        ),
    ];
    for (states, expected, state, reason) in table {
        assert_eq!(
            ask(states, *expected),
            (*state, (*reason).to_owned()),
            "{states:?}"
        );
    }
}
