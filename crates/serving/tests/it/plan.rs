//! Whole plans: what a pass makes of what it saw. The quirks that only show there bear their number.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use reeve_serving::artifact::Artifact;
use reeve_serving::config::RuntimeConfig;
use reeve_serving::discovery::UnreadableLog;
use reeve_serving::fault::{Category, Fault, State};
use reeve_serving::gpu::inventory;
use reeve_serving::labels::Controller;
use reeve_serving::owner::Parent;
use reeve_serving::plan::{self, Plan, Standing};
use reeve_serving::plan::{artifact, model, service, source, template};
use reeve_serving_crds::{
    AimArtifactSpec, AimArtifactStatus, AimClusterModelSourceSpec, AimModelSpec, AimService,
    AimServiceStatus, AimServiceTemplateSpec, AimServiceTemplateStatus, ModelState,
};
use serde_json::{Value, json};

use crate::things::{of, parent, time};

const NOW: &str = "2026-03-01T12:00:00Z";

fn names<S>(plan: &Plan<S>) -> Vec<String> {
    let name = |child: &plan::Child| {
        format!(
            "{} {}",
            child.object["kind"].as_str().unwrap(),
            child.object["metadata"]["name"].as_str().unwrap()
        )
    };
    plan.children.iter().map(name).collect()
}

fn says<S>(plan: &Plan<S>, component: &str) -> (State, String, String) {
    let found = plan.components.iter().find(|c| c.name() == component).unwrap();
    (
        found.state(),
        found.reason().to_owned(),
        found.message().to_owned(),
    )
}

/// The name of the Job that asks an image for the template `t`.
pub(crate) fn job_of(template: &Value, image: &str) -> String {
    let discovery = reeve_serving::discovery::Discovery {
        template: &of(template.clone()),
        model: &of(json!({"image": image})),
        in_namespace: true,
    };
    discovery.job_name("t")
}

/// A template of a known model, with what was seen of its discovery.
fn discovering(
    status: Value,
    job: Option<Value>,
    answer: Option<Result<reeve_serving::discovery::Discovered, UnreadableLog>>,
    discoveries: usize,
) -> Plan<AimServiceTemplateStatus> {
    let owner = parent("AIMServiceTemplate", "t", Controller::ServiceTemplate);
    let spec: AimServiceTemplateSpec = of(json!({"modelName": "m"}));
    let of_model: AimModelSpec = of(json!({"image": "i:1"}));
    let status: AimServiceTemplateStatus = of(status);
    let job: Option<Job> = job.map(of);
    template::plan(&template::Seen {
        parent: &owner,
        namespace: Some("ns"),
        job_namespace: "ns",
        spec: &spec,
        status: &status,
        config: &Ok(RuntimeConfig::default()),
        model: Some(template::SeenModel {
            spec: &of_model,
            state: None,
            conditions: &[],
        }),
        inventory: &inventory([]),
        job: job.as_ref(),
        pods: &[],
        answer: answer.as_ref(),
        discoveries,
        has_cache: false,
        now: time(NOW).0,
    })
}

fn ended(type_: &str) -> Value {
    json!({"metadata": {"name": job_of(&json!({"modelName": "m"}), "i:1"), "namespace": "ns"}, "status": {"conditions": [
        {"type": type_, "status": "True", "reason": "BackoffLimitExceeded", "message": "gave up", "lastTransitionTime": "2026-03-01T11:59:50Z"},
    ]}})
}

#[test]
fn a_template_without_files_begins_a_discovery_where_there_is_room() {
    let begun = discovering(json!({}), None, None, 9);
    assert!(
        names(&begun)[0].starts_with("Job discover-t-"),
        "{:?}",
        names(&begun)
    );
    let full = discovering(json!({}), None, None, 10);
    assert_eq!((names(&full), full.again), (vec![], Some(Duration::from_secs(5))));
    // One that is over and still there is in the way of the next.
    assert_eq!(
        names(&discovering(json!({}), Some(ended("Failed")), None, 0)),
        Vec::<String>::new()
    );
}

