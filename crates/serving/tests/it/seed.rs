//! What generated specs found that did not come back to the seed's state, never rested, or was told by nobody: a test for each.

use std::collections::BTreeSet;

use reeve_serving::artifact::Artifact;
use reeve_serving::cache::matched;
use reeve_serving::config::RuntimeConfig;
use reeve_serving::engine::{Findings, judge};
use reeve_serving::fault::{Category, Component, Dependency, Fault, State};
use reeve_serving::gpu::inventory;
use reeve_serving::labels::Controller;
use reeve_serving::plan::{Plan, artifact, model, source, template};
use reeve_serving::{model as of_model, names};
use reeve_serving_crds::{
    AimArtifactSpec, AimArtifactStatus, AimModelSpec, AimModelStatus, AimService, AimServiceStatus,
    AimServiceTemplateSpec, AimServiceTemplateStatus, ModelState,
};
use serde_json::{Value, json};

use crate::plan::{Around, serving};
use crate::things::{UID, of, parent, time};

const NOW: &str = "2026-03-01T12:00:00Z";

fn condition<S>(plan: &Plan<S>, type_: &str) -> (String, String) {
    let verdict = plan.judge(&[], Some(2), &time(NOW));
    let found = verdict
        .conditions
        .iter()
        .find(|condition| condition.type_ == type_);
    found
        .map(|c| (c.status.clone(), c.message.clone()))
        .unwrap_or_default()
}

fn model_of(spec: Value, status: Value, templates: &[model::SeenTemplate]) -> Plan<AimModelStatus> {
    model::plan(&model::Seen {
        parent: &parent("AIMModel", "m", Controller::Model),
        namespace: Some("ns"),
        generation: Some(2),
        spec: &of(spec),
        status: &of(status),
        config: &Ok(RuntimeConfig::default()),
        image: None,
        templates,
    })
}

// Planted fault: metadata that is believed whatever generation it is of keeps what the model said itself before.
#[test]
fn what_was_known_of_another_spec_of_a_model_is_asked_again() {
    let spec: AimModelSpec = of(json!({"image": "i:1"}));
    let asks = |observed: Value| {
        let status =
            json!({"observedGeneration": observed, "imageMetadata": {"model": {"canonicalName": "org/x"}}});
        model::asks_registry(&spec, &of(status), Some(2))
    };
    assert!(asks(json!(1)));
    assert!(!asks(json!(2)));
    assert!(!asks(Value::Null), "the reference operator said no generation");
    let stale = json!({"observedGeneration": 1, "imageMetadata": {"model": {"canonicalName": "org/x"}}});
    assert_eq!(
        model_of(json!({"image": "i:1"}), stale, &[])
            .status
            .image_metadata,
        None
    );
}

// Planted fault: two templates of one name are applied in turn, for ever.
#[test]
fn deployments_that_differ_in_their_profile_alone_are_one_template() {
    let deployments =
        json!([{"metric": "latency", "profileId": "a"}, {"metric": "latency", "profileId": "b"}]);
    let spec: AimModelSpec =
        of(json!({"image": "i:1", "imageMetadata": {"model": {"recommendedDeployments": deployments}}}));
    let made = of_model::templates("m", &spec, None, true);
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].spec.profile_id.as_deref(), Some("a"));
}

#[test]
fn a_gpu_model_over_a_least_memory_is_no_template_that_the_schema_refuses() {
    let (base, over) = (
        json!({"gpu": {"minVram": "64Gi"}}),
        json!({"gpu": {"model": "MI300X"}}),
    );
    let gpu = |merged: Option<reeve_serving_crds::HardwareRequirements>| merged.unwrap().gpu.unwrap();
    let merged = gpu(of_model::merge_hardware(Some(&of(base.clone())), Some(&of(over))));
    assert_eq!((merged.model.as_deref(), merged.min_vram), (Some("MI300X"), None));
    let kept = gpu(of_model::merge_hardware(
        Some(&of(base)),
        Some(&of(json!({"gpu": {"requests": 2}}))),
    ));
    assert_eq!(kept.min_vram.unwrap().0, "64Gi");
}

#[test]
fn a_template_of_an_earlier_spec_says_nothing_of_how_its_model_stands() {
    let spec = json!({"image": "i:1", "discovery": {"createServiceTemplates": false}});
    let broken = |owned| model::SeenTemplate {
        name: "old".to_owned(),
        owned,
        state: Some(ModelState::Failed),
    };
    let state = |owned| {
        model_of(spec.clone(), json!({}), &[broken(owned)])
            .judge(&[], Some(2), &time(NOW))
            .state
    };
    assert_eq!(state(true), State::Ready);
    assert_eq!(state(false), State::Failed, "one that a person made counts");
}

#[test]
fn an_image_that_is_none_is_told_although_no_registry_is_asked() {
    let spec = json!({"image": "a b", "imageMetadata": {}});
    let (status, message) = condition(&model_of(spec, json!({}), &[]), "ImageMetadataReady");
    assert_eq!(status, "False");
    assert!(message.contains("a b"), "{message}");
}

