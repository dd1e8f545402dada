use k8s_openapi::api::core::v1::Namespace;
use reeve_crds::{PlacementField, ReeveConfigSpec, TrustedMutator};
use reeve_operator::controllers::project::lags;
use reeve_operator::settings::{identity_boundary, strictest};
use serde_json::json;

use super::project_index::object;

#[test]
fn only_a_namespace_that_is_the_projects_own_or_still_to_be_made_lags_behind_the_settings() {
    let project = object(3, "robots", "old").checked().unwrap();
    let strict = ReeveConfigSpec::default();
    let lax = ReeveConfigSpec {
        enforce_run_as_user: false,
        ..ReeveConfigSpec::default()
    };
    assert!(lags(&project, None, &strict), "it is to be made");
    let mut ours = reeve_tenancy::namespace(&project, &strict);
    assert!(!lags(&project, Some(&ours), &strict));
    assert!(lags(&project, Some(&ours), &lax));
    ours.metadata
        .labels
        .as_mut()
        .unwrap()
        .insert("reeve.dev/project-id".to_owned(), "2".to_owned());
    assert!(!lags(&project, Some(&ours), &lax), "an earlier project left it");
    for labels in [json!({}), json!({"reeve.dev/project": "other"})] {
        let foreign: Namespace =
            serde_json::from_value(json!({"metadata": {"name": "old", "labels": labels}})).unwrap();
        assert!(!lags(&project, Some(&foreign), &strict), "{labels}");
    }
}

fn trusting(names: &[&str]) -> ReeveConfigSpec {
    let mutator = |name: &&str| TrustedMutator {
        namespace: "kueue-system".to_owned(),
        service_account: (*name).to_owned(),
        fields: vec![PlacementField::NodeSelector, PlacementField::Tolerations],
    };
    ReeveConfigSpec {
        trusted_mutators: names.iter().map(mutator).collect(),
        ..ReeveConfigSpec::default()
    }
}

#[test]
fn a_second_writer_reaches_the_namespaces_and_goes_from_them_again() {
    let project = object(3, "robots", "reeve-robots").checked().unwrap();
    let annotation = |settings: &ReeveConfigSpec| {
        reeve_tenancy::namespace(&project, settings)
            .metadata
            .annotations
            .unwrap()["reeve.dev/trusted-mutators"]
            .clone()
    };
    assert_eq!(
        annotation(&trusting(&["kueue"])),
        "system:serviceaccount:kueue-system:kueue=nodeSelector+tolerations"
    );
    assert_eq!(annotation(&trusting(&[])), "");
    let there = reeve_tenancy::namespace(&project, &trusting(&["kueue"]));
    assert!(lags(&project, Some(&there), &trusting(&[])), "it is to go");
    assert!(!lags(&project, Some(&there), &trusting(&["kueue"])));
}

#[test]
fn of_several_settings_only_second_writers_that_all_name_are_trusted() {
    let both = strictest(&[trusting(&["a", "b"]), trusting(&["b", "c"])]);
    assert_eq!(both.trusted_mutators, trusting(&["b"]).trusted_mutators);
    assert_eq!(strictest(&[]).trusted_mutators, []);
}

#[test]
fn identity_is_a_boundary_only_with_both_switches() {
    let with = |user, escalation| ReeveConfigSpec {
        enforce_run_as_user: user,
        enforce_prevent_privilege_escalation: escalation,
        ..ReeveConfigSpec::default()
    };
    let said = |user, escalation| {
        let (holds, reason, _) = identity_boundary(&with(user, escalation));
        (holds, reason)
    };
    assert_eq!(said(true, true), (true, "Enforced"));
    assert_eq!(said(true, false), (false, "EscalationAllowed"));
    assert_eq!(said(false, true), (false, "IdentityNotEnforced"));
}
