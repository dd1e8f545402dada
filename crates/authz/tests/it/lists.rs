//! What lists show.

use reeve_authz::{Action, Entity, Role, RoleId, Scope};

use crate::people::{
    caller, captions, demo, department_id, language, main_cluster, project_id, robots, rule, rule_id, speech,
    user, vision,
};

#[test]
fn bob_sees_language_and_nothing_of_vision() {
    let index = demo();
    for entity in [
        Entity::Department,
        Entity::Project,
        Entity::Trainings,
        Entity::Workloads,
    ] {
        let visible = index.visible(&caller("bob"), entity).unwrap();
        assert!(!visible.everything());
        assert_eq!(
            (visible.entity(), visible.action(), visible.principal()),
            (entity, Action::Read, &user("bob"))
        );
        assert_eq!(visible.scopes(), [language()]);
        for inside in [language(), captions(), speech()] {
            assert!(visible.contains(inside), "{entity} {inside}");
        }
        for outside in [Scope::Account, main_cluster(), vision(), robots()] {
            assert!(!visible.contains(outside), "{entity} {outside}");
        }
        for beside in [vision(), robots()] {
            assert!(!visible.contains_name(beside), "{entity} {beside}");
        }
    }
    for entity in [
        Entity::Users,
        Entity::AccessRules,
        Entity::EventsHistory,
        Entity::Cluster,
    ] {
        assert!(index.visible(&caller("bob"), entity).is_err(), "{entity}");
    }
}

#[test]
fn of_what_is_above_her_scope_alice_sees_the_name_alone() {
    let index = demo();
    let visible = index.visible(&caller("alice"), Entity::Department).unwrap();
    assert!(!visible.contains(vision()) && visible.contains_name(vision()));
    assert!(visible.contains_name(main_cluster()) && visible.contains_name(Scope::Account));
    assert!(!visible.contains_name(language()) && !visible.contains_name(captions()));
}

#[test]
fn an_administrator_of_the_account_sees_everything() {
    let index = demo();
    let visible = index.visible(&caller("admin"), Entity::Project).unwrap();
    assert!(visible.everything());
    assert!(index.scopes().all(|scope| visible.contains(scope)));
}

#[test]
fn a_filter_stands_still_while_the_organization_moves() {
    let mut index = demo();
    let visible = index.visible(&caller("bob"), Entity::Project).unwrap();
    index.remove_scope(captions());
    index.add_project(project_id(8), department_id(1));
    index.add_project(project_id(9), department_id(2));
    assert!(visible.contains(captions()));
    assert!(!visible.contains(Scope::Project(project_id(8))));
    assert!(!visible.contains(Scope::Project(project_id(9))));
    let after = index.visible(&caller("bob"), Entity::Project).unwrap();
    assert!(!after.contains(captions()) && after.contains(Scope::Project(project_id(9))));
}

#[test]
fn permitted_scopes_are_those_of_the_rules_each_once() {
    let mut index = demo();
    index.add_rule(rule(60, user("alice"), RoleId::VIEWER, robots()));
    index.add_rule(rule(61, user("alice"), RoleId::VIEWER, vision()));
    let alice = caller("alice");
    assert_eq!(
        index.permitted_scopes(&alice, Action::Read, Entity::Trainings),
        [vision(), robots()]
    );
    assert_eq!(
        index.permitted_scopes(&alice, Action::Create, Entity::Trainings),
        [robots()]
    );
    assert_eq!(index.permitted_scopes(&alice, Action::Create, Entity::Users), []);
}

#[test]
fn who_can_and_what_can_name_every_rule() {
    let index = demo();
    let ids = |found: Vec<reeve_authz::Reason>| {
        found
            .iter()
            .map(|reason| reason.rule.number())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids(index.who_can(Action::Create, Entity::Trainings, robots())),
        [2, 4, 1]
    );
    assert_eq!(
        ids(index.who_can(Action::Read, Entity::Trainings, captions())),
        [3, 1]
    );
    assert_eq!(ids(index.what_can(&caller("alice"))), [2]);
    let reaching: Vec<_> = index
        .rules_reaching(robots())
        .iter()
        .map(|rule| rule.id)
        .collect();
    assert_eq!(reaching, [rule_id(2), rule_id(4), rule_id(1)]);
}

#[test]
fn permissions_are_the_union_over_all_rules() {
    let mut index = demo();
    index.add_rule(rule(70, user("bob"), RoleId::L1_RESEARCHER, robots()));
    let bob = caller("bob");
    let of = |role| Role::of(role).unwrap().permissions();
    let union = of(RoleId::L1_RESEARCHER).union(of(RoleId::VIEWER));
    assert_eq!(index.held_anywhere(&bob), union);
    assert_eq!(index.held_at(&bob, captions()), of(RoleId::VIEWER));
    assert_eq!(index.held_at(&bob, robots()), of(RoleId::L1_RESEARCHER));
    assert!(index.held_at(&bob, Scope::Account).is_empty());
}
