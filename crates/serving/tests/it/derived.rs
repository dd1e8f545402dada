//! A template with a service's overrides over it, which services that ask for the same share.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_serving::fault::State;
use reeve_serving::labels::Controller;
use reeve_serving::owner::Parent;
use reeve_serving::plan::Plan;
use reeve_serving_crds::{AimService, AimServiceStatus};
use serde_json::{Value, json};

use crate::plan::{Around, serving_as};
use crate::things::of;

fn base() -> Value {
    json!({"metadata": {"name": "t", "namespace": "ns", "uid": "t"}, "spec": {"modelName": "m", "profileId": "p"},
        "status": {"status": "Ready", "profile": {"metadata": {"type": "optimized"}}}})
}

/// A pass of a service that wants `t` for latency.
fn pass(name: &str, more: &Value, templates: &[Value]) -> Plan<AimServiceStatus> {
    pass_after(name, more, templates, &json!({}))
}

/// The same with this status.
fn pass_after(name: &str, more: &Value, templates: &[Value], status: &Value) -> Plan<AimServiceStatus> {
    let mut spec =
        json!({"model": {"name": "m"}, "template": {"name": "t"}, "overrides": {"metric": "latency"}});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let metadata: ObjectMeta =
        of(json!({"name": name, "namespace": "ns", "uid": format!("uid-of-{name}"), "generation": 1}));
    let service: AimService = of(json!({"metadata": metadata, "spec": spec, "status": status}));
    let model = json!({"metadata": {"name": "m", "uid": "m1"}, "spec": {"image": "i:1"}, "status": {"status": "Ready"}});
    let around = Around {
        models: vec![model],
        templates: templates.to_vec(),
        ..Around::default()
    };
    let parent = Parent::new("AIMService", &metadata, Controller::Service);
    serving_as(&service, &parent, around)
}

/// The derived template that a pass wants.
fn wanted(plan: &Plan<AimServiceStatus>) -> Option<Value> {
    let mut templates = plan.children.iter().filter(|child| child.component == "Template");
    templates.next().map(|child| child.object.clone())
}

/// It as the API server has it, once it is ready or before.
fn stored(wanted: &Value, ready: bool) -> Value {
    let mut stored = wanted.clone();
    stored["metadata"]["uid"] = json!("derived");
    if ready {
        stored["status"] = json!({"status": "Ready", "profile": {"metadata": {"type": "optimized"}}});
    }
    stored
}

/// The owners, and which of them is the controller.
fn owners(template: &Value) -> Vec<String> {
    let owners = template["metadata"]["ownerReferences"].as_array().unwrap().iter();
    let told = owners.map(|owner| {
        let mark = if owner["controller"] == true { "*" } else { "" };
        format!("{}{mark}", owner["name"].as_str().unwrap())
    });
    told.collect()
}

fn state(plan: &Plan<AimServiceStatus>) -> State {
    plan.components
        .iter()
        .find(|c| c.name() == "Template")
        .unwrap()
        .state()
}

// Planted fault: an owner in the place of the one before takes the template away from the other service, and both write in turn.
#[test]
fn services_that_ask_for_the_same_own_one_template_together_and_rest() {
    for ready in [false, true] {
        let first = wanted(&pass("a", &json!({}), &[base()])).unwrap();
        assert_eq!(owners(&first), ["a*"]);
        let of_second = json!({"runtimeConfigName": "another", "resources": {"limits": {"memory": "1Gi"}}});
        let joined = wanted(&pass("b", &of_second, &[base(), stored(&first, ready)])).unwrap();
        assert_eq!(owners(&joined), ["a*", "b"]);
        assert_eq!(
            joined["spec"], first["spec"],
            "what is in it stays as the first says"
        );
        assert_eq!(joined["metadata"]["labels"], first["metadata"]["labels"]);
        // Both are content with that: the first keeps it as it is, the second writes nothing.
        let there = stored(&joined, ready);
        let kept = wanted(&pass("a", &json!({}), &[base(), there.clone()])).unwrap();
        assert_eq!(
            (&kept["metadata"]["ownerReferences"], &kept["spec"]),
            (&joined["metadata"]["ownerReferences"], &joined["spec"])
        );
        let second = pass("b", &of_second, &[base(), there]);
        assert_eq!(wanted(&second), None);
        assert_eq!(state(&second) == State::Ready, ready);
    }
}

#[test]
fn when_one_of_them_is_deleted_the_other_serves_on_and_keeps_the_template() {
    let first = wanted(&pass("a", &json!({}), &[base()])).unwrap();
    let joined = wanted(&pass("b", &json!({}), &[base(), stored(&first, true)])).unwrap();
    // The garbage collector takes away the owner that is gone, and no object that has another.
    let mut left = stored(&joined, true);
    left["metadata"]["ownerReferences"]
        .as_array_mut()
        .unwrap()
        .remove(0);
    let plan = pass("b", &json!({"runtimeConfigName": "another"}), &[base(), left]);
    assert_eq!(state(&plan), State::Ready);
    let kept = wanted(&plan).unwrap();
    assert_eq!(owners(&kept), ["b*"]);
    assert_eq!(kept["spec"]["runtimeConfigName"], "another");
}

#[test]
fn what_a_service_says_of_its_own_pods_is_in_no_template_that_others_use() {
    let resources = json!({"resources": {"limits": {"memory": "1Gi"}}});
    let template = wanted(&pass("a", &resources, &[base()])).unwrap();
    assert_eq!(template["spec"].get("resources"), None);
}

// Planted fault: a derived template that is left alone once it is ready goes on with the profile that its base had.
#[test]
fn a_change_of_the_base_reaches_the_derived_template_but_for_what_cannot_be_changed() {
    let first = wanted(&pass("a", &json!({}), &[base()])).unwrap();
    let mut changed = base();
    changed["spec"]["profileId"] = json!("q");
    changed["spec"]["hardware"] = json!({"gpu": {"requests": 1}});
    let mut there = stored(&first, true);
    there["spec"]["hardware"] = json!({"gpu": {"requests": 2}});
    let resolved = json!({"name": there["metadata"]["name"], "uid": "derived", "scope": "Namespace"});
    for status in [json!({}), json!({"resolvedTemplate": resolved})] {
        let plan = pass_after("a", &json!({}), &[changed.clone(), there.clone()], &status);
        let kept = wanted(&plan).unwrap();
        assert_eq!(kept["spec"]["profileId"], "q");
        assert_eq!(
            kept["spec"]["hardware"],
            json!({"gpu": {"requests": 2}}),
            "the schema refuses another"
        );
    }
}

#[test]
fn a_derived_template_that_is_named_itself_is_not_joined() {
    let first = wanted(&pass("a", &json!({}), &[base()])).unwrap();
    let name = first["metadata"]["name"].clone();
    let plan = pass(
        "b",
        &json!({"template": {"name": name}}),
        &[base(), stored(&first, true)],
    );
    assert_eq!(wanted(&plan), None);
    assert_eq!(state(&plan), State::Ready);
}
