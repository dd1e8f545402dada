use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use reeve_crds::{ReeveConfigSpec, desired};
use reeve_kube_kit::{ReconcileError, Retry};
use reeve_operator::controllers::project::by_hand::idle;
use reeve_operator::controllers::project::cleanup::{Leftovers, leftovers};
use reeve_operator::controllers::project::validate::{Found, may_be_made, validate};
use reeve_operator::controllers::project::{Dereferenced, build};
use reeve_operator::settings::strictest;
use reeve_tenancy::{Switch, Switches};
use serde_json::{Value, json};

use super::project_index::{checked, object};
use crate::rig::of_project;

fn robots() -> desired::Project {
    object(3, "robots", "old").checked().unwrap()
}

fn namespace(meta: Value) -> Namespace {
    serde_json::from_value(json!({"metadata": meta})).unwrap()
}

#[test]
fn only_a_namespace_that_is_missing_or_labelled_as_the_projects_is_taken() {
    let labelled =
        |project: &str| namespace(json!({"name": "old", "labels": {"reeve.dev/project": project}}));
    assert_eq!(validate(&robots(), None, false).unwrap(), Found::Missing);
    assert_eq!(validate(&robots(), None, true).unwrap(), Found::JustMade);
    assert_eq!(
        validate(&robots(), Some(&labelled("robots")), false).unwrap(),
        Found::Ours
    );
    let plain = namespace(json!({"name": "old"}));
    let going = namespace(
        json!({"name": "old", "labels": {"reeve.dev/project": "robots"}, "deletionTimestamp": "2026-01-01T00:00:00Z"}),
    );
    for (found, reason) in [
        (plain, "NamespaceNotAdopted"),
        (labelled("other"), "NamespaceOfAnotherProject"),
        (going, "NamespaceTerminating"),
    ] {
        let failed = validate(&robots(), Some(&found), false).unwrap_err();
        assert_eq!((failed.reason(), failed.retry()), (reason, Retry::OnChange));
    }
}

#[test]
fn a_reserved_namespace_is_made_for_no_project_whatever_the_control_plane_says() {
    let usual = reeve_types::ReservedNamespaces::default();
    assert!(may_be_made(&robots(), &usual).is_ok());
    let taken = object(3, "robots", "cert-manager").checked().unwrap();
    let failed = may_be_made(&taken, &usual).unwrap_err();
    assert_eq!(
        (failed.reason(), failed.retry()),
        ("NamespaceReserved", Retry::OnChange)
    );
    let said = failed.to_string();
    assert!(said.contains("kubectl create namespace cert-manager"), "{said}");
    let labelled = namespace(json!({"name": "cert-manager", "labels": {"reeve.dev/project": "robots"}}));
    assert_eq!(validate(&taken, Some(&labelled), false).unwrap(), Found::Ours);
    let none = reeve_types::ReservedNamespaces::new(Vec::new());
    assert!(may_be_made(&taken, &none).is_ok());
}

#[test]
fn a_project_is_built_from_its_rules_and_the_settings() {
    let read = Dereferenced {
        namespace: None,
        bindings: Vec::new(),
        rules: vec![
            checked(1, "alice@example.com", "viewer", of_project(3)),
            checked(2, "bob@example.com", "viewer", of_project(4)),
        ],
        version: 1,
        settings: ReeveConfigSpec::default(),
        policies_intact: true,
    };
    insta::assert_json_snapshot!({
        let built = build(&robots(), &read);
        json!({"namespace": built.namespace, "own": built.own, "people": built.people})
    });
}

#[test]
fn what_a_deleted_project_leaves_is_removed_by_its_mark_the_operators_own_last() {
    let binding = |name: &str, managed: Option<&str>| -> Arc<RoleBinding> {
        let labels = managed.map(|value| json!({"reeve.dev/managed": value}));
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"});
        Arc::new(
            serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}, "roleRef": role}))
                .unwrap(),
        )
    };
    let all = [
        binding("reeve-operator-user-assignment", Some("operator")),
        binding("reeve-operator", Some("operator")),
        binding("reeve-viewer", Some("access-rules")),
        binding("theirs", None),
        binding("other", Some("somebody")),
    ];
    assert_eq!(
        leftovers(all.iter().map(|b| &**b)),
        Leftovers {
            people: vec!["reeve-viewer".into()],
            own: vec!["reeve-operator".into(), "reeve-operator-user-assignment".into()]
        }
    );
    assert_eq!(
        leftovers([&*all[3], &*binding("reeve-operator", None)]),
        Leftovers::default()
    );
}

#[test]
fn without_settings_everything_is_strict_and_of_several_the_strictest_holds() {
    let spec = |user, escalation| ReeveConfigSpec {
        enforce_run_as_user: user,
        enforce_prevent_privilege_escalation: escalation,
        ..ReeveConfigSpec::default()
    };
    assert_eq!(strictest(&[]), spec(true, true));
    assert_eq!(strictest(&[spec(false, false)]), spec(false, false));
    assert_eq!(
        strictest(&[spec(false, true), spec(true, false)]),
        spec(true, true)
    );
}

/// Planted faults: without the mark an installer's binding of that name would go, and without `wanted` those of switches that are on.
#[test]
fn only_its_own_bindings_of_switches_that_are_off_are_idle() {
    let binding = |name: &str, managed: &str| -> RoleBinding {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "old", "labels": {"reeve.dev/managed": managed}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-viewer"},
        }))
        .unwrap()
    };
    let all = Switches::default();
    let mut there = reeve_tenancy::operator_bindings("old", all);
    there.push(binding("reeve-operator-other", "operator"));
    there.push(binding("reeve-viewer", "access-rules"));
    assert_eq!(idle(&there, &reeve_tenancy::operator_bindings("old", all)), []);
    let less = all.without(Switch::LimitRange).without(Switch::SecretPropagation);
    let wanted = reeve_tenancy::operator_bindings("old", less);
    let found = [
        (Switch::LimitRange, "reeve-operator-limit-range".to_owned()),
        (
            Switch::SecretPropagation,
            "reeve-operator-secret-propagation".to_owned(),
        ),
    ];
    assert_eq!(idle(&there, &wanted), found);
    let by_hand = [binding("reeve-operator-limit-range", "somebody")];
    assert_eq!(idle(&by_hand, &wanted), []);
}
