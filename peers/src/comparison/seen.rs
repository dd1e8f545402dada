//! What a run saw, and whether that shows anything.

use std::collections::BTreeMap;
use std::fmt;

/// Counts of what was compared.
#[derive(Clone, Default, Debug)]
pub struct Seen {
    /// Organizations.
    pub stories: u64,
    /// Decisions, each by the engine, the naive evaluator and Cedar with grants as entities.
    pub decisions: u64,
    /// Of these, by Cedar with a policy a rule, too.
    pub by_links: u64,
    /// Of these, allowed.
    pub allowed: u64,
    /// Of what was allowed, by a rule of a group.
    pub through_groups: u64,
    /// Of what was allowed, by a role that was made at run time.
    pub by_made_roles: u64,
    /// Of what was allowed, by a rule at a scope above.
    pub from_above: u64,
    /// Asked about a scope that does not exist.
    pub in_unknown_scopes: u64,
    /// Lists.
    pub lists: u64,
    /// By kind: how many, and how many that were not empty.
    pub of_lists: BTreeMap<&'static str, (u64, u64)>,
    /// Changes that changed something, by kind.
    pub changes: BTreeMap<&'static str, u64>,
    /// Where two said different things.
    pub disagreements: Vec<String>,
}

impl Seen {
    /// Adds what another saw.
    pub fn add(&mut self, other: Self) {
        self.stories += other.stories;
        self.decisions += other.decisions;
        self.by_links += other.by_links;
        self.allowed += other.allowed;
        self.through_groups += other.through_groups;
        self.by_made_roles += other.by_made_roles;
        self.from_above += other.from_above;
        self.in_unknown_scopes += other.in_unknown_scopes;
        self.lists += other.lists;
        for (kind, (all, some)) in other.of_lists {
            let entry = self.of_lists.entry(kind).or_default();
            *entry = (entry.0 + all, entry.1 + some);
        }
        for (kind, count) in other.changes {
            *self.changes.entry(kind).or_default() += count;
        }
        self.disagreements.extend(other.disagreements);
    }

    /// What a run of some length must have met, and this one has not: without it agreement would mean little.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut at_least = |what: &str, part: u64, whole: u64, percent: u64| {
            if part * 100 < whole * percent {
                missing.push(format!("{what}: {part} of {whole}, {percent} % are needed"));
            }
        };
        at_least("allowed", self.allowed, self.decisions, 30);
        at_least("refused", self.decisions - self.allowed, self.decisions, 30);
        at_least("through groups", self.through_groups, self.allowed, 20);
        at_least("by roles made at run time", self.by_made_roles, self.allowed, 10);
        at_least("by rules above", self.from_above, self.allowed, 20);
        at_least("in unknown scopes", self.in_unknown_scopes, self.decisions, 3);
        at_least("asked of policies by rule", self.by_links, self.decisions, 15);
        at_least("kinds of changes", self.changes.len() as u64, 7, 100);
        at_least("kinds of lists", self.of_lists.len() as u64, 6, 100);
        for (kind, (all, some)) in &self.of_lists {
            at_least(&format!("lists that are not empty, {kind}"), *some, *all, 25);
        }
        missing
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: u64, whole: u64| part * 100 / whole.max(1);
        writeln!(
            f,
            "{} decisions and {} lists in {} organizations, {} changes between them",
            self.decisions,
            self.lists,
            self.stories,
            self.changes.values().sum::<u64>()
        )?;
        writeln!(
            f,
            "  allowed {} %: through groups {} % of these, by roles made at run time {} %, by rules above {} %",
            percent(self.allowed, self.decisions),
            percent(self.through_groups, self.allowed),
            percent(self.by_made_roles, self.allowed),
            percent(self.from_above, self.allowed)
        )?;
        writeln!(
            f,
            "  in scopes that do not exist {} %; by a Cedar policy for each rule, too: {} %",
            percent(self.in_unknown_scopes, self.decisions),
            percent(self.by_links, self.decisions)
        )?;
        let mut kinds: Vec<String> = Vec::new();
        kinds.extend(self.changes.iter().map(|(kind, count)| format!("{kind} {count}")));
        writeln!(f, "  changes: {}", kinds.join(", "))?;
        let lists = self.of_lists.iter();
        let lists = lists.map(|(kind, (all, some))| format!("{kind} {all} ({some} not empty)"));
        writeln!(f, "  lists: {}", lists.collect::<Vec<_>>().join(", "))?;
        write!(f, "  disagreements: {}", self.disagreements.len())
    }
}
