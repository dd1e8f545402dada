use reeve_crds::{AccessRule, Phase, Project, desired};
use reeve_link::desired::DesiredObject;
use reeve_operator::controllers::access_rule::judge;
use reeve_operator::project_index::{Outcome, ProjectIndex, RuleProgress};
use reeve_tenancy::{Switch, Switches};

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
    let mut index = ProjectIndex::default();
    assert_eq!(
        index.set_project("a", Some(&object(1, "a", "reeve-a"))),
        ["reeve-a"]
    );
    index.set_project("b", Some(&object(2, "b", "reeve-b")));
    let everywhere = checked(
        7,
        "x@example.com",
        "viewer",
        serde_json::json!({"type": "cluster"}),
    );
    assert_eq!(
        index.set_rule(None, Some(everywhere.clone())),
        ["reeve-a", "reeve-b"]
    );
    let (a, b) = (
        index.project_named("a").unwrap(),
        index.project_named("b").unwrap(),
    );
    let (version, rules) = index.rules_of(&a);
    assert_eq!((version, rules.len()), (1, 1));
    assert_eq!(index.progress(&everywhere), RuleProgress::Waits("a".into()));
    assert_eq!(index.record(&a, done(1)), [everywhere.id]);
    assert_eq!(index.progress(&everywhere), RuleProgress::Waits("b".into()));
    index.record(
        &b,
        Outcome {
            version: 1,
            problem: Some("taken".into()),
        },
    );
    assert_eq!(
        index.progress(&everywhere),
        RuleProgress::Blocked("b".into(), "taken".into())
    );
    index.record(&b, done(1));
    assert_eq!(index.progress(&everywhere), RuleProgress::Effective);
    // A pass that read older rules does not count.
    index.set_rule(Some(&everywhere), Some(everywhere.clone()));
    index.record(&a, done(1));
    assert_eq!(index.progress(&everywhere), RuleProgress::Waits("a".into()));
    // A later pass over the same says nothing new of rules that it already told.
    index.record(&a, done(2));
    assert_eq!(index.record(&a, done(3)), []);
}

#[test]
fn a_rule_that_moves_touches_where_it_was_and_where_it_is() {
    let mut index = ProjectIndex::default();
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        index.set_project(name, Some(&object(id, name, &format!("reeve-{name}"))));
    }
    let old = checked(7, "x@example.com", "viewer", of_project(1));
    index.set_rule(None, Some(old.clone()));
    let new = checked(7, "x@example.com", "viewer", of_project(2));
    assert_eq!(
        index.set_rule(Some(&old), Some(new.clone())),
        ["reeve-a", "reeve-b"]
    );
    assert_eq!(index.rules_of(&index.project_named("a").unwrap()).1, []);
    assert_eq!(index.set_rule(Some(&new), None), ["reeve-b"]);
    assert_eq!(index.rules_of(&index.project_named("b").unwrap()).1, []);
}

#[test]
fn the_oldest_project_has_the_namespace_and_an_invalid_one_still_claims_it() {
    let mut index = ProjectIndex::default();
    let at = |object: Project, time: &str| {
        let mut value = serde_json::to_value(object).unwrap();
        value["metadata"]["creationTimestamp"] = time.into();
        serde_json::from_value::<Project>(value).unwrap()
    };
    index.set_project("b", Some(&at(object(2, "b", "shared"), "2026-01-01T00:00:00Z")));
    index.set_project("a", Some(&at(object(1, "a", "shared"), "2026-01-02T00:00:00Z")));
    assert_eq!(
        index
            .claims("shared", None)
            .iter()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert_eq!(index.claims("shared", Some("a"))[0].name, "a");
    let mut broken = object(3, "c", "shared");
    broken.spec.department_id = "x".into();
    index.set_project("c", Some(&broken));
    assert_eq!(
        index
            .claims("shared", None)
            .iter()
            .filter(|c| c.checked.is_err())
            .count(),
        1
    );
    assert!(index.project_named("c").is_none());
    index.set_project("b", None);
    index.set_project("a", None);
    assert_eq!(index.claims("shared", None).len(), 1);
}

#[test]
fn a_rule_says_what_is_wrong_with_it() {
    let mut index = ProjectIndex::default();
    let mut object = AccessRule::from(&checked(7, "x@example.com", "viewer", of_project(1)));
    // It reaches no project: nothing is missing.
    let judged = judge(&object, Switches::default(), &index);
    assert_eq!(
        (judged.phase, judged.reason, judged.message.as_str()),
        (Phase::Ready, "Effective", "")
    );
    index.set_project("a", Some(&self::object(1, "a", "reeve-a")));
    index.set_rule(None, object.checked().ok());
    assert_eq!(judge(&object, Switches::default(), &index).reason, "Binding");
    let off = Switches::default().without(Switch::UserAssignment);
    let judged = judge(&object, off, &index);
    assert_eq!((judged.phase, judged.reason), (Phase::NotReady, "BoundByHand"));
    object.spec.role = "none".into();
    let judged = judge(&object, Switches::default(), &index);
    assert_eq!((judged.phase, judged.reason), (Phase::Ready, "NothingInClusters"));
    object.spec.role = "emperor".into();
    assert_eq!(judge(&object, Switches::default(), &index).reason, "UnknownRole");
    object.spec.subject.name = "nobody".into();
    assert_eq!(judge(&object, Switches::default(), &index).reason, "Invalid");
}

/// Planted fault: with one set of names for each id instead of each scope, the second of two projects with one id hides the first.
#[test]
fn what_a_scope_reaches_follows_every_change_of_a_project() {
    let mut index = ProjectIndex::default();
    let of_department = checked(
        7,
        "x@example.com",
        "viewer",
        serde_json::json!({"type": "department", "id": "1"}),
    );
    let moved = |department: &str| {
        let mut project = object(1, "a", "reeve-a");
        project.spec.department_id = department.into();
        project
    };
    index.set_project("a", Some(&moved("1")));
    assert_eq!(index.set_rule(None, Some(of_department.clone())), ["reeve-a"]);
    assert_eq!(index.progress(&of_department), RuleProgress::Waits("a".into()));
    index.set_project("a", Some(&moved("2")));
    assert_eq!(index.progress(&of_department), RuleProgress::Effective);
    index.set_project("a", Some(&moved("1")));
    assert_eq!(index.progress(&of_department), RuleProgress::Waits("a".into()));

    let twin = checked(8, "x@example.com", "viewer", of_project(1));
    index.set_project("b", Some(&object(1, "b", "reeve-b")));
    assert_eq!(index.set_rule(None, Some(twin)), ["reeve-a", "reeve-b"]);
    assert_eq!(index.namespaces().len(), 2);
    index.set_project("a", None);
    index.set_project("b", None);
    assert_eq!(index.progress(&of_department), RuleProgress::Effective);
    assert!(index.namespaces().is_empty() && !index.is_claimed("reeve-a"));
}
