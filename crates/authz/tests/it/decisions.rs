//! What a rule gives, and what it does not.

use reeve_authz::{Action, BootstrapException, Entity, Granted, Index, Principal, Role, RoleId, Scope};

use crate::people::{
    caller, caller_in, captions, cluster_id, demo, department_id, group, language, main_cluster, project_id,
    robots, rule, rule_id, service_account, speech, user, vision,
};

fn may(index: &Index, who: &Principal, action: Action, entity: Entity, scope: Scope) -> bool {
    index.decide(who, action, entity, scope).is_ok()
}

#[test]
fn a_rule_reaches_its_scope_and_below_and_nothing_above_or_beside() {
    let index = demo();
    let bob = caller("bob");
    for inside in [language(), captions(), speech()] {
        assert!(
            may(&index, &bob, Action::Read, Entity::Project, inside),
            "{inside}"
        );
        assert!(
            !may(&index, &bob, Action::Update, Entity::Project, inside),
            "{inside}"
        );
    }
    for outside in [Scope::Account, main_cluster(), vision(), robots()] {
        assert!(
            !may(&index, &bob, Action::Read, Entity::Project, outside),
            "{outside}"
        );
    }
}

#[test]
fn a_rule_reaches_what_is_added_below_it_later() {
    let mut index = demo();
    let later = Scope::Project(project_id(9));
    assert!(!may(&index, &caller("bob"), Action::Read, Entity::Project, later));
    assert!(index.add_project(project_id(9), department_id(2)));
    assert!(may(&index, &caller("bob"), Action::Read, Entity::Project, later));
}

#[test]
fn an_allow_names_the_rule_the_role_the_subject_and_the_scope() {
    let mut index = demo();
    index.add_rule(rule(7, group("vision-team"), RoleId::L1_RESEARCHER, vision()));
    let carol = caller_in("carol", &["nobodies", "vision-team"]);
    let granted = index
        .decide(&carol, Action::Create, Entity::Trainings, robots())
        .unwrap();
    assert_eq!(
        (granted.action(), granted.entity(), granted.scope()),
        (Action::Create, Entity::Trainings, robots())
    );
    assert_eq!(granted.principal(), Some(&user("carol")));
    assert_eq!(granted.exception(), None);
    let because = granted.because().unwrap();
    assert_eq!(
        because.to_string(),
        "rule 7 gives group `vision-team` the role L1 researcher in department `1`"
    );
}

#[test]
fn of_several_rules_the_callers_own_is_named_first_then_the_nearest_then_the_oldest() {
    let mut index = demo();
    index.add_rule(rule(10, group("all"), RoleId::VIEWER, robots()));
    index.add_rule(rule(11, user("erin"), RoleId::VIEWER, Scope::Account));
    index.add_rule(rule(12, user("erin"), RoleId::L1_RESEARCHER, vision()));
    index.add_rule(rule(13, user("erin"), RoleId::VIEWER, vision()));
    let erin = caller_in("erin", &["all"]);
    let ids = |index: &Index| -> Vec<i64> {
        let reasons = index.reasons(&erin, Action::Read, Entity::Trainings, robots());
        let granted = index
            .decide(&erin, Action::Read, Entity::Trainings, robots())
            .unwrap();
        assert_eq!(reasons.first(), granted.because());
        reasons.iter().map(|reason| reason.rule.number()).collect()
    };
    assert_eq!(ids(&index), [12, 13, 11, 10]);
    index.remove_rule(rule_id(12));
    assert_eq!(ids(&index), [13, 11, 10]);
}

