//! Roles that are made at run time, as many as one likes: the index treats them as the predefined ones.

use reeve_authz::{Action, Entity, Index, Permission, PermissionSet, Role, RoleId};

use crate::organization::custom_role;
use crate::people::{caller, demo, robots, rule, rule_id, user, vision};

fn reads(entity: Entity) -> PermissionSet {
    [Permission::new(Action::Read, entity)].into_iter().collect()
}

#[test]
fn a_role_made_at_run_time_decides_lists_and_explains_as_any_other() {
    let mut index = demo();
    let id = RoleId::new(1_000).unwrap();
    let of_gus = |index: &mut Index| index.add_rule(rule(90, user("gus"), id, vision()));
    assert!(
        !of_gus(&mut index),
        "a rule with a role that is not there is not kept"
    );
    assert!(index.put_role(custom_role(1_000, reads(Entity::Credentials))));
    assert!(of_gus(&mut index));
    let gus = caller("gus");
    let granted = index
        .decide(&gus, Action::Read, Entity::Credentials, robots())
        .unwrap();
    assert_eq!(
        granted.because().unwrap().to_string(),
        "rule 90 gives user `gus@reeve.example` the role Custom 1000 in department `1`"
    );
    assert!(
        index
            .visible(&gus, Entity::Credentials)
            .unwrap()
            .contains(robots())
    );
    assert!(
        index
            .decide(&gus, Action::Update, Entity::Credentials, robots())
            .is_err()
    );
    assert!(
        index
            .decide(&gus, Action::Read, Entity::Templates, robots())
            .is_err()
    );
    assert_eq!(index.rule(rule_id(90)), Some(rule(90, user("gus"), id, vision())));

    // Changed, it gives what it says now; removed, its rules go with it.
    assert!(index.put_role(custom_role(1_000, reads(Entity::Templates))));
    assert!(
        index
            .decide(&gus, Action::Read, Entity::Credentials, robots())
            .is_err()
    );
    assert!(
        index
            .decide(&gus, Action::Read, Entity::Templates, robots())
            .is_ok()
    );
    assert!(index.remove_role(id) && !index.remove_role(id));
    assert!(
        index
            .decide(&gus, Action::Read, Entity::Templates, robots())
            .is_err()
    );
    assert_eq!((index.rule(rule_id(90)), index.role(id)), (None, None));
}

#[test]
fn predefined_roles_can_be_neither_replaced_nor_removed() {
    let mut index = demo();
    let viewer = Role::of(RoleId::VIEWER).unwrap();
    assert!(!index.put_role(viewer.clone()));
    assert!(!index.remove_role(RoleId::VIEWER));
    assert!(index.rule(rule_id(3)).is_some());
    assert_eq!(
        index.roles().collect::<Vec<_>>(),
        Role::all_predefined().iter().collect::<Vec<_>>()
    );
}

/// A filter of 64 bits stands before every check, and roles 64 apart share one of them: no role may gain by it.
#[test]
fn of_two_hundred_roles_each_gives_its_own_permission_and_none_of_the_others() {
    let mut index = demo();
    let permissions: Vec<Permission> = Permission::all().collect();
    let all = |number: usize| permissions[number % permissions.len()];
    for number in 0..200 {
        let id = 1_000 + i64::try_from(number).unwrap();
        assert!(index.put_role(custom_role(id, [all(number)].into_iter().collect())));
        let role = RoleId::new(id).unwrap();
        assert!(index.add_rule(rule(id, user(&format!("u{number}")), role, robots())));
    }
    for number in 0..200 {
        let who = caller(&format!("u{number}"));
        for permission in &permissions {
            let allowed = index
                .decide(&who, permission.action, permission.entity, robots())
                .is_ok();
            assert_eq!(
                allowed,
                *permission == all(number),
                "{permission} by role {number}"
            );
            let anywhere = index.holds_anywhere(&who, permission.action, permission.entity);
            assert_eq!(anywhere, allowed, "{permission} by role {number}");
        }
        assert_eq!(
            index.held_at(&who, robots()).iter().collect::<Vec<_>>(),
            [all(number)]
        );
    }
}