fn template_of(spec: Value, status: Value) -> Plan<AimServiceTemplateStatus> {
    let spec: AimServiceTemplateSpec = of(spec);
    let of_model: AimModelSpec = of(json!({"image": "i:1"}));
    template::plan(&template::Seen {
        parent: &parent("AIMServiceTemplate", "t", Controller::ServiceTemplate),
        namespace: Some("ns"),
        job_namespace: "ns",
        spec: &spec,
        status: &of(status),
        config: &Ok(RuntimeConfig::default()),
        model: Some(template::SeenModel {
            spec: &of_model,
            state: None,
            conditions: &[],
        }),
        inventory: &inventory([]),
        job: None,
        pods: &[],
        answer: None,
        discoveries: 0,
        has_cache: false,
        now: time(NOW).0,
    })
}

// Planted fault: files that the spec named before are taken for discovered ones, and the image is never asked.
#[test]
fn files_that_a_template_named_before_are_none_that_were_discovered() {
    let status = |reason: &str| {
        let discovered = json!({"type": "Discovered", "status": "True", "reason": reason, "message": "", "lastTransitionTime": NOW});
        json!({"conditions": [discovered], "modelSources": [{"modelId": "o/m", "sourceUri": "hf://o/m"}], "profile": {}})
    };
    let spec = json!({"modelName": "m"});
    let named = template_of(spec.clone(), status("InlineModelSources"));
    assert!(named.status.model_sources.is_empty() && named.status.profile.is_none());
    assert!(
        named
            .children
            .iter()
            .any(|child| child.component == "DiscoveryJob")
    );
    let discovered = template_of(spec, status("DiscoveryComplete"));
    assert_eq!(discovered.status.model_sources.len(), 1);
}

fn stored(spec: Value, status: Value, size: Option<i64>) -> Plan<AimArtifactStatus> {
    let (spec, size): (AimArtifactSpec, _) = (of(spec), size.map(Ok));
    artifact::plan(&artifact::Seen {
        artifact: Artifact {
            parent: &parent("AIMArtifact", "a", Controller::Artifact),
            namespace: "ns",
            spec: &spec,
            config: &RuntimeConfig::default().spec,
            service_account: None,
            download_image: None,
        },
        owned: false,
        generation: Some(2),
        status: &of(status),
        config: &Ok(RuntimeConfig::default()),
        check: artifact::SeenJob::default(),
        size: size.as_ref(),
        claim: None,
        claim_events: &[],
        download: artifact::SeenJob::default(),
    })
}

#[test]
fn a_size_that_a_person_said_is_none_that_was_found_out() {
    let said = stored(json!({"sourceUri": "hf://o/m", "size": "5Gi"}), json!({}), None);
    assert_eq!(said.status.discovered_size_bytes, None);
    assert_eq!(said.status.display_size.as_deref(), Some("5 GiB"));
    let found = stored(json!({"sourceUri": "hf://o/m"}), json!({}), Some(7));
    assert_eq!(found.status.discovered_size_bytes, Some(7));
}

#[test]
fn a_size_that_is_no_number_of_bytes_is_told_and_found_out() {
    for size in ["-5Gi", "1e30"] {
        let plan = stored(json!({"sourceUri": "hf://o/m", "size": size}), json!({}), None);
        let (status, message) = condition(&plan, "ConfigValid");
        assert!(status == "False" && message.contains(size), "{status} {message}");
        assert!(
            plan.children
                .iter()
                .any(|child| child.component == "CheckSizeJob")
        );
    }
    let zero = stored(json!({"sourceUri": "hf://o/m", "size": 0}), json!({}), None);
    assert_eq!(condition(&zero, "ConfigValid"), <(String, String)>::default());
}

#[test]
fn what_a_source_cannot_follow_is_told() {
    let told = |spec: Value| {
        let plan = source::plan(&source::Seen {
            parent: &parent("AIMClusterModelSource", "s", Controller::ClusterModelSource),
            generation: Some(2),
            spec: &of(spec),
            status: &of(json!({})),
            existing: &BTreeSet::new(),
            found: &[],
            now: &time(NOW),
        });
        assert!(plan.judge(&[], Some(2), &time(NOW)).apply, "the rest goes on");
        condition(&plan, "ConfigValid").1
    };
    let filters = json!([{"image": "a/b", "versions": [">=1.0"]}]);
    assert_eq!(
        told(json!({"filters": filters, "syncInterval": "", "versions": ["1.2.x"]})),
        ""
    );
    assert!(told(json!({"filters": filters, "syncInterval": "daily"})).contains("syncInterval: `daily`"));
    assert!(told(json!({"filters": filters, "versions": ["~1.2"]})).contains("versions: `~1.2`"));
    assert!(told(json!({"filters": [{"image": "a/b", "versions": ["^1"]}]})).contains("versions: `^1`"));
}