#[test]
fn rules_add_up_and_removing_one_leaves_the_others() {
    let mut index = demo();
    index.add_rule(rule(8, user("alice"), RoleId::VIEWER, vision()));
    let alice = caller("alice");
    assert_eq!(
        index.remove_rule(rule_id(2)),
        Some(rule(2, user("alice"), RoleId::L1_RESEARCHER, robots()))
    );
    assert_eq!(index.remove_rule(rule_id(2)), None);
    assert!(!may(&index, &alice, Action::Create, Entity::Trainings, robots()));
    assert!(may(&index, &alice, Action::Read, Entity::Trainings, robots()));
    index.remove_rule(rule_id(8));
    assert!(!may(&index, &alice, Action::Read, Entity::Trainings, robots()));
    assert!(!index.holds_anywhere(&alice, Action::Read, Entity::Trainings));
}

#[test]
fn a_rule_with_the_id_of_another_takes_its_place() {
    let mut index = demo();
    assert!(index.add_rule(rule(2, user("dave"), RoleId::VIEWER, robots())));
    assert!(!may(
        &index,
        &caller("alice"),
        Action::Read,
        Entity::Project,
        robots()
    ));
    assert!(may(
        &index,
        &caller("dave"),
        Action::Read,
        Entity::Project,
        robots()
    ));
    assert_eq!(index.rule_count(), 4);
}

#[test]
fn a_rule_in_an_unknown_scope_is_not_kept() {
    let mut index = demo();
    let nowhere = Scope::Project(project_id(99));
    assert!(!index.add_rule(rule(9, user("alice"), RoleId::SYSTEM_ADMINISTRATOR, nowhere)));
    assert_eq!(index.rule(rule_id(9)), None);
    assert!(index.add_project(project_id(99), department_id(1)));
    assert!(!index.holds_anywhere(&caller("alice"), Action::Delete, Entity::Project));
}

#[test]
fn in_an_unknown_scope_nobody_may_do_anything() {
    let index = demo();
    let admin = caller("admin");
    let denial = index
        .decide(
            &admin,
            Action::Read,
            Entity::Project,
            Scope::Project(project_id(99)),
        )
        .unwrap_err();
    assert!(!denial.scope_is_known() && !denial.held_nowhere);
    assert!(
        !index
            .visible(&admin, Entity::Project)
            .unwrap()
            .contains(Scope::Project(project_id(99)))
    );
    assert!(index.held_at(&admin, Scope::Project(project_id(99))).is_empty());
}

#[test]
fn kinds_of_subjects_with_one_name_are_strangers() {
    let mut index = demo();
    index.add_rule(rule(
        20,
        group("ci"),
        RoleId::SYSTEM_ADMINISTRATOR,
        Scope::Account,
    ));
    index.add_rule(rule(
        21,
        group("alice@reeve.example"),
        RoleId::SYSTEM_ADMINISTRATOR,
        Scope::Account,
    ));
    for who in [Principal::alone(service_account("ci")), caller("alice")] {
        assert!(may(&index, &who, Action::Create, Entity::Trainings, robots()));
        assert!(
            !index.holds_anywhere(&who, Action::Create, Entity::Users),
            "{who:?}"
        );
    }
}

#[test]
fn removing_a_scope_removes_what_is_below_and_every_rule_there() {
    let mut index = demo();
    index.remove_scope(vision());
    assert!(!index.knows(vision()) && !index.knows(robots()) && index.knows(captions()));
    assert_eq!((index.rule(rule_id(2)), index.rule(rule_id(4))), (None, None));
    assert!(!index.holds_anywhere(&caller("alice"), Action::Read, Entity::Project));
    // Made again under the same ids, elsewhere: what alice had is not hers any more, and bob's is.
    assert!(index.add_project(project_id(1), department_id(2)));
    assert!(!may(
        &index,
        &caller("alice"),
        Action::Read,
        Entity::Project,
        robots()
    ));
    assert!(may(
        &index,
        &caller("bob"),
        Action::Read,
        Entity::Project,
        robots()
    ));
    assert_eq!(
        index.ancestors(robots()),
        [Scope::Account, main_cluster(), language(), robots()]
    );
}

