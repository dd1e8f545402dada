//! What a refusal says.

use reeve_authz::{Action, Entity, Index, RoleId, Scope};

use crate::people::{
    caller, caller_in, captions, cluster_id, demo, group, project_id, robots, rule, rule_id, user, vision,
};

fn refusal(index: &Index, name: &str, scope: Scope) -> String {
    index
        .decide(&caller(name), Action::Create, Entity::Trainings, scope)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_refusal_names_what_is_missing_where_and_who_could_grant_it() {
    let index = demo();
    assert_eq!(
        refusal(&index, "bob", captions()),
        "needs `trainings:create` in project `2`; access rules in the account can be created by user `admin@reeve.example`"
    );
}

#[test]
fn a_refusal_names_the_nearest_scope_and_at_most_three_people_each_once() {
    let mut index = demo();
    index.add_rule(rule(40, user("zoe"), RoleId::SYSTEM_ADMINISTRATOR, vision()));
    assert!(
        refusal(&index, "bob", robots())
            .ends_with("access rules in department `1` can be created by user `zoe@reeve.example`")
    );
    for (id, name) in [(41, "yann"), (42, "xenia"), (43, "xenia"), (44, "walt")] {
        index.add_rule(rule(id, user(name), RoleId::SYSTEM_ADMINISTRATOR, vision()));
    }
    index.add_rule(rule(45, group("a-group"), RoleId::SYSTEM_ADMINISTRATOR, vision()));
    let denial = index
        .decide(&caller("bob"), Action::Create, Entity::Trainings, robots())
        .unwrap_err();
    assert_eq!(denial.grantable_at(), Some(vision()));
    assert_eq!(
        denial.who_could_grant(),
        [user("zoe"), user("yann"), user("xenia")]
    );
    index.remove_rule(rule_id(40));
    index.remove_rule(rule_id(42));
    let denial = index
        .decide(&caller("bob"), Action::Create, Entity::Trainings, robots())
        .unwrap_err();
    assert_eq!(
        denial.who_could_grant(),
        [user("yann"), user("xenia"), user("walt")]
    );
}

#[test]
fn a_refusal_tells_whether_the_permission_is_held_anywhere_else() {
    let index = demo();
    let denied = |name: &str, entity| {
        index
            .decide(&caller(name), Action::Read, entity, Scope::Account)
            .unwrap_err()
    };
    assert!(!denied("alice", Entity::Trainings).held_nowhere);
    assert!(denied("alice", Entity::Users).held_nowhere);
    assert!(denied("stranger", Entity::Trainings).held_nowhere);
    assert!(
        index
            .visible(&caller("alice"), Entity::Users)
            .unwrap_err()
            .held_nowhere
    );
}

#[test]
fn a_refusal_says_when_nobody_could_help_and_when_the_scope_is_unknown() {
    let mut index = demo();
    index.remove_rule(rule_id(1));
    assert_eq!(
        refusal(&index, "bob", captions()),
        "needs `trainings:create` in project `2`; nobody can grant it there"
    );
    assert_eq!(
        refusal(&index, "bob", Scope::Project(project_id(99))),
        "needs `trainings:create` in project `99`, which does not exist"
    );
}

#[test]
fn scopes_are_named_as_the_asker_likes() {
    let index = demo();
    let denial = index
        .decide(&caller("bob"), Action::Create, Entity::Trainings, captions())
        .unwrap_err();
    let named =
        denial.explanation_with(|scope| if scope == captions() { "captions" } else { "Acme" }.to_owned());
    assert_eq!(
        named,
        "needs `trainings:create` in captions; access rules in Acme can be created by user `admin@reeve.example`"
    );
}

#[test]
fn whoever_has_a_rule_that_gives_something_in_a_cluster_reaches_it() {
    let mut index = demo();
    index.add_cluster(cluster_id(2));
    index.add_rule(rule(
        50,
        group("second"),
        RoleId::VIEWER,
        Scope::Cluster(cluster_id(2)),
    ));
    let reach = |who| [1, 2, 3].map(|number| index.reaches_cluster(&who, cluster_id(number)));
    assert_eq!(reach(caller("bob")), [true, false, false]);
    assert_eq!(reach(caller("admin")), [true, true, false]);
    assert_eq!(reach(caller_in("stranger", &["second"])), [false, true, false]);
    assert_eq!(reach(caller("stranger")), [false, false, false]);
    // A role without rights in clusters leads to none.
    for (id, name, role) in [
        (51, "eda", RoleId::EDITOR),
        (52, "mel", RoleId::ML_ENGINEER),
        (53, "amy", RoleId::APPLICATION_ADMINISTRATOR),
    ] {
        index.add_rule(rule(id, user(name), role, Scope::Account));
    }
    let reach = |who| [1, 2].map(|number| index.reaches_cluster(&who, cluster_id(number)));
    for name in ["eda", "mel", "amy"] {
        assert_eq!(reach(caller(name)), [false, false], "{name}");
    }
}
