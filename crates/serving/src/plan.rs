//! What a pass over one object wants: which components it has, which objects are to be there, what its status says. Each kind
//! has a module: it takes what was seen of the cluster as values and answers a [`Plan`].

pub mod artifact;
pub mod cache;
pub mod model;
pub mod service;
pub mod source;
pub mod template;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use reeve_serving_crds::{
    AimArtifactStatus, AimClusterModelSourceStatus, AimModelStatus, AimServiceStatus,
    AimServiceTemplateStatus, AimTemplateCacheStatus, ModelState, SourceState,
};
use serde::Serialize;
use serde_json::Value;

use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::engine::{Findings, Said, Verdict, judge};
use crate::fault::{Category, Component, Dependency, Fault, Health, State};

/// An object that is to be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The object, with `apiVersion` and `kind`.
    pub object: Value,
    /// The component that says when it cannot be written.
    pub component: &'static str,
    /// Whether one that is there is left as it is: what is in it cannot be changed, or is somebody else's too.
    pub once: bool,
}

impl Child {
    /// An object that is kept as it is said here. What has no form as JSON is left out: no kind of ours is so.
    pub fn kept(component: &'static str, object: &impl Serialize) -> Self {
        Self {
            object: serde_json::to_value(object).unwrap_or_default(),
            component,
            once: false,
        }
    }

    /// An object that is made and never changed.
    pub fn once(component: &'static str, object: &impl Serialize) -> Self {
        Self {
            once: true,
            ..Self::kept(component, object)
        }
    }
}

/// What a pass wants.
#[derive(Debug, Clone)]
pub struct Plan<S> {
    /// The parts of the object's health. Where several are broken, the one that says why comes first.
    pub components: Vec<Component>,
    /// Conditions beside those of components.
    pub said: Vec<Said>,
    /// What is to be there, in the order in which it is to be made.
    pub children: Vec<Child>,
    /// The status, without conditions and word: those follow from the components.
    pub status: S,
    /// When to look again although nothing tells of a change.
    pub again: Option<Duration>,
}

impl<S> Plan<S> {
    /// A plan that says only this of the status.
    pub const fn new(status: S) -> Self {
        Self {
            components: Vec::new(),
            said: Vec::new(),
            children: Vec::new(),
            status,
            again: None,
        }
    }

    /// What follows, given the conditions of before.
    pub fn judge(&self, before: &[Condition], generation: Option<i64>, now: &Time) -> Verdict {
        judge(&Findings {
            components: &self.components,
            said: &self.said,
            kept: &[],
            before,
            generation,
            now,
        })
    }

    /// A child could not be written: its component says so, in place of what it said.
    pub fn blame(&mut self, component: &'static str, fault: Fault) {
        let broken = Component::new(component, Dependency::Downstream).with(fault);
        self.components.retain(|other| other.name() != component);
        self.components.insert(0, broken);
    }

    /// Looks again after this long at the latest.
    pub(crate) fn look_again(&mut self, after: Duration) {
        self.again = Some(self.again.map_or(after, |before| before.min(after)));
    }
}

/// A status whose conditions, word and generation follow from a verdict.
pub trait Standing {
    /// The conditions.
    fn conditions(&self) -> &[Condition];
    /// Says what was judged, of this generation of the spec.
    fn set(&mut self, verdict: &Verdict, generation: Option<i64>);
}

macro_rules! standing {
    ($($status:ty, $word:expr;)*) => {$(
        impl Standing for $status {
            fn conditions(&self) -> &[Condition] {
                &self.conditions
            }

            fn set(&mut self, verdict: &Verdict, generation: Option<i64>) {
                self.conditions.clone_from(&verdict.conditions);
                self.status = Some($word(verdict.state));
                self.observed_generation = generation;
            }
        }
    )*};
}

standing! {
    AimModelStatus, word;
    AimServiceTemplateStatus, word;
    AimTemplateCacheStatus, word;
    AimArtifactStatus, word;
    AimServiceStatus, crate::service::stored;
    AimClusterModelSourceStatus, source_word;
}

/// The word of a status that is no service's.
pub const fn word(state: State) -> ModelState {
    match state {
        State::Failed => ModelState::Failed,
        State::NotAvailable => ModelState::NotAvailable,
        State::Degraded => ModelState::Degraded,
        State::Pending => ModelState::Pending,
        State::Starting | State::Progressing => ModelState::Progressing,
        State::Ready | State::Running => ModelState::Ready,
    }
}

const fn source_word(state: State) -> SourceState {
    match word(state) {
        ModelState::Failed => SourceState::Failed,
        ModelState::NotAvailable => SourceState::NotAvailable,
        ModelState::Degraded => SourceState::Degraded,
        ModelState::Pending => SourceState::Pending,
        ModelState::Progressing => SourceState::Progressing,
        ModelState::Ready => SourceState::Ready,
    }
}

/// A word of a status, if that speaks of the spec as it is. One that says no generation was written by the reference operator,
/// which never says any, and counts.
pub fn current<T>(generation: Option<i64>, observed: Option<i64>, word: Option<T>) -> Option<T> {
    let stale = observed.is_some() && observed < generation;
    word.filter(|_| !stale)
}

/// Says that something of the spec cannot be followed and is left out, while the rest goes on.
pub(crate) fn left_out(problems: Vec<String>) -> Option<Said> {
    let told = problems.join("; ");
    (!told.is_empty()).then(|| Said::new("ConfigValid", false, "InvalidSpec", told))
}

/// The component `RuntimeConfig`.
pub(crate) fn config_component(found: &Result<RuntimeConfig, ConfigNotFound>, reason: &str) -> Component {
    let component = Component::new("RuntimeConfig", Dependency::Upstream);
    match found {
        Ok(config) => component.says(State::Ready, config.reason(), ""),
        Err(missing) => component.with(Fault::new(Category::MissingUpstream, reason, missing.to_string())),
    }
}

/// With the cause that another object gives in its condition `Ready`, where it is not ready.
pub(crate) fn with_cause(mut health: Health, conditions: &[Condition]) -> Health {
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    if let Some(cause) = ready.filter(|c| health.state != State::Ready && !c.message.is_empty()) {
        health.message = format!("{}: {}", health.message, cause.message);
    }
    health
}
