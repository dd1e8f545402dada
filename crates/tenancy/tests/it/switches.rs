//! The rights with every combination of the switches, as the table of rights has them.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::PolicyRule;
use reeve_admission::names;
use reeve_tenancy::operator::{self, Reach};
use reeve_tenancy::{Platform, Shown, Switch, Switches, objects, people, permissions_text};

/// One verb on one resource of one name in one role.
type Right = String;

fn rights_of(role: &str, rules: &[PolicyRule]) -> BTreeSet<Right> {
    let mut found = BTreeSet::new();
    for rule in rules {
        let names = rule
            .resource_names
            .clone()
            .unwrap_or_else(|| vec!["any".to_owned()]);
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    found.extend(
                        names
                            .iter()
                            .map(|name| format!("{role}: {verb} {group}/{resource} {name}")),
                    );
                }
            }
        }
    }
    found
}

/// Everything that the rendered roles of the operator allow.
fn rendered(switches: Switches) -> BTreeSet<Right> {
    let objects = objects(switches);
    let mut all = BTreeSet::new();
    for role in objects.cluster_roles {
        let name = role.metadata.name.unwrap();
        if name.starts_with(names::OPERATOR_SERVICE_ACCOUNT) {
            all.extend(rights_of(&name, &role.rules.unwrap_or_default()));
        }
    }
    for role in objects.roles {
        let name = format!(
            "{}/{}",
            role.metadata.namespace.unwrap(),
            role.metadata.name.unwrap()
        );
        all.extend(rights_of(&name, &role.rules.unwrap_or_default()));
    }
    all
}

/// What of the rights must never be, in any combination.
fn faults(rights: &BTreeSet<Right>) -> Vec<&Right> {
    let is_fault = |right: &&Right| {
        let (role, what) = right.split_once(": ").unwrap();
        let mut words = what.split(' ');
        let [verb, resource, name] = [(); 3].map(|()| words.next().unwrap());
        let everywhere = !role.contains('/') && !role.starts_with(names::ROLE_OPERATOR_IN_PROJECT);
        // Copies of Secrets, and credentials of the control plane, are deleted by their mark, and R26 refuses the operator any other (`forbidden.rs`).
        let by_mark = [
            names::ROLE_OPERATOR_SECRET_PROPAGATION,
            "reeve-secrets/reeve-operator-secret-propagation",
        ];
        let is_by_mark = by_mark.contains(&role) && what == "deletecollection /secrets any";
        what.contains('*')
            || !is_by_mark && ["escalate", "impersonate", "deletecollection"].contains(&verb)
            || verb == "bind" && name == "any"
            || resource.starts_with("/secrets") && everywhere
            || resource.starts_with("admissionregistration.k8s.io/") && !["list", "watch"].contains(&verb)
    };
    rights.iter().filter(is_fault).collect()
}

/// What Helm makes of them is compared with one table (`rendered.rs`).
#[test]
fn the_roles_of_all_sixteen_combinations_are_the_tables_and_hold_nothing_forbidden() {
    let everything = rendered(Switches::default());
    for switches in Switches::combinations() {
        let rights = rendered(switches);
        assert_eq!(faults(&rights), Vec::<&Right>::new(), "{switches}");
        assert!(rights.is_subset(&everything), "{switches} adds something");
        let table_says = operator::given(switches)
            .map(|grant| grant.names.len().max(1) * grant.resources.len() * grant.verbs.len());
        assert_eq!(rights.len(), table_says.sum::<usize>(), "{switches}");
    }
}

/// A fault in every role is found, whatever is rendered.
#[test]
fn a_planted_right_is_found() {
    for planted in [
        "reeve-operator: * /pods any",
        "reeve-operator: get /* any",
        "reeve-operator: list */pods any",
        "reeve-operator-project: escalate rbac.authorization.k8s.io/clusterroles reeve-viewer",
        "reeve-operator-project: impersonate /users any",
        "reeve-operator-user-assignment: bind rbac.authorization.k8s.io/clusterroles any",
        "reeve-operator-secret-propagation: list /secrets any",
        "reeve-operator: patch admissionregistration.k8s.io/validatingadmissionpolicies any",
    ] {
        let rights = BTreeSet::from([planted.to_owned()]);
        assert_eq!(faults(&rights).len(), 1, "{planted}");
    }
}

