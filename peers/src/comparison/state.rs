//! Changes, and that the engine holds what is left after them.

use anyhow::Result;

use super::{Seen, Turn};
use crate::engine::{self, Engine};
use crate::plain::Change;
use crate::random::Story;

/// Up to three things happen. The engine and the plain lists must say the same of whether anything is different.
pub(super) fn change(story: &mut Story, engine: &mut Engine, seen: &mut Seen, at: (u64, u64)) -> Result<()> {
    for _ in 0..3 {
        let change = story.next_change();
        let (plain, fast) = (story.organization.apply(&change), engine.apply(&change)?);
        if fast.is_some_and(|fast| fast != plain) {
            let (story, turn) = at;
            seen.disagreements.push(format!(
                "story {story}, turn {turn}: {change:?} changes something: {plain}; the engine says {fast:?}"
            ));
        }
        if plain {
            *seen.changes.entry(kind(&change)).or_default() += 1;
        }
    }
    Ok(())
}

const fn kind(change: &Change) -> &'static str {
    match change {
        Change::AddCluster(_) | Change::AddDepartment(..) | Change::AddProject(..) => "scope added",
        Change::RemoveScope(_) => "scope removed",
        Change::PutRule(_) => "rule put",
        Change::RemoveRule(_) => "rule removed",
        Change::PutRole(_) => "role made or edited",
        Change::RemoveRole(_) => "role removed",
        Change::SetGroups(..) => "groups changed",
    }
}

impl Turn<'_> {
    /// The engine has the scopes and the rules that there are, and no others.
    pub(super) fn state(&mut self) -> Result<()> {
        let organization = &self.story.organization;
        let mut scopes = Vec::new();
        for scope in organization.scopes() {
            scopes.push(engine::scope(scope)?);
        }
        scopes.sort_unstable();
        let mut rules = Vec::new();
        for rule in &organization.rules {
            rules.push(engine::rule(rule)?);
        }
        rules.sort_unstable_by_key(|rule| rule.id);
        let index = &self.engine.index;
        let mut known: Vec<_> = index.scopes().collect();
        known.sort_unstable();
        let mut kept: Vec<_> = index.rules().collect();
        kept.sort_unstable_by_key(|rule| rule.id);
        let same = known == scopes && kept == rules && index.rule_count() == rules.len();
        if !same {
            self.disagreement(&format!(
                "the engine holds other scopes or rules: {} and {} in place of {} and {}",
                known.len(),
                kept.len(),
                scopes.len(),
                rules.len()
            ));
        }
        Ok(())
    }
}
