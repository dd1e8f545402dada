//! Who may give which role, and whom a refusal names.

use reeve_authz::{Action, Entity, Index, Principal, Role, RoleId, Scope};

use crate::people::{
    caller, caller_in, captions, demo, group, language, main_cluster, robots, rule, rule_id, speech, user,
    vision,
};

/// dora is Department administrator of language, paul Project administrator of captions.
fn delegated() -> Index {
    let mut index = demo();
    index.add_rule(rule(
        60,
        user("dora"),
        RoleId::DEPARTMENT_ADMINISTRATOR,
        language(),
    ));
    index.add_rule(rule(61, user("paul"), RoleId::PROJECT_ADMINISTRATOR, captions()));
    index
}

fn givable(index: &Index, who: &Principal, scope: Scope) -> Vec<&'static str> {
    let may = |role: &&Role| index.may_grant(who, role.id(), scope).is_ok();
    Role::all_predefined()
        .iter()
        .filter(may)
        .map(Role::display_name)
        .collect()
}

#[test]
fn a_department_administrator_gives_the_listed_roles_in_her_department_and_its_projects() {
    let index = delegated();
    let listed = [
        "Research manager",
        "L1 researcher",
        "L2 researcher",
        "ML engineer",
        "Viewer",
    ];
    for inside in [language(), captions(), speech()] {
        assert_eq!(givable(&index, &caller("dora"), inside), listed, "{inside}");
    }
    for outside in [Scope::Account, main_cluster(), vision(), robots()] {
        assert_eq!(givable(&index, &caller("dora"), outside), [""; 0], "{outside}");
        let denial = index
            .may_grant(&caller("dora"), RoleId::VIEWER, outside)
            .unwrap_err();
        assert_eq!(denial.missing().to_string(), "access_rules:create");
        assert_eq!(denial.ungivable_role(), None);
    }
}

#[test]
fn a_project_administrator_gives_the_listed_roles_in_his_project() {
    let index = delegated();
    let listed = [
        "L2 researcher",
        "Viewer",
        "AI practitioner",
        "Project administrator",
    ];
    assert_eq!(givable(&index, &caller("paul"), captions()), listed);
    assert_eq!(givable(&index, &caller("paul"), speech()), [""; 0]);
}

#[test]
fn the_answer_names_the_rule_that_lets_the_role_be_given() {
    let mut index = delegated();
    // dora's nearer rule creates access rules, too, and may not give this role.
    index.add_rule(rule(62, user("dora"), RoleId::PROJECT_ADMINISTRATOR, captions()));
    let granted = index
        .may_grant(&caller("dora"), RoleId::RESEARCH_MANAGER, captions())
        .unwrap();
    assert_eq!(granted.granted().because().unwrap().rule, rule_id(60));
    assert!(granted.covers(RoleId::RESEARCH_MANAGER, captions()));
}

#[test]
fn who_may_create_rules_but_not_this_one_is_told_who_may() {
    let index = delegated();
    let refused = |who: &str, role| {
        let denial = index.may_grant(&caller(who), role, captions()).unwrap_err();
        (denial.held_nowhere, denial.to_string())
    };
    assert_eq!(
        refused("dora", RoleId::SYSTEM_ADMINISTRATOR),
        (
            false,
            "needs a role that may give `System administrator` in project `2`; access rules in the account can be created by \
             user `admin@reeve.example`"
                .to_owned()
        )
    );
    assert_eq!(
        refused("paul", RoleId::L1_RESEARCHER),
        (
            false,
            "needs a role that may give `L1 researcher` in project `2`; access rules in department `2` can be created by user \
             `dora@reeve.example`"
                .to_owned()
        )
    );
}

#[test]
fn a_role_that_may_give_is_no_reason_to_give_what_one_does_not_hold() {
    let mut index = demo();
    // fay gives any role in robots by a role made at run time, and holds what L1 researcher needs but for one permission.
    let l1 = Role::of(RoleId::L1_RESEARCHER).unwrap().permissions();
    let create = reeve_authz::Permission::new(Action::Create, Entity::AccessRules);
    let missing = reeve_authz::Permission::new(Action::Delete, Entity::Trainings);
    let almost = l1.with(create).iter().filter(|it| *it != missing).collect();
    let role = crate::organization::custom_role_in_clusters(500, RoleId::L1_RESEARCHER, almost);
    assert!(index.put_role(role.clone()));
    index.add_rule(rule(70, user("fay"), role.id(), robots()));
    let denial = index
        .may_grant(&caller("fay"), RoleId::L1_RESEARCHER, robots())
        .unwrap_err();
    assert_eq!(denial.missing(), missing);
    assert_eq!(denial.who_could_grant(), [user("admin")]);
    // With a rule of a colleagues' group the permission is hers, and the two together are enough.
    index.add_rule(rule(71, group("colleagues"), RoleId::L2_RESEARCHER, vision()));
    let fay = caller_in("fay", &["colleagues"]);
    assert!(index.may_grant(&fay, RoleId::L1_RESEARCHER, robots()).is_ok());
    assert!(index.may_grant(&fay, RoleId::L1_RESEARCHER, vision()).is_err());
}

