//! From components to conditions, to one word, and to what may be done.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::fault::{Category, Component, Dependency, State};

/// How long a component keeps its condition when the API server cannot be asked.
pub const GRACE: Duration = Duration::from_secs(10);

const DEPENDENCIES: &str = "DependenciesReachable";
const AUTH: &str = "AuthValid";
const CONFIG: &str = "ConfigValid";
const READY: &str = "Ready";

/// A condition that no component stands for, or that is said in another way than its component says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its type.
    pub type_: String,
    /// Whether it holds.
    pub holds: bool,
    /// One CamelCase word.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Said {
    /// A condition.
    pub fn new(
        type_: impl Into<String>,
        holds: bool,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            type_: type_.into(),
            holds,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// What a pass found.
#[derive(Debug, Clone)]
pub struct Findings<'a> {
    /// Every component that was looked at.
    pub components: &'a [Component],
    /// Other conditions, and those that stand in place of a component's.
    pub said: &'a [Said],
    /// Types of conditions that stay as they are although no component was looked at. All other conditions that nobody speaks
    /// of any more go: what was once in the way of something that is over must not be in the way for ever.
    pub kept: &'a [&'a str],
    /// The conditions of before.
    pub before: &'a [Condition],
    /// The generation of the spec that was read.
    pub generation: Option<i64>,
    /// Now.
    pub now: &'a Time,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The conditions, each once.
    pub conditions: Vec<Condition>,
    /// One word.
    pub state: State,
    /// Whether objects may be applied.
    pub apply: bool,
    /// Whether to try again, later each time, although nothing changes.
    pub retry: bool,
}

/// Judges what a pass found.
pub fn judge(findings: &Findings<'_>) -> Verdict {
    let has = |categories: &[Category]| {
        let mut faults = findings.components.iter().flat_map(Component::faults);
        faults.find(|fault| categories.contains(&fault.category))
    };
    let away = has(&[Category::Infrastructure, Category::Unknown]);
    let auth = has(&[Category::Auth]);
    let invalid = has(&[Category::InvalidSpec]);
    let missing = has(&[Category::MissingUpstream]);
    let mut set = Conditions::new(findings);
    let message = |fault: Option<&crate::fault::Fault>| fault.map(|f| f.message.clone()).unwrap_or_default();
    set.framework(
        DEPENDENCIES,
        away.map(|_| "InfrastructureError"),
        "Reachable",
        &message(away),
    );
    let grace = away.is_some() && set.is_in_grace();
    for component in findings.components {
        set.component(component, grace);
    }
    set.framework(
        AUTH,
        auth.map(|_| "AuthError"),
        "AuthenticationValid",
        &message(auth),
    );
    let config = invalid
        .map(|_| "InvalidSpec")
        .or(missing.map(|_| "ReferenceNotFound"));
    set.framework(
        CONFIG,
        config,
        "ConfigurationValid",
        &message(invalid.or(missing)),
    );
    for said in findings.said {
        set.set(&said.type_, said.holds, &said.reason, &said.message);
    }
    set.keep();
    let blocked = auth.map(|_| "AuthError").or(config);
    let state = match (blocked, auth.or(invalid).or(missing)) {
        (Some(reason), Some(fault)) => {
            set.set(READY, false, reason, &fault.message);
            State::Failed
        }
        _ => set.root(away.is_some()),
    };
    Verdict {
        conditions: set.now,
        state,
        apply: away.is_none() && blocked.is_none(),
        retry: away.is_some(),
    }
}

struct Conditions<'a> {
    findings: &'a Findings<'a>,
    now: Vec<Condition>,
}

impl<'a> Conditions<'a> {
    const fn new(findings: &'a Findings<'a>) -> Self {
        Self {
            findings,
            now: Vec::new(),
        }
    }

