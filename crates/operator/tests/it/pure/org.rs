use reeve_crds::{AccessRule, Phase, Project, desired};
use reeve_link::desired::DesiredObject;
use reeve_operator::org::{Org, Outcome, Standing};
use reeve_operator::rule::judge;

use crate::rig::{of_project, project_in, rule};

pub(crate) fn object(id: i64, name: &str, namespace: &str) -> Project {
    let DesiredObject::Project(project) = project_in(id, name, namespace) else {
        unreachable!()
    };
    Project::from(&project)
}

pub(crate) fn checked(id: i64, email: &str, role: &str, scope: serde_json::Value) -> desired::AccessRule {
    let DesiredObject::AccessRule(rule) = rule(id, email, role, scope) else {
        unreachable!()
    };
    rule
}

fn done(version: u64) -> Outcome {
    Outcome {
        version,
        problem: None,
    }
}

#[test]
fn a_rule_is_effective_when_every_project_it_reaches_was_passed_over_since() {
    let mut org = Org::default();
    assert_eq!(
        org.set_project("a", Some(&object(1, "a", "reeve-a"))),
        ["reeve-a"]
    );
    org.set_project("b", Some(&object(2, "b", "reeve-b")));
    let everywhere = checked(
        7,
        "x@example.com",
        "viewer",
        serde_json::json!({"type": "cluster"}),
    );
    assert_eq!(
        org.set_rule(None, Some(everywhere.clone())),
        ["reeve-a", "reeve-b"]
    );
    let (a, b) = (org.project_named("a").unwrap(), org.project_named("b").unwrap());
    let (version, rules) = org.rules_of(&a);
    assert_eq!((version, rules.len()), (1, 1));
    assert_eq!(org.standing(&everywhere), Standing::Waits("a".into()));
    assert_eq!(org.record(&a, done(1)), [everywhere.id]);
    assert_eq!(org.standing(&everywhere), Standing::Waits("b".into()));
    org.record(
        &b,
        Outcome {
            version: 1,
            problem: Some("taken".into()),
        },
    );
    assert_eq!(
        org.standing(&everywhere),
        Standing::Blocked("b".into(), "taken".into())
    );
    org.record(&b, done(1));
    assert_eq!(org.standing(&everywhere), Standing::Effective);
    // A pass that read older rules does not count.
    org.set_rule(Some(&everywhere), Some(everywhere.clone()));
    org.record(&a, done(1));
    assert_eq!(org.standing(&everywhere), Standing::Waits("a".into()));
    // A later pass over the same says nothing new of rules that it already told.
    org.record(&a, done(2));
    assert_eq!(org.record(&a, done(3)), []);
}

#[test]
fn a_rule_that_moves_touches_where_it_was_and_where_it_is() {
    let mut org = Org::default();
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        org.set_project(name, Some(&object(id, name, &format!("reeve-{name}"))));
    }
    let old = checked(7, "x@example.com", "viewer", of_project(1));
    org.set_rule(None, Some(old.clone()));
    let new = checked(7, "x@example.com", "viewer", of_project(2));
    assert_eq!(
        org.set_rule(Some(&old), Some(new.clone())),
        ["reeve-a", "reeve-b"]
    );
    assert_eq!(org.rules_of(&org.project_named("a").unwrap()).1, []);
    assert_eq!(org.set_rule(Some(&new), None), ["reeve-b"]);
    assert_eq!(org.rules_of(&org.project_named("b").unwrap()).1, []);
}

#[test]
fn the_oldest_project_has_the_namespace_and_an_invalid_one_still_claims_it() {
    let mut org = Org::default();
    let at = |object: Project, time: &str| {
        let mut value = serde_json::to_value(object).unwrap();
        value["metadata"]["creationTimestamp"] = time.into();
        serde_json::from_value::<Project>(value).unwrap()
    };
    org.set_project("b", Some(&at(object(2, "b", "shared"), "2026-01-01T00:00:00Z")));
    org.set_project("a", Some(&at(object(1, "a", "shared"), "2026-01-02T00:00:00Z")));
    assert_eq!(
        org.claimants("shared", None)
            .iter()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert_eq!(org.claimants("shared", Some("a"))[0].name, "a");
    let mut broken = object(3, "c", "shared");
    broken.spec.department_id = "x".into();
    org.set_project("c", Some(&broken));
    assert_eq!(
        org.claimants("shared", None)
            .iter()
            .filter(|c| c.checked.is_err())
            .count(),
        1
    );
    assert!(org.project_named("c").is_none());
    org.set_project("b", None);
    org.set_project("a", None);
    assert_eq!(org.claimants("shared", None).len(), 1);
}

#[test]
fn a_rule_says_what_is_wrong_with_it() {
    let mut org = Org::default();
    let mut object = AccessRule::from(&checked(7, "x@example.com", "viewer", of_project(1)));
    // It reaches no project: nothing is missing.
    insta::assert_debug_snapshot!(judge(&object, &org), @r#"
    (
        Ready,
        "Effective",
        "",
    )
    "#);
    org.set_project("a", Some(&self::object(1, "a", "reeve-a")));
    org.set_rule(None, object.checked().ok());
    assert_eq!(judge(&object, &org).1, "Binding");
    object.spec.role = "none".into();
    let judged = judge(&object, &org);
    assert_eq!((judged.0, judged.1), (Phase::Ready, "NothingInClusters"));
    object.spec.role = "emperor".into();
    assert_eq!(judge(&object, &org).1, "UnknownRole");
    object.spec.subject.name = "nobody".into();
    assert_eq!(judge(&object, &org).1, "Invalid");
}
