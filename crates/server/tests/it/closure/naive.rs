//! Who holds what, and what people could give each other, by plain loops over lists. Predefined roles are read from the table that a
//! reviewer approved; nothing of the decision engine is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

const APPROVED: &str = include_str!("../../../../authz/tests/it/rights.txt");
const ACTIONS: [&str; 4] = ["create", "read", "update", "delete"];
/// The ClusterRoles, and those of which each may do everything, itself too.
const CLUSTER_ROLES: [(&str, &[usize]); 5] = [
    ("viewer", &[0]),
    ("l2-researcher", &[0, 1]),
    ("ai-practitioner", &[0, 2]),
    ("l1-researcher", &[0, 1, 2, 3]),
    ("system-administrator", &[0, 1, 2, 3, 4]),
];
/// Where the bits of ClusterRoles begin, behind four for each resource type.
const CLUSTERS: usize = 248;

/// What somebody may do, a bit for each action on a resource type and for each ClusterRole.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rights([u64; 4]);

impl Rights {
    pub(super) const NONE: Self = Self([0; 4]);

    fn with(mut self, bit: usize) -> Self {
        self.0[bit / 64] |= 1 << (bit % 64);
        self
    }

    fn each(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|at| with(self.0[at], other.0[at])))
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.each(other, |a, b| a | b)
    }

    fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a & b)
    }

    pub(super) fn without(self, other: Self) -> Self {
        self.each(other, |a, b| a & !b)
    }

    pub(super) fn within(self, other: Self) -> bool {
        self.without(other) == Self::NONE
    }

    pub(super) fn on_the_control_plane(mut self) -> Self {
        self.0[3] &= (1 << (CLUSTERS - 192)) - 1;
        self
    }
}

/// Of a role: what its holders may do, and which roles they may give; `None` for any.
#[derive(Clone)]
pub(super) struct Role {
    pub(super) rights: Rights,
    gives: Option<Vec<i64>>,
}

impl Role {
    fn is_custom(number: i64) -> bool {
        number > 1000
    }
}

/// The approved table.
pub(super) struct Table {
    /// Resource types, in the order of their bits.
    types: Vec<String>,
    roles: BTreeMap<i64, Role>,
    pub(super) creates_rules: Rights,
    pub(super) creates_roles: Rights,
    updates_roles: Rights,
}

