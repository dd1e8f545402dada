//! However an index came to be, it equals one built from what is left, and the oracle.

use proptest::prelude::*;
use reeve_authz::{Index, Permission, PermissionSet, Principal, Role, RoleId, Rule, Scope, SubjectKey};

use crate::oracle::Oracle;
use crate::organization::custom_role;
use crate::people::{
    caller_in, cluster_id, department_id, group, project_id, rule, rule_id, service_account, user,
};

#[derive(Clone, Debug)]
enum Step {
    AddCluster(u8),
    AddDepartment(i64, u8),
    AddProject(i64, i64),
    RemoveScope(Scope),
    AddRule(Rule),
    RemoveRule(i64),
    /// A role made at run time, or changed: what it may do.
    PutRole(i64, PermissionSet),
    RemoveRole(i64),
}

/// Two of them are not always there.
const ROLES: [i64; 7] = [1, 2, 5, 9, 19, 300, 301];

fn role_id(number: i64) -> RoleId {
    RoleId::new(number).unwrap()
}

fn any_permissions() -> impl Strategy<Value = PermissionSet> {
    let all: Vec<Permission> = Permission::all().collect();
    proptest::sample::subsequence(all.clone(), 0..all.len()).prop_map(|some| some.into_iter().collect())
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        2 => Just(Scope::Account),
        3 => (1..=2_u8).prop_map(|number| Scope::Cluster(cluster_id(number))),
        4 => (1..=3_i64).prop_map(|number| Scope::Department(department_id(number))),
        6 => (1..=4_i64).prop_map(|number| Scope::Project(project_id(number))),
    ]
}

fn any_subject() -> impl Strategy<Value = SubjectKey> {
    prop_oneof![
        Just(user("a")),
        Just(user("b")),
        Just(group("g")),
        Just(group("a@reeve.example")),
        Just(service_account("ci")),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..=2_u8).prop_map(Step::AddCluster),
        5 => (1..=3_i64, 1..=2_u8).prop_map(|(id, cluster)| Step::AddDepartment(id, cluster)),
        6 => (1..=4_i64, 1..=3_i64).prop_map(|(id, department)| Step::AddProject(id, department)),
        2 => any_scope().prop_filter("emptying everything ends the story", |scope| *scope != Scope::Account).prop_map(Step::RemoveScope),
        14 => (1..=12_i64, any_subject(), proptest::sample::select(&ROLES[..]), any_scope())
            .prop_map(|(id, subject, role, scope)| Step::AddRule(rule(id, subject, role_id(role), scope))),
        4 => (1..=12_i64).prop_map(Step::RemoveRule),
        3 => (300..=301_i64, any_permissions()).prop_map(|(id, may)| Step::PutRole(id, may)),
        1 => (300..=301_i64).prop_map(Step::RemoveRole),
    ]
}

/// Takes the step in both; they must say the same about it.
fn take(step: Step, index: &mut Index, model: &mut Oracle) {
    match step {
        Step::AddCluster(number) => {
            let id = cluster_id(number);
            let new = !model.clusters.contains(&id);
            assert_eq!(index.add_cluster(id), new);
            if new {
                model.clusters.push(id);
            }
        }
        Step::AddDepartment(number, cluster) => {
            let (id, cluster) = (department_id(number), cluster_id(cluster));
            let new = model.clusters.contains(&cluster) && !model.scopes().contains(&Scope::Department(id));
            assert_eq!(index.add_department(id, cluster), new);
            if new {
                model.departments.push((id, cluster));
            }
        }
        Step::AddProject(number, department) => {
            let (id, department) = (project_id(number), department_id(department));
            let known = model.scopes().contains(&Scope::Department(department));
            let new = known && !model.scopes().contains(&Scope::Project(id));
            assert_eq!(index.add_project(id, department), new);
            if new {
                model.projects.push((id, department));
            }
        }
        Step::RemoveScope(scope) => {
            index.remove_scope(scope);
            model.remove_scope(scope);
        }
        Step::AddRule(rule) => assert_eq!(index.add_rule(rule.clone()), model.add_rule(rule)),
        Step::RemoveRule(number) => {
            let before = model
                .rules
                .iter()
                .find(|rule| rule.id == rule_id(number))
                .cloned();
            model.rules.retain(|rule| rule.id != rule_id(number));
            assert_eq!(index.remove_rule(rule_id(number)), before);
        }
        Step::PutRole(number, may) => {
            model.add_role(role_id(number), may, None);
            assert!(index.put_role(custom_role(number, may)));
        }
        Step::RemoveRole(number) => {
            let known = model.knows_role(role_id(number));
            model.remove_role(role_id(number));
            assert_eq!(index.remove_role(role_id(number)), known);
        }
    }
}