/// Which switches, turned off, take nothing away, or give something.
fn idle(rendered: impl Fn(Switches) -> BTreeSet<Right>) -> Vec<Switch> {
    let takes_only = |before: Switches, switch: Switch| {
        let (all, less) = (rendered(before), rendered(before.without(switch)));
        less.is_subset(&all) && less.len() < all.len()
    };
    let of_any = |switch: &Switch| {
        Switches::combinations()
            .into_iter()
            .filter(|before| before.is_on(*switch))
            .any(|before| !takes_only(before, *switch))
    };
    Switch::ALL.into_iter().filter(of_any).collect()
}

#[test]
fn a_switch_that_is_turned_off_takes_rights_away_and_gives_none() {
    // The parts that have rights already; each takes some away whatever the others say.
    let with_rights: Vec<Switch> = Switch::ALL
        .into_iter()
        .filter(|switch| operator::grants().any(|grant| grant.switch == Some(*switch)))
        .collect();
    let idle_ones = idle(rendered);
    assert!(
        with_rights.iter().all(|switch| !idle_ones.contains(switch)),
        "{idle_ones:?}"
    );
    assert!(
        with_rights.contains(&Switch::NamespaceCreation) && with_rights.contains(&Switch::UserAssignment)
    );
    // A renderer that does not look at the switches is noticed.
    assert_eq!(idle(|_| rendered(Switches::default())), Switch::ALL);
}

#[test]
fn without_user_assignment_nothing_of_rbac_can_be_written() {
    let writes = |switches: Switches| {
        rendered(switches)
            .into_iter()
            .filter(|right| right.contains("rbac.authorization.k8s.io/"))
            .filter(|right| !right.contains(": list ") && !right.contains(": watch "))
            .count()
    };
    for switches in Switches::combinations() {
        assert_eq!(
            writes(switches) == 0,
            !switches.is_on(Switch::UserAssignment),
            "{switches}"
        );
    }
}

/// Every role of a switch inside projects can be bound by the operator: else it would never hold there.
#[test]
fn what_holds_in_projects_can_be_bound_while_user_assignment_is_on() {
    for switches in Switches::combinations() {
        let bound: Vec<&str> = operator::given(switches)
            .filter(|grant| grant.verbs == ["bind"] && grant.reach == Reach::Cluster)
            .flat_map(|grant| grant.names.iter().copied())
            .collect();
        let needed = reeve_tenancy::operator_bindings("reeve-robots", switches);
        for binding in &needed {
            let role = binding.role_ref.name.as_str();
            assert!(names::OPERATOR_ROLES.contains(&role), "{role}");
            let is_on = switches.is_on(Switch::UserAssignment);
            assert_eq!(bound.contains(&role), is_on, "{role} with {switches}");
        }
        assert!(bound.len() <= needed.len(), "{bound:?} with {switches}");
    }
}

#[test]
fn what_is_bound_by_hand_binds_the_operator_and_nobody_else() {
    let switches = Switches::default().without(Switch::UserAssignment);
    insta::assert_snapshot!(reeve_tenancy::by_hand_yaml("reeve-robots", switches).unwrap());
}

#[test]
fn a_security_officer_reads_each_right_with_its_reason_and_what_removes_it() {
    let switches = Switches::default().without(Switch::NamespaceCreation);
    let text = permissions_text(switches, Platform::Kubernetes, Shown::Given);
    for grant in operator::given(switches) {
        assert!(text.contains(grant.because), "{grant:?}");
    }
    assert!(!text.contains("reeve-operator-namespace-creation"), "{text}");
    insta::assert_snapshot!(permissions_text(switches, Platform::OpenShift, Shown::Removed));
    // People's roles stay whatever the switches say.
    for switches in Switches::combinations() {
        let roles = objects(switches).cluster_roles;
        let people: Vec<_> = people::cluster_roles();
        assert!(people.iter().all(|role| roles.contains(role)), "{switches}");
    }
}
