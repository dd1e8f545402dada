//! The index and the oracle agree; and where one of them is wrong, the comparison says so.

use reeve_authz::{Index, Permission, Principal, Role, RoleId, Scope};

use crate::oracle::{Fault, Oracle};
use crate::organization::{compare, custom_role, custom_role_in_clusters};
use crate::people::{caller, rule, user};

const SEED: u64 = 0x5EED_0001;

#[test]
fn index_and_oracle_agree_on_100_000_random_decisions_and_on_every_list() {
    let seen = compare(SEED, 20, 5_000, Fault::None);
    assert_eq!((seen.decisions_wrong, seen.lists_wrong), (0, 0), "{seen:#?}");
    assert_eq!(seen.decisions, 100_000);
    assert!(
        seen.allowed * 100 >= seen.decisions * 30,
        "too few are allowed to mean anything: {}",
        seen.allowed
    );
    assert!(
        seen.allowed * 100 <= seen.decisions * 80,
        "too few are refused to mean anything: {}",
        seen.allowed
    );
    let levels = ["tenant", "cluster", "department", "project"];
    for role in Role::all_predefined() {
        for (depth, at) in levels.iter().enumerate() {
            for asked in &levels[depth..] {
                let hit = seen
                    .allowed_by
                    .get(&(role.id(), at, asked))
                    .copied()
                    .unwrap_or_default();
                assert!(hit > 0, "{role} at {at} never allowed anything in a {asked}");
            }
        }
    }
    for asked in levels {
        assert!(
            seen.refused_at.get(asked).is_some_and(|refused| *refused > 500),
            "{seen:#?}"
        );
    }
    assert!(
        seen.through_groups > 5_000 && seen.in_unknown_scopes > 500 && seen.lists > 20_000,
        "{seen:#?}"
    );
}

/// Each planted fault must be found by decisions and by lists.
fn finds(fault: Fault) {
    let seen = compare(SEED, 1, 2_000, fault);
    assert!(
        seen.decisions_wrong > 0,
        "{fault:?} went unnoticed in {} decisions",
        seen.decisions
    );
    assert!(
        seen.lists_wrong > 0,
        "{fault:?} went unnoticed in {} lists",
        seen.lists
    );
}

#[test]
fn an_evaluator_that_ignores_ancestors_is_found() {
    finds(Fault::AncestorsIgnored);
}

#[test]
fn an_evaluator_that_ignores_groups_is_found() {
    finds(Fault::GroupsIgnored);
}

#[test]
fn an_evaluator_that_ignores_the_action_is_found() {
    finds(Fault::ActionIgnored);
}

#[test]
fn an_evaluator_that_ignores_the_entity_is_found() {
    finds(Fault::EntityIgnored);
}

#[test]
fn an_evaluator_that_mixes_kinds_of_subjects_is_found() {
    finds(Fault::KindOfSubjectIgnored);
}

#[test]
fn an_evaluator_that_ignores_the_scope_is_found() {
    finds(Fault::ScopeIgnored);
}

/// What a set of eight bits did: the ninth role had the bit of the first.
#[test]
fn an_evaluator_that_takes_the_ninth_role_for_the_first_is_found() {
    finds(Fault::NinthRoleIsTheFirst);
}

#[test]
fn an_evaluator_by_which_whoever_creates_rules_gives_every_role_is_found() {
    let seen = compare(SEED, 3, 2_000, Fault::ListOfGrantsIgnored);
    assert!(seen.lists_wrong > 0, "{seen:#?}");
}

#[test]
fn an_evaluator_that_names_everybody_who_creates_rules_is_found() {
    finds(Fault::EveryGranterIsNamed);
}

/// Roles that may do everything on the control plane and differ in clusters alone: whoever holds one gives each of them. Random
/// roles never get that far.
#[test]
fn an_evaluator_that_compares_nothing_in_clusters_is_found() {
    let wrong = |fault| {
        let (mut index, mut oracle) = (Index::new(), Oracle::new());
        oracle.fault = fault;
        let clusters = [
            None,
            Some(RoleId::VIEWER),
            Some(RoleId::L2_RESEARCHER),
            Some(RoleId::AI_PRACTITIONER),
            Some(RoleId::L1_RESEARCHER),
            Some(RoleId::SYSTEM_ADMINISTRATOR),
        ];
        let mut roles = Vec::new();
        for (number, as_) in (100..).zip(clusters) {
            let all = Permission::all().collect();
            let role = match as_ {
                None => custom_role(number, all),
                Some(as_) => custom_role_in_clusters(number, as_, all),
            };
            oracle.add_role(role.id(), all, role.in_clusters());
            assert!(index.put_role(role.clone()));
            let of_holder = rule(number, user(&format!("u{number}")), role.id(), Scope::Account);
            assert!(oracle.add_rule(of_holder.clone()) && index.add_rule(of_holder));
            roles.push(role.id());
        }
        let holders: Vec<_> = roles
            .iter()
            .map(|role| caller(&format!("u{}", role.number())))
            .collect();
        let differs = |who: &Principal, role: RoleId| {
            index.may_grant(who, role, Scope::Account).is_ok() != oracle.may_grant(who, role, Scope::Account)
        };
        let pairs = holders
            .iter()
            .flat_map(|who| roles.iter().map(move |role| (who, *role)));
        pairs.filter(|(who, role)| differs(who, *role)).count()
    };
    assert_eq!(wrong(Fault::None), 0);
    assert_eq!(wrong(Fault::ClustersIgnored), 16);
}

#[test]
fn an_evaluator_by_which_every_role_leads_to_clusters_is_found() {
    let seen = compare(SEED, 3, 2_000, Fault::EveryRoleReachesClusters);
    assert!(seen.lists_wrong > 0, "{seen:#?}");
}