fn fresh(model: &Oracle) -> Index {
    let mut index = Index::new();
    for id in &model.clusters {
        assert!(index.add_cluster(*id));
    }
    for (id, cluster) in &model.departments {
        assert!(index.add_department(*id, *cluster));
    }
    for (id, department) in &model.projects {
        assert!(index.add_project(*id, *department));
    }
    for number in [300, 301]
        .into_iter()
        .filter(|number| model.knows_role(role_id(*number)))
    {
        assert!(index.put_role(custom_role(number, model.permissions(role_id(number)))));
    }
    // At once, and so the same as one by one.
    assert_eq!(index.add_rules(model.rules.iter().cloned()), model.rules.len());
    index
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

fn assert_equal(evolved: &Index, model: &Oracle) {
    let fresh = fresh(model);
    assert_eq!(sorted(evolved.scopes()), sorted(fresh.scopes()));
    assert_eq!(evolved.rule_count(), model.rules.len());
    let everywhere: Vec<Scope> = [Scope::Account]
        .into_iter()
        .chain((1..=2).map(|number| Scope::Cluster(cluster_id(number))))
        .chain((1..=3).map(|number| Scope::Department(department_id(number))))
        .chain((1..=4).map(|number| Scope::Project(project_id(number))))
        .collect();
    let callers = [
        caller_in("a", &[]),
        caller_in("b", &["g", "a@reeve.example"]),
        Principal::alone(service_account("ci")),
    ];
    for scope in &everywhere {
        assert_eq!(evolved.ancestors(*scope), fresh.ancestors(*scope));
        assert_eq!(
            sorted(evolved.descendants(*scope)),
            sorted(fresh.descendants(*scope))
        );
        let reaching = evolved.rules_reaching(*scope);
        assert_eq!(reaching, fresh.rules_reaching(*scope));
        let Permission { action, entity } = Permission::all().next().unwrap();
        let who_can = evolved.who_can(action, entity, *scope);
        assert_eq!(
            who_can.iter().map(|reason| reason.rule).collect::<Vec<_>>(),
            reaching
                .iter()
                .filter(|rule| evolved
                    .role(rule.role)
                    .unwrap()
                    .permissions()
                    .contains(Permission { action, entity }))
                .map(|rule| rule.id)
                .collect::<Vec<_>>()
        );
        for who in &callers {
            for permission in Permission::all() {
                let Permission { action, entity } = permission;
                let answer = evolved.decide(who, action, entity, *scope);
                assert_eq!(answer, fresh.decide(who, action, entity, *scope));
                assert_eq!(
                    answer.is_ok(),
                    model.allows(who, action, entity, *scope),
                    "{who:?} {permission} {scope}"
                );
            }
        }
    }
    for who in &callers {
        assert_eq!(
            evolved.what_can(who).len(),
            model.rules.iter().filter(|rule| model.names(rule, who)).count()
        );
        assert_eq!(evolved.held_anywhere(who), fresh.held_anywhere(who));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_equals_one_built_from_what_is_left(steps in proptest::collection::vec(any_step(), 1..80)) {
        let (mut index, mut model) = (Index::new(), Oracle::new());
        for step in steps {
            take(step, &mut index, &mut model);
        }
        assert_equal(&index, &model);
    }

    #[test]
    fn a_copy_does_not_follow_the_original(steps in proptest::collection::vec(any_step(), 1..60), cut in 0..60_usize) {
        let (mut index, mut model) = (Index::new(), Oracle::new());
        let mut kept = None;
        for (number, step) in steps.into_iter().enumerate() {
            if number == cut {
                kept = Some((index.clone(), model.clone()));
            }
            take(step, &mut index, &mut model);
        }
        if let Some((index, model)) = kept {
            assert_equal(&index, &model);
        }
    }
}

/// Hundreds of rules on one subject, in a scrambled order: the paths that a handful never walks.
#[test]
fn a_subject_with_hundreds_of_rules_is_kept_in_order() {
    let (mut index, mut model) = (Index::new(), Oracle::new());
    take(Step::AddCluster(1), &mut index, &mut model);
    take(Step::AddDepartment(1, 1), &mut index, &mut model);
    for number in 1..=100 {
        take(Step::AddProject(number, 1), &mut index, &mut model);
    }
    for step in 0..400_i64 {
        let number = step * 7_919 % 401 + 1;
        let scope = Scope::Project(project_id(number % 100 + 1));
        let all = Role::all_predefined();
        let role = all[usize::try_from(number).unwrap() % all.len()].id();
        take(
            Step::AddRule(rule(number, user("a"), role, scope)),
            &mut index,
            &mut model,
        );
    }
    for step in 0..390_i64 {
        take(Step::RemoveRule(step * 6_007 % 401 + 1), &mut index, &mut model);
        if step % 65 == 0 {
            assert_equal(&index, &model);
        }
    }
    assert_equal(&index, &model);
}
