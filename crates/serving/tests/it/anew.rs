//! What a template knows was said of an image and a profile: with another of either it is asked anew, and what was said before counts no
//! more.

use k8s_openapi::api::batch::v1::Job;
use reeve_serving::config::RuntimeConfig;
use reeve_serving::discovery::{Discovered, UnreadableLog, read_log};
use reeve_serving::fault::State;
use reeve_serving::gpu::inventory;
use reeve_serving::labels::Controller;
use reeve_serving::plan::{Plan, Standing, template};
use reeve_serving_crds::{AimServiceStatus, AimServiceTemplateStatus};
use serde_json::{Value, json};

use crate::plan::{self, Around, job_of, service_of};
use crate::things::{of, parent, time};

const NOW: &str = "2026-03-01T12:00:00Z";
const ANSWER: &str = r#"[{"profile": {"metadata": {"type": "optimized"}}, "models": [{"name": "o/m", "source": "hf://o/m", "size_gb": 1}]}]"#;

type Answer = Option<Result<Discovered, UnreadableLog>>;

/// A pass over the template `t` with this spec, whose model has this image.
fn pass(
    spec: &Value,
    image: &str,
    status: &Value,
    job: Option<&Value>,
    answer: Answer,
) -> Plan<AimServiceTemplateStatus> {
    let job: Option<Job> = job.map(|job| of(job.clone()));
    template::plan(&template::Seen {
        parent: &parent("AIMServiceTemplate", "t", Controller::ServiceTemplate),
        namespace: Some("ns"),
        job_namespace: "ns",
        spec: &of(spec.clone()),
        status: &of(status.clone()),
        config: &Ok(RuntimeConfig::default()),
        model: Some(template::SeenModel {
            spec: &of(json!({"image": image})),
            state: None,
            conditions: &[],
        }),
        inventory: &inventory([]),
        job: job.as_ref(),
        pods: &[],
        answer: answer.as_ref(),
        discoveries: 0,
        has_cache: false,
        now: time(NOW).0,
    })
}

fn complete(spec: &Value, image: &str) -> Value {
    json!({"metadata": {"name": job_of(spec, image), "namespace": "ns"}, "status": {"conditions": [
        {"type": "Complete", "status": "True", "lastTransitionTime": "2026-03-01T11:59:50Z"},
    ]}})
}

/// The status that is written after a pass.
fn written(plan: &Plan<AimServiceTemplateStatus>) -> Value {
    let verdict = plan.judge(&[], Some(1), &time(NOW));
    let mut status = plan.status.clone();
    status.set(&verdict, Some(1));
    serde_json::to_value(status).unwrap()
}

/// The status of a template that asked this image.
fn discovered(spec: &Value, image: &str) -> Value {
    let job = complete(spec, image);
    let asked = pass(spec, image, &json!({}), Some(&job), Some(read_log(ANSWER)));
    let status = written(&asked);
    assert_eq!(status["status"], "Ready", "{status:#}");
    status
}

fn jobs(plan: &Plan<AimServiceTemplateStatus>) -> Vec<&str> {
    let jobs = plan
        .children
        .iter()
        .filter(|child| child.component == "DiscoveryJob");
    jobs.map(|job| job.object["metadata"]["name"].as_str().unwrap())
        .collect()
}

// Planted fault: what is known is believed whatever it was said of.
#[test]
fn another_image_or_profile_is_asked_and_what_was_said_before_counts_no_more() {
    let spec = json!({"modelName": "m", "profileId": "p"});
    let status = discovered(&spec, "i:1");
    assert!(
        jobs(&pass(&spec, "i:1", &status, None, None)).is_empty(),
        "the same is asked once"
    );
    let cases = [
        (spec.clone(), "i:2"),
        (json!({"modelName": "m", "profileId": "q"}), "i:1"),
        (json!({"modelName": "m"}), "i:1"),
        (
            json!({"modelName": "m", "profileId": "p", "metric": "latency"}),
            "i:1",
        ),
    ];
    for (spec, image) in cases {
        // The Job of before is there for another minute, with its answer.
        let before = complete(&json!({"modelName": "m", "profileId": "p"}), "i:1");
        assert!(template::tracks_discovery(
            &of(spec.clone()),
            &of(status.clone()),
            Some(&of(json!({"image": image})))
        ));
        let plan = pass(&spec, image, &status, Some(&before), Some(read_log(ANSWER)));
        assert_eq!(jobs(&plan), [job_of(&spec, image)], "{spec} {image}");
        assert!(plan.status.profile.is_none() && plan.status.model_sources.is_empty());
        let waits = written(&plan);
        assert_ne!(waits["status"], "Ready", "{waits:#}");
        // Once it has answered it is known again, and asked no more.
        let job = complete(&spec, image);
        let again = written(&pass(&spec, image, &waits, Some(&job), Some(read_log(ANSWER))));
        assert_eq!(again["status"], "Ready", "{again:#}");
        assert!(jobs(&pass(&spec, image, &again, None, None)).is_empty());
    }
}

