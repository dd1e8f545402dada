//! Whose work something is, in a project of Reeve: what is made of a person's is that person's, and nobody else says what runs there.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_serving::artifact::Artifact;
use reeve_serving::discovery::Discovery;
use reeve_serving::fault::State;
use reeve_serving::labels::Controller;
use reeve_serving::owner::Parent;
use reeve_serving::plan::{Plan, artifact};
use reeve_serving::stamp::{Stamp, may_use};
use reeve_serving_crds::{AimService, AimServiceStatus};
use reeve_types::kubernetes::RUNS_AS;
use serde_json::{Value, json};

use crate::plan::{Around, serving_as};
use crate::things::{UID, of};

const ALICE: &str = "alice-id/70012/5000/5001";
const REGROUPED: &str = "alice-id/70012/5002/5001.5003";
const DAVE: &str = "dave-id/70014/5000/";

fn metadata(name: &str, stamp: &str) -> Value {
    json!({"name": name, "namespace": "ns", "uid": name, "generation": 1, "annotations": {RUNS_AS: stamp}})
}

fn model(name: &str, stamp: &str) -> Value {
    json!({"metadata": metadata(name, stamp), "spec": {"image": "i:1"}, "status": {"status": "Ready", "observedGeneration": 1}})
}

fn template(name: &str, stamp: &str) -> Value {
    json!({"metadata": metadata(name, stamp), "spec": {"modelName": "m"}, "status": {"status": "Ready", "observedGeneration": 1,
        "modelSources": [{"modelId": "o/m", "sourceUri": "hf://o/m"}], "profile": {"metadata": {"type": "optimized"}}}})
}

/// A pass of a service of this person.
fn pass(stamp: &str, spec: &Value, around: Around) -> Plan<AimServiceStatus> {
    let metadata = metadata("s", stamp);
    let service: AimService = of(json!({"metadata": metadata, "spec": spec}));
    serving_as(&service, &owner("AIMService", Controller::Service, stamp), around)
}

fn owner(kind: &'static str, controller: Controller, stamp: &str) -> Parent {
    let mut metadata = metadata("s", stamp);
    metadata["uid"] = json!(UID);
    Parent::new(kind, &of::<ObjectMeta>(metadata), controller)
}

/// The one child of this kind.
fn child<S>(plan: &Plan<S>, kind: &str) -> Value {
    let mut found = plan.children.iter().filter(|child| child.object["kind"] == kind);
    let object = found.next().map(|child| child.object.clone());
    object.unwrap_or_else(|| panic!("no {kind} in {:#?}", plan.children))
}

fn stamp_of(object: &Value) -> &Value {
    &object["metadata"]["annotations"][RUNS_AS]
}

fn model_says(plan: &Plan<AimServiceStatus>) -> (State, String) {
    let component = plan.components.iter().find(|c| c.name() == "Model").unwrap();
    (component.state(), component.message().to_owned())
}

#[test]
fn what_a_service_makes_is_the_same_persons() {
    let by_image = json!({"model": {"image": "i:1"}});
    let made = child(&pass(ALICE, &by_image, Around::default()), "AIMModel");
    assert_eq!(stamp_of(&made), ALICE);
    let around = || Around {
        models: vec![model("m", ALICE)],
        templates: vec![template("t", ALICE)],
        ..Around::default()
    };
    let by_name = json!({"model": {"name": "m"}});
    assert_eq!(
        stamp_of(&child(&pass(ALICE, &by_name, around()), "AIMTemplateCache")),
        ALICE
    );
    let overridden =
        json!({"model": {"name": "m"}, "template": {"name": "t"}, "overrides": {"metric": "latency"}});
    assert_eq!(
        stamp_of(&child(&pass(ALICE, &overridden, around()), "AIMServiceTemplate")),
        ALICE
    );
    let cache = json!({"metadata": metadata("c", ALICE), "spec": {"templateName": "t", "templateScope": "Namespace"},
        "status": {"status": "Ready"}});
    let served = Around {
        caches: vec![cache],
        ..around()
    };
    let inference = child(&pass(REGROUPED, &by_name, served), "InferenceService");
    // KServe copies what is of the predictor; on the object itself it would be a mark that nobody checked.
    assert_eq!(inference["spec"]["predictor"]["annotations"][RUNS_AS], REGROUPED);
    assert_eq!(*stamp_of(&inference), Value::Null);
}