#[test]
fn removing_the_account_empties_it() {
    let mut index = demo();
    index.remove_scope(Scope::Account);
    assert_eq!(index.scopes().collect::<Vec<_>>(), [Scope::Account]);
    assert_eq!(index.rule_count(), 0);
    assert!(index.add_cluster(cluster_id(1)));
}

#[test]
fn scopes_stand_under_known_parents_and_only_once() {
    let mut index = demo();
    assert!(!index.add_cluster(cluster_id(1)));
    assert!(!index.add_department(department_id(5), cluster_id(9)));
    assert!(!index.add_project(project_id(5), department_id(9)));
    assert!(
        !index.add_project(project_id(1), department_id(2)),
        "a project does not move"
    );
    assert_eq!(index.parent(robots()), Some(vision()));
    assert_eq!(index.parent(Scope::Account), None);
    assert_eq!(index.descendants(language()), [language(), captions(), speech()]);
}

#[test]
fn nobody_grants_more_than_they_hold() {
    let mut index = demo();
    index.add_rule(rule(30, user("frank"), RoleId::SYSTEM_ADMINISTRATOR, vision()));
    index.add_rule(rule(31, user("frank"), RoleId::L1_RESEARCHER, language()));
    let frank = caller("frank");
    for role in Role::all_predefined().iter().map(Role::id) {
        for inside in [vision(), robots()] {
            let granted = index.may_grant(&frank, role, inside).unwrap();
            assert!(granted.covers(role, inside));
            assert_eq!(granted.granted().scope(), inside);
            // Good for nothing else.
            let other = if role == RoleId::VIEWER {
                RoleId::EDITOR
            } else {
                RoleId::VIEWER
            };
            assert!(!granted.covers(other, inside) && !granted.covers(role, Scope::Account));
        }
        for outside in [Scope::Account, main_cluster(), language(), captions()] {
            let denial = index.may_grant(&frank, role, outside).unwrap_err();
            assert_eq!(denial.missing().to_string(), "access_rules:create");
        }
        assert!(
            index
                .may_grant(&caller("alice"), role, robots())
                .unwrap_err()
                .held_nowhere
        );
        assert!(index.may_grant(&caller("admin"), role, Scope::Account).is_ok());
    }
}

#[test]
fn a_permission_covers_what_was_asked_and_nothing_else() {
    let index = demo();
    let granted = index
        .decide(&caller("admin"), Action::Create, Entity::Project, vision())
        .unwrap();
    assert!(granted.covers(Action::Create, Entity::Project, vision()));
    assert!(!granted.covers(Action::Delete, Entity::Project, vision()));
    assert!(!granted.covers(Action::Create, Entity::Users, vision()));
    assert!(!granted.covers(Action::Create, Entity::Project, robots()));
}

#[test]
fn the_exceptions_are_six_and_each_is_good_for_little() {
    let mut covered = Vec::new();
    for exception in BootstrapException::ALL {
        let granted = Granted::bootstrap(exception);
        assert_eq!(
            (granted.principal(), granted.because(), granted.exception()),
            (None, None, Some(exception))
        );
        assert!(granted.covers(granted.action(), granted.entity(), granted.scope()));
        for entity in Entity::ALL {
            for action in Action::ALL {
                if granted.covers(action, entity, Scope::Account) {
                    covered.push(format!("{exception:?} {entity}:{action}"));
                }
            }
        }
    }
    let expected = [
        "FirstStart tenant:create",
        "FirstStart users:create",
        "FirstStart access_rules:create",
        "LinkStatus project:update",
        "LinkStatus cluster:update",
        "LinkStatus access_rules:update",
        "LinkStatus trainings:update",
        "LinkStatus workloads:update",
        "SessionRecord users:update",
        "SessionRecord service-account:update",
        "Recovery tenant:update",
        "Recovery cluster:update",
        "Recovery users:update",
        "Recovery service-account:update",
        "OwnAccessKey access-keys:update",
        "KeyRotation security-settings:update",
    ];
    assert_eq!(covered, expected);
}
