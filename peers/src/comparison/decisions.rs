//! One decision, by everybody.

use anyhow::Result;
use reeve_types::AccessRuleId;

use super::Turn;
use crate::engine;
use crate::naive::Question;
use crate::plain::{LAST_PREDEFINED, Rule};

impl Turn<'_> {
    /// Compares one. With `links` the policies by rule are asked too, who say by which rules.
    pub(super) fn decision(&mut self, links: bool) -> Result<()> {
        let question = self.story.question();
        self.seen.decisions += 1;
        let naive = self.story.organization.allowing(&question);
        let exists = self.story.organization.has(question.scope);
        let request = self
            .encoder
            .ask(question.who.subject, question.permission, question.scope)?;
        let cedar = if exists {
            self.grants.decide(&request)?
        } else {
            self.seen.in_unknown_scopes += 1;
            self.grants.allows(&request)
        };
        if cedar == naive.is_empty() {
            self.told(&question, "Cedar with grants as entities", &cedar, &naive);
        }
        if links {
            self.seen.by_links += 1;
            let by_rules = self.links.allowing(&request)?;
            if by_rules != naive {
                self.told(&question, "Cedar with a policy a rule", &by_rules, &naive);
            }
        }
        self.of_the_engine(&question, &naive)
    }

    /// Its answer, its reason, and all its reasons.
    fn of_the_engine(&mut self, question: &Question, naive: &[i64]) -> Result<()> {
        let who = engine::principal(&question.who)?;
        let (action, entity) = self.engine.word(question.permission)?;
        let scope = engine::scope(question.scope)?;
        let index = &self.engine.index;
        let mut reasons: Vec<i64> = index
            .reasons(&who, action, entity, scope)
            .iter()
            .map(|reason| reason.rule.number())
            .collect();
        reasons.sort_unstable();
        let (held_nowhere, answer) = match index.decide(&who, action, entity, scope) {
            Ok(granted) => (None, granted.because().cloned()),
            Err(denial) => (Some(denial.held_nowhere), None),
        };
        if reasons != naive {
            self.told(question, "the engine, of its reasons,", &reasons, naive);
        }
        let Some(reason) = answer else {
            let nowhere = self
                .story
                .organization
                .granted_at(&question.who, question.permission);
            if !naive.is_empty() || held_nowhere != Some(nowhere.is_empty()) {
                let says = format!("no (held nowhere: {held_nowhere:?})");
                self.told(question, "the engine", &says, naive);
            }
            return Ok(());
        };
        self.seen.allowed += 1;
        let rule = self.rule(reason.rule).copied();
        if let Some(rule) = rule {
            self.seen.through_groups += u64::from(rule.subject != question.who.subject);
            self.seen.by_made_roles += u64::from(rule.role > LAST_PREDEFINED);
            self.seen.from_above += u64::from(rule.scope != question.scope);
        }
        let told = match &rule {
            Some(rule) => {
                reason.through == engine::subject(rule.subject)?
                    && reason.at == engine::scope(rule.scope)?
                    && reason.role.id().number() == rule.role
                    && naive.contains(&rule.id)
            }
            None => false,
        };
        if !told {
            self.told(question, "the engine", &reason.to_string(), naive);
        }
        Ok(())
    }

    pub(super) fn rule(&self, id: AccessRuleId) -> Option<&Rule> {
        let rules = &self.story.organization.rules;
        rules.iter().find(|rule| rule.id == id.number())
    }

    fn told(&mut self, question: &Question, who: &str, says: &dyn std::fmt::Debug, naive: &[i64]) {
        let permission = self.rights.name(question.permission);
        self.disagreement(&format!(
            "{permission} in {} by {:?}: {who} says {says:?}, rules that allow it are {naive:?}",
            question.scope, question.who
        ));
    }
}