// Planted fault: a failure that is counted whatever Job it is of keeps a corrected image waiting.
#[test]
fn the_failure_of_another_image_is_none_of_this_one() {
    let spec = json!({"modelName": "m"});
    let failed = |image: &str| {
        json!({"metadata": {"name": job_of(&spec, image)}, "status": {"conditions": [
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": "2026-03-01T11:59:50Z"},
        ]}})
    };
    let wrong = pass(&spec, "wrong:1", &json!({}), Some(&failed("wrong:1")), None);
    assert_eq!(wrong.status.discovery.as_ref().unwrap().attempts, Some(1));
    let corrected = pass(&spec, "i:1", &written(&wrong), Some(&failed("wrong:1")), None);
    assert_eq!(jobs(&corrected), [job_of(&spec, "i:1")]);
}

#[test]
fn what_another_operator_found_out_is_believed() {
    let spec = json!({"modelName": "m"});
    let known = |discovery: Value| {
        json!({"status": "Ready", "profile": {"metadata": {"type": "optimized"}}, "discovery": discovery,
            "modelSources": [{"modelId": "o/m", "sourceUri": "hf://o/m"}]})
    };
    for discovery in [
        Value::Null,
        json!({"attempts": 2, "specHash": "of a failure", "lastFailureReason": "JobFailed"}),
    ] {
        let plan = pass(&spec, "i:1", &known(discovery), None, None);
        assert!(jobs(&plan).is_empty());
        assert_eq!(plan.status.model_sources.len(), 1);
        // From now on it is known what that was said of.
        let later = written(&plan);
        assert_eq!(jobs(&pass(&spec, "i:2", &later, None, None)).len(), 1);
    }
}

/// A service of the model `m`, which has this image, and these templates.
fn serving(spec: &Value, image: &str, templates: &[Value]) -> Plan<AimServiceStatus> {
    let model = json!({"metadata": {"name": "m", "namespace": "ns", "uid": "m1", "generation": 1}, "spec": {"image": image,
        "imageMetadata": {"model": {"recommendedDeployments": [{"metric": "latency"}]}}},
        "status": {"status": "Ready", "observedGeneration": 1}});
    let around = Around {
        models: vec![model],
        templates: templates.to_vec(),
        ..Around::default()
    };
    plan::serving(&service_of(spec, &json!({})), around)
}

fn template(name: &str, owner: &str, status: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "ns", "uid": name, "ownerReferences": [
        {"apiVersion": "v", "kind": "AIMModel", "name": "m", "uid": owner}]}, "spec": {"modelName": "m"}, "status": status})
}

fn stands(plan: &Plan<AimServiceStatus>) -> (State, Option<String>) {
    let found = plan.components.iter().find(|c| c.name() == "Template").unwrap();
    let resolved = plan
        .status
        .resolved_template
        .as_ref()
        .and_then(|t| t.name.clone());
    (found.state(), resolved)
}

// Planted fault: with it a new image starts with what the one before said that it needs.
#[test]
fn a_service_does_not_take_a_template_that_speaks_of_another_image() {
    let spec = json!({"model": {"name": "m"}, "template": {"name": "t"}});
    let status = discovered(&json!({"modelName": "m"}), "i:1");
    let templates = [template("t", "nobody", &status)];
    assert_eq!(
        stands(&serving(&spec, "i:1", &templates)),
        (State::Ready, Some("t".to_owned()))
    );
    assert_eq!(
        stands(&serving(&spec, "i:2", &templates)),
        (State::Progressing, None)
    );
}

// Planted fault: without it the templates of two images are equally good, and a new service gets none.
#[test]
fn a_service_chooses_among_the_templates_of_the_image_that_its_model_has_now() {
    let spec = json!({"model": {"name": "m"}});
    let status = discovered(&json!({"modelName": "m"}), "i:2");
    let now = reeve_serving::model::templates(
        "m",
        &of(
            json!({"image": "i:2", "imageMetadata": {"model": {"recommendedDeployments": [{"metric": "latency"}]}}}),
        ),
        None,
        true,
    );
    let current = template(&now[0].name, "m1", &status);
    let (of_before, of_a_person) = (
        template("before", "m1", &status),
        template("own", "nobody", &status),
    );
    let chosen = stands(&serving(&spec, "i:2", &[of_before.clone(), current.clone()]));
    assert_eq!(chosen, (State::Ready, Some(now[0].name.clone())));
    // One that a person made counts, and one of before that is named is taken.
    let plan = serving(&spec, "i:2", &[of_a_person, current]);
    let said = plan.components.iter().find(|c| c.name() == "Template").unwrap();
    assert_eq!(said.reason(), "TemplateSelectionAmbiguous");
    let named = json!({"model": {"name": "m"}, "template": {"name": "before"}});
    assert_eq!(
        stands(&serving(&named, "i:2", &[of_before])).1.as_deref(),
        Some("before")
    );
}