#[test]
fn q5_a_template_whose_discovery_nobody_understood_is_not_ready_and_counts_it_as_failed() {
    let plan = discovering(json!({}), Some(ended("Complete")), Some(Err(UnreadableLog)), 0);
    assert_eq!(says(&plan, "DiscoveryJob").0, State::Progressing);
    assert_eq!(plan.status.discovery.as_ref().unwrap().attempts, Some(1));
    assert_ne!(plan.judge(&[], Some(1), &time(NOW)).state, State::Ready);
    // Nor is it ready before the log could be read at all.
    let unread = discovering(json!({}), Some(ended("Complete")), None, 0);
    assert_ne!(unread.judge(&[], Some(1), &time(NOW)).state, State::Ready);
}

#[test]
fn q7_a_pass_comes_back_when_the_pause_after_a_failure_is_over() {
    let failed = discovering(json!({}), Some(ended("Failed")), None, 0);
    let status = serde_json::to_value(&failed.status).unwrap();
    let plan = discovering(status, None, None, 0);
    assert_eq!(names(&plan), Vec::<String>::new());
    assert_eq!(plan.again, Some(Duration::from_secs(50)));
    assert!(says(&plan, "DiscoveryJob").2.contains("gave up"));
}

pub(crate) fn service_of(spec: &Value, status: &Value) -> AimService {
    let metadata = json!({"name": "s", "namespace": "ns", "uid": crate::things::UID, "generation": 2});
    of(json!({"metadata": metadata, "spec": spec, "status": status}))
}

fn ready_model() -> Value {
    json!({"metadata": {"name": "m", "namespace": "ns", "uid": "m1", "generation": 1},
        "spec": {"image": "i:1"}, "status": {"status": "Ready", "observedGeneration": 1}})
}

fn ready_template(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "ns", "uid": name, "generation": 1}, "spec": {"modelName": "m"},
        "status": {"status": "Ready", "observedGeneration": 1,
            "modelSources": [{"modelId": "o/m", "sourceUri": "hf://o/m"}],
            "profile": {"metadata": {"type": "optimized"}}}})
}

/// What is there besides a service.
#[derive(Default)]
pub(crate) struct Around {
    pub(crate) models: Vec<Value>,
    pub(crate) templates: Vec<Value>,
    pub(crate) caches: Vec<Value>,
    pub(crate) inference: Option<Value>,
    pub(crate) route: Option<Value>,
}

/// A pass of the service `s`.
pub(crate) fn serving(service: &AimService, around: Around) -> Plan<AimServiceStatus> {
    serving_as(service, &parent("AIMService", "s", Controller::Service), around)
}

/// A pass of a service by another name.
pub(crate) fn serving_as(service: &AimService, parent: &Parent, around: Around) -> Plan<AimServiceStatus> {
    service::plan(&service::Seen {
        service,
        parent,
        namespace: "ns",
        config: &Ok(RuntimeConfig::default()),
        models: &around.models.into_iter().map(of).collect::<Vec<_>>(),
        cluster_models: &[],
        templates: &around.templates.into_iter().map(of).collect::<Vec<_>>(),
        cluster_templates: &[],
        caches: &around.caches.into_iter().map(of).collect::<Vec<_>>(),
        inventory: &inventory([]),
        inference: around.inference.as_ref(),
        events: &[],
        pods: &[],
        route: around.route.as_ref(),
        autoscaler: None,
        now: time(NOW).0,
    })
}

