use reeve_crds::ReeveConfigSpec;
use reeve_crds::desired::{AccessRule, Project};
use reeve_tenancy::rules::RuleSet;
use reeve_tenancy::{Switches, bindings, namespace, operator_bindings};
use serde_json::json;

fn project() -> Project {
    serde_json::from_value(
        json!({"id": "3", "name": "robots", "departmentId": "1", "namespace": "reeve-robots"}),
    )
    .unwrap()
}

fn rule(id: i64, kind: &str, name: &str, role: &str, scope: serde_json::Value) -> AccessRule {
    serde_json::from_value(
        json!({"id": id, "subject": {"kind": kind, "name": name}, "role": role, "scope": scope}),
    )
    .unwrap()
}

fn in_project(id: &str) -> serde_json::Value {
    json!({"type": "project", "id": id})
}

#[test]
fn what_a_project_allows_is_a_label_where_it_was_decided_and_otherwise_the_installers() {
    let label = |allow_networking| {
        let project = Project {
            allow_networking,
            ..project()
        };
        let labels = namespace(&project, &ReeveConfigSpec::default(), None)
            .metadata
            .labels;
        labels.unwrap().get("reeve.dev/allow-networking").cloned()
    };
    assert_eq!(label(Some(true)).as_deref(), Some("true"));
    assert_eq!(label(Some(false)).as_deref(), Some("false"));
    assert_eq!(label(None), None);
}

#[test]
fn what_the_control_plane_decides_of_pods_makes_settings_stricter_and_never_looser() {
    let decided = |rules: serde_json::Value| Project {
        pod_rules: serde_json::from_value(rules).unwrap(),
        workload_limits: reeve_types::WorkloadLimits::default(),
        ..project()
    };
    let settings: ReeveConfigSpec =
        serde_json::from_value(json!({"enforcePreventPrivilegeEscalation": false,
        "trustedMutators": [{"namespace": "a", "serviceAccount": "b", "fields": ["nodeSelector"]},
            {"namespace": "c", "serviceAccount": "d", "fields": ["tolerations"]}]}))
        .unwrap();
    let strict = ReeveConfigSpec::default();
    let level = |rules, settings: &ReeveConfigSpec| {
        let labels = namespace(&decided(rules), settings, None)
            .metadata
            .labels
            .unwrap();
        labels["pod-security.kubernetes.io/enforce"].clone()
    };
    assert_eq!(level(json!({}), &settings), "baseline");
    assert_eq!(
        level(json!({"podSecurity": "restricted"}), &settings),
        "restricted"
    );
    assert_eq!(level(json!({"podSecurity": "baseline"}), &strict), "restricted");
    let trusted = |rules| {
        let annotations = namespace(&decided(rules), &settings, None)
            .metadata
            .annotations
            .unwrap();
        annotations["reeve.dev/trusted-mutators"].clone()
    };
    assert_eq!(trusted(json!({})).split(',').count(), 2);
    assert_eq!(
        trusted(json!({"trustedMutators": ["c/d", "x/y"]})),
        "system:serviceaccount:c:d=tolerations"
    );
    assert_eq!(trusted(json!({"trustedMutators": []})), "");
    // What nobody decided is not written at all; the settings of the cluster are, so that one that was taken away is.
    let none = namespace(&decided(json!({})), &strict, None)
        .metadata
        .annotations
        .unwrap();
    assert_eq!(
        none.keys().collect::<Vec<_>>(),
        [
            "reeve.dev/gpu-factors",
            "reeve.dev/trusted-controllers",
            "reeve.dev/trusted-mutators"
        ]
    );
}

#[test]
fn one_binding_per_role_holds_everybody_whom_a_rule_reaches() {
    let rules = [
        rule(1, "user", "dave@example.com", "l1-researcher", in_project("3")),
        rule(2, "user", "alice@example.com", "l1-researcher", in_project("3")),
        rule(
            3,
            "user",
            "alice@example.com",
            "l1-researcher",
            json!({"type": "department", "id": "1"}),
        ),
        rule(4, "service-account", "ci", "l1-researcher", in_project("3")),
        rule(5, "group", "ml team", "viewer", json!({"type": "cluster"})),
        rule(
            6,
            "user",
            "bob@example.com",
            "viewer",
            json!({"type": "department", "id": "2"}),
        ),
        rule(7, "user", "carol@example.com", "l1-researcher", in_project("4")),
        rule(8, "user", "erin@example.com", "no-such-role", in_project("3")),
    ];
    insta::assert_json_snapshot!(bindings(&project(), &rules));
}

#[test]
fn a_rule_named_like_an_application_is_not_one() {
    let user = bindings(
        &project(),
        &[rule(1, "user", "ci@example.com", "viewer", in_project("3"))],
    );
    let application = bindings(
        &project(),
        &[rule(1, "service-account", "ci", "viewer", in_project("3"))],
    );
    assert_ne!(user, application);
}

#[test]
fn no_subject_no_binding() {
    assert!(bindings(&project(), &[]).is_empty());
    assert!(
        bindings(
            &project(),
            &[rule(7, "user", "carol@example.com", "viewer", in_project("4"))]
        )
        .is_empty()
    );
}

#[test]
fn the_namespace_carries_the_settings() {
    let all = [(true, true), (true, false), (false, true), (false, false)].map(|(user, escalation)| {
        namespace(
            &project(),
            &ReeveConfigSpec {
                enforce_run_as_user: user,
                enforce_prevent_privilege_escalation: escalation,
                ..ReeveConfigSpec::default()
            },
            None,
        )
    });
    insta::assert_json_snapshot!(all.map(|n| n.metadata.labels));
    insta::assert_json_snapshot!(operator_bindings("reeve-robots", Switches::default()));
}

#[test]
fn an_index_finds_what_a_search_finds() {
    let mut rules = RuleSet::default();
    let all = [
        rule(1, "user", "a@example.com", "viewer", in_project("3")),
        rule(
            2,
            "user",
            "b@example.com",
            "viewer",
            json!({"type": "department", "id": "1"}),
        ),
        rule(3, "user", "c@example.com", "viewer", json!({"type": "cluster"})),
        rule(4, "user", "d@example.com", "viewer", in_project("9")),
    ];
    all.iter().cloned().for_each(|rule| rules.insert(rule));
    assert_eq!(
        bindings(&project(), rules.reaching(&project())),
        bindings(&project(), &all)
    );

    // A rule that moves leaves its old place.
    rules.insert(rule(1, "user", "a@example.com", "viewer", in_project("9")));
    assert_eq!(
        rules
            .reaching(&project())
            .map(|r| r.id.number())
            .collect::<Vec<_>>(),
        [3, 2]
    );
    all.iter().for_each(|rule| rules.remove(rule.id));
    assert!(rules.is_empty());
    assert_eq!(rules.reaching(&project()).count(), 0);
}
