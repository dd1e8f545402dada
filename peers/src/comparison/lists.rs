//! Lists: what is visible, where something was granted, who can, what can, what is held, and what a change would give and take.

use std::collections::BTreeSet;
use std::fmt::Debug;

use anyhow::Result;
use reeve_authz::{Change as Asked, Reach, Scope as Its};

use super::Turn;
use crate::engine;
use crate::naive::{Question, names};
use crate::plain::{Caller, Change, Organization, Permission, Rule, Scope};
use crate::random::Story;

/// The number of a rule that is none yet.
const NEW_RULE: i64 = 1_000_000_000;
/// How many single permissions of a preview Cedar is asked about.
const OF_A_PREVIEW: usize = 40;

type Held = BTreeSet<(Permission, Scope)>;

impl Turn<'_> {
    /// Compares one list; which kind follows from its number.
    pub(super) fn list(&mut self, number: u64) -> Result<()> {
        let who = self.story.caller();
        let (kind, some) = match number % 6 {
            0 => ("visible", self.visible(&who)?),
            1 => ("permitted scopes", self.permitted_scopes(&who)?),
            2 => ("who can", self.who_can()?),
            3 => ("what can", self.what_can(&who)?),
            4 => ("held", self.held(&who)?),
            _ => ("preview", self.preview(&who)?),
        };
        self.seen.lists += 1;
        let entry = self.seen.of_lists.entry(kind).or_default();
        entry.0 += 1;
        entry.1 += u64::from(some > 0);
        Ok(())
    }

    /// Whether all three are the same; how long the list is.
    fn same<T: PartialEq + Debug>(&mut self, what: &str, engine: &[T], naive: &[T], cedar: &[T]) -> usize {
        if engine != naive || cedar != naive {
            self.disagreement(&format!(
                "{what}: the engine says {engine:?}, the naive evaluator {naive:?}, Cedar {cedar:?}"
            ));
        }
        naive.len()
    }

    fn of(&self, permission: Permission, who: &Caller) -> String {
        format!("{} by {who:?}", self.rights.name(permission))
    }

    /// Where somebody may read something, scope by scope.
    fn visible(&mut self, who: &Caller) -> Result<usize> {
        let mut permission = self.story.permission();
        while self
            .rights
            .permissions
            .get(usize::from(permission))
            .is_none_or(|(_, action)| *action != "read")
        {
            permission = self.story.permission();
        }
        let (_, entity) = self.engine.word(permission)?;
        let visible = self.engine.index.visible(&engine::principal(who)?, entity).ok();
        let (mut fast, mut naive, mut cedar) = (Vec::new(), Vec::new(), Vec::new());
        for scope in Story::every_scope() {
            let question = Question {
                who: who.clone(),
                permission,
                scope,
            };
            let its = engine::scope(scope)?;
            if visible.as_ref().is_some_and(|visible| visible.contains(its)) {
                fast.push(scope);
            }
            if self.story.organization.allows(&question) {
                naive.push(scope);
            }
            let request = self.encoder.ask(who.subject, permission, scope)?;
            if self.grants.allows(&request) {
                cedar.push(scope);
            }
        }
        if visible.is_some_and(|visible| visible.everything() != naive.contains(&Scope::Account)) {
            self.disagreement("the whole account is visible to the engine alone, or to all but it");
        }
        let what = format!("where is visible {}", self.of(permission, who));
        Ok(self.same(&what, &fast, &naive, &cedar))
    }

    /// At which scopes something was granted to somebody.
    fn permitted_scopes(&mut self, who: &Caller) -> Result<usize> {
        let permission = self.story.permission();
        let (action, entity) = self.engine.word(permission)?;
        let fast = self
            .engine
            .index
            .permitted_scopes(&engine::principal(who)?, action, entity);
        let mut rules = Vec::new();
        for scope in self.story.organization.scopes() {
            let request = self.encoder.ask(who.subject, permission, scope)?;
            rules.extend(self.links.allowing(&request)?);
        }
        let of_rules = self.rules_with(&rules).into_iter().map(|rule| rule.scope);
        let cedar = as_the_engine_has_them(of_rules)?;
        let granted = self.story.organization.granted_at(who, permission);
        let naive = as_the_engine_has_them(granted)?;
        let what = format!("where was granted {}", self.of(permission, who));
        Ok(self.same(&what, &fast, &naive, &cedar))
    }

    /// By which rules anybody may do something.
    fn who_can(&mut self) -> Result<usize> {
        let Question {
            permission, scope, ..
        } = self.story.question();
        let (action, entity) = self.engine.word(permission)?;
        let reasons = self.engine.index.who_can(action, entity, engine::scope(scope)?);
        for reason in &reasons {
            let rule = self.rule(reason.rule).copied();
            let right = match rule {
                Some(rule) => {
                    reason.through == engine::subject(rule.subject)?
                        && reason.at == engine::scope(rule.scope)?
                }
                None => false,
            };
            if !right {
                self.disagreement(&format!("who can: {reason} is not so"));
            }
        }
        let fast = in_order(reasons.iter().map(|reason| reason.rule.number()));
        if fast.len() != reasons.len() {
            self.disagreement("who can: the engine names a rule twice");
        }
        let naive = self.story.organization.who_can(permission, scope);
        let mut rules = Vec::new();
        for subject in self.story.organization.named() {
            let request = self.encoder.ask(subject, permission, scope)?;
            rules.extend(self.links.allowing(&request)?);
        }
        let what = format!("who can {} in {scope}", self.rights.name(permission));
        Ok(self.same(&what, &fast, &naive, &in_order(rules)))
    }

    /// Every rule by which somebody may anything.
    fn what_can(&mut self, who: &Caller) -> Result<usize> {
        let reasons = self.engine.index.what_can(&engine::principal(who)?);
        let fast = in_order(reasons.iter().map(|reason| reason.rule.number()));
        if fast.len() != reasons.len() {
            self.disagreement("what can: the engine names a rule twice");
        }
        let naive = self.story.organization.what_can(who);
        let mut rules = Vec::new();
        for scope in self.story.organization.scopes() {
            let request = self.encoder.ask_for_anything(who.subject, scope)?;
            rules.extend(self.links.allowing(&request)?);
        }
        let what = format!("what can {who:?}");
        Ok(self.same(&what, &fast, &naive, &in_order(rules)))
    }

    /// Everything that somebody may do in a scope.
    fn held(&mut self, who: &Caller) -> Result<usize> {
        let scope = self.story.question().scope;
        let set = self
            .engine
            .index
            .held_at(&engine::principal(who)?, engine::scope(scope)?);
        let fast = self.engine.permissions(set);
        let naive = self.story.organization.held_at(who, scope, self.rights.count());
        let mut cedar = Vec::new();
        for permission in 0..self.rights.count() {
            let request = self.encoder.ask(who.subject, permission, scope)?;
            if self.grants.allows(&request) {
                cedar.push(permission);
            }
        }
        let what = format!("what holds {who:?} in {scope}");
        Ok(self.same(&what, &fast, &naive, &cedar))
    }

    /// What somebody would gain and lose.
    fn preview(&mut self, who: &Caller) -> Result<usize> {
        let changes = self.changes_to_preview(who);
        let (before, mut after) = (self.story.organization.clone(), self.story.organization.clone());
        let (mut asked, mut later) = (Vec::new(), who.clone());
        for change in &changes {
            after.apply(change);
            match change {
                Change::PutRule(rule) => {
                    let rule = engine::rule(rule)?;
                    asked.push(Asked::AddRule {
                        subject: rule.subject,
                        role: rule.role,
                        scope: rule.scope,
                    });
                }
                Change::RemoveRule(id) => {
                    asked.extend(reeve_types::AccessRuleId::new(*id).map(Asked::RemoveRule));
                }
                Change::PutRole(role) => asked.push(Asked::PutRole(self.engine.role(role)?)),
                Change::RemoveRole(id) => asked.extend(reeve_authz::RoleId::new(*id).map(Asked::RemoveRole)),
                Change::SetGroups(_, groups) => later.groups.clone_from(groups),
                _ => {}
            }
        }
        let (now, then) = (engine::principal(who)?, engine::principal(&later)?);
        let preview = self.engine.index.preview(&asked, [&now, &then]);
        let difference = preview.difference(&now, &then, |_| true);
        let (had, has) = (held(&before, who), held(&after, &later));
        let gained = self.spelled_out(&before, &difference.gained)?;
        let lost = self.spelled_out(&before, &difference.lost)?;
        let (naive_gained, naive_lost): (Held, Held) = (&has - &had, &had - &has);
        if gained != naive_gained || lost != naive_lost {
            self.disagreement(&format!(
                "preview of {changes:?} for {who:?}: the engine says {} gained and {} lost, the naive evaluator {} and {}",
                gained.len(),
                lost.len(),
                naive_gained.len(),
                naive_lost.len()
            ));
        }
        let encoded = self.encoder.grants(&after)?;
        let sides = [(&gained, false, true), (&lost, true, false)];
        for (side, allowed_before, allowed_after) in sides {
            let step = (side.len() / OF_A_PREVIEW).max(1);
            for (permission, scope) in side.iter().step_by(step) {
                let request = self.encoder.ask(who.subject, *permission, *scope)?;
                let cedar = (self.grants.decide(&request)?, encoded.decide(&request)?);
                if cedar != (allowed_before, allowed_after) {
                    let what = self.of(*permission, who);
                    self.disagreement(&format!(
                        "preview of {changes:?}: {what} in {scope} before and after is {cedar:?} to Cedar"
                    ));
                }
            }
        }
        Ok(gained.len() + lost.len())
    }

    /// Up to three, of rules, roles and the caller's groups. A rule has no number yet.
    fn changes_to_preview(&mut self, who: &Caller) -> Vec<Change> {
        let mut changes = Vec::new();
        while changes.len() < 3 {
            let change = match self.story.next_change() {
                Change::PutRule(rule) => Change::PutRule(Rule {
                    id: NEW_RULE + i64::try_from(changes.len()).unwrap_or_default(),
                    ..rule
                }),
                Change::SetGroups(_, groups) => Change::SetGroups(who.subject, groups),
                other @ (Change::RemoveRule(_) | Change::PutRole(_) | Change::RemoveRole(_)) => other,
                _ => continue,
            };
            changes.push(change);
        }
        changes
    }

    /// Every permission in every scope that a preview speaks of. None is named twice.
    fn spelled_out(&mut self, organization: &Organization, reaches: &[Reach]) -> Result<Held> {
        let mut all = Held::new();
        let mut twice = false;
        for reach in reaches {
            let permissions = self.engine.permissions(reach.permissions);
            for scope in organization.scopes() {
                let chain = as_the_engine_has_them(organization.chain(scope))?;
                let left_out = reach.except.iter().any(|out| chain.contains(out));
                if chain.contains(&reach.scope) && !left_out {
                    for permission in &permissions {
                        twice |= !all.insert((*permission, scope));
                    }
                }
            }
        }
        if twice {
            self.disagreement("a preview names something twice");
        }
        Ok(all)
    }

    fn rules_with(&self, ids: &[i64]) -> Vec<Rule> {
        let rules = &self.story.organization.rules;
        rules
            .iter()
            .filter(|rule| ids.contains(&rule.id))
            .copied()
            .collect()
    }
}

/// Every permission in every scope that somebody holds, rule by rule.
fn held(organization: &Organization, who: &Caller) -> Held {
    let mut all = Held::new();
    for rule in organization.rules.iter().filter(|rule| names(rule, who)) {
        let Some(role) = organization.role(rule.role) else {
            continue;
        };
        for scope in organization.scopes() {
            if organization.chain(scope).contains(&rule.scope) {
                let may = (0..).zip(&role.may).filter(|(_, may)| **may);
                all.extend(may.map(|(permission, _)| (permission, scope)));
            }
        }
    }
    all
}

/// In order, each once.
fn in_order(ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let once: BTreeSet<i64> = ids.into_iter().collect();
    once.into_iter().collect()
}

/// In its order, each once.
fn as_the_engine_has_them(scopes: impl IntoIterator<Item = Scope>) -> Result<Vec<Its>> {
    let mut all = scopes
        .into_iter()
        .map(engine::scope)
        .collect::<Result<Vec<_>>>()?;
    all.sort_unstable();
    all.dedup();
    Ok(all)
}
