//! What of a pass is told as an event.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::fault::{Component, State};

/// How loud a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A Normal event when it changes.
    Info,
    /// A Warning when it changes.
    Warning,
    /// A Warning on every pass.
    Error,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// A Warning, or a Normal event.
    pub warning: bool,
    /// The condition's reason.
    pub reason: String,
    /// The condition's message, or a sentence in its place.
    pub message: String,
}

/// The events of a pass that brought the conditions from `before` to `now`.
pub fn of_pass(before: &[Condition], now: &[Condition], components: &[Component]) -> Vec<News> {
    let changed = |condition: &Condition| {
        let old = before.iter().find(|old| old.type_ == condition.type_);
        old.is_none_or(|old| old.status != condition.status || old.reason != condition.reason)
    };
    let told = now.iter().filter_map(|condition| {
        let level = level(condition, components);
        (level == Level::Error || changed(condition)).then(|| News {
            warning: level >= Level::Warning,
            reason: condition.reason.clone(),
            message: message(condition),
        })
    });
    told.collect()
}

/// How loud a condition is.
pub fn level(condition: &Condition, components: &[Component]) -> Level {
    let component = components
        .iter()
        .find(|c| condition.type_.strip_suffix("Ready") == Some(c.name()));
    let broken = [State::Failed, State::Degraded, State::NotAvailable];
    match condition.type_.as_str() {
        _ if condition.status == "True" => Level::Info,
        "DependenciesReachable" | "AuthValid" | "ConfigValid" => Level::Error,
        "Ready" if condition.reason != "Progressing" => Level::Error,
        "ArtifactsReady" if condition.reason == "NoCaches" => Level::Error,
        "DownloadComplete" if condition.reason == "VerificationFailed" => Level::Warning,
        _ if component.is_some_and(|component| broken.contains(&component.state())) => Level::Error,
        _ => Level::Info,
    }
}

fn message(condition: &Condition) -> String {
    if !condition.message.is_empty() {
        return condition.message.clone();
    }
    let name = condition
        .type_
        .strip_suffix("Ready")
        .filter(|name| !name.is_empty());
    let name = name.unwrap_or(&condition.type_);
    if condition.status == "True" {
        format!("{name} is ready")
    } else {
        format!("{name} is not ready: {}", condition.reason)
    }
}