#[test]
fn a_service_makes_its_model_then_its_cache_then_what_serves() {
    let service = service_of(&json!({"model": {"image": "i:1"}}), &json!({}));
    let first = serving(&service, Around::default());
    assert!(
        names(&first)[0].starts_with("AIMModel i-1-"),
        "{:?}",
        names(&first)
    );
    let around = || Around {
        models: vec![ready_model()],
        templates: vec![ready_template("t")],
        ..Around::default()
    };
    let second = serving(&service, around());
    assert!(
        names(&second)[0].starts_with("AIMTemplateCache t-"),
        "{:?}",
        names(&second)
    );
    assert_eq!(
        second.status.resolved_template.as_ref().unwrap().name.as_deref(),
        Some("t")
    );
    let cache = |state: &str| {
        json!({"metadata": {"name": "c", "namespace": "ns", "uid": "c1"},
            "spec": {"templateName": "t", "templateScope": "Namespace"}, "status": {"status": state}})
    };
    let waiting = serving(
        &service,
        Around {
            caches: vec![cache("Progressing")],
            ..around()
        },
    );
    assert_eq!(names(&waiting), Vec::<String>::new());
    let third = serving(
        &service,
        Around {
            caches: vec![cache("Ready")],
            ..around()
        },
    );
    assert!(
        names(&third)[0].starts_with("InferenceService s-"),
        "{:?}",
        names(&third)
    );
}

/// A status of the generation before says nothing of the present one: with the planted fault, the same status without its
/// generation, the template is taken.
#[test]
fn a_template_that_changed_is_not_ready_before_its_status_says_so() {
    let service = service_of(&json!({"model": {"name": "m"}}), &json!({}));
    let mut stale = ready_template("t");
    stale["metadata"]["generation"] = json!(2);
    let around = |template: Value| Around {
        models: vec![ready_model()],
        templates: vec![template],
        ..Around::default()
    };
    let plan = serving(&service, around(stale.clone()));
    assert_eq!(says(&plan, "Template").0, State::Progressing);
    assert!(plan.status.resolved_template.is_none());
    stale["status"]["observedGeneration"] = json!(2);
    assert_eq!(
        says(&serving(&service, around(stale)), "Template").0,
        State::Ready
    );
}

