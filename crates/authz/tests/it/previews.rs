//! What a change would give and take, against the naive evaluator asked before and after it.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use reeve_authz::{
    Action, Change, Difference, Entity, Permission, PermissionSet, Principal, Reach, RoleId, Rule, Scope,
    SubjectKey,
};
use reeve_types::AccessRuleId;

use crate::oracle::Oracle;
use crate::organization::{Organization, custom_role};
use crate::people::{
    caller, caller_in, captions, demo, group, language, main_cluster, robots, rule, rule_id, speech, user,
};

fn everywhere(_: Scope) -> bool {
    true
}

/// Every permission in every scope, one by one: what the lists say is said once, of scopes that exist.
fn spelled_out(oracle: &Oracle, reaches: &[Reach]) -> BTreeSet<(Permission, Scope)> {
    let mut all = BTreeSet::new();
    for reach in reaches {
        for scope in oracle.scopes() {
            let chain = oracle.chain(scope);
            let left_out = reach.except.iter().any(|out| chain.contains(out));
            if chain.contains(&reach.scope) && !left_out {
                for permission in reach.permissions.iter() {
                    assert!(
                        all.insert((permission, scope)),
                        "{permission} in {scope} is named twice"
                    );
                }
            }
        }
    }
    all
}

/// The same by rules, roles and scopes one after the other.
fn may(oracle: &Oracle, who: &Principal) -> BTreeSet<(Permission, Scope)> {
    let mut all = BTreeSet::new();
    let chains: BTreeMap<Scope, Vec<Scope>> = oracle
        .scopes()
        .into_iter()
        .map(|scope| (scope, oracle.chain(scope)))
        .collect();
    for rule in oracle.rules.iter().filter(|rule| oracle.names(rule, who)) {
        let permissions = oracle.permissions(rule.role);
        for (scope, chain) in &chains {
            if chain.contains(&rule.scope) {
                all.extend(permissions.iter().map(|permission| (permission, *scope)));
            }
        }
    }
    all
}

fn changes(organization: &Organization, random: &mut StdRng) -> Vec<Change> {
    let (oracle, custom) = (&organization.oracle, &organization.roles[19..]);
    let count = random.random_range(0..4);
    let change = |random: &mut StdRng| match random.random_range(0..8) {
        0..=3 => {
            // Somebody who has rules already, so that some of it is nothing new.
            let subject = oracle.rules.choose(random).unwrap().subject.clone();
            Change::AddRule {
                subject,
                role: *organization.roles.choose(random).unwrap(),
                scope: *organization.scopes.choose(random).unwrap(),
            }
        }
        4 | 5 => Change::RemoveRule(oracle.rules.choose(random).unwrap().id),
        6 => {
            let id = custom.choose(random).unwrap().number();
            let permissions = Permission::all().sample(random, 20);
            Change::PutRole(custom_role(id, permissions.into_iter().collect()))
        }
        _ => Change::RemoveRole(*custom.choose(random).unwrap()),
    };
    (0..count).map(|_| change(random)).collect()
}

fn changed(oracle: &Oracle, changes: &[Change]) -> Oracle {
    let mut after = oracle.clone();
    for (number, change) in changes.iter().enumerate() {
        match change {
            Change::AddRule { subject, role, scope } => {
                if after.knows_role(*role) {
                    let id = AccessRuleId::new(100_000 + number as i64).unwrap();
                    let (subject, role, scope) = (subject.clone(), *role, *scope);
                    after.add_rule(Rule {
                        id,
                        subject,
                        role,
                        scope,
                    });
                }
            }
            Change::RemoveRule(id) => after.rules.retain(|rule| rule.id != *id),
            Change::PutRole(role) => after.add_role(role.id(), role.permissions(), role.in_clusters()),
            Change::RemoveRole(id) => after.remove_role(*id),
        }
    }
    after
}

/// Planted fault: without the exceptions of a [`Reach`], what was held below before counts as gained.
#[test]
fn what_is_gained_and_lost_is_what_the_naive_evaluator_says_before_and_after() {
    let mut random = StdRng::seed_from_u64(0x5EED_0007);
    let (mut gained, mut lost, mut nothing, mut with_exceptions) = (0, 0, 0, 0);
    for world in 0..6 {
        let organization = Organization::new(900 + world);
        for _ in 0..12 {
            let changes = changes(&organization, &mut random);
            let after = changed(&organization.oracle, &changes);
            let mut people: Vec<(Principal, Principal)> = organization
                .index
                .subjects_of_changes(&changes)
                .into_iter()
                .map(|subject| (Principal::alone(subject.clone()), Principal::alone(subject)))
                .collect();
            for who in organization.callers.iter().sample(&mut random, 3) {
                // In another group afterwards.
                let mut later = who.clone();
                later.groups.pop();
                if let SubjectKey::Group(name) =
                    &organization.oracle.rules.choose(&mut random).unwrap().subject
                {
                    later.groups.push(name.clone());
                }
                people.push((who.clone(), later));
            }
            let both = people.iter().flat_map(|(before, after)| [before, after]);
            let preview = organization.index.preview(&changes, both);
            for (before, later) in &people {
                let difference = preview.difference(before, later, everywhere);
                let had = may(&organization.oracle, before);
                let has = may(&after, later);
                let oracle = &organization.oracle;
                let said = (
                    spelled_out(oracle, &difference.gained),
                    spelled_out(oracle, &difference.lost),
                );
                let naive: (BTreeSet<_>, BTreeSet<_>) = (
                    has.difference(&had).copied().collect(),
                    had.difference(&has).copied().collect(),
                );
                assert!(said == naive, "{before:?} {later:?} {changes:?}\n{difference:#?}");
                gained += usize::from(!naive.0.is_empty());
                lost += usize::from(!naive.1.is_empty());
                nothing += usize::from(difference == Difference::default());
                let all = difference.gained.iter().chain(&difference.lost);
                with_exceptions += all.filter(|reach| !reach.except.is_empty()).count();
            }
        }
    }
    let seen = [gained, lost, nothing, with_exceptions];
    assert!(seen.iter().all(|count| *count > 15), "{seen:?}");
}

