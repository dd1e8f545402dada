//! The quirks of the reference (its specification, section 15), by number, and what is done instead.

use reeve_serving::discovery::{UnreadableLog, condition, next_attempt, read_log};
use reeve_serving::fault::State;
use reeve_serving::gpu::{affinity, inventory, vram};
use reeve_serving::inference::{route, routing};
use reeve_serving::labels::{Controller, of_child};
use reeve_serving::model::expects_templates;
use reeve_serving::select::{Candidate, select};
use reeve_serving::service::{Explicit, cache_health, explicit, stored, template_health};
use reeve_serving_crds::{CacheMode, ModelState, Scope, ServiceState};
use serde_json::json;

use crate::engine::{case, down};
use crate::inference::plain;
use crate::service::{event, inference};
use crate::things::{lines, of, parent, time};

#[test]
fn q1_device_ids_are_always_in_the_same_order() {
    let nodes = ["75a0", "74a1", "740f"].map(|id| of(json!({"amd.com/gpu.device-id": id})));
    let found = affinity(Some(&of(json!({"minVram": "1G"}))), &inventory(&nodes)).unwrap();
    let terms = serde_json::to_value(found).unwrap();
    let values = &terms["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]["matchExpressions"]
        [0]["values"];
    assert_eq!(
        values,
        &json!(["740f", "7410", "74a1", "74a9", "74b5", "74bd", "75a0", "75b0"])
    );
}

#[test]
fn q2_discovered_is_true_after_discovery_and_stays() {
    let template = of(json!({"modelName": "m"}));
    let told = |found, was| {
        let said = condition(&template, found, was, None);
        (said.holds, said.reason)
    };
    assert_eq!(told(true, false), (true, "DiscoveryComplete".to_owned()));
    assert_eq!(told(false, true), (true, "DiscoveryComplete".to_owned()));
    assert_eq!(told(false, false), (false, "AwaitingDiscovery".to_owned()));
    let inline = of(json!({"modelName": "m", "modelSources": [{"modelId": "a/b", "sourceUri": "hf://a/b"}]}));
    assert_eq!(
        condition(&inline, false, false, None).message,
        "Model sources provided in-line in spec"
    );
}

#[test]
fn q3_a_service_never_stores_not_available() {
    assert_eq!(stored(State::NotAvailable), ServiceState::Pending);
    let health = template_health(Some(ModelState::NotAvailable), "t");
    assert_eq!(
        (health.state, health.reason.as_str()),
        (State::Pending, "TemplateNotReady")
    );
}

#[test]
fn q4_each_condition_is_set_once_and_its_time_stands_still() {
    let mut case = case(vec![down("Artifacts").says(
        State::Progressing,
        "CreatingCaches",
        "m",
    )]);
    case.said.push(reeve_serving::engine::Said::new(
        "ArtifactsReady",
        false,
        "CachesNotReady",
        "n",
    ));
    case.before = case.judged().conditions;
    case.now = "2026-01-01T01:00:00Z";
    let again = case.judged().conditions;
    assert_eq!(again, case.before);
    assert_eq!(
        lines(&again),
        ["ArtifactsReady False CachesNotReady", "Ready False Progressing"]
    );
}

#[test]
fn q5_an_unreadable_log_is_no_discovery() {
    for log in ["", "nothing", "[]", "[1, 2]", "[{\"profile\": 1}]", "]["] {
        assert_eq!(read_log(log), Err(UnreadableLog), "{log}");
    }
}

#[test]
fn q6_a_component_that_is_over_is_no_longer_in_the_way_but_the_discovery_guard_is() {
    let mut case = case(vec![
        down("DownloadJobPods").says(State::Failed, "PodFailed", "m"),
        down("DiscoveryJob").says(State::Pending, "JobNotCreated", "m"),
    ]);
    case.before = case.judged().conditions;
    case.components = vec![down("CachePvc")];
    assert_eq!(case.judged().state, State::Ready);
    case.kept = &["DiscoveryJobReady"];
    let guarded = case.judged();
    assert_eq!(guarded.state, State::Progressing);
    assert!(lines(&guarded.conditions).contains(&"DiscoveryJobReady False JobNotCreated".to_owned()));
}

#[test]
fn q7_the_end_of_a_pause_is_a_moment_to_come_back_at() {
    let status = of(json!({"attempts": 1, "lastAttemptTime": "2026-01-01T00:00:00Z", "specHash": "h"}));
    let next = next_attempt(Some(&status), "h", time("2026-01-01T00:00:20Z").0);
    assert_eq!(next, Some(time("2026-01-01T00:01:00Z").0));
}

#[test]
fn q8_a_derived_template_is_used_once_it_is_ready() {
    let none = of(json!({}));
    assert_eq!(explicit(true, true, &none, None), Explicit::AwaitDerived);
    assert_eq!(
        explicit(true, true, &none, Some(Some(ModelState::Progressing))),
        Explicit::AwaitDerived
    );
    assert_eq!(
        explicit(true, true, &none, Some(Some(ModelState::Ready))),
        Explicit::Derived
    );
}

#[test]
fn q11_an_ambiguous_choice_is_called_so_and_names_the_templates() {
    let spec = of(json!({"modelName": "m"}));
    let status = of(json!({"status": "Ready", "profile": {"metadata": {"type": "optimized"}}}));
    let candidate = |name| Candidate {
        name,
        scope: Scope::Namespace,
        spec: &spec,
        status: Some(&status),
    };
    let error = select(&[candidate("b"), candidate("a")], None, false, &inventory([])).unwrap_err();
    assert_eq!(error.reason(), "TemplateSelectionAmbiguous");
    assert!(error.to_string().contains("a, b"), "{error}");
}

#[test]
fn q12_a_bad_path_template_is_told_and_the_path_is_known() {
    let owner = parent("AIMService", "svc", Controller::Service);
    let routing = routing(
        Some(&of(
            json!({"enabled": true, "gatewayRef": {"name": "g"}, "pathTemplate": "/{.metadata.labels['none']}"}),
        )),
        None,
    );
    let route = route(&owner, "ns", &routing, &json!({"metadata": {}}))
        .unwrap()
        .unwrap();
    assert_eq!(route.path, format!("/ns/{}", crate::things::UID));
    assert!(route.path_problem.unwrap().to_string().contains("none"));
}

#[test]
fn q14_pull_secrets_and_account_of_the_inference_pod_come_from_the_service_alone() {
    let mut with = plain();
    with.template = json!({"modelName": "m", "imagePullSecrets": [{"name": "template"}], "serviceAccountName": "template"});
    let predictor = with.made()["spec"]["predictor"].clone();
    assert_eq!(
        (
            predictor.get("imagePullSecrets"),
            predictor.get("serviceAccountName")
        ),
        (None, None)
    );
    with.service =
        json!({"model": {"name": "m"}, "imagePullSecrets": [{"name": "s"}], "serviceAccountName": "sa"});
    let predictor = with.made()["spec"]["predictor"].clone();
    assert_eq!(
        (&predictor["imagePullSecrets"], &predictor["serviceAccountName"]),
        (&json!([{"name": "s"}]), &json!("sa"))
    );
}

/// The image applies its profile itself; put into the container as well it would win over what a runtime configuration says.
#[test]
fn q15_what_a_profile_says_stays_in_the_image() {
    let mut with = plain();
    with.config = json!({"env": [{"name": "FROM", "value": "config"}]});
    let without = with.made();
    with.status =
        json!({"profile": {"env_vars": {"FROM": "profile", "ONLY": "profile"}, "engine_args": {"x": 1}}});
    assert_eq!(with.made(), without);
    let env = without["spec"]["predictor"]["containers"][0]["env"].to_string();
    assert!(env.contains(r#"{"name":"FROM","value":"config"}"#), "{env}");
}

#[test]
fn q16_a_variable_that_is_said_twice_is_there_once() {
    let mut with = plain();
    with.config = json!({"env": [{"name": "AIM_METRIC", "value": "throughput"}]});
    with.template = json!({"modelName": "m", "metric": "latency"});
    let env = with.made()["spec"]["predictor"]["containers"][0]["env"].to_string();
    assert_eq!(
        (env.matches("AIM_METRIC").count(), env.contains("throughput")),
        (1, false)
    );
}

#[test]
fn q18_a_lost_shared_cache_is_said_to_be_made_again() {
    let health = cache_health(None, CacheMode::Shared, true);
    assert_eq!(
        (health.state, health.reason.as_str()),
        (State::Degraded, "CacheLost")
    );
    assert!(health.message.contains("made again"));
}

/// A failed cache is tried again by its artifacts, whose Jobs are made anew when their time is over: the service counts nothing.
#[test]
fn q19_a_cache_that_failed_is_told_and_not_counted() {
    let failed = cache_health(Some(Some(ModelState::Failed)), CacheMode::Shared, false);
    assert_eq!(
        (failed.state, failed.reason.as_str()),
        (State::Failed, "CacheFailed")
    );
    let status = crate::plan::status_with_a_failed_cache();
    assert_eq!(
        status["cache"],
        json!({"templateCacheRef": {"name": "c"}}),
        "what was there stays, and nothing is counted"
    );
}

#[test]
fn q20_a_model_whose_image_is_not_asked_does_not_wait_for_its_answer() {
    let model = |more: serde_json::Value| expects_templates(&of(more), None);
    assert_eq!(
        model(json!({"image": "a", "discovery": {"extractMetadata": false}})),
        Some(false)
    );
    assert_eq!(
        model(json!({"image": "a", "discovery": {"extractMetadata": false}, "customTemplates": [{}]})),
        Some(true)
    );
}

#[test]
fn q21_long_names_make_valid_labels_and_short_ones_stay() {
    let none = of(json!({}));
    let long = "a.".repeat(60) + "b";
    let labels = of_child(&none, &none, &long, None, Controller::Service);
    assert!(labels["aim.eai.amd.com/service.name"].len() <= 63);
    assert_eq!(
        of_child(&none, &none, "a.b", None, Controller::Model)["aim.eai.amd.com/model.name"],
        "a.b"
    );
}

#[test]
fn q23_an_old_event_does_not_keep_a_service_failed() {
    assert_eq!(
        inference("False", json!([event("InternalError", "boom", 9)])),
        "Progressing CreatingRuntime"
    );
    assert_eq!(
        inference("True", json!([event("InternalError", "boom", 11)])),
        "Ready RuntimeReady"
    );
}

#[test]
fn q24_vram_is_read_as_the_code_reads_it() {
    for (text, bytes) in [
        ("192G", 192 << 30),
        ("1T", 1 << 40),
        ("17", 17),
        ("196288M", 0),
        ("G", 0),
        ("-1G", 0),
        ("+1G", 0),
    ] {
        assert_eq!(vram(text), bytes, "{text}");
    }
}

#[test]
fn q25_gpus_that_the_preference_list_does_not_know_come_last() {
    let spec = |gpu: &str| of(json!({"modelName": "m", "hardware": {"gpu": {"model": gpu}}}));
    let (new, old) = (spec("MI355X"), spec("MI210"));
    let status = of(json!({"status": "Ready", "profile": {"metadata": {"type": "optimized"}}}));
    let there = [("MI355X".to_owned(), 0), ("MI210".to_owned(), 0)].into();
    let candidate = |name, spec| Candidate {
        name,
        scope: Scope::Cluster,
        spec,
        status: Some(&status),
    };
    assert_eq!(
        select(
            &[candidate("new", &new), candidate("old", &old)],
            None,
            false,
            &there
        )
        .unwrap()
        .name,
        "old"
    );
}

/// Section 15 of the specification has so many.
const QUIRKS: usize = 27;

/// The tests of this crate and those of the operator's, by their source.
fn sources() -> Vec<String> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = [
        "tests/it",
        "../serving-operator/tests/it",
        "../serving-operator/src",
    ]
    .map(|folder| here.join(folder))
    .into();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    sources
}

#[test]
fn every_quirk_has_a_test_that_bears_its_number() {
    let sources = sources();
    let without = (1..=QUIRKS).filter(|number| {
        let name = format!("fn q{number}_");
        !sources.iter().any(|source| source.contains(&name))
    });
    assert_eq!(without.collect::<Vec<_>>(), Vec::<usize>::new());
}
