//! Conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff;
use reeve_types::Timestamp;

/// What a condition is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says<'a> {
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
pub fn set(conditions: &mut Vec<Condition>, says: &Says<'_>, now: Timestamp) -> bool {
    let status = says
        .status
        .map_or("Unknown", |status| if status { "True" } else { "False" });
    let found = conditions
        .iter_mut()
        .find(|condition| condition.type_ == says.type_);
    let before = found
        .as_ref()
        .filter(|condition| condition.status == status)
        .map(|c| c.last_transition_time.clone());
    let transition = before.is_none();
    let condition = Condition {
        type_: says.type_.to_owned(),
        status: status.to_owned(),
        reason: says.reason.to_owned(),
        message: says.message.to_owned(),
        observed_generation: says.generation,
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