/// Planted fault: [`may_use`] that is true of everything. Then the colleague's model and template are taken.
#[test]
fn what_a_colleague_may_change_serves_nobody_else() {
    let by_name = json!({"model": {"name": "m"}});
    let his = Around {
        models: vec![model("m", DAVE)],
        ..Around::default()
    };
    let plan = pass(ALICE, &by_name, his);
    let (state, said) = model_says(&plan);
    assert_eq!(state, State::Degraded);
    assert!(said.contains("somebody else's"), "{said}");
    // By its image she gets a model of her own, under a name that his has not.
    let by_image = json!({"model": {"image": "i:1"}});
    let name = |stamp: &str, models: Vec<Value>| {
        let around = Around {
            models,
            ..Around::default()
        };
        child(&pass(stamp, &by_image, around), "AIMModel")["metadata"]["name"].clone()
    };
    let hers = name(ALICE, vec![model("m", DAVE)]);
    assert_ne!(hers, name(DAVE, Vec::new()));
    assert_eq!(hers, name(REGROUPED, Vec::new()));
    let around = Around {
        models: vec![model("m", ALICE)],
        templates: vec![template("t", DAVE)],
        ..Around::default()
    };
    let plan = pass(ALICE, &by_name, around);
    assert!(
        plan.status.resolved_template.is_none(),
        "{:?}",
        plan.status.resolved_template
    );
    // What nobody stamped could be anybody's.
    let mut unstamped = model("m", ALICE);
    unstamped["metadata"]["annotations"] = json!({});
    let around = Around {
        models: vec![unstamped],
        ..Around::default()
    };
    assert_eq!(model_says(&pass(ALICE, &by_name, around)).0, State::Degraded);
}

#[test]
fn jobs_run_as_the_person_with_numbers_that_admission_fills_in() {
    let parent = owner("AIMServiceTemplate", Controller::ServiceTemplate, ALICE);
    let asked = Discovery {
        template: &of(json!({"modelName": "m"})),
        model: &of(json!({"image": "i:1"})),
        in_namespace: true,
    };
    let discovery = json!(asked.job(&parent, "ns"));
    let parent = owner("AIMArtifact", Controller::Artifact, ALICE);
    let (spec, config) = (of(json!({"sourceUri": "hf://o/m"})), of(json!({})));
    let stored = Artifact {
        parent: &parent,
        namespace: "ns",
        spec: &spec,
        config: &config,
        service_account: Some(artifact::ACCOUNT),
        download_image: None,
    };
    // R21: an owner would make the claim that of a pod or of a StatefulSet.
    assert_eq!(json!(stored.claim(5))["metadata"]["ownerReferences"], Value::Null);
    let jobs = [
        discovery,
        json!(stored.check_size_job()),
        json!(stored.download_job(5)),
    ];
    for job in jobs {
        let template = &job["spec"]["template"];
        assert_eq!(*stamp_of(template), ALICE, "{job:#}");
        assert_eq!(*stamp_of(&job), Value::Null, "{job:#}");
        let context = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        assert_eq!(template["spec"]["securityContext"], context, "{job:#}");
        // Whoever has the token of an account that writes statuses would say how a colleague's files stand.
        assert_eq!(template["spec"]["serviceAccountName"], Value::Null, "{job:#}");
        assert_eq!(template["spec"]["automountServiceAccountToken"], false, "{job:#}");
    }
}

#[test]
fn only_a_stamp_of_an_object_of_a_namespace_counts() {
    let of_text = |text: &str| Stamp::of(&of::<ObjectMeta>(metadata("x", text)));
    assert_eq!(
        of_text(ALICE).map(|stamp| stamp.user().to_owned()).as_deref(),
        Some("alice-id")
    );
    for none in [
        "",
        "alice",
        "a/1/2",
        "a/0/5/",
        "a/01/5/",
        "a/1/2/x",
        "/1/2/3",
        "a/1/2/3/4",
        "a/1/0/",
    ] {
        assert_eq!(of_text(none), None, "{none}");
    }
    let mut of_cluster = metadata("x", ALICE);
    of_cluster["namespace"] = Value::Null;
    assert_eq!(Stamp::of(&of::<ObjectMeta>(of_cluster)), None);
    let (alice, dave) = (of_text(ALICE), of::<ObjectMeta>(metadata("x", DAVE)));
    assert!(may_use(None, &dave));
    assert!(!may_use(alice.as_ref(), &dave));
    assert!(may_use(
        alice.as_ref(),
        &of::<ObjectMeta>(metadata("x", REGROUPED))
    ));
}