    fn before(&self, type_: &str) -> Option<&'a Condition> {
        self.findings
            .before
            .iter()
            .find(|condition| condition.type_ == type_)
    }

    /// Sets a condition. The time of its last transition moves when its status or its reason does. One that is said twice in a
    /// pass is the later one, measured by what was before the pass.
    fn set(&mut self, type_: &str, holds: bool, reason: &str, message: &str) {
        let status = if holds { "True" } else { "False" };
        let same = self
            .before(type_)
            .filter(|before| before.status == status && before.reason == reason);
        let since = same.map_or_else(
            || self.findings.now.clone(),
            |before| before.last_transition_time.clone(),
        );
        let condition = Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            observed_generation: self.findings.generation,
            last_transition_time: since,
        };
        match self.now.iter_mut().find(|said| said.type_ == type_) {
            Some(place) => *place = condition,
            None => self.now.push(condition),
        }
    }

    /// A condition of the framework: False while something is in the way, True only after it has been False.
    fn framework(&mut self, type_: &str, in_the_way: Option<&str>, good: &str, message: &str) {
        match (in_the_way, self.before(type_)) {
            (Some(reason), _) => self.set(type_, false, reason, message),
            (None, Some(_)) => self.set(type_, true, good, ""),
            (None, None) => {}
        }
    }

    fn is_in_grace(&self) -> bool {
        self.now
            .iter()
            .find(|condition| condition.type_ == DEPENDENCIES)
            .is_some_and(|condition| {
                let since = condition.last_transition_time.0;
                let passed = self.findings.now.0.duration_since(since);
                passed.as_secs() < i64::try_from(GRACE.as_secs()).unwrap_or(i64::MAX)
            })
    }

    fn component(&mut self, component: &Component, grace: bool) {
        let type_ = format!("{}Ready", component.name());
        let away = component
            .faults()
            .iter()
            .any(|fault| fault.category == Category::Infrastructure);
        // What was said of another spec is no word on this one.
        let of_this = |before: &&Condition| {
            let observed = before.observed_generation;
            observed.is_none() || observed == self.findings.generation
        };
        let kept = self
            .before(&type_)
            .filter(of_this)
            .filter(|_| grace && away)
            .map(|before| before.status == "True");
        let holds = kept.unwrap_or(component.state() == State::Ready);
        self.set(&type_, holds, component.reason(), component.message());
    }

    fn keep(&mut self) {
        for before in self.findings.before {
            let wanted = self.findings.kept.contains(&before.type_.as_str());
            if wanted && !self.now.iter().any(|condition| condition.type_ == before.type_) {
                self.now.push(before.clone());
            }
        }
    }

    /// One word for all conditions that end in `Ready`, and the condition `Ready`.
    fn root(&mut self, away: bool) -> State {
        let components = self.findings.components;
        let of = |type_: &str| {
            components
                .iter()
                .find(|c| type_.strip_suffix("Ready") == Some(c.name()))
        };
        let parts = self
            .now
            .iter()
            .filter(|c| c.type_.ends_with(READY) && c.type_ != READY);
        let mut worst = State::Ready;
        let mut broken: Option<(String, String)> = None;
        for condition in parts {
            let component = of(&condition.type_);
            worst = worst.min(state_of(condition, component));
            let bad = [State::Failed, State::Degraded, State::NotAvailable];
            if let Some(component) = component
                && condition.status != "True"
                && bad.contains(&component.state())
                && broken.is_none()
            {
                broken = Some((
                    condition.reason.clone(),
                    format!("{}: {}", component.name(), condition.message),
                ));
            }
        }
        match broken {
            None if worst == State::Ready => self.set(READY, true, "AllComponentsReady", ""),
            Some((reason, message)) => self.set(READY, false, &reason, &message),
            None if away => self.set(
                READY,
                false,
                "InfrastructureError",
                "something that is needed cannot be reached",
            ),
            None => self.set(READY, false, "Progressing", "not everything is ready yet"),
        }
        if away && worst != State::Ready {
            State::Degraded
        } else {
            worst
        }
    }
}

fn state_of(condition: &Condition, component: Option<&Component>) -> State {
    if condition.status == "True" {
        return State::Ready;
    }
    let own = component.map(Component::state);
    match own {
        Some(state @ (State::Failed | State::Degraded | State::NotAvailable | State::Pending)) => state,
        _ if component.is_some_and(|c| c.dependency() == Dependency::Upstream) => State::Pending,
        _ => State::Progressing,
    }
}
