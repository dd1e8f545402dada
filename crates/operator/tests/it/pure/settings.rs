use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ResourceQuota};
use reeve_crds::{PlacementField, ProjectController, ReeveConfigSpec, TrustedMutator};
use reeve_kube_kit::ObjectName;
use reeve_operator::cluster_configs::Demanded;
use reeve_operator::controllers::limit_range::{Decision, decide};
use reeve_operator::controllers::project::lags;
use reeve_operator::controllers::settings::cluster_config::condition;
use reeve_operator::settings::{identity_boundary, strictest, with_demanded};
use reeve_tenancy::cluster_config::{self, ClusterConfig, Malformed};
use reeve_types::{Switch, Switches};
use serde_json::{Value, json};

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
    let mut ours = reeve_tenancy::namespace(&project, &strict, None);
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

// Red where an annotation that bounds pods, whoever wrote it, leaves the policy of such namespaces unasked (R34, R35).
#[test]
fn the_label_says_whether_the_namespace_bounds_its_pods() {
    let of = |decided: Option<&str>, written: Value| {
        let mut project = object(3, "robots", "old");
        if let Some(pool) = decided {
            let pools: Vec<&str> = pool.split_terminator(',').collect();
            project.spec.pod_rules = serde_json::from_value(json!({"nodePools": pools})).unwrap();
        }
        let actual: Namespace =
            serde_json::from_value(json!({"metadata": {"name": "old", "annotations": written}})).unwrap();
        let settings = ReeveConfigSpec::default();
        let wanted = reeve_tenancy::namespace(&project.checked().unwrap(), &settings, Some(&actual));
        wanted.metadata.labels.unwrap()["reeve.dev/bounds-pods"].clone()
    };
    assert_eq!(of(None, json!({})), "false");
    assert_eq!(of(None, json!({"reeve.dev/node-pools": ""})), "false");
    assert_eq!(of(None, json!({"reeve.dev/node-pools": "gpu"})), "true");
    assert_eq!(of(Some("gpu"), json!({})), "true");
    assert_eq!(
        of(Some(""), json!({"reeve.dev/node-pools": "gpu"})),
        "false",
        "decided: none"
    );
    for range in [
        "openshift.io/sa.scc.uid-range",
        "openshift.io/sa.scc.supplemental-groups",
    ] {
        assert_eq!(
            of(Some(""), json!({range: "1000660000/10000"})),
            "true",
            "{range}"
        );
    }
}

fn config_map(name: &str, config: Option<&str>) -> (ObjectName, Result<ClusterConfig, Malformed>) {
    let data = config.map_or(json!({}), |config| json!({"config": config}));
    let object: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": name, "namespace": "runai"}, "data": data}))
            .unwrap();
    (ObjectName::of(&object), cluster_config::read(&object))
}

fn demanded(
    read: &[(ObjectName, Result<ClusterConfig, Malformed>)],
    unreadable: &[(&str, String)],
) -> Demanded {
    Demanded::of(read.iter().map(|(name, read)| (name, read)), unreadable)
}

#[test]
fn of_several_config_maps_and_the_settings_the_strictest_holds_in_each() {
    let lax = || ReeveConfigSpec {
        enforce_run_as_user: false,
        enforce_prevent_privilege_escalation: false,
        ..ReeveConfigSpec::default()
    };
    let holds = |settings, demanded: &Demanded| {
        let settings = with_demanded(settings, demanded);
        (
            settings.enforce_run_as_user,
            settings.enforce_prevent_privilege_escalation,
        )
    };
    let user = config_map("a", Some("enforceRunAsUser: true"));
    let neither = config_map(
        "b",
        Some("enforceRunAsUser: false\nenforcePreventPrivilegeEscalation: false"),
    );
    let escalation = config_map("c", Some("enforcePreventPrivilegeEscalation: true"));
    let broken = config_map("d", None);
    assert_eq!(holds(lax(), &demanded(&[], &[])), (false, false));
    assert_eq!(
        holds(lax(), &demanded(&[user.clone(), neither.clone()], &[])),
        (true, false)
    );
    assert_eq!(
        holds(lax(), &demanded(&[neither.clone(), escalation, user], &[])),
        (true, true)
    );
    assert_eq!(
        holds(ReeveConfigSpec::default(), &demanded(&[neither], &[])),
        (true, true)
    );
    let found = demanded(&[broken], &[]);
    assert_eq!(holds(lax(), &found), (true, true));
    let (valid, _, says) = condition(&found).unwrap();
    assert!(
        !valid && says.contains("`runai/d`") && says.contains("enforceRunAsUser: true"),
        "{says}"
    );
    let found = demanded(&[], &[("runai", "forbidden".to_owned())]);
    assert_eq!(holds(lax(), &found), (true, true));
    assert_eq!(condition(&demanded(&[], &[])), None);
}