#[test]
fn q8_overrides_make_a_derived_template_which_serves_once_it_is_ready() {
    let spec = json!({"model": {"name": "m"}, "template": {"name": "t"}, "overrides": {"precision": "fp16"}});
    let service = service_of(&spec, &json!({}));
    let around = |templates| Around {
        models: vec![ready_model()],
        templates,
        ..Around::default()
    };
    let first = serving(&service, around(vec![ready_template("t")]));
    assert!(
        names(&first)[0].starts_with("AIMServiceTemplate t-ovr-fp16-"),
        "{:?}",
        names(&first)
    );
    assert!(
        first.status.resolved_template.is_none(),
        "the base is not what was asked for"
    );
    let name = first.children[0].object["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut derived = ready_template(&name);
    derived["metadata"]["labels"] = json!({"aim.eai.amd.com/origin": "derived"});
    let second = serving(&service, around(vec![ready_template("t"), derived]));
    assert_eq!(second.status.resolved_template.unwrap().name, Some(name));
}

#[test]
fn q12_a_bad_path_template_is_told_and_the_path_in_use_is_in_the_status() {
    let routing =
        json!({"enabled": true, "gatewayRef": {"name": "g"}, "pathTemplate": "/{.metadata.labels['none']}"});
    let service = service_of(&json!({"model": {"name": "m"}, "routing": routing}), &json!({}));
    let plan = serving(&service, Around::default());
    let (state, reason, _) = says(&plan, "HTTPRoute");
    assert_eq!((state, reason.as_str()), (State::Degraded, "PathTemplateInvalid"));
    assert_eq!(
        plan.status.routing.unwrap().path,
        Some(format!("/ns/{}", crate::things::UID))
    );
}

#[test]
fn a_route_that_no_gateway_took_says_so_after_a_minute() {
    let routing = json!({"enabled": true, "gatewayRef": {"name": "g"}});
    let service = service_of(&json!({"model": {"name": "m"}, "routing": routing}), &json!({}));
    let route = |made: &str| json!({"metadata": {"generation": 1, "creationTimestamp": made}, "spec": {"parentRefs": [{"name": "g"}]}});
    let young = serving(
        &service,
        Around {
            route: Some(route("2026-03-01T11:59:30Z")),
            ..Around::default()
        },
    );
    assert!(!says(&young, "HTTPRoute").2.contains("no gateway"));
    assert_eq!(young.again, Some(service::GATEWAY_PATIENCE));
    let old = serving(
        &service,
        Around {
            route: Some(route("2026-03-01T11:58:30Z")),
            ..Around::default()
        },
    );
    assert!(
        says(&old, "HTTPRoute")
            .2
            .starts_with("no gateway took this route")
    );
}

#[test]
fn q18_a_shared_cache_that_is_lost_in_use_is_made_again() {
    let service = service_of(&json!({"model": {"name": "m"}}), &json!({}));
    let volumes = json!([{"name": "a", "persistentVolumeClaim": {"claimName": "a"}}]);
    let plan = serving(
        &service,
        Around {
            models: vec![ready_model()],
            templates: vec![ready_template("t")],
            inference: Some(json!({"metadata": {"uid": "u"}, "spec": {"predictor": {"volumes": volumes}}})),
            ..Around::default()
        },
    );
    assert_eq!(says(&plan, "Cache").1, "CacheLost");
    assert!(names(&plan)[0].starts_with("AIMTemplateCache"));
}

#[test]
fn q3_a_template_without_its_gpu_leaves_the_service_pending() {
    let spec = json!({"model": {"name": "m"}, "template": {"name": "t"}});
    let mut away = ready_template("t");
    away["status"]["status"] = json!("NotAvailable");
    let around = Around {
        models: vec![ready_model()],
        templates: vec![away],
        ..Around::default()
    };
    let plan = serving(&service_of(&spec, &json!({})), around);
    let verdict = plan.judge(&[], Some(2), &time(NOW));
    let mut status = plan.status.clone();
    status.set(&verdict, Some(2));
    let status = serde_json::to_value(status).unwrap();
    assert_eq!(
        (&status["status"], &status["observedGeneration"]),
        (&json!("Pending"), &json!(2))
    );
}

fn storing(spec: &Value, status: &Value, claim: Option<Value>, events: &Value) -> Plan<AimArtifactStatus> {
    let (spec, status): (AimArtifactSpec, AimArtifactStatus) = (of(spec.clone()), of(status.clone()));
    let claim = claim.map(of);
    artifact::plan(&artifact::Seen {
        artifact: Artifact {
            parent: &parent("AIMArtifact", "a", Controller::Artifact),
            namespace: "ns",
            spec: &spec,
            config: &RuntimeConfig::default().spec,
            service_account: Some(artifact::ACCOUNT),
            download_image: None,
        },
        owned: false,
        generation: Some(1),
        status: &status,
        config: &Ok(RuntimeConfig::default()),
        check: artifact::SeenJob::default(),
        size: None,
        claim: claim.as_ref(),
        claim_events: &of::<Vec<_>>(events.clone()),
        download: artifact::SeenJob::default(),
    })
}

#[test]
fn an_artifact_asks_its_size_then_makes_claim_account_and_download() {
    let spec = json!({"sourceUri": "hf://o/m"});
    let first = storing(&spec, &json!({}), None, &json!([]));
    assert!(names(&first)[0].starts_with("Job a-check-size-"));
    assert_ne!(first.judge(&[], Some(1), &time(NOW)).state, State::Ready);
    let second = storing(&spec, &json!({"discoveredSizeBytes": 5}), None, &json!([]));
    let kinds: Vec<String> = names(&second)
        .iter()
        .map(|n| n.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["PersistentVolumeClaim", "ServiceAccount", "RoleBinding", "Job"]
    );
}

#[test]
fn a_claim_that_waits_for_its_consumer_is_no_trouble_and_one_without_a_provisioner_is() {
    let spec = json!({"sourceUri": "hf://o/m", "size": "1Mi"});
    let claim = json!({"metadata": {"name": "c"}, "status": {"phase": "Pending"}});
    let event = |reason: &str| json!([{"metadata": {}, "involvedObject": {}, "reason": reason, "message": "said so", "lastTimestamp": NOW}]);
    let waits = storing(
        &spec,
        &json!({}),
        Some(claim.clone()),
        &event("WaitForFirstConsumer"),
    );
    assert_eq!(says(&waits, "CachePvc").1, "PvcPending");
    let refused = storing(&spec, &json!({}), Some(claim), &event("FailedBinding"));
    assert_eq!(says(&refused, "CachePvc").1, "PvcProvisioningFailed");
    assert!(
        names(&refused).iter().any(|name| name.starts_with("Job")),
        "whoever waits for whom, the Job is made"
    );
}

#[test]
fn q9_a_source_asks_its_registry_once_an_interval_and_after_a_change() {
    let spec: AimClusterModelSourceSpec =
        of(json!({"filters": [{"image": "o/m:1.0.0"}], "syncInterval": "10m"}));
    let status = of(json!({"lastSyncTime": "2026-03-01T11:59:00Z", "observedGeneration": 3}));
    let pause = |generation| source::pause(&spec, &status, Some(generation), &time(NOW));
    assert_eq!(pause(3), Duration::from_secs(540));
    assert_eq!(pause(4), Duration::ZERO);
}

/// Planted fault: without it a right that was given is noticed after the interval, an hour by default.
#[test]
fn a_source_that_failed_asks_again_after_five_minutes_at_most() {
    let pause = |interval: Value, holds: &str| {
        let spec: AimClusterModelSourceSpec = of(json!({"filters": [], "syncInterval": interval}));
        let status = of(
            json!({"lastSyncTime": "2026-03-01T11:59:00Z", "observedGeneration": 3, "conditions": [{
                "type": "FiltersReady", "status": holds, "reason": "r", "message": "", "lastTransitionTime": NOW,
            }]}),
        );
        source::pause(&spec, &status, Some(3), &time(NOW)).as_secs()
    };
    assert_eq!(pause(json!("1h"), "True"), 3540);
    assert_eq!(pause(json!("1h"), "False"), 240);
    assert_eq!(pause(json!(null), "False"), 240);
    assert_eq!(pause(json!("2m"), "False"), 60);
}

#[test]
fn a_filter_that_fails_does_not_keep_the_others_from_their_models() {
    let spec: AimClusterModelSourceSpec = of(json!({"filters": []}));
    let image = reeve_serving::source::Image {
        registry: "docker.io".to_owned(),
        repository: "o/m".to_owned(),
        tag: "1.0.0".to_owned(),
    };
    let away = Fault::new(Category::Infrastructure, "NetworkError", "no answer");
    let plan = source::plan(&source::Seen {
        parent: &parent("AIMClusterModelSource", "hub", Controller::ClusterModelSource),
        generation: Some(1),
        spec: &spec,
        status: &of(json!({})),
        existing: &BTreeSet::new(),
        found: &[Ok(BTreeSet::from([image])), Err(away)],
        now: &time(NOW),
    });
    assert_eq!(says(&plan, "Filters").1, "SomeFiltersFailed");
    assert_eq!(plan.again, Some(Duration::from_secs(300)));
    assert!(
        names(&plan)[0].starts_with("AIMClusterModel o-m-1-0-0-"),
        "{:?}",
        names(&plan)
    );
    assert!(plan.judge(&[], Some(1), &time(NOW)).apply);
}

#[test]
fn a_model_has_its_templates_as_soon_as_its_image_is_known() {
    let owner = parent("AIMModel", "m", Controller::Model);
    let spec: AimModelSpec = of(json!({"image": "i:1"}));
    let found = Ok(of(
        json!({"model": {"recommendedDeployments": [{"metric": "latency"}]}}),
    ));
    let unknown = Err(Fault::new(Category::Auth, "SecretNotFound", "no pull secret"));
    let plan = |image, templates: &[model::SeenTemplate]| {
        model::plan(&model::Seen {
            parent: &owner,
            namespace: Some("ns"),
            generation: Some(1),
            spec: &spec,
            status: &of(json!({})),
            config: &Ok(RuntimeConfig::default()),
            image: Some(image),
            templates,
        })
    };
    assert_eq!(names(&plan(&found, &[])).len(), 1);
    let ready = model::SeenTemplate {
        name: "t".to_owned(),
        owned: false,
        state: Some(ModelState::Ready),
    };
    assert_eq!(
        plan(&found, &[ready]).judge(&[], Some(1), &time(NOW)).state,
        State::Ready
    );
    let refused = plan(&unknown, &[]);
    assert_eq!(refused.judge(&[], Some(1), &time(NOW)).state, State::Failed);
    assert_eq!(says(&refused, "ImageMetadata").1, "SecretNotFound");
}

// Planted fault: a category of its own for 401 and 404 makes the model `Failed`, and nobody asks again.
#[test]
fn q22_what_a_registry_refuses_leaves_the_model_degraded_and_says_why() {
    let owner = parent("AIMModel", "m", Controller::Model);
    let spec: AimModelSpec = of(json!({"image": "registry.example/tiny:1"}));
    for reason in ["RegistryUnauthorized", "ImageNotFound"] {
        let refused = Err(Fault::new(Category::Infrastructure, reason, "why"));
        let plan = model::plan(&model::Seen {
            parent: &owner,
            namespace: Some("ns"),
            generation: Some(1),
            spec: &spec,
            status: &of(json!({})),
            config: &Ok(RuntimeConfig::default()),
            image: Some(&refused),
            templates: &[],
        });
        let verdict = plan.judge(&[], Some(1), &time(NOW));
        assert_eq!(
            (verdict.state, verdict.retry, verdict.apply),
            (State::Degraded, true, false)
        );
        let condition = verdict
            .conditions
            .iter()
            .find(|c| c.type_ == "ImageMetadataReady")
            .unwrap();
        assert_eq!(
            (condition.status.as_str(), condition.reason.as_str()),
            ("False", reason)
        );
    }
}

/// Of what a change of the spec leaves behind only the route is taken away: it is what others reach the service by. Templates and
/// caches stay, as before: others may use them.
#[test]
fn q17_only_the_own_route_goes_when_routing_is_switched_off() {
    let config = Ok(RuntimeConfig {
        spec: of(json!({"routing": {"enabled": true, "gatewayRef": {"name": "g"}}})),
        ..RuntimeConfig::default()
    });
    let route = |uid: &str| json!({"metadata": {"name": "r", "ownerReferences": [{"uid": uid}]}});
    let unwanted = |routing: Value, route: &Value, config: &Result<RuntimeConfig, _>| {
        let service = service_of(&json!({"model": {"name": "m"}, "routing": routing}), &json!({}));
        service::has_unwanted_route(&service::Seen {
            service: &service,
            parent: &parent("AIMService", "s", Controller::Service),
            namespace: "ns",
            config,
            models: &[],
            cluster_models: &[],
            templates: &[],
            cluster_templates: &[],
            caches: &[],
            inventory: &inventory([]),
            inference: None,
            events: &[],
            pods: &[],
            route: Some(route),
            autoscaler: None,
            now: time(NOW).0,
        })
    };
    let (own, others) = (route(crate::things::UID), route("somebody"));
    assert!(unwanted(json!({"enabled": false}), &own, &config));
    assert!(!unwanted(json!({"enabled": true}), &own, &config));
    assert!(!unwanted(json!({}), &own, &config), "the configuration wants it");
    // Planted fault: deleting by name alone takes somebody else's.
    assert!(!unwanted(json!({"enabled": false}), &others, &config));
    let unknown = Err(reeve_serving::config::ConfigNotFound { name: "c".to_owned() });
    assert!(!unwanted(json!({"enabled": false}), &own, &unknown));
}

/// The status of a service whose cache was there, and has failed since.
pub(crate) fn status_with_a_failed_cache() -> Value {
    let before = json!({"cache": {"templateCacheRef": {"name": "c"}}});
    let service = service_of(&json!({"model": {"name": "m"}}), &before);
    let cache = json!({"metadata": {"name": "c", "namespace": "ns"}, "status": {"status": "Failed"},
        "spec": {"templateName": "t", "templateScope": "Namespace"}});
    let around = Around {
        models: vec![ready_model()],
        templates: vec![ready_template("t")],
        caches: vec![cache],
        ..Around::default()
    };
    let plan = serving(&service, around);
    assert_eq!(says(&plan, "Cache").1, "CacheFailed");
    serde_json::to_value(plan.status).unwrap()
}
