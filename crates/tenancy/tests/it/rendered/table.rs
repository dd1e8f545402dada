//! All renderings as one table: each rule and each binding once, with the switches and the platforms that it needs. Nothing is
//! left out by that: two different sets of renderings have two different tables.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use reeve_tenancy::{Switch, Switches};

use super::chart::{Rights, TARGETS};

/// The rights of one combination, by its number in [`Switches::combinations`], on one of [`TARGETS`].
#[derive(Debug)]
pub(super) struct Rendering {
    pub(super) target: usize,
    pub(super) combination: usize,
    pub(super) switches: Switches,
    pub(super) rights: Rights,
}

/// In which of the combinations something is there: a bit for each.
type There = u16;

const HEAD: &str = "What stands behind a line is needed for it: switches that are on, and the platform. A line with nothing behind it is
there with every combination of the switches on every platform. `restricted` is a cluster, of OpenShift too, on which no
SecurityContextConstraints may be installed; before Kubernetes 1.36 a webhook stands in for the policies.
";

pub(super) fn table(renderings: &[Rendering]) -> String {
    let mut lines: BTreeMap<(String, String), [There; TARGETS.len()]> = BTreeMap::new();
    for rendering in renderings {
        for line in rendering.rights.lines() {
            lines.entry(line).or_default()[rendering.target] |= 1 << rendering.combination;
        }
    }
    let mut text = String::from(HEAD);
    let mut current = String::new();
    for ((role, line), there) in lines {
        if role != current {
            let _ = writeln!(text, "\n{role}");
            current = role;
        }
        let _ = writeln!(text, "  {line}{}", needs(there));
    }
    text
}

/// What a line needs, of each platform.
fn needs(there: [There; TARGETS.len()]) -> String {
    let mut by_condition: Vec<(There, Vec<&str>)> = Vec::new();
    for (target, there) in TARGETS.iter().zip(there).filter(|(_, there)| *there != 0) {
        match by_condition.iter_mut().find(|(same, _)| *same == there) {
            Some((_, targets)) => targets.push(target.name),
            None => by_condition.push((there, vec![target.name])),
        }
    }
    let told = by_condition.into_iter().map(|(there, targets)| {
        let switches = condition(there);
        let platforms = targets.join(", ");
        match (switches.is_empty(), targets.len() == TARGETS.len()) {
            (_, true) => switches,
            (true, false) => format!("on {platforms}"),
            (false, false) => format!("{switches} on {platforms}"),
        }
    });
    let told: Vec<String> = told.filter(|told| !told.is_empty()).collect();
    if told.is_empty() {
        String::new()
    } else {
        format!("    | {}", told.join("; "))
    }
}

/// The switches that have to be on; where no such set says it, the numbers of the combinations.
fn condition(there: There) -> String {
    let all = || Switches::combinations().into_iter().enumerate();
    let is_there = |number: usize| there & (1 << number) != 0;
    let needed: Vec<Switch> = Switch::ALL
        .into_iter()
        .filter(|switch| all().all(|(number, switches)| !is_there(number) || switches.is_on(*switch)))
        .collect();
    let says = |(number, switches): (usize, Switches)| {
        is_there(number) == needed.iter().all(|it| switches.is_on(*it))
    };
    if all().all(says) {
        let keys: Vec<&str> = needed.into_iter().map(Switch::key).collect();
        return keys.join(" and ");
    }
    let numbers = all().map(|(number, _)| number).filter(|number| is_there(*number));
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!("combinations {}", numbers.join(" "))
}

#[test]
fn a_condition_of_the_table_says_exactly_where_a_right_is() {
    let told: HashSet<String> = (0..=There::MAX).map(condition).collect();
    assert_eq!(told.len(), 1 << 16);
    assert_eq!(condition(There::MAX), "");
    assert_eq!(
        condition(1),
        "createNamespaces and createRoleBindings and clusterWideSecret and limitRange"
    );
    assert_eq!(
        condition(0b1010_1010_1010_1010),
        "combinations 1 3 5 7 9 11 13 15"
    );
    assert_eq!(needs([There::MAX; 4]), "");
    assert_eq!(needs([0, There::MAX, 0, 0]), "    | on openshift");
    assert_eq!(
        needs([0b0000_0000_1111_1111, There::MAX, 0, 0b0000_0000_1111_1111]),
        "    | limitRange on kubernetes, kubernetes-1.35; on openshift"
    );
}