#[test]
fn a_limit_range_is_made_where_it_can_work_and_nowhere_else() {
    let on = ReeveConfigSpec::default();
    let reason = |decision| match decision {
        Decision::Keep(_) => "Keep",
        Decision::Remove(None) => "Remove",
        Decision::Remove(Some(outcome)) | Decision::Leave(outcome) => outcome.reason,
    };
    let quota = |hard: &str| {
        let object = json!({"metadata": {"name": "team"}, "spec": {"hard": {"requests.memory": hard}}});
        vec![Arc::new(serde_json::from_value::<ResourceQuota>(object).unwrap())]
    };
    assert_eq!(reason(decide(&on, "x", &[], &quota("1Gi"))), "Keep");
    assert_eq!(reason(decide(&on, "x", &[], &quota("1Mi"))), "AboveQuota");
    assert_eq!(
        reason(decide(&on, "x", &["theirs".to_owned()], &[])),
        "OtherLimitRange"
    );
    let off = ReeveConfigSpec {
        project_controller: ProjectController::of(Switches::default().without(Switch::LimitRange)),
        ..ReeveConfigSpec::default()
    };
    assert_eq!(reason(decide(&off, "x", &["theirs".to_owned()], &[])), "Remove");
    let invalid = ReeveConfigSpec {
        limit_range: Some(serde_json::from_value(json!({"container": {"max": {"cpu": "1m"}}})).unwrap()),
        ..ReeveConfigSpec::default()
    };
    assert_eq!(
        reason(decide(&invalid, "x", &[], &[])),
        "Keep",
        "the request is lowered to the highest"
    );
    let invalid = ReeveConfigSpec {
        limit_range: Some(serde_json::from_value(json!({"cpuDefaultLimitGpuFactor": "1m"})).unwrap()),
        ..ReeveConfigSpec::default()
    };
    assert_eq!(reason(decide(&invalid, "x", &[], &[])), "InvalidSettings");
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
        reeve_tenancy::namespace(&project, settings, None)
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
    let there = reeve_tenancy::namespace(&project, &trusting(&["kueue"]), None);
    assert!(lags(&project, Some(&there), &trusting(&[])), "it is to go");
    assert!(!lags(&project, Some(&there), &trusting(&["kueue"])));
}

#[test]
fn a_controller_of_template_kinds_reaches_the_namespaces_and_only_where_all_settings_name_it() {
    let listing = |names: &[&str]| {
        let controller = |name: &&str| json!({"namespace": "ray-system", "serviceAccount": name, "kinds": ["RayCluster", "RayJob"]});
        let all: Vec<Value> = names.iter().map(controller).collect();
        serde_json::from_value::<ReeveConfigSpec>(json!({"trustedControllers": all})).unwrap()
    };
    let project = object(3, "robots", "reeve-robots").checked().unwrap();
    let annotation = |settings: &ReeveConfigSpec| {
        reeve_tenancy::namespace_annotations(&project, settings)["reeve.dev/trusted-controllers"].clone()
    };
    let one = listing(&["kuberay-operator"]);
    assert_eq!(
        annotation(&one),
        "system:serviceaccount:ray-system:kuberay-operator=RayCluster+RayJob"
    );
    assert_eq!(annotation(&listing(&[])), "");
    let both = strictest(&[listing(&["a", "b"]), listing(&["b", "c"])]);
    assert_eq!(both.trusted_controllers, listing(&["b"]).trusted_controllers);
    let unknown =
        json!({"trustedControllers": [{"namespace": "a", "serviceAccount": "b", "kinds": ["Tuba"]}]});
    assert!(serde_json::from_value::<ReeveConfigSpec>(unknown).is_err());
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