#[test]
fn what_somebody_holds_further_down_is_left_out_of_what_she_gains() {
    let index = demo();
    let bob = caller("bob");
    let change = Change::AddRule {
        subject: user("bob"),
        role: RoleId::VIEWER,
        scope: main_cluster(),
    };
    let preview = index.preview(std::slice::from_ref(&change), [&bob]);
    let difference = preview.difference(&bob, &bob, everywhere);
    let [reach] = difference.gained.as_slice() else {
        panic!("{difference:?}")
    };
    assert_eq!(
        (reach.scope, reach.except.as_slice()),
        (main_cluster(), &[language()][..])
    );
    assert_eq!(
        reach.permissions,
        index.role(RoleId::VIEWER).unwrap().permissions()
    );
    assert!(difference.lost.is_empty());
    // The index itself is as it was.
    assert_eq!(index.rule_count(), demo().rule_count());
    // Of rules that are not seen nothing is told.
    let hidden = preview.difference(&bob, &bob, |scope| scope != main_cluster());
    assert_eq!(hidden, Difference::default());
}

#[test]
fn a_rule_that_gives_what_another_gives_is_taken_away_without_a_loss() {
    let mut index = demo();
    index.add_rule(rule(9, group("team"), RoleId::VIEWER, captions()));
    let bob = caller_in("bob", &["team"]);
    let preview = index.preview(&[Change::RemoveRule(rule_id(9))], [&bob]);
    assert_eq!(preview.difference(&bob, &bob, everywhere), Difference::default());
    // The group has no other.
    let team = Principal::alone(group("team"));
    let lost = preview.difference(&team, &team, everywhere).lost;
    assert_eq!(lost.len(), 1);
    // Who leaves the group loses nothing either; somebody else does.
    let preview = index.preview(&[], [&bob, &caller("bob")]);
    assert_eq!(
        preview.difference(&bob, &caller("bob"), everywhere),
        Difference::default()
    );
    let (in_it, out_of_it) = (caller_in("alice", &["team"]), caller("alice"));
    let preview = index.preview(&[], [&in_it, &out_of_it]);
    let lost = preview.difference(&in_it, &out_of_it, everywhere).lost;
    assert_eq!((lost.len(), lost[0].scope), (1, captions()));
}

/// Planted fault: rules of scopes that are not seen are named, or counted.
#[test]
fn why_and_why_not_are_the_decision_and_name_no_rule_that_is_not_seen() {
    let mut index = demo();
    index.add_rule(rule(9, user("bob"), RoleId::VIEWER, Scope::Account));
    let bob = caller("bob");
    let read = (Action::Read, Entity::Trainings);
    let ids = |seen: &dyn Fn(Scope) -> bool, scope| {
        let reasons = index.explain(&bob, read, scope, seen);
        reasons.map(|all| all.iter().map(|reason| reason.rule.number()).collect::<Vec<_>>())
    };
    assert_eq!(ids(&everywhere, speech()).unwrap(), [3, 9]);
    assert_eq!(ids(&|scope| scope != Scope::Account, speech()).unwrap(), [3]);
    assert_eq!(ids(&everywhere, robots()).unwrap(), [9]);
    let hidden = ids(&|scope| scope != Scope::Account, robots()).unwrap_err();
    index.remove_rule(rule_id(9));
    let refused = index.explain(&bob, read, robots(), everywhere).unwrap_err();
    assert_eq!(hidden.explanation(), refused.explanation());
    assert_eq!(
        refused.explanation(),
        index
            .decide(&bob, read.0, read.1, robots())
            .unwrap_err()
            .explanation()
    );
}

#[test]
fn a_role_that_changes_is_previewed_for_everybody_who_has_it() {
    let mut organization = Organization::new(77);
    let role = organization.roles[25];
    let holders: Vec<SubjectKey> = organization
        .oracle
        .rules
        .iter()
        .filter(|rule| rule.role == role)
        .map(|rule| rule.subject.clone())
        .collect();
    let emptied = Change::PutRole(custom_role(role.number(), PermissionSet::NONE));
    let found = organization.index.subjects_of_changes(&[emptied]);
    assert_eq!(found, holders.iter().cloned().collect());
    // A rule more with it is found, too.
    let change = rule(5_000, user("new"), role, captions());
    organization.index.add_rule(change);
    let found = organization
        .index
        .subjects_of_changes(&[Change::RemoveRole(role)]);
    assert!(found.contains(&user("new")));
}