/// Everything that a role may do on the control plane is not everything that it gives: the cluster counts, too.
#[test]
fn nobody_gives_a_role_that_may_do_more_in_clusters_than_they_can_there() {
    let mut index = demo();
    let create = reeve_authz::Permission::new(Action::Create, Entity::AccessRules);
    let all = Role::of(RoleId::L1_RESEARCHER)
        .unwrap()
        .permissions()
        .with(create);
    let as_ = |id, as_: Option<RoleId>| match as_ {
        None => crate::organization::custom_role(id, all),
        Some(as_) => crate::organization::custom_role_in_clusters(id, as_, all),
    };
    let nothing = as_(600, None);
    let looks = as_(601, Some(RoleId::VIEWER));
    let submits = as_(602, Some(RoleId::L2_RESEARCHER));
    let administers = as_(603, Some(RoleId::SYSTEM_ADMINISTRATOR));
    for role in [&nothing, &looks, &submits, &administers] {
        assert!(index.put_role(role.clone()));
    }
    index.add_rule(rule(70, user("fay"), submits.id(), robots()));
    let gives = |index: &Index, role: RoleId| index.may_grant(&caller("fay"), role, robots());
    for role in [nothing.id(), looks.id(), submits.id(), RoleId::VIEWER] {
        assert!(gives(&index, role).is_ok(), "{role}");
    }
    for (role, cluster) in [
        (RoleId::L1_RESEARCHER, "l1-researcher"),
        (administers.id(), "system-administrator"),
    ] {
        let denial = gives(&index, role).unwrap_err();
        let name = denial.ungivable_role().unwrap().display_name().to_owned();
        assert_eq!(
            denial.to_string(),
            format!(
                "needs the rights of `{cluster}` in the cluster's namespaces, which `{name}` gives, in project `1`; access rules \
                 in the account can be created by user `admin@reeve.example`"
            )
        );
    }
    // By another rule on the way she holds it there, and can give it; a rule elsewhere is of no use.
    index.add_rule(rule(71, user("fay"), RoleId::L1_RESEARCHER, captions()));
    assert!(gives(&index, RoleId::L1_RESEARCHER).is_err());
    index.add_rule(rule(72, user("fay"), RoleId::L1_RESEARCHER, vision()));
    assert!(gives(&index, RoleId::L1_RESEARCHER).is_ok());
    assert!(gives(&index, administers.id()).is_err());
}

#[test]
fn a_refusal_names_whoever_can_grant_the_missing_permission_and_nobody_else() {
    let index = delegated();
    let named = |entity, action, scope| {
        let denial = index
            .decide(&caller("stranger"), action, entity, scope)
            .unwrap_err();
        (denial.grantable_at(), denial.who_could_grant())
    };
    // The nearest who can give a role with it: the project's, the department's, the account's administrator.
    let workspaces = named(Entity::Workspaces, Action::Create, captions());
    assert_eq!(workspaces, (Some(captions()), vec![user("paul")]));
    let nodes = named(Entity::Nodes, Action::Read, captions());
    assert_eq!(nodes, (Some(language()), vec![user("dora")]));
    let users = named(Entity::Users, Action::Create, captions());
    assert_eq!(users, (Some(Scope::Account), vec![user("admin")]));
    // dora holds these, and no role that she may give has them.
    for (entity, action) in [
        (Entity::Department, Action::Delete),
        (Entity::Policies, Action::Create),
    ] {
        assert!(index.decide(&caller("dora"), action, entity, captions()).is_ok());
        assert_eq!(named(entity, action, captions()).1, [user("admin")], "{entity}");
    }
}

#[test]
fn granters_of_several_roles_are_named_by_their_oldest_rules() {
    let mut index = demo();
    for (id, name, role) in [
        (80, "pia", RoleId::PROJECT_ADMINISTRATOR),
        (81, "dan", RoleId::DEPARTMENT_ADMINISTRATOR),
        (82, "pia", RoleId::DEPARTMENT_ADMINISTRATOR),
        (83, "sue", RoleId::SYSTEM_ADMINISTRATOR),
        (84, "leo", RoleId::DEPARTMENT_ADMINISTRATOR),
    ] {
        index.add_rule(rule(id, user(name), role, robots()));
    }
    let named = |index: &Index| {
        let denial = index
            .decide(&caller("bob"), Action::Create, Entity::Workspaces, robots())
            .unwrap_err();
        denial.who_could_grant()
    };
    assert_eq!(named(&index), [user("pia"), user("dan"), user("sue")]);
    index.remove_rule(rule_id(80));
    assert_eq!(named(&index), [user("dan"), user("pia"), user("sue")]);
    index.remove_rule(rule_id(81));
    index.remove_rule(rule_id(83));
    assert_eq!(named(&index), [user("pia"), user("leo")]);
}