fn served(spec: Value, status: Value, templates: &[Value]) -> Plan<AimServiceStatus> {
    let metadata = json!({"name": "s", "namespace": "ns", "uid": UID, "generation": 2});
    let service: AimService = of(json!({"metadata": metadata, "spec": spec, "status": status}));
    let model = json!({"metadata": {"name": "m", "uid": "m1"}, "spec": {"image": "i:1"}, "status": {"status": "Ready"}});
    let around = Around {
        models: vec![model],
        templates: templates.to_vec(),
        ..Around::default()
    };
    serving(&service, around)
}

#[test]
fn replicas_that_cannot_be_are_told_and_nothing_is_made_of_them() {
    let cases = [
        json!({"replicas": -1}),
        json!({"minReplicas": 3, "maxReplicas": 2}),
    ];
    for case in cases {
        let mut spec = json!({"model": {"name": "m"}});
        spec.as_object_mut()
            .unwrap()
            .extend(case.as_object().unwrap().clone());
        let plan = served(spec, json!({}), &[]);
        let (status, message) = condition(&plan, "InferenceServiceReady");
        assert!(
            status == "False" && message.contains("eplicas is"),
            "{status} {message}"
        );
        assert!(!plan.judge(&[], Some(2), &time(NOW)).apply);
    }
    let good = served(
        json!({"model": {"name": "m"}, "replicas": 0, "minReplicas": 2}),
        json!({}),
        &[],
    );
    assert!(!condition(&good, "InferenceServiceReady").1.contains("eplicas is"));
}

// Planted fault: a template that was resolved once is kept whatever the service asks for now.
#[test]
fn a_template_that_was_resolved_is_kept_only_while_it_is_what_is_asked_for() {
    let ready = |name: &str, metric: &str| {
        json!({"metadata": {"name": name, "namespace": "ns", "uid": name}, "spec": {"modelName": "m", "metric": metric},
            "status": {"status": "Ready", "profile": {"metadata": {"type": "optimized", "metric": metric}}}})
    };
    let all = [ready("a", "latency"), ready("b", "throughput")];
    let before =
        json!({"resolvedTemplate": {"name": "a", "namespace": "ns", "uid": "a", "scope": "Namespace"}});
    let resolved = |more: Value| {
        let mut spec = json!({"model": {"name": "m"}});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let plan = served(spec, before.clone(), &all);
        let template = condition(&plan, "TemplateReady");
        (plan.status.resolved_template.unwrap().name.unwrap(), template.0)
    };
    assert_eq!(resolved(json!({})), ("a".to_owned(), "True".to_owned()));
    assert_eq!(
        resolved(json!({"template": {"name": "b"}})),
        ("b".to_owned(), "True".to_owned())
    );
    assert_eq!(
        resolved(json!({"overrides": {"metric": "latency"}})),
        ("a".to_owned(), "True".to_owned())
    );
    assert_eq!(resolved(json!({"template": {"name": "none"}})).1, "False");
    assert_eq!(
        resolved(json!({"overrides": {"metric": "throughput"}})).1,
        "False",
        "it waits for its derived one"
    );
}

// Planted fault: within the grace period a model whose image became another one stays ready.
#[test]
fn grace_is_for_what_was_said_of_this_spec() {
    let away = Component::new("ImageMetadata", Dependency::Upstream).with(Fault::new(
        Category::Infrastructure,
        "DNSFailure",
        "why",
    ));
    let state = |observed: Option<i64>| {
        let before = json!({"type": "ImageMetadataReady", "status": "True", "reason": "ImageFound", "message": "",
            "lastTransitionTime": NOW, "observedGeneration": observed});
        let verdict = judge(&Findings {
            components: std::slice::from_ref(&away),
            said: &[],
            kept: &[],
            before: &[of(before)],
            generation: Some(2),
            now: &time(NOW),
        });
        let condition = verdict
            .conditions
            .iter()
            .find(|c| c.type_ == "ImageMetadataReady")
            .unwrap();
        condition.status.clone()
    };
    assert_eq!(state(Some(2)), "True");
    assert_eq!(state(None), "True", "the reference operator said no generation");
    assert_eq!(state(Some(1)), "False");
}

#[test]
fn of_equal_artifacts_a_cache_has_the_one_that_it_would_make() {
    let source = of(json!({"modelId": "o/m", "sourceUri": "hf://o/m"}));
    let cache =
        of(json!({"metadata": {"name": "c"}, "spec": {"templateName": "t", "templateScope": "Namespace"}}));
    let own = reeve_serving::artifact::name(&source, &[], "", reeve_serving_crds::CacheMode::Shared, "c");
    let artifact = |name: &str, status: &str| {
        of(
            json!({"metadata": {"name": name}, "spec": {"sourceUri": "hf://o/m"}, "status": {"status": status}}),
        )
    };
    let chosen = |others: &str, ours: &str| {
        let all = [artifact("another", others), artifact(&own, ours)];
        let sources = [of(json!({"modelId": "o/m", "sourceUri": "hf://o/m"}))];
        let found = matched(&cache, &sources, &all).found[0].1.metadata.name.clone();
        found.unwrap()
    };
    assert_eq!(chosen("Ready", "Ready"), own);
    assert_eq!(
        chosen("Ready", "Progressing"),
        "another",
        "files that are there are better"
    );
    assert!(names::part(&own) == own);
}
