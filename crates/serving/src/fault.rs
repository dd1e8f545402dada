//! What can be in the way, and how a component stands because of it.

use std::fmt::{self, Display, Formatter};

/// What kind of hindrance it is: decided once, where it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// A server or the network, which may be back soon.
    Infrastructure,
    /// Not known. Treated as [`Category::Infrastructure`].
    Unknown,
    /// Somebody is not allowed.
    Auth,
    /// What is wanted cannot be.
    InvalidSpec,
    /// Something that somebody else has to make is not there.
    MissingUpstream,
    /// Something that we make is not there yet.
    MissingDownstream,
    /// Something is full.
    ResourceExhaustion,
}

impl Category {
    /// Whether trying again may help although nothing changes.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Infrastructure | Self::Unknown)
    }

    /// Category and reason of a refusal of the API server: its HTTP status, and the reason it gives.
    pub fn of_refusal(status: u16, reason: &str) -> (Self, &'static str) {
        match status {
            409 if reason == "AlreadyExists" => (Self::InvalidSpec, "AlreadyExists"),
            401 => (Self::Auth, "Unauthorized"),
            403 => (Self::Auth, "Forbidden"),
            404 => (Self::MissingDownstream, "NotFound"),
            409 => (Self::Infrastructure, "Conflict"),
            422 => (Self::InvalidSpec, "InvalidSpec"),
            429 => (Self::Infrastructure, "RateLimited"),
            408 | 504 => (Self::Infrastructure, "Timeout"),
            500 | 503 => (Self::Infrastructure, "ServiceUnavailable"),
            501..=599 => (Self::Infrastructure, "ServerError"),
            400..=499 => (Self::InvalidSpec, "ClientError"),
            _ => (Self::Unknown, "UnknownError"),
        }
    }
}

/// One hindrance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub category: Category,
    /// One CamelCase word.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Fault {
    /// A hindrance.
    pub fn new(category: Category, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            category,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// An object that somebody else has to make is not there.
    pub fn reference_not_found(message: impl Into<String>) -> Self {
        Self::new(Category::MissingUpstream, "ReferenceNotFound", message)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

/// How something stands, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Will not get better without a change.
    Failed,
    /// The cluster has not what it needs.
    NotAvailable,
    /// Works in part, or something it needs is away.
    Degraded,
    /// Waits.
    Pending,
    /// Begins.
    Starting,
    /// On its way.
    Progressing,
    /// Usable.
    Ready,
    /// In use.
    Running,
}

/// Whether others make what a component stands for, or we.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dependency {
    /// Others.
    Upstream,
    /// We.
    Downstream,
    /// Not said.
    #[default]
    Unspecified,
}

/// A part of an object's health. It becomes the condition `<name>Ready`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    name: &'static str,
    state: Option<State>,
    reason: Option<String>,
    message: Option<String>,
    faults: Vec<Fault>,
    dependency: Dependency,
}

impl Component {
    /// One that is ready unless something says otherwise. A component has a name: without one its condition would be `Ready`
    /// itself.
    pub const fn new(name: &'static str, dependency: Dependency) -> Self {
        Self {
            name,
            state: None,
            reason: None,
            message: None,
            faults: Vec::new(),
            dependency,
        }
    }

    /// Says how it stands, and why.
    #[must_use]
    pub fn says(mut self, state: State, reason: impl Into<String>, message: impl Into<String>) -> Self {
        self.state = Some(state);
        self.reason = Some(reason.into());
        self.message = Some(message.into());
        self
    }

    /// With a hindrance.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// With what an inspection found.
    #[must_use]
    pub fn found(self, found: Result<Health, Fault>) -> Self {
        match found {
            Ok(health) => self.says(health.state, health.reason, health.message),
            Err(fault) => self.with(fault),
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Who makes it.
    pub const fn dependency(&self) -> Dependency {
        self.dependency
    }

    /// What is in the way.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How it stands: as said, else by the worst hindrance.
    pub fn state(&self) -> State {
        let any = |categories: &[Category]| self.faults.iter().any(|f| categories.contains(&f.category));
        match self.state {
            Some(state) => state,
            None if self.faults.is_empty() => State::Ready,
            None if any(&[
                Category::Auth,
                Category::ResourceExhaustion,
                Category::InvalidSpec,
            ]) =>
            {
                State::Failed
            }
            None if any(&[Category::MissingUpstream, Category::Infrastructure]) => State::Degraded,
            None => State::Progressing,
        }
    }

    /// Why: as said, else the first hindrance's.
    pub fn reason(&self) -> &str {
        let first = self.faults.first().map(|fault| fault.reason.as_str());
        self.reason.as_deref().or(first).unwrap_or("Ready")
    }

    /// For people: as said, else the first hindrance's.
    pub fn message(&self) -> &str {
        let first = self.faults.first().map(|fault| fault.message.as_str());
        self.message.as_deref().or(first).unwrap_or_default()
    }
}

/// What an inspection found, where nothing is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How it stands.
    pub state: State,
    /// One CamelCase word.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Health {
    /// How it stands, and why.
    pub fn new(state: State, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            state,
            reason: reason.into(),
            message: message.into(),
        }
    }
}