impl Table {
    pub(super) fn read() -> Self {
        let mut types: Vec<String> = Vec::new();
        let mut roles: BTreeMap<i64, Role> = BTreeMap::new();
        let mut number = 0;
        for line in APPROVED.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if line.starts_with("role ") {
                number = words[1].parse().unwrap();
                let gives = match words[3] {
                    "any" => None,
                    "nothing" => Some(Vec::new()),
                    listed => Some(listed.split(',').map(|id| id.parse().unwrap()).collect()),
                };
                let rights = in_clusters(Some(words[6].trim_end_matches(':')).filter(|it| *it != "nothing"));
                roles.insert(number, Role { rights, gives });
            } else if let [kind, actions] = words[..] {
                let place = types.iter().position(|known| known == kind).unwrap_or_else(|| {
                    types.push(kind.to_owned());
                    types.len() - 1
                });
                let role = roles.get_mut(&number).unwrap();
                for action in actions.split(',') {
                    role.rights = role.rights.with(bit(place, action));
                }
            }
        }
        assert!(types.len() * 4 <= CLUSTERS && roles.len() >= 19);
        let right = |kind: &str, action: &str| {
            let place = types.iter().position(|known| known == kind).unwrap();
            Rights::NONE.with(bit(place, action))
        };
        Self {
            creates_rules: right("access_rules", "create"),
            creates_roles: right("roles", "create"),
            updates_roles: right("roles", "update"),
            types,
            roles,
        }
    }

    /// One action on one type.
    pub(super) fn right(&self, kind: &str, action: &str) -> Rights {
        let place = self.types.iter().position(|known| known == kind).unwrap();
        Rights::NONE.with(bit(place, action))
    }

    /// All that can be done with a type.
    pub(super) fn everything_with(&self, kind: &str) -> Rights {
        let all = ACTIONS.map(|action| self.right(kind, action));
        all.into_iter()
            .fold(Rights::NONE, Rights::or)
            .and(self.roles[&1].rights)
    }

    /// In words, for whoever reads why a run failed.
    fn told(&self, rights: Rights) -> String {
        let named = self
            .types
            .iter()
            .flat_map(|kind| ACTIONS.map(|action| (kind.as_str(), action)));
        let held = named.filter(|(kind, action)| self.right(kind, action).within(rights));
        let held = held.map(|(kind, action)| format!("{kind}:{action}"));
        let clusters = CLUSTER_ROLES
            .iter()
            .filter(|(name, _)| in_clusters(Some(*name)).within(rights));
        held.chain(clusters.map(|(name, _)| format!("cluster:{name}")))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn bit(place: usize, action: &str) -> usize {
    place * 4 + ACTIONS.iter().position(|known| *known == action).unwrap()
}

/// What a ClusterRole allows.
pub(super) fn in_clusters(name: Option<&str>) -> Rights {
    let Some(name) = name else { return Rights::NONE };
    let (_, bits) = CLUSTER_ROLES.iter().find(|(known, _)| *known == name).unwrap();
    bits.iter()
        .fold(Rights::NONE, |all, bit| all.with(CLUSTERS + bit))
}

/// Whom a rule names: kind and name.
pub(super) type Key = (&'static str, String);

/// A scope: its type and id on the wire, and the one above.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) above: Option<usize>,
}

#[derive(Clone)]
pub(super) struct Rule {
    pub(super) subject: Key,
    pub(super) role: i64,
    pub(super) at: usize,
}

/// What there is, as the answers to changes said.
#[derive(Clone)]
pub(super) struct Ledger {
    pub(super) table: Rc<Table>,
    pub(super) places: Rc<Vec<Place>>,
    /// Each scope and all above it.
    upwards: Rc<Vec<Vec<usize>>>,
    pub(super) roles: BTreeMap<i64, Role>,
    pub(super) rules: BTreeMap<i64, Rule>,
}

impl Ledger {
    pub(super) fn new(places: Vec<Place>) -> Self {
        let table = Rc::new(Table::read());
        let above = |at: &usize| places[*at].above;
        let upwards = (0..places.len()).map(|at| std::iter::successors(Some(at), above).collect());
        Self {
            roles: table.roles.clone(),
            table,
            upwards: Rc::new(upwards.collect()),
            places: Rc::new(places),
            rules: BTreeMap::new(),
        }
    }

    /// A role that was made or changed. Such a one gives any.
    pub(super) fn put_role(&mut self, number: i64, rights: Rights) {
        self.roles.insert(number, Role { rights, gives: None });
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        self.upwards[to].contains(&from)
    }

    /// What rules that name one of these give in a scope.
    pub(super) fn held(&self, by: &[Key], at: usize) -> Rights {
        let reaching = self
            .rules
            .values()
            .filter(|rule| by.contains(&rule.subject) && self.reaches(rule.at, at));
        reaching.fold(Rights::NONE, |all, rule| all.or(self.roles[&rule.role].rights))
    }

    fn roles_of(&self, by: &[Key], at: usize) -> Vec<i64> {
        let reaching = self
            .rules
            .values()
            .filter(|rule| by.contains(&rule.subject) && self.reaches(rule.at, at));
        reaching.map(|rule| rule.role).collect()
    }

    pub(super) fn told(&self, rights: Rights) -> String {
        self.table.told(rights)
    }
}

/// All that those who act can bring about together, from what there is at the beginning.
pub(super) struct Closure {
    at_first: Rc<Ledger>,
    /// What can be given to anybody, by scope.
    given: Vec<Rights>,
    /// The roles that can be given in each scope itself.
    roles: Vec<BTreeSet<i64>>,
    /// Where somebody can be given a new role that gives any.
    gives_any: Vec<bool>,
    /// What roles that were made here can come to allow, whoever holds them.
    edited: Rights,
}

impl Closure {
    /// Of people and applications, each with all groups that an identity provider may say of them.
    pub(super) fn of(ledger: &Ledger, acting: &[Vec<Key>]) -> Self {
        let places = ledger.places.len();
        let mut all = Self {
            at_first: Rc::new(ledger.clone()),
            given: vec![Rights::NONE; places],
            roles: vec![BTreeSet::new(); places],
            gives_any: vec![false; places],
            edited: Rights::NONE,
        };
        loop {
            let before = (
                all.given.clone(),
                all.roles.clone(),
                all.gives_any.clone(),
                all.edited,
            );
            for who in acting {
                all.define(who);
                for at in 0..places {
                    all.give(who, at);
                }
            }
            if before
                == (
                    all.given.clone(),
                    all.roles.clone(),
                    all.gives_any.clone(),
                    all.edited,
                )
            {
                return all;
            }
        }
    }

    /// What somebody can come to hold in a scope.
    pub(super) fn holds(&self, who: &[Key], at: usize) -> Rights {
        let first = self.at_first.held(who, at);
        let has_custom = self.at_first.roles_of(who, at).into_iter().any(Role::is_custom);
        first
            .or(self.given[at])
            .or(if has_custom { self.edited } else { Rights::NONE })
    }

    /// Whoever makes or changes roles gives them anything that they hold in the account.
    fn define(&mut self, who: &[Key]) {
        let own = self.holds(who, 0);
        let table = &self.at_first.table;
        let may = [table.creates_roles, table.updates_roles].map(|right| right.within(own));
        if may.contains(&true) {
            self.edited = self.edited.or(own);
        }
    }

    fn give(&mut self, who: &[Key], at: usize) {
        let ledger = Rc::clone(&self.at_first);
        let create = ledger.table.creates_rules;
        let own = self.holds(who, at);
        let mut givers = ledger.roles_of(who, at);
        let upwards = &ledger.upwards[at];
        givers.extend(
            upwards
                .iter()
                .flat_map(|above| self.roles[*above].iter().copied()),
        );
        let edited_creates = create.within(self.edited);
        let lists = |giver: &i64| match &ledger.roles[giver] {
            role if Role::is_custom(*giver) && edited_creates => role.gives.clone(),
            role if create.within(role.rights) => role.gives.clone(),
            _ => Some(Vec::new()),
        };
        let lists: Vec<_> = givers.iter().map(lists).collect();
        let any = lists.contains(&None) || upwards.iter().any(|above| self.gives_any[*above]);
        let below = ["department", "project"].contains(&ledger.places[at].kind);
        for (number, role) in &ledger.roles {
            let listed = lists.iter().flatten().any(|list| list.contains(number));
            if (any || listed && below) && role.rights.within(own) {
                self.roles[at].insert(*number);
                self.add(at, role.rights);
                if Role::is_custom(*number) {
                    self.add(at, self.edited);
                }
            }
        }
        if any {
            let new = own.and(self.edited);
            self.add(at, new);
            self.gives_any[at] |= create.within(new);
        }
    }

    fn add(&mut self, at: usize, rights: Rights) {
        for below in 0..self.given.len() {
            if self.at_first.reaches(at, below) {
                self.given[below] = self.given[below].or(rights);
            }
        }
    }
}
