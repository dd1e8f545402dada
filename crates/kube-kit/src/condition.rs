//! Conditions, and the fields that every status of ours has.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff;
use reeve_types::Timestamp;

/// What a condition is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionUpdate<'a> {
    /// `Ready` and the like.
    pub type_: &'a str,
    /// True, false, or `None` for unknown.
    pub status: Option<bool>,
    /// One CamelCase word.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
    /// The generation of the spec it speaks of.
    pub generation: Option<i64>,
}

/// Sets a condition. The time of its last transition moves only when its status does, so that saying the same twice
/// changes nothing. Returns whether the status changed (or is new).
pub fn set(conditions: &mut Vec<Condition>, update: &ConditionUpdate<'_>, now: Timestamp) -> bool {
    let status = update
        .status
        .map_or("Unknown", |status| if status { "True" } else { "False" });
    let found = conditions
        .iter_mut()
        .find(|condition| condition.type_ == update.type_);
    let before = found
        .as_ref()
        .filter(|condition| condition.status == status)
        .map(|c| c.last_transition_time.clone());
    let transition = before.is_none();
    let condition = Condition {
        type_: update.type_.to_owned(),
        status: status.to_owned(),
        reason: update.reason.to_owned(),
        message: update.message.to_owned(),
        observed_generation: update.generation,
        last_transition_time: before.unwrap_or_else(|| time(now)),
    };
    match found {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
    transition
}

/// A moment as Kubernetes writes it: whole seconds.
pub fn time(moment: Timestamp) -> Time {
    Time(jiff::Timestamp::from_second(moment.as_seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

/// What a pass found, for the fields that every status has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<'a, P> {
    /// One word.
    pub phase: P,
    /// Whether the condition `Ready` is true.
    pub ready: bool,
    /// The reason of that, one CamelCase word.
    pub reason: &'a str,
    /// For people; empty when there is nothing to say.
    pub message: &'a str,
    /// The generation of the spec that the pass read.
    pub generation: Option<i64>,
}

/// The fields that every status of ours has, borrowed from one by [`ready_status!`](crate::ready_status). Not a trait: neither
/// a status nor this crate belongs to the operator that would have to implement it.
#[derive(Debug)]
pub struct ReadyStatus<'a, P> {
    /// The phase.
    pub phase: &'a mut Option<P>,
    /// The message.
    pub message: &'a mut String,
    /// The generation that the status speaks of.
    pub observed_generation: &'a mut Option<i64>,
    /// The conditions.
    pub conditions: &'a mut Vec<Condition>,
}

/// The [`ReadyStatus`] of a status, which has the four fields under these names.
#[macro_export]
macro_rules! ready_status {
    ($status:expr) => {
        $crate::condition::ReadyStatus {
            phase: &mut $status.phase,
            message: &mut $status.message,
            observed_generation: &mut $status.observed_generation,
            conditions: &mut $status.conditions,
        }
    };
}

impl<P> ReadyStatus<'_, P> {
    /// Brings the fields up to date. Saying the same twice changes nothing.
    pub fn set(self, outcome: Outcome<'_, P>, now: Timestamp) {
        let ready = ConditionUpdate {
            type_: "Ready",
            status: Some(outcome.ready),
            reason: outcome.reason,
            message: outcome.message,
            generation: outcome.generation,
        };
        set(self.conditions, &ready, now);
        *self.phase = Some(outcome.phase);
        outcome.message.clone_into(self.message);
        *self.observed_generation = outcome.generation;
    }
}
